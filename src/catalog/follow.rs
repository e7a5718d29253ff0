//! One growing event file -> batches of what its new records log.
//!
//! Records of up to 4 KiB are checked by their CRC when they are scanned. Of larger records only the outer messages are read. A tag
//! is accepted only after one record with it was checked completely, so that damage cannot create series.

mod faults;
mod tags;

use std::{io, time::Duration};

use self::{
    faults::Gap,
    tags::{Plugin, Scalar, Tags},
};
use super::{
    batch::{AtStep, Batch, Group, LoggedGraph},
    checked::SMALL_PAYLOAD,
    logged_value::{FileId, LoggedValue},
};

use crate::{
    event::{
        frames::frame_counts,
        graph::{GraphForm, GraphPlace},
        outline::{Content, Outline, TEXTS_BEFORE_PICTURES, What},
        summary::{ValueKind, kind},
        value::value_in_event,
        wire::{Span, WireError},
    },
    reader::spot::Spot,
    record::{
        check::{Payload, check_payload},
        frame::{FOOTER_BYTES, payload_holds},
        place::Place,
        scan::{ScanResult, Scanner},
    },
    source::{
        FileStat, Source,
        window::{Peek, Window},
    },
    types::{Tag, WallTime},
};

const MOST_RECORDS_A_BATCH: u64 = 100_000;
const MOST_VALUES_A_BATCH: usize = 200_000;

/// Zeros that are not overwritten within this time count as damage.
pub const SETTLED_AFTER: Duration = Duration::from_secs(30);

/// An event file and how far it has been understood.
pub struct FollowedFile {
    /// Its number.
    pub id: FileId,
    /// Its state when it was last looked at.
    pub stat: FileStat,
    /// Whole records so far.
    pub records: u64,
    /// Their bytes, and those that were lost between them.
    pub bytes: u64,
    scanner: Scanner,
    outline: Outline,
    tags: Tags,
    reported: Reported,
    /// Whether reading waits at zeros that may still be overwritten.
    pub waits_at_hole: bool,
    /// Whether it had more to read when the turn of other files came.
    pub is_unfinished: bool,
    /// Whether this program failed while reading it. Then it is not read until another file has its name.
    pub is_given_up: bool,
}

/// Which faults of a file were reported already, so that they are not reported again.
#[derive(Default)]
struct Reported {
    /// The first byte of the last reported gap. The same gap is found again until a whole record follows it.
    gap: Option<u64>,
    too_many_tags: bool,
    no_crcs: bool,
}

impl FollowedFile {
    /// Begins at the first byte of a file.
    #[must_use]
    pub fn new(id: FileId, stat: FileStat, max_payload: u64) -> Self {
        Self {
            id,
            stat,
            records: 0,
            bytes: 0,
            scanner: Scanner::new(max_payload),
            outline: Outline::default(),
            tags: Tags::default(),
            reported: Reported::default(),
            waits_at_hole: false,
            is_unfinished: false,
            is_given_up: false,
        }
    }

