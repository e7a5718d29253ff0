use std::{path::Path, sync::Arc};

use bytes::Bytes;

use super::{
    write::{NewSave, NewTensor, bytes_of},
    *,
};
use crate::{
    model::{
        Confidence, Reason,
        layout::Layout,
        network::{Operation, OperationKind, Origin},
        role::Role,
    },
    reader::{
        input::InMemory,
        naming::tags,
        pieces::{Wanted, read},
        read_error::ReadError,
    },
    tensor::{Tensor, frames::Frames, shape::Shape},
};

fn facts() -> Facts {
    let because = |confidence, evidence: &str| Reason { confidence, evidence: evidence.to_owned() };
    Facts {
        layer: "stem".to_owned(),
        role: Role::Kernel,
        role_from: because(Confidence::Likely, "the name"),
        layout: Some((Layout::Oihw, because(Confidence::Guess, "the shape"))),
        is_first: true,
        contradictions: Vec::new(),
        operation: Some(Arc::new(Operation {
            kind: OperationKind::Conv(2),
            name: "stem".to_owned(),
            position: 3,
            window: vec![1, 2],
            outputs: Some(2),
            strides: vec![1, 1],
            dilations: Vec::new(),
            padding: Some("same".to_owned()),
            channels_first: Some(true),
            activation: Some("relu".to_owned()),
            normalization: Some("bn".to_owned()),
            receptive_field: Some(vec![1, 2]),
            origin: Origin::Keras,
        })),
        ignored_by: None,
    }
}

/// Two kernels of the same moment.
fn save() -> Vec<u8> {
    let tensor = |dtype, dims: &[i64], bytes: &[u8]| Tensor {
        dtype,
        shape: Shape::new(dims).unwrap(),
        bytes: Bytes::copy_from_slice(bytes),
        frames: Frames::default(),
    };
    let new = |tag: &str, saved_as: &[&str], tensor| NewTensor {
        tag: tag.to_owned(),
        saved_as: saved_as.iter().map(ToString::to_string).collect(),
        tensor,
        facts: facts(),
    };
    bytes_of(&NewSave {
        run: "a/b",
        written: &Written { name: "last.ckpt".to_owned(), mtime_ns: 1_500_000_000, bytes: 99 },
        moment: &Moment { axis: Axis::Epoch, value: 7, from: StepFrom::Name },
        run_from: Some("it lies beside"),
        format: "pytorch",
        digest: "00ff",
        tensors: &[
            new(
                "stem.weight",
                &["state_dict", "module.stem.weight"],
                tensor(DType::BFloat16, &[2, 1, 1, 2], &[1, 2, 3, 4, 5, 6, 7, 8]),
            ),
            new("empty", &["empty"], tensor(DType::Float32, &[0, 3], &[])),
        ],
        not_kept: &[NotKept { tag: "large".to_owned(), bytes: 1 << 30, why: "it is large".to_owned() }],
    })
}

fn opened(bytes: &[u8]) -> Result<KeptSave, OpenError> {
    open(&bytes, Path::new("f"), Vec::new())
}

#[test]
fn what_was_kept_comes_back() {
    let bytes = save();
    let kept = opened(&bytes).unwrap();
    assert_eq!(
        (kept.run.as_str(), &*kept.format, &*kept.digest, kept.bytes),
        ("a/b", "pytorch", "00ff", bytes.len() as u64)
    );
    assert_eq!(kept.moment, Moment { axis: Axis::Epoch, value: 7, from: StepFrom::Name });
    assert_eq!(
        (&*kept.written.name, kept.written.mtime_ns, kept.written.bytes),
        ("last.ckpt", 1_500_000_000, 99)
    );
    assert_eq!(kept.run_from.as_deref(), Some("it lies beside"));
    assert_eq!((&*kept.not_kept[0].tag, kept.not_kept[0].bytes), ("large", 1 << 30));
    assert_eq!(kept.facts.iter().map(|one| (**one).clone()).collect::<Vec<_>>(), [facts(), facts()]);
    let contents = &kept.checkpoint.contents;
    let tags: Vec<String> = tags(contents).into_iter().map(|named| named.tag).collect();
    assert_eq!(tags, ["stem.weight", "empty"]);
    assert_eq!(contents.tensors[0].name.join("/"), "state_dict/module.stem.weight");
    let files = InMemory([("f".into(), bytes)].into_iter().collect());
    let tensor = |number| read(&files, &Wanted { contents, number, limit: 100 }).unwrap();
    assert_eq!((tensor(0).dtype, &tensor(0).bytes[..]), (DType::BFloat16, &[1, 2, 3, 4, 5, 6, 7, 8][..]));
    assert_eq!(tensor(1).shape.axes(), [0, 3]);
}

#[test]
fn every_cut_and_every_flipped_bit_is_noticed() {
    let bytes = save();
    for len in 0..bytes.len() - 20 {
        let is_noticed = match opened(&bytes[..len]) {
            Err(OpenError::NotWhole(_)) => true,
            // The record of the last tensor has no numbers.
            Ok(_) => len > bytes.len() - 200,
            Err(other) => panic!("{len}: {other}"),
        };
        assert!(is_noticed, "{len}");
    }
    for at in 0..bytes.len() {
        let mut wrong = bytes.clone();
        wrong[at] ^= 1;
        let Ok(kept) = opened(&wrong) else { continue };
        let contents = &kept.checkpoint.contents;
        let files = InMemory([("f".into(), wrong)].into_iter().collect());
        match read(&files, &Wanted { contents, number: 0, limit: 100 }) {
            Ok(tensor) => assert_eq!(&tensor.bytes[..], [1, 2, 3, 4, 5, 6, 7, 8], "byte {at}"),
            Err(error) => assert!(matches!(error, ReadError::Damaged { .. }), "byte {at}: {error}"),
        }
    }
}

#[test]
fn other_event_files_are_none() {
    let mut other = Vec::new();
    for _ in 0..2 {
        let event = Event { what: Some(What::FileVersion("brain.Event:2".to_owned())), ..Event::default() };
        crate::record::write::append_record(&mut other, &event.encode_to_vec());
    }
    assert!(matches!(opened(&other), Err(OpenError::Unknown)));
}
