//! Any bytes as an event file -> every tensor that is listed is loaded and drawn. Nothing may panic.
//!
//! Random bytes hardly ever carry a right CRC, so the same bytes are read in three ways: as they are, as the payload of
//! one whole record, and as records whose CRCs are put right.

#![no_main]

use std::sync::Arc;

use convscope::{
    catalog::{
        checked::Checked,
        ingest::{Options, index_once},
        snapshot::Encoding,
    },
    load::{Shelf, load},
    record::{
        crc::masked,
        frame::{FOOTER_BYTES, HEADER_BYTES},
        write::append_record,
    },
    render::{
        choices::Choices,
        encode::{Effort, Format, encode},
        plan::{Subject, plan},
        sheet::draw,
    },
    source::{Source, memory::Memory},
};
use libfuzzer_sys::fuzz_target;

/// A few bytes may claim a tensor of this size, so it bounds the memory and the time of one input.
const MAX_PAYLOAD: u64 = 64 << 10;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut framed = Vec::new();
    append_record(&mut framed, bytes);
    check(&framed);
    check(&mended(bytes));
});

fn check(file: &[u8]) {
    let memory = Memory::default();
    memory.write("run/events.tfevents", file);
    let source: Arc<dyn Source> = Arc::new(memory);
    let snapshot = index_once(Arc::clone(&source), Options { max_payload: MAX_PAYLOAD, ..Options::default() });
    let checked = Checked::default();
    let shelf = Shelf { source: &*source, files: &snapshot.files, max_bytes: MAX_PAYLOAD, checked: &checked };
    for series in snapshot.runs.values().flat_map(|run| run.series.values()) {
        let facts = &series.facts;
        let layout = facts.layout.as_ref().map(|(layout, _)| *layout);
        for attempts in series.steps.values() {
            let parts = attempts.attempt(0).expect("a step has an attempt");
            let Ok(tensor) = load(&shelf, series.encoding, &parts) else { continue };
            assert_eq!(tensor.bytes.len(), tensor.shape.elements() * tensor.dtype.bytes());
            let is_picture = series.encoding == Encoding::Pictures;
            let subject = Subject { role: facts.role, layout, shape: &tensor.shape, is_picture };
            let Ok(plan) = plan(&Choices::default(), &subject) else { continue };
            let sheet = draw(&tensor, plan);
            encode(&sheet.raster, sheet.plan.zoom, Format::Png, Effort::Live).expect("a sheet within the limits is a PNG");
        }
    }
}

/// The bytes with the right CRC in front of and behind each payload, as far as the lengths lead.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 8) {
        let crc = masked(length).to_le_bytes();
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        let payload = at + HEADER_BYTES;
        let Some(end) = usize::try_from(length).ok().and_then(|length| payload.checked_add(length)) else { break };
        if bytes.len() < payload || bytes.len() - payload < end - payload || bytes.len() - end < FOOTER_BYTES {
            break;
        }
        bytes[at + 8..payload].copy_from_slice(&crc);
        let crc = masked(&bytes[payload..end]).to_le_bytes();
        bytes[end..end + FOOTER_BYTES].copy_from_slice(&crc);
        at = end + FOOTER_BYTES;
    }
    bytes
}
