//! Directories of this machine -> a source.
//!
//! Only regular files are opened, so that a FIFO, a socket or a device with an event file's name cannot hang anything.
//! Links are followed; each directory is walked once, by its device and inode, so that loops end. A handful of
//! descriptors is kept open and none for good: thousands of runs must fit below the usual limit of 1024. Reads are
//! positioned (`pread`), never mapped: a file cut while it is mapped would kill the process.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileExt, MetadataExt},
    },
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{FileStat, Listing, Source, is_event_file_name, is_export_name};
use crate::types::{RunName, text_of_bytes};

const OPEN_FILES: usize = 64;
const DEEPEST_DIRECTORY: usize = 64;

/// The event files below a directory of this machine.
pub struct Local {
    root: PathBuf,
    open: Mutex<OpenFiles>,
}

/// Device and inode.
type Identity = (u64, u64);

#[derive(Default)]
struct OpenFiles {
    /// By the path's bytes: a `Path` is hashed part by part, which costs as much as a short read.
    /// The file, its identity, and when it was last used.
    by_path: HashMap<OsString, (Arc<File>, Identity, u64)>,
    clock: u64,
}

impl Local {
    /// A source rooted at `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root, open: Mutex::default() }
    }

    fn run_of(&self, path: &Path) -> RunName {
        let dir = path.parent().unwrap_or(path);
        let relative = dir.strip_prefix(&self.root).unwrap_or(dir);
        let parts: Vec<String> = relative
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .map(|part| text_of_bytes(part.as_os_str().as_bytes()))
            .collect();
        if parts.is_empty() { RunName::from(".") } else { RunName::from(parts.join("/")) }
    }

    fn file_stat(&self, path: &Path, meta: &Metadata) -> FileStat {
        FileStat {
            path: path.to_owned(),
            run: self.run_of(path),
            identity: identity(meta),
            len: meta.len(),
            mtime_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
        }
    }

    fn open(&self, path: &Path) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clock += 1;
        let now = open.clock;
        if let Some((file, _, used)) = open.by_path.get_mut(path.as_os_str()) {
            *used = now;
            return Ok(Arc::clone(file));
        }
        let file = open_regular(path)?;
        let identity = identity(&file.metadata()?);
        if open.by_path.len() >= OPEN_FILES {
            let oldest =
                open.by_path.iter().min_by_key(|(_, (_, _, used))| *used).map(|(path, _)| path.clone());
            if let Some(oldest) = oldest {
                open.by_path.remove(&oldest);
            }
        }
        let file = Arc::new(file);
        open.by_path.insert(path.as_os_str().to_owned(), (Arc::clone(&file), identity, now));
        Ok(file)
    }

    /// Closes the descriptor of `path` unless it is still the file that now has this name.
    fn close_unless(&self, path: &Path, current: Option<(u64, u64)>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.by_path.get(path.as_os_str()).is_some_and(|(_, identity, _)| Some(*identity) != current) {
            open.by_path.remove(path.as_os_str());
        }
    }
}

fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// Opens without waiting for a writer, should the name have become a FIFO since it was looked at.
fn open_regular(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_an_event_file()) }
}

fn not_an_event_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "no regular event file")
}

impl Source for Local {
    fn root(&self) -> &Path {
        &self.root
    }

    fn list(&self) -> io::Result<Listing> {
        let mut walk = Walk { local: self, listing: Listing::default(), seen: HashSet::new() };
        walk.directory(&self.root, 0)?;
        let mut listing = walk.listing;
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing.exported.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listing)
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        let found = path.metadata();
        let current = found.as_ref().ok().map(identity);
        self.close_unless(path, current);
        let meta = found?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let name = path.file_name().unwrap_or_default();
        if !meta.is_file() || !is_event_file_name(name.as_bytes()) || is_export_name(name.as_bytes()) {
            return Err(not_an_event_file());
        }
        Ok(self.file_stat(path, &meta))
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
                    self.close_unless(path, None);
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
}

struct Walk<'a> {
    local: &'a Local,
    listing: Listing,
    seen: HashSet<(u64, u64)>,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &Path, depth: usize) -> io::Result<()> {
        let meta = dir.metadata()?;
        if depth > DEEPEST_DIRECTORY || !self.seen.insert(identity(&meta)) {
            return Ok(());
        }
        let entries = fs::read_dir(dir)?;
        self.listing.dirs.push(dir.to_owned());
        let mut subdirs = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => self.entry(&entry, &mut subdirs),
                Err(error) => self.trouble(dir, &error),
            }
        }
        subdirs.sort();
        for subdir in subdirs {
            if let Err(error) = self.directory(&subdir, depth + 1) {
                self.trouble(&subdir, &error);
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, subdirs: &mut Vec<PathBuf>) {
        let path = entry.path();
        let kind = entry.file_type();
        let is_link = kind.as_ref().is_ok_and(fs::FileType::is_symlink);
        let is_dir = if is_link { path.is_dir() } else { kind.is_ok_and(|kind| kind.is_dir()) };
        if is_dir {
            subdirs.push(path);
        } else if is_event_file_name(entry.file_name().as_bytes()) {
            match path.metadata() {
                Ok(meta) if meta.is_file() => {
                    let stat = self.local.file_stat(&path, &meta);
                    self.local.close_unless(&path, Some(stat.identity));
                    let is_export = is_export_name(entry.file_name().as_bytes());
                    let listing = &mut self.listing;
                    if is_export { &mut listing.exported } else { &mut listing.files }.push(stat);
                }
                // FIFOs, sockets and devices hold no events.
                Ok(_) => {}
                Err(error) => self.trouble(&path, &error),
            }
        }
    }

    fn trouble(&mut self, path: &Path, error: &io::Error) {
        // A file that went away while the walk was under way is no trouble.
        if error.kind() != io::ErrorKind::NotFound || path.is_symlink() {
            self.listing.troubles.push((path.to_owned(), error.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::fs::symlink};

    use super::*;

    fn names(listing: &Listing) -> Vec<String> {
        listing.files.iter().map(|file| file.run.to_string()).collect()
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
        let listing = local.list().unwrap();
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
        let listing = local.list().unwrap();
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
        assert_eq!(names(&local.list().unwrap()), [".", "r\\xff"]);
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
    fn more_files_than_descriptors_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::new(dir.path().to_owned());
        for i in 0..2 * OPEN_FILES {
            let path = dir.path().join(format!("{i}.tfevents"));
            fs::write(&path, b"x").unwrap();
            assert_eq!(local.read_at(&path, 0, &mut [0; 4]).unwrap(), 1);
        }
        assert_eq!(local.open.lock().unwrap().by_path.len(), OPEN_FILES);
    }
}
