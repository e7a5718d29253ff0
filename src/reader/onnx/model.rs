//! A `ModelProto` -> its initializers and the nodes that say what they are.

use super::{
    fields::Fields,
    node::{self, Found, Node},
    tensor::{self, Initializer},
};
use crate::{
    event::wire::{ENDS_EARLY, Span, WireError, next_field},
    reader::{
        contents::{MOST_TENSORS, OpenError},
        input::Input,
    },
};

/// The most graphs within one another, as the branches of `If` are.
const DEEPEST_GRAPH: usize = 16;
/// The most nodes that are kept.
const MOST_NODES: usize = 100_000;
/// The longest field that is a number.
const LONGEST_NUMBER: u64 = 16;

/// What a model holds.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) initializers: Vec<Initializer>,
    pub(super) nodes: Vec<Node>,
    pub(super) n_sparse: usize,
}

/// Fields of messages.
mod field {
    pub(super) mod model {
        pub(crate) const GRAPH: u32 = 7;
        pub(crate) const OPERATOR_SETS: u32 = 8;
    }
    pub(super) mod graph {
        pub(crate) const NODE: u32 = 1;
        pub(crate) const INITIALIZER: u32 = 5;
        pub(crate) const SPARSE_INITIALIZER: u32 = 15;
    }
}

/// Reads a model.
///
/// # Errors
/// `NotWhole` if it ends too early, `Damaged` if it is none, `NotRead` if there is too much; errors of the system.
pub(super) fn read(input: &dyn Input) -> Result<Model, OpenError> {
    let mut reading = Reading { fields: Fields::of(input), model: Model::default() };
    let mut span = Span { at: 0, end: input.len() };
    let (mut graph, mut has_operators) = (None, false);
    loop {
        let before = span;
        let found = next_field(&mut reading.fields.view, &mut span);
        match found.map_err(|error| fault_of_model(error, before))? {
            Some((field::model::GRAPH, value)) => graph = Some(value.span()?),
            Some((field::model::OPERATOR_SETS, _)) => has_operators = true,
            Some(_) => {}
            None => break,
        }
        reading.fields.count()?;
    }
    // Both are needed, and the second stands behind the first.
    let Some(graph) = graph.filter(|_| has_operators) else {
        return Err(OpenError::NotWhole("it ends before its graph and its operators do".to_owned()));
    };
    reading.graph(graph, 0)?;
    Ok(reading.model)
}

/// What is wrong with the outermost message: where it ends within a field, it may still be written.
fn fault_of_model(error: WireError, rest: Span) -> OpenError {
    match error {
        WireError::Malformed(reason) if reason == ENDS_EARLY || rest.len() < LONGEST_NUMBER => {
            OpenError::NotWhole(reason.to_owned())
        }
        WireError::Malformed(reason) => OpenError::Damaged(format!("it is no model of ONNX: {reason}")),
        WireError::Io(error) => OpenError::from(error),
    }
}

/// A model that is being read.
struct Reading<'a> {
    fields: Fields<'a>,
    model: Model,
}

impl Reading<'_> {
    /// Adds what a graph holds, and the graphs within its nodes.
    fn graph(&mut self, mut span: Span, depth: usize) -> Result<(), OpenError> {
        if depth >= DEEPEST_GRAPH {
            return Err(OpenError::NotRead(format!("its graphs are more than {DEEPEST_GRAPH} deep")));
        }
        while let Some((number, value)) = self.fields.next(&mut span)? {
            match number {
                field::graph::NODE => self.node(value.span()?, depth)?,
                field::graph::INITIALIZER => {
                    let initializer = tensor::read(&mut self.fields, value.span()?)?;
                    self.add(initializer)?;
                }
                field::graph::SPARSE_INITIALIZER => self.model.n_sparse += 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, span: Span, depth: usize) -> Result<(), OpenError> {
        match node::read(&mut self.fields, span)? {
            Found::Nothing => Ok(()),
            Found::Constant(initializer) => self.add(initializer),
            Found::Graphs(graphs) => graphs.into_iter().try_for_each(|graph| self.graph(graph, depth + 1)),
            Found::Node(node) => {
                // What is left out costs evidence alone.
                if self.model.nodes.len() < MOST_NODES {
                    self.model.nodes.push(*node);
                }
                Ok(())
            }
        }
    }

    fn add(&mut self, initializer: Initializer) -> Result<(), OpenError> {
        if self.model.initializers.len() >= MOST_TENSORS {
            return Err(OpenError::NotRead(format!("it has more than {MOST_TENSORS} initializers")));
        }
        self.model.initializers.push(initializer);
        Ok(())
    }
}
