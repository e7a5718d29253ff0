//! Runs with events and without a checkpoint, and where checkpoints lie -> what `--checkpoints RUN=DIR` could show.
//!
//! Nothing outside of the logdir is followed without being named. So only names are looked at, in the directory of a run, in the two
//! above it, and in their directories named as containers of checkpoints; and the user is told how to add what lies there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use crate::{
    source::checkpoint::is_checkpoint_directory,
    types::{RunName, count::counted},
};

/// Checkpoints that may belong to runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The directory in which they lie.
    pub dir: PathBuf,
    /// A pattern for their names in it: `epoch_*.pth`.
    pub pattern: String,
    /// How many there are.
    pub count: usize,
    /// The runs without a checkpoint to which they may belong; at least one.
    pub runs: Vec<RunName>,
    /// The directory of the run, if there is only one.
    run_dir: Option<PathBuf>,
}

/// A run without a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BareRun {
    /// Its name.
    pub(super) name: RunName,
    /// Its directory, relative to the logdir.
    pub(super) dir: PathBuf,
}

/// How many runs are named.
const NAMED: usize = 3;

impl Offer {
    /// What there is and what to do, as a sentence without a full stop.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}: add {}", self.found(), self.option())
    }

    /// What there is: `run a: 12 checkpoints at ../../epoch_*.pth`.
    #[must_use]
    pub fn found(&self) -> String {
        let there = counted(self.count, "checkpoint");
        if let (Some(run_dir), [run]) = (&self.run_dir, self.runs.as_slice()) {
            let place = relative(run_dir, &self.dir).join(&self.pattern);
            return format!("run {run}: {there} at {}", place.display());
        }
        let names: Vec<&str> = self.runs.iter().take(NAMED).map(RunName::as_str).collect();
        let more = self.runs.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let place = self.dir.join(&self.pattern);
        format!("{there} at {} may be of one of the runs {}{more}", place.display(), names.join(", "))
    }

    /// The option with which they are shown; `RUN` stands for the run if several are possible.
    #[must_use]
    pub fn option(&self) -> String {
        let run = match self.runs.as_slice() {
            [only] => only.as_str(),
            _ => "RUN",
        };
        format!("--checkpoints {}", quoted(&format!("{run}={}", self.dir.display())))
    }
}

/// Offers for checkpoints that lie in the logdir and belong to no run with events. `own` are their paths, relative to the logdir, with
/// the directory of the run that they are.
pub(super) fn inside(root: &Path, own: &[(&Path, &Path)], bare: &BTreeSet<BareRun>) -> Vec<Offer> {
    let mut places: BTreeMap<PathBuf, (BTreeSet<String>, &Path)> = BTreeMap::new();
    for (path, owner) in own {
        let (dir, name) = entry_of(path, owner);
        places.entry(dir).or_insert_with(|| (BTreeSet::new(), owner)).0.insert(name);
    }
    let offers = places.into_iter().filter_map(|(dir, (names, owner))| {
        let runs = bare.iter().filter(|run| run.dir.starts_with(owner));
        let dir = if dir.as_os_str().is_empty() { root.to_owned() } else { root.join(dir) };
        offer(root, dir, &names, runs.cloned().collect())
    });
    offers.collect()
}

/// Offers for checkpoints outside of the logdir, of which `names` gives the names in a directory.
pub(super) fn outside(
    root: &Path,
    bare: &BTreeSet<BareRun>,
    names: &dyn Fn(&Path) -> Vec<String>,
) -> Vec<Offer> {
    // A run in the logdir itself has two directories above it that are outside, one right below it has one.
    let above = [root.parent(), root.parent().and_then(Path::parent)];
    let mut offers = Vec::new();
    for (depth, base) in above.into_iter().enumerate() {
        let Some(base) = base else { continue };
        let deepest = 1 - depth;
        let runs = bare.iter().filter(|run| run.dir.components().count() <= deepest);
        let runs: Vec<BareRun> = runs.cloned().collect();
        if runs.is_empty() {
            continue;
        }
        for dir in [base.to_owned()].into_iter().chain(SIBLINGS.map(|name| base.join(name))) {
            if root.starts_with(&dir) && dir != base {
                continue;
            }
            offers.extend(offer(root, dir.clone(), &names(&dir).into_iter().collect(), runs.clone()));
        }
    }
    offers
}

/// Directories beside a run, and above it, that often hold its checkpoints.
const SIBLINGS: [&str; 4] = ["checkpoints", "weights", "ckpt", "models"];

fn offer(root: &Path, dir: PathBuf, names: &BTreeSet<String>, runs: Vec<BareRun>) -> Option<Offer> {
    let pattern = pattern_of(names)?;
    let run_dir = match runs.as_slice() {
        [] => return None,
        [only] => Some(root.join(&only.dir)),
        _ => None,
    };
    let runs = runs.into_iter().map(|run| run.name).collect();
    Some(Offer { dir, pattern, count: names.len(), runs, run_dir })
}

