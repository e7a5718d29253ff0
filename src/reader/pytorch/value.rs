//! The objects of a pickle, as data: what a name such as `torch._utils._rebuild_tensor_v2` means is left to others.

use std::borrow::Cow;

/// The most objects of a pickle.
pub(super) const MOST_NODES: usize = 1_500_000;

/// The most memory of a pickle and its objects, in bytes. Those of 75,000 tensors take 100 MB.
pub(super) const MOST_BYTES: usize = 128_000_000;

/// The longest text that is looked at, in bytes; what follows is cut off. It bounds the time that one key takes which a million
/// dictionaries have.
const LONGEST_TEXT: usize = 1000;

/// A range of bytes of the pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// An object. Those that contain others or bytes are nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Node(u32),
    /// What is known to be there and cannot be read.
    Unknown,
}

/// An object that contains others or bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(Span),
    Bytes(Span),
    /// An integer of more than 64 bits, little-endian.
    Long(Span),
    Tuple(Box<[Value]>),
    /// A list, or a set.
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A class or a function, by its module and its name in it.
    Global(Span, Span),
    Object(Box<Object>),
    /// What the writer stored outside of the pickle, by what it calls it.
    Persistent(Value),
}

/// What a class or a function was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    /// The class or the function.
    pub(super) class: Value,
    /// The tuple of its arguments.
    pub(super) args: Value,
    /// What it was given afterwards to restore its attributes.
    pub(super) state: Value,
    /// What was appended to it.
    pub(super) items: Vec<Value>,
    /// What was set in it by a key.
    pub(super) pairs: Vec<(Value, Value)>,
}

/// All objects of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    pub(super) bytes: Vec<u8>,
    pub(super) nodes: Vec<Node>,
    /// The object that was pickled.
    pub(super) root: Value,
    /// How many of the bytes are its pickle.
    pub(super) len: usize,
}

impl Values {
    /// The object's node, if it is one.
    pub(super) fn node(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(at) => self.nodes.get(at as usize),
            _ => None,
        }
    }

    fn slice(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        self.bytes.get(start..start + span.len as usize).unwrap_or_default()
    }

    /// A text, cut after 1,000 bytes. Bytes that are not UTF-8 are replaced.
    pub(super) fn text(&self, value: Value) -> Option<Cow<'_, str>> {
        let bytes = self.text_bytes(value)?;
        Some(String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_TEXT)]))
    }

    fn text_bytes(&self, value: Value) -> Option<&[u8]> {
        match self.node(value)? {
            Node::Text(span) => Some(self.slice(*span)),
            _ => None,
        }
    }

    /// A few bytes, also those that protocol 2 writes as a text in Latin-1.
    pub(super) fn raw(&self, value: Value) -> Option<Vec<u8>> {
        match self.node(value)? {
            // Python 2 has no other bytes than texts.
            Node::Bytes(span) | Node::Long(span) | Node::Text(span) if (span.len as usize) < LONGEST_TEXT => {
                Some(self.slice(*span).to_vec())
            }
            Node::Object(object) if self.is_global(object.class, "_codecs", "encode") => {
                let text = self.text(*self.tuple(object.args)?.first()?)?;
                text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
            }
            _ => None,
        }
    }

    /// The module and the name of a class or a function.
    pub(super) fn global(&self, value: Value) -> Option<(&str, &str)> {
        match self.node(value)? {
            Node::Global(module, name) => {
                let text = |span: &Span| {
                    let bytes = self.slice(*span);
                    std::str::from_utf8(&bytes[..bytes.len().min(LONGEST_TEXT)]).unwrap_or_default()
                };
                Some((text(module), text(name)))
            }
            // Before PyTorch 1.6, the class of a module with its source: ("module", class, file, source).
            Node::Persistent(inner) => match *self.tuple(*inner)? {
                [_, class, ..] if class != value => match self.node(class)? {
                    Node::Global(..) => self.global(class),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is this class or function.
    pub(super) fn is_global(&self, value: Value, module: &str, name: &str) -> bool {
        self.global(value) == Some((module, name))
    }

    /// The elements of a tuple, a list or a set.
    pub(super) fn tuple(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(items) => Some(items),
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if it is one of a class.
    pub(super) fn object(&self, value: Value) -> Option<&Object> {
        match self.node(value)? {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The entries of a dictionary, whatever its class.
    pub(super) fn entries(&self, value: Value) -> Option<Cow<'_, [(Value, Value)]>> {
        match self.node(value)? {
            Node::Dict(pairs) => Some(Cow::Borrowed(pairs)),
            Node::Object(object) => {
                let (_, name) = self.global(object.class)?;
                let is_dict = !object.pairs.is_empty() || name.ends_with("Dict") || name == "defaultdict";
                if !is_dict {
                    return None;
                }
                let of_args = self.pairs_of_args(object.args);
                if of_args.is_empty() {
                    return Some(Cow::Borrowed(&object.pairs));
                }
                Some([of_args, object.pairs.clone()].concat().into())
            }
            _ => None,
        }
    }

    /// The entries in a call such as `OrderedDict([[key, value], ...])`, as Python 2 pickles it, or `dict({key: value})`.
    fn pairs_of_args(&self, args: Value) -> Vec<(Value, Value)> {
        let Some(first) = self.tuple(args).and_then(|args| args.first().copied()) else { return Vec::new() };
        if let Some(Node::Dict(pairs)) = self.node(first) {
            return pairs.clone();
        }
        let pair = |item: &Value| match self.tuple(*item)? {
            [key, value] => Some((*key, *value)),
            _ => None,
        };
        self.tuple(first).unwrap_or_default().iter().filter_map(pair).collect()
    }

    /// The value of the last entry of a dictionary that has this key.
    pub(super) fn entry(&self, dict: Value, key: &str) -> Option<Value> {
        let is_it = |found: &&(Value, Value)| self.text_bytes(found.0) == Some(key.as_bytes());
        self.entries(dict)?.iter().rev().find(is_it).map(|(_, value)| *value)
    }

    /// How many objects an object directly contains.
    pub(super) fn size(&self, value: Value) -> usize {
        match self.node(value) {
            Some(Node::Tuple(items)) => items.len(),
            Some(Node::List(items)) => items.len(),
            Some(Node::Dict(pairs)) => pairs.len(),
            Some(Node::Object(object)) => object.items.len() + object.pairs.len(),
            _ => 0,
        }
    }
}
