//! What a walk finds -> its listing, within bounds.

use std::{
    collections::HashSet,
    fs::DirEntry,
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirEntryExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

use super::second_names::{Again, LinkedFile, SecondNames, same_files, second_names};
use crate::source::{
    FileStat, Identity, Listing, MOST_NAMED_PLACES,
    checkpoint::{MOST_CHECKPOINTS, Start, checkpoint_of},
    is_export_name,
    local::files::LocalFiles,
    stored::{index_of_part, is_stored_name, is_without_weights},
};

/// The most files named like checkpoints that are opened in one walk; others are judged by their name alone. Opening a file takes
/// about a millisecond over a network.
const MOST_LOOKS: usize = 1_000;
/// The most event files that are listed under second names.
const MOST_SECOND_NAMES: usize = 100_000;

/// The listing so far.
pub(super) struct FoundFiles<'a> {
    files: &'a LocalFiles,
    pub(super) listing: Listing,
    /// How many files were opened to see whether they are checkpoints.
    n_looks: usize,
    linked_files: Vec<LinkedFile>,
    /// Links to checkpoints.
    stored_links: HashSet<PathBuf>,
    /// Whether there are more checkpoints than are listed.
    leaves_out_checkpoints: bool,
}

impl<'a> FoundFiles<'a> {
    pub(super) fn nothing(files: &'a LocalFiles) -> Self {
        Self {
            files,
            listing: Listing::default(),
            n_looks: 0,
            linked_files: Vec::new(),
            stored_links: HashSet::new(),
            leaves_out_checkpoints: false,
        }
    }

    /// Adds a file that is named like an event file, or a link to one.
    pub(super) fn event_file(&mut self, path: &Path, is_link: bool) {
        match path.metadata() {
            Ok(meta) if meta.is_file() => {
                let stat = self.files.stat(path, &meta);
                self.files.open.close_unless(path, Some(stat.identity));
                let is_export = is_export_name(path.file_name().unwrap_or_default().as_bytes());
                let listing = &mut self.listing;
                if !is_export && (is_link || meta.nlink() > 1) {
                    let (path, identity) = (stat.path.clone(), stat.identity);
                    self.linked_files.push(LinkedFile { path, is_link, identity });
                }
                if is_export { &mut listing.exported } else { &mut listing.files }.push(stat);
            }
            // FIFOs, sockets and devices hold no events.
            Ok(_) => {}
            Err(error) => self.trouble(path, &error),
        }
    }

    /// How many event files were found so far.
    pub(super) fn n_event_files(&self) -> usize {
        self.listing.files.len() + self.listing.exported.len()
    }

    /// Directories that hold event files.
    pub(super) fn dirs_with_event_files(&self) -> HashSet<&Path> {
        let files = self.listing.files.iter().chain(&self.listing.exported);
        files.filter_map(|file| file.path.parent()).collect()
    }

    /// Adds any other file if it is a checkpoint.
    pub(super) fn other_file(&mut self, entry: &DirEntry) {
        let path = entry.path();
        if is_stored_name(entry.file_name().as_bytes()) {
            self.stored_file(&path, entry.file_type().is_ok_and(|kind| kind.is_symlink()));
            return;
        }
        // The data of a bundle of TensorFlow are opened with their index.
        let is_opened_with_index =
            cfg!(feature = "tensorflow") && entry.file_name().to_string_lossy().contains(".data-");
        let is_opened_elsewhere =
            is_opened_with_index || is_without_weights(&entry.file_name().to_string_lossy());
        if is_opened_elsewhere || self.listing.checkpoints.len() >= MOST_CHECKPOINTS {
            return;
        }
        let Some(checkpoint) = checkpoint_of(&path) else { return };
        if !self.listing.checkpoints.contains(&checkpoint) && self.begins_right(&path, entry.ino()) {
            self.listing.checkpoints.insert(checkpoint);
        }
    }

