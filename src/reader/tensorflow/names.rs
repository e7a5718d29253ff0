//! Keys of an object-based checkpoint and what its graph knows of the variables -> names that say more.
//!
//! A key is the shortest way to a variable: `model/conv1/kernel/.ATTRIBUTES/VARIABLE_VALUE`. Where it leads through Keras's own lists
//! (`layer_with_weights-0/kernel`, `_all_variables/3`, `optimizer/_trainable_variables/0`), it does not say which layer it is. Another
//! way may, or the name that the variable was made with: `conv1/kernel`.

use std::collections::{HashMap, HashSet};

use super::object_graph::{Known, OF_OPTIMIZERS, Variables};

/// How keys of variables end.
const VALUE: &str = "/.ATTRIBUTES/VARIABLE_VALUE";
/// What stands between the way to a variable and that to the optimizer whose slot it is.
const SLOT: &str = "/.OPTIMIZER_SLOT/";
/// So many parts of a way are looked at to find an optimizer: a key has 16 KB, which may be slashes alone.
const MOST_PARTS: usize = 64;

/// The way to a variable: its key without the end.
#[must_use]
pub fn path(key: &str) -> &str {
    key.strip_suffix(VALUE).unwrap_or(key)
}

/// A name for each key that says more than the way to it; `None` where the way says as much, or where two would have the same.
#[must_use]
pub fn better(keys: &[&str], variables: &Variables) -> Vec<Option<Box<str>>> {
    let optimizers = optimizers(keys);
    let one = |use_names| {
        let namer = Namer { variables, optimizers: &optimizers, use_names };
        keys.iter().map(|key| namer.name(key)).collect::<Vec<_>>()
    };
    let (first, second) = (one(true), one(false));
    let (is_first, is_second) = (only(keys, &first), only(keys, &second));
    let chosen = first.into_iter().zip(second).enumerate().map(|(idx, (first, second))| {
        first.filter(|_| is_first[idx]).or_else(|| second.filter(|_| is_second[idx]))
    });
    chosen.map(|name| name.map(String::into_boxed_str)).collect()
}

/// Which of the names are those of one variable only.
fn only(keys: &[&str], names: &[Option<String>]) -> Vec<bool> {
    let shown = || keys.iter().zip(names).map(|(key, name)| name.as_deref().unwrap_or_else(|| path(key)));
    let mut count: HashMap<&str, usize> = HashMap::new();
    shown().for_each(|name| *count.entry(name).or_default() += 1);
    shown().map(|name| count.get(name) == Some(&1)).collect()
}

/// The ways to optimizers.
fn optimizers<'k>(keys: &[&'k str]) -> HashSet<&'k str> {
    let parents = keys.iter().filter_map(|key| path(key).rsplit_once('/'));
    parents.filter(|(_, own)| OF_OPTIMIZERS.contains(own)).map(|(parent, _)| parent).collect()
}

struct Namer<'a> {
    variables: &'a Variables,
    optimizers: &'a HashSet<&'a str>,
    /// Whether names that variables were made with are used, or ways alone.
    use_names: bool,
}

impl Namer<'_> {
    fn name(&self, key: &str) -> Option<String> {
        let path = key.strip_suffix(VALUE)?;
        if let Some((variable, slot)) = path.split_once(SLOT) {
            let variable = self.name(&format!("{variable}{VALUE}"))?;
            return Some(format!("{variable}{SLOT}{slot}"));
        }
        let known = self.variables.get(key);
        // A name without a scope, such as `Variable`, says less than any way.
        let full_name =
            known.map(|known| &known.full_name).filter(|name| self.use_names && name.contains('/'));
        match optimizer_of(path, self.optimizers) {
            Some((optimizer, rest)) if !rest.starts_with("_trainable_variables/") => {
                let own = if is_anonymous(rest) || is_hidden(rest) { full_name?.as_str() } else { rest };
                let optimizer = optimizer.rsplit('/').next().unwrap_or(optimizer);
                let is_said = optimizer.to_lowercase().contains("optim");
                Some(if is_said {
                    format!("{optimizer}/{own}")
                } else {
                    format!("optimizer/{optimizer}/{own}")
                })
            }
            _ if is_anonymous(path) => {
                let way = known.and_then(|Known { way, .. }| way.as_ref());
                let is_numbered = |way: &String| way.split('/').any(is_number);
                let plain = way.filter(|way| !is_numbered(way));
                plain
                    .map(|way| shown(way))
                    .or_else(|| full_name.cloned())
                    .or_else(|| way.map(|way| shown(way)))
            }
            _ => Some(shown(path)).filter(|shown| shown != path),
        }
    }
}

