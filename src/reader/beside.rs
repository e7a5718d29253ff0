//! A name in a file -> the file that it means, if that lies beside it or below.

use std::path::{Component, Path, PathBuf};

/// The path of the file that `name` means in the directory of the file at `path`; `None` if it would leave the directory.
#[must_use]
pub fn beside(path: &Path, name: &str) -> Option<PathBuf> {
    let parts = || Path::new(name).components().filter(|part| !matches!(part, Component::CurDir));
    let is_below = parts().all(|part| matches!(part, Component::Normal(_))) && parts().next().is_some();
    let dir = path.parent().unwrap_or(Path::new(""));
    (is_below && !name.contains('\0')).then(|| dir.join(parts().collect::<PathBuf>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_directory_mean_no_file() {
        let at = |name: &str| beside(Path::new("run/model.onnx"), name);
        assert_eq!(at("model.onnx.data").unwrap(), Path::new("run/model.onnx.data"));
        assert_eq!(at("./data/a.bin").unwrap(), Path::new("run/data/a.bin"));
        for name in ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "a\0b"] {
            assert_eq!(at(name), None, "{name}");
        }
    }
}
