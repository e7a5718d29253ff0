//! An event -> the same event at another wall time. The recorded bytes are not changed; a field is appended.

use crate::types::WallTime;

/// Field 1 of an event, a double: `(1 << 3) | 1`.
const WALL_TIME_KEY: u8 = 0x09;

/// The payload with the wall time appended: if a field occurs twice, the last one counts (protobuf's rule).
#[must_use]
pub fn retimed(payload: &[u8], wall_time: WallTime) -> Vec<u8> {
    let mut out = payload.to_vec();
    out.push(WALL_TIME_KEY);
    out.extend_from_slice(&wall_time.seconds().to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::Event;

    #[test]
    fn the_last_wall_time_counts() {
        let event = Event { wall_time: 1.0, step: 7, ..Event::default() };
        let bytes = retimed(&event.encode_to_vec(), WallTime::new(2.5).unwrap());
        let again = Event::decode(&*bytes).unwrap();
        assert_eq!(again, Event { wall_time: 2.5, ..event });
    }
}
