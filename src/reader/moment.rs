//! A checkpoint's content, its name and its time -> when in the training it was saved.
//!
//! The content is believed first (the optimizer's step, then an epoch), then the name, then the time of the file. An epoch is no
//! step, and the number of a save is neither, so each is an axis of its own.

use std::path::Path;

use super::contents::{Contents, Counter, Format};
use crate::types::{Step, count::counted};

/// What a number of a series counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// Steps of the optimizer, as events have.
    #[default]
    Step,
    /// Epochs, as their writer counts them.
    Epoch,
    /// Milliseconds since 1970, where nothing else is known.
    Time,
}

impl Axis {
    /// Its name in answers of the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Epoch => "epoch",
            Self::Time => "time",
        }
    }

    /// The axis with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Step, Self::Epoch, Self::Time].into_iter().find(|one| one.name() == name)
    }

    /// A number on this axis in words: `step 12`, `epoch 3`, `time 2026-11-27 12:10:01.238 UTC`.
    #[must_use]
    pub fn words(self, value: Step) -> String {
        format!("{} {}", self.name(), self.number(value))
    }

    /// A number on this axis, without the name of the axis.
    #[must_use]
    pub fn number(self, value: Step) -> String {
        match self {
            Self::Step | Self::Epoch => value.to_string(),
            Self::Time => utc(value),
        }
    }

    /// Several numbers on this axis: `3 steps`, `2 epochs`, `4 times`.
    #[must_use]
    pub fn counted(self, count: usize) -> String {
        counted(count, self.name())
    }
}

/// A time in milliseconds since 1970, as `2026-11-27 12:10:01.238 UTC`.
fn utc(ms: i64) -> String {
    let (days, ms) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Years begin in March, so that a leap day is the last day of its year. 146,097 days are 400 years.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day_of_month:02} {hour:02}:{minute:02}:{second:02}.{:03} UTC", ms % 1_000)
}

/// From where the number is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepFrom {
    /// The content of the checkpoint, or of the file of the trainer beside it.
    Content,
    /// The name of the file or of its directory.
    Name,
    /// The time of the last change.
    Time,
}

impl StepFrom {
    /// Its name in answers of the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Name => "name",
            Self::Time => "time",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Content, Self::Name, Self::Time].into_iter().find(|one| one.name() == name)
    }
}

/// When in the training a checkpoint was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What is counted.
    pub axis: Axis,
    /// The number.
    pub value: i64,
    /// From where it is known.
    pub from: StepFrom,
}

/// A number in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbered {
    Step(i64),
    Epoch(i64),
    /// A number with no word that says what it counts.
    Bare(i64),
}

impl Moment {
    /// Decides when a checkpoint was saved. `path` is relative to the logdir.
    #[must_use]
    pub fn of(contents: &Contents, path: &Path, mtime_ns: i128) -> Self {
        let by = |axis, value, from| Self { axis, value, from };
        let value = |counter: &Option<Counter>| counter.as_ref().map(|counter| counter.value);
        if let Some(step) = value(&contents.step) {
            return by(Axis::Step, step, StepFrom::Content);
        }
        let named = in_path(path);
        match (named, value(&contents.epoch)) {
            (Some(Numbered::Step(step)), _) => by(Axis::Step, step, StepFrom::Name),
            // A number in a name that follows the epoch counts epochs, from 0 or from 1.
            (Some(Numbered::Bare(number)), Some(epoch)) if number != epoch && number != epoch + 1 => {
                by(Axis::Step, number, StepFrom::Name)
            }
            (_, Some(epoch)) => by(Axis::Epoch, epoch, StepFrom::Content),
            (Some(Numbered::Epoch(epoch)), None) => by(Axis::Epoch, epoch, StepFrom::Name),
            // Keras has no name of its own, and its documentation numbers files by epoch.
            (Some(Numbered::Bare(epoch)), None)
                if matches!(contents.format, Format::Keras | Format::Hdf5) =>
            {
                by(Axis::Epoch, epoch, StepFrom::Name)
            }
            (Some(Numbered::Bare(step)), None) => by(Axis::Step, step, StepFrom::Name),
            (None, None) => {
                by(Axis::Time, i64::try_from(mtime_ns / 1_000_000).unwrap_or_default(), StepFrom::Time)
            }
        }
    }
}

/// The number in the name of a file, or in the names of the two directories that are nearest.
fn in_path(path: &Path) -> Option<Numbered> {
    let names = path.iter().rev().take(3).map(|name| name.to_string_lossy().to_lowercase());
    names.enumerate().find_map(|(above, name)| in_name(if above == 0 { stem(&name) } else { &name }))
}

/// A name without the endings of checkpoints.
#[must_use]
pub fn stem(name: &str) -> &str {
    const ENDINGS: [&str; 19] = [
        ".onnx",
        ".npz",
        ".index",
        ".json",
        ".safetensors",
        ".tar",
        ".pth",
        ".pt2",
        ".pt",
        ".ckpt",
        ".bin",
        ".keras",
        ".weights.h5",
        ".h5",
        ".hdf5",
        ".index.json",
        ".weights",
        ".data",
        ".msgpack",
    ];
    let mut stem = name;
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| stem.strip_suffix(ending)) {
        stem = shorter;
    }
    stem
}

