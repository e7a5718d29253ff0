//! The dictionary of a training -> its step and its epoch.

use super::{
    value::{Value, Values},
    view::{View, view},
};

/// What the writers that are widely used call the optimizer's step: Lightning and Transformers `global_step`, Ignite and
/// detectron2 `iteration`, MMEngine `iter` in `meta`, fairseq `num_updates`.
pub(super) const STEPS: &[&str] = &[
    "global_step",
    "step",
    "iteration",
    "iter",
    "iterations",
    "it",
    "n_iter",
    "num_updates",
    "num_steps",
    "current_step",
    "current_iter",
    "train_step",
];

/// What they call the epoch: nnU-Net says `current_epoch`.
pub(super) const EPOCHS: &[&str] = &["epoch", "current_epoch", "cur_epoch", "n_epoch", "last_epoch"];

/// Entries of the outermost dictionary that contain such a number, if the outermost has none.
pub(super) const HOLDERS: [&str; 8] =
    ["meta", "trainer", "state", "train_state", "training_state", "trainer_state", "extra_state", "metadata"];

/// A number that counts, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) number: Number,
}

/// Where a number stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    /// In the pickle.
    Here(i64),
    /// It is the only element of a tensor.
    InTensor(View),
}

/// Where the optimizer's step may stand, the likeliest first.
pub(super) fn steps(values: &Values) -> Vec<Found> {
    let mut found = named(values, STEPS);
    found.extend(of_optimizer(values));
    found
}

/// Where the epoch may stand, the likeliest first.
pub(super) fn epochs(values: &Values) -> Vec<Found> {
    named(values, EPOCHS)
}

fn named(values: &Values, names: &[&str]) -> Vec<Found> {
    let mut found = Vec::new();
    let outermost = [(String::new(), values.root)];
    let holders = HOLDERS.iter().filter_map(|holder| {
        let dict = values.entry(values.root, holder)?;
        Some((format!("{holder}."), dict))
    });
    for (prefix, dict) in outermost.into_iter().chain(holders) {
        for name in names {
            let number = values.entry(dict, name).and_then(|value| number(values, value));
            found.extend(number.map(|number| Found { name: format!("{prefix}{name}"), number }));
        }
    }
    found
}

/// The number of updates that Adam and its kind count for each parameter: that of the first parameter.
fn of_optimizer(values: &Values) -> Option<Found> {
    let entries = values.entries(values.root)?;
    let name_of = |key: Value| values.text(key).filter(|name| name.starts_with("optim"));
    let (name, optimizer) = entries.iter().find_map(|(key, value)| Some((name_of(*key)?, *value)))?;
    let (name, optimizer) = match values.tuple(optimizer) {
        Some(several) => (format!("{name}.0"), *several.first()?),
        None => (name.into_owned(), optimizer),
    };
    let states = values.entries(values.entry(optimizer, "state")?)?;
    let (key, state) = *states.first()?;
    let key = match key {
        Value::Int(key) => key.to_string(),
        _ => values.text(key)?.into_owned(),
    };
    let number = number(values, values.entry(state, "step")?)?;
    Some(Found { name: format!("{name}.state.{key}.step"), number })
}

pub(super) fn number(values: &Values, value: Value) -> Option<Number> {
    match value {
        Value::Int(number) => Some(Number::Here(number)),
        Value::Float(number) => whole(number).map(Number::Here),
        Value::Node(_) => match view(values, value) {
            Some(view) => view.shape.iter().all(|len| *len == 1).then_some(Number::InTensor(view)),
            None => numpy_scalar(values, value).map(Number::Here),
        },
        _ => None,
    }
}

/// The number that a float is, if it has no fraction.
pub(super) fn whole(number: f64) -> Option<i64> {
    // Above 2^53, floats have no ones.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// `numpy.core.multiarray.scalar(dtype("i8", ...), bytes)` of an integer.
fn numpy_scalar(values: &Values, value: Value) -> Option<i64> {
    let object = values.object(value)?;
    let (module, name) = values.global(object.class)?;
    if name != "scalar" || !module.starts_with("numpy.") {
        return None;
    }
    let [dtype, bytes] = values.tuple(object.args)? else { return None };
    let dtype = values.object(*dtype)?;
    let code = values.text(*values.tuple(dtype.args)?.first()?)?;
    // The second part of its state is the order of bytes.
    let order = values.tuple(dtype.state).and_then(|state| values.text(*state.get(1)?));
    let mut bytes = values.raw(*bytes)?;
    if order.as_deref() == Some(">") {
        bytes.reverse();
    }
    let len = bytes.len();
    if !matches!((&*code, len), ("i1" | "u1", 1) | ("i2" | "u2", 2) | ("i4" | "u4", 4) | ("i8" | "u8", 8)) {
        return None;
    }
    let is_negative = code.starts_with('i') && bytes[len - 1] & 0x80 != 0;
    bytes.resize(8, if is_negative { 0xff } else { 0 });
    Some(i64::from_le_bytes(bytes.try_into().ok()?))
}
