//! Bytes of a graph -> its nodes with their edges and the few attributes that matter.
//!
//! Constants are hopped over: a graph of hundreds of megabytes is mostly weights that were frozen into it. What is kept is
//! bounded, and nodes beyond the bounds are left out.

use std::collections::HashMap;

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

/// Nodes of one graph or function. Names are unique; edges are positions.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Box<str>,
    pub(super) op: Box<str>,
    /// `None` for nodes that are not there. Control edges are left out.
    pub(super) inputs: Vec<Option<usize>>,
    pub(super) attributes: Attributes,
}

/// Attributes that matter.
#[derive(Debug)]
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
    /// Of a slice.
    pub(super) keeps_axes: bool,
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
            keeps_axes: true,
        }
    }
}

impl Graph {
    /// Positions such that a node comes after its inputs, loops apart.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut is_met = vec![false; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let mut way = vec![(start, 0)];
            if std::mem::replace(&mut is_met[start], true) {
                continue;
            }
            while let Some((idx, next_input)) = way.last_mut() {
                match self.nodes[*idx].inputs.get(*next_input) {
                    None => {
                        order.push(*idx);
                        way.pop();
                    }
                    Some(input) => {
                        *next_input += 1;
                        if let Some(input) = *input
                            && !std::mem::replace(&mut is_met[input], true)
                        {
                            way.push((input, 0));
                        }
                    }
                }
            }
        }
        order
    }
}

/// Reads all graphs and functions of a message.
pub(super) fn graphs<P: Peek>(source: &mut P, form: GraphForm, span: Span) -> Result<Vec<Graph>, WireError> {
    let mut reader = Reader { source, graphs: Vec::new(), nodes: 0, name_bytes: 0 };
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
    Ok(reader.graphs)
}

struct Reader<'a, P> {
    source: &'a mut P,
    graphs: Vec<Graph>,
    nodes: usize,
    name_bytes: usize,
}

/// A node whose inputs are still names.
struct Raw {
    name: Box<str>,
    op: Box<str>,
    inputs: Vec<Box<str>>,
    attributes: Attributes,
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

    /// `GraphDef { node 1, library 2 { function 1 { node_def 3 } } }`
    fn graph(&mut self, span: Span) -> Result<(), WireError> {
        self.nodes_of(span, 1)?;
        self.each(span, 2, |reader, library| {
            reader.each(library, 1, |reader, function| reader.nodes_of(function, 3))
        })
    }

    fn nodes_of(&mut self, span: Span, number: u32) -> Result<(), WireError> {
        let mut raws = Vec::new();
        self.each(span, number, |reader, node| {
            if reader.nodes < MOST_NODES && reader.name_bytes < MOST_NAME_BYTES {
                let raw = reader.node(node)?;
                reader.nodes += 1;
                reader.name_bytes +=
                    raw.name.len() + raw.inputs.iter().map(|input| input.len() + 16).sum::<usize>();
                raws.push(raw);
            }
            Ok(())
        })?;
        self.graphs.push(connected(raws));
        Ok(())
    }

    /// `NodeDef { name 1, op 2, input 3, attr 5 { key 1, value 2 } }`
    fn node(&mut self, mut span: Span) -> Result<Raw, WireError> {
        let mut raw = Raw {
            name: Box::default(),
            op: Box::default(),
            inputs: Vec::new(),
            attributes: Attributes::default(),
        };
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            match number {
                1 => raw.name = self.text(value.span()?, LONGEST_NAME)?,
                2 => raw.op = self.text(value.span()?, LONGEST_NAME)?,
                3 if raw.inputs.len() < MOST_INPUTS => {
                    let input = self.text(value.span()?, LONGEST_NAME)?;
                    if !input.starts_with('^') {
                        raw.inputs.push(input);
                    }
                }
                5 => self.attribute(value.span()?, &mut raw.attributes)?,
                _ => {}
            }
        }
        Ok(raw)
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
            "transpose_b" => attributes.transpose_b = self.number(content, 5)? != 0,
            "shrink_axis_mask" | "new_axis_mask" | "ellipsis_mask" => {
                attributes.set_masks(self.number(content, 3)? != 0);
            }
            "value" => attributes.text = self.constant_text(content)?,
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

    /// `AttrValue { i 3, b 5 }`
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

    /// `AttrValue { tensor 8 { string_val 8 } }`, where it is short.
    fn constant_text(&mut self, mut span: Span) -> Result<Option<Box<str>>, WireError> {
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number != 8 {
                continue;
            }
            let mut tensor = value.span()?;
            while let Some((number, value)) = next_field(self.source, &mut tensor)? {
                match (number, value) {
                    (8, Value::Bytes(text)) if text.len() <= LONGEST_TEXT as u64 => {
                        return self.text(text, LONGEST_TEXT).map(Some);
                    }
                    (8, _) => return Ok(None),
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    fn text(&mut self, span: Span, longest: usize) -> Result<Box<str>, WireError> {
        let bytes = span.bytes(self.source, longest)?;
        Ok(crate::types::text_of_bytes(bytes).into())
    }
}

/// Turns names of inputs into positions: `node`, `node:1` in graphs, `node:output:0` in functions.
fn connected(raws: Vec<Raw>) -> Graph {
    let positions: HashMap<Box<str>, usize> =
        raws.iter().enumerate().map(|(idx, raw)| (raw.name.clone(), idx)).collect();
    let position = |input: &str| {
        let name = input.split(':').next().unwrap_or(input);
        positions.get(name).copied()
    };
    let nodes = raws
        .into_iter()
        .map(|raw| Node {
            inputs: raw.inputs.iter().map(|input| position(input)).collect(),
            name: raw.name,
            op: raw.op,
            attributes: raw.attributes,
        })
        .collect();
    Graph { nodes }
}
