//! Any bytes as an event -> where prost accepts them, the hopping outline says the same as prost.

#![no_main]

use convscope::{
    event::{
        outline::{Content, Outline},
        wire::{Span, WireError},
    },
    proto::{self, event::What, summary::value::Value},
    source::{memory::Memory, window::Window},
};
use libfuzzer_sys::fuzz_target;
use prost::Message;

/// Tag, plugin and content of each value, behind the bits of the wall time and the step.
type Seen = (u64, i64, Vec<(Vec<u8>, Vec<u8>, String)>);

fuzz_target!(|bytes: &[u8]| {
    let span = Span { at: 0, end: bytes.len() as u64 };
    let mut outline = Outline::default();
    let in_memory = outline.read(&mut &*bytes, span);
    let seen = in_memory.is_ok().then(|| seen_by_us(&outline));

    let memory = Memory::default();
    memory.write("a.tfevents", bytes);
    let path = memory.path("a.tfevents");
    let in_file = outline.read(&mut Window::new(&memory, &path), span);
    assert_eq!(in_file.is_ok().then(|| seen_by_us(&outline)), seen, "a window shows what the slice holds");

    // Contents are not looked at, so the outline may be content where prost is not; the other way round only at its caps.
    let Ok(event) = proto::Event::decode(bytes) else { return };
    match in_memory {
        Ok(()) => assert_eq!(seen, Some(seen_by_prost(event))),
        Err(WireError::Malformed(reason)) if reason.contains("more axes") || reason.contains("longer than") => {}
        Err(error) => panic!("prost accepts what the outline refuses: {error}"),
    }
});

fn seen_by_us(outline: &Outline) -> Seen {
    let values = outline.values.iter().map(|value| {
        let content = match &value.content {
            Content::Tensor(t) => format!("{} {:?} {} {}", t.dtype, t.dims, t.unknown_rank, t.content_bytes),
            Content::Image(_) => "Image".to_owned(),
            content => format!("{content:?}"),
        };
        (outline.tag(value).to_vec(), outline.plugin(value).unwrap_or_default().to_vec(), content)
    });
    (outline.wall_time.to_bits(), outline.step, values.collect())
}

fn seen_by_prost(event: proto::Event) -> Seen {
    let Some(What::Summary(summary)) = event.what else { return (event.wall_time.to_bits(), event.step, Vec::new()) };
    let values = summary.value.into_iter().map(|value| {
        let content = match value.value {
            None => "Empty".to_owned(),
            Some(Value::SimpleValue(_)) => "Scalar".to_owned(),
            Some(Value::ObsoleteOldStyleHistogram(_) | Value::Histo(_)) => "Histogram".to_owned(),
            Some(Value::Audio(_)) => "Audio".to_owned(),
            Some(Value::Image(_)) => "Image".to_owned(),
            Some(Value::Tensor(t)) => {
                let shape = t.tensor_shape.unwrap_or_default();
                let dims: Vec<i64> = shape.dim.iter().map(|dim| dim.size).collect();
                format!("{} {dims:?} {} {}", t.dtype, shape.unknown_rank, t.tensor_content.len())
            }
        };
        let tag = if value.tag.is_empty() { value.node_name } else { value.tag };
        let plugin = value.metadata.and_then(|metadata| metadata.plugin_data).map(|data| data.plugin_name);
        (tag.to_vec(), plugin.unwrap_or_default().to_vec(), content)
    });
    (event.wall_time.to_bits(), event.step, values.collect())
}
