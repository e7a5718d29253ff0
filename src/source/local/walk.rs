//! A directory -> the event files and directories below it, each directory walked once and the machine never.
//!
//! Real directories come first, level by level, then what links lead to, so that a link never takes the name of a real
//! directory, and taking one away changes no other name. A link to what was walked already gives its event files a second name,
//! unless it leads to a directory that it lies in itself. One that leads out of the logdir may lead anywhere: there the walk gives up after [`BARREN`] directories without an event file, or as many
//! names as [`NAMES_A_DIRECTORY`] times that. The kernel's own file systems are never walked.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fs::{self, DirEntry, FileType, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirEntryExt as _, MetadataExt},
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{Local, identity, pseudo::kernel_file_system};
use crate::source::{
    FileStat, Identity, Listing, MOST_TOLD,
    checkpoint::{MOST_CHECKPOINTS, Start, checkpoint_of},
    is_event_file_name, is_export_name,
};

const DEEPEST_DIRECTORY: usize = 64;
/// More than any logdir was seen to have; a name and a watch for each take some 100 MB together.
const MOST_DIRECTORIES: usize = 250_000;
/// So many directories without an event file are walked behind a link that leads out of the logdir.
const BARREN: usize = 10_000;
/// So many more for each event file that was found there: runs have directories of checkpoints beside them.
const BARREN_FOR_A_FILE: usize = 100;
/// So many at most: a whole machine may hold many event files, in places that nobody meant.
const MOST_BARREN: usize = 50_000;
/// So many files that are named like checkpoints are looked into in one walk; of more the name has to do. A look costs about a
/// millisecond over a network.
const MOST_LOOKS: usize = 1_000;
/// So many event files are listed under second names.
const MOST_SECOND_NAMES: usize = 100_000;
/// So many names in a directory count as another one: directories of pictures have a million.
const NAMES_A_DIRECTORY: usize = 100;

const LEADS_ABOVE: &str = "this link leads to a directory that the logdir lies in, and is left out: link to the directory that holds the runs";

/// How far a walk goes.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    directories: usize,
    barren: usize,
    most_barren: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { directories: MOST_DIRECTORIES, barren: BARREN, most_barren: MOST_BARREN }
    }
}

/// A walk under way.
pub(super) struct Walk<'a> {
    local: &'a Local,
    stop: &'a AtomicBool,
    bounds: Bounds,
    /// The logdir without links in its own name.
    real_root: Option<PathBuf>,
    listing: Listing,
    /// Links to directories that are still to be followed.
    links: VecDeque<Place>,
    /// Real directories that were walked, and those that only links lead to.
    inside: HashSet<Identity>,
    linked: HashSet<Identity>,
    /// What links lead to that was given up: many runs may have a link to the same pictures.
    given_up: HashSet<Identity>,
    /// Links to what has a name already.
    again: Vec<(PathBuf, Identity)>,
    n_walked: usize,
    n_looks: usize,
}

/// A directory that is to be walked.
struct Place {
    path: PathBuf,
    depth: usize,
    /// The device of the directory that it lies in, where that was walked.
    device: Option<u64>,
}

/// Directories that are walked together: those of the logdir, or those that a link leads to.
struct Tree {
    waiting: VecDeque<Place>,
    dirs: Vec<(PathBuf, Identity)>,
    is_linked: bool,
    n_files: usize,
    /// Directories without an event file.
    n_barren: usize,
    /// Names in these.
    n_names: usize,
}

