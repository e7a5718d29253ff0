//! One growing event file -> batches of what its new records log.
//!
//! Records of up to 4 KiB are checked by their CRC as they are scanned. Of larger ones only the outer messages are read;
//! a tag is believed only after one record that names it was checked whole, so that damage cannot invent series.

use std::{
    collections::HashMap,
    io,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    batch::{Batch, FoundFault, LoggedGraph},
    checked::SMALL_PAYLOAD,
    health::Fault,
    logged::{FileId, Logged},
};
use crate::{
    event::{
        graph::{GraphForm, GraphPlace},
        outline::{Content, Outline, TEXTS_BEFORE_PICTURES, ValueOutline, What},
        picture::numbered,
        scalar,
        summary::{Kind, kind},
        wire::{Span, WireError},
    },
    model::recorded,
    record::{
        check::{Payload, check_payload},
        frame::{FOOTER_BYTES, payload_holds},
        scan::{Broken, Found, Place, Scanner},
    },
    source::{
        FileStat, Source,
        window::{Peek, Window},
    },
    types::{Tag, WallTime, text_of_bytes},
};

/// The most tags of a file. One takes up to 1 KiB, and 4 KiB where it has tensors.
const MOST_TAGS: usize = 200_000;
const MOST_RECORDS_A_BATCH: u64 = 100_000;
const MOST_VALUES_A_BATCH: usize = 200_000;

/// Holes that nobody fills for so long are damage.
pub const SETTLED_AFTER: Duration = Duration::from_secs(30);

/// An event file and how far it has been understood.
pub struct Followed {
    /// Its number.
    pub id: FileId,
    /// Its state when it was last looked at.
    pub stat: FileStat,
    /// Whole records so far.
    pub records: u64,
    /// The bytes of these, and of what was lost between them.
    pub bytes: u64,
    scanner: Scanner,
    outline: Outline,
    tag_idx: HashMap<Arc<[u8]>, usize>,
    last_tag_idx: usize,
    tags: Vec<KnownTag>,
    reported_gap: Option<u64>,
    /// The first record with a tag too many.
    tags_left_out_from: Option<u64>,
    /// Whether it waits at zeros that may still be filled.
    pub waits_at_hole: bool,
    /// The first record of which it was told that it has no CRC.
    unchecked_from: Option<u64>,
    /// Whether more of it could be read at once when others got their turn.
    pub is_unfinished: bool,
    /// Whether reading it met a defect of this program: it is left alone until another file takes its name.
    pub is_given_up: bool,
}

struct KnownTag {
    tag: Tag,
    /// As it stands in the file.
    raw: Arc<[u8]>,
    plugin: Arc<[u8]>,
    recorded: Arc<[u8]>,
    /// The tag of the pictures that this one is among, and its number, where it is logged for a picture.
    pictures: Tag,
    number: u32,
    /// How a number of this tag begins.
    scalar_head: Option<Box<[u8]>>,
    /// The tag that came after it last time.
    next_idx: usize,
}

/// What the first value of a tag says of its writer.
struct Plugin {
    name: Arc<[u8]>,
    /// The content, where the plugin is ours.
    recorded: Arc<[u8]>,
}

impl Plugin {
    fn of(outline: &Outline, value: &ValueOutline) -> Self {
        let name = outline.plugin(value).unwrap_or_default();
        let recorded = match outline.plugin_content(value) {
            _ if name != recorded::PLUGIN => &[],
            _ if outline.plugin_content_is_cut(value) => recorded::TOO_LONG,
            content => content,
        };
        Self { name: name.into(), recorded: recorded.into() }
    }
}

impl Followed {
    /// Starts at the first byte of a file.
    #[must_use]
    pub fn new(id: FileId, stat: FileStat, max_payload: u64) -> Self {
        Self {
            id,
            stat,
            records: 0,
            bytes: 0,
            scanner: Scanner::new(max_payload),
            outline: Outline::default(),
            tag_idx: HashMap::new(),
            last_tag_idx: 0,
            tags: Vec::new(),
            reported_gap: None,
            tags_left_out_from: None,
            waits_at_hole: false,
            unchecked_from: None,
            is_unfinished: false,
            is_given_up: false,
        }
    }

