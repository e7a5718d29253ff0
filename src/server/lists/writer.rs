//! A requested list -> the bytes of an answer, made as the client reads them.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    all_entries::AllEntries,
    filtered_entries::FilteredEntries,
    pieces::{ListKind, ListRequest, Lists, RunsInOrder},
};
use crate::{
    catalog::snapshot::Snapshot,
    server::{
        gzip::{Deflated, Gzip},
        wire::{self, list::around},
    },
};

/// Cached pieces are sent together, up to about this many bytes.
const BYTES_AT_ONCE: usize = 64 << 10;

/// The content coding of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum ContentEncoding {
    Plain,
    Gzip,
}

/// A list that is being written.
pub(in crate::server) struct ListWriter {
    lists: Arc<Lists>,
    request: ListRequest,
    revision: u64,
    entries: Entries,
    gzip: Option<Gzip>,
    n_given: usize,
    is_begun: bool,
    is_done: bool,
}

enum Entries {
    All(AllEntries),
    Filtered(FilteredEntries),
}

impl ListWriter {
    /// Begins a list. The requested run exists.
    pub(in crate::server) fn new(
        lists: Arc<Lists>,
        snapshot: Arc<Snapshot>,
        request: ListRequest,
        encoding: ContentEncoding,
    ) -> Self {
        let revision = snapshot.revision;
        let runs = RunsInOrder { snapshot, only: request.run.clone(), last: None };
        let is_whole = request.role.is_none() && request.part.is_none();
        let entries = if is_whole {
            Entries::All(AllEntries::new(request.kind, runs))
        } else {
            Entries::Filtered(FilteredEntries::new(
                request.kind,
                runs,
                request.role,
                request.part.unwrap_or_default(),
            ))
        };
        let gzip = (encoding == ContentEncoding::Gzip).then(Gzip::new);
        Self { lists, request, revision, entries, gzip, n_given: 0, is_begun: false, is_done: false }
    }

    /// Whether the list is complete.
    pub(in crate::server) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next bytes; `None` after the last. This takes some milliseconds.
    pub(in crate::server) fn next(&mut self) -> Option<Bytes> {
        if self.is_done {
            return None;
        }
        let mut bytes = Vec::new();
        if !self.is_begun {
            self.is_begun = true;
            bytes.extend(self.gzip.iter().flat_map(|_| Gzip::HEADER));
            self.put(&mut bytes, self.around().0.as_bytes());
        }
        let n_made = self.lists.pieces_made();
        while !self.is_done && bytes.len() < BYTES_AT_ONCE && self.lists.pieces_made() == n_made {
            self.put_entries(&mut bytes);
        }
        Some(bytes.into())
    }

    fn put_entries(&mut self, bytes: &mut Vec<u8>) {
        match &mut self.entries {
            Entries::All(all) => match all.next(&self.lists, self.request.run.is_some()) {
                Some(piece) if piece.n == 0 => {}
                Some(piece) => {
                    self.put_comma(bytes);
                    match &mut self.gzip {
                        Some(gzip) => gzip.put_deflated(bytes, &piece.entries),
                        None => bytes.extend(piece.entries.text()),
                    }
                }
                None => self.end(bytes),
            },
            Entries::Filtered(filtered) => match filtered.next(&self.lists) {
                Some(entries) if entries.is_empty() => {}
                Some(entries) => {
                    self.put_comma(bytes);
                    match &mut self.gzip {
                        Some(gzip) => gzip.put_deflated(bytes, &Deflated::of(&entries)),
                        None => bytes.extend(entries),
                    }
                }
                None => self.end(bytes),
            },
        }
    }

    fn put_comma(&mut self, bytes: &mut Vec<u8>) {
        if self.n_given > 0 {
            self.put(bytes, b",");
        }
        self.n_given += 1;
    }

    fn end(&mut self, bytes: &mut Vec<u8>) {
        self.put(bytes, self.around().1.as_bytes());
        if let Some(gzip) = self.gzip.take() {
            gzip.put_end(bytes);
        }
        self.is_done = true;
    }

    fn put(&mut self, bytes: &mut Vec<u8>, text: &[u8]) {
        match &mut self.gzip {
            Some(gzip) => gzip.put_stored(bytes, text),
            None => bytes.extend(text),
        }
    }

    /// The text before and after the entries.
    fn around(&self) -> (String, String) {
        let revision = self.revision;
        let total = match &self.entries {
            Entries::Filtered(filtered) if self.request.part.is_some() => Some(filtered.total),
            _ => None,
        };
        match self.request.kind {
            ListKind::Runs => around(&wire::RunList { revision, runs: Vec::new(), total }),
            ListKind::Series => around(&wire::SeriesList { revision, series: Vec::new(), total }),
            ListKind::Skipped => around(&wire::SkippedList { skipped: Vec::new(), total }),
        }
    }
}