const STEPS: [&str; 8] = ["step", "steps", "iter", "iters", "iteration", "iterations", "itr", "it"];
const EPOCHS: [&str; 3] = ["epoch", "epochs", "ep"];
/// Words after which a number counts saves.
const SAVES: [&str; 13] = [
    "ckpt",
    "checkpoint",
    "chkpt",
    "cp",
    "model",
    "weights",
    "snapshot",
    "net",
    "save",
    "saved",
    "state",
    "backup",
    "params",
];

/// Whether a word in a name, in small letters, says that the number behind it counts steps, epochs or saves.
#[must_use]
pub fn counts(word: &str) -> bool {
    STEPS.contains(&word) || EPOCHS.contains(&word) || SAVES.contains(&word)
}

/// The number in a name: `epoch=2-step=12`, `model_0004999`, `checkpoint-500`, `iter_2000`, `1000`.
fn in_name(name: &str) -> Option<Numbered> {
    let parts = parts(name);
    let after = |words: &[&str]| {
        parts.windows(2).rev().find_map(|pair| match pair {
            [Part::Word(word), Part::Number(number)] if words.contains(word) => Some(*number),
            _ => None,
        })
    };
    if let Some(step) = after(&STEPS) {
        return Some(Numbered::Step(step));
    }
    if let Some(epoch) = after(&EPOCHS) {
        return Some(Numbered::Epoch(epoch));
    }
    match parts.as_slice() {
        [Part::Number(number)] => Some(Numbered::Bare(*number)),
        _ => after(&SAVES).map(Numbered::Bare),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Word(&'a str),
    Number(i64),
}

/// The words and numbers of a name. A number has digits only and ends where no letter follows; one with decimals, such as an accuracy,
/// counts nothing, and neither do those of a part, such as `00001-of-00003`.
fn parts(name: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = name;
    let decimals = |text: &str| {
        let fraction = text.strip_prefix('.').unwrap_or_default();
        let len = fraction.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(fraction.len());
        (len > 0 && !fraction[len..].starts_with(char::is_alphabetic)).then_some(len + 1)
    };
    while let Some(first) = rest.chars().next() {
        let same = |letter: char| {
            letter.is_alphabetic() == first.is_alphabetic() && letter.is_numeric() == first.is_numeric()
        };
        let (part, after) = rest.split_at(rest.find(|letter| !same(letter)).unwrap_or(rest.len()));
        if first.is_ascii_digit() {
            if let Some(len) = decimals(after) {
                parts.push(Part::Word(part));
                rest = &after[len..];
                continue;
            }
            let number = if after.starts_with(char::is_alphabetic) { None } else { part.parse().ok() };
            parts.push(number.map_or(Part::Word(part), Part::Number));
        } else if first.is_alphabetic() {
            parts.push(Part::Word(part));
        }
        rest = after;
    }
    without_numbers_of_parts(parts)
}

/// Without the numbers in `00001-of-00003`.
fn without_numbers_of_parts(mut parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let is_part = |three: &[Part<'_>]| matches!(three, [Part::Number(_), Part::Word("of"), Part::Number(_)]);
    while let Some(at) = parts.windows(3).position(is_part) {
        parts.drain(at..at + 3);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        // As `date -u -d @SECONDS` prints them.
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00.000 UTC"),
            (951_782_399, "2000-02-28 23:59:59.000 UTC"),
            (951_782_400, "2000-02-29 00:00:00.000 UTC"),
            (1_709_251_200, "2024-03-01 00:00:00.000 UTC"),
            (4_102_444_799, "2099-12-31 23:59:59.000 UTC"),
            (-1, "1969-12-31 23:59:59.000 UTC"),
        ] {
            assert_eq!(utc(seconds * 1_000), expected);
        }
    }

    #[test]
    fn numbers_in_names_are_what_their_words_say() {
        use Numbered::{Bare, Epoch, Step};
        for (name, expected) in [
            ("epoch=2-step=12.ckpt", Some(Step(12))),
            ("epoch=1-train_loss=2.28.ckpt", Some(Epoch(1))),
            ("checkpoint-500/model.safetensors", Some(Bare(500))),
            ("1000/default/x", Some(Bare(1000))),
            ("model_0004999.pth", Some(Bare(4999))),
            ("iter_2000.pth", Some(Step(2000))),
            ("epoch_3.pth", Some(Epoch(3))),
            ("model.ckpt-10.index", Some(Bare(10))),
            ("ckpt-3.index", Some(Bare(3))),
            ("checkpoint-7.pth.tar", Some(Bare(7))),
            ("weights.03-0.12.hdf5", Some(Bare(3))),
            ("weights_epoch05.weights.h5", Some(Epoch(5))),
            ("global_step1200/mp_rank_00.pt", Some(Step(1200))),
            ("step_00000500.safetensors", Some(Step(500))),
            ("last.pt", None),
            ("model-00001-of-00002.safetensors", None),
            ("pytorch_model-00002-of-00002.bin", None),
            ("model_1_of_4.pt", None),
            ("checkpoint-500/model-00001-of-00002.safetensors", Some(Bare(500))),
            ("model-0.91.pt", None),
            ("model-2.1.pt", None),
            ("best_acc_0.91.pth", None),
            ("epoch=3-acc=0.95.ckpt", Some(Epoch(3))),
            ("model.ckpt-10.data", Some(Bare(10))),
            ("ckpt_00000030", Some(Bare(30))),
            ("checkpoints/1000", Some(Bare(1000))),
            ("resnet50.pth", None),
            ("yolov8n.pt", None),
            ("vit_b_16.pth", None),
            ("model_final.pth", None),
        ] {
            assert_eq!(in_path(Path::new(name)), expected, "{name}");
        }
    }
}
