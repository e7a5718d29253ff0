//! Links to directories and files that have a name already -> their other names.
//!
//! A name may contain two links: if a folder contains a link to a run, then a link to that folder leads to the run too. Names
//! with more links are not used, because there could be any number of them. No name goes through the directory to which it
//! leads, because that is a loop.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    path::{Path, PathBuf},
};

use crate::source::Identity;

/// Second names, each with its first name.
pub(super) type SecondNames = BTreeMap<PathBuf, PathBuf>;

/// What a walk found again after it was walked under another name, in the order of the walk.
#[derive(Default)]
pub(super) struct Again {
    /// Links to directories.
    pub(super) links: Vec<(PathBuf, Identity)>,
    /// Directories below the targets of links.
    pub(super) directories: Vec<(PathBuf, Identity)>,
}

/// The second names of directories, and of the files of `of_files` in them; about `most` at most.
pub(super) fn second_names(
    again: &Again,
    walked: &BTreeMap<PathBuf, Identity>,
    of_files: SecondNames,
    most: usize,
) -> SecondNames {
    let firsts: HashMap<Identity, &Path> =
        walked.iter().map(|(path, identity)| (*identity, path.as_path())).collect();
    let first_of = |(name, identity): &(PathBuf, Identity)| {
        let first = *firsts.get(identity)?;
        (!name.starts_with(first)).then(|| (name.clone(), first.to_owned()))
    };
    let mut names = of_files;
    // Each comes after the directories in it.
    for (name, first) in again.directories.iter().filter_map(first_of) {
        let below = names_below(&names, (&name, &first), most.saturating_sub(names.len()));
        names.extend(below);
        names.insert(name, first);
    }
    let links: SecondNames = again.links.iter().filter_map(first_of).take(most).collect();
    names.extend(links.clone());
    let by_one_link = names.clone();
    for (name, first) in &links {
        let below = names_below(&by_one_link, (name, first), most.saturating_sub(names.len()));
        names.extend(below);
    }
    names
}

/// The second names below `name` of what is below `first`; `most` at most.
fn names_below(names: &SecondNames, (name, first): (&Path, &Path), most: usize) -> SecondNames {
    let below = names.range(first.to_owned()..).take_while(|(second, _)| second.starts_with(first));
    let below = below.filter(|(_, leads_to)| !name.starts_with(leads_to)).take(most);
    below
        .filter_map(|(second, leads_to)| {
            Some((name.join(second.strip_prefix(first).ok()?), leads_to.clone()))
        })
        .collect()
}

/// An event file that may have more than one name.
pub(super) struct LinkedFile {
    pub(super) path: PathBuf,
    pub(super) is_link: bool,
    pub(super) identity: Identity,
}

/// For files that are the same by `key`: each except the first, with the first. Real files come before links, then by path.
pub(super) fn same_files<'a, K: Eq + Hash>(
    files: &'a [LinkedFile],
    key: impl Fn(&'a LinkedFile) -> K,
) -> SecondNames {
    let mut firsts: HashMap<K, (bool, &Path)> = HashMap::new();
    for file in files {
        let this = (file.is_link, file.path.as_path());
        firsts.entry(key(file)).and_modify(|first| *first = this.min(*first)).or_insert(this);
    }
    let names =
        files.iter().filter_map(|file| Some((file.path.clone(), firsts.get(&key(file))?.1.to_owned())));
    names.filter(|(path, first)| path != first).collect()
}
