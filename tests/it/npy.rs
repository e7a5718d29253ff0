//! NPY files as NumPy writes them -> type, shape and bytes.

use std::path::Path;

use convscope::tensor::{Tensor, dtype::DType, frames::Frames, shape::Shape};

/// An array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Npy {
    /// NumPy's name of the type, as in `<f4`.
    pub(crate) descr: String,
    /// The lengths of the axes, slowest first.
    pub(crate) shape: Vec<i64>,
    /// The elements, row by row.
    pub(crate) bytes: Vec<u8>,
}

impl Npy {
    pub(crate) fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    pub(crate) fn parse(file: &[u8]) -> Self {
        assert_eq!(&file[..6], b"\x93NUMPY");
        let (start, header_len) = match file[6] {
            1 => (10, usize::from(u16::from_le_bytes(file[8..10].try_into().unwrap()))),
            _ => (12, u32::from_le_bytes(file[8..12].try_into().unwrap()) as usize),
        };
        let header = std::str::from_utf8(&file[start..start + header_len]).unwrap();
        assert!(header.contains("'fortran_order': False"), "{header}");
        let behind = |key: &str| header.split(key).nth(1).unwrap();
        let descr = behind("'descr': '").split('\'').next().unwrap().to_owned();
        let axes = behind("'shape': (").split(')').next().unwrap();
        let shape = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty());
        let shape = shape.map(|axis| axis.parse().unwrap()).collect();
        Self { descr, shape, bytes: file[start + header_len..].to_vec() }
    }

    /// The array as a tensor.
    pub(crate) fn tensor(&self) -> Tensor {
        let dtype = match self.descr.as_str() {
            "<f2" => DType::Float16,
            "<f4" => DType::Float32,
            "<f8" => DType::Float64,
            other => panic!("{other}"),
        };
        Tensor {
            dtype,
            shape: Shape::new(&self.shape).unwrap(),
            bytes: self.bytes.clone().into(),
            frames: Frames::default(),
        }
    }
}
