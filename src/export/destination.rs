//! Where an export may write: never into the logdir that it reads, and never where another export writes.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Component, Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::error::ExportError;

const LOCK: &str = ".convscope-export";

/// Refuses a place that is in the logdir, is it, or holds it, links resolved. `dirs` are the directories that are read for
/// the logdir, which by way of links may lie elsewhere.
///
/// # Errors
/// [`ExportError::Refused`], or a directory that cannot be looked at.
pub fn apart_from(out: &Path, logdir: &Path, dirs: &[PathBuf]) -> Result<(), ExportError> {
    let out = resolved(out).map_err(ExportError::at(out))?;
    let real_logdir = resolved(logdir).map_err(ExportError::at(logdir))?;
    let overlaps = |dir: &Path| out.starts_with(dir);
    let is_below =
        overlaps(&real_logdir) || dirs.iter().filter_map(|dir| resolved(dir).ok()).any(|dir| overlaps(&dir));
    if !is_below && !real_logdir.starts_with(&out) {
        return Ok(());
    }
    let relation = if is_below { "lies in" } else { "holds" };
    Err(ExportError::Refused(format!(
        "{} {relation} the logdir {}, which is only read: export elsewhere, or say --into-logdir",
        out.display(),
        logdir.display()
    )))
}

/// The path without links and without `..`, also where its last parts do not exist yet.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut real = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            Component::CurDir => {}
            part => {
                real.push(part);
                match real.canonicalize() {
                    Ok(found) => real = found,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(real)
}

/// The exclusive right to write into a directory, until this is dropped or the process ends.
pub struct DirectoryLock(#[expect(dead_code, reason = "the lock goes with the file")] File);

/// What a directory that is exported into may hold already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Anything: no other program uses the names of our files.
    Anything,
    /// Only our own exports: names come from tags, and other files might have the same names.
    OwnExports,
}

impl DirectoryLock {
    /// Makes the directory if it does not exist, and locks it.
    ///
    /// # Errors
    /// A directory that cannot be written, that another export writes to, or that holds what it must not.
    pub fn take(out: &Path, allowed: Contents) -> Result<Self, ExportError> {
        fs::create_dir_all(out).map_err(ExportError::at(out))?;
        let path = out.join(LOCK);
        let is_known = path.exists();
        if allowed == Contents::OwnExports && !is_known {
            let mut entries = fs::read_dir(out).map_err(ExportError::at(out))?;
            if entries.next().is_some() {
                let message =
                    format!("{} holds other files: export into a new or an empty directory", out.display());
                return Err(ExportError::Refused(message));
            }
        }
        let mut options = fs::OpenOptions::new();
        let opened = options.create(true).append(true).open(&path);
        let mut file = opened.map_err(ExportError::at(&path))?;
        // Some network file systems have no locks, which is another error; most exports are alone.
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK) {
            let message = format!("another export writes into {}: wait until it ends", out.display());
            return Err(ExportError::Refused(message));
        }
        if !is_known {
            file.write_all(b"convscope export writes into this directory.\n")
                .map_err(ExportError::at(&path))?;
        }
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn places_that_touch_the_logdir_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("logs/run")).unwrap();
        fs::create_dir_all(at("elsewhere/deep")).unwrap();
        symlink(at("logs"), at("link")).unwrap();
        symlink(at("elsewhere"), at("logs/far")).unwrap();
        let check = |out: &str, is_fine: bool| {
            let dirs = [at("logs"), at("logs/run"), at("logs/far"), at("logs/far/deep")];
            assert_eq!(apart_from(&at(out), &at("logs"), &dirs).is_ok(), is_fine, "{out}");
        };
        check("out", true);
        check("logs-too", true);
        check("logs", false);
        check("logs/new/deeper", false);
        check("link/new", false);
        check("out/../logs/x", false);
        check("link/../out", true);
        check(".", false);
        check("elsewhere/deep/out", false);
        check("elsewhere", false);
    }

    #[test]
    fn one_export_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let claim = DirectoryLock::take(dir.path(), Contents::OwnExports).unwrap();
        assert!(matches!(DirectoryLock::take(dir.path(), Contents::Anything), Err(ExportError::Refused(_))));
        drop(claim);
        fs::write(dir.path().join("more"), b"").unwrap();
        DirectoryLock::take(dir.path(), Contents::OwnExports).unwrap();
        fs::remove_file(dir.path().join(LOCK)).unwrap();
        assert!(matches!(
            DirectoryLock::take(dir.path(), Contents::OwnExports),
            Err(ExportError::Refused(_))
        ));
    }
}
