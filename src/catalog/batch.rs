//! What some new records of a file contain, grouped by tag before it is added to a run.

use std::{io, sync::Arc};

use super::{
    health::Fault,
    logged_value::{FileId, LoggedValue},
};

use crate::{
    event::{graph::GraphPlace, outline::TensorOutline, picture::PictureHead, summary::ValueKind},
    record::place::Place,
    types::{
        Step, Tag, WallTime,
        count::{counted, is},
    },
};

/// What some new records contain.
#[derive(Default)]
pub struct Batch {
    /// The values by tag.
    pub groups: Vec<Group>,
    /// Damage that was found.
    pub faults: Vec<FoundFault>,
    /// The bytes that were understood.
    pub bytes: u64,
    /// Whole records.
    pub records: u64,
    /// Values in them.
    pub values: usize,
    /// The earliest and the latest wall time.
    pub wall_times: Option<(WallTime, WallTime)>,
    /// The largest step of a summary.
    pub last_step: Option<Step>,
    /// Whether the file has more that can be read immediately.
    pub more: bool,
    /// Records whose payloads are too large to be checked by the scan.
    pub large: Vec<Place>,
    /// Those of them whose CRC was checked anyway.
    pub checked: Vec<Place>,
    /// Graphs and models that were logged.
    pub graphs: Vec<LoggedGraph>,
    /// Why reading ended, if the file could not be read.
    pub io_error: Option<io::Error>,
    group_of_tag: Vec<Option<usize>>,
}

/// The new values of one tag.
pub struct Group {
    /// The tag.
    pub tag: Tag,
    /// The plugin that this file's writer named with the tag; empty if none.
    pub plugin: Arc<[u8]>,
    /// The content of its metadata, if the plugin is ConvScope's own.
    pub recorded: Arc<[u8]>,
    /// Tensors, in the order of the file.
    pub tensors: Vec<AtStep>,
    /// The outlines of the tensors, without repetitions; that of the last tensor is the last.
    pub forms: Vec<TensorOutline>,
    /// Encoded pictures.
    pub pictures: Option<Pictures>,
    /// Values that are no tensors: the last one's kind, and how many.
    pub skipped: Option<(ValueKind, u64)>,
}

/// Where one value is logged, and its step.
#[derive(Clone, Copy, Debug)]
pub struct AtStep {
    /// The step.
    pub step: Step,
    /// Where it is logged.
    pub logged: LoggedValue,
}

/// The new pictures of one tag.
pub struct Pictures {
    /// The tag of all pictures that are logged together, without their number.
    pub tag: Tag,
    /// In the order of the file.
    pub logged: Vec<AtStep>,
    /// The first one's header.
    pub first: Option<PictureHead>,
    /// The last one's header.
    pub head: Option<PictureHead>,
    /// How many pictures the last value contains.
    pub count: usize,
    /// How many frames each of these has; `None` where they cannot be counted.
    pub frames: Option<Vec<u32>>,
}

/// Where a graph or a model is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedGraph {
    /// The file.
    pub file: FileId,
    /// The record.
    pub place: Place,
    /// Where in the record.
    pub within: GraphPlace,
}

/// Damage at a place.
pub struct FoundFault {
    /// Its kind.
    pub fault: Fault,
    /// The first byte.
    pub offset: u64,
    /// What was found.
    pub message: String,
}

impl Pictures {
    /// Adds pictures that were logged together with these, under other numbers.
    pub(super) fn join(&mut self, others: Self) {
        self.logged.extend(others.logged);
        self.frames = self.frames.take().zip(others.frames).map(|(these, those)| [these, those].concat());
    }
}

impl Batch {
    pub(super) fn payload_fault(&mut self, place: Place) {
        let message = payload_fault(place);
        self.faults.push(FoundFault { fault: Fault::PayloadCrc, offset: place.offset, message });
    }

    pub(super) fn note_time(&mut self, step: Step, wall_time: Option<WallTime>) {
        self.last_step = self.last_step.max(Some(step));
        if let Some(time) = wall_time {
            let (first, last) = self.wall_times.unwrap_or((time, time));
            self.wall_times =
                Some((if time < first { time } else { first }, if time > last { time } else { last }));
        }
    }

    pub(super) fn group(
        &mut self,
        tag_idx: usize,
        tag: &Tag,
        plugin: &Arc<[u8]>,
        recorded: &Arc<[u8]>,
    ) -> &mut Group {
        if self.group_of_tag.len() <= tag_idx {
            self.group_of_tag.resize(tag_idx + 1, None);
        }
        let group_idx = *self.group_of_tag[tag_idx].get_or_insert_with(|| {
            self.groups.push(Group {
                tag: tag.clone(),
                plugin: Arc::clone(plugin),
                recorded: Arc::clone(recorded),
                tensors: Vec::new(),
                pictures: None,
                forms: Vec::new(),
                skipped: None,
            });
            self.groups.len() - 1
        });
        &mut self.groups[group_idx]
    }
}

/// The message for a record whose payload is damaged.
pub(super) fn payload_fault(place: Place) -> String {
    let Place { offset, len } = place;
    format!(
        "the CRC of the record at byte {offset} is wrong: its {} {} damaged",
        counted(len, "byte"),
        is(len)
    )
}

/// How many different outlines of a tag a batch keeps: the last ones.
const MOST_FORMS: usize = 16;

impl Group {
    pub(super) fn tensor(&mut self, value: AtStep, form: &TensorOutline) {
        self.tensors.push(value);
        if self.forms.last() == Some(form) {
            return;
        }
        if self.forms.len() == MOST_FORMS {
            self.forms.remove(0);
        }
        self.forms.push(form.clone());
    }

    /// Adds a value of `count` pictures under the tag that all its pictures share. `head` is the header of the first one.
    pub(super) fn picture(&mut self, tag: &Tag, value: AtStep, head: Option<PictureHead>, count: usize) {
        let pictures = self.pictures.get_or_insert_with(|| Pictures {
            tag: tag.clone(),
            logged: Vec::new(),
            first: head,
            head,
            count,
            frames: None,
        });
        pictures.logged.push(value);
        (pictures.head, pictures.count) = (head, count);
    }

    pub(super) fn skip(&mut self, kind: ValueKind) {
        self.skipped = Some((kind, self.skipped.map_or(0, |(_, count)| count) + 1));
    }
}
