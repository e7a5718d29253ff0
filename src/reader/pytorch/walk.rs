//! The objects of a pickle -> the tensors in them, with their names.

use super::{
    value::{Node, Object, Value, Values},
    view::{View, view},
};
use crate::reader::contents::MOST_TENSORS;

/// How many containers may stand around a tensor.
const MOST_DEPTH: usize = 150;

/// The most objects that are looked at, each as often as it is met.
const MOST_LOOKS: usize = 16_000_000;

/// The most attributes of a module.
const MOST_ATTRIBUTES: usize = 10_000;

/// The most bytes of all names.
const MOST_NAME_BYTES: usize = 64 << 20;

/// A tensor and its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    pub(super) name: Vec<Box<str>>,
    pub(super) view: View,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tensors {
    pub(super) found: Vec<Named>,
    /// Whether containers that are nested too deeply were left out.
    pub(super) is_cut: bool,
}

/// All tensors of a pickle, in its order; `within` stands before their names.
///
/// # Errors
/// There is too much of what it says.
pub(super) fn tensors(values: &Values, within: &[&str]) -> Result<Tensors, &'static str> {
    let mut walk = Walk {
        values,
        tensors: Tensors::default(),
        name: within.iter().map(|part| (*part).to_owned()).collect(),
        marks: vec![Mark::New; values.nodes.len()],
        depth: 0,
        n_looks: 0,
        n_name_bytes: 0,
    };
    walk.visit(values.root, Holder::Other)?;
    Ok(walk.tensors)
}

type Outcome = Result<(), &'static str>;

/// What is known of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    New,
    /// It is being looked into: to meet it again is a circle.
    Open,
    /// It has no tensors.
    Barren,
    HasTensors,
}

/// What an object was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    /// A dictionary, which gives a name to each of its entries.
    Dict,
    /// A module, whose own name has begun with those of the modules around it.
    Module,
    Other,
}

