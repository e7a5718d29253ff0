//! A safetensors file, or the index of several -> what they hold.
//!
//! A file is the length of its header (u64, little-endian), the header (JSON), and the numbers, as documented at
//! <https://huggingface.co/docs/safetensors>. The header names the dtype, the shape and the first and last byte of each tensor. An
//! index (`model.safetensors.index.json`) says which file holds which tensor.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    path::{Component, Path},
};

use serde::{
    Deserialize,
    de::{self, IgnoredAny, MapAccess, Visitor},
};

use super::{
    contents::{Contents, Counter, Format, MOST_AXES, MOST_TENSORS, OpenError, Piece, StoredTensor},
    input::{Files, Input},
};
use crate::tensor::{dtype::DType, minifloat::Minifloat};

/// The longest header that is read, in bytes. One of 50,000 tensors has about 6 MB.
const LONGEST_HEADER: u64 = 16 << 20;
/// The most files that an index may name.
const MOST_FILES: usize = 1_000;
/// The length of the number before the header.
const PREFIX: u64 = 8;

/// Reads the head of a file, or an index and the heads of the files that it names.
///
/// # Errors
/// See [`OpenError`].
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let mut contents = Contents::empty(Format::Safetensors);
    contents.files.push(path.to_owned());
    let is_index = path.as_os_str().as_encoded_bytes().ends_with(b".json");
    if is_index {
        open_index(files, path, &mut contents)?;
    } else {
        add_file(&*files.open(path)?, &mut contents)?;
    }
    Ok(contents)
}

fn open_index(files: &dyn Files, path: &Path, contents: &mut Contents) -> Result<(), OpenError> {
    let index = files.open(path)?;
    let bytes = index.bytes(0, index.len().min(LONGEST_HEADER))?;
    let parsed: Result<Index, _> = serde_json::from_slice(&bytes);
    let index = parsed.map_err(|error| {
        let reason = format!("the index is not understood: {error}");
        if error.is_eof() { OpenError::NotWhole(reason) } else { OpenError::Damaged(reason) }
    })?;
    let n_tensors_of = index.weight_map.0;
    if n_tensors_of.len() > MOST_FILES {
        return Err(OpenError::NotRead(format!("its index names more than {MOST_FILES} files")));
    }
    for (file, n_tensors) in n_tensors_of {
        if !is_plain_name(&file) {
            contents
                .remarks
                .push(format!("the index names {file:?}, which is not beside it: it is not opened"));
            continue;
        }
        let beside = path.with_file_name(&file);
        match files.open(&beside) {
            Ok(input) => {
                contents.files.push(beside);
                add_file(&*input, contents)?;
            }
            Err(error) => {
                contents.remarks.push(format!(
                    "{file} cannot be opened, which holds {n_tensors} of its tensors: {error}"
                ));
                contents.missing.push(beside);
            }
        }
    }
    Ok(())
}

/// Whether a name is that of a file beside the one that names it.
fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

/// Adds the tensors of the file that was added to the list last.
fn add_file(input: &dyn Input, contents: &mut Contents) -> Result<(), OpenError> {
    let prefix: [u8; 8] = input.bytes(0, PREFIX)?.try_into().unwrap_or_default();
    let header_len = u64::from_le_bytes(prefix);
    if header_len > LONGEST_HEADER {
        return Err(OpenError::Damaged(format!(
            "its header would have {header_len} bytes, and at most {LONGEST_HEADER} are read"
        )));
    }
    let header = input.bytes(PREFIX, header_len)?;
    let header: Header = serde_json::from_slice(&header)
        .map_err(|error| OpenError::Damaged(format!("its header is not understood: {error}")))?;
    check_ranges(&header.tensors)?;
    let (data, mut end) = (PREFIX + header_len, 0);
    let file = u32::try_from(contents.files.len() - 1).unwrap_or(u32::MAX);
    for (name, entry) in header.tensors {
        let [first, last] = entry.data_offsets;
        end = end.max(last);
        let dtype = dtype(&entry.dtype);
        check(&name, &entry, dtype.as_ref().ok())?;
        let piece = Piece {
            file,
            offset: data.saturating_add(first),
            strides: None,
            region: None,
            is_big_endian: false,
            checksum: None,
            packing: None,
        };
        contents.tensors.push(StoredTensor {
            name: vec![name.into()],
            better_name: None,
            pieces: if dtype.is_ok() { vec![piece] } else { Vec::new() },
            dtype,
            shape: entry.shape,
        });
    }
    if contents.tensors.len() > MOST_TENSORS {
        return Err(OpenError::NotRead(format!("it names more than {MOST_TENSORS} tensors")));
    }
    let Metadata { global_step, step, steps, epoch } = header.metadata;
    let steps = [("global_step", global_step), ("step", step), ("steps", steps)];
    contents.step = contents.step.take().or_else(|| steps.into_iter().find_map(counter));
    contents.epoch = contents.epoch.take().or_else(|| counter(("epoch", epoch)));
    let needed = data.saturating_add(end);
    match input.len() {
        len if len < needed => {
            Err(OpenError::NotWhole(format!("it has {len} bytes, and its header says {needed}")))
        }
        len if len > needed => Err(OpenError::Damaged(format!(
            "it has {len} bytes, and its header says {needed}: it was written over or joined with something else"
        ))),
        _ => Ok(()),
    }
}

