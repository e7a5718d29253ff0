//! The number of file descriptors of this process -> how many connections and event streams there may be.

/// Descriptors that are not for connections: event files, notifications, the runtime, newcomers that are being refused.
const RESERVED: u64 = 192;
/// A connection takes some 20 kB; more of them are no use to anybody.
const MOST_CONNECTIONS: u64 = 8192;

/// How many clients may be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// All connections together.
    pub connections: usize,
    /// Of these, those on which no request has been let in: they have sent none yet, or none with the right token.
    pub pending: usize,
    /// Of these, those with an open event stream.
    pub streams: usize,
}

impl ConnectionLimits {
    /// The bounds of a process that may have so many descriptors. Half of the connections may be strangers, and half
    /// streams, so neither can take the last one.
    #[must_use]
    pub fn of(descriptors: u64) -> Self {
        let rest = descriptors.saturating_sub(RESERVED).max(descriptors / 2);
        let connections = rest.clamp(4, MOST_CONNECTIONS) as usize;
        Self { connections, pending: connections / 2, streams: connections / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_files() {
        let check = |descriptors, connections| {
            let limits = ConnectionLimits::of(descriptors);
            assert_eq!((limits.connections, limits.streams), (connections, connections / 2), "{descriptors}");
            assert_eq!(limits.pending, connections / 2, "{descriptors}");
        };
        check(0, 4);
        check(256, 128);
        check(1024, 832);
        check(20_000, 8192);
        check(u64::MAX, 8192);
    }
}
