//! Bytes of a graph -> its nodes and functions with the few attributes that matter.
//!
//! Constants are skipped: a graph of hundreds of megabytes is mostly weights that were frozen into it. The memory for the
//! result is limited, and nodes beyond the limits are left out.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    attributes::Attributes,
    bytes::{LONGEST_NAME, arg, text},
};
use crate::{
    event::{
        graph::GraphForm,
        wire::{Span, WireError, next_field},
    },
    source::window::Peek,
};

const MOST_NODES: usize = 200_000;
const MOST_NAME_BYTES: usize = 32 << 20;
const MOST_INPUTS: usize = 64;

/// Nodes of a graph or of a function as the message has them: their inputs are names.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// A function's arguments, and whether each is the handle of a variable.
    pub(super) args: Vec<(Box<str>, bool)>,
    /// What a function returns: names of its nodes' outputs.
    pub(super) rets: Vec<Box<str>>,
    pub(super) nodes: Vec<RawNode>,
}

/// A graph, and the functions that its nodes call.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) main: Body,
    pub(super) functions: HashMap<Box<str>, Body>,
}

#[derive(Debug)]
pub(super) struct RawNode {
    pub(super) name: Arc<str>,
    pub(super) op: Arc<str>,
    /// Names of outputs: `node`, `node:1` in graphs, `node:output:0` in functions. Control edges are left out.
    pub(super) inputs: Vec<Box<str>>,
    pub(super) attributes: Arc<Attributes>,
}

/// Reads all graphs of a message.
pub(super) fn programs<P: Peek>(
    source: &mut P,
    form: GraphForm,
    span: Span,
) -> Result<Vec<Program>, WireError> {
    let mut reader = NodeReader {
        source,
        programs: Vec::new(),
        nodes: 0,
        name_bytes: 0,
        ops: HashSet::new(),
        plain: Arc::default(),
    };
    match form {
        GraphForm::Graph => reader.graph(span)?,
        GraphForm::MetaGraph => reader.each(span, 2, NodeReader::graph)?,
        GraphForm::RunMetadata => {
            let mut functions = Vec::new();
            reader.each(span, 4, |_, span| {
                functions.push(span);
                Ok(())
            })?;
            for function in &functions {
                reader.each(*function, 2, NodeReader::graph)?;
            }
            // Older writers did not write graphs from before optimisation.
            if functions.is_empty() {
                reader.each(span, 3, NodeReader::graph)?;
            }
        }
        GraphForm::KerasModel => {}
    }
    Ok(reader.programs)
}

struct NodeReader<'a, P> {
    source: &'a mut P,
    programs: Vec<Program>,
    nodes: usize,
    name_bytes: usize,
    ops: HashSet<Arc<str>>,
    plain: Arc<Attributes>,
}

/// The approximate memory of a node beyond its own size.
fn bytes_of(node: &RawNode) -> usize {
    let Attributes { strides, dilations, ksize, padding, data_format, shape, text, ints, function, .. } =
        &*node.attributes;
    let texts =
        [padding, data_format, text, function].into_iter().flatten().map(|text| text.len()).sum::<usize>();
    let numbers =
        strides.len() + dilations.len() + ksize.len() + ints.len() + shape.as_ref().map_or(0, Vec::len);
    let inputs = node.inputs.iter().map(|input| input.len() + size_of::<Box<str>>()).sum::<usize>();
    node.name.len() + node.op.len() + inputs + texts + numbers * size_of::<i64>()
}