/// The optimizer that a way leads through, and the rest of the way.
fn optimizer_of<'p>(path: &'p str, optimizers: &HashSet<&str>) -> Option<(&'p str, &'p str)> {
    let ends = path.match_indices('/').map(|(at, _)| at).take(MOST_PARTS);
    ends.map(|at| (&path[..at], &path[at + 1..])).find(|(parent, _)| optimizers.contains(parent))
}

/// Whether a way leads through Keras's own lists, or ends with a number.
fn is_anonymous(path: &str) -> bool {
    let (parents, own) = path.rsplit_once('/').unwrap_or(("", path));
    let is_list = |part: &str| {
        let number = part.strip_prefix("layer_with_weights-").or_else(|| part.strip_prefix("layer-"));
        is_hidden(part) || number.is_some_and(is_number)
    };
    is_number(own) || parents.split('/').any(is_list)
}

fn is_hidden(part: &str) -> bool {
    part.starts_with('_')
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// A way as it is shown: `stem/kernel` for Keras 3's `stem/_kernel`.
fn shown(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((parents, own)) => unescaped(&format!("{parents}/{}", own.strip_prefix('_').unwrap_or(own))),
        None => unescaped(path),
    }
}

/// Dots and slashes of names stand as `..` and `.S` in ways (`python/checkpoint/trackable_utils.py`).
fn unescaped(path: &str) -> String {
    path.replace(".S", "/").replace("..", ".")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Ways, full names, other ways, and the names that are expected.
    fn check(given: &[(&str, &str, &str, Option<&str>)]) {
        let keys: Vec<String> = given.iter().map(|(path, ..)| format!("{path}{VALUE}")).collect();
        let known = keys.iter().zip(given).map(|(key, (_, full_name, way, _))| {
            let way = (!way.is_empty()).then(|| (*way).to_owned());
            (key.clone(), Known { full_name: (*full_name).to_owned(), way })
        });
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let found = better(&keys, &known.collect());
        for ((path, .., expected), found) in given.iter().zip(found) {
            assert_eq!(found.as_deref(), *expected, "{path}");
        }
    }

    #[test]
    fn ways_through_lists_of_keras_have_the_name_of_their_variable() {
        check(&[
            ("layer_with_weights-0/kernel", "conv1/kernel", "", Some("conv1/kernel")),
            ("model/_functional/_operations/2/gamma", "net/bn/gamma", "", Some("net/bn/gamma")),
            ("model/stem/kernel", "conv2d/kernel", "", None),
            ("model/stem/_kernel2", "net/kernel", "", Some("model/stem/kernel2")),
            ("blocks/0/kernel", "a/kernel", "", None),
            (
                "layer_with_weights-0/kernel/.OPTIMIZER_SLOT/opt/m",
                "x",
                "",
                Some("conv1/kernel/.OPTIMIZER_SLOT/opt/m"),
            ),
            ("heads/a..b.Sc/kernel", "kernel", "", Some("heads/a.b/c/kernel")),
        ]);
    }

    #[test]
    fn what_an_optimizer_holds_is_the_networks_or_its_own() {
        check(&[
            ("optimizer/_trainable_variables/0", "net/conv1/kernel", "", Some("net/conv1/kernel")),
            (
                "optimizer/_trainable_variables/1",
                "net/kernel",
                "net/a/stem/_kernel",
                Some("net/a/stem/kernel"),
            ),
            ("optimizer/_iterations", "adam/iteration", "", Some("optimizer/adam/iteration")),
            ("optimizer/_variables/2", "adam/net_m", "", Some("optimizer/adam/net_m")),
            ("opt/_iterations", "iteration", "", None),
            ("opt/_variables/1", "Adam/m/conv1/kernel", "", Some("optimizer/opt/Adam/m/conv1/kernel")),
        ]);
    }

    #[test]
    fn keys_of_many_slashes_cost_no_more_than_others() {
        let slashes = "/".repeat(16_000);
        let ways = (0..200).map(|number| format!("{slashes}{number}"));
        let ways = ways.chain(["opt/_iterations".to_owned(), "opt/m/kernel".to_owned()]);
        let keys: Vec<String> = ways.map(|way| format!("{way}{VALUE}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let started = Instant::now();
        let names = better(&keys, &Variables::new());
        assert_eq!(names[201].as_deref(), Some("optimizer/opt/m/kernel"));
        // Otherwise 50 GB of beginnings are compared with the optimizers.
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn names_that_two_variables_have_are_not_used() {
        check(&[
            ("a/_list/0", "linear/w", "", None),
            ("a/_list/1", "linear/w", "", None),
            ("b/_list/0", "linear_1/w", "net/blocks/0/w", Some("linear_1/w")),
            ("c/_list/0", "same/w", "net/blocks/1/w", Some("net/blocks/1/w")),
            ("c/_list/1", "same/w", "net/blocks/2/w", Some("net/blocks/2/w")),
        ]);
    }
}
