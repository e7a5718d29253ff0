//! The directory of a shelf: which files are in it, and how one is added, moved or removed.
//!
//! `BASE/NAME-12345678/` belongs to one logdir, whose path its file `logdir.json` has. Below it, saves lie in directories that are
//! named as their runs.

use std::{
    fs::{self, DirBuilder},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::{
    reader::{
        contents::OpenError,
        files::SourceFiles,
        input::Files as _,
        shelf::{self, ENDING, KeptSave},
    },
    source::local::Local,
    types::digits,
};

/// The file that names the logdir.
const LOGDIR_FILE: &str = "logdir.json";
/// How deep directories of runs are followed.
const MOST_LEVELS: usize = 40;
/// A file that was not renamed within this time was left by a program that died.
const LEFT_AFTER: Duration = Duration::from_secs(3_600);
/// How the name of a file begins until it is complete.
const NEW: &str = ".new-";
/// The longest name of a directory that is made from a name of a run, in bytes.
const LONGEST_NAME: usize = 120;

/// The directory of one logdir.
#[derive(Clone, Debug)]
pub struct ShelfDirectory {
    /// The directory.
    pub path: PathBuf,
    logdir: PathBuf,
}

/// A file with a save.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SaveFile {
    /// Its path.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was written, in nanoseconds since 1970.
    pub kept_ns: i128,
}

#[derive(Serialize, Deserialize)]
struct LogdirJson {
    logdir: String,
}

/// Where shelves are if nobody says otherwise: `convscope/shelf` in the user's directory for state (XDG Base Directory Specification
/// 0.8; on macOS `~/Library/Application Support`). `None` if the user has no home.
#[must_use]
pub fn default_base() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let below_home = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/state" };
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(below_home)))?;
    Some(state.join("convscope").join("shelf"))
}

/// A path without links, also if its last parts do not exist yet.
#[must_use]
pub fn real_path(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let Some((above, real)) = there else { return path.to_owned() };
    path.strip_prefix(above).map_or_else(
        |_| path.to_owned(),
        |rest| if rest.as_os_str().is_empty() { real.clone() } else { real.join(rest) },
    )
}

impl ShelfDirectory {
    /// The directory of a logdir. Nothing is created yet.
    #[must_use]
    pub fn of(base: &Path, logdir: &Path) -> Self {
        let logdir = real_path(logdir);
        let digest = Sha256::digest(logdir.as_os_str().as_encoded_bytes());
        let name = logdir.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy());
        let name = format!("{}-{}", printable(&name), digits(&digest[..4]));
        Self { path: real_path(base).join(name), logdir }
    }

    /// A directory that is there, if it is one of a logdir.
    #[must_use]
    pub fn at(path: PathBuf) -> Option<Self> {
        let text = fs::read(path.join(LOGDIR_FILE)).ok()?;
        let known: LogdirJson = serde_json::from_slice(&text).ok()?;
        Some(Self { path, logdir: PathBuf::from(known.logdir) })
    }

    /// The directories of all logdirs, by their names.
    #[must_use]
    pub fn all(base: &Path) -> Vec<Self> {
        let entries = fs::read_dir(base).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths.into_iter().filter_map(Self::at).collect()
    }

    /// The logdir.
    #[must_use]
    pub fn logdir(&self) -> &Path {
        &self.logdir
    }

    /// The files with saves, in order of their paths, without those that are being written.
    ///
    /// # Errors
    /// If a directory cannot be read; a directory that is not there has no files.
    pub fn files(&self) -> io::Result<Vec<SaveFile>> {
        let mut files = Vec::new();
        add_files(&self.path, MOST_LEVELS, &mut files)?;
        files.sort();
        Ok(files)
    }

    /// Adds a save, and returns its file. If another program has added the same meanwhile, that one stays.
    ///
    /// # Errors
    /// If the directory cannot be written or the disk is full; then nothing is left behind.
    pub fn add(&self, run: &str, name: &str, bytes: &[u8]) -> io::Result<SaveFile> {
        let parts = run.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
        let dir = parts.fold(self.path.clone(), |dir, part| dir.join(printable(part)));
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let logdir = LogdirJson { logdir: self.logdir.display().to_string() };
        let logdir = serde_json::to_vec(&logdir)?;
        if fs::read(self.path.join(LOGDIR_FILE)).ok().is_none_or(|there| there != logdir) {
            write_whole(&self.path.join(LOGDIR_FILE), &logdir)?;
        }
        let path = dir.join(name);
        let new = new_file(&dir, bytes)?;
        // One of another length was cut when a machine failed.
        let is_cut = path.metadata().is_ok_and(|there| there.len() != bytes.len() as u64);
        let added = if is_cut { new.persist(&path) } else { new.persist_noclobber(&path) };
        match added {
            Err(failed) if failed.error.kind() != io::ErrorKind::AlreadyExists => return Err(failed.error),
            _ => {}
        }
        let kept_ns = modified_ns(&path.metadata()?);
        Ok(SaveFile { path, bytes: bytes.len() as u64, kept_ns })
    }

    /// Removes files and directories that are empty then.
    ///
    /// # Errors
    /// If a file cannot be removed. One that is gone already is no error.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let dirs =
            path.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.path) && **dir != *self.path);
        // A directory that has other files stays.
        dirs.take_while(|dir| fs::remove_dir(dir).is_ok()).for_each(drop);
        Ok(())
    }

    /// Removes the directory itself, which holds no save any longer.
    ///
    /// # Errors
    /// If the system does not let it be removed, for example because another program has added a file.
    pub fn remove_all(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(LOGDIR_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::remove_dir(&self.path)
    }

    /// Reads a save.
    ///
    /// # Errors
    /// See [`shelf::open`].
    pub fn read(file: &SaveFile) -> Result<KeptSave, OpenError> {
        let local = Local::new(PathBuf::from("/"));
        let files = SourceFiles::new(&local);
        let input = files.open(&file.path)?;
        shelf::open(&*input, &file.path, files.opened())
    }
}

