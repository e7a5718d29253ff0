//! Messages and tables -> standard output and standard error, with every name printable.
//!
//! Names, tags and reasons come out of logs that others wrote. Everything that is printed goes through here, and here every
//! character that a terminal obeys or does not show is escaped; see [`printable`].

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal as _, Write},
};

use tracing::field::Field;
use tracing_subscriber::{
    field::MakeExt as _,
    filter::LevelFilter,
    fmt::format::{Writer, debug_fn},
};

use crate::types::printable::{is_printable, printable};

/// Writes lines of text to standard output. Line feeds separate them; those in names are escaped already.
///
/// # Errors
/// When standard output cannot be written. A reader that has gone away, as `head` does, is no fault.
pub fn print(text: &str) -> io::Result<()> {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    to_stdout(&lines.join("\n"))
}

/// Writes a JSON text to standard output.
///
/// # Errors
/// As [`print()`].
pub fn print_json(json: &str) -> io::Result<()> {
    to_stdout(&format!("{}\n", printable_json(json)))
}

/// Writes one line to standard error.
pub fn tell(line: &str) {
    // If standard error is closed, nobody reads messages.
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

/// Sends what the program logs from this level on to standard error.
pub fn log(level: LevelFilter) {
    let fields = debug_fn(log_field).delimited(" ");
    tracing_subscriber::fmt()
        .with_max_level(level)
        .fmt_fields(fields)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

fn log_field(out: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let text = format!("{value:?}");
    match field.name() {
        "message" => write!(out, "{}", printable(&text)),
        name => write!(out, "{name}={}", printable(&text)),
    }
}

fn to_stdout(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// The same JSON with escapes for what is not printable. Outside of strings only line feeds occur, and in strings an escape means
/// the same character.
fn printable_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter == '\n' || is_printable(letter) {
            out.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").expect("a String takes any text");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same() {
        let names = ["conv\x1b[31m", "a\u{9b}31m\nb\u{7f}", "\u{202e}x\u{e0041}\u{feff}", "Größe \\ \"核\""];
        let json = serde_json::to_string_pretty(&names).unwrap();
        let shown = printable_json(&json);
        assert!(shown.chars().all(|letter| letter == '\n' || is_printable(letter)), "{shown}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), names);
    }
}
