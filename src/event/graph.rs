//! An event -> the position of the graph or the model in it.

use super::wire::{Span, WireError, next_field};
use crate::source::window::Peek;

/// The message that a graph or a model is logged as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GraphForm {
    /// `GraphDef`.
    Graph,
    /// `MetaGraphDef`, as TensorFlow 1 writes it.
    MetaGraph,
    /// `RunMetadata`, as `tf.summary.trace_export` writes it.
    RunMetadata,
    /// The JSON of a Keras model.
    KerasModel,
}

impl GraphForm {
    /// What the plugin of this name stores in its string tensors.
    #[must_use]
    pub fn of_plugin(plugin: &[u8]) -> Option<Self> {
        match plugin {
            b"graph_keras_model" => Some(Self::KerasModel),
            b"graph_run_metadata" | b"graph_run_metadata_graph" => Some(Self::RunMetadata),
            _ => None,
        }
    }
}

/// The position of a graph in the event of a record: in a value of its summary, or as the content of the event itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphPlace {
    /// `graph_def` or `meta_graph_def`.
    Event,
    /// The first string of the tensor in this value.
    Value {
        /// The position of the value in the summary.
        value_idx: usize,
        /// What the string is.
        form: GraphForm,
    },
}

/// Finds the bytes of the graph in an event; `None` if there are none.
///
/// # Errors
/// As the source's, and malformed events.
pub fn graph_in_event<P: Peek>(
    source: &mut P,
    mut event: Span,
    place: GraphPlace,
) -> Result<Option<(GraphForm, Span)>, WireError> {
    let (mut found, mut values_before) = (None, 0);
    while let Some((number, value)) = next_field(source, &mut event)? {
        match (number, place) {
            (4, GraphPlace::Event) => found = Some((GraphForm::Graph, value.span()?)),
            (9, GraphPlace::Event) => found = Some((GraphForm::MetaGraph, value.span()?)),
            (5, GraphPlace::Value { value_idx, form }) => {
                let mut summary = value.span()?;
                while let Some((number, value)) = next_field(source, &mut summary)? {
                    if number == 1 && values_before == value_idx {
                        found = first_string(source, value.span()?)?.map(|string| (form, string));
                    }
                    values_before += usize::from(number == 1);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The first `string_val` of the value's tensor.
fn first_string<P: Peek>(source: &mut P, mut value: Span) -> Result<Option<Span>, WireError> {
    while let Some((number, field)) = next_field(source, &mut value)? {
        if number != 8 {
            continue;
        }
        let mut tensor = field.span()?;
        while let Some((number, field)) = next_field(source, &mut tensor)? {
            if number == 8 {
                return field.span().map(Some);
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::{Event, Summary, TensorProto, event, summary};

    fn found(event: &Event, place: GraphPlace) -> Option<(GraphForm, Vec<u8>)> {
        let bytes = event.encode_to_vec();
        let span = Span { at: 0, end: bytes.len() as u64 };
        let (form, span) = graph_in_event(&mut &*bytes, span, place).unwrap()?;
        Some((form, span.bytes(&mut &*bytes, 100).unwrap().to_vec()))
    }

    #[test]
    fn graphs_are_found_in_events_and_in_values() {
        let what = |what| Event { what: Some(what), ..Event::default() };
        let graph = what(event::What::GraphDef("nodes".into()));
        assert_eq!(found(&graph, GraphPlace::Event), Some((GraphForm::Graph, b"nodes".to_vec())));
        let meta = what(event::What::MetaGraphDef("meta".into()));
        assert_eq!(found(&meta, GraphPlace::Event), Some((GraphForm::MetaGraph, b"meta".to_vec())));
        let tensor =
            |text: &str| TensorProto { string_val: vec![text.to_owned().into()], ..TensorProto::default() };
        let value = |text| summary::Value {
            value: Some(summary::value::Value::Tensor(tensor(text))),
            ..summary::Value::default()
        };
        let summary = what(event::What::Summary(Summary { value: vec![value("a"), value("b")] }));
        let place = |value_idx| GraphPlace::Value { value_idx, form: GraphForm::KerasModel };
        assert_eq!(found(&summary, place(1)), Some((GraphForm::KerasModel, b"b".to_vec())));
        assert_eq!(found(&summary, place(2)), None);
        assert_eq!(found(&summary, GraphPlace::Event), None);
    }
}
