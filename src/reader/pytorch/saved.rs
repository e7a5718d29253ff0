//! What `torch.save` (since PyTorch 1.6) and `torch.jit.save` write: a pickle in an archive, and a member for each storage.
//!
//! Source: `torch/serialization.py`, and `torch/csrc/jit/serialization/{pickler,import}.cpp` for TorchScript.

use std::collections::HashMap;

use crate::reader::{
    contents::{Counter, OpenError},
    input::Input,
    zip::Archive,
};

use super::{
    assembly::{Assembly, Storages, Stored, counter},
    counter::{Found, epochs, steps},
    fault::{in_archive, too_many},
    pickle,
    value::Values,
    view::Storage,
    walk::tensors,
};

/// The most bytes of a pickle: that of 50,000 tensors has a quarter of it.
const MOST_PICKLE_BYTES: u64 = 48 << 20;

/// The most bytes of the member that says the order of bytes.
const MOST_ORDER_BYTES: u64 = 16;

/// The directory of an archive in which the pickle is, with `/` at its end.
pub(super) fn folder(archive: &Archive) -> Option<String> {
    let pickles = archive.members.keys().filter_map(|name| name.strip_suffix("data.pkl"));
    let folders = pickles.filter(|folder| folder.is_empty() || folder.ends_with('/'));
    folders.min_by_key(|folder| folder.len()).map(ToOwned::to_owned)
}

/// Reads the pickle, and that of the constants if it is an archive of TorchScript.
pub(super) fn read(input: &dyn Input, archive: &Archive, folder: &str) -> Result<Assembly, OpenError> {
    let mut assembly = Assembly::default();
    let is_script = archive.members.contains_key(format!("{folder}constants.pkl").as_str());
    let values = values(input, archive, &format!("{folder}data.pkl"))?;
    let mut storages = InArchive::new(input, archive, format!("{folder}data/"), folder)?;
    assembly.step = counter(steps(&values), input, &mut storages);
    assembly.epoch = counter(epochs(&values), input, &mut storages);
    let tensors_of_data = tensors(&values, &[]).map_err(too_many)?;
    // The objects take as much memory as the tensors that follow.
    drop(values);
    assembly.add(tensors_of_data, &mut storages);
    if is_script {
        // A frozen module has its weights here.
        let values = self::values(input, archive, &format!("{folder}constants.pkl"))?;
        let mut storages = InArchive::new(input, archive, format!("{folder}constants/"), folder)?;
        assembly.add(tensors(&values, &["constants"]).map_err(too_many)?, &mut storages);
    }
    Ok(assembly)
}

/// The whole number that is all that was saved.
pub(super) fn number(
    input: &dyn Input,
    archive: &Archive,
    folder: &str,
    name: &str,
) -> Result<Option<Counter>, OpenError> {
    let values = values(input, archive, &format!("{folder}data.pkl"))?;
    let mut storages = InArchive::new(input, archive, format!("{folder}data/"), folder)?;
    let number = super::counter::number(&values, values.root);
    let found = number.map(|number| Found { name: name.to_owned(), number });
    Ok(counter(found.into_iter().collect(), input, &mut storages))
}

fn values(input: &dyn Input, archive: &Archive, name: &str) -> Result<Values, OpenError> {
    let bytes = archive.read(input, name, MOST_PICKLE_BYTES)?;
    pickle::read(bytes).map_err(|fault| in_archive(&fault))
}

/// Storages that are members of an archive.
pub(super) struct InArchive<'a> {
    input: &'a dyn Input,
    archive: &'a Archive,
    folder: String,
    is_big_endian: bool,
    found: HashMap<String, Result<Stored, String>>,
}

impl<'a> InArchive<'a> {
    /// The members of a directory; the directory `whole` says the order of bytes.
    pub(super) fn new(
        input: &'a dyn Input,
        archive: &'a Archive,
        folder: String,
        whole: &str,
    ) -> Result<Self, OpenError> {
        let order = format!("{whole}byteorder");
        let is_big_endian = archive.members.contains_key(order.as_str())
            && archive.read(input, &order, MOST_ORDER_BYTES)?.starts_with(b"big");
        Ok(Self { input, archive, folder, is_big_endian, found: HashMap::new() })
    }

    fn look_up(&self, key: &str) -> Result<Stored, String> {
        let named = |folder: &str| self.archive.members.get(format!("{folder}{key}").as_str());
        // PyTorch 1.4 called the directory otherwise.
        let older = || named(&format!("{}tensors/", self.folder.strip_suffix("data/")?));
        let Some(member) = named(&self.folder).or_else(older) else {
            return Err("the archive has no member with their numbers".to_owned());
        };
        let offset = member.offset(self.input).map_err(|error| error.to_string())?;
        let checksum = member.checksum(offset);
        Ok(Stored { offset, len: member.len, is_big_endian: self.is_big_endian, checksum })
    }
}

impl Storages for InArchive<'_> {
    fn find(&mut self, storage: &Storage) -> Result<Stored, String> {
        if let Some(found) = self.found.get(&storage.key) {
            return found.clone();
        }
        let found = self.look_up(&storage.key);
        self.found.insert(storage.key.clone(), found.clone());
        found
    }
}
