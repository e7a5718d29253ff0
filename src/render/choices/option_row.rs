//! An option as it is described to people.

/// One option of a picture or of a film.
#[derive(Debug)]
pub struct OptionRow {
    /// Its name: `--name` on the command line, `name=` in a query.
    pub name: &'static str,
    /// What it is, in one line.
    pub help: &'static str,
    /// The values or forms that it takes; empty for numbers, which `help` describes.
    pub values: fn() -> Vec<OptionValue>,
    /// Its default, in words; values are in backquotes.
    pub default: &'static str,
    /// Which tensors and views it fits, in words; values are in backquotes.
    pub fits: &'static str,
}

/// A value that an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionValue {
    /// How it is written.
    pub name: &'static str,
    /// What it means, in a sentence; empty where the name says it. Names of other values stand in backquotes.
    pub meaning: &'static str,
}

impl OptionRow {
    /// The names of its values.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        (self.values)().into_iter().map(|value| value.name).collect()
    }

    /// What it is, what it takes, and its default, without backquotes.
    #[must_use]
    pub fn text(&self) -> String {
        let values = self.names();
        let values = match values.split_last() {
            None => String::new(),
            Some((last, others)) => format!(": {} or {last}", others.join(", ")),
        };
        format!("{}{values} [default: {}]", self.help, self.default.replace('`', ""))
    }
}
