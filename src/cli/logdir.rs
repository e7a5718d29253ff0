//! A logdir argument that is no path on this machine -> what it is, and what to do.

use std::path::{Path, PathBuf};

/// What a name is that cannot become a directory here, and what to do; `None` for a path that may appear later.
pub(super) fn why_not_local(logdir: &Path) -> Option<String> {
    let name = logdir.to_str().filter(|_| !logdir.exists())?;
    of_address(name)
        .or_else(|| of_list(name))
        .or_else(|| of_pattern(name))
        .or_else(|| of_home(name))
        .or_else(|| of_host(name))
}

/// `s3://bucket/logs`.
fn of_address(name: &str) -> Option<String> {
    let (scheme, rest) = name.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| match scheme {
        "file" => format!("{name} names a directory of this machine: write {rest}"),
        "http" | "https" => {
            format!("{name} is the address of a page: name the directory that holds the event files")
        }
        _ => format!(
            "{name} is not on this machine, and ConvScope reads directories: mount it and name where, or run ConvScope where it is"
        ),
    })
}

/// `~/runs` in quotes, which the shell leaves as it is.
fn of_home(name: &str) -> Option<String> {
    let rest = name.strip_prefix("~/")?;
    Some(format!(
        "{name} was not replaced by the shell, as it stood in quotes: write ~/{rest} without them, or $HOME/{rest}"
    ))
}

/// `user@host:/runs`, as `scp` and `rsync` have it.
fn of_host(name: &str) -> Option<String> {
    let (host, path) = name.split_once(':')?;
    (host.contains('@') && !host.contains('/') && !path.is_empty()).then(|| {
        format!(
            "{name} is on another machine, and ConvScope reads directories: mount it and name where, or run ConvScope there"
        )
    })
}

/// `a:dir1,b:dir2`, as TensorBoard's `--logdir_spec` has it.
fn of_list(name: &str) -> Option<String> {
    let parts: Vec<(&str, &Path)> = name.split(',').map(named).collect();
    let is_list = parts.len() > 1 || !parts[0].0.is_empty();
    if !is_list || !parts.iter().any(|(_, path)| path.exists()) {
        return None;
    }
    if let [(_, path)] = parts.as_slice() {
        return Some(format!("{name} is a directory with a name before it: write {}", path.display()));
    }
    let link = |(number, (name, path)): (usize, &(&str, &Path))| {
        let name = if name.is_empty() { number.to_string() } else { (*name).to_owned() };
        let target = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        format!("ln -s {} {}", quoted(&target.display().to_string()), quoted(&format!("all/{name}")))
    };
    let links: Vec<String> = parts.iter().enumerate().map(link).collect();
    Some(format!(
        "{name} names several directories, and ConvScope shows one: name the one that they lie in, or link them into one: mkdir all && {} && convscope all",
        links.join(" && ")
    ))
}

/// A word, quoted for a shell.
fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-=+@%".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn named(part: &str) -> (&str, &Path) {
    match part.split_once(':') {
        Some((name, path)) if !name.contains('/') => (name, Path::new(path)),
        _ => ("", Path::new(part)),
    }
}

/// `runs/*`, with quotes around it or where the shell found nothing.
fn of_pattern(name: &str) -> Option<String> {
    // Brackets and braces are no sign: names that are made of parameters have them.
    let is_pattern = |part: &str| part.contains('*');
    let before: PathBuf = Path::new(name)
        .components()
        .take_while(|part| !is_pattern(&part.as_os_str().to_string_lossy()))
        .collect();
    is_pattern(name).then(|| {
        let before = if before.as_os_str().is_empty() { Path::new(".") } else { &before };
        format!(
            "{name} is a pattern, and ConvScope shows all runs below one directory: write {}",
            before.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_said_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().to_str().unwrap();
        let check = |name: &str, expected: &str| {
            let words = why_not_local(Path::new(name)).unwrap_or_default();
            assert!(words.contains(expected) && words.starts_with(name), "{name}: {words}");
        };
        for scheme in ["s3", "gs", "hdfs", "abfss"] {
            check(&format!("{scheme}://bucket/logs"), "is not on this machine");
        }
        check("https://example.org/logs", "the address of a page");
        check(&format!("file://{here}/none"), &format!("write {here}/none"));
        check(&format!("a:{here},b:/none"), &format!("ln -s {here} all/a && ln -s /none all/b"));
        check(&format!("{here},{here}"), "all/0");
        check(&format!("{here},/a b;c"), "ln -s '/a b;c' all/1");
        check(&format!("name:{here}"), &format!("write {here}"));
        check("runs/*", "write runs");
        check("*/logs", "write .");
        check("~/runs", "write ~/runs without them");
        check("me@far:/runs", "is on another machine");
        for path in ["not/yet", "C:", "a,b", "12:30", "runs/exp[1]", "runs/{lr=0.1}", "\u{1b}[31m"] {
            assert_eq!(why_not_local(Path::new(path)), None, "{path}");
        }
        assert_eq!(why_not_local(&dir.path().join("..")), None);
    }
}