impl<P: Peek> NodeReader<'_, P> {
    /// Calls `take` for each sub-message with this field number.
    fn each(
        &mut self,
        mut span: Span,
        number: u32,
        mut take: impl FnMut(&mut Self, Span) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        while let Some((found, value)) = next_field(self.source, &mut span)? {
            if found == number {
                take(self, value.span()?)?;
            }
        }
        Ok(())
    }

    /// `GraphDef { node 1, library 2 { function 1 } }`
    fn graph(&mut self, span: Span) -> Result<(), WireError> {
        let mut program = Program { main: self.body(span, 1)?, functions: HashMap::new() };
        self.each(span, 2, |reader, library| {
            reader.each(library, 1, |reader, function| {
                let (name, function) = reader.function(function)?;
                program.functions.insert(name, function);
                Ok(())
            })
        })?;
        self.programs.push(program);
        Ok(())
    }

    /// `FunctionDef { signature 1 { name 1, input_arg 2 { name 1 }, output_arg 3 { name 1 } }, node_def 3, ret 4 }`
    fn function(&mut self, span: Span) -> Result<(Box<str>, Body), WireError> {
        let mut body = self.body(span, 3)?;
        let (mut name, mut outputs, mut rets) = (Box::<str>::default(), Vec::new(), HashMap::new());
        self.each(span, 1, |reader, mut signature| {
            while let Some((number, value)) = next_field(reader.source, &mut signature)? {
                match number {
                    1 => name = text(reader.source, value.span()?, LONGEST_NAME)?,
                    2 if body.args.len() < MOST_NODES => body.args.push(reader.arg(value.span()?)?),
                    3 if outputs.len() < MOST_NODES => outputs.push(reader.arg(value.span()?)?.0),
                    _ => {}
                }
            }
            Ok(())
        })?;
        self.each(span, 4, |reader, entry| {
            let (output, node) = reader.entry(entry)?;
            rets.insert(output, node);
            Ok(())
        })?;
        body.rets = outputs.into_iter().map(|output| rets.remove(&output).unwrap_or_default()).collect();
        Ok((name, body))
    }

    fn arg(&mut self, span: Span) -> Result<(Box<str>, bool), WireError> {
        let (name, is_resource) = arg(self.source, span)?;
        self.name_bytes += name.len();
        Ok((name, is_resource))
    }

    /// An entry of a map from text to text.
    fn entry(&mut self, mut span: Span) -> Result<(Box<str>, Box<str>), WireError> {
        let (mut key, mut content) = (Box::<str>::default(), Box::<str>::default());
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            match number {
                1 => key = text(self.source, value.span()?, LONGEST_NAME)?,
                2 => content = text(self.source, value.span()?, LONGEST_NAME)?,
                _ => {}
            }
        }
        self.name_bytes += key.len() + content.len();
        Ok((key, content))
    }

    fn body(&mut self, span: Span, number: u32) -> Result<Body, WireError> {
        let mut body = Body::default();
        self.each(span, number, |reader, node| {
            if reader.nodes < MOST_NODES && reader.name_bytes < MOST_NAME_BYTES {
                let node = reader.node(node)?;
                reader.nodes += 1;
                reader.name_bytes += bytes_of(&node);
                body.nodes.push(node);
            }
            Ok(())
        })?;
        Ok(body)
    }

    /// `NodeDef { name 1, op 2, input 3, attr 5 { key 1, value 2 } }`
    fn node(&mut self, mut span: Span) -> Result<RawNode, WireError> {
        let (mut name, mut op) = (Box::<str>::default(), Box::<str>::default());
        let (mut inputs, mut attributes) = (Vec::new(), Attributes::default());
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            match number {
                1 => name = text(self.source, value.span()?, LONGEST_NAME)?,
                2 => op = text(self.source, value.span()?, LONGEST_NAME)?,
                3 if inputs.len() < MOST_INPUTS => {
                    let input = text(self.source, value.span()?, LONGEST_NAME)?;
                    if !input.starts_with('^') {
                        inputs.push(input);
                    }
                }
                5 => attributes.read(self.source, value.span()?)?,
                _ => {}
            }
        }
        let op = if let Some(known) = self.ops.get(&*op) {
            Arc::clone(known)
        } else {
            let new: Arc<str> = op.into();
            self.ops.insert(Arc::clone(&new));
            new
        };
        let attributes =
            if attributes == *self.plain { Arc::clone(&self.plain) } else { Arc::new(attributes) };
        Ok(RawNode { name: name.into(), op, inputs, attributes })
    }
}