    /// Adds a file with which a checkpoint is opened.
    fn stored_file(&mut self, path: &Path, is_link: bool) {
        if self.listing.stored.len() >= MOST_CHECKPOINTS {
            if !std::mem::replace(&mut self.leaves_out_checkpoints, true) {
                let reason = format!(
                    "there are more than {MOST_CHECKPOINTS} checkpoints, and those from here on are left out: name a part of the logdir"
                );
                self.leave_out(path, reason);
            }
            return;
        }
        match path.metadata() {
            Ok(meta) if meta.is_file() => {
                self.listing.stored.push(self.files.stat(path, &meta));
                if is_link {
                    self.stored_links.insert(path.to_owned());
                }
            }
            // FIFOs, sockets and devices hold no checkpoints.
            Ok(_) => {}
            Err(error) => self.trouble(path, &error),
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
        // A file that was deleted during the walk is no problem.
        let is_noted = error.kind() != io::ErrorKind::NotFound || path.is_symlink();
        if is_noted && self.listing.troubles.len() < MOST_NAMED_PLACES {
            self.listing.troubles.push((path.to_owned(), error.to_string()));
        }
    }

    /// Lists the event files below directories with several names under all these names; names in a run that are the same file
    /// are listed once.
    pub(super) fn add_second_names(&mut self, again: &Again) {
        let of_files = self.same_files();
        let names = second_names(again, &self.listing.dirs, of_files, MOST_SECOND_NAMES);
        if names.is_empty() {
            return;
        }
        self.listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut named: Vec<FileStat> = Vec::new();
        for (name, first) in names {
            let files = if self.listing.dirs.contains_key(&first) { self.files_below(&first) } else { &[] };
            let n_free = MOST_SECOND_NAMES - named.len();
            let is_whole = files.len() < n_free;
            named.extend(files.iter().take(n_free).map(|file| self.named(file, &name, &first)));
            if !is_whole {
                let reason = format!(
                    "the logdir's links give more than {MOST_SECOND_NAMES} event files a second name, and the rest is left out"
                );
                self.leave_out(&name, reason);
                break;
            }
            // Files that appear below it later have this name too.
            self.listing.second_names.insert(name, first);
        }
        self.listing.files.extend(named);
    }

    fn files_below(&self, dir: &Path) -> &[FileStat] {
        let files = &self.listing.files;
        let from = files.partition_point(|file| file.path.as_path() < dir);
        let n = files[from..].partition_point(|file| file.path.starts_with(dir));
        &files[from..from + n]
    }

    /// A file under `name` of a directory whose first name is `first`.
    fn named(&self, file: &FileStat, name: &Path, first: &Path) -> FileStat {
        let path = name.join(file.path.strip_prefix(first).unwrap_or(&file.path));
        FileStat { run: self.files.run_of(&path), path, ..file.clone() }
    }

    /// Second names of files from links to them. A file that is the same as another one of its run is not listed.
    pub(super) fn same_files(&mut self) -> SecondNames {
        self.add_linked_to();
        let of_one_run = same_files(&self.linked_files, |file| (file.identity, file.path.parent()));
        if !of_one_run.is_empty() {
            self.listing.files.retain(|file| !of_one_run.contains_key(&file.path));
            self.linked_files.retain(|file| !of_one_run.contains_key(&file.path));
        }
        same_files(&self.linked_files, |file| file.identity)
    }

    /// Adds the files that links lead to.
    fn add_linked_to(&mut self) {
        if self.linked_files.is_empty() {
            return;
        }
        let (linked, known): (HashSet<Identity>, HashSet<&Path>) =
            self.linked_files.iter().map(|file| (file.identity, file.path.as_path())).unzip();
        let files = self.listing.files.iter();
        let others =
            files.filter(|file| linked.contains(&file.identity) && !known.contains(file.path.as_path()));
        let others = others.map(|file| LinkedFile {
            path: file.path.clone(),
            is_link: false,
            identity: file.identity,
        });
        let others: Vec<LinkedFile> = others.collect();
        self.linked_files.extend(others);
    }

    /// Links to event files that were found so far.
    pub(super) fn links_to_files(&self) -> impl Iterator<Item = &Path> {
        self.linked_files.iter().filter(|file| file.is_link).map(|file| file.path.as_path())
    }

    /// The listing in the order of paths.
    pub(super) fn into_listing(self) -> Listing {
        let mut listing = self.listing;
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing.exported.sort_by(|a, b| a.path.cmp(&b.path));
        listing.stored.sort_by(|a, b| a.path.cmp(&b.path));
        without_parts(&mut listing.stored, &self.stored_links);
        listing
    }
}

/// Removes files that are opened with the index to which they belong, and second names of files.
fn without_parts(stored: &mut Vec<FileStat>, links: &HashSet<PathBuf>) {
    let paths: HashSet<PathBuf> = stored.iter().map(|file| file.path.clone()).collect();
    let is_part = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(index_of_part);
        name.is_some_and(|index| paths.contains(&path.with_file_name(index)))
    };
    stored.retain(|file| !is_part(&file.path));
    // A real file keeps its name, and links to it lose theirs: `last.ckpt` often is a link to the newest file.
    let real: HashSet<Identity> =
        stored.iter().filter(|file| !links.contains(&file.path)).map(|file| file.identity).collect();
    let mut seen = HashSet::new();
    stored.retain(|file| {
        let is_second = real.contains(&file.identity) && links.contains(&file.path);
        !is_second && seen.insert(file.identity)
    });
}
