//! Event files made by hand, for what no ordinary writer leaves behind.

use convscope::{
    proto::{
        DataType, Event, Summary, TensorProto, TensorShapeProto, event, summary, tensor_shape_proto::Dim,
    },
    record::write::append_record,
};
use prost::Message;

/// The name of the event file that most tests write.
pub(crate) const FILE: &str = "events.out.tfevents.1";

/// A record with one float32 tensor, all of whose elements are `fill`.
pub(crate) fn tensor(tag: &str, step: i64, wall_time: f64, shape: &[i64], fill: f32) -> Vec<u8> {
    let n: i64 = shape.iter().product();
    let dim = |size: &i64| Dim { size: *size, ..Dim::default() };
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: Some(TensorShapeProto {
            dim: shape.iter().map(dim).collect(),
            ..TensorShapeProto::default()
        }),
        tensor_content: (0..n).flat_map(|_| fill.to_le_bytes()).collect::<Vec<u8>>().into(),
        ..TensorProto::default()
    };
    record(tag, step, wall_time, summary::value::Value::Tensor(tensor))
}

/// A record with one number.
pub(crate) fn scalar(tag: &str, step: i64) -> Vec<u8> {
    record(tag, step, 1.0, summary::value::Value::SimpleValue(0.5))
}

/// A kernel of the usual kind.
pub(crate) fn kernel(step: i64, fill: f32) -> Vec<u8> {
    tensor("conv1/kernel", step, 1_000.0 + step as f64, &[5, 5, 3, 8], fill)
}

fn record(tag: &str, step: i64, wall_time: f64, value: summary::value::Value) -> Vec<u8> {
    let value =
        summary::Value { tag: tag.to_owned().into(), value: Some(value), ..summary::Value::default() };
    let what = Some(event::What::Summary(Summary { value: vec![value] }));
    let mut record = Vec::new();
    append_record(&mut record, &Event { wall_time, step, what }.encode_to_vec());
    record
}
