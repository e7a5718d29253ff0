//! A `NodeProto` -> what it does with its inputs, for those that say what a tensor is.

use super::{
    fields::Fields,
    tensor::{self, Initializer},
};
use crate::{
    event::wire::{FieldValue, Span, varint},
    reader::contents::OpenError,
};

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) op: Op,
    pub(super) name: Box<str>,
    /// The names of its first inputs; an input that is left out has an empty name.
    pub(super) inputs: Vec<Box<str>>,
    /// The name of its first output.
    pub(super) output: Box<str>,
    pub(super) attributes: Attributes,
    /// Whether the exporter says that it folded a batch normalization into it.
    pub(super) is_folded: bool,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Convolution; the kernel and the bias are these inputs.
    Conv(Inputs),
    /// Transposed convolution.
    ConvTranspose(Inputs),
    /// A product with a matrix, perhaps with a sum.
    Dense(Inputs),
    BatchNormalization,
    /// It changes the type or the scale of its first input, but not the order of its elements.
    Through,
    /// It changes the order of the axes of its first input.
    Transpose,
}

/// Which inputs are the kernel and the bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inputs {
    pub(super) kernel: usize,
    pub(super) bias: Option<usize>,
}

/// The attributes of nodes that are understood.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) kernel_shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
    pub(super) dilations: Vec<usize>,
    pub(super) pads: Vec<usize>,
    pub(super) perm: Vec<usize>,
    pub(super) group: Option<u64>,
    pub(super) auto_pad: Box<str>,
    pub(super) is_transposed: bool,
}

/// The most inputs of a node that are kept, and the most attributes.
const MOST_INPUTS: usize = 9;
const MOST_ATTRIBUTES: usize = 64;
/// The most numbers of an attribute: those of all axes, before and after.
const MOST_NUMBERS: usize = 64;

/// What a rewriter of `onnxscript` calls the rule that made a node.
const RULE: &str = "pkg.onnxscript.rewriter.rule_name";
/// How the names of rules begin that fold a normalization.
const FOLDING: &str = "FuseBatchNorm";

/// What a node consists of.
#[derive(Default)]
struct Parts {
    inputs: Vec<Span>,
    output: Option<Span>,
    name: Option<Span>,
    op: Option<Span>,
    domain: Option<Span>,
    attributes: Vec<Span>,
    metadata: Vec<Span>,
}

/// What a node is.
pub(super) enum Found {
    /// One that says what a tensor is.
    Node(Box<Node>),
    /// A constant, which is the same as an initializer.
    Constant(Initializer),
    /// One that has graphs, such as the branches of `If`.
    Graphs(Vec<Span>),
    /// Another one.
    Nothing,
}

/// Reads a node.
///
/// # Errors
/// `Damaged` if it is none.
pub(super) fn read(fields: &mut Fields<'_>, mut span: Span) -> Result<Found, OpenError> {
    let mut parts = Parts::default();
    let keep = |list: &mut Vec<Span>, most: usize, value: FieldValue| -> Result<(), OpenError> {
        let span = value.span()?;
        list.extend((list.len() < most).then_some(span));
        Ok(())
    };
    while let Some((number, value)) = fields.next(&mut span)? {
        match number {
            1 => keep(&mut parts.inputs, MOST_INPUTS, value)?,
            2 if parts.output.is_none() => parts.output = Some(value.span()?),
            3 => parts.name = Some(value.span()?),
            4 => parts.op = Some(value.span()?),
            5 => keep(&mut parts.attributes, MOST_ATTRIBUTES, value)?,
            7 => parts.domain = Some(value.span()?),
            9 => keep(&mut parts.metadata, MOST_ATTRIBUTES, value)?,
            _ => {}
        }
    }
    let Some(op) = fields.short_text(parts.op, LONGEST_WORD)? else { return Ok(Found::Nothing) };
    match op.as_str() {
        "If" | "Loop" | "Scan" => graphs(fields, &parts.attributes).map(Found::Graphs),
        "Constant" => constant(fields, &parts),
        op => match kind(op) {
            Some(kind) if is_standard(fields, parts.domain)? => {
                node(fields, kind, &parts).map(|node| Found::Node(Box::new(node)))
            }
            _ => Ok(Found::Nothing),
        },
    }
}

/// The most bytes of the name of an operator or an attribute.
const LONGEST_WORD: usize = 64;

fn kind(op: &str) -> Option<Op> {
    let of = |kernel, bias| Inputs { kernel, bias };
    Some(match op {
        "Conv" => Op::Conv(of(1, Some(2))),
        "ConvInteger" => Op::Conv(of(1, None)),
        "QLinearConv" => Op::Conv(of(3, Some(8))),
        "ConvTranspose" => Op::ConvTranspose(of(1, Some(2))),
        "Gemm" => Op::Dense(of(1, Some(2))),
        "MatMul" | "MatMulInteger" => Op::Dense(of(1, None)),
        "QLinearMatMul" => Op::Dense(of(3, None)),
        "BatchNormalization" => Op::BatchNormalization,
        "Identity" | "Cast" | "DequantizeLinear" | "QuantizeLinear" => Op::Through,
        "Transpose" => Op::Transpose,
        _ => return None,
    })
}

