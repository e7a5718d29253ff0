//! The real program, started on a free port and stopped again.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::waiting::{Deadline, HANG, exit_code, output_of, signal, until};

const STDERR: &str = "stderr";

/// A running `convscope`.
pub(crate) struct Daemon {
    pub(crate) port: u16,
    pub(crate) child: Child,
    dir: TempDir,
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }
}

/// Runs the program to its end.
pub(crate) fn convscope(args: &[&str]) -> Output {
    output_of(Command::new(env!("CARGO_BIN_EXE_convscope")).args(args)).unwrap()
}

impl Daemon {
    /// Serves `logdir` on a free port.
    pub(crate) fn serve(logdir: &Path, args: &[&str]) -> Self {
        Self::start(&[&["serve", logdir.to_str().unwrap()], args].concat())
    }

    /// Serves `logdir` in a process that may have so many descriptors.
    pub(crate) fn serve_with_descriptors(most: u32, logdir: &Path, args: &[&str]) -> Self {
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\"")]);
        limited.arg(env!("CARGO_BIN_EXE_convscope"));
        Self::spawn(limited, &[&["serve", logdir.to_str().unwrap()], args].concat())
    }

    /// Starts with these arguments and waits for the port.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_convscope")), args)
    }

    pub(crate) fn spawn(mut program: Command, args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port_file = dir.path().join("port");
        let mut child = program
            // Nothing is kept in the home of whoever runs the tests.
            .env("XDG_STATE_HOME", dir.path().join("state"))
            .args(args)
            .args(["--port", "0", "--port-file", port_file.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(dir.path().join(STDERR)).unwrap())
            .spawn()
            .unwrap();
        let port = until("the port", || {
            assert!(child.try_wait().unwrap().is_none(), "{args:?} ended at once");
            // It is put in place whole, so what can be read is all of it.
            let text = std::fs::read_to_string(&port_file).ok()?;
            Some(text.strip_suffix('\n').expect("decimal and newline").parse().unwrap())
        });
        Self { port, child, dir }
    }

    /// What it has written to standard error.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.dir.path().join(STDERR)).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let config = config.timeout_global(Some(HANG)).build();
        let mut request =
            ureq::Agent::new_with_config(config).get(format!("http://127.0.0.1:{}{path}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().unwrap();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        Answer { status: response.status().as_u16(), body, headers: response.headers().clone() }
    }

    /// Asks until the answer satisfies.
    pub(crate) fn wait(&self, path: &str, holds: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let deadline = Deadline::start();
        loop {
            let answer = self.get(path).json();
            if holds(&answer) {
                return answer;
            }
            deadline.check(&format!("what satisfies, at {path}, where there is {answer:#},"));
        }
    }

    /// Waits until the first scan is done.
    pub(crate) fn loaded(self) -> Self {
        self.wait("/api/v1/health", |health| health["status"] != "loading");
        self
    }

    /// Opens the live stream.
    pub(crate) fn live(&self) -> Live {
        Live(BufReader::new(self.ask("/api/v1/live", "")))
    }

    /// A connection on which nothing was said yet.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream
    }

    /// A connection on which this was asked for, with lines of headers that end in CRLF. Nothing of the answer is read.
    pub(crate) fn ask(&self, path: &str, headers: &str) -> TcpStream {
        let mut stream = self.connect();
        // One that must leave at once cannot be written to.
        let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream
    }

    /// What the system says of the process in a file below `/proc`.
    #[cfg(target_os = "linux")]
    pub(crate) fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// Sends a signal and gives the exit code.
    pub(crate) fn signal(&mut self, name: &str) -> Option<i32> {
        signal(&self.child, name);
        exit_code(&mut self.child)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended already needs no end.
        let _ = self.child.kill();
        exit_code(&mut self.child);
    }
}

/// An open stream of events.
pub(crate) struct Live(BufReader<TcpStream>);

impl Live {
    /// The data of the next event.
    pub(crate) fn next(&mut self) -> serde_json::Value {
        let (deadline, mut line) = (Deadline::start(), String::new());
        // Lines that keep the connection open come as long as it is open.
        while self.0.read_line(&mut line).unwrap() > 0 {
            deadline.check("the next event");
            if let Some(data) = line.strip_prefix("data:") {
                return serde_json::from_str(data).unwrap();
            }
            line.clear();
        }
        panic!("the stream ended");
    }

    /// The data of the next event that satisfies.
    pub(crate) fn find(
        &mut self,
        what: &str,
        holds: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        until(what, || Some(self.next()).filter(&holds))
    }

    /// What comes until the stream ends.
    pub(crate) fn rest(mut self) -> String {
        let mut rest = String::new();
        let deadline = Deadline::start();
        // A connection that is cut ends the stream as well.
        while self.0.read_line(&mut rest).is_ok_and(|len| len > 0) {
            deadline.check("the end of the stream");
        }
        rest
    }
}
