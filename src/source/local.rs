//! Directories of this machine -> a source.
//!
//! Only regular files are opened, so that a FIFO, a socket or a device with an event file's name cannot hang anything.
//! Reads are positioned (`pread`), never mapped: a file cut while it is mapped would kill the process.

mod files;
mod first_bytes;
mod open;
mod places;
mod pseudo;
mod walk;

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

pub use self::places::{CheckpointsOfRun, Places};
use self::{
    files::{LocalFiles, identity},
    open::{invalid, open_regular},
    walk::{Bounds, DirWalk},
};
use super::{FileStat, Identity, Listing, NamedPlace, Source, is_source_name};

/// The event files below a directory of this machine.
pub struct Local {
    files: LocalFiles,
    places: Places,
}

impl Local {
    /// A source rooted at `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self::with(root, Places::default())
    }

    /// A source rooted at `root`, of which only some places are shown, or others besides.
    #[must_use]
    pub fn with(root: PathBuf, places: Places) -> Self {
        Self { files: LocalFiles::new(root), places }
    }

    /// The target of the first link, by name, in the root itself.
    #[must_use]
    pub fn first_linked(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(&self.files.root).ok()?;
        let links = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_symlink());
        links.min()?.read_link().ok()
    }

    fn open(&self, path: &Path) -> io::Result<Arc<File>> {
        self.files.open.file(path, open_regular)
    }
}

impl Source for Local {
    fn root(&self) -> &Path {
        &self.files.root
    }

    fn list(&self, stop: &AtomicBool) -> io::Result<Listing> {
        let mut listing = if self.places.only.is_empty() {
            DirWalk::new(&self.files, stop, Bounds::default()).all()?
        } else {
            self.places.list_only(&self.files, stop)?
        };
        self.places.add_checkpoints(&self.files, &mut listing, stop)?;
        Ok(listing)
    }

    fn list_below(&self, dir: &Path, stop: &AtomicBool) -> io::Result<Listing> {
        if !self.places.shows(dir) {
            return Ok(Listing { root: self.directory(self.root())?, ..Listing::default() });
        }
        DirWalk::new(&self.files, stop, Bounds::default()).below(dir)
    }

    fn checkpoints_beside(&self, dir: &Path) -> Vec<String> {
        self.places.names_beside(dir)
    }