/// Whether an operator is one of ONNX itself.
fn is_standard(fields: &mut Fields<'_>, domain: Option<Span>) -> Result<bool, OpenError> {
    match domain {
        Some(domain) if !domain.is_empty() => fields.is_text(domain, "ai.onnx"),
        _ => Ok(true),
    }
}

fn node(fields: &mut Fields<'_>, op: Op, parts: &Parts) -> Result<Node, OpenError> {
    let mut attributes = Attributes::default();
    for span in &parts.attributes {
        attribute(fields, *span, &mut attributes)?;
    }
    let mut is_folded = false;
    for span in &parts.metadata {
        is_folded |= is_of_folding(fields, *span)?;
    }
    let mut name = |span: Option<Span>| span.map_or_else(|| Ok(Box::default()), |span| fields.name(span));
    let inputs = parts.inputs.iter().map(|span| name(Some(*span))).collect::<Result<Vec<_>, _>>()?;
    let (name, output) = (name(parts.name)?, name(parts.output)?);
    Ok(Node { op, name, inputs, output, attributes, is_folded })
}

/// A constant with several axes.
fn constant(fields: &mut Fields<'_>, parts: &Parts) -> Result<Found, OpenError> {
    let Some(output) = parts.output else { return Ok(Found::Nothing) };
    for span in &parts.attributes {
        if let Some(mut initializer) = tensor_of(fields, *span)?
            && initializer.shape.len() > 1
        {
            initializer.name = fields.name(output)?;
            return Ok(Found::Constant(initializer));
        }
    }
    Ok(Found::Nothing)
}

/// The tensor of an attribute.
fn tensor_of(fields: &mut Fields<'_>, mut span: Span) -> Result<Option<tensor::Initializer>, OpenError> {
    let mut found = None;
    while let Some((number, value)) = fields.next(&mut span)? {
        if number == 5 {
            found = Some(tensor::read(fields, value.span()?)?);
        }
    }
    Ok(found)
}

/// The graphs in some attributes.
fn graphs(fields: &mut Fields<'_>, attributes: &[Span]) -> Result<Vec<Span>, OpenError> {
    let mut found = Vec::new();
    for span in attributes {
        let mut span = *span;
        while let Some((number, value)) = fields.next(&mut span)? {
            if matches!(number, 6 | 11) && found.len() < MOST_ATTRIBUTES {
                found.push(value.span()?);
            }
        }
    }
    Ok(found)
}

fn attribute(fields: &mut Fields<'_>, mut span: Span, attributes: &mut Attributes) -> Result<(), OpenError> {
    let (mut name, mut number_of, mut text, mut numbers) = (None, None, None, Vec::new());
    while let Some((number, value)) = fields.next(&mut span)? {
        match number {
            1 => name = Some(value.span()?),
            3 => number_of = Some(value.varint()?),
            4 => text = Some(value.span()?),
            8 => add_numbers(fields, value, &mut numbers)?,
            _ => {}
        }
    }
    let Some(name) = fields.short_text(name, LONGEST_WORD)? else { return Ok(()) };
    match name.as_str() {
        "kernel_shape" => attributes.kernel_shape = numbers,
        "strides" => attributes.strides = numbers,
        "dilations" => attributes.dilations = numbers,
        "pads" => attributes.pads = numbers,
        "perm" => attributes.perm = numbers,
        "group" => attributes.group = number_of,
        "transB" => attributes.is_transposed = number_of.is_some_and(|number| number != 0),
        "auto_pad" => attributes.auto_pad = fields.short_text(text, LONGEST_WORD)?.unwrap_or_default().into(),
        _ => {}
    }
    Ok(())
}

/// Numbers of an attribute, one or a list of them. What is negative or too large becomes the largest number.
fn add_numbers(
    fields: &mut Fields<'_>,
    value: FieldValue,
    numbers: &mut Vec<usize>,
) -> Result<(), OpenError> {
    let mut add = |number: u64| {
        let number = i64::try_from(number).ok().and_then(|number| usize::try_from(number).ok());
        numbers.extend((numbers.len() < MOST_NUMBERS).then(|| number.unwrap_or(usize::MAX)));
    };
    match value {
        FieldValue::Bytes(mut list) => {
            let most = list.at + (MOST_NUMBERS * 10) as u64;
            while !list.is_empty() && list.at < most {
                add(varint(&mut fields.view, &mut list)?);
            }
        }
        value => add(value.varint()?),
    }
    Ok(())
}

/// Whether an entry of metadata says that a normalization was folded into the node.
fn is_of_folding(fields: &mut Fields<'_>, mut span: Span) -> Result<bool, OpenError> {
    let (mut is_rule, mut value) = (false, None);
    while let Some((number, found)) = fields.next(&mut span)? {
        match number {
            1 => is_rule = fields.is_text(found.span()?, RULE)?,
            2 => value = Some(found.span()?),
            _ => {}
        }
    }
    let rules = fields.short_text(value.filter(|_| is_rule), LONGEST_RULES)?;
    Ok(rules.is_some_and(|rules| rules.contains(FOLDING)))
}

/// The names of a few rules are shorter.
const LONGEST_RULES: usize = 1 << 10;
