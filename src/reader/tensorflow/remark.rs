//! Names of tensors -> words of a remark.

/// `3 tensors (such as "a/b")`: how many names there are, and the first.
pub(super) fn some_of(names: &[String]) -> String {
    let one = if names.len() == 1 { "tensor" } else { "tensors" };
    format!("{} {one} (such as {:?})", names.len(), names.first().map_or("", String::as_str))
}
