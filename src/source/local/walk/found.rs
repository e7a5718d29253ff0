//! What a walk comes across -> its listing, within bounds.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::DirEntry,
    io,
    os::unix::{ffi::OsStrExt as _, fs::DirEntryExt as _},
    path::{Path, PathBuf},
};

use crate::source::{
    FileStat, Identity, Listing, MOST_NAMED_PLACES,
    checkpoint::{MOST_CHECKPOINTS, Start, checkpoint_of},
    is_export_name,
    local::files::LocalFiles,
};

/// This many files that are named like checkpoints are opened in one walk; of more the name has to do. Opening one costs about
/// a millisecond over a network.
const MOST_LOOKS: usize = 1_000;
/// This many event files are listed under second names.
const MOST_SECOND_NAMES: usize = 100_000;

/// The listing so far.
pub(super) struct Found<'a> {
    files: &'a LocalFiles,
    pub(super) listing: Listing,
    /// How many files were opened to see whether they are checkpoints.
    n_looks: usize,
}

impl<'a> Found<'a> {
    pub(super) fn nothing(files: &'a LocalFiles) -> Self {
        Self { files, listing: Listing::default(), n_looks: 0 }
    }

    /// Takes a file that is named like an event file.
    pub(super) fn event_file(&mut self, path: &Path) {
        match path.metadata() {
            Ok(meta) if meta.is_file() => {
                let stat = self.files.stat(path, &meta);
                self.files.open.close_unless(path, Some(stat.identity));
                let is_export = is_export_name(path.file_name().unwrap_or_default().as_bytes());
                let listing = &mut self.listing;
                if is_export { &mut listing.exported } else { &mut listing.files }.push(stat);
            }
            // FIFOs, sockets and devices hold no events.
            Ok(_) => {}
            Err(error) => self.trouble(path, &error),
        }
    }

    /// Event files so far.
    pub(super) fn n_event_files(&self) -> usize {
        self.listing.files.len() + self.listing.exported.len()
    }

    /// Directories that hold event files.
    pub(super) fn dirs_with_event_files(&self) -> HashSet<&Path> {
        let files = self.listing.files.iter().chain(&self.listing.exported);
        files.filter_map(|file| file.path.parent()).collect()
    }

    /// Takes any other file, in case that it is a checkpoint.
    pub(super) fn other_file(&mut self, entry: &DirEntry) {
        if self.listing.checkpoints.len() >= MOST_CHECKPOINTS {
            return;
        }
        let path = entry.path();
        let Some(checkpoint) = checkpoint_of(&path) else { return };
        if !self.listing.checkpoints.contains(&checkpoint) && self.begins_right(&path, entry.ino()) {
            self.listing.checkpoints.insert(checkpoint);
        }
    }

    fn begins_right(&mut self, path: &Path, inode: u64) -> bool {
        let (start, known) = (Start::of(path), &self.files.first_bytes);
        if start == Start::Any || self.n_looks == MOST_LOOKS || known.knows(path, inode) {
            return true;
        }
        self.n_looks += 1;
        known.look(path, inode, start)
    }

    /// Notes a place that is not walked.
    pub(super) fn leave_out(&mut self, path: &Path, reason: String) {
        if self.listing.left_out.len() < MOST_NAMED_PLACES {
            self.listing.left_out.push((path.to_owned(), reason));
        }
    }

    /// Notes a place that cannot be read.
    pub(super) fn trouble(&mut self, path: &Path, error: &io::Error) {
        // A file that went away while the walk was under way is no trouble.
        let is_noted = error.kind() != io::ErrorKind::NotFound || path.is_symlink();
        if is_noted && self.listing.troubles.len() < MOST_NAMED_PLACES {
            self.listing.troubles.push((path.to_owned(), error.to_string()));
        }
    }

    /// Lists event files below directories that have more than one name under the others too. Links below them are not followed
    /// once more: the names that are made of many links are without number.
    pub(super) fn add_second_names(&mut self, links: &[(PathBuf, Identity)]) {
        if links.is_empty() {
            return;
        }
        self.listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut named: Vec<FileStat> = Vec::new();
        for (link, first) in self.first_names(links) {
            let files = &self.listing.files;
            let from = files.partition_point(|file| file.path < first);
            let below = files[from..].iter().take_while(|file| file.path.starts_with(&first));
            let before = named.len();
            for file in below.take(MOST_SECOND_NAMES - before) {
                let rest = file.path.strip_prefix(&first).unwrap_or(&file.path);
                let path = link.join(rest);
                named.push(FileStat { run: self.files.run_of(&path), path, ..file.clone() });
            }
            if named.len() == MOST_SECOND_NAMES {
                let reason = format!(
                    "the logdir's links give more than {MOST_SECOND_NAMES} event files a second name, and the rest is left out"
                );
                self.leave_out(&link, reason);
                break;
            }
            // What comes below it later has this name too.
            self.listing.second_names.insert(link, first);
        }
        self.listing.files.extend(named);
    }

    /// The first name of the directory that each link leads to, without links that lead to a directory that they lie in.
    fn first_names(&self, links: &[(PathBuf, Identity)]) -> BTreeMap<PathBuf, PathBuf> {
        let dirs = self.listing.dirs.iter();
        let firsts: HashMap<Identity, &PathBuf> = dirs.map(|(path, identity)| (*identity, path)).collect();
        let links = links.iter().filter_map(|(link, target)| Some((link, *firsts.get(target)?)));
        let links = links.filter(|(link, first)| !link.starts_with(first));
        links.map(|(link, first)| (link.clone(), first.clone())).collect()
    }

    /// The listing in the order of paths.
    pub(super) fn into_listing(self) -> Listing {
        let mut listing = self.listing;
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing.exported.sort_by(|a, b| a.path.cmp(&b.path));
        listing
    }
}