    /// The byte up to which the file has been understood.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.scanner.offset()
    }

    /// Reads on, up to the file's length in `stat` or the size of a batch. `settled` says that nobody has written to
    /// the file for long.
    pub fn read_on(&mut self, source: &dyn Source, settled: bool) -> Batch {
        let path = self.stat.path.clone();
        let mut window = Window::new(source, &path);
        let mut batch = Batch::default();
        self.waits_at_hole = false;
        let start = self.scanner.offset();
        while !batch.more {
            match self.scanner.next(&mut window, self.stat.len, settled) {
                Ok(Found::Record(place)) => {
                    if let Err(error) = self.record(place, &mut window, source, &mut batch) {
                        self.scanner.back_to(place);
                        batch.io_error = Some(error);
                        break;
                    }
                    batch.records += 1;
                    batch.more = batch.records >= MOST_RECORDS_A_BATCH || batch.values >= MOST_VALUES_A_BATCH;
                }
                Ok(Found::End) => break,
                Ok(Found::Searching) => batch.more = true,
                Ok(Found::Hole { offset }) => {
                    self.waits_at_hole = true;
                    let message = format!(
                        "zeros from byte {offset} on, where a record should begin: waiting for them to be filled"
                    );
                    batch.faults.push(FoundFault { fault: Fault::Hole, offset, message });
                    break;
                }
                Ok(Found::Gap { offset, resumed, why }) => {
                    self.gap(offset, resumed, why, &mut window, &mut batch);
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
        self.outline.give_back();
        batch.bytes = self.scanner.offset() - start;
        self.records += batch.records;
        self.bytes += batch.bytes;
        batch
    }

    fn gap(
        &mut self,
        offset: u64,
        resumed: Option<u64>,
        why: Broken,
        file: &mut impl Peek,
        batch: &mut Batch,
    ) {
        if self.reported_gap.replace(offset) == Some(offset) {
            return;
        }
        let cause = match why {
            Broken::LengthCrc if offset == 0 => match file.peek(0, 2) {
                Ok([0x1f, 0x8b] | [0x78, _]) => {
                    "the file is compressed, which event writers never do: unpack it first".to_owned()
                }
                _ => "the file does not begin with a record: is it an event file?".to_owned(),
            },
            Broken::LengthCrc => format!("the CRC of the record's length at byte {offset} is wrong"),
            Broken::TooLong(len) => {
                format!("the record at byte {offset} claims {len} bytes, more than --max-record-mb allows")
            }
            Broken::Hole => format!("zeros at byte {offset}, where a record should begin"),
        };
        let message = match resumed {
            Some(resumed) => {
                format!("{cause}; {} bytes are lost, reading goes on at byte {resumed}", resumed - offset)
            }
            None => format!("{cause}; no whole record was found after it so far"),
        };
        let fault = if let Broken::TooLong(_) = why { Fault::TooLong } else { Fault::LengthCrc };
        batch.faults.push(FoundFault { fault, offset, message });
    }

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
            if self.count_scalar(payload, batch) {
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
            Some(reason) => {
                let message = format!("the record at byte {} is whole, but no event: {reason}", place.offset);
                batch.faults.push(FoundFault { fault: Fault::NotAnEvent, offset: place.offset, message });
            }
            None => self.note(place, checked, batch),
        }
        if place.len > SMALL_PAYLOAD {
            batch.large.push(place);
            batch.checked.extend(checked.then_some(place));
        }
        Ok(())
    }

    /// Whether zeros stand in the place of a payload's CRC because the file's writer computes none, which is told once.
    fn is_without_crc(
        &mut self,
        footer: [u8; FOOTER_BYTES],
        file: &mut impl Peek,
        batch: &mut Batch,
    ) -> io::Result<bool> {
        if footer != [0; FOOTER_BYTES] || !self.scanner.has_no_crcs(file)? {
            return Ok(false);
        }
        if self.unchecked_from.replace(self.scanner.offset()).is_none() {
            let message = "its writer computes no CRCs, all are zero: what it logged is shown without having been checked".to_owned();
            batch.faults.push(FoundFault { fault: Fault::NoCrcs, offset: 0, message });
        }
        Ok(true)
    }

    fn names_a_new_tag(&self) -> bool {
        self.outline.values.iter().any(|value| !self.tag_idx.contains_key(self.outline.tag(value)))
    }

    /// Puts the values of the event just outlined into the batch.
    fn note(&mut self, place: Place, checked: bool, batch: &mut Batch) {
        if self.outline.what == What::Graph {
            batch.graphs.push(LoggedGraph { file: self.id, place, within: GraphPlace::Event });
        }
        if self.outline.what != What::Summary {
            return;
        }
        let outline = std::mem::take(&mut self.outline);
        let wall_time = WallTime::new(outline.wall_time);
        // A flipped bit in an unchecked record must not move the run's last step for good.
        if checked || batch.last_step.is_none() {
            batch.note_time(outline.step, wall_time);
        }
        batch.values += outline.values.len();
        for (value_idx, value) in outline.values.iter().enumerate() {
            let Some(tag_idx) = self.known_tag(outline.tag(value), || Plugin::of(&outline, value)) else {
                self.tell_too_many_tags(place, batch);
                continue;
            };
            let known = &self.tags[tag_idx];
            if let Some(form) = GraphForm::of_plugin(&known.plugin) {
                let within = GraphPlace::Value { value_idx, form };
                batch.graphs.push(LoggedGraph { file: self.id, place, within });
            }
            let value_idx = u32::try_from(value_idx).unwrap_or(u32::MAX);
            let (pictures, number) = (&known.pictures, known.number);
            let logged = Logged { wall_time, file: self.id, place, value_idx, number };
            let group = batch.group(tag_idx, &known.tag, &known.plugin, &known.recorded);
            let kind = kind(&value.content, &group.plugin);
            match &value.content {
                Content::Image(head) => group.picture(pictures, (outline.step, logged), *head, 1),
                Content::Tensor(tensor) if kind == Kind::Image => {
                    let count = tensor.texts.saturating_sub(TEXTS_BEFORE_PICTURES) as usize;
                    let logged = Logged { number: 0, ..logged };
                    group.picture(&known.tag, (outline.step, logged), tensor.picture, count);
                }
                Content::Tensor(tensor)
                    if kind == Kind::Tensor && (tensor.unknown_rank || !tensor.dims.is_empty()) =>
                {
                    group.tensor((outline.step, Logged { number: 0, ..logged }), tensor);
                }
                content => {
                    // A tensor without axes is one number.
                    let is_number = matches!(content, Content::Tensor(_)) && kind == Kind::Tensor;
                    let kind = if is_number { Kind::Scalar } else { kind };
                    group.skip(kind);
                }
            }
        }
        self.outline = outline;
    }

    fn tell_too_many_tags(&mut self, place: Place, batch: &mut Batch) {
        if self.tags_left_out_from.is_some() {
            return;
        }
        self.tags_left_out_from = Some(place.offset);
        let message = format!(
            "the file names more than {MOST_TAGS} tags: what it logs under others from byte {} on is left out",
            place.offset
        );
        batch.faults.push(FoundFault { fault: Fault::TooManyTags, offset: place.offset, message });
    }

    /// The number of a tag; `None` where there are too many others.
    fn known_tag(&mut self, tag: &[u8], plugin: impl FnOnce() -> Plugin) -> Option<usize> {
        let expected = self.expected_tag();
        let is_expected = self.tags.get(expected).is_some_and(|known| &*known.raw == tag);
        let idx = if is_expected { expected } else { self.find_tag(tag, plugin)? };
        if let Some(last) = self.tags.get_mut(self.last_tag_idx) {
            last.next_idx = idx;
        }
        self.last_tag_idx = idx;
        Some(idx)
    }

    /// Writers log their tags in the same order at every step: comparing with the one that came next last time is cheaper
    /// than hashing.
    fn expected_tag(&self) -> usize {
        self.tags.get(self.last_tag_idx).map_or(0, |last| last.next_idx)
    }

    /// Counts an event that is one number of the expected tag; `false` for all others.
    fn count_scalar(&mut self, payload: &[u8], batch: &mut Batch) -> bool {
        let tag_idx = self.expected_tag();
        let Some(known) = self.tags.get(tag_idx) else { return false };
        let Some((wall_time, step)) = known.scalar_head.as_ref().and_then(|head| scalar::read(payload, head))
        else {
            return false;
        };
        batch.note_time(step, WallTime::new(wall_time));
        batch.group(tag_idx, &known.tag, &known.plugin, &known.recorded).skip(Kind::Scalar);
        self.last_tag_idx = tag_idx;
        true
    }

    fn find_tag(&mut self, tag: &[u8], plugin: impl FnOnce() -> Plugin) -> Option<usize> {
        if let Some(&idx) = self.tag_idx.get(tag) {
            return Some(idx);
        }
        if self.tags.len() >= MOST_TAGS {
            return None;
        }
        let raw: Arc<[u8]> = tag.into();
        let name = Tag::from(text_of_bytes(tag));
        let scalar_head = scalar::head(tag);
        let Plugin { name: plugin, recorded } = plugin();
        let (pictures, number) = numbered(name.as_str())
            .map_or_else(|| (name.clone(), 0), |(all, number)| (Tag::from(all.to_owned()), number));
        let raw_too = Arc::clone(&raw);
        self.tags.push(KnownTag {
            tag: name,
            raw: raw_too,
            plugin,
            recorded,
            pictures,
            number,
            scalar_head,
            next_idx: 0,
        });
        self.tag_idx.insert(raw, self.tags.len() - 1);
        Some(self.tags.len() - 1)
    }
}

/// Whether nobody has written to a file for so long that nobody will fill holes in it.
pub(super) fn is_settled(stat: &FileStat) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age_ns = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - stat.mtime_ns;
    age_ns > i128::try_from(SETTLED_AFTER.as_nanos()).unwrap_or(i128::MAX)
}

fn split_footer(bytes: &[u8], len: usize) -> io::Result<(&[u8], [u8; FOOTER_BYTES])> {
    let footer = bytes.get(len..).and_then(|footer| footer.try_into().ok());
    footer.map(|footer| (&bytes[..len], footer)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
