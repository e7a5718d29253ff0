//! What it costs to turn a tensor's message into numbers, when the message lies in memory.
//!
//! `cargo bench --bench decode [-- --json]`. Each line is the median of 101 times 8 MiB of content, as `tf.summary.write` logs
//! it: once up to the tensor (`decode`), once up to float32 or float64 numbers (`read`). `benches/decoding.py` runs it beside
//! NumPy.

#![expect(clippy::cast_precision_loss, reason = "a program that prints figures")]

use std::{hint::black_box, time::Instant};

use bytes::Bytes;
use convscope::{
    proto::{DataType, TensorProto, TensorShapeProto, tensor_shape_proto::Dim},
    tensor::{decode::tensor_of_proto, values::values},
};
use prost::Message;

const CONTENT_BYTES: usize = 8 << 20;
const ROUNDS: usize = 101;

const WORKS: [(&str, DataType, usize); 5] = [
    ("float32", DataType::DtFloat, 4),
    ("float16", DataType::DtHalf, 2),
    ("bfloat16", DataType::DtBfloat16, 2),
    ("float8_e4m3fn", DataType::DtFloat8E4m3fn, 1),
    ("float64", DataType::DtDouble, 8),
];

fn main() {
    let as_json = std::env::args().any(|arg| arg == "--json");
    for (name, dtype, element_bytes) in WORKS {
        let message = message(dtype, element_bytes);
        let decode = || tensor_of_proto(decoded(&message), 1 << 30).expect("a whole tensor");
        let decode_us = median_us(|| drop(black_box(decode())));
        let read_us = median_us(|| drop(black_box(values(&decode()))));
        for (work, us) in [("decode", decode_us), ("read", read_us)] {
            let gb_s = CONTENT_BYTES as f64 / us / 1e3;
            if as_json {
                println!(
                    "{}",
                    serde_json::json!({"work": format!("{work}_{name}"), "median_us": us, "gb_s": gb_s})
                );
            } else {
                println!("{work} {name:<16} {us:>10.1} us  {gb_s:>10.1} GB/s");
            }
        }
    }
}

fn decoded(message: &Bytes) -> TensorProto {
    TensorProto::decode(message.clone()).expect("a whole message")
}

fn message(dtype: DataType, element_bytes: usize) -> Bytes {
    let content: Vec<u8> = (0..CONTENT_BYTES).map(|i| (i * 7 % 113) as u8).collect();
    let size = i64::try_from(CONTENT_BYTES / element_bytes).expect("a small number");
    let tensor_shape =
        Some(TensorShapeProto { dim: vec![Dim { size, ..Dim::default() }], ..TensorShapeProto::default() });
    let tensor = TensorProto {
        dtype: dtype.into(),
        tensor_shape,
        tensor_content: content.into(),
        ..TensorProto::default()
    };
    tensor.encode_to_vec().into()
}

fn median_us(work: impl Fn()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e6
    };
    let mut times: Vec<f64> = (0..ROUNDS).map(time).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
