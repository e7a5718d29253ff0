//! The most common event, one number under a known tag, recognized by comparing bytes.
//!
//! Logs hold millions of them, and none of them is drawn. Every writer encodes such an event in the same way (fields in the
//! order of their numbers, as protobuf libraries write them); comparing with these bytes takes a tenth of the time of reading
//! field by field. An event in any other form is read in full by `outline`, with the same result.

/// The bytes of a scalar's event, from its summary up to the number; `None` for tags whose lengths take two bytes.
///
/// `Event.summary { value { tag, simple_value } }`: key 5, then keys 1, 1 and 2.
#[must_use]
pub fn head(tag: &[u8]) -> Option<Box<[u8]>> {
    let len = u8::try_from(tag.len()).ok().filter(|len| (1..0x70).contains(len))?;
    let mut head = vec![0x2a, len + 9, 0x0a, len + 7, 0x0a, len];
    head.extend_from_slice(tag);
    head.push(0x15);
    Some(head.into())
}

/// Wall time and step of an event, if it is a scalar with this head and nothing else.
#[must_use]
#[inline]
pub fn read(payload: &[u8], head: &[u8]) -> Option<(f64, i64)> {
    let rest = payload.strip_prefix(&[0x09])?;
    let (wall_time, mut rest) = rest.split_first_chunk::<8>()?;
    let mut step = 0_u64;
    if let [0x10, after @ ..] = rest {
        let end = after.iter().take(10).position(|byte| byte & 0x80 == 0)?;
        if end == 9 {
            // Negative steps take ten bytes: they are rare, and there are special rules for their last byte.
            return None;
        }
        step = after[..=end].iter().rev().fold(0, |step, byte| step << 7 | u64::from(byte & 0x7f));
        rest = &after[end + 1..];
    }
    let is_scalar = rest.len() == head.len() + 4 && rest.starts_with(head);
    is_scalar.then(|| (f64::from_le_bytes(*wall_time), step.cast_signed()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::{
        event::{
            outline::{Content, Outline, What},
            wire::Span,
        },
        proto::{Event, Summary, event, summary},
    };

    fn scalar(wall_time: f64, step: i64, tag: &str) -> Vec<u8> {
        let value = Some(summary::value::Value::SimpleValue(0.25));
        let value = summary::Value { tag: tag.to_owned().into(), value, ..summary::Value::default() };
        let what = Some(event::What::Summary(Summary { value: vec![value] }));
        Event { wall_time, step, what, ..Event::default() }.encode_to_vec()
    }

    #[test]
    fn what_prost_writes_is_known_and_nothing_else_is() {
        let head = head(b"loss").unwrap();
        assert_eq!(read(&scalar(1.5, 300, "loss"), &head), Some((1.5, 300)));
        assert_eq!(read(&scalar(1.5, 0, "loss"), &head), Some((1.5, 0)));
        assert_eq!(read(&scalar(1.5, 300, "lost"), &head), None);
        assert_eq!(read(&scalar(1.5, -1, "loss"), &head), None);
        let mut longer = scalar(1.5, 300, "loss");
        longer.extend([0x10, 7]);
        assert_eq!(read(&longer, &head), None);
    }

    proptest! {
        #[test]
        fn whatever_is_known_is_read_alike_in_full(
            wall_time in any::<f64>(), step in any::<i64>(), tag in "[a-z/\\x15]{1,120}",
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let mut payload = scalar(wall_time, step, &tag);
            for (place, byte) in flips {
                let place = place.index(payload.len());
                payload[place] = byte;
            }
            let known = head(tag.as_bytes()).and_then(|head| read(&payload, &head));
            if let Some((wall_time, step)) = known {
                let mut outline = Outline::default();
                outline.read(&mut &*payload, Span { at: 0, end: payload.len() as u64 }).unwrap();
                prop_assert_eq!((outline.wall_time.to_bits(), outline.step), (wall_time.to_bits(), step));
                prop_assert_eq!(outline.what, What::Summary);
                prop_assert_eq!(outline.values.len(), 1);
                prop_assert_eq!(&outline.values[0].content, &Content::Scalar);
                prop_assert_eq!(outline.tag(&outline.values[0]), tag.as_bytes());
            }
        }
    }
}
