//! A graph and its functions -> one graph, in which each call is replaced by the function's nodes.
//!
//! TensorFlow 2 logs what a `tf.function` does as nested calls; an edge into or out of a function becomes an edge between nodes.
//! The first side of a branch is taken, and the body of a loop once. The size of the result is limited.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    attributes::Attributes,
    nodes::{Body, Program},
};

/// The most nodes, including those of functions that are called often.
const MOST_NODES: usize = 200_000;
const DEEPEST_CALL: usize = 32;

/// Nodes whose edges are positions of nodes.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    pub(super) op: Arc<str>,
    /// `None` for nodes that do not exist.
    pub(super) inputs: Vec<Option<usize>>,
    pub(super) attributes: Arc<Attributes>,
}

impl Graph {
    /// Positions in an order in which each node comes after its inputs, except in loops.
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

/// The operation of a function's argument; its input is what the caller passes.
const ARG: &str = "_Arg";

/// Replaces all calls by the functions' nodes. Functions that nobody calls are added on their own.
pub(super) fn flatten(program: &Program) -> Graph {
    let mut flat = Flat {
        functions: &program.functions,
        graph: Graph::default(),
        left: MOST_NODES,
        called: HashSet::new(),
    };
    flat.place(&program.main, 0);
    let mut rest: Vec<&str> = program.functions.keys().map(|name| &**name).collect();
    // A hash map has another order in each process.
    rest.sort_unstable();
    for name in rest {
        if !flat.called.contains(&name) {
            flat.place(&program.functions[name], 0);
        }
    }
    flat.graph
}

struct Flat<'a> {
    functions: &'a HashMap<Box<str>, Body>,
    graph: Graph,
    left: usize,
    called: HashSet<&'a str>,
}

/// The positions of a body's arguments, and the nodes that it returns.
#[derive(Default)]
struct PlacedBody {
    args: Vec<usize>,
    rets: Vec<Option<usize>>,
}

impl<'a> Flat<'a> {
    fn place(&mut self, body: &'a Body, depth: usize) -> PlacedBody {
        let needed = 1 + body.args.len() + body.nodes.len();
        if depth > DEEPEST_CALL || needed > self.left {
            return PlacedBody::default();
        }
        self.left -= needed;
        let mut positions: HashMap<&str, usize> = HashMap::with_capacity(needed);
        let (op, value) = (Arc::from(ARG), Arc::default());
        let handle = Arc::new(Attributes { is_resource: true, ..Attributes::default() });
        let args: Vec<usize> = body
            .args
            .iter()
            .map(|(name, is_resource)| {
                self.add((**name).into(), &op, if *is_resource { &handle } else { &value })
            })
            .collect();
        positions.extend(body.args.iter().map(|(name, _)| &**name).zip(args.iter().copied()));
        for raw in &body.nodes {
            positions.insert(&raw.name, self.add(Arc::clone(&raw.name), &raw.op, &raw.attributes));
        }
        let mut gives: HashMap<usize, Vec<Option<usize>>> = HashMap::new();
        let mut calls: Vec<(usize, Vec<usize>)> = Vec::new();
        for raw in &body.nodes {
            let Some((name, function)) = self.callee(raw.attributes.function.as_deref()) else { continue };
            self.called.insert(name);
            let placed = self.place(function, depth + 1);
            let position = positions[&*raw.name];
            gives.insert(position, placed.rets);
            calls.push((position, placed.args));
        }
        let source = |input: &str| {
            let position = *positions.get(input.split(':').next()?)?;
            match gives.get(&position) {
                None => Some(position),
                Some(rets) => {
                    let number =
                        input.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or(0_usize);
                    rets.get(number).copied().flatten()
                }
            }
        };
        for raw in &body.nodes {
            self.graph.nodes[positions[&*raw.name]].inputs =
                raw.inputs.iter().map(|input| source(input)).collect();
        }
        for (call, args) in calls {
            // The first input of a branch is its condition.
            let first = usize::from(self.graph.nodes[call].op.ends_with("If"));
            let inputs = self.graph.nodes[call].inputs.clone();
            for (arg, input) in args.into_iter().zip(inputs.into_iter().skip(first)) {
                self.graph.nodes[arg].inputs = vec![input];
            }
        }
        PlacedBody { args, rets: body.rets.iter().map(|ret| source(ret)).collect() }
    }

    fn callee(&self, name: Option<&str>) -> Option<(&'a str, &'a Body)> {
        self.functions.get_key_value(name?).map(|(name, body)| (&**name, body))
    }

    fn add(&mut self, name: Arc<str>, op: &Arc<str>, attributes: &Arc<Attributes>) -> usize {
        let (op, attributes) = (Arc::clone(op), Arc::clone(attributes));
        self.graph.nodes.push(Node { name, op, inputs: Vec::new(), attributes });
        self.graph.nodes.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::{super::nodes::RawNode, *};

    fn node(name: &str, op: &str, inputs: &[&str], function: Option<&str>) -> RawNode {
        let inputs = inputs.iter().map(|input| (*input).into()).collect();
        let attributes = Arc::new(Attributes { function: function.map(Into::into), ..Attributes::default() });
        RawNode { name: name.into(), op: op.into(), inputs, attributes }
    }

    /// The names from a node backwards along its first inputs.
    fn way_back<'a>(graph: &'a Graph, name: &str) -> Vec<&'a str> {
        let mut at = graph.nodes.iter().position(|node| &*node.name == name);
        let mut way = Vec::new();
        while let Some(idx) = at {
            way.push(&*graph.nodes[idx].name);
            at = graph.nodes[idx].inputs.first().copied().flatten();
        }
        way
    }

    #[test]
    fn edges_lead_through_calls() {
        let inner = Body {
            args: vec![("unused".into(), false), ("v".into(), false)],
            rets: vec!["unused".into(), "relu:activations:0".into()],
            nodes: vec![node("relu", "Relu", &["v"], None)],
        };
        let outer = Body {
            args: vec![("u".into(), false)],
            rets: vec!["call:output:1".into()],
            nodes: vec![node("call", "PartitionedCall", &["u", "u"], Some("inner"))],
        };
        let main = vec![
            node("x", "Placeholder", &[], None),
            node("if", "StatelessIf", &["x", "x"], Some("outer")),
            node("y", "Identity", &["if"], None),
        ];
        let functions = [("inner".into(), inner), ("outer".into(), outer)].into();
        let program = Program { main: Body { nodes: main, ..Body::default() }, functions };
        assert_eq!(way_back(&flatten(&program), "y"), ["y", "relu", "v", "u", "x"]);
    }

    #[test]
    fn functions_that_call_themselves_come_to_an_end() {
        let call = |name: &str| node(name, "PartitionedCall", &[], Some("f"));
        let f = Body { nodes: vec![call("a"), call("b")], ..Body::default() };
        let program = Program { main: Body::default(), functions: [("f".into(), f)].into() };
        assert!(flatten(&program).nodes.len() <= MOST_NODES);
    }
}
