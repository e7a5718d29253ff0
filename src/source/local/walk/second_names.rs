//! Links to what has a name already -> the other names of directories and files.
//!
//! A name may be made of two links: a run that one folder has by a link is in what a link to that folder leads to. Names of more
//! links are not made, as they are without number. No name goes through a directory that it leads to: that is a loop.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    path::{Path, PathBuf},
};

use crate::source::Identity;

/// Second names with the first one of each.
pub(super) type SecondNames = BTreeMap<PathBuf, PathBuf>;

/// What a walk met again that was walked under another name, in the order of the walk.
#[derive(Default)]
pub(super) struct Again {
    /// Links to directories.
    pub(super) links: Vec<(PathBuf, Identity)>,
    /// Directories that lie in what a link leads to.
    pub(super) directories: Vec<(PathBuf, Identity)>,
}

/// The second names of directories, and of the files of `of_files` that lie in them. About `most` are made at most.
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
    // Each comes after those that lie in it.
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

/// The second names that what lies below `first` has below `name`; `most` at most.
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

/// Of files that are the same by `key`, each but the first with the first: real files come before links, and then by path.
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
