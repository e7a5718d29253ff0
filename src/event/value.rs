//! An event -> the position of one value of its summary, so that it can be read without the others.

use super::wire::{Span, WireError, next_field};
use crate::source::window::Peek;

/// The field of a summary in an event.
const SUMMARY: u32 = 5;
/// What an event may contain instead: file version, graph, log message, session, tagged metadata, meta graph.
const OTHERS: [u32; 6] = [3, 4, 6, 7, 8, 9];
/// The field of a value in a summary.
const VALUE: u32 = 1;

/// The bytes of the value at this position of the event's summary; `None` if there is none. As in Protocol Buffers, a
/// summary in two parts is merged, and of several contents the last one counts.
///
/// # Errors
/// Errors of the source, and malformed events.
pub fn value_in_event<P: Peek>(
    source: &mut P,
    mut event: Span,
    value_idx: usize,
) -> Result<Option<Span>, WireError> {
    let (mut found, mut values_before) = (None, 0);
    while let Some((number, field)) = next_field(source, &mut event)? {
        if OTHERS.contains(&number) {
            (found, values_before) = (None, 0);
        }
        if number == SUMMARY {
            let mut summary = field.span()?;
            while let Some((number, value)) = next_field(source, &mut summary)? {
                if number == VALUE {
                    let value = value.span()?;
                    found = found.or((values_before == value_idx).then_some(value));
                    values_before += 1;
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::{Event, Summary, event, summary};

    fn summary(tags: &[&str]) -> Vec<u8> {
        let value = |tag: &&str| summary::Value { tag: tag.as_bytes().to_vec().into(), ..Default::default() };
        let summary = Summary { value: tags.iter().map(value).collect() };
        Event { step: 7, what: Some(event::What::Summary(summary)), ..Event::default() }.encode_to_vec()
    }

    fn check(event: &[u8]) {
        let expected = match Event::decode(event).unwrap().what {
            Some(event::What::Summary(summary)) => summary.value,
            _ => Vec::new(),
        };
        for idx in 0..=expected.len() {
            let span = Span { at: 0, end: event.len() as u64 };
            let found = value_in_event(&mut &*event, span, idx).unwrap();
            let found = found
                .map(|span| summary::Value::decode(&event[span.at as usize..span.end as usize]).unwrap());
            assert_eq!(found.as_ref(), expected.get(idx));
        }
    }

    #[test]
    fn values_are_those_that_prost_finds() {
        let version = Event { what: Some(event::What::FileVersion("2".into())), ..Event::default() };
        let version = version.encode_to_vec();
        check(&summary(&["a", "", "c"]));
        check(&[summary(&["a"]), summary(&["b", "c"])].concat());
        check(&[summary(&["a", "b"]), version.clone(), summary(&["c"])].concat());
        check(&[summary(&["a", "b"]), version].concat());
        check(&[]);
    }
}
