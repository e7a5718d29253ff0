//! Each picture option stands in one place: documents say what the program says, and no file has a second list of names.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use convscope::render::{
    choices::{Choices, OptionRow},
    film::options::FilmChoices,
};

use crate::daemon::{Daemon, convscope};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the table of all options in the documentation.
fn table() -> Vec<String> {
    let cell = |option: &OptionRow| {
        let values: Vec<String> = option.names().iter().map(|value| format!("`{value}`")).collect();
        let OptionRow { name, help, default, fits, .. } = option;
        format!("| `{name}` | {help} | {} | {default} | {fits} |", values.join(" "))
    };
    Choices::OPTIONS.iter().map(cell).collect()
}

#[test]
fn the_documented_options_are_those_of_the_program() {
    let text = fs::read_to_string(root().join("docs/pictures.md")).unwrap();
    let (_, rest) = text.split_once("## All options\n").unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap();
    let documented: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(documented, table(), "docs/pictures.md should have:\n{}", table().join("\n"));
}

#[test]
fn the_words_of_the_fuzzer_are_those_of_the_program() {
    let words = fs::read_to_string(root().join("fuzz/words/queries.dict")).unwrap();
    let words: BTreeSet<&str> = words.lines().collect();
    let of_option = |option: &OptionRow| {
        // Of `percentile:P` the fuzzer needs what stands before the number.
        let values = option.names().into_iter().map(|value| match value.split_once(':') {
            Some((name, _)) => format!("\"{name}:"),
            None => format!("\"{value}\""),
        });
        [format!("\"{}=\"", option.name), format!("\"&{}=\"", option.name)].into_iter().chain(values)
    };
    let missing: Vec<String> = Choices::OPTIONS
        .iter()
        .chain(FilmChoices::OPTIONS)
        .flat_map(of_option)
        .filter(|word| !words.iter().any(|known| known.starts_with(word.as_str())))
        .collect();
    assert!(missing.is_empty(), "fuzz/words/queries.dict lacks:\n{}", missing.join("\n"));
}

#[test]
fn the_command_line_and_the_api_have_each_option() {
    let help = convscope(&["render", "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let api = daemon.get("/api/v1/openapi.json").json();
    let parameters = |path: &str| -> BTreeSet<String> {
        let all = api["paths"][path]["get"]["parameters"].as_array().unwrap();
        all.iter().map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
    };
    let options = daemon.get("/api/v1/options").json();
    for (idx, row) in Choices::OPTIONS.iter().enumerate() {
        assert!(help.contains(&format!("--{} <", row.name)), "{}", row.name);
        assert!(parameters("/api/v1/sheet").contains(row.name), "{}", row.name);
        assert!(parameters("/api/v1/film").contains(row.name), "{}", row.name);
        let served = &options["options"][idx];
        assert_eq!((served["name"].as_str(), served["help"].as_str()), (Some(row.name), Some(row.help)));
        let values = row.names();
        assert_eq!(served["values"], serde_json::json!(values));
        if !values.is_empty() {
            assert_eq!(options[row.name], serde_json::json!(values));
        }
    }
    let view = &options["options"][0]["meanings"];
    assert_eq!(view["magnitude"], "One tile per filter: the L2 norm over its input channels.");
    for row in FilmChoices::OPTIONS {
        assert!(parameters("/api/v1/film").contains(row.name), "{}", row.name);
        // The form of a file of the command line is its ending.
        assert!(row.name == "format" || help.contains(&format!("--{} <", row.name)), "{}", row.name);
    }
}

/// The lists that the page needs: the keys of its address, the menus that it has, and what tests say that a server says.
const OF_THE_PAGE: [&str; 3] =
    ["frontend/src/model/address.ts", "frontend/src/model/keys.ts", "frontend/src/model/fake-options.ts"];
/// Made from what the server says.
const GENERATED: &str = "frontend/src/api/schema.ts";
/// So many different names, each in quotes, within so many lines are a list.
const A_LIST: usize = 4;
const LINES: usize = 10;

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            sources(&path, found);
        } else if [".rs", ".ts", ".tsx"].iter().any(|end| name.ends_with(end)) && !name.contains(".test.") {
            found.push(path);
        }
    }
}

/// The names of options that stand in quotes in a line.
fn named(line: &str) -> impl Iterator<Item = &'static str> {
    let names = Choices::OPTIONS.iter().map(|option| option.name);
    names.filter(move |name| ["\"", "'"].iter().any(|quote| line.contains(&format!("{quote}{name}{quote}"))))
}

/// The first line of a list of options' names in a text, from 1 on.
fn list_in(text: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().take_while(|line| !line.contains("#[cfg(test)]")).collect();
    let is_list =
        |lines: &[&str]| lines.iter().flat_map(|line| named(line)).collect::<BTreeSet<_>>().len() >= A_LIST;
    lines.windows(LINES.min(lines.len().max(1))).position(is_list).map(|first| first + 1)
}

#[test]
fn a_list_is_seen() {
    assert_eq!(
        list_in("fn f() {}\nconst A: [&str; 4] = [\"view\", \"range\",\n\"scope\", \"cmap\"];"),
        Some(1)
    );
    assert_eq!(list_in("type Menu = 'view' | 'range' | 'scope' | 'zoom';"), Some(1));
    assert_eq!(list_in("\"view\" \"range\" \"scope\" scopes \"view\""), None);
}

#[test]
fn no_file_has_a_second_list_of_options() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("frontend/src"), &mut files);
    assert!(files.len() > 300, "{}", files.len());
    let lists: Vec<String> = files
        .iter()
        .filter_map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            let line = list_in(&fs::read_to_string(path).unwrap())?;
            let is_known = OF_THE_PAGE.contains(&name.as_str()) || name == GENERATED;
            (!is_known).then(|| format!("{name}:{line}"))
        })
        .collect();
    assert!(lists.is_empty(), "lists of options beside render/choices.rs:\n{}", lists.join("\n"));
}
