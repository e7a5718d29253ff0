//! Pictures -> records of an event file that TensorBoard shows as images.
//!
//! TensorFlow 2's form: a text tensor `[width, height, png]` for the plugin `images`, whose metadata of version 0 are empty
//! (tensorboard, `plugins/image/summary_v2.py` and `metadata.py`). TensorFlow 1's form: `Summary.Image`.

use prost::Message;

use super::drawing::Picture;
use crate::{
    proto::{
        DataClass, DataType, Event, SourceMetadata, Summary, SummaryMetadata, TensorProto, TensorShapeProto,
        event::What,
        summary::{Image, Value, value},
        summary_metadata::PluginData,
        tensor_shape_proto::Dim,
    },
    record::write::append_record,
    types::Step,
};

/// The marker in the first event of our files.
const WRITER: &str = "convscope";

/// Whose form a picture has in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text tensor, as TensorFlow 2 writes pictures.
    Tf2,
    /// A message of its own, as TensorFlow 1 did.
    Tf1,
}

/// The first record of a file.
#[must_use]
pub fn first_record(wall_time: f64) -> Vec<u8> {
    let source_metadata = Some(SourceMetadata { writer: WRITER.to_owned() });
    record(&Event {
        wall_time,
        what: Some(What::FileVersion("brain.Event:2".to_owned())),
        source_metadata,
        ..Event::default()
    })
}

/// Whether the payload of a file's first record says that the file is ours.
#[must_use]
pub fn is_ours(payload: &[u8]) -> bool {
    let event = Event::decode(payload).ok();
    event.and_then(|event| event.source_metadata).is_some_and(|source| source.writer == WRITER)
}

/// The record of all pictures of one step.
#[must_use]
pub fn picture_record(form: Form, step: Step, wall_time: f64, pictures: Vec<Picture>) -> Vec<u8> {
    let value = pictures.into_iter().map(|picture| value_of(form, picture)).collect();
    record(&Event { wall_time, step, what: Some(What::Summary(Summary { value })), ..Event::default() })
}

fn record(event: &Event) -> Vec<u8> {
    let mut record = Vec::new();
    append_record(&mut record, &event.encode_to_vec());
    record
}

fn value_of(form: Form, picture: Picture) -> Value {
    let Picture { tag, png, width, height, components, text, .. } = picture;
    let (plugin_data, data_class, content) = match form {
        Form::Tf2 => {
            let plugin = PluginData { plugin_name: "images".into(), ..PluginData::default() };
            let texts = vec![width.to_string().into(), height.to_string().into(), png.into()];
            let size = Dim { size: 3, ..Dim::default() };
            let tensor = TensorProto {
                dtype: DataType::DtString.into(),
                tensor_shape: Some(TensorShapeProto { dim: vec![size], unknown_rank: false }),
                string_val: texts,
                ..TensorProto::default()
            };
            (Some(plugin), DataClass::BlobSequence, value::Value::Tensor(tensor))
        }
        Form::Tf1 => {
            let side = |pixels| i32::try_from(pixels).expect("a sheet has at most 2^26 pixels");
            let image = Image {
                height: side(height),
                width: side(width),
                colorspace: components.into(),
                encoded_image_string: png.into(),
            };
            (None, DataClass::Unknown, value::Value::Image(image))
        }
    };
    let metadata = SummaryMetadata {
        plugin_data,
        summary_description: text.into(),
        data_class: data_class.into(),
        ..SummaryMetadata::default()
    };
    Value { tag: tag.into(), metadata: Some(metadata), value: Some(content), ..Value::default() }
}
