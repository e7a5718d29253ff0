//! A B+tree -> all its keys.

use std::path::{Path, PathBuf};

use super::{
    database::{Database, StoredValue},
    fields::damaged,
    file_table::DataFile,
    frame::{Kind, body},
    node::{self, Node, NodePlace, Value},
};
use crate::reader::{contents::OpenError, opened::OpenedFiles};

/// The most levels of a tree.
const MOST_LEVELS: u8 = 16;
/// The most nodes. Two nodes may have the same child, so that few nodes can make a large tree.
const MOST_NODES: usize = 100_000;
/// The most bytes of what stands before the keys of all nodes that are still to be read: a short node can make it long.
const MOST_WAITING: usize = 32 << 20;
/// The most bytes of all nodes, before or after they were decoded.
const MOST_DECODED: usize = if cfg!(fuzzing) { 16 << 20 } else { 256 << 20 };
/// The longest node in a file.
const LONGEST_NODE: u64 = 64 << 20;

/// A walk through all nodes.
pub(super) struct Walk<'w, 'f> {
    dir: &'w Path,
    files: &'w mut OpenedFiles<'f>,
    n_nodes: usize,
    n_decoded: usize,
}

impl<'w, 'f> Walk<'w, 'f> {
    /// A walk through the database in a directory.
    pub(super) fn new(dir: &'w Path, files: &'w mut OpenedFiles<'f>) -> Self {
        Self { dir, files, n_nodes: 0, n_decoded: 0 }
    }

    /// Adds all keys below a node to a database.
    pub(super) fn leaves(&mut self, root: NodePlace, database: &mut Database) -> Result<(), OpenError> {
        if root.height > MOST_LEVELS {
            return Err(damaged(&format!("its tree has {} levels", root.height)));
        }
        let mut waiting = vec![root];
        let mut n_waiting = 0;
        while let Some(place) = waiting.pop() {
            n_waiting -= place.prefix.len();
            let body = self.body(&place)?;
            match node::read(&body, &place)? {
                Node::Interior(children) => {
                    n_waiting += children.iter().map(|child| child.prefix.len()).sum::<usize>();
                    waiting.extend(children.into_iter().rev());
                }
                Node::Leaf(data, entries) => self.add(&data, entries, database)?,
            }
            if n_waiting > MOST_WAITING {
                return Err(damaged("its keys are too long"));
            }
            if self.n_nodes + waiting.len() > MOST_NODES {
                return Err(OpenError::NotRead(format!("its database has more than {MOST_NODES} nodes")));
            }
        }
        Ok(())
    }

    /// The decoded bytes of a node.
    fn body(&mut self, place: &NodePlace) -> Result<Vec<u8>, OpenError> {
        let Some(number) = self.open(&place.file)? else {
            let reason = format!("{} of its database is not there", place.file.path);
            return Err(OpenError::NotWhole(reason));
        };
        if place.len > LONGEST_NODE {
            return Err(damaged("a node is longer than any writer's"));
        }
        let bytes = self.files.input(number).bytes(place.offset, place.len)?;
        let body = body(&bytes, Kind::Node)?;
        self.n_nodes += 1;
        // What decodes to nothing takes time too.
        self.n_decoded += body.len().max(bytes.len());
        if self.n_decoded > MOST_DECODED {
            return Err(OpenError::NotRead(format!(
                "the nodes of its database have more than {} MiB",
                MOST_DECODED >> 20
            )));
        }
        Ok(body)
    }

    fn add(
        &mut self,
        data: &[DataFile],
        entries: Vec<(Vec<u8>, Value)>,
        database: &mut Database,
    ) -> Result<(), OpenError> {
        let mut numbers = Vec::new();
        for file in data {
            numbers.push(self.open(file)?);
        }
        for (key, value) in entries {
            let value = match value {
                Value::Inline(bytes) => StoredValue::Held(bytes),
                Value::InFile { file, offset, len } => match numbers[file] {
                    None => StoredValue::Missing(self.path_of(&data[file]).into()),
                    Some(number) => {
                        let end = offset.checked_add(len);
                        if end.is_none_or(|end| end > self.files.input(number).len()) {
                            let file = &data[file].path;
                            return Err(OpenError::NotWhole(format!("{file} ends before its numbers do")));
                        }
                        StoredValue::InFile { file: number, offset, len }
                    }
                },
            };
            database.insert(key, value)?;
        }
        Ok(())
    }

    fn open(&mut self, file: &DataFile) -> Result<Option<u32>, OpenError> {
        if file.path.is_empty() { Ok(None) } else { self.files.open(&self.path_of(file)) }
    }

    fn path_of(&self, file: &DataFile) -> PathBuf {
        self.dir.join(&*file.path)
    }
}
