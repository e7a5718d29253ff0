//! Links to directories that have a name already -> the other names of the paths below.
//!
//! A directory is watched only under its first name, so notifications contain only this name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The other names of directories, by their first names.
#[derive(Debug, Default)]
pub(super) struct DirectoryLinks {
    by_first: BTreeMap<PathBuf, Vec<PathBuf>>,
    firsts: BTreeMap<PathBuf, PathBuf>,
}

impl DirectoryLinks {
    /// From links, with the first names of the directories to which they lead.
    pub(super) fn of(links: &BTreeMap<PathBuf, PathBuf>) -> Self {
        let mut names = Self::default();
        names.add(links);
        names
    }

    /// Adds more links.
    pub(super) fn add(&mut self, links: &BTreeMap<PathBuf, PathBuf>) {
        for (link, first) in links {
            if let Some(before) = self.firsts.insert(link.clone(), first.clone())
                && let Some(named) = self.by_first.get_mut(&before)
            {
                named.retain(|other| other != link);
            }
            self.by_first.entry(first.clone()).or_default().push(link.clone());
        }
    }

    /// The links, with what they lead to.
    pub(super) fn links(&self) -> &BTreeMap<PathBuf, PathBuf> {
        &self.firsts
    }

    /// The other names of a path.
    pub(super) fn of_place(&self, path: &Path) -> Vec<PathBuf> {
        if self.by_first.is_empty() {
            return Vec::new();
        }
        let firsts = path.ancestors().filter_map(|first| Some((first, self.by_first.get(first)?)));
        let named = firsts.flat_map(|(first, links)| {
            let rest = path.strip_prefix(first).unwrap_or(path);
            // Joining an empty path would add a slash at the end.
            links
                .iter()
                .map(move |link| if rest.as_os_str().is_empty() { link.clone() } else { link.join(rest) })
        });
        named.collect()
    }

    /// The first name of a path that contains one of the links.
    pub(super) fn first_of(&self, path: &Path) -> Option<PathBuf> {
        if self.firsts.is_empty() {
            return None;
        }
        let (link, first) = path.ancestors().find_map(|above| self.firsts.get_key_value(above))?;
        let rest = path.strip_prefix(link).ok()?;
        Some(if rest.as_os_str().is_empty() { first.clone() } else { first.join(rest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_below_a_link_have_its_name_too() {
        let links = [("/l/best/x", "/l/all/x"), ("/l/b", "/l/all"), ("/l/c", "/l/all")];
        let links = links.map(|(link, first)| (link.into(), first.into()));
        let names = DirectoryLinks::of(&links.into_iter().collect());
        let of = |path: &str| names.of_place(Path::new(path));
        assert_eq!(of("/l/all/x/f"), ["/l/best/x/f", "/l/b/x/f", "/l/c/x/f"].map(PathBuf::from));
        assert_eq!(of("/l/all"), ["/l/b", "/l/c"].map(PathBuf::from));
        assert!(of("/l/best/x/f").is_empty() && of("/other").is_empty());
        let first = |path: &str| names.first_of(Path::new(path));
        assert_eq!(first("/l/best/x/f"), Some("/l/all/x/f".into()));
        assert_eq!((first("/l/b"), first("/l/best")), (Some("/l/all".into()), None));
    }
}