fn add_files(dir: &Path, levels: usize, files: &mut Vec<SaveFile>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if kind.is_dir() && levels > 0 {
            add_files(&entry.path(), levels - 1, files)?;
        } else if kind.is_file() {
            // It may have been removed meanwhile.
            let Ok(meta) = entry.metadata() else { continue };
            let name = name.as_encoded_bytes();
            if name.ends_with(ENDING.as_bytes()) {
                files.push(SaveFile { path: entry.path(), bytes: meta.len(), kept_ns: modified_ns(&meta) });
            } else if name.starts_with(NEW.as_bytes()) && is_left(&meta) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    Ok(())
}

fn is_left(meta: &fs::Metadata) -> bool {
    let age = meta.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    age.is_some_and(|age| age > LEFT_AFTER)
}

fn modified_ns(meta: &fs::Metadata) -> i128 {
    let age = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    age.and_then(|age| i128::try_from(age.as_nanos()).ok()).unwrap_or_default()
}

/// Writes under another name first, so that nobody reads half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = new_file(path.parent().unwrap_or(path), bytes)?;
    new.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

fn new_file(dir: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut new = tempfile::Builder::new().prefix(NEW).tempfile_in(dir)?;
    new.write_all(bytes)?;
    Ok(new)
}

/// A name of a directory that any file system allows. What is changed or cut is told apart by digits.
fn printable(name: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-=+,@() ".contains(letter);
    if name.chars().all(is_plain) && name.len() <= LONGEST_NAME && !name.starts_with(NEW) {
        return name.to_owned();
    }
    let mut plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    while plain.len() > LONGEST_NAME {
        plain.pop();
    }
    format!("{plain}~{}", digits(&Sha256::digest(name)[..4]))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_added_is_listed_until_it_is_removed() {
        let base = tempfile::tempdir().unwrap();
        let dir = ShelfDirectory::of(base.path(), Path::new("/logs/runs"));
        assert_eq!(dir.files().unwrap(), [], "nothing is created before something is kept");
        assert!(!dir.path.exists());
        let name = format!("events.out.tfevents.1.s5{ENDING}");
        let file = dir.add("a/b:c", &name, b"12345").unwrap();
        assert_eq!(dir.files().unwrap(), std::slice::from_ref(&file));
        assert_eq!(dir.add("a/b:c", &name, b"12345").unwrap().path, file.path);
        fs::write(&file.path, b"123").unwrap();
        dir.add("a/b:c", &name, b"12345").unwrap();
        assert_eq!(fs::read(&file.path).unwrap(), b"12345", "a file that was cut is written again");
        assert_eq!(ShelfDirectory::all(base.path())[0].logdir(), Path::new("/logs/runs"));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir.path), mode(&file.path)), (0o700, 0o600));
        dir.remove(&file.path).unwrap();
        dir.remove(&file.path).unwrap();
        assert_eq!(dir.files().unwrap(), []);
        assert!(dir.path.exists() && !dir.path.join("a").exists());
    }

    #[test]
    fn each_logdir_has_its_own_directory() {
        let dir = |logdir: &str| ShelfDirectory::of(Path::new("/shelf"), Path::new(logdir)).path;
        assert_ne!(dir("/a/logs"), dir("/b/logs"));
        assert_eq!(dir("/a/logs"), dir("/a/logs"));
        assert!(dir("/").file_name().is_some());
    }

    #[test]
    fn names_of_runs_are_names_of_directories() {
        assert_eq!(printable("train run_2=0.1"), "train run_2=0.1");
        assert!(printable("a\nb").starts_with("a_b~") && printable("a\nb") != printable("a\tb"));
        assert!(printable(&"ä".repeat(300)).len() < 140);
    }
}
