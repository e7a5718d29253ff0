//! What a checkpoint holds, without its numbers.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::packing::Packing;
use crate::{event::wire::WireError, model::network::Network, tensor::dtype::DType};

/// The most tensors of one checkpoint. A file that names more is refused. Each takes 2 to 3 kB in the index.
pub const MOST_TENSORS: usize = 50_000;

/// The most axes of a tensor. A tensor that has more is refused.
pub const MOST_AXES: usize = 32;

/// The format of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// One safetensors file, or several that an index names.
    Safetensors,
    /// What `torch.save`, `torch.jit.save` and `torch.export.save` write.
    PyTorch,
    /// A `.keras` archive.
    Keras,
    /// An HDF5 file, as Keras writes it.
    Hdf5,
    /// TensorFlow's tensor bundle: an index and one or more files of data.
    TensorFlow,
    /// The single file that TensorFlow's `Saver` wrote before the tensor bundle.
    TensorFlowV1,
    /// Copies of kernels of a checkpoint, on the shelf.
    Shelf,
    /// A directory that Orbax wrote.
    Orbax,
    /// A file of Flax's `msgpack_serialize`.
    Flax,
    /// An archive of NumPy.
    Npz,
    /// A directory of `torch.distributed.checkpoint`.
    Dcp,
    /// A model of ONNX, perhaps with its numbers in another file.
    Onnx,
}

impl Format {
    /// Its name in answers of the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::PyTorch => "pytorch",
            Self::Keras => "keras",
            Self::Hdf5 => "hdf5",
            Self::TensorFlow => "tensorflow",
            Self::TensorFlowV1 => "tensorflow-v1",
            Self::Shelf => "shelf",
            Self::Orbax => "orbax",
            Self::Flax => "flax",
            Self::Npz => "npz",
            Self::Dcp => "dcp",
            Self::Onnx => "onnx",
        }
    }
}

/// What a checkpoint holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// Its format.
    pub format: Format,
    /// All files that were read to know it, and those that contain its numbers. [`Piece::file`] counts in this list.
    pub files: Vec<PathBuf>,
    /// The directory that is the checkpoint, if no file alone is: its name says what the name of a file says of others.
    pub directory: Option<PathBuf>,
    /// Its tensors, in the order of the file.
    pub tensors: Vec<StoredTensor>,
    /// The optimizer's step that it holds.
    pub step: Option<Counter>,
    /// The epoch that it holds, as its writer counts it.
    pub epoch: Option<Counter>,
    /// The JSON of a Keras model, as `Model.to_json` writes it.
    pub keras_model: Option<Arc<[u8]>>,
    /// What its graph says of its tensors, by their tags.
    pub network: Option<Arc<Network>>,
    /// Files that belong to it and cannot be opened. When one comes, it has to be read again.
    pub missing: Vec<PathBuf>,
    /// What was not read, and what would mend it: a sentence each.
    pub remarks: Vec<String>,
}

impl Contents {
    /// Nothing, in a format.
    #[must_use]
    pub fn empty(format: Format) -> Self {
        Self {
            format,
            files: Vec::new(),
            directory: None,
            tensors: Vec::new(),
            step: None,
            epoch: None,
            keras_model: None,
            network: None,
            missing: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// What the checkpoint that is opened with the file at `path` is: that file, or a directory. Its name may say the step, and where it
    /// lies to which run it belongs.
    #[must_use]
    pub fn place<'p>(&'p self, path: &'p Path) -> &'p Path {
        match &self.directory {
            Some(directory) => directory,
            // What `torch.distributed.checkpoint` writes last.
            None if path.file_name().is_some_and(|name| name == ".metadata") => path.parent().unwrap_or(path),
            None => path,
        }
    }
}

/// A number that says when a checkpoint was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The number.
    pub value: i64,
    /// Where it stands, such as `global_step` or `optimizer/vars/0`.
    pub found_in: String,
}

/// A tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTensor {
    /// The writer's own name in its parts, from the outermost container to the innermost: `["state_dict", "net.conv1.weight"]`
    /// where a dictionary `state_dict` has an entry `net.conv1.weight`. At least one part.
    pub name: Vec<Box<str>>,
    /// A name that says more than the writer's own, with `/` between its parts: Keras saves `layers/conv2d_1/vars/0` for the
    /// kernel of the layer `stem`, so it is `stem/kernel`.
    pub better_name: Option<Box<str>>,
    /// The element type, or what the writer calls it if it is none that is read.
    pub dtype: Result<DType, Box<str>>,
    /// The length of each axis.
    pub shape: Vec<u64>,
    /// Where its numbers are: one piece for most tensors, several for one that was saved in parts. None if they cannot be read
    /// (then a remark says why).
    pub pieces: Vec<Piece>,
}

/// A part of a tensor, or all of it, in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which of [`Contents::files`].
    pub file: u32,
    /// The byte of its first element (the element with all indices 0). Where the piece is compressed: the first stored byte; its
    /// first element is then the first of what is unpacked.
    pub offset: u64,
    /// How many elements lie from one index to the next, on each axis; none if its elements lie row by row without gaps.
    pub strides: Option<Box<[u64]>>,
    /// Which part of the tensor it is; none if it is all of it.
    pub region: Option<Box<Region>>,
    /// Whether the most significant byte of an element is first.
    pub is_big_endian: bool,
    /// The checksum that the format has for bytes that contain these.
    pub checksum: Option<Checksum>,
    /// How its elements are compressed; none if they are stored as they are.
    pub packing: Option<Box<Packing>>,
}

/// A part of a tensor: on each axis, its first index and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first index on each axis.
    pub start: Vec<u64>,
    /// The length on each axis.
    pub shape: Vec<u64>,
}

/// A checksum over bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The first byte.
    pub offset: u64,
    /// The number of bytes.
    pub len: u64,
    /// What they must give.
    pub expected: Sum,
}

/// What a checksum gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// The CRC of zip archives (IEEE 802.3).
    Crc32(u32),
    /// The CRC32C of TensorFlow, without its mask.
    Crc32c(u32),
}

/// Why a checkpoint cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system did not let it be read.
    #[error("it cannot be read: {0}")]
    Io(io::Error),
    /// It ends before its format says that it does, as a file that is being written does: read it again when it has changed.
    #[error("it is not whole: {0}")]
    NotWhole(String),
    /// It only has the name of a checkpoint.
    #[error("it is no checkpoint")]
    Unknown,
    /// Its bytes contradict its format.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It is of a kind that is not read; the sentence says what would mend it.
    #[error("{0}")]
    NotRead(String),
}

impl From<io::Error> for OpenError {
    /// An end that came too early is a file that is not whole.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::NotWhole("it ends too early".to_owned()),
            _ => Self::Io(error),
        }
    }
}

impl From<WireError> for OpenError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Io(error) => Self::from(error),
            WireError::Malformed(reason) => Self::Damaged(reason.to_owned()),
        }
    }
}
