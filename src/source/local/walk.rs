//! A directory -> the event files and directories below it, each directory walked once, and never the whole machine.
//!
//! Real directories come first, level by level, then the targets of links. So a link never takes the name of a real directory,
//! and removing a link changes no other name. A link to a directory that was walked already gives its event files a second name,
//! unless that directory contains the link. A link out of the logdir may lead anywhere: there the walk is stopped after many
//! directories without an event file ([`Bounds`]). The kernel's file systems are never walked.

mod found;
mod links;
mod second_names;
mod tree;

use std::{
    collections::{HashSet, VecDeque},
    fs::{self, DirEntry, FileType, Metadata},
    io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

pub(super) use self::tree::Bounds;
use self::{
    found::FoundFiles,
    links::{LEADS_ABOVE, Links},
    second_names::{Again, SecondNames},
    tree::{PendingDir, Tree, enqueue, reason_to_end},
};
use super::{
    files::{LocalFiles, identity},
    pseudo::kernel_file_system,
};
use crate::source::{Identity, Listing, is_event_file_name};

const DEEPEST_DIRECTORY: usize = 64;

/// A walk in progress.
pub(super) struct DirWalk<'a> {
    root: &'a Path,
    stop: &'a AtomicBool,
    bounds: Bounds,
    links: Links<'a>,
    found: FoundFiles<'a>,
    /// Links to directories that are still to be followed.
    waiting_links: VecDeque<PendingDir>,
    /// Real directories that were walked.
    inside: HashSet<Identity>,
    /// Walked directories that only links lead to.
    linked: HashSet<Identity>,
    /// Targets of links whose walk was stopped: many runs may have a link to the same pictures.
    given_up: HashSet<Identity>,
    again: Again,
    n_walked: usize,
}

impl<'a> DirWalk<'a> {
    pub(super) fn new(files: &'a LocalFiles, stop: &'a AtomicBool, bounds: Bounds) -> Self {
        Self {
            root: &files.root,
            stop,
            bounds,
            links: Links::of(&files.root),
            found: FoundFiles::nothing(files),
            waiting_links: VecDeque::new(),
            inside: HashSet::new(),
            linked: HashSet::new(),
            given_up: HashSet::new(),
            again: Again::default(),
            n_walked: 0,
        }
    }

    /// Everything below the root.
    pub(super) fn all(mut self) -> io::Result<Listing> {
        self.found.listing.root = identity(&self.root.metadata()?);
        self.tree(Tree::of_logdir(PendingDir { path: self.root.to_owned(), depth: 0, device: None }))?;
        while let Some(link) = self.waiting_links.pop_front() {
            self.follow(link)?;
        }
        self.found.add_second_names(&self.again);
        Ok(self.found.into_listing())
    }

    /// What is below a directory of the logdir, without the targets of links.
    pub(super) fn below(mut self, dir: &Path) -> io::Result<Listing> {
        self.found.listing.root = identity(&self.root.metadata()?);
        let depth = dir.strip_prefix(self.root).map_or(0, |below| below.components().count());
        let top = PendingDir { path: dir.to_owned(), depth, device: None };
        if dir.is_symlink() && dir != self.root {
            self.waiting_links.push_back(top);
        } else {
            self.tree(Tree::of_logdir(top))?;
        }
        for link in std::mem::take(&mut self.waiting_links) {
            match self.links.within(&link.path) {
                Some(first) => {
                    self.found.listing.second_names.insert(link.path, first);
                }
                None => self.found.listing.leads_out = true,
            }
        }
        let names = self.names_of_files();
        self.found.listing.second_names.extend(names);
        Ok(self.found.into_listing())
    }

    /// Links to files of the logdir, in a part that was walked, with the first names of these files.
    fn names_of_files(&mut self) -> SecondNames {
        let mut names = self.found.same_files();
        let leading =
            self.found.links_to_files().filter_map(|link| Some((link.to_owned(), self.links.within(link)?)));
        names.extend(leading.filter(|(link, first)| link.parent() != first.parent()).collect::<Vec<_>>());
        names
    }