fn check(name: &str, entry: &Entry, dtype: Option<&DType>) -> Result<(), OpenError> {
    let [first, last] = entry.data_offsets;
    if entry.shape.len() > MOST_AXES || first > last {
        return Err(OpenError::Damaged(format!("the entry of {name:?} is impossible")));
    }
    let elements = entry.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
    let needed = elements.zip(dtype).and_then(|(elements, dtype)| elements.checked_mul(dtype.bytes() as u64));
    if dtype.is_some() && needed != Some(last - first) {
        return Err(OpenError::Damaged(format!(
            "{name:?} has {} bytes, which its type and shape contradict",
            last - first
        )));
    }
    Ok(())
}

/// As the format demands, each byte of the numbers is of one tensor. The entries are in the order of the numbers.
fn check_ranges(tensors: &[(String, Entry)]) -> Result<(), OpenError> {
    let mut end = 0;
    for (name, entry) in tensors {
        let [first, last] = entry.data_offsets;
        if first < end {
            let reason = format!("the numbers of {name:?} overlap those of another tensor");
            return Err(OpenError::Damaged(reason));
        }
        if first > end {
            let reason = format!("the {} bytes before those of {name:?} are of no tensor", first - end);
            return Err(OpenError::Damaged(reason));
        }
        end = last;
    }
    Ok(())
}

fn counter((name, text): (&str, Option<String>)) -> Option<Counter> {
    let value = text?.trim().parse().ok()?;
    Some(Counter { value, found_in: format!("__metadata__/{name}") })
}

/// The types of `safetensors/src/tensor.rs`.
fn dtype(name: &str) -> Result<DType, Box<str>> {
    Ok(match name {
        "F32" => DType::Float32,
        "F64" => DType::Float64,
        "F16" => DType::Float16,
        "BF16" => DType::BFloat16,
        "F8_E4M3" => DType::Mini(Minifloat::E4M3Fn),
        "F8_E5M2" => DType::Mini(Minifloat::E5M2),
        "F8_E4M3FNUZ" => DType::Mini(Minifloat::E4M3Fnuz),
        "F8_E5M2FNUZ" => DType::Mini(Minifloat::E5M2Fnuz),
        "I8" => DType::Int8,
        "I16" => DType::Int16,
        "I32" => DType::Int32,
        "I64" => DType::Int64,
        "U8" => DType::UInt8,
        "U16" => DType::UInt16,
        "U32" => DType::UInt32,
        "U64" => DType::UInt64,
        "BOOL" => DType::Bool,
        "C64" => DType::Complex64,
        _ => return Err(name.into()),
    })
}

#[derive(Deserialize)]
struct Index {
    weight_map: FilesOfTensors,
}

/// How many tensors are in each file. Their names are in the files too, and are not kept.
struct FilesOfTensors(BTreeMap<String, usize>);

impl<'de> Deserialize<'de> for FilesOfTensors {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FilesVisitor)
    }
}

struct FilesVisitor;

impl<'de> Visitor<'de> for FilesVisitor {
    type Value = FilesOfTensors;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object that says in which file each tensor is")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FilesOfTensors, A::Error> {
        let mut files = BTreeMap::new();
        while let Some((_, file)) = map.next_entry::<IgnoredAny, String>()? {
            // That there are too many is reported when the whole index was read.
            if files.len() <= MOST_FILES || files.contains_key(&file) {
                *files.entry(file).or_default() += 1;
            }
        }
        Ok(FilesOfTensors(files))
    }
}

