//! Tensors of a checkpoint and what is known of them -> the bytes of a save on the shelf.

use prost::{
    Message as _,
    encoding::{WireType, encode_key, encode_varint},
};
use serde_json::json;

use super::{HEAD_TAG, Head, NotKept, TensorHead, VERSION, Written, crc32c_of, facts::FactsJson};
use crate::{
    model::{Confidence, Facts, recorded::PLUGIN},
    proto::{
        DataClass, DataType, Event, SourceMetadata, Summary, SummaryMetadata, TensorProto, TensorShapeProto,
        event::What,
        summary::{Value, value},
        summary_metadata::PluginData,
        tensor_shape_proto::Dim,
    },
    reader::moment::Moment,
    record::write::append_record,
    tensor::Tensor,
};

/// What is kept of a checkpoint.
pub struct NewSave<'a> {
    /// The name of its run.
    pub run: &'a str,
    /// Which write of which checkpoint it is.
    pub written: &'a Written,
    /// When in the training it was saved.
    pub moment: &'a Moment,
    /// Why the checkpoint is likely of its run, if it does not lie in it.
    pub run_from: Option<&'a str>,
    /// The name of the format of the checkpoint.
    pub format: &'a str,
    /// A digest of the tensors.
    pub digest: &'a str,
    /// The tensors, in the order of the network.
    pub tensors: &'a [NewTensor],
    /// Kernels that are not kept.
    pub not_kept: &'a [NotKept],
}

/// A tensor that is kept.
pub struct NewTensor {
    /// Its tag, without what tells networks of a run apart.
    pub tag: String,
    /// The writer's own name in its parts.
    pub saved_as: Vec<String>,
    /// Its numbers, in the type in which they were saved.
    pub tensor: Tensor,
    /// What was concluded about it.
    pub facts: Facts,
}

/// The bytes of the file.
#[must_use]
pub fn bytes_of(save: &NewSave<'_>) -> Vec<u8> {
    let wall_time = save.written.mtime_ns as f64 / 1e9;
    let (mut records, mut tensors) = (Vec::new(), Vec::new());
    for tensor in save.tensors {
        let (payload, content_at) = payload_of(tensor, save.moment.value, wall_time);
        let begin = records.len();
        append_record(&mut records, &payload);
        let payload_at = (begin + crate::record::frame::HEADER_BYTES) as u64;
        let footer = *records.last_chunk().expect("a record ends with its CRC");
        tensors.push(TensorHead {
            tag: tensor.tag.clone(),
            saved_as: tensor.saved_as.clone(),
            dtype: tensor.tensor.dtype.number(),
            shape: tensor.tensor.shape.axes().iter().map(|length| *length as u64).collect(),
            at: payload_at + content_at as u64,
            payload_at,
            payload_bytes: payload.len() as u64,
            crc32c: crc32c_of(footer),
            facts: FactsJson::of(&tensor.facts),
        });
    }
    let head = Head {
        version: VERSION,
        run: save.run.to_owned(),
        written: save.written.clone(),
        axis: save.moment.axis.name().to_owned(),
        value: save.moment.value,
        from: save.moment.from.name().to_owned(),
        run_from: save.run_from.map(str::to_owned),
        format: save.format.to_owned(),
        digest: save.digest.to_owned(),
        tensors,
        not_kept: save.not_kept.to_vec(),
    };
    let mut bytes = Vec::new();
    append_record(&mut bytes, &first_event(wall_time).encode_to_vec());
    append_record(&mut bytes, &head_event(&head, wall_time).encode_to_vec());
    bytes.extend(records);
    bytes
}

fn first_event(wall_time: f64) -> Event {
    Event {
        wall_time,
        what: Some(What::FileVersion("brain.Event:2".to_owned())),
        source_metadata: Some(SourceMetadata { writer: "convscope-shelf".to_owned() }),
        ..Event::default()
    }
}

fn head_event(head: &Head, wall_time: f64) -> Event {
    let text = serde_json::to_vec(head).expect("its keys are texts");
    let plugin = PluginData { plugin_name: "convscope-shelf".into(), ..PluginData::default() };
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: Some(TensorShapeProto::default()),
        string_val: vec![text.into()],
        ..TensorProto::default()
    };
    let value = Value {
        tag: HEAD_TAG.into(),
        metadata: Some(SummaryMetadata { plugin_data: Some(plugin), ..SummaryMetadata::default() }),
        value: Some(value::Value::Tensor(tensor)),
        ..Value::default()
    };
    Event {
        wall_time,
        step: head.value,
        what: Some(What::Summary(Summary { value: vec![value] })),
        ..Event::default()
    }
}

/// Numbers of the fields in which a tensor's content lies, from the innermost: `TensorProto.tensor_content`, `Summary.Value.tensor`,
/// `Summary.value`, `Event.summary`.
const FIELDS: [u32; 4] = [4, 8, 1, 5];

/// The event of a tensor, and where its content begins. The content is last, so that its place is known.
fn payload_of(tensor: &NewTensor, step: i64, wall_time: f64) -> (Vec<u8>, usize) {
    let NewTensor { tensor: numbers, facts, tag, .. } = tensor;
    let dim = |length: &usize| Dim { size: *length as i64, ..Dim::default() };
    let dims = numbers.shape.axes().iter().map(dim).collect();
    let form = TensorProto {
        dtype: numbers.dtype.number(),
        tensor_shape: Some(TensorShapeProto { dim: dims, unknown_rank: false }),
        ..TensorProto::default()
    };
    let content = metadata_of(facts).into();
    let metadata = SummaryMetadata {
        plugin_data: Some(PluginData { plugin_name: PLUGIN.into(), content }),
        data_class: DataClass::Tensor.into(),
        ..SummaryMetadata::default()
    };
    let value = Value { tag: tag.clone().into(), metadata: Some(metadata), ..Value::default() };
    let event = Event { wall_time, step, ..Event::default() };
    let before = [form.encode_to_vec(), value.encode_to_vec(), Vec::new(), event.encode_to_vec()];
    let mut payload = numbers.bytes.to_vec();
    for (field, mut outer) in FIELDS.into_iter().zip(before) {
        encode_key(field, WireType::LengthDelimited, &mut outer);
        encode_varint(payload.len() as u64, &mut outer);
        outer.append(&mut payload);
        payload = outer;
    }
    let content_at = payload.len() - numbers.bytes.len();
    (payload, content_at)
}

/// What the metadata says: only what is sure, because a reader takes the word of a writer.
fn metadata_of(facts: &Facts) -> Vec<u8> {
    let is_sure = |confidence| confidence == Confidence::Sure;
    let mut said = serde_json::Map::new();
    said.insert("layer".to_owned(), json!(facts.layer));
    if is_sure(facts.role_from.confidence) {
        said.insert("role".to_owned(), json!(facts.role.name()));
    }
    if let Some((layout, reason)) = &facts.layout
        && is_sure(reason.confidence)
    {
        said.insert("layout".to_owned(), json!(layout.name()));
    }
    serde_json::to_vec(&said).expect("its keys are texts")
}
