//! Bytes of a graph -> its nodes and functions with the few attributes that matter.
//!
//! Constants are hopped over: a graph of hundreds of megabytes is mostly weights that were frozen into it. What is kept is
//! bounded, and nodes beyond the bounds are left out.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    event::{
        graph::GraphForm,
        wire::{Span, Value, WireError, next_field},
    },
    source::window::Peek,
};

const MOST_NODES: usize = 200_000;
const MOST_NAME_BYTES: usize = 32 << 20;
const MOST_INPUTS: usize = 64;
const LONGEST_NAME: usize = 4 << 10;
const LONGEST_LIST: usize = 64;
/// Longer texts of constants are no tags.
const LONGEST_TEXT: usize = 1 << 10;
/// Longer lists of integers are no dilation.
const LONGEST_INTS: usize = 64;
const DT_INT32: u64 = 3;
const DT_RESOURCE: u64 = 20;

/// Nodes of a graph or of a function as they stand in the message: their inputs are names.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// A function's arguments, and whether each is the handle of a variable.
    pub(super) args: Vec<(Box<str>, bool)>,
    /// What a function gives: names of its nodes' outputs.
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

/// Attributes that matter. Most nodes have none of them, and share the default.
#[derive(Debug, PartialEq)]
pub(super) struct Attributes {
    pub(super) strides: Vec<i64>,
    pub(super) dilations: Vec<i64>,
    pub(super) ksize: Vec<i64>,
    pub(super) padding: Option<Box<str>>,
    pub(super) data_format: Option<Box<str>>,
    /// Of a variable.
    pub(super) shape: Option<Vec<i64>>,
    pub(super) transpose_b: bool,
    /// Of a constant.
    pub(super) text: Option<Box<str>>,
    /// Of a constant of a few 32 bit integers.
    pub(super) ints: Vec<i32>,
    /// Of a slice.
    pub(super) keeps_axes: bool,
    /// The function that the node calls.
    pub(super) function: Option<Box<str>>,
    /// Of a placeholder or an argument: whether it is the handle of a variable.
    pub(super) is_resource: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            strides: Vec::new(),
            dilations: Vec::new(),
            ksize: Vec::new(),
            padding: None,
            data_format: None,
            shape: None,
            transpose_b: false,
            text: None,
            ints: Vec::new(),
            keeps_axes: true,
            function: None,
            is_resource: false,
        }
    }
}

/// Reads all graphs of a message.
pub(super) fn programs<P: Peek>(
    source: &mut P,
    form: GraphForm,
    span: Span,
) -> Result<Vec<Program>, WireError> {
    let mut reader = Reader {
        source,
        programs: Vec::new(),
        nodes: 0,
        name_bytes: 0,
        ops: HashSet::new(),
        plain: Arc::default(),
    };
    match form {
        GraphForm::Graph => reader.graph(span)?,
        GraphForm::MetaGraph => reader.each(span, 2, Reader::graph)?,
        GraphForm::RunMetadata => {
            let mut functions = Vec::new();
            reader.each(span, 4, |_, span| {
                functions.push(span);
                Ok(())
            })?;
            for function in &functions {
                reader.each(*function, 2, Reader::graph)?;
            }
            // Older writers had no graphs before optimisation.
            if functions.is_empty() {
                reader.each(span, 3, Reader::graph)?;
            }
        }
        GraphForm::KerasModel => {}
    }
    Ok(reader.programs)
}

struct Reader<'a, P> {
    source: &'a mut P,
    programs: Vec<Program>,
    nodes: usize,
    name_bytes: usize,
    ops: HashSet<Arc<str>>,
    plain: Arc<Attributes>,
}

/// What a node takes beyond its own size, about.
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