    /// The byte up to which the file has been understood.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.scanner.offset()
    }

    /// Continues reading, up to the file's length in `stat` or the size of a batch. `settled` says that the file has not been
    /// written to for a long time.
    pub fn read_on(&mut self, source: &dyn Source, settled: bool) -> Batch {
        let path = self.stat.path.clone();
        let mut window = Window::new(source, &path);
        let mut batch = Batch::default();
        self.waits_at_hole = false;
        let start = self.scanner.offset();
        while !batch.more {
            match self.scanner.next(&mut window, self.stat.len, settled) {
                Ok(ScanResult::Record(place)) => {
                    if let Err(error) = self.record(place, &mut window, source, &mut batch) {
                        self.scanner.back_to(place);
                        batch.io_error = Some(error);
                        break;
                    }
                    batch.records += 1;
                    batch.more = batch.records >= MOST_RECORDS_A_BATCH || batch.values >= MOST_VALUES_A_BATCH;
                }
                Ok(ScanResult::End) => break,
                Ok(ScanResult::Searching) => batch.more = true,
                Ok(ScanResult::Hole { offset }) => {
                    self.waits_at_hole = true;
                    batch.faults.push(faults::hole(offset));
                    break;
                }
                Ok(ScanResult::Gap { offset, resumed, why }) => {
                    if self.reported.gap.replace(offset) != Some(offset) {
                        batch.faults.push(faults::gap(&Gap { offset, resumed, why }, &mut window));
                    }
                    if resumed.is_none() {
                        break;
                    }
                }
                Err(error) => {
                    batch.io_error = Some(error);
                    break;
                }
            }
        }
        count_frames(&mut window, &mut batch);
        self.outline.give_back();
        batch.bytes = self.scanner.offset() - start;
        self.records += batch.records;
        self.bytes += batch.bytes;
        batch
    }

    /// Adds what a record contains to the batch.
    fn record(
        &mut self,
        place: Place,
        window: &mut Window<'_>,
        source: &dyn Source,
        batch: &mut Batch,
    ) -> io::Result<()> {
        let span = Span { at: place.payload(), end: place.payload() + place.len };
        let mut checked = place.len <= SMALL_PAYLOAD;
        let read = if checked {
            let len = usize::try_from(place.len).expect("at most 4 KiB");
            let bytes = window.peek(span.at, len + FOOTER_BYTES)?;
            let (payload, footer) = split_footer(bytes, len)?;
            if !payload_holds(payload, footer) && !self.is_without_crc(footer, window, batch)? {
                batch.payload_fault(place);
                return Ok(());
            }
            let (mut payload, _) = split_footer(window.peek(span.at, len + FOOTER_BYTES)?, len)?;
            if let Some(scalar) = self.tags.read_scalar(payload) {
                self.note_scalar(&scalar, batch);
                return Ok(());
            }
            self.outline.read(&mut payload, Span { at: 0, end: place.len })
        } else {
            self.outline.read(window, span)
        };
        let malformed = match read {
            Ok(()) => None,
            Err(WireError::Io(error)) => return Err(error),
            Err(WireError::Malformed(reason)) => Some(reason),
        };
        if !checked && (malformed.is_some() || self.names_a_new_tag()) {
            checked = true;
            match check_payload(&mut Window::new(source, &self.stat.path), place, |_, _| ())? {
                Payload::Right | Payload::Unchecked => {}
                Payload::Wrong => {
                    batch.payload_fault(place);
                    return Ok(());
                }
                Payload::Cut => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        match malformed {
            Some(reason) => batch.faults.push(faults::not_an_event(place, reason)),
            None => self.note(place, checked, batch),
        }
        if place.len > SMALL_PAYLOAD {
            batch.large.push(place);
            batch.checked.extend(checked.then_some(place));
        }
        Ok(())
    }

    /// Whether a payload's CRC is zero because the file's writer computes no CRCs, which is reported once.
    fn is_without_crc(
        &mut self,
        footer: [u8; FOOTER_BYTES],
        file: &mut impl Peek,
        batch: &mut Batch,
    ) -> io::Result<bool> {
        if footer != [0; FOOTER_BYTES] || !self.scanner.has_no_crcs(file)? {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.reported.no_crcs, true) {
            batch.faults.push(faults::no_crcs());
        }
        Ok(true)
    }

    fn names_a_new_tag(&self) -> bool {
        self.outline.values.iter().any(|value| !self.tags.knows(self.outline.tag(value)))
    }

    /// Adds the values of the event that was just outlined to the batch.
    fn note(&mut self, place: Place, checked: bool, batch: &mut Batch) {
        if self.outline.what == What::Graph {
            batch.graphs.push(LoggedGraph { file: self.id, place, within: GraphPlace::Event });
        }
        if self.outline.what != What::Summary {
            return;
        }
        let outline = std::mem::take(&mut self.outline);
        let wall_time = WallTime::new(outline.wall_time);
        // A flipped bit in an unchecked record must not change the run's last step permanently.
        if checked || batch.last_step.is_none() {
            batch.note_time(outline.step, wall_time);
        }
        batch.values += outline.values.len();
        for (value_idx, value) in outline.values.iter().enumerate() {
            let Some(tag_idx) = self.tags.number_of(outline.tag(value), || Plugin::of(&outline, value))
            else {
                if !std::mem::replace(&mut self.reported.too_many_tags, true) {
                    batch.faults.push(faults::too_many_tags(place));
                }
                continue;
            };
            let known = self.tags.get(tag_idx);
            if let Some(form) = GraphForm::of_plugin(&known.plugin) {
                let within = GraphPlace::Value { value_idx, form };
                batch.graphs.push(LoggedGraph { file: self.id, place, within });
            }
            let value_idx = u32::try_from(value_idx).unwrap_or(u32::MAX);
            let logged = LoggedValue {
                wall_time,
                file: self.id,
                spot: Spot::in_record(place, value_idx),
                number: known.number,
            };
            let group = batch.group(tag_idx, &known.tag, &known.plugin, &known.recorded);
            note_value(group, &known.pictures, AtStep { step: outline.step, logged }, &value.content);
        }
        self.outline = outline;
    }

    /// Counts an event that is a single number. Nothing else of it is kept.
    fn note_scalar(&self, scalar: &Scalar, batch: &mut Batch) {
        batch.note_time(scalar.step, WallTime::new(scalar.wall_time));
        let known = self.tags.get(scalar.tag_idx);
        batch.group(scalar.tag_idx, &known.tag, &known.plugin, &known.recorded).skip(ValueKind::Scalar);
    }
}

/// Adds a value to the group of its tag. If it is one of several numbered pictures, `pictures` is their common tag.
fn note_value(group: &mut Group, pictures: &Tag, value: AtStep, content: &Content) {
    let kind = kind(content, &group.plugin);
    let unnumbered = AtStep { logged: LoggedValue { number: 0, ..value.logged }, ..value };
    match content {
        Content::Image(head) => group.picture(pictures, value, *head, 1),
        Content::Tensor(tensor) if kind == ValueKind::Image => {
            let count = tensor.texts.saturating_sub(TEXTS_BEFORE_PICTURES) as usize;
            let tag = group.tag.clone();
            group.picture(&tag, unnumbered, tensor.picture, count);
        }
        Content::Tensor(tensor)
            if kind == ValueKind::Tensor && (tensor.unknown_rank || !tensor.dims.is_empty()) =>
        {
            group.tensor(unnumbered, tensor);
        }
        // A tensor without axes is a single number.
        Content::Tensor(_) if kind == ValueKind::Tensor => group.skip(ValueKind::Scalar),
        _ => group.skip(kind),
    }
}

/// Counts the frames of the newest picture of each tag, because its shape is listed. Only of this one: counting the frames of a GIF
/// takes reading all of it. The frames of other steps are counted when they are read.
fn count_frames(window: &mut Window<'_>, batch: &mut Batch) {
    for pictures in batch.groups.iter_mut().filter_map(|group| group.pictures.as_mut()) {
        let Some(AtStep { logged: last, .. }) = pictures.logged.last() else { continue };
        // If it cannot be read now, the frames are counted with the next picture.
        pictures.frames = frames_of(window, last).unwrap_or_default();
    }
}

fn frames_of(window: &mut Window<'_>, logged: &LoggedValue) -> Result<Option<Vec<u32>>, WireError> {
    let place = logged.spot.record();
    let event = Span { at: place.payload(), end: place.payload() + place.len };
    match value_in_event(window, event, logged.spot.value_idx())? {
        Some(value) => frame_counts(window, value),
        None => Ok(None),
    }
}

/// Whether nothing was written to a file for [`SETTLED_AFTER`], so that zeros in it will not be overwritten.
pub(super) fn is_settled(stat: &FileStat) -> bool {
    stat.is_older_than(SETTLED_AFTER)
}

fn split_footer(bytes: &[u8], len: usize) -> io::Result<(&[u8], [u8; FOOTER_BYTES])> {
    let footer = bytes.get(len..).and_then(|footer| footer.try_into().ok());
    footer.map(|footer| (&bytes[..len], footer)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
