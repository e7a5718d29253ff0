//! Names that others wrote, with characters that a terminal obeys: nothing of them reaches a terminal or a file's name.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, scalar, tensor},
    waiting::until,
};

/// A colour, a line feed, the C1 form of a colour, reversed text, and nothing to be seen.
const TAGS: [&str; 5] = [
    "conv\x1b[31mRED\x1b[0m/kernel",
    "two\nrun other/kernel",
    "c1\u{9b}31m/kernel",
    "turned\u{202e}lenrek/kernel",
    "wide\u{200b}/kernel",
];
const RUN: &str = "run\x1b[2J\nother\u{202e}";
const SHOWN_RUN: &str = r"run\u{1b}[2J\nother\u{202e}";
const SHOWN_TAG: &str = r"conv\u{1b}[31mRED\u{1b}[0m/kernel";

struct Logdir {
    _dir: tempfile::TempDir,
    /// Its own name has such characters too.
    path: PathBuf,
}

impl Logdir {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs\x1b]0;title\x07");
        fs::create_dir_all(path.join(RUN)).unwrap();
        let steps = TAGS.iter().flat_map(|tag| [0, 1].map(|step| tensor(tag, step, 1.0, &[8, 3, 3, 3], 0.5)));
        let mut damaged = scalar("loss\x1b[5m", 0);
        damaged[14] ^= 1;
        let records: Vec<Vec<u8>> = steps.chain([scalar("loss\x1b[5m", 0), damaged]).collect();
        fs::write(path.join(RUN).join(format!("{FILE}\x1b[7m")), records.concat()).unwrap();
        Self { _dir: dir, path }
    }

    fn beside(&self, name: &str) -> String {
        self.path.with_file_name(name).to_str().unwrap().to_owned()
    }

    /// Runs a command on it, and gives what was printed: standard output and standard error, in which nothing is obeyed.
    fn run(&self, command: &str, options: &[&str], code: i32) -> (String, String) {
        let output = convscope(&[&[command, self.path.to_str().unwrap()], options].concat());
        assert_eq!(output.status.code(), Some(code), "{command} {options:?} {output:?}");
        printed(output)
    }
}

fn printed(output: Output) -> (String, String) {
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(is_plain(&out) && is_plain(&err), "{out:?} {err:?}");
    (out, err)
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|letter| letter == '\n' || !(letter.is_control() || "\u{202e}\u{200b}".contains(letter)))
}

#[test]
fn ls_and_verify_show_names_escaped_and_in_their_columns() {
    let logdir = Logdir::new();
    let (text, _) = logdir.run("ls", &["--all"], 0);
    assert!(text.starts_with(&format!("run {SHOWN_RUN}\n")), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("[8, 3, 3, 3]")).collect();
    assert!(rows.iter().any(|row| row.starts_with(r"  c1\u{9b}31m/kernel  ")), "{text}");
    assert!(rows.iter().any(|row| row.starts_with(&format!("  {SHOWN_TAG}  kernel  OIHW"))), "{text}");
    let column = |row: &&str| row.find("  kernel").map(|at| row[..at].chars().count());
    let role = |row: &&str| row.find(" kernel  OIHW");
    assert_eq!(rows.len(), TAGS.len());
    assert!(rows.iter().all(|row| column(row).is_some() && role(row) == role(&rows[0])), "{text}");
    assert!(text.contains(r"layer two\nrun other;"), "{text}");
    assert!(text.contains(r"loss\u{1b}[5m  not drawn"), "{text}");
    assert!(text.contains(&format!(r"problem: run {SHOWN_RUN}, {FILE}\u{{1b}}[7m, byte")), "{text}");
    let (table, _) = logdir.run("verify", &[], 1);
    assert!(
        table.contains(&format!(r"logs\u{{1b}}]0;title\u{{7}}/{SHOWN_RUN}/{FILE}\u{{1b}}[7m")),
        "{table}"
    );
    for command in ["ls", "verify"] {
        let (json, _) = logdir.run(command, &["--json"], i32::from(command == "verify"));
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        let names = (&read["series"][0]["run"], read["files"][0]["file"].as_str());
        assert!(names.0 == RUN || names.1.is_some_and(|file| file.contains(RUN)), "{json}");
    }
    let missing = convscope(&["ls", "missing\x1b[31m"]);
    assert!(printed(missing).1.contains(r"missing\u{1b}[31m does not exist"));
    let rules = logdir.beside("rules\x1b[31m");
    fs::write(&rules, "[[rule]]\n\"\\u001b[31m\n\" = 1").unwrap();
    logdir.run("ls", &["--rules", &rules], 2);
}

