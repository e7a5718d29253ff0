//! Waiting for what must come, with an end. Nothing else in these tests waits for another thread or process.

use std::{
    fs::File,
    io::{Read, Seek},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::sources::{Source, tests};

/// Long enough for a loaded machine: it only ends a hang.
pub(crate) const HANG: Duration = Duration::from_secs(120);

/// The end of a wait.
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Fails where the wait has taken too long; lets others work otherwise.
    pub(crate) fn check(&self, what: &str) {
        assert!(self.0.elapsed() < HANG, "{what} never came");
        thread::yield_now();
    }
}

/// Looks until there is something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Deadline::start();
    loop {
        if let Some(found) = look() {
            return found;
        }
        deadline.check(what);
    }
}

/// Waits for the end of a program that was started; gives its exit code, `None` where a signal ended it.
pub(crate) fn exit_code(child: &mut Child) -> Option<i32> {
    until("the end of the program", || child.try_wait().unwrap()).code()
}

/// Runs a program to its end and gives what it has written.
pub(crate) fn output_of(command: &mut Command) -> std::io::Result<Output> {
    // Files take everything without anybody reading it in the meantime.
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let command = command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = command.spawn()?;
    let status = until("the end of the program", || child.try_wait().unwrap());
    Ok(Output { status, stdout: whole(&mut stdout)?, stderr: whole(&mut stderr)? })
}

fn whole(file: &mut File) -> std::io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Sends a signal to a program.
pub(crate) fn signal(child: &Child, signal: &str) {
    let output = output_of(Command::new("kill").args([signal, &child.id().to_string()])).unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Calls that wait as long as it takes, or are made in loops that do.
const ENDLESS: [&str; 10] = [
    "sleep(",
    "yield_now(",
    "park(",
    ".wait()",
    ".wait_while(",
    ".wait_with_output()",
    ".output()",
    ".status().unwrap().success()",
    ".recv()",
    "TcpStream::connect(",
];

fn endless_waits(source: &Source) -> Vec<String> {
    let is_allowed = |call: &str| match source.file.as_str() {
        "waiting.rs" => true,
        // Its reads have a timeout.
        "daemon.rs" => call == "TcpStream::connect(",
        // Another thread goes first, and nothing is waited for.
        "export/in_order.rs" => call == "yield_now(",
        _ => false,
    };
    let found = ENDLESS.iter().filter(|call| source.code.contains(**call) && !is_allowed(call));
    found.map(|call| format!("{} has {call}", source.file)).collect()
}

#[test]
fn nothing_waits_without_an_end() {
    let tests = tests();
    assert!(tests.iter().filter(|source| source.code.contains("#[test]")).count() > 100, "tests are found");
    let wrong: Vec<String> = tests.iter().flat_map(endless_waits).collect();
    assert!(wrong.is_empty(), "{}: tests/it/waiting.rs has what to use instead", wrong.join("\n"));
}

#[test]
fn waits_without_an_end_are_seen() {
    let waits = |file: &str, code: &str| endless_waits(&Source::of(file, code)).len();
    assert_eq!(waits("http.rs", "fn f() { child.wait().unwrap(); std::thread::sleep(x); }"), 2);
    assert_eq!(waits("http.rs", "fn f() { TcpStream::connect(x); } // .recv()"), 1);
    assert_eq!(waits("daemon.rs", "fn f() { TcpStream::connect(x); until(\".recv()\", y); wait(z) }"), 0);
}
