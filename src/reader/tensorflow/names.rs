//! Keys of an object-based checkpoint and the full names of its variables -> names that say more.
//!
//! A key is the way to a variable: `model/conv1/kernel/.ATTRIBUTES/VARIABLE_VALUE`. Where the way leads through lists
//! (`layer_with_weights-0/kernel`, `_all_variables/3`), it does not say which layer it is, and the name that the variable was made
//! with does. Keras's optimizers hold the variables of the network too, and often the shortest way is through them.

use std::collections::{HashMap, HashSet};

use super::object_graph::FullNames;

/// How keys of variables end.
const VALUE: &str = "/.ATTRIBUTES/VARIABLE_VALUE";
/// What stands between the way to a variable and that to the optimizer whose slot it is.
const SLOT: &str = "/.OPTIMIZER_SLOT/";
/// What only optimizers of Keras have.
const OF_OPTIMIZERS: [&str; 3] = ["_iterations", "_learning_rate", "_current_learning_rate"];

/// The way to a variable: its key without the end.
#[must_use]
pub fn path(key: &str) -> &str {
    key.strip_suffix(VALUE).unwrap_or(key)
}

/// A name for each key that says more than the way to it; `None` where the way says as much, or where two would have the same.
#[must_use]
pub fn better(keys: &[&str], full_names: &FullNames) -> Vec<Option<Box<str>>> {
    let optimizers = optimizers(keys);
    let names: Vec<Option<String>> = keys.iter().map(|key| one(key, full_names, &optimizers)).collect();
    let mut count: HashMap<&str, usize> = HashMap::new();
    let shown = keys.iter().zip(&names).map(|(key, name)| name.as_deref().unwrap_or_else(|| path(key)));
    shown.for_each(|name| *count.entry(name).or_default() += 1);
    let is_only = |name: &String| count.get(name.as_str()) == Some(&1);
    names
        .iter()
        .map(|name| name.as_ref().filter(|name| is_only(name)).map(|name| name.as_str().into()))
        .collect()
}

/// The ways to optimizers.
fn optimizers<'k>(keys: &[&'k str]) -> HashSet<&'k str> {
    let parents = keys.iter().filter_map(|key| path(key).rsplit_once('/'));
    parents.filter(|(_, own)| OF_OPTIMIZERS.contains(own)).map(|(parent, _)| parent).collect()
}

fn one(key: &str, full_names: &FullNames, optimizers: &HashSet<&str>) -> Option<String> {
    let path = key.strip_suffix(VALUE)?;
    if let Some((variable, slot)) = path.split_once(SLOT) {
        let variable = one(&format!("{variable}{VALUE}"), full_names, optimizers)?;
        return Some(format!("{variable}{SLOT}{slot}"));
    }
    let full_name = full_names.get(key).filter(|name| says_more(name));
    match optimizer_of(path, optimizers) {
        Some((optimizer, rest)) if !rest.starts_with("_trainable_variables/") => {
            let own = if is_anonymous(rest) { full_name?.as_str() } else { rest };
            let optimizer = optimizer.rsplit('/').next().unwrap_or(optimizer);
            let is_said = optimizer.to_lowercase().contains("optim");
            Some(if is_said { format!("{optimizer}/{own}") } else { format!("optimizer/{optimizer}/{own}") })
        }
        _ if is_anonymous(path) => full_name.cloned(),
        _ => (path.contains("..") || path.contains(".S")).then(|| unescaped(path)),
    }
}

/// The optimizer that a way leads through, and the rest of the way.
fn optimizer_of<'p>(path: &'p str, optimizers: &HashSet<&str>) -> Option<(&'p str, &'p str)> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.map(|at| (&path[..at], &path[at + 1..])).find(|(parent, _)| optimizers.contains(parent))
}

/// Whether a way leads through places that have numbers, or the attributes by which Keras finds them.
fn is_anonymous(path: &str) -> bool {
    path.split('/').any(|part| {
        let number = part.strip_prefix("layer_with_weights-").or_else(|| part.strip_prefix("layer-"));
        part.starts_with('_') || number.unwrap_or(part).bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether a variable's name has a scope: `Variable` and `kernel` say less than any way.
fn says_more(full_name: &str) -> bool {
    full_name.contains('/')
}

/// Dots and slashes of names stand as `..` and `.S` in ways (`python/checkpoint/trackable_utils.py`).
fn unescaped(path: &str) -> String {
    path.replace(".S", "/").replace("..", ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[(&str, &str, Option<&str>)]) {
        let keys: Vec<String> = given.iter().map(|(path, ..)| format!("{path}{VALUE}")).collect();
        let named = keys.iter().zip(given).map(|(key, (_, name, _))| (key.clone(), (*name).to_owned()));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let found = better(&keys, &named.collect());
        for ((path, _, expected), found) in given.iter().zip(found) {
            assert_eq!(found.as_deref(), *expected, "{path}");
        }
    }

    #[test]
    fn ways_through_lists_have_the_name_of_their_variable() {
        check(&[
            ("layer_with_weights-0/kernel", "conv1/kernel", Some("conv1/kernel")),
            ("model/_functional/_operations/2/gamma", "net/bn/gamma", Some("net/bn/gamma")),
            ("model/stem/kernel", "conv2d/kernel", None),
            ("blocks/0/kernel", "kernel", None),
            (
                "layer_with_weights-0/kernel/.OPTIMIZER_SLOT/opt/m",
                "x",
                Some("conv1/kernel/.OPTIMIZER_SLOT/opt/m"),
            ),
            ("heads/a..b.Sc/kernel", "kernel", Some("heads/a.b/c/kernel")),
        ]);
    }

    #[test]
    fn what_an_optimizer_holds_is_the_networks_or_its_own() {
        check(&[
            ("optimizer/_trainable_variables/0", "net/conv1/kernel", Some("net/conv1/kernel")),
            ("optimizer/_iterations", "adam/iteration", Some("optimizer/adam/iteration")),
            (
                "optimizer/_variables/2",
                "adam/net_conv1_kernel_momentum",
                Some("optimizer/adam/net_conv1_kernel_momentum"),
            ),
            ("opt/_iterations", "iteration", None),
            ("opt/_variables/1", "Adam/m/conv1/kernel", Some("optimizer/opt/Adam/m/conv1/kernel")),
        ]);
    }

    #[test]
    fn names_that_two_variables_have_are_not_used() {
        check(&[
            ("a/0/w", "linear/w", None),
            ("a/1/w", "linear/w", None),
            ("b/0/w", "linear_1/w", Some("linear_1/w")),
        ]);
    }
}