#[test]
fn render_tells_names_escaped_and_takes_them_so() {
    let logdir = Logdir::new();
    let picture = |tag: &str, run: &str| {
        let out = logdir.beside("a.png");
        let (_, told) = logdir.run("render", &["--tag", tag, "--run", run, "-o", &out], 0);
        assert!(told.contains("step 1 of "), "{told}");
        fs::read(out).unwrap()
    };
    let by_name = picture(TAGS[0], RUN);
    assert_eq!(picture(SHOWN_TAG, SHOWN_RUN), by_name);
    for tag in TAGS {
        let film = logdir.beside("a\x1b.gif");
        let (_, told) = logdir.run("render", &["--tag", tag, "-o", &film], 0);
        assert!(told.contains("2 frames of ") && told.contains(r"a\u{1b}.gif"), "{told}");
    }
    let (_, near) = logdir.run("render", &["--tag", "conv\x1b[31mRED/kernel", "-o", "a.png"], 2);
    assert!(near.contains(SHOWN_TAG), "{near}");
    logdir.run("render", &["--tag", TAGS[0], "--run", "run\x1b", "-o", "a.png"], 2);
    logdir.run("render", &["--tag", TAGS[1], "-o", "missing\x1b[31m/a.png"], 1);
    logdir.run("render", &["--tag", TAGS[1], "-o", "a\x1b[31m.bmp"], 2);
}

#[test]
fn an_export_makes_no_file_with_such_a_name() {
    let logdir = Logdir::new();
    for to in ["tensorboard", "png", "npz"] {
        let out = logdir.beside(to);
        let (_, told) = logdir.run("export", &["--to", to, "-o", &out, "--run", SHOWN_RUN], 0);
        assert!(told.contains("10 tensors"), "{told}");
        let names = names_below(Path::new(&out));
        assert!(
            !names.is_empty() && names.iter().all(|name| is_plain(name) && !name.contains('\n')),
            "{names:?}"
        );
        logdir.run("export", &["--to", to, "-o", &logdir.beside("x\x1b[31m"), "--run", "none\x1b"], 2);
    }
}

fn names_below(dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        if entry.path().is_dir() {
            names.extend(names_below(&entry.path()));
        }
    }
    names
}

#[test]
fn the_daemon_says_and_logs_names_escaped() {
    let logdir = Logdir::new();
    let mut program = Command::new(env!("CARGO_BIN_EXE_convscope"));
    program.env("CONVSCOPE_LOG", "info").env("NO_COLOR", "1");
    let daemon = Daemon::spawn(program, &["serve", logdir.path.to_str().unwrap()]);
    let wait_for = |words: &str| {
        // The last line may be half written.
        let whole_lines = |said: String| said[..said.rfind('\n').map_or(0, |at| at + 1)].to_owned();
        until(words, || {
            let said = whole_lines(daemon.said());
            said.lines().find(|line| line.contains(words)).map(str::to_owned)
        })
    };
    let shown = wait_for("ConvScope shows");
    assert!(shown.contains(r"/logs\u{1b}]0;title\u{7} at http"), "{shown:?}");
    wait_for("watching");
    fs::remove_dir_all(&logdir.path).unwrap();
    let gone = wait_for("the logdir is gone");
    assert!(gone.contains(r"logs\u{1b}]0;title\u{7}"), "{gone:?}");
    let said = daemon.said();
    assert!(said.lines().all(is_plain), "{said:?}");
}

#[test]
fn names_in_the_api_are_as_they_were_logged() {
    let logdir = Logdir::new();
    let daemon = Daemon::serve(&logdir.path, &[]).loaded();
    let listed = daemon.get("/api/v1/series").json();
    let tags: Vec<&str> =
        listed["series"].as_array().unwrap().iter().map(|series| series["tag"].as_str().unwrap()).collect();
    assert!(TAGS.iter().all(|tag| tags.contains(tag)), "{tags:?}");
    assert_eq!(daemon.get("/api/v1/sheet?tag=conv%1B%5B31mRED%1B%5B0m/kernel").status, 200);
    assert!(is_plain(&String::from_utf8(daemon.get("/metrics").body).unwrap()));
}
