//! Where a directory lies -> which directory is the checkpoint, and which of its items this one is.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{
    reader::{contents::OpenError, opened::OpenedFiles},
    source::checkpoint::is_numbered,
};

/// What the directory of a checkpoint has since Orbax 0.6.
const OF_CHECKPOINT: &str = "_CHECKPOINT_METADATA";
/// What is written last into a directory, on stores that cannot rename one.
const COMMITTED: &str = "commit_success.txt";
const LONGEST: u64 = 16 << 20;
/// What Orbax puts into the names of directories until they are whole.
const TEMPORARY: &str = ".orbax-checkpoint-tmp";
/// Names of items that say nothing about what they hold.
const GENERIC: [&str; 5] = ["default", "state", "pytree", "items", "checkpoint"];

/// An item of a checkpoint, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// The directory of the whole checkpoint.
    pub(super) checkpoint: PathBuf,
    /// What stands before the names of its leaves: the name of the item, if it says something.
    pub(super) name: Option<String>,
    /// Whether it is one of perhaps several items.
    pub(super) is_part: bool,
}

/// A directory with a temporary name is not whole.
pub(super) fn check_name(dir: &Path) -> Result<(), OpenError> {
    if dir.iter().any(|part| part.to_string_lossy().contains(TEMPORARY)) {
        return Err(OpenError::NotWhole(format!(
            "its directory has the name that Orbax gives it until it is whole: delete it if nothing writes it any more ({TEMPORARY})"
        )));
    }
    Ok(())
}

impl Item {
    /// What the directory of a `_METADATA` is.
    pub(super) fn of(dir: &Path, opened: &mut OpenedFiles<'_>) -> Result<Self, OpenError> {
        let name = dir.file_name().map(|name| name.to_string_lossy().into_owned());
        let whole = || Self { checkpoint: dir.to_owned(), name: None, is_part: false };
        if let Some(own) = read(dir, opened)? {
            check_commit(&own, dir, opened)?;
            return Ok(whole());
        }
        let (Some(name), Some(above)) = (name, dir.parent()) else { return Ok(whole()) };
        let is_part = match read(above, opened)? {
            Some(of_checkpoint) => {
                check_commit(&of_checkpoint, above, opened)?;
                of_checkpoint["item_handlers"].get(&name).is_some() || GENERIC.contains(&name.as_str())
            }
            // Older than `_CHECKPOINT_METADATA`: only the names tell.
            None => is_step(above) && (GENERIC.contains(&name.as_str()) || !is_numbered(&name)),
        };
        if !is_part {
            return Ok(whole());
        }
        let says_something = !GENERIC.contains(&name.as_str());
        Ok(Self { checkpoint: above.to_owned(), name: says_something.then_some(name), is_part })
    }
}

fn is_step(dir: &Path) -> bool {
    dir.file_name().is_some_and(|name| is_numbered(&name.to_string_lossy()))
}

fn read(dir: &Path, opened: &mut OpenedFiles<'_>) -> Result<Option<Value>, OpenError> {
    let json = opened.read(&dir.join(OF_CHECKPOINT), LONGEST)?;
    Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
}

/// When it is begun, the time of its end is null.
fn check_commit(of_checkpoint: &Value, dir: &Path, opened: &mut OpenedFiles<'_>) -> Result<(), OpenError> {
    let is_begun = of_checkpoint["init_timestamp_nsecs"].is_number();
    let is_ended = of_checkpoint.get("commit_timestamp_nsecs").is_some_and(Value::is_number);
    if is_begun && !is_ended && opened.open(&dir.join(COMMITTED))?.is_none() {
        return Err(OpenError::NotWhole("Orbax has not noted that all of it is written".to_owned()));
    }
    Ok(())
}