/// The directory that holds a checkpoint, and its name there: the file, or a directory such as `checkpoint-500` around it.
fn entry_of(path: &Path, owner: &Path) -> (PathBuf, String) {
    let mut dir = owner.to_owned();
    let inside = path.strip_prefix(owner).unwrap_or(path);
    let mut parts = inside.components().peekable();
    while let Some(part) = parts.next() {
        let name = part.as_os_str().to_string_lossy();
        if parts.peek().is_none() || is_checkpoint_directory(Path::new(part.as_os_str())) {
            return (dir, name.into_owned());
        }
        dir.push(part);
    }
    (dir, String::new())
}

/// A pattern that all names fit: their numbers are left out, or only their ending is kept.
fn pattern_of(names: &BTreeSet<String>) -> Option<String> {
    let first = names.first()?;
    if names.len() == 1 {
        return Some(first.clone());
    }
    let patterns: BTreeSet<String> = names.iter().map(|name| without_numbers(name)).collect();
    if let (Some(only), 1) = (patterns.first(), patterns.len()) {
        return Some(only.clone());
    }
    let ending = |name: &str| name.rsplit_once('.').map_or(String::new(), |(_, ending)| format!(".{ending}"));
    let endings: BTreeSet<String> = names.iter().map(|name| ending(name)).collect();
    Some(if endings.len() == 1 { format!("*{}", ending(first)) } else { "*".to_owned() })
}

fn without_numbers(name: &str) -> String {
    let mut pattern = String::new();
    for letter in name.chars() {
        match letter {
            '0'..='9' if pattern.ends_with('*') => {}
            '0'..='9' => pattern.push('*'),
            letter => pattern.push(letter),
        }
    }
    pattern
}

/// The path of a directory as seen from another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let same = from.components().zip(to.components()).take_while(|(from, to)| from == to).count();
    let up = from.components().skip(same).map(|_| Component::ParentDir);
    up.chain(to.components().skip(same)).collect()
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-./=+:@%,".contains(letter);
    if argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(names: &[&str]) -> BTreeSet<BareRun> {
        let run = |name: &&str| BareRun {
            name: RunName::from(*name),
            dir: if *name == "." { PathBuf::new() } else { PathBuf::from(name) },
        };
        names.iter().map(run).collect()
    }

    fn words(offers: &[Offer]) -> Vec<String> {
        offers.iter().map(Offer::words).collect()
    }

    #[test]
    fn checkpoints_above_the_logdir_are_offered_by_name() {
        let there: BTreeMap<PathBuf, Vec<String>> = BTreeMap::from([
            ("/w".into(), vec!["epoch_1.pth".into(), "epoch_12.pth".into()]),
            ("/w/weights".into(), vec!["best.pt".into()]),
            ("/w/logs/ckpt".into(), vec!["a.keras".into(), "b.keras".into()]),
        ]);
        let names = |dir: &Path| there.get(dir).cloned().unwrap_or_default();
        let root = Path::new("/w/logs/my run");
        assert_eq!(
            words(&outside(root, &bare(&["."]), &names)),
            [
                "run .: 2 checkpoints at ../ckpt/*.keras: add --checkpoints .=/w/logs/ckpt",
                "run .: 2 checkpoints at ../../epoch_*.pth: add --checkpoints .=/w",
                "run .: 1 checkpoint at ../../weights/best.pt: add --checkpoints .=/w/weights",
            ]
        );
        let below = outside(Path::new("/w/logs"), &bare(&["a", "b", "c", "d", "e/f"]), &names);
        assert_eq!(
            words(&below),
            [
                "2 checkpoints at /w/epoch_*.pth may be of one of the runs a, b, c and 1 more: add --checkpoints RUN=/w",
                "1 checkpoint at /w/weights/best.pt may be of one of the runs a, b, c and 1 more: add --checkpoints RUN=/w/weights",
            ]
        );
        assert!(outside(Path::new("/w/logs"), &bare(&["e/f"]), &names).is_empty());
        assert!(outside(Path::new("/"), &bare(&["."]), &names).is_empty());
    }

    #[test]
    fn checkpoints_of_no_run_with_events_are_offered_to_the_runs_below() {
        let own = ["job/epoch_1.pth", "job/epoch_2.pth", "job/checkpoint-5/m.safetensors", "x/a.pt"];
        let own: Vec<(&Path, &Path)> = own
            .iter()
            .map(|path| (Path::new(path), Path::new(if path.starts_with('j') { "job" } else { "x" })))
            .collect();
        let offers = inside(Path::new("/logs"), &own, &bare(&["job/1/vis", "job/2/vis", "y"]));
        assert_eq!(
            words(&offers),
            [
                "3 checkpoints at /logs/job/* may be of one of the runs job/1/vis, job/2/vis: add --checkpoints RUN=/logs/job"
            ]
        );
    }

    #[test]
    fn an_argument_with_a_space_is_quoted() {
        assert_eq!(quoted("a=/w"), "a=/w");
        assert_eq!(quoted("a b=/w"), "'a b=/w'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