    fn follow(&mut self, link: PendingDir) -> io::Result<()> {
        let Ok(meta) = link.path.metadata() else { return Ok(()) };
        let target = identity(&meta);
        if self.linked.contains(&target) {
            self.found.listing.has_other_names = true;
        }
        if self.linked.contains(&target) || self.inside.contains(&target) {
            self.again.links.push((link.path, target));
            return Ok(());
        }
        if self.given_up.contains(&target) {
            let reason = "it leads where another link leads that is left out";
            self.found.leave_out(&link.path, reason.to_owned());
            return Ok(());
        }
        if self.links.leads_above(&link.path) {
            self.found.leave_out(&link.path, LEADS_ABOVE.to_owned());
            return Ok(());
        }
        let path = link.path.clone();
        let is_within = self.links.within(&path).is_some();
        match self.tree(if is_within { Tree::of_logdir(link) } else { Tree::outside(link) }) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.found.trouble(&path, &error);
                Ok(())
            }
            done => done,
        }
    }

    /// Walks a tree. Returns an error of its top directory; errors below it are noted as troubles.
    fn tree(&mut self, mut tree: Tree) -> io::Result<()> {
        let top = tree.waiting.front().map(|place| place.path.clone()).unwrap_or_default();
        while let Some(place) = tree.waiting.pop_front() {
            let reason = reason_to_end(self.n_walked, self.bounds);
            if let Some(reason) = reason.or_else(|| tree.reason_to_give_up(self.bounds)) {
                self.found.leave_out(&top, reason);
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
                self.found.trouble(&place.path, &error);
            }
        }
        self.found.listing.dirs.extend(tree.dirs);
        Ok(())
    }

    /// For a link that leads to hardly any event file: keeps only the directories that hold one, so that another link may
    /// lead to the others.
    fn give_up(&mut self, tree: &mut Tree) {
        if !tree.is_linked {
            return;
        }
        self.given_up.extend(tree.dirs.first().map(|(_, top)| *top));
        let kept = self.found.dirs_with_event_files();
        let linked = &mut self.linked;
        tree.dirs.retain(|(dir, identity)| {
            let is_kept = kept.contains(dir.as_path());
            if !is_kept {
                linked.remove(identity);
            }
            is_kept
        });
    }

    fn directory(&mut self, place: &PendingDir, tree: &mut Tree) -> io::Result<()> {
        let dir = &place.path;
        let meta = dir.metadata()?;
        if place.device != Some(meta.dev())
            && let Some(name) = kernel_file_system(dir)
        {
            let reason = format!(
                "it lies on {name}, which the kernel makes up, and is left out: event files lie in directories on a disk"
            );
            self.found.leave_out(dir, reason);
            return Ok(());
        }
        if tree.is_linked && dir.is_symlink() && self.links.leads_above(dir) {
            self.found.leave_out(dir, LEADS_ABOVE.to_owned());
            return Ok(());
        }
        if !self.is_new(identity(&meta), tree.is_linked) {
            if dir.is_symlink() {
                self.again.links.push((dir.clone(), identity(&meta)));
            } else if tree.is_linked {
                self.again.directories.push((dir.clone(), identity(&meta)));
            }
            return Ok(());
        }
        if place.depth > DEEPEST_DIRECTORY {
            let reason = format!("it lies more than {DEEPEST_DIRECTORY} directories deep and is left out");
            self.found.leave_out(dir, reason);
            return Ok(());
        }
        self.entries(place, &meta, tree)
    }

    /// Sorts the entries of a directory into files, directories and links.
    fn entries(&mut self, place: &PendingDir, meta: &Metadata, tree: &mut Tree) -> io::Result<()> {
        let entries = fs::read_dir(&place.path)?;
        self.n_walked += 1;
        tree.dirs.push((place.path.clone(), identity(meta)));
        let n_files_before = self.found.n_event_files();
        let (first_dir, first_link) = (tree.waiting.len(), self.waiting_links.len());
        let mut n_names = 0;
        for entry in entries {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            n_names += 1;
            match entry {
                Ok(entry) => {
                    let device = Some(meta.dev());
                    self.entry(
                        &entry,
                        PendingDir { path: entry.path(), depth: place.depth + 1, device },
                        tree,
                    );
                }
                Err(error) => self.found.trouble(&place.path, &error),
            }
        }
        tree.waiting.make_contiguous()[first_dir..].sort_by(|a, b| a.path.cmp(&b.path));
        self.waiting_links.make_contiguous()[first_link..].sort_by(|a, b| a.path.cmp(&b.path));
        tree.count(self.found.n_event_files() - n_files_before, n_names);
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, place: PendingDir, tree: &mut Tree) {
        let kind = entry.file_type();
        let is_link = kind.as_ref().is_ok_and(FileType::is_symlink);
        if kind.is_ok_and(|kind| kind.is_dir()) {
            enqueue(place, &mut tree.waiting, self.bounds);
        } else if is_link && place.path.is_dir() {
            // Links below the target of a link share its bounds, so that no chain of links is endless.
            let waiting = if tree.is_linked { &mut tree.waiting } else { &mut self.waiting_links };
            enqueue(PendingDir { device: None, ..place }, waiting, self.bounds);
        } else if is_event_file_name(entry.file_name().as_bytes()) {
            self.found.event_file(&place.path, is_link);
        } else {
            self.found.other_file(entry);
        }
    }

    /// Notes that a directory is walked, and returns whether it was not walked before, under any name.
    fn is_new(&mut self, dir: Identity, is_linked: bool) -> bool {
        if !is_linked {
            return self.inside.insert(dir);
        }
        let is_new = !self.inside.contains(&dir) && self.linked.insert(dir);
        self.found.listing.has_other_names |= !is_new && self.linked.contains(&dir);
        is_new
    }
}

#[cfg(test)]
mod tests;
