//! Files that grew -> batches of what their new records contain, each file for a limited time, many files in parallel.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rayon::prelude::*;

use crate::{
    catalog::{
        batch::{Batch, FoundFault},
        defect::catch_panic,
        follow::{FollowedFile, is_settled},
        health::Fault,
        logged_value::FileId,
    },
    source::{FileStat, Source},
};

/// The most batches that are read but not yet taken.
const BATCHES_AHEAD: usize = 64;

/// A batch of a file.
pub(super) struct ReadBatch {
    pub(super) file: FileId,
    /// The file's state when it was last looked at.
    pub(super) stat: FileStat,
    pub(super) batch: Batch,
}

/// Continues reading a file, batch by batch, to its end or for a limited time. If the program stops, the source returns an error.
pub(super) fn read_for(
    turn: Duration,
    file: &mut FollowedFile,
    source: &dyn Source,
    mut take: impl FnMut(ReadBatch),
) {
    let (began, settled) = (Instant::now(), is_settled(&file.stat));
    file.is_unfinished = !file.is_given_up;
    while file.is_unfinished && began.elapsed() < turn {
        let batch =
            catch_panic(|| file.read_on(source, settled)).unwrap_or_else(|panic| given_up(file, &panic));
        file.is_unfinished = batch.more;
        take(ReadBatch { file: file.id, stat: file.stat.clone(), batch });
    }
}

/// As [`read_for`], with many files in parallel; batches are taken on the calling thread.
pub(super) fn read_in_parallel(
    turn: Duration,
    files: &mut [FollowedFile],
    source: &dyn Source,
    mut take: impl FnMut(ReadBatch),
) {
    let (give, batches) = mpsc::sync_channel::<ReadBatch>(BATCHES_AHEAD);
    thread::scope(|scope| {
        scope.spawn(move || {
            files.par_iter_mut().for_each_with(give, |give, file| {
                read_for(turn, file, source, |batch| {
                    // Sending fails only if the calling thread panicked.
                    let _ = give.send(batch);
                });
            });
        });
        batches.into_iter().for_each(&mut take);
    });
}

/// If this program fails on a file, the rest of this file is not read. Other files are not affected.
fn given_up(file: &mut FollowedFile, panic: &str) -> Batch {
    file.is_given_up = true;
    let offset = file.offset();
    let message = format!(
        "ConvScope failed after byte {offset} of this file, which is a defect of ours ({panic}): what follows is not shown"
    );
    let mut batch = Batch::default();
    batch.faults.push(FoundFault { fault: Fault::Defect, offset, message });
    batch
}
