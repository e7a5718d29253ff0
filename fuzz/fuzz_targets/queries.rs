//! Any text as the query of a request -> every handler reads it or refuses it with words, and reads the same where it is written
//! another way.

#![no_main]

use std::sync::{Arc, LazyLock};

use convscope::{
    catalog::{
        ingest::{Options, index_once},
        snapshot::Snapshot,
    },
    proto::{
        DataType, Event, Summary, TensorProto, TensorShapeProto,
        event::What,
        summary::{Value, value},
        tensor_shape_proto::Dim,
    },
    record::write::append_record,
    server::fuzzing::readings,
    source::memory::Memory,
};
use libfuzzer_sys::fuzz_target;
use prost::Message;

/// What names in the queries can stand for.
static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(snapshot);

/// A refusal names what is near and what is allowed, and quotes what was given.
const LONGEST_REFUSAL: usize = 4_000;

fuzz_target!(|text: &str| {
    let read = readings(&SNAPSHOT, text);
    let is_bounded =
        |message: &str| !message.is_empty() && message.len() <= LONGEST_REFUSAL + 20 * text.len();
    for (handler, reading) in &read {
        assert!(reading.as_ref().err().is_none_or(|message| is_bounded(message)), "{handler}: {reading:?}");
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).expect("any text is pairs");
    let again = serde_urlencoded::to_string(pairs).expect("pairs are a query");
    assert_eq!(readings(&SNAPSHOT, &again), read, "{again}");
});

fn snapshot() -> Snapshot {
    let memory = Memory::default();
    for run in ["a", "b/c"] {
        let mut file = Vec::new();
        for step in [0, 10] {
            for (tag, dims) in [
                ("conv1/kernel", &[5, 5, 3, 8][..]),
                ("conv1/Relu", &[2, 6, 6, 8]),
                ("empty/kernel", &[0, 3, 2, 4]),
            ] {
                append_record(&mut file, &event(tag, step, dims).encode_to_vec());
            }
        }
        memory.write(&format!("{run}/events.tfevents"), &file);
    }
    index_once(Arc::new(memory), Options::default())
}

fn event(tag: &str, step: i64, dims: &[i64]) -> Event {
    let dim = dims.iter().map(|size| Dim { size: *size, ..Dim::default() }).collect();
    let elements: i64 = dims.iter().product();
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: Some(TensorShapeProto { dim, ..TensorShapeProto::default() }),
        tensor_content: vec![0; 4 * elements as usize].into(),
        ..TensorProto::default()
    };
    let value =
        Value { tag: tag.to_owned().into(), value: Some(value::Value::Tensor(tensor)), ..Value::default() };
    Event {
        wall_time: 1.0,
        step,
        what: Some(What::Summary(Summary { value: vec![value] })),
        ..Event::default()
    }
}