/// The entry of one tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    /// From the end of the header.
    data_offsets: [u64; 2],
}

/// What is used of the texts that a writer may add to a header. The others, which may be many, are not kept.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    global_step: Option<String>,
    step: Option<String>,
    steps: Option<String>,
    epoch: Option<String>,
}

#[derive(Default)]
struct Header {
    metadata: Metadata,
    /// In the order of the numbers, which is that of the file.
    tensors: Vec<(String, Entry)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                header.metadata = map.next_value()?;
            } else if header.tensors.len() > MOST_TENSORS {
                // The number is reported when the whole header was read.
                map.next_value::<IgnoredAny>()?;
            } else if names.insert(name.clone()) {
                header.tensors.push((name, map.next_value()?));
            } else {
                // The format does not allow it, and no other reader would return both.
                return Err(de::Error::custom(format!("it has {name:?} twice")));
            }
        }
        header.tensors.sort_by_key(|(_, entry)| entry.data_offsets);
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::input::InMemory;

    /// What a file with this header and these numbers holds.
    fn opened(header: &str, numbers: &[u8]) -> Result<Contents, OpenError> {
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), numbers].concat();
        let path = Path::new("a.safetensors");
        open(&InMemory([(path.to_owned(), bytes)].into()), path)
    }

    #[test]
    fn the_metadata_may_say_the_step_and_anything_else() {
        let contents = opened(r#"{"__metadata__":{"format":"pt","steps":" 12 ","epoch":"x"}}"#, &[]).unwrap();
        assert_eq!(contents.step, Some(Counter { value: 12, found_in: "__metadata__/steps".to_owned() }));
        assert_eq!(contents.epoch, None);
    }

    #[test]
    fn an_index_that_names_too_many_files_is_not_read() {
        let index = |n_files: usize, n_tensors: usize| {
            let name = |number| format!(r#""{number}":"{}.safetensors""#, number % n_files);
            let map = (0..n_tensors).map(name).collect::<Vec<_>>().join(",");
            let path = Path::new("model.safetensors.index.json");
            let bytes = format!(r#"{{"weight_map":{{{map}}}}}"#).into_bytes();
            open(&InMemory([(path.to_owned(), bytes)].into()), path)
        };
        let contents = index(2, 5).unwrap();
        let said: Vec<&str> = contents.remarks.iter().map(String::as_str).collect();
        assert_eq!(contents.missing.len(), 2);
        assert!(
            said[0].starts_with("0.safetensors cannot be opened, which holds 3 of its tensors"),
            "{said:?}"
        );
        assert!(index(MOST_FILES, 2_000).is_ok());
        let error = index(MOST_FILES + 1, 200_000).unwrap_err();
        assert!(matches!(&error, OpenError::NotRead(_)), "{error}");
    }

    #[test]
    fn each_byte_is_of_one_tensor() {
        let entry = |name: &str, first: u64, last: u64| {
            format!(r#""{name}":{{"dtype":"U8","shape":[{}],"data_offsets":[{first},{last}]}}"#, last - first)
        };
        let open = |entries: &[String]| opened(&format!("{{{}}}", entries.join(",")), &[0; 8]);
        let good = open(&[entry("b", 4, 8), entry("a", 0, 4), entry("empty", 4, 4)]);
        assert_eq!(good.unwrap().tensors.len(), 3);
        let damage = |entries: &[String]| open(entries).unwrap_err().to_string();
        assert!(damage(&[entry("a", 0, 4), entry("b", 2, 8)]).contains("overlap"));
        assert!(damage(&[entry("a", 0, 4), entry("b", 5, 8)]).contains("of no tensor"));
        assert!(damage(&[entry("a", 1, 4)]).contains("of no tensor"));
    }

    #[test]
    fn a_name_that_stands_twice_is_damage() {
        let entry = |name: &str, at: u8| {
            format!(r#""{name}":{{"dtype":"U8","shape":[1],"data_offsets":[{at},{}]}}"#, at + 1)
        };
        let two = |first: &str, second: &str| {
            opened(&format!("{{{},{}}}", entry(first, 0), entry(second, 1)), &[1, 2])
        };
        assert_eq!(two("a", "b").unwrap().tensors.len(), 2);
        let error = two("a", "a").unwrap_err();
        assert!(matches!(&error, OpenError::Damaged(reason) if reason.contains("\"a\" twice")), "{error}");
    }
}
