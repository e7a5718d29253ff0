//! A file -> its groups and datasets, with the attributes that say what they are.

use std::collections::HashSet;

use super::{
    attribute::{self, Attributes, Value},
    dataset::{self, Dataset, MOST_PIECES},
    fault::{Read, damaged, not_read},
    file::File,
    global_heap::GlobalHeap,
    group,
    object::Object,
    superblock,
};
use crate::reader::{contents::MOST_TENSORS, input::Input};

/// The most groups within one another.
const DEEPEST: usize = 64;
/// The most bytes of all names of groups and datasets.
const MOST_NAME_BYTES: usize = 32 << 20;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Its groups; the first is the root.
    pub groups: Vec<Group>,
    /// Its datasets.
    pub datasets: Vec<Dataset>,
    /// How many links lead to other files or to names, and were not followed.
    pub n_links: usize,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The names of the groups that hold it, and its own.
    pub path: Vec<Box<str>>,
    /// The attributes that say what it is.
    pub attributes: Attributes,
}

impl Group {
    /// Its attribute of this name, if that is one text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(Value::Texts(texts)) => texts.first().map(|text| &**text),
            _ => None,
        }
    }

    /// Its attribute of this name, if that is a list of texts. Keras cuts long lists into `NAME0`, `NAME1` and so on.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        let of = |name: &str| match self.attributes.get(name) {
            Some(Value::Texts(texts)) => Some(texts.iter().map(|text| &**text)),
            _ => None,
        };
        if let Some(texts) = of(name) {
            return Some(texts.collect());
        }
        let mut parts = (0..).map_while(|number| of(&format!("{name}{number}"))).peekable();
        parts.peek()?;
        Some(parts.flatten().collect())
    }

    /// Its attribute of this name, if that is a whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

/// Attributes that are read.
const ATTRIBUTES: [&str; 10] = [
    "name",
    "dtype",
    "layer_names",
    "weight_names",
    "model_config",
    "keras_version",
    "global_step",
    "step",
    "iteration",
    "epoch",
];

/// Whether an attribute is read: one that is known, or a part of one.
fn is_wanted(name: &str) -> bool {
    ATTRIBUTES.contains(&name.trim_end_matches(|letter: char| letter.is_ascii_digit()))
}

/// Reads all headers of a file.
///
/// # Errors
/// `NotWhole` if the file is not, `Damaged` if it contradicts itself, `NotRead` if it holds too much; errors of the system.
pub fn read(input: &dyn Input) -> Read<Tree> {
    let (file, root) = superblock::open(input)?;
    let mut walk = Walk { file: &file, heap: GlobalHeap::default(), tree: Tree::default(), n_name_bytes: 0 };
    let mut seen = HashSet::new();
    let mut objects: Vec<(u64, Vec<Box<str>>)> = vec![(root, Vec::new())];
    let mut left = MOST_PIECES;
    while let Some((address, path)) = objects.pop() {
        if seen.contains(&address) {
            // A group that is within itself, or has two names.
            continue;
        }
        let object = Object::open(&file, address)?;
        let attributes = attribute::read(&file, &walk.heap, &object, &is_wanted)?;
        let is_bfloat16 = matches!(attributes.get("dtype"), Some(Value::Texts(texts)) if texts.first().is_some_and(|text| &**text == "bfloat16"));
        if let Some(dataset) = dataset::read(&file, &object, is_bfloat16, left)? {
            left -= dataset.pieces.len();
            walk.add(Dataset { path, ..dataset })?;
            continue;
        }
        seen.insert(address);
        walk.group(&object, Group { path, attributes }, &mut objects)?;
    }
    Ok(walk.tree)
}

struct Walk<'a> {
    file: &'a File<'a>,
    heap: GlobalHeap,
    tree: Tree,
    n_name_bytes: usize,
}

impl Walk<'_> {
    fn add(&mut self, dataset: Dataset) -> Read<()> {
        if self.tree.datasets.len() == MOST_TENSORS {
            return Err(not_read(format!("it has more than {MOST_TENSORS} datasets, which is not read")));
        }
        self.tree.datasets.push(dataset);
        Ok(())
    }

    /// Adds a group, and puts what it holds on the list of objects so that the first is read first.
    fn group(&mut self, object: &Object, group: Group, objects: &mut Vec<(u64, Vec<Box<str>>)>) -> Read<()> {
        let links = group::links(self.file, object)?.unwrap_or_default();
        if group.path.len() >= DEEPEST {
            return Err(damaged(format!("its groups are more than {DEEPEST} deep")));
        }
        for link in links.into_iter().rev() {
            let Some(address) = link.address else {
                self.tree.n_links += 1;
                continue;
            };
            let mut path = group.path.clone();
            path.push(link.name);
            self.n_name_bytes += path.iter().map(|name| name.len() + 16).sum::<usize>();
            if self.n_name_bytes > MOST_NAME_BYTES {
                return Err(not_read("its names are too long, which is not read"));
            }
            objects.push((address, path));
        }
        self.tree.groups.push(group);
        Ok(())
    }
}