struct Walk<'a> {
    values: &'a Values,
    tensors: Tensors,
    name: Vec<String>,
    marks: Vec<Mark>,
    depth: usize,
    n_looks: usize,
    n_name_bytes: usize,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, value: Value, holder: Holder) -> Outcome {
        let Value::Node(at) = value else { return Ok(()) };
        let (Some(node), Some(mark)) = (self.values.node(value), self.marks.get(at as usize).copied()) else {
            return Ok(());
        };
        if matches!(mark, Mark::Open | Mark::Barren) {
            return Ok(());
        }
        if self.depth >= MOST_DEPTH {
            self.tensors.is_cut = true;
            return Ok(());
        }
        self.look(1 + self.values.size(value))?;
        let n_before = self.tensors.found.len();
        self.marks[at as usize] = Mark::Open;
        self.depth += 1;
        let view = view(self.values, value);
        // A container that gave nothing gives nothing the next time.
        let is_known = view.is_some() && mark == Mark::HasTensors;
        match view {
            // The lists of an optimizer name parameters again that the model has named.
            Some(_) if is_known && holder == Holder::Other => {}
            Some(view) => self.list(view)?,
            None => self.look_into(value, node, holder)?,
        }
        self.depth -= 1;
        let has_tensors = is_known || self.tensors.found.len() > n_before;
        self.marks[at as usize] = if has_tensors { Mark::HasTensors } else { Mark::Barren };
        Ok(())
    }

    /// Counts what is looked at: objects may contain one another so that they are met without end.
    fn look(&mut self, n_looks: usize) -> Outcome {
        self.n_looks += n_looks;
        if self.n_looks > MOST_LOOKS { Err("objects") } else { Ok(()) }
    }

    fn list(&mut self, view: View) -> Outcome {
        let name: Vec<Box<str>> = if self.name.is_empty() {
            vec!["tensor".into()]
        } else {
            self.name.iter().map(|part| part.as_str().into()).collect()
        };
        self.n_name_bytes += name.iter().map(|part| part.len() + 48).sum::<usize>();
        if self.tensors.found.len() >= MOST_TENSORS || self.n_name_bytes > MOST_NAME_BYTES {
            return Err("tensors");
        }
        self.tensors.found.push(Named { name, view });
        Ok(())
    }

    fn look_into(&mut self, value: Value, node: &'a Node, holder: Holder) -> Outcome {
        match node {
            Node::Tuple(items) => self.items(items),
            Node::List(items) => self.items(items),
            Node::Dict(pairs) => self.pairs(pairs, Holder::Dict),
            Node::Object(object) => self.object(value, object, holder),
            _ => Ok(()),
        }
    }

    fn object(&mut self, value: Value, object: &'a Object, holder: Holder) -> Outcome {
        let is_joined = holder == Holder::Module;
        self.look(self.values.size(object.state) + self.values.size(object.args))?;
        if let Some(attributes) = module_attributes(self.values, object) {
            return self.module(attributes, is_joined);
        }
        let Some((module, name)) = self.values.global(object.class) else {
            return self.parts(object);
        };
        // What TorchScript says of the type of a list or a dictionary.
        if module == "torch.jit._pickle" {
            let inner = self.values.tuple(object.args).and_then(|args| args.first().copied());
            return self.visit(inner.unwrap_or(Value::None), holder);
        }
        if module.starts_with("__torch__") || name.starts_with("__torch__") {
            return self.attributes(object.state, is_joined);
        }
        match self.values.entries(value) {
            Some(pairs) => self.pairs(&pairs, Holder::Dict),
            None => self.parts(object),
        }
    }

    /// A `torch.nn.Module`, whose tensors are called as in its `state_dict()`: `conv1.weight`.
    fn module(&mut self, attributes: Value, is_joined: bool) -> Outcome {
        for kind in ["_parameters", "_buffers", "_modules"] {
            let dict = self.values.entry(attributes, kind).unwrap_or(Value::None);
            self.look(self.values.size(dict))?;
            self.attributes(dict, is_joined)?;
        }
        Ok(())
    }

    /// The attributes of a module, by name.
    fn attributes(&mut self, dict: Value, is_joined: bool) -> Outcome {
        for (at, (key, value)) in self.values.entries(dict).unwrap_or_default().iter().enumerate() {
            if matches!(value, Value::Node(_)) {
                self.within(&self.key(*key, at), is_joined, *value, Holder::Module)?;
            }
        }
        Ok(())
    }

    /// An object of a class that is not known: what it was built of and its attributes.
    fn parts(&mut self, object: &'a Object) -> Outcome {
        if let Some(args) = self.values.tuple(object.args) {
            self.items(args)?;
        }
        self.items(&object.items)?;
        self.pairs(&object.pairs, Holder::Other)?;
        match self.values.entries(object.state) {
            Some(pairs) => self.pairs(&pairs, Holder::Other),
            None => match self.values.tuple(object.state) {
                // Attributes, and those in slots.
                Some(states) => states.iter().try_for_each(|state| {
                    let pairs = self.values.entries(*state).unwrap_or_default();
                    self.pairs(&pairs, Holder::Other)
                }),
                None => Ok(()),
            },
        }
    }

    fn items(&mut self, items: &[Value]) -> Outcome {
        for (at, item) in items.iter().enumerate() {
            if matches!(item, Value::Node(_)) {
                self.within(&at.to_string(), false, *item, Holder::Other)?;
            }
        }
        Ok(())
    }

    fn pairs(&mut self, pairs: &[(Value, Value)], holder: Holder) -> Outcome {
        for (at, (key, value)) in pairs.iter().enumerate() {
            if matches!(value, Value::Node(_)) {
                self.within(&self.key(*key, at), false, *value, holder)?;
            }
        }
        Ok(())
    }

    /// Visits an object with one part more in its name, or with the last part longer.
    fn within(&mut self, part: &str, is_joined: bool, value: Value, holder: Holder) -> Outcome {
        // Long names cost time.
        self.look(part.len() / 16)?;
        let joined_to = self.name.last_mut().filter(|_| is_joined);
        let Some(last) = joined_to else {
            self.name.push(part.to_owned());
            self.visit(value, holder)?;
            self.name.pop();
            return Ok(());
        };
        let len = last.len();
        last.push('.');
        last.push_str(part);
        self.visit(value, holder)?;
        if let Some(last) = self.name.last_mut() {
            last.truncate(len);
        }
        Ok(())
    }

    /// A key of a dictionary as a text; its position if it has none.
    fn key(&self, key: Value, at: usize) -> String {
        match key {
            Value::Int(number) => number.to_string(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Float(number) => number.to_string(),
            Value::None => "None".to_owned(),
            _ => self.values.text(key).map_or_else(|| format!("#{at}"), std::borrow::Cow::into_owned),
        }
    }
}

/// The attributes of a `torch.nn.Module`: it is known by its dictionaries, whatever its class. A module of `torch.fx` has them
/// among the arguments.
fn module_attributes<'a>(values: &'a Values, object: &'a Object) -> Option<Value> {
    let is_module = |state: &Value| {
        values.size(*state) <= MOST_ATTRIBUTES
            && values.entry(*state, "_parameters").is_some()
            && values.entry(*state, "_modules").is_some()
    };
    let states = values.tuple(object.state).unwrap_or_default();
    let args = values.tuple(object.args).unwrap_or_default();
    let few = |items: &'a [Value]| items.iter().take(4);
    [object.state].iter().chain(few(states)).chain(few(args)).copied().find(is_module)
}
