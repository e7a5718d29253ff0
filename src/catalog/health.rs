//! Faults of files -> problems: one per kind of fault and file, with a count. Their number is limited.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use crate::types::RunName;

const MOST_PROBLEMS: usize = 1_000;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The logdir does not exist.
    LogdirMissing,
    /// The logdir exists but contains no event file.
    NoEventFiles,
    /// A file or directory cannot be read.
    Unreadable,
    /// A directory that is not searched.
    LeftOut,
    /// Zeros where a record should begin.
    Hole,
    /// The CRC of a length is wrong: records up to the next whole one are lost.
    LengthCrc,
    /// A length above the limit, treated in the same way.
    TooLong,
    /// The CRC of a payload is wrong: this record is lost.
    PayloadCrc,
    /// The writer computes no CRCs.
    NoCrcs,
    /// An intact record that is not an event.
    NotAnEvent,
    /// A value that cannot be decoded.
    Undecodable,
    /// A file that names more tags than are kept.
    TooManyTags,
    /// A rules file with a mistake.
    BadRules,
    /// A logged graph or model that cannot be understood.
    BadGraph,
    /// A checkpoint that is damaged, or ends too early.
    BadCheckpoint,
    /// A checkpoint of which something is not read.
    CheckpointNotRead,
    /// Copies of kernels cannot be kept.
    Shelf,
    /// This program failed on this file, which is a defect of the program.
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
            Self::BadCheckpoint => "bad_checkpoint",
            Self::CheckpointNotRead => "checkpoint_not_read",
            Self::Shelf => "shelf",
            Self::Defect => "defect",
        }
    }

    /// Whether it is no damage but a temporary state or a property of the writer.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::LogdirMissing
                | Self::NoEventFiles
                | Self::Hole
                | Self::NoCrcs
                | Self::CheckpointNotRead
                | Self::Shelf
        )
    }
}

/// Faults of one kind in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The run.
    pub run: RunName,
    /// The file's name within the run, or a directory.
    pub file: String,
    /// The offset of the first occurrence, in bytes.
    pub offset: u64,
    /// The kind.
    pub fault: Fault,
    /// What was found at the first occurrence and what it means.
    pub message: String,
    /// How often.
    pub count: u64,
}

impl Problem {
    /// A problem with a file of a run.
    pub(super) fn of_file(run: &RunName, file: &str, fault: Fault, message: String) -> Self {
        Self { run: run.clone(), file: file.to_owned(), offset: 0, fault, message, count: 1 }
    }

    /// A problem with a file or directory, named by its full path.
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

    /// Whether it is a problem of the logdir and not of the content of a run's files.
    #[must_use]
    pub fn is_of_logdir(&self) -> bool {
        match self.fault {
            Fault::LogdirMissing | Fault::NoEventFiles | Fault::LeftOut | Fault::BadRules | Fault::Shelf => {
                true
            }
            // Listing the logdir and reading checkpoints report full paths; reading an event file reports its name only.
            Fault::Unreadable | Fault::BadGraph | Fault::BadCheckpoint | Fault::CheckpointNotRead => {
                self.file.contains('/')
            }
            _ => false,
        }
    }

    /// Whether it is a problem with a path that was found when the logdir was listed.
    fn is_of_place(&self) -> bool {
        matches!(self.fault, Fault::LeftOut | Fault::Unreadable) && self.is_of_logdir()
    }
}

/// The problems so far.
#[derive(Debug, Default)]
pub struct Health {
    problems: BTreeMap<(RunName, String, Fault), Problem>,
}

impl Health {
    /// Counts a problem. Of those with the same file and kind, the first is kept.
    pub fn add(&mut self, problem: Problem) {
        let key = (problem.run.clone(), problem.file.clone(), problem.fault);
        if let Some(known) = self.problems.get_mut(&key) {
            known.count += problem.count;
        } else if self.problems.len() < MOST_PROBLEMS {
            self.problems.insert(key, problem);
        }
    }

    /// Replaces the problem of the same file and kind.
    pub fn set(&mut self, problem: Problem) {
        self.problems.remove(&(problem.run.clone(), problem.file.clone(), problem.fault));
        self.add(problem);
    }

    /// Forgets a kind of problem of a file.
    pub fn clear(&mut self, run: &RunName, file: &str, fault: Fault) {
        self.problems.remove(&(run.clone(), file.to_owned(), fault));
    }

    /// Keeps only the problems that still exist.
    pub fn retain(&mut self, holds: impl Fn(&Problem) -> bool) {
        self.problems.retain(|_, problem| holds(problem));
    }

    /// All of them, by run and file. Paths in the logdir with the same fault and message, such as links to removed runs, become one
    /// problem: that of the first path, with the number of paths.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        let mut first_places: HashMap<(Fault, &str), usize> = HashMap::new();
        for problem in self.problems.values() {
            if problem.is_of_place() {
                let next_idx = problems.len();
                let first_idx = *first_places.entry((problem.fault, &problem.message)).or_insert(next_idx);
                if first_idx < next_idx {
                    problems[first_idx].count += problem.count;
                    continue;
                }
            }
            problems.push(problem.clone());
        }
        for of_places in problems.iter_mut().filter(|problem| problem.is_of_place() && problem.count > 1) {
            let n_others = of_places.count - 1;
            let places = if n_others == 1 { "place" } else { "places" };
            of_places.message =
                format!("{}; the same holds for {n_others} other {places}", of_places.message);
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_which_the_same_is_said_are_one_problem() {
        let unreadable =
            |path: &str, why: &str| Problem::of_place(path.as_ref(), Fault::Unreadable, why.into());
        let mut health = Health::default();
        for path in ["/logs/a/x.tfevents", "/logs/b/x.tfevents", "/logs/c/x.tfevents"] {
            health.set(unreadable(path, "no such file"));
        }
        health.set(unreadable("/logs/d", "no permission"));
        let run = RunName::from("run");
        for file in ["1.tfevents", "2.tfevents"] {
            health.add(Problem::of_file(&run, file, Fault::PayloadCrc, "damaged".to_owned()));
        }
        let told = |health: &Health| -> Vec<(String, u64)> {
            health.problems().into_iter().map(|problem| (problem.file, problem.count)).collect()
        };
        let expected = [("/logs/a/x.tfevents", 3), ("/logs/d", 1), ("1.tfevents", 1), ("2.tfevents", 1)];
        assert_eq!(told(&health), expected.map(|(file, count)| (file.to_owned(), count)));
        assert_eq!(health.problems()[0].message, "no such file; the same holds for 2 other places");
        health.retain(|problem| problem.file != "/logs/a/x.tfevents");
        assert_eq!(told(&health)[0], ("/logs/b/x.tfevents".to_owned(), 2));
    }
}
