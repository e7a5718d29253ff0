//! The limits of a shelf -> whether there is room for a save, and what is dropped for it.

use std::path::PathBuf;

use super::{Keeper, Known, copy::Source};
use crate::{
    catalog::shelf::{KeptChange, ShelfNews},
    shelf::budget::{Entry, MOST_OF_SERIES, Series, dropped},
    source::now_ns,
};

impl Keeper {
    fn entry(&self, known: &Known) -> Option<Entry> {
        let save = known.save.as_ref()?;
        let place = self.loader.source.root().join(save.place());
        Some(Entry {
            series: Series::of(save.run.as_str(), save.moment.axis, &save.written.name),
            at: save.moment.value,
            bytes: known.file.bytes,
            kept_ns: known.file.kept_ns,
            is_of_gone_run: self.loader.source.directory(&place).is_err(),
        })
    }

    /// Whether a new save would stay; otherwise it need not be written.
    pub(super) fn has_room_for(&mut self, source: &Source<'_>, bytes: u64) -> bool {
        let used: u64 = self.saves.values().map(|known| known.file.bytes).sum();
        if used + bytes <= self.limits.bytes {
            return true;
        }
        let mut entries: Vec<Entry> = self.saves.values().filter_map(|known| self.entry(known)).collect();
        let number = entries.len();
        entries.push(Entry {
            series: Series::of(source.run.as_str(), source.moment().axis, &source.checkpoint.name),
            at: source.moment().value,
            bytes,
            kept_ns: now_ns(),
            is_of_gone_run: false,
        });
        let gone = dropped(&entries, self.limits, now_ns());
        let left = (0..entries.len()).filter(|number| !gone.contains(number));
        let left: u64 = left.map(|number| entries[number].bytes).sum();
        if left > self.limits.bytes {
            let most = self.limits.bytes >> 20;
            self.state.trouble = Some(format!(
                "the shelf has reached {most} MiB, and of each run only the first and the last save are left: raise --shelf-mb to keep more"
            ));
            return false;
        }
        !gone.contains(&number)
    }

    /// Drops what is too old or too much.
    pub(super) fn drop_some(&mut self) {
        let used: u64 = self.saves.values().map(|known| known.file.bytes).sum();
        let oldest = self.saves.values().map(|known| known.file.kept_ns).min().unwrap_or(i128::MAX);
        let is_old = now_ns().saturating_sub(oldest) > self.limits.age_ns;
        if used <= self.limits.bytes && !is_old && self.saves.len() <= MOST_OF_SERIES {
            return;
        }
        let (paths, entries): (Vec<PathBuf>, Vec<Entry>) =
            (self.saves.iter()).filter_map(|(path, known)| Some((path.clone(), self.entry(known)?))).unzip();
        let gone = dropped(&entries, self.limits, now_ns());
        self.remove(gone.into_iter().map(|number| paths[number].clone()).collect());
    }

    /// Removes files, and tells the catalog.
    pub(super) fn remove(&mut self, paths: Vec<PathBuf>) {
        let mut removed = Vec::new();
        for path in paths {
            match self.directory.remove(&path) {
                Ok(()) => {
                    self.saves.remove(&path);
                    removed.push(path);
                }
                Err(error) => self.fail(&error),
            }
        }
        if !removed.is_empty() {
            self.tell(ShelfNews::Change(KeptChange { added: Vec::new(), removed }));
        }
    }
}