    fn directory(&self, dir: &Path) -> io::Result<Identity> {
        let meta = dir.metadata()?;
        if meta.is_dir() { Ok(identity(&meta)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        let stat = self.state(path)?;
        let name = path.file_name().unwrap_or_default();
        let is_shown = self.places.shows(path) && path.starts_with(self.root());
        if is_source_name(name.as_bytes()) && is_shown {
            Ok(stat)
        } else {
            Err(invalid("it is no event file"))
        }
    }

    fn state(&self, path: &Path) -> io::Result<FileStat> {
        let found = path.metadata();
        let current = found.as_ref().ok().map(identity);
        self.files.open.close_unless(path, current);
        let meta = found?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !meta.is_file() {
            return Err(invalid("it is no regular file"));
        }
        Ok(self.files.stat(path, &meta))
    }

    fn shows(&self, path: &Path) -> bool {
        self.places.shows(path)
    }

    fn named_place(&self, path: &Path) -> Option<NamedPlace> {
        if let Some(place) = self.places.of_run(path) {
            return Some(NamedPlace::OfRun(place.run.clone(), place.path.clone()));
        }
        let place = self.places.only.iter().find(|only| path.starts_with(only))?;
        let relative = place.strip_prefix(self.root()).unwrap_or(place);
        let is_itself = place == path;
        let directory = || NamedPlace::Directory(relative.to_owned());
        Some(if is_itself { NamedPlace::File(self.files.own_run(path)) } else { directory() })
    }

    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let file = self.open(path)?;
        let mut filled = 0;
        while filled < buf.len() {
            match file.read_at(&mut buf[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.files.open.close_unless(path, None);
                    return Err(error);
                }
            }
        }
        Ok(filled)
    }

    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        open_regular(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn close(&self, path: &Path) {
        self.files.open.close_below(path);
    }

    fn close_unused(&self, unused_for: Duration) {
        self.files.open.close_unused(unused_for);
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, fs, os::unix::fs::symlink};

    use super::{open::OPEN_FILES, *};

    fn names(listing: &Listing) -> Vec<String> {
        listing.files.iter().map(|file| file.run.to_string()).collect()
    }

    fn listed(local: &Local) -> Listing {
        local.list(&AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn a_walk_ends_in_spite_of_loops_and_fifos() {
        let dir = tempfile::tempdir().unwrap();
        let train = dir.path().join("exp/train");
        fs::create_dir_all(&train).unwrap();
        fs::write(train.join("events.out.tfevents.1"), b"x").unwrap();
        fs::create_dir(train.join("tfevents.dir")).unwrap();
        symlink(dir.path(), train.join("loop")).unwrap();
        symlink("nowhere", train.join("broken.tfevents")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            train.join("fifo.tfevents"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let local = Local::new(dir.path().to_owned());
        let listing = listed(&local);
        assert_eq!(names(&listing), ["exp/train"]);
        assert_eq!(listing.dirs.len(), 4);
        assert!(local.stat(&train.join("fifo.tfevents")).is_err());
        assert!(local.read_at(&train.join("fifo.tfevents"), 0, &mut [0]).is_err());
    }

    #[test]
    fn our_own_exports_are_listed_apart() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("events.out.tfevents.1.convscope");
        fs::write(&own, b"x").unwrap();
        let local = Local::new(dir.path().to_owned());
        let listing = listed(&local);
        assert_eq!((names(&listing).len(), listing.exported.len()), (0, 1));
        assert!(local.stat(&own).is_err());
    }

    #[test]
    fn names_that_are_not_utf8_are_runs_too() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join(OsStr::from_bytes(b"r\xff"));
        fs::create_dir(&odd).unwrap();
        fs::write(odd.join("a.tfevents"), b"").unwrap();
        fs::write(dir.path().join("b.tfevents"), b"").unwrap();
        let local = Local::new(dir.path().to_owned());
        assert_eq!(names(&listed(&local)), [".", "r\\xff"]);
    }

    #[test]
    fn what_cannot_be_read_whole_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"four").unwrap();
        let local = Local::new(dir.path().to_owned());
        let kind = |path: &Path, most: usize| local.read_whole(path, most).unwrap_err().kind();
        assert_eq!(local.read_whole(&file, 4).unwrap(), b"four");
        assert_eq!(kind(&file, 3), io::ErrorKind::FileTooLarge);
        assert_eq!(kind(&file.join("below"), 4), io::ErrorKind::NotADirectory);
        assert_eq!(local.read_whole(dir.path(), 4).unwrap_err().to_string(), "it is no regular file");
    }

    #[test]
    fn a_replaced_file_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tfevents");
        fs::write(&path, b"old").unwrap();
        let local = Local::new(dir.path().to_owned());
        let mut buf = [0; 3];
        local.read_at(&path, 0, &mut buf).unwrap();
        fs::write(dir.path().join("new"), b"new").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        local.stat(&path).unwrap();
        local.read_at(&path, 0, &mut buf).unwrap();
        assert_eq!(&buf, b"new");
    }

    #[test]
    fn files_that_are_gone_or_not_read_are_closed() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::new(dir.path().to_owned());
        let paths = ["a/1.tfevents", "a/2.tfevents", "ab.tfevents"].map(|name| dir.path().join(name));
        fs::create_dir(dir.path().join("a")).unwrap();
        for path in &paths {
            fs::write(path, b"x").unwrap();
            local.read_at(path, 0, &mut [0]).unwrap();
        }
        local.close(&dir.path().join("a"));
        assert_eq!(local.files.open.count(), 1);
        fs::remove_file(&paths[2]).unwrap();
        assert!(local.stat(&paths[2]).is_err());
        assert_eq!(local.files.open.count(), 0);
        local.read_at(&paths[0], 0, &mut [0]).unwrap();
        local.close_unused(Duration::from_secs(3600));
        assert_eq!(local.files.open.count(), 1);
        local.close_unused(Duration::ZERO);
        assert_eq!(local.files.open.count(), 0);
    }

    #[test]
    fn more_files_than_descriptors_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::new(dir.path().to_owned());
        for i in 0..2 * OPEN_FILES {
            let path = dir.path().join(format!("{i}.tfevents"));
            fs::write(&path, b"x").unwrap();
            assert_eq!(local.read_at(&path, 0, &mut [0; 4]).unwrap(), 1);
        }
        assert_eq!(local.files.open.count(), OPEN_FILES);
    }
}