impl<P: Peek> Reader<'_, P> {
    /// Does something with each sub-message of a number.
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
                    1 => name = reader.text(value.span()?, LONGEST_NAME)?,
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

    /// `ArgDef { name 1, type 3 }`
    fn arg(&mut self, mut span: Span) -> Result<(Box<str>, bool), WireError> {
        let (mut name, mut is_resource) = (Box::<str>::default(), false);
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            match number {
                1 => name = self.text(value.span()?, LONGEST_NAME)?,
                3 => is_resource = value.varint()? == DT_RESOURCE,
                _ => {}
            }
        }
        self.name_bytes += name.len();
        Ok((name, is_resource))
    }

    /// An entry of a map from text to text.
    fn entry(&mut self, mut span: Span) -> Result<(Box<str>, Box<str>), WireError> {
        let (mut key, mut content) = (Box::<str>::default(), Box::<str>::default());
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            match number {
                1 => key = self.text(value.span()?, LONGEST_NAME)?,
                2 => content = self.text(value.span()?, LONGEST_NAME)?,
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
                1 => name = self.text(value.span()?, LONGEST_NAME)?,
                2 => op = self.text(value.span()?, LONGEST_NAME)?,
                3 if inputs.len() < MOST_INPUTS => {
                    let input = self.text(value.span()?, LONGEST_NAME)?;
                    if !input.starts_with('^') {
                        inputs.push(input);
                    }
                }
                5 => self.attribute(value.span()?, &mut attributes)?,
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

    fn attribute(&mut self, mut span: Span, attributes: &mut Attributes) -> Result<(), WireError> {
        let (mut key, mut content) = (Box::<str>::default(), None);
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            match number {
                1 => key = self.text(value.span()?, LONGEST_NAME)?,
                2 => content = Some(value.span()?),
                _ => {}
            }
        }
        let Some(content) = content else { return Ok(()) };
        match &*key {
            "strides" => attributes.strides = self.list(content)?,
            "dilations" => attributes.dilations = self.list(content)?,
            "ksize" => attributes.ksize = self.list(content)?,
            "padding" => attributes.padding = self.string(content)?,
            "data_format" => attributes.data_format = self.string(content)?,
            "shape" => attributes.shape = self.shape(content)?,
            // Placeholders have one, arguments the other.
            "dtype" | "T" => attributes.is_resource |= self.number(content, 6)? == DT_RESOURCE,
            "transpose_b" => attributes.transpose_b = self.number(content, 5)? != 0,
            "shrink_axis_mask" | "new_axis_mask" | "ellipsis_mask" => {
                attributes.set_masks(self.number(content, 3)? != 0);
            }
            "value" => self.constant(content, attributes)?,
            "f" | "then_branch" | "body" => attributes.function = self.function_name(content)?,
            _ => {}
        }
        Ok(())
    }

    /// `AttrValue { list 1 { i 3 } }`
    fn list(&mut self, mut span: Span) -> Result<Vec<i64>, WireError> {
        let mut numbers = Vec::new();
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number != 1 {
                continue;
            }
            let mut list = value.span()?;
            while let Some((number, value)) = next_field(self.source, &mut list)? {
                match (number, value) {
                    (3, Value::Varint(n)) => numbers.push(n.cast_signed()),
                    (3, Value::Bytes(packed)) => numbers.extend(self.packed(packed)?),
                    _ => {}
                }
                if numbers.len() > LONGEST_LIST {
                    return Err(WireError::Malformed("a list of strides is longer than any tensor has axes"));
                }
            }
        }
        Ok(numbers)
    }

    fn packed(&mut self, span: Span) -> Result<Vec<i64>, WireError> {
        let bytes = span.bytes(self.source, LONGEST_LIST * 10)?;
        let (mut numbers, mut number, mut shift) = (Vec::new(), 0_u64, 0);
        for byte in bytes {
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                numbers.push(number.cast_signed());
                (number, shift) = (0, 0);
            }
        }
        Ok(numbers)
    }

    /// `AttrValue { s 2 }`
    fn string(&mut self, mut span: Span) -> Result<Option<Box<str>>, WireError> {
        let mut string = None;
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number == 2 {
                string = Some(self.text(value.span()?, LONGEST_NAME)?);
            }
        }
        Ok(string)
    }

    /// `AttrValue { func 10 { name 1 } }`
    fn function_name(&mut self, span: Span) -> Result<Option<Box<str>>, WireError> {
        let mut name = None;
        self.each(span, 10, |reader, function| {
            name = Some(reader.arg(function)?.0);
            Ok(())
        })?;
        Ok(name)
    }

    /// `AttrValue { i 3, b 5, type 6 }`
    fn number(&mut self, mut span: Span, wanted: u32) -> Result<u64, WireError> {
        let mut found = 0;
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number == wanted {
                found = value.varint()?;
            }
        }
        Ok(found)
    }

    /// `AttrValue { shape 7 { dim 2 { size 1 }, unknown_rank 3 } }`
    fn shape(&mut self, mut span: Span) -> Result<Option<Vec<i64>>, WireError> {
        let mut lengths = None;
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number != 7 {
                continue;
            }
            let (mut shape, mut is_known, mut axes) = (value.span()?, true, Vec::new());
            while let Some((number, value)) = next_field(self.source, &mut shape)? {
                match number {
                    2 if axes.len() < LONGEST_LIST => axes.push(self.number(value.span()?, 1)?.cast_signed()),
                    3 => is_known = value.varint()? == 0,
                    _ => {}
                }
            }
            lengths = is_known.then_some(axes);
        }
        Ok(lengths)
    }

    /// `AttrValue { tensor 8 { dtype 1, tensor_content 4, int_val 7, string_val 8 } }`, where it is short.
    fn constant(&mut self, span: Span, attributes: &mut Attributes) -> Result<(), WireError> {
        self.each(span, 8, |reader, mut tensor| {
            let mut is_int32 = false;
            while let Some((number, value)) = next_field(reader.source, &mut tensor)? {
                match (number, value) {
                    (1, Value::Varint(dtype)) => is_int32 = dtype == DT_INT32,
                    (4, Value::Bytes(content)) if is_int32 && content.len() <= LONGEST_INTS as u64 => {
                        let (elements, _) = content.bytes(reader.source, LONGEST_INTS)?.as_chunks::<4>();
                        attributes.ints =
                            elements.iter().map(|element| i32::from_le_bytes(*element)).collect();
                    }
                    (7, Value::Varint(number)) if attributes.ints.len() < LONGEST_LIST => {
                        attributes.ints.push(number as i32);
                    }
                    (7, Value::Bytes(packed)) if packed.len() <= LONGEST_INTS as u64 => {
                        attributes.ints =
                            reader.packed(packed)?.into_iter().map(|number| number as i32).collect();
                    }
                    (8, Value::Bytes(text))
                        if text.len() <= LONGEST_TEXT as u64 && attributes.text.is_none() =>
                    {
                        attributes.text = Some(reader.text(text, LONGEST_TEXT)?);
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }

    fn text(&mut self, span: Span, longest: usize) -> Result<Box<str>, WireError> {
        let bytes = span.bytes(self.source, longest)?;
        Ok(crate::types::text_of_bytes(bytes).into())
    }
}
