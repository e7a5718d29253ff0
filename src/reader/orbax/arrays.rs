//! The arrays beside a `_METADATA`: in a database, or each in a directory.

use std::path::{Path, PathBuf};

use crate::reader::{
    contents::OpenError,
    input::Input,
    ocdbt::{
        self,
        database::{Database, StoredValue},
    },
    opened::{OpenedFiles, is_below},
    packing::Stored,
    zarr::{array::Array, pieces::Chunks, refusal::Refusal, version2, version3},
};

/// The most databases of processes.
const MOST_PROCESSES: u32 = 4_096;
/// The longest metadata of an array.
const LONGEST_METADATA: u64 = 1 << 20;

/// The arrays of a checkpoint.
pub(super) struct Arrays<'o, 'f> {
    dir: PathBuf,
    opened: &'o mut OpenedFiles<'f>,
    /// None if each array is in a directory.
    database: Option<Database>,
    /// Whether a chunk that is not there is lost, and does not have the fill value.
    is_each_chunk_written: bool,
    /// Files with numbers that are not there.
    pub(super) missing: Vec<PathBuf>,
}

impl<'o, 'f> Arrays<'o, 'f> {
    /// Opens the databases in a directory, if there are any. `use_ocdbt` is what the writer says about them.
    pub(super) fn open(
        dir: &Path,
        (use_ocdbt, is_each_chunk_written): (Option<bool>, bool),
        opened: &'o mut OpenedFiles<'f>,
    ) -> Result<Self, OpenError> {
        let mut database = Database::default();
        let mut is_there = use_ocdbt != Some(false) && ocdbt::open::add(dir, opened, &mut database)?;
        if !is_there && use_ocdbt != Some(false) {
            // Without the last step of saving, each process has its own.
            for process in 0..MOST_PROCESSES {
                let own = dir.join(format!("ocdbt.process_{process}"));
                if !ocdbt::open::add(&own, opened, &mut database)? {
                    break;
                }
                is_there = true;
            }
        }
        if !is_there && use_ocdbt == Some(true) {
            return Err(OpenError::NotWhole("its database `manifest.ocdbt` is not there".to_owned()));
        }
        let database = is_there.then_some(database);
        Ok(Self { dir: dir.to_owned(), opened, database, is_each_chunk_written, missing: Vec::new() })
    }

    /// Reads the metadata of an array; `None` if there is none.
    pub(super) fn array(&mut self, name: &str) -> Result<Option<Array>, Refusal> {
        if let Some(json) = self.bytes(&format!("{name}/.zarray"))? {
            return version2::read(&json).map(Some);
        }
        self.bytes(&format!("{name}/zarr.json"))?.map(|json| version3::read(&json)).transpose()
    }

    /// The chunks of an array.
    pub(super) fn chunks<'c>(&'c mut self, name: &'c str) -> ChunksOfArray<'c, 'o, 'f> {
        ChunksOfArray { arrays: self, name }
    }

    /// A small value.
    fn bytes(&mut self, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        match self.value(key)? {
            None => Ok(None),
            Some((_, _, Stored::Held(bytes))) => Ok(Some(bytes.to_vec())),
            Some((file, offset, Stored::InFile(len))) if len <= LONGEST_METADATA => {
                Ok(Some(self.opened.input(file).bytes(offset, len)?))
            }
            Some(_) => Err(Refusal::NotRead("its metadata are longer than any writer's".to_owned())),
        }
    }

    fn value(&mut self, key: &str) -> Result<Option<(u32, u64, Stored)>, Refusal> {
        let Some(database) = &self.database else {
            if !is_below(key) {
                return Err(Refusal::NotRead(
                    "its name leads out of its directory: it is not opened".to_owned(),
                ));
            }
            let found = self.opened.open(&self.dir.join(key))?;
            return Ok(found.map(|file| (file, 0, Stored::InFile(self.opened.input(file).len()))));
        };
        match database.get(key) {
            None => Ok(None),
            Some(StoredValue::Held(bytes)) => Ok(Some((0, 0, Stored::Held(bytes.clone())))),
            Some(StoredValue::InFile { file, offset, len }) => {
                Ok(Some((*file, *offset, Stored::InFile(*len))))
            }
            Some(StoredValue::Missing(path)) => {
                let reason = format!("{} is not there, which has its numbers", path.display());
                if !self.missing.iter().any(|known| **known == **path) {
                    self.missing.push(path.to_path_buf());
                }
                Err(Refusal::NotRead(reason))
            }
        }
    }
}

/// The chunks of one array.
pub(super) struct ChunksOfArray<'c, 'o, 'f> {
    arrays: &'c mut Arrays<'o, 'f>,
    name: &'c str,
}

impl Chunks for ChunksOfArray<'_, '_, '_> {
    fn chunk(&mut self, key: &str) -> Result<Option<(u32, u64, Stored)>, Refusal> {
        let key = format!("{}/{key}", self.name);
        let found = self.arrays.value(&key)?;
        if found.is_none() && self.arrays.is_each_chunk_written {
            if self.arrays.database.is_none() {
                self.arrays.missing.push(self.arrays.dir.join(&key));
            }
            return Err(Refusal::NotRead(format!("its chunk {key} is not there")));
        }
        Ok(found)
    }

    fn input(&self, file: u32) -> &dyn Input {
        self.arrays.opened.input(file)
    }
}
