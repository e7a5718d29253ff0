//! Any bytes as a `TensorProto` -> the decoder says what the slow one says, and reads what it decoded.

#![no_main]

use convscope::{
    proto::TensorProto,
    tensor::{decode::tensor_of_proto, npy::npy, values::values},
};
use libfuzzer_sys::fuzz_target;
use prost::Message;

#[path = "../../tests/it/slow.rs"]
mod slow;

const LIMIT: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let Ok(proto) = TensorProto::decode(bytes) else { return };
    let fast = tensor_of_proto(proto.clone(), LIMIT);
    let shape = proto.tensor_shape.clone().unwrap_or_default();
    let elements = shape.dim.iter().map(|dim| i128::from(dim.size)).fold(1, i128::saturating_mul);
    if elements > LIMIT as i128 / 16 {
        return;
    }
    let slow = slow::elements(&proto).map(|elements| elements.concat());
    assert_eq!(fast.as_ref().ok().map(|tensor| tensor.bytes.to_vec()), slow);
    if let Ok(tensor) = fast {
        let _ = (values(&tensor), npy(&tensor));
    }
});
