//! The tensor `_CHECKPOINTABLE_OBJECT_GRAPH` -> what is known of each variable, by its key.
//!
//! TensorFlow 2 names a tensor by the shortest way to it from the object that is saved. The graph of these objects, a
//! `TrackableObjectGraph` (`core/protobuf/trackable_object_graph.proto`), is saved as a string beside the tensors. It has the name
//! that each variable was made with, and all other ways to it.

use std::collections::{HashMap, HashSet};

use crate::{
    event::wire::{Span, WireError, next_field, varint},
    reader::contents::MOST_TENSORS,
    types::text_of_bytes,
};

/// The key of the graph.
pub const KEY: &str = "_CHECKPOINTABLE_OBJECT_GRAPH";
/// Longer graphs are not read. That of a network with 1,000 layers has about 1 MB.
pub const LONGEST: u64 = 16 << 20;
const LONGEST_NAME: usize = 4 << 10;
/// The most ways from an object to the next that are followed.
const MOST_EDGES: usize = 1 << 19;
/// The longest way.
const DEEPEST: usize = 32;
/// The most bytes of all ways together.
const MOST_WAY_BYTES: usize = 32 << 20;
/// What only optimizers of Keras have.
pub const OF_OPTIMIZERS: [&str; 3] = ["_iterations", "_learning_rate", "_current_learning_rate"];
/// Attributes by which a `SavedModel` of Keras finds all layers and variables once more.
const ONCE_MORE: [&str; 5] =
    ["keras_api", "layers", "variables", "trainable_variables", "non_trainable_variables"];

/// What is known of a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The name that it was made with; may be empty.
    pub full_name: String,
    /// The shortest way to it through named attributes and lists, and not through an optimizer.
    pub way: Option<String>,
}

/// What is known of variables, by key.
pub type Variables = HashMap<String, Known>;

/// An attribute of an object that is another object.
struct Edge {
    from: u64,
    to: u64,
    name: Span,
}

#[derive(Default)]
struct Graph {
    edges: Vec<Edge>,
    /// The node of each variable, its key and its full name.
    variables: Vec<(u64, String, String)>,
}

/// Reads the bytes of the tensor: the length of its only string, a CRC of that, and the string.
///
/// # Errors
/// If it is no graph, or a very large one.
pub fn read(bytes: &[u8]) -> Result<Variables, WireError> {
    let mut source = bytes;
    let mut span = Span { at: 0, end: bytes.len() as u64 };
    let len = varint(&mut source, &mut span)?;
    span.at += 4;
    if span.end.checked_sub(span.at) != Some(len) {
        return Err(WireError::Malformed("it is no single string"));
    }
    let (mut graph, mut node) = (Graph::default(), 0);
    while let Some((number, value)) = next_field(&mut source, &mut span)? {
        if number == 1 {
            graph.read_node(&mut source, value.span()?, node)?;
            node += 1;
        }
    }
    let mut ways = Ways::of(&graph.edges, bytes);
    let known = graph.variables.into_iter().map(|(node, key, full_name)| {
        let way = ways.to(node);
        (key, Known { full_name, way })
    });
    Ok(known.collect())
}

impl Graph {
    fn read_node(&mut self, source: &mut &[u8], mut span: Span, node: u64) -> Result<(), WireError> {
        while let Some((number, value)) = next_field(source, &mut span)? {
            match number {
                1 if self.edges.len() < MOST_EDGES => self.edges.push(edge(source, value.span()?, node)?),
                2 => {
                    let (full_name, key) = attribute(source, value.span()?)?;
                    if self.variables.len() == MOST_TENSORS {
                        return Err(WireError::Malformed("it has more variables than are read"));
                    }
                    self.variables.push((node, key, full_name));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// An `ObjectReference`.
fn edge(source: &mut &[u8], mut span: Span, from: u64) -> Result<Edge, WireError> {
    let mut edge = Edge { from, to: 0, name: Span { at: 0, end: 0 } };
    while let Some((number, value)) = next_field(source, &mut span)? {
        match number {
            1 => edge.to = value.varint()?,
            2 => edge.name = value.span()?,
            _ => {}
        }
    }
    Ok(edge)
}

/// The full name and the key of a `SerializedTensor`.
fn attribute(source: &mut &[u8], mut span: Span) -> Result<(String, String), WireError> {
    let (mut full_name, mut key) = (String::new(), String::new());
    while let Some((number, value)) = next_field(source, &mut span)? {
        match number {
            2 => full_name = text_of_bytes(value.span()?.bytes(source, LONGEST_NAME)?),
            3 => key = text_of_bytes(value.span()?.bytes(source, LONGEST_NAME)?),
            _ => {}
        }
    }
    Ok((full_name, key))
}

/// The shortest ways from the first object to all others.
struct Ways<'a> {
    bytes: &'a [u8],
    /// The object before each one, and the name of the attribute.
    before: HashMap<u64, (u64, Span)>,
    written: usize,
}

impl<'a> Ways<'a> {
    fn of(edges: &[Edge], bytes: &'a [u8]) -> Self {
        let mut ways = Self { bytes, before: HashMap::new(), written: 0 };
        let optimizers = edges.iter().filter(|edge| OF_OPTIMIZERS.contains(&ways.text(edge.name)));
        let optimizers: HashSet<u64> = optimizers.map(|edge| edge.from).collect();
        // Edges stand in the order of the objects that they come from.
        let of_node = |node| {
            let first = edges.partition_point(|edge| edge.from < node);
            edges[first..].iter().take_while(move |edge| edge.from == node)
        };
        let mut reached = vec![0];
        for _ in 0..DEEPEST {
            let mut next = Vec::new();
            for edge in reached.iter().flat_map(|node| of_node(*node)) {
                let name = ways.text(edge.name);
                let is_passed =
                    edge.to == 0 || ways.before.contains_key(&edge.to) || optimizers.contains(&edge.to);
                let is_variable = of_node(edge.to).next().is_none();
                if !is_passed && is_named(name, is_variable) {
                    ways.before.insert(edge.to, (edge.from, edge.name));
                    next.push(edge.to);
                }
            }
            reached = next;
        }
        ways
    }

    fn text(&self, span: Span) -> &'a str {
        let range = usize::try_from(span.at).ok().zip(usize::try_from(span.end).ok());
        let bytes = range.and_then(|(at, end)| self.bytes.get(at..end)).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }

    fn to(&mut self, node: u64) -> Option<String> {
        let (mut parts, mut at) = (Vec::new(), node);
        while let Some((before, name)) = self.before.get(&at) {
            parts.push(self.text(*name));
            at = *before;
        }
        self.written += parts.iter().map(|part| part.len() + 1).sum::<usize>();
        parts.reverse();
        (at == 0 && !parts.is_empty() && self.written <= MOST_WAY_BYTES).then(|| parts.join("/"))
    }
}

/// Whether an attribute's name tells a reader something. Keras 3 calls the kernel of a layer `_kernel`.
fn is_named(name: &str, is_variable: bool) -> bool {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let is_hidden =
        name.starts_with('_') || name.starts_with("layer_with_weights-") || name.starts_with("layer-");
    let is_shown = if is_variable { !is_number } else { !is_hidden };
    is_shown && !ONCE_MORE.contains(&name) && !name.contains('/') && name.len() <= LONGEST_NAME
}
