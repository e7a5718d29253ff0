//! Any bytes as an event file -> every tensor that is listed is loaded, is the one that prost reads in its record, and is drawn.
//! Nothing may panic.
//!
//! Random bytes hardly ever carry a right CRC, so they are read in one of three ways, which the last byte says: as they are, as
//! the payload of one whole record, and as records whose CRCs are put right. One in sixteen is drawn as well, which takes as long
//! as all the rest. The parts that follow files and conclude are called here one after the other, without the threads that a
//! daemon has around them: these would cost more than all the rest.

#![no_main]

use std::sync::Arc;

use convscope::{
    catalog::{
        checked::Checked,
        follow::FollowedFile,
        merge::{Limits, merge},
        snapshot::{Encoding, FileId, LoggedValue, Run, Series, Snapshot},
    },
    load::{TensorFiles, load},
    model::{
        Facts,
        conclude::{Item, conclude},
        rules::Rules,
    },
    proto::{Event, event::What, summary::value::Value},
    reader::file::ReadableFile,
    record::{
        crc::masked,
        frame::{FOOTER_BYTES, HEADER_BYTES},
        write::append_record,
    },
    render::{
        choices::Choices,
        encode::{Effort, Format, Painted, encode},
        plan::{Plan, Subject, plan},
        sheet::draw,
    },
    source::{Source, memory::Memory},
    tensor::{Tensor, decode::tensor_of_proto},
    types::RunName,
};
use libfuzzer_sys::fuzz_target;
use prost::Message;

/// A few bytes may claim a tensor of this size, so it bounds the memory and the time of one input.
const MAX_PAYLOAD: u64 = 4 << 10;
/// So many steps of each series are loaded, and so many drawn of an input that is drawn.
const LOADED: usize = 4;
const DRAWN: usize = 1;
const NAME: &str = "run/events.tfevents";
const FILE: FileId = FileId(0);

fuzz_target!(|bytes: &[u8]| {
    let Some((way, bytes)) = bytes.split_last() else { return };
    let file = match way % 3 {
        0 => bytes.to_vec(),
        1 => {
            let mut framed = Vec::new();
            append_record(&mut framed, bytes);
            framed
        }
        _ => mended(bytes),
    };
    check(&file, if way / 3 % 16 == 0 { DRAWN } else { 0 });
});

fn check(file: &[u8], drawn: usize) {
    let memory = Memory::default();
    memory.write(NAME, file);
    let run = listed(&memory);
    let (mut snapshot, checked) = (Snapshot::empty(), Checked::default());
    snapshot.files.insert(FILE, Arc::new(ReadableFile::of_events(memory.path(NAME))));
    let tensor_files = TensorFiles { source: &memory, files: &snapshot.files, max_bytes: MAX_PAYLOAD, checked: &checked };
    for (series, facts) in run.series.values().zip(facts(&run)) {
        for (at, attempts) in series.steps.values().take(LOADED).enumerate() {
            let parts = attempts.attempt(0).expect("a step has an attempt");
            let loaded = load(&tensor_files, series.encoding, &parts).ok();
            if series.encoding == Encoding::Numbers {
                check_loaded(file, &parts[0], loaded.as_ref());
            }
            let Some(tensor) = loaded else { continue };
            assert_eq!(tensor.bytes.len(), tensor.shape.elements() * tensor.dtype.bytes());
            if at < drawn {
                check_drawn(series, &facts, &tensor);
            }
        }
    }
}

/// What the file logs, as the ingest thread lists it.
fn listed(memory: &Memory) -> Run {
    let (name, mut run) = (RunName::from("run"), Run::default());
    let stat = memory.stat(&memory.path(NAME)).expect("the file was written");
    let mut followed = FollowedFile::new(FILE, stat, MAX_PAYLOAD);
    loop {
        let batch = followed.read_on(memory, true);
        let more = batch.more;
        merge(&mut run, &name, batch, Limits { revision: 1, max_bytes: MAX_PAYLOAD });
        if !more {
            return run;
        }
    }
}

fn facts(run: &Run) -> Vec<Facts> {
    let items: Vec<Item<'_>> = run
        .series
        .values()
        .map(|series| Item {
            tag: series.tag.as_str(),
            shape: series.form.as_ref().ok().map(|form| &form.shape),
            is_picture: series.encoding == Encoding::Pictures,
            recorded: run.recorded.get(&series.tag).map(|recorded| &**recorded),
            is_pytorchs: false,
            is_optimizers: false,
        })
        .collect();
    conclude("run", &items, &[], &Rules::default())
}

/// The value of the whole event that prost reads, where it reads it.
fn check_loaded(file: &[u8], logged: &LoggedValue, loaded: Option<&Tensor>) {
    let place = logged.spot.record();
    let payload = usize::try_from(place.payload()).expect("the file is in memory");
    let payload = &file[payload..payload + usize::try_from(place.len).expect("so is its record")];
    let Ok(Event { what: Some(What::Summary(summary)), .. }) = Event::decode(payload) else { return };
    let value = summary.value.into_iter().nth(logged.spot.value_idx()).and_then(|value| value.value);
    let Some(Value::Tensor(proto)) = value else { panic!("no tensor was logged at {logged:?}") };
    assert_eq!(loaded, tensor_of_proto(proto, MAX_PAYLOAD as usize).ok().as_ref());
}

fn check_drawn(series: &Series, facts: &Facts, tensor: &Tensor) {
    let layout = facts.layout.as_ref().map(|(layout, _)| *layout);
    let is_picture = series.encoding == Encoding::Pictures;
    let subject = Subject { role: facts.role, layout, shape: &tensor.shape, is_picture, frames: Some(&tensor.frames) };
    let Ok(Plan { geometry, scale, paint }) = plan(&Choices::default(), &subject) else { return };
    let sheet = draw(tensor, geometry, scale);
    encode(Painted::of(&sheet, &paint.colors()), Format::Png, Effort::Live).expect("a sheet within the limits is a PNG");
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
