//! A directory -> how it is watched.

use std::{path::Path, time::Duration};

use super::{
    hint::{Mode, Notice, Watch},
    native, poll,
};

/// Chooses how to watch below `root`, which exists: polling if requested or if the file system reports nothing.
#[must_use]
pub fn choose(root: &Path, poll_every: Option<Duration>, notice: Notice) -> (Box<dyn Watch>, Mode) {
    let reason = match poll_every {
        Some(every) => format!("asked for: every {} s", every.as_secs_f64()),
        None => match native::network_file_system(root) {
            Some(name) => format!("{name} sends no notifications of what other machines write"),
            None => match native::Native::new(notice) {
                Ok(native) => return (Box::new(native), Mode::Native),
                Err(reason) => reason,
            },
        },
    };
    (Box::new(poll::Poll::new(poll_every)), Mode::Poll { reason })
}
