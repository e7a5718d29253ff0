//! The number of file descriptors of this process -> the most connections and event streams.

/// Descriptors that are not for connections: event files, notifications, the runtime, and connections that are being refused.
const RESERVED: u64 = 192;
/// Each connection takes about 20 kB of memory.
const MOST_CONNECTIONS: u64 = 8192;

/// The most connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// All connections together.
    pub connections: usize,
    /// Pending connections among them: no request on them has been accepted, because none was sent or none had the right token.
    pub pending: usize,
    /// Connections with an open event stream among them.
    pub streams: usize,
}

impl ConnectionLimits {
    /// The limits of a process that may have this many descriptors. At most half of the connections may be pending, and at most half may
    /// be event streams, so neither can use up all connections.
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
