//! Files that grew -> batches of what their new records log, each file for a turn, many files in parallel.

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

/// Batches that are read and not yet taken.
const BATCHES_AHEAD: usize = 64;

/// A batch of a file.
pub(super) struct ReadBatch {
    pub(super) file: FileId,
    /// The file's state when it was last looked at.
    pub(super) stat: FileStat,
    pub(super) batch: Batch,
}

/// Reads on in a file, batch by batch, to its end or for a turn. A program that stops ends this through the source.
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

/// As [`read_for`] with many files at once; batches are taken on the calling thread.
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
                    // The receiver is gone only when the calling thread panicked.
                    let _ = give.send(batch);
                });
            });
        });
        batches.into_iter().for_each(&mut take);
    });
}

/// A file in which a defect of this program shows is left alone from there on, and no other file is.
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
