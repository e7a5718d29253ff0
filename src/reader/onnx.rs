//! A model of ONNX -> its initializers, and what its graph says of them.
//!
//! A model is a message of Protocol Buffers (`onnx/onnx.proto` of ONNX 1.23). It is read by positions: the numbers are passed over. They
//! stand in the model, or in a file beside it that an initializer names.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    beside::beside,
    contents::{Contents, Format, OpenError, Piece, StoredTensor},
    input::Files,
    naming::tags,
    packing::{Codec, Packing, Stored},
};
use crate::tensor::dtype::DType;

mod fields;
mod model;
mod network;
mod node;
mod tensor;

use tensor::{Data, Initializer, Outside};

/// The most files beside a model.
const MOST_FILES: usize = 1_000;

/// Reads what a model holds.
///
/// # Errors
/// `NotWhole` if it or a file beside it ends too early; `Damaged` if it is no model; `NotRead` if there is too much; errors of the
/// system.
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let model = model::read(&*files.open(path)?)?;
    let mut outside = OutsideFiles {
        files,
        path,
        paths: vec![path.to_owned()],
        known: HashMap::new(),
        missing: Vec::new(),
    };
    let mut contents = Contents::empty(Format::Onnx);
    let mut unread = Unread::default();
    for initializer in &model.initializers {
        let pieces = match &initializer.dtype {
            Ok(dtype) => pieces(initializer, *dtype, &mut outside, &mut unread)?,
            Err(_) => Vec::new(),
        };
        contents.tensors.push(StoredTensor {
            name: vec![if initializer.name.is_empty() { "tensor".into() } else { initializer.name.clone() }],
            better_name: None,
            dtype: initializer.dtype.clone(),
            shape: initializer.shape.clone(),
            pieces,
        });
    }
    contents.remarks = unread.remarks(model.n_sparse);
    (contents.files, contents.missing) = (outside.paths, outside.missing);
    add_network(&model, &mut contents);
    Ok(contents)
}

/// Adds what the graph says. Kernels into which a normalization was folded are no longer those of the training, so they get other tags.
fn add_network(model: &model::Model, contents: &mut Contents) {
    let found = network::kernels(model);
    let names = tags(contents);
    for number in found
        .iter()
        .filter(|kernel| kernel.is_folded())
        .flat_map(|kernel| [Some(kernel.number), kernel.bias])
        .flatten()
    {
        contents.tensors[number].better_name = Some(format!("{} (exported)", names[number].tag).into());
    }
    let names: Vec<String> = tags(contents).into_iter().map(|named| named.tag).collect();
    contents.network = (!found.is_empty()).then(|| Arc::new(network::network(&found, &names)));
}

/// Where the numbers of an initializer are.
fn pieces(
    initializer: &Initializer,
    dtype: DType,
    outside: &mut OutsideFiles<'_>,
    unread: &mut Unread,
) -> Result<Vec<Piece>, OpenError> {
    let name = &initializer.name;
    let damaged =
        || OpenError::Damaged(format!("the length and the shape of `{name}` in it contradict each other"));
    let size = dtype.bytes() as u64;
    let needed = initializer.shape.iter().try_fold(size, |needed, length| needed.checked_mul(*length));
    let needed = needed.ok_or_else(damaged)?;
    let plain = |file, offset| Piece {
        file,
        offset,
        strides: None,
        region: None,
        is_big_endian: false,
        checksum: None,
        packing: None,
    };
    match &initializer.data {
        Data::Nothing if needed == 0 => Ok(vec![plain(0, 0)]),
        Data::Here(span) if span.len() == needed => Ok(vec![plain(0, span.at)]),
        Data::Nothing | Data::Here(_) => Err(damaged()),
        Data::Varints(span) => {
            let codecs = vec![Codec::Varints(dtype.bytes() as u8)];
            let packing = Packing { stored: Stored::InFile(span.len()), codecs, len: needed };
            Ok(vec![Piece { packing: Some(Box::new(packing)), ..plain(0, span.at) }])
        }
        Data::Outside(place) => match outside.find(place, needed)? {
            Ok(file) => Ok(vec![plain(file, place.offset)]),
            Err(why) => {
                unread.add(name, why);
                Ok(Vec::new())
            }
        },
        Data::Scattered => {
            unread.add(
                name,
                "are in several lists: save the model with `onnx.numpy_helper.from_array`".to_owned(),
            );
            Ok(Vec::new())
        }
    }
}

/// The files beside a model.
struct OutsideFiles<'a> {
    files: &'a dyn Files,
    path: &'a Path,
    /// The first is that of the model.
    paths: Vec<PathBuf>,
    /// Their numbers and lengths by the names in the model; otherwise why they are not read.
    known: HashMap<Box<str>, Result<(u32, u64), String>>,
    missing: Vec<PathBuf>,
}

impl OutsideFiles<'_> {
    /// The number of the file in which so many bytes are, or why they are not read: what follows "they".
    fn find(&mut self, place: &Outside, needed: u64) -> Result<Result<u32, String>, OpenError> {
        let known = match self.known.get(&place.location) {
            Some(known) => known.clone(),
            None => self.open(&place.location),
        };
        self.known.entry(place.location.clone()).or_insert_with(|| known.clone());
        let (number, len) = match known {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        if place.len.is_some_and(|len| len != needed) {
            return Err(OpenError::Damaged(
                "the length and the shape of numbers beside it contradict each other".to_owned(),
            ));
        }
        match place.offset.checked_add(needed) {
            Some(end) if end <= len => Ok(Ok(number)),
            _ => Err(OpenError::NotWhole(format!("{} ends before its numbers do", place.location))),
        }
    }

    fn open(&mut self, location: &str) -> Result<(u32, u64), String> {
        let Some(path) = beside(self.path, location) else {
            return Err(format!("are in {location:?}, which is not beside the model: it is not opened"));
        };
        if self.paths.len() > MOST_FILES {
            return Err(format!("are in more than {MOST_FILES} files"));
        }
        match self.files.open(&path) {
            Ok(input) => {
                self.paths.push(path);
                Ok((self.paths.len() as u32 - 1, input.len()))
            }
            Err(error) => {
                self.missing.push(path);
                Err(format!("are in {location}, which cannot be opened ({error}): put it beside the model"))
            }
        }
    }
}

/// Initializers whose numbers are not read, by the reason.
#[derive(Default)]
struct Unread(Vec<(String, usize, Box<str>)>);

impl Unread {
    fn add(&mut self, name: &str, why: String) {
        if let Some((_, count, _)) = self.0.iter_mut().find(|(known, ..)| *known == why) {
            *count += 1;
        } else if self.0.len() < MOST_FILES {
            self.0.push((why, 1, name.into()));
        }
    }

    fn remarks(self, n_sparse: usize) -> Vec<String> {
        let remark = |(why, count, first): (String, usize, Box<str>)| match count {
            1 => format!("the numbers of `{first}` {why}"),
            _ => format!("the numbers of {count} initializers (such as `{first}`) {why}"),
        };
        let mut remarks: Vec<String> = self.0.into_iter().map(remark).collect();
        if n_sparse > 0 {
            remarks.push(format!("{n_sparse} sparse initializers are not read: save dense ones instead"));
        }
        remarks
    }
}

#[cfg(test)]
mod tests;
