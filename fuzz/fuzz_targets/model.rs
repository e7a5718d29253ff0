//! Any bytes as what tells of a network: graphs in every form, the JSON of a model, metadata, rules, and pictures. None of it may
//! panic, take much memory or much time; what is read is then concluded from.

#![no_main]

use std::sync::Arc;

use convscope::{
    event::{graph::GraphForm, wire::Span},
    model::{
        conclude::{Item, conclude},
        graph, keras,
        network::Network,
        recorded::Recorded,
        rules::Rules,
    },
    tensor::{picture::decode_pictures, shape::Shape},
};
use libfuzzer_sys::fuzz_target;

const TAGS: [(&str, &[i64]); 4] = [
    ("conv1/weights", &[5, 5, 3, 64]),
    ("conv1/Relu", &[2, 24, 24, 64]),
    ("conv1/biases", &[64]),
    ("layer1.0.conv2", &[8, 64, 8, 8]),
];

fuzz_target!(|bytes: &[u8]| {
    let span = Span { at: 0, end: bytes.len() as u64 };
    let forms = [GraphForm::Graph, GraphForm::MetaGraph, GraphForm::RunMetadata];
    let graphs = forms.into_iter().filter_map(|form| graph::network(&mut &*bytes, form, span).ok());
    let networks: Vec<Arc<Network>> = graphs.chain(keras::network(bytes).ok()).map(Arc::new).collect();
    let rules = std::str::from_utf8(bytes).ok().and_then(|text| Rules::parse(text, "rules.toml").ok());
    let recorded = Recorded::of(bytes);
    let shapes: Vec<Shape> = TAGS.iter().map(|(_, dims)| Shape::new(dims).expect("a shape")).collect();
    let items: Vec<Item<'_>> = TAGS
        .iter()
        .zip(&shapes)
        .map(|((tag, _), shape)| Item {
            tag,
            shape: Some(shape),
            is_picture: false,
            recorded: Some(&recorded),
            is_pytorchs: false,
            is_optimizers: false,
        })
        .collect();
    let facts = conclude(".", &items, &networks, &rules.unwrap_or_default());
    assert_eq!(facts.len(), TAGS.len());
    for (item, facts) in items.iter().zip(facts) {
        let rank = item.shape.map_or(0, Shape::rank);
        assert!(facts.layout.is_none_or(|(layout, _)| layout.rank() == rank), "{}", item.tag);
    }
    let _ = decode_pictures(&[bytes.to_vec().into()], 1 << 20);
});
