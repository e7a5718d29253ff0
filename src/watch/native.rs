//! The kernel's notifications -> hints.
//!
//! Each directory is watched separately, so that loops of links cause no work, and a directory is read after its watch is
//! in place. inotify also reports our own reads; these are ignored.

use std::{path::Path, time::Duration};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{ModifyKind, RenameMode},
};

use super::hint::{Change, Notice, Watch};

/// On some file systems notifications are lost silently, so all files are checked from time to time.
const SLOW_SWEEP: Duration = Duration::from_secs(20);

/// Notifications from the kernel.
pub struct Native {
    watcher: RecommendedWatcher,
}

impl Native {
    /// Starts without any directory.
    ///
    /// # Errors
    /// The system's reason, in words, if it gives no notifications.
    pub fn new(notice: Notice) -> Result<Self, String> {
        notify::recommended_watcher(move |event: notify::Result<Event>| tell(event, &notice))
            .map(|watcher| Self { watcher })
            .map_err(|error| reason(&error))
    }
}

impl Watch for Native {
    fn add(&mut self, dir: &Path) -> Result<(), String> {
        match self.watcher.watch(dir, RecursiveMode::NonRecursive) {
            // It is gone already: the watch on its parent has reported this, or will.
            Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => Ok(()),
            Err(error) => Err(reason(&error)),
            Ok(()) => Ok(()),
        }
    }

    fn forget(&mut self, dir: &Path) {
        // The kernel has dropped the watch together with the directory; only notify's own list is left to clear.
        let _ = self.watcher.unwatch(dir);
    }

    fn sweep_every(&self) -> Duration {
        SLOW_SWEEP
    }
}

fn reason(error: &notify::Error) -> String {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system's limit of watched directories is reached (raise fs.inotify.max_user_watches)"
                .to_owned()
        }
        _ => format!("notifications are not to be had: {error}"),
    }
}

fn tell(event: notify::Result<Event>, notice: &Notice) {
    let Ok(event) = event else { return notice(Change::Rescan) };
    if event.need_rescan() {
        return notice(Change::Rescan);
    }
    let change = match event.kind {
        // Both names of a renaming are reported in separate events.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Change::Removed,
        EventKind::Modify(ModifyKind::Data(_)) => Change::Written,
        _ => Change::Touched,
    };
    for path in event.paths {
        notice(change(path));
    }
}

/// The name of the network file system on which `path` is, if it is on one: these accept watches but do not report
/// what other machines write. The numbers are from `linux/magic.h` and the headers of the file systems.
#[cfg(target_os = "linux")]
#[must_use]
pub fn network_file_system(path: &Path) -> Option<&'static str> {
    const NETWORK: [(u64, &str); 10] = [
        (0x6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x517b, "SMB"),
        (0x6573_5546, "FUSE"),
        (0x0bd0_0bd0, "Lustre"),
        (0x00c3_6400, "Ceph"),
        (0x0102_1997, "9P"),
        (0x5346_414f, "AFS"),
        (0x4750_4653, "GPFS"),
    ];
    let kind = rustix::fs::statfs(path).ok()?.f_type as u64 & 0xffff_ffff;
    NETWORK.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

/// On other systems than Linux, the system's service decides.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn network_file_system(_: &Path) -> Option<&'static str> {
    None
}