impl Tree {
    fn of(top: Place, is_linked: bool) -> Self {
        Self {
            waiting: VecDeque::from([top]),
            dirs: Vec::new(),
            is_linked,
            n_files: 0,
            n_barren: 0,
            n_names: 0,
        }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(local: &'a Local, stop: &'a AtomicBool, bounds: Bounds) -> Self {
        Self {
            local,
            stop,
            bounds,
            real_root: local.root.canonicalize().ok(),
            listing: Listing::default(),
            links: VecDeque::new(),
            inside: HashSet::new(),
            linked: HashSet::new(),
            given_up: HashSet::new(),
            again: Vec::new(),
            n_walked: 0,
            n_looks: 0,
        }
    }

    /// Everything below the root.
    pub(super) fn all(mut self) -> io::Result<Listing> {
        let root = self.local.root.clone();
        self.listing.root = identity(&root.metadata()?);
        let root = Place { path: root, depth: 0, device: None };
        self.tree(Tree::of(root, false))?;
        while let Some(link) = self.links.pop_front() {
            self.follow(link)?;
        }
        self.name_again();
        Ok(self.sorted())
    }

    /// Lists event files below directories that have more than one name under the others too. Links below them are not followed once
    /// more: the names that are made of many links are without number.
    fn name_again(&mut self) {
        if self.again.is_empty() {
            return;
        }
        let firsts: HashMap<Identity, &PathBuf> =
            self.listing.dirs.iter().map(|(path, identity)| (*identity, path)).collect();
        let links = self.again.iter().filter_map(|(link, target)| Some((link, *firsts.get(target)?)));
        let links: BTreeMap<PathBuf, PathBuf> = links
            .filter(|(link, first)| !link.starts_with(first))
            .map(|(link, first)| (link.clone(), first.clone()))
            .collect();
        self.listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut named: Vec<FileStat> = Vec::new();
        for (link, first) in links {
            let files = &self.listing.files;
            let from = files.partition_point(|file| file.path < first);
            let below = files[from..].iter().take_while(|file| file.path.starts_with(&first));
            let before = named.len();
            for file in below.take(MOST_SECOND_NAMES - before) {
                let rest = file.path.strip_prefix(&first).unwrap_or(&file.path);
                let path = link.join(rest);
                named.push(FileStat { run: self.local.run_of(&path), path, ..file.clone() });
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

    /// What lies below a directory of the logdir, without what links lead to.
    pub(super) fn below(mut self, dir: &Path) -> io::Result<Listing> {
        let root = &self.local.root;
        self.listing.root = identity(&root.metadata()?);
        let depth = dir.strip_prefix(root).map_or(0, |below| below.components().count());
        let top = Place { path: dir.to_owned(), depth, device: None };
        if dir.is_symlink() && dir != root {
            self.links.push_back(top);
        } else {
            self.tree(Tree::of(top, false))?;
        }
        let links = std::mem::take(&mut self.links);
        self.listing.leads_out = links.iter().any(|link| !self.leads_within(&link.path));
        for link in links {
            if let Some(first) = self.within(&link.path) {
                self.listing.second_names.insert(link.path, first);
            }
        }
        Ok(self.sorted())
    }

    fn sorted(self) -> Listing {
        let mut listing = self.listing;
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing.exported.sort_by(|a, b| a.path.cmp(&b.path));
        listing
    }

    fn follow(&mut self, link: Place) -> io::Result<()> {
        let Ok(meta) = link.path.metadata() else { return Ok(()) };
        let target = identity(&meta);
        if self.linked.contains(&target) {
            self.listing.has_other_names = true;
        }
        if self.linked.contains(&target) || self.inside.contains(&target) {
            self.again.push((link.path, target));
            return Ok(());
        }
        if self.given_up.contains(&target) {
            self.leave_out(&link.path, "it leads where another link leads that is left out".to_owned());
            return Ok(());
        }
        if self.leads_above(&link.path) {
            self.leave_out(&link.path, LEADS_ABOVE.to_owned());
            return Ok(());
        }
        let is_linked = !self.leads_within(&link.path);
        let path = link.path.clone();
        match self.tree(Tree::of(link, is_linked)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.trouble(&path, &error);
                Ok(())
            }
            done => done,
        }
    }

    /// Whether it leads to a directory that the logdir lies in.
    fn leads_above(&self, link: &Path) -> bool {
        let target = link.canonicalize();
        self.real_root
            .as_ref()
            .zip(target.ok())
            .is_some_and(|(root, target)| root.starts_with(&target) && *root != target)
    }

    fn leads_within(&self, link: &Path) -> bool {
        self.within(link).is_some()
    }

    /// The directory of the logdir that a link leads to, by its own name.
    fn within(&self, link: &Path) -> Option<PathBuf> {
        let target = link.canonicalize().ok()?;
        Some(self.local.root.join(target.strip_prefix(self.real_root.as_ref()?).ok()?))
    }

    /// Walks a tree. An error is that of its top; those below are troubles.
    fn tree(&mut self, mut tree: Tree) -> io::Result<()> {
        let top = tree.waiting.front().map(|place| place.path.clone()).unwrap_or_default();
        while let Some(place) = tree.waiting.pop_front() {
            if let Some(reason) = self.reason_to_end(&tree) {
                self.leave_out(&top, reason);
                self.give_up(&mut tree);
                break;
            }
            if let Err(error) = self.directory(&place, &mut tree) {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                if place.path == top {
                    return Err(error);
                }
                self.trouble(&place.path, &error);
            }
        }
        self.listing.dirs.extend(tree.dirs);
        Ok(())
    }

    fn reason_to_end(&self, tree: &Tree) -> Option<String> {
        let Bounds { directories, barren, most_barren } = self.bounds;
        if self.n_walked >= directories {
            return Some(format!(
                "there are more than {directories} directories, and those further down are left out: name a logdir that holds fewer"
            ));
        }
        let n_barren = tree.n_barren + tree.n_names / NAMES_A_DIRECTORY;
        let allowed = most_barren.min(barren + BARREN_FOR_A_FILE * tree.n_files);
        (tree.is_linked && n_barren > allowed).then(|| {
            format!(
                "this link leads out of the logdir to {} directories and more, {} of which hold an event file, and the rest is left out: link to the directory that holds the runs",
                tree.dirs.len(),
                tree.dirs.len() - tree.n_barren,
            )
        })
    }

    /// Keeps of a link that leads to hardly any event file only the directories that hold one, so that another link may
    /// lead to the rest.
    fn give_up(&mut self, tree: &mut Tree) {
        if !tree.is_linked {
            return;
        }
        self.given_up.extend(tree.dirs.first().map(|(_, top)| *top));
        let files = self.listing.files.iter().chain(&self.listing.exported);
        let fruitful: HashSet<&Path> = files.filter_map(|file| file.path.parent()).collect();
        let linked = &mut self.linked;
        tree.dirs.retain(|(dir, identity)| {
            let is_kept = fruitful.contains(dir.as_path());
            if !is_kept {
                linked.remove(identity);
            }
            is_kept
        });
    }

    fn directory(&mut self, place: &Place, tree: &mut Tree) -> io::Result<()> {
        let dir = &place.path;
        let meta = dir.metadata()?;
        if place.device != Some(meta.dev())
            && let Some(name) = kernel_file_system(dir)
        {
            let reason = format!(
                "it lies on {name}, which the kernel makes up, and is left out: event files lie in directories on a disk"
            );
            self.leave_out(dir, reason);
            return Ok(());
        }
        if tree.is_linked && dir.is_symlink() && self.leads_above(dir) {
            self.leave_out(dir, LEADS_ABOVE.to_owned());
            return Ok(());
        }
        if !self.is_new(identity(&meta), tree.is_linked) {
            if dir.is_symlink() {
                self.again.push((dir.clone(), identity(&meta)));
            }
            return Ok(());
        }
        if place.depth > DEEPEST_DIRECTORY {
            self.leave_out(
                dir,
                format!("it lies more than {DEEPEST_DIRECTORY} directories deep and is left out"),
            );
            return Ok(());
        }
        self.names(place, &meta, tree)
    }

    /// Sorts what lies in a directory into files, directories and links.
    fn names(&mut self, place: &Place, meta: &Metadata, tree: &mut Tree) -> io::Result<()> {
        let entries = fs::read_dir(&place.path)?;
        self.n_walked += 1;
        tree.dirs.push((place.path.clone(), identity(meta)));
        let before = (self.n_files(), tree.waiting.len(), self.links.len());
        let mut n_names = 0;
        for entry in entries {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            n_names += 1;
            match entry {
                Ok(entry) => self.entry(&entry, tree, (place.depth + 1, meta.dev())),
                Err(error) => self.trouble(&place.path, &error),
            }
        }
        tree.waiting.make_contiguous()[before.1..].sort_by(|a, b| a.path.cmp(&b.path));
        self.links.make_contiguous()[before.2..].sort_by(|a, b| a.path.cmp(&b.path));
        let n_found = self.n_files() - before.0;
        tree.n_files += n_found;
        if n_found == 0 {
            tree.n_barren += 1;
            tree.n_names += n_names;
        }
        Ok(())
    }

    fn n_files(&self) -> usize {
        self.listing.files.len() + self.listing.exported.len()
    }

    /// Notes that a directory is walked, and gives whether it was not before, under whatever name.
    fn is_new(&mut self, dir: Identity, is_linked: bool) -> bool {
        if !is_linked {
            return self.inside.insert(dir);
        }
        let is_new = !self.inside.contains(&dir) && self.linked.insert(dir);
        self.listing.has_other_names |= !is_new && self.linked.contains(&dir);
        is_new
    }

    fn entry(&mut self, entry: &DirEntry, tree: &mut Tree, (depth, device): (usize, u64)) {
        let kind = entry.file_type();
        let is_link = kind.as_ref().is_ok_and(FileType::is_symlink);
        if kind.is_ok_and(|kind| kind.is_dir()) {
            let place = Place { path: entry.path(), depth, device: Some(device) };
            await_turn(place, &mut tree.waiting, self.bounds);
        } else if is_link && entry.path().is_dir() {
            let link = Place { path: entry.path(), depth, device: None };
            // Links behind a link share its bounds, so that no chain of links leads on for ever.
            let waiting = if tree.is_linked { &mut tree.waiting } else { &mut self.links };
            await_turn(link, waiting, self.bounds);
        } else if is_event_file_name(entry.file_name().as_bytes()) {
            self.file(&entry.path());
        } else if self.listing.checkpoints.len() < MOST_CHECKPOINTS {
            self.checkpoint(entry);
        }
    }

    fn checkpoint(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let Some(checkpoint) = checkpoint_of(&path) else { return };
        if !self.listing.checkpoints.contains(&checkpoint) && self.begins_right(&path, entry.ino()) {
            self.listing.checkpoints.insert(checkpoint);
        }
    }

    fn begins_right(&mut self, path: &Path, inode: u64) -> bool {
        let (start, known) = (Start::of(path), &self.local.first_bytes);
        if start == Start::Any || self.n_looks == MOST_LOOKS || known.knows(path, inode) {
            return true;
        }
        self.n_looks += 1;
        known.look(path, inode, start)
    }

    fn file(&mut self, path: &Path) {
        match path.metadata() {
            Ok(meta) if meta.is_file() => {
                let stat = self.local.file_stat(path, &meta);
                self.local.open.close_unless(path, Some(stat.identity));
                self.keep(stat);
            }
            // FIFOs, sockets and devices hold no events.
            Ok(_) => {}
            Err(error) => self.trouble(path, &error),
        }
    }

    fn keep(&mut self, stat: FileStat) {
        let is_export = is_export_name(stat.path.file_name().unwrap_or_default().as_bytes());
        let listing = &mut self.listing;
        if is_export { &mut listing.exported } else { &mut listing.files }.push(stat);
    }

    fn leave_out(&mut self, path: &Path, reason: String) {
        if self.listing.left_out.len() < MOST_TOLD {
            self.listing.left_out.push((path.to_owned(), reason));
        }
    }

    fn trouble(&mut self, path: &Path, error: &io::Error) {
        // A file that went away while the walk was under way is no trouble.
        let is_told = error.kind() != io::ErrorKind::NotFound || path.is_symlink();
        if is_told && self.listing.troubles.len() < MOST_TOLD {
            self.listing.troubles.push((path.to_owned(), error.to_string()));
        }
    }
}

/// One more than may be walked suffices to know that there are too many.
fn await_turn(place: Place, waiting: &mut VecDeque<Place>, bounds: Bounds) {
    if waiting.len() <= bounds.directories {
        waiting.push_back(place);
    }
}

#[cfg(test)]
mod tests;
