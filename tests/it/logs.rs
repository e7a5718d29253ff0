//! Event files made by hand, for what no ordinary writer leaves behind.

use convscope::{
    proto::{
        DataType, Event, Summary, SummaryMetadata, TensorProto, TensorShapeProto, event, summary,
        summary_metadata::PluginData, tensor_shape_proto::Dim,
    },
    record::write::append_record,
};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};

/// The name of the event file that most tests write.
pub(crate) const FILE: &str = "events.out.tfevents.1";

/// A record with one float32 tensor, all of whose elements are `fill`.
pub(crate) fn tensor(tag: &str, step: i64, wall_time: f64, shape: &[i64], fill: f32) -> Vec<u8> {
    record(tag, step, wall_time, summary::value::Value::Tensor(floats(shape, fill)))
}

/// A record with one float32 tensor of these elements, little-endian.
pub(crate) fn tensor_of(tag: &str, step: i64, shape: &[i64], elements: &[u8]) -> Vec<u8> {
    let tensor = TensorProto { tensor_content: elements.to_vec().into(), ..floats(shape, 0.0) };
    record(tag, step, 1.0, summary::value::Value::Tensor(tensor))
}

/// A record with one tensor of this type whose shape leaves it without elements.
pub(crate) fn empty_tensor(tag: &str, step: i64, dtype: DataType, shape: &[i64]) -> Vec<u8> {
    let tensor = TensorProto { dtype: dtype.into(), ..floats(shape, 0.0) };
    record(tag, step, 1.0, summary::value::Value::Tensor(tensor))
}

/// A record with one encoded picture.
pub(crate) fn picture(tag: &str, step: i64, encoded: Vec<u8>) -> Vec<u8> {
    let image = summary::Image { encoded_image_string: encoded.into(), ..summary::Image::default() };
    record(tag, step, 1.0, summary::value::Value::Image(image))
}

/// A record with one number.
pub(crate) fn scalar(tag: &str, step: i64) -> Vec<u8> {
    record(tag, step, 1.0, summary::value::Value::SimpleValue(0.5))
}

/// A kernel of the usual kind.
pub(crate) fn kernel(step: i64, fill: f32) -> Vec<u8> {
    tensor("conv1/kernel", step, 1_000.0 + step as f64, &[5, 5, 3, 8], fill)
}

/// A kernel of the usual kind whose writer says what it is, in metadata of our own plugin.
pub(crate) fn recorded_kernel(tag: &str, content: &str) -> Vec<u8> {
    let plugin_data =
        PluginData { plugin_name: "convscope".into(), content: content.to_owned().into_bytes().into() };
    let metadata = SummaryMetadata { plugin_data: Some(plugin_data), ..SummaryMetadata::default() };
    let value = summary::Value {
        metadata: Some(metadata),
        ..value(tag, summary::value::Value::Tensor(floats(&[5, 5, 3, 8], 0.0)))
    };
    record_of(0, 1.0, event::What::Summary(Summary { value: vec![value] }))
}

/// A record with a graph: a constant of `padding` bytes, and a convolution of the variable `conv1/kernel` with stride 2.
pub(crate) fn graph(padding: usize) -> Vec<u8> {
    let field = |number: u32, content: &[u8]| {
        let mut bytes = Vec::new();
        encode_key(number, WireType::LengthDelimited, &mut bytes);
        encode_varint(content.len() as u64, &mut bytes);
        [bytes, content.to_vec()].concat()
    };
    let attribute = |key: &str, value: &[u8]| field(5, &[field(1, key.as_bytes()), field(2, value)].concat());
    let node = |name: &str, op: &str, inputs: &[&str], attributes: Vec<Vec<u8>>| {
        let inputs = inputs.iter().flat_map(|input| field(3, input.as_bytes())).collect();
        let parts = [field(1, name.as_bytes()), field(2, op.as_bytes()), inputs, attributes.concat()];
        field(1, &parts.concat())
    };
    // `AttrValue { tensor 8 { tensor_content 4 } }`, `{ shape 7 { dim 2 { size 1 } } }`, `{ list 1 { i 3 } }`
    let constant = attribute("value", &field(8, &field(4, &vec![0; padding])));
    let dims: Vec<u8> = [5_u8, 5, 3, 8].iter().flat_map(|size| field(2, &[1 << 3, *size])).collect();
    let strides = attribute("strides", &field(1, &field(3, &[1, 2, 2, 1])));
    let nodes = [
        node("frozen", "Const", &[], vec![constant]),
        node("x", "Placeholder", &[], vec![]),
        node("conv1/kernel", "VariableV2", &[], vec![attribute("shape", &field(7, &dims))]),
        node("conv1/Conv2D", "Conv2D", &["x", "conv1/kernel"], vec![strides]),
    ];
    record_of(0, 1.0, event::What::GraphDef(nodes.concat().into()))
}

/// A record with float32 tensors under several tags, as `merge_all` logs them. Elements of a tensor are `fill`.
pub(crate) fn merged(step: i64, tensors: &[(&str, &[i64])], fill: f32) -> Vec<u8> {
    let value =
        |(tag, shape): &(&str, &[i64])| value(tag, summary::value::Value::Tensor(floats(shape, fill)));
    record_of(step, 1.0, event::What::Summary(Summary { value: tensors.iter().map(value).collect() }))
}

/// A record whose summary has these bytes.
pub(crate) fn values(summary: &[u8]) -> Vec<u8> {
    let mut event = Vec::new();
    encode_key(5, WireType::LengthDelimited, &mut event);
    encode_varint(summary.len() as u64, &mut event);
    event.extend_from_slice(summary);
    let mut record = Vec::new();
    append_record(&mut record, &event);
    record
}

fn floats(shape: &[i64], fill: f32) -> TensorProto {
    let n: i64 = if shape.contains(&0) { 0 } else { shape.iter().product() };
    TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: Some(shape_of(shape)),
        tensor_content: fill.to_le_bytes().repeat(usize::try_from(n).unwrap_or(0)).into(),
        ..TensorProto::default()
    }
}

fn shape_of(shape: &[i64]) -> TensorShapeProto {
    let dim = |size: &i64| Dim { size: *size, ..Dim::default() };
    TensorShapeProto { dim: shape.iter().map(dim).collect(), ..TensorShapeProto::default() }
}

fn value(tag: &str, value: summary::value::Value) -> summary::Value {
    summary::Value { tag: tag.to_owned().into(), value: Some(value), ..summary::Value::default() }
}

fn record(tag: &str, step: i64, wall_time: f64, content: summary::value::Value) -> Vec<u8> {
    record_of(step, wall_time, event::What::Summary(Summary { value: vec![value(tag, content)] }))
}

fn record_of(step: i64, wall_time: f64, what: event::What) -> Vec<u8> {
    let mut record = Vec::new();
    append_record(
        &mut record,
        &Event { wall_time, step, what: Some(what), ..Event::default() }.encode_to_vec(),
    );
    record
}

/// A record with an activation [1, side, side, 1] of bytes that no compression makes smaller.
pub(crate) fn noise(tag: &str, step: i64, side: i64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ (step as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bytes = (0..side * side).map(|_| {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    });
    let content = TensorProto {
        dtype: DataType::DtUint8.into(),
        tensor_content: bytes.collect::<Vec<u8>>().into(),
        tensor_shape: Some(shape_of(&[1, side, side, 1])),
        ..TensorProto::default()
    };
    record(tag, step, 1.0, summary::value::Value::Tensor(content))
}
