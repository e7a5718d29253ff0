//! The keys that lead to a leaf of a tree of JAX -> its name.

/// The keys, joined with `/`, without the `value` that Flax's `nnx` puts around each variable. An item that has a name stands first,
/// unless its tree begins with that name too.
#[must_use]
pub fn name(keys: &[String], item: Option<&str>) -> String {
    let keys = match keys {
        [before @ .., last] if !before.is_empty() && last == "value" => before,
        keys => keys,
    };
    let item = item.filter(|item| keys.first().is_none_or(|first| first != item));
    item.into_iter().chain(keys.iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_keys_without_what_wraps_values() {
        let check = |keys: &[&str], item: Option<&str>, expected: &str| {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            assert_eq!(name(&keys, item), expected);
        };
        check(&["params", "conv1", "kernel"], None, "params/conv1/kernel");
        check(&["conv1", "kernel", "value"], None, "conv1/kernel");
        check(&["value"], None, "value");
        check(&["conv1", "kernel"], Some("params"), "params/conv1/kernel");
        check(&["params", "conv1", "kernel"], Some("params"), "params/conv1/kernel");
        check(&["0", "mu"], Some("opt_state"), "opt_state/0/mu");
    }
}
