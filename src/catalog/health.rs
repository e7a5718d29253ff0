//! What is wrong with the files: one line for each kind of fault and file, counted, never more than a bounded number.

use std::{collections::BTreeMap, path::Path};

use crate::types::RunName;

const MOST_PROBLEMS: usize = 1_000;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The logdir is not there.
    LogdirMissing,
    /// The logdir is there and holds no event file.
    NoEventFiles,
    /// A file or directory cannot be read.
    Unreadable,
    /// A directory that is not walked.
    LeftOut,
    /// Zeros where a record should begin.
    Hole,
    /// The CRC of a length is wrong: records up to the next whole one are lost.
    LengthCrc,
    /// A length beyond the cap, treated likewise.
    TooLong,
    /// The CRC of a payload is wrong: this record is lost.
    PayloadCrc,
    /// The writer computes no CRCs.
    NoCrcs,
    /// A whole record that is no event.
    NotAnEvent,
    /// A value that cannot be decoded.
    Undecodable,
    /// A file that names more tags than are kept.
    TooManyTags,
    /// A rules file with a mistake.
    BadRules,
    /// A logged graph or model that cannot be understood.
    BadGraph,
    /// A defect of this program that showed in this file.
    Defect,
}

impl Fault {
    /// Its name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LogdirMissing => "logdir_missing",
            Self::NoEventFiles => "no_event_files",
            Self::Unreadable => "unreadable",
            Self::LeftOut => "left_out",
            Self::Hole => "hole",
            Self::LengthCrc => "bad_length_crc",
            Self::TooLong => "too_long",
            Self::PayloadCrc => "bad_payload_crc",
            Self::NoCrcs => "no_crcs",
            Self::NotAnEvent => "not_an_event",
            Self::Undecodable => "undecodable",
            Self::TooManyTags => "too_many_tags",
            Self::BadRules => "bad_rules",
            Self::BadGraph => "bad_graph",
            Self::Defect => "defect",
        }
    }

    /// Whether it is no damage: a state that ends by itself, or a writer's habit.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::LogdirMissing | Self::NoEventFiles | Self::Hole | Self::NoCrcs)
    }
}

/// Faults of one kind in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The run.
    pub run: RunName,
    /// The file's name within the run, or a directory.
    pub file: String,
    /// The first place, in bytes.
    pub offset: u64,
    /// The kind.
    pub fault: Fault,
    /// What was found at the first place and what it means.
    pub message: String,
    /// How often.
    pub count: u64,
}

impl Problem {
    /// A problem with a file of a run.
    pub(super) fn of_file(run: &RunName, file: &str, fault: Fault, message: String) -> Self {
        Self { run: run.clone(), file: file.to_owned(), offset: 0, fault, message, count: 1 }
    }

    /// A problem with a place that is named by its path.
    pub(super) fn of_place(path: &Path, fault: Fault, message: String) -> Self {
        Self::of_file(&RunName::from("."), &path.display().to_string(), fault, message)
    }

    /// A problem with the logdir as a whole.
    pub(super) fn of_logdir(fault: Fault, message: String) -> Self {
        Self::of_file(&RunName::from("."), "", fault, message)
    }

    /// The same problem, first seen at this byte.
    pub(super) fn at(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// Whether it is one with the logdir and not with what a run's files hold.
    #[must_use]
    pub fn is_of_logdir(&self) -> bool {
        match self.fault {
            Fault::LogdirMissing | Fault::NoEventFiles | Fault::LeftOut | Fault::BadRules => true,
            // A walk names a place in full, a file that is read goes by its name.
            Fault::Unreadable => self.file.contains('/'),
            _ => false,
        }
    }
}

/// The problems so far.
#[derive(Debug, Default)]
pub struct Health {
    problems: BTreeMap<(RunName, String, Fault), Problem>,
}

impl Health {
    /// Counts a problem; of those with the same file and kind the first stays.
    pub fn add(&mut self, problem: Problem) {
        let key = (problem.run.clone(), problem.file.clone(), problem.fault);
        if let Some(known) = self.problems.get_mut(&key) {
            known.count += problem.count;
        } else if self.problems.len() < MOST_PROBLEMS {
            self.problems.insert(key, problem);
        }
    }

    /// Puts `problem` in the place of what was known of that kind and file.
    pub fn set(&mut self, problem: Problem) {
        self.problems.remove(&(problem.run.clone(), problem.file.clone(), problem.fault));
        self.add(problem);
    }

    /// Forgets a kind of problem of a file.
    pub fn clear(&mut self, run: &RunName, file: &str, fault: Fault) {
        self.problems.remove(&(run.clone(), file.to_owned(), fault));
    }

    /// Keeps only the problems that still hold.
    pub fn retain(&mut self, holds: impl Fn(&Problem) -> bool) {
        self.problems.retain(|_, problem| holds(problem));
    }

    /// All of them, by run and file.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.values().cloned().collect()
    }
}
