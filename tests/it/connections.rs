//! Clients that take places, and those who must be answered all the same.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    daemon::{Daemon, Live},
    logs::{FILE, kernel, noise},
    waiting::{Deadline, until},
};

/// With so many descriptors 150 connections may be open, of which 75 are strangers' and 75 are streams.
const FEW: u32 = 300;
const HEALTH: &str = "/api/v1/health";
const BEARER: &str = "Authorization: Bearer s3cret\r\n";

fn recipe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recipe_tf1")
}

/// This process may open as many sockets as it is allowed to.
fn raise_own_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    limit.maximum.unwrap_or(u64::MAX)
}

/// The status of an answer and the line of a header.
fn head(stream: TcpStream) -> (String, Vec<String>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let status = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_default();
    (status, lines.map(|line| line.to_ascii_lowercase()).collect())
}

/// Appends step 1 to the log; every stream must hear of it.
fn all_hear_of_a_step(log: &Path, streams: &mut [Live]) {
    fs::OpenOptions::new().append(true).open(log).unwrap().write_all(&kernel(1, 0.0)).unwrap();
    for stream in streams {
        stream.find("step 1", |event| event["changed"][0]["last_step"] == 1);
    }
}

/// With 128 descriptors there may be 32 streams; a further one ends after its first event and would not hear of the step.
#[test]
fn the_limit_of_descriptors_is_raised_as_far_as_it_may() {
    if raise_own_limit() < 512 {
        eprintln!("left out: this system allows too few sockets");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    fs::write(&path, kernel(0, 0.0)).unwrap();
    let mut soft = std::process::Command::new("sh");
    soft.args(["-c", "ulimit -S -n 128 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_convscope")]);
    let daemon = Daemon::spawn(soft, &["serve", dir.path().to_str().unwrap()]).loaded();
    let mut streams: Vec<Live> = (0..100).map(|_| daemon.live()).collect();
    for stream in &mut streams {
        stream.next();
    }
    all_hear_of_a_step(&path, &mut streams);
    #[cfg(target_os = "linux")]
    {
        let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.child.id())).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        let [soft, hard, _] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(soft, hard);
    }
}

#[test]
fn two_thousand_connections_are_idle_or_listen_and_all_hear_of_a_step() {
    if raise_own_limit() < 4096 {
        eprintln!("left out: this system allows too few sockets");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    fs::write(&path, kernel(0, 0.0)).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let mut streams: Vec<Live> = (0..1000).map(|_| daemon.live()).collect();
    let idle: Vec<TcpStream> = (0..1000).map(|_| daemon.connect()).collect();
    for stream in &mut streams {
        stream.next();
    }
    assert_eq!(daemon.get(HEALTH).status, 200);
    all_hear_of_a_step(&path, &mut streams);
    drop(idle);
}

#[test]
fn connections_that_say_nothing_shut_nobody_out() {
    let daemon = Daemon::serve_with_descriptors(FEW, &recipe(), &[]).loaded();
    let silent: Vec<TcpStream> = (0..600).map(|_| daemon.connect()).collect();
    assert_eq!(daemon.get(HEALTH).status, 200);
    let mut first = &silent[0];
    assert_eq!(first.read(&mut [0; 1]).unwrap_or(0), 0, "the oldest was closed");
}

#[test]
fn a_stream_beyond_the_bound_tells_how_things_stand_and_when_to_ask_again() {
    let daemon = Daemon::serve_with_descriptors(FEW, &recipe(), &[]).loaded();
    let mut streams: Vec<Live> = (0..75).map(|_| daemon.live()).collect();
    for stream in &mut streams {
        assert_eq!(stream.next()["changed"], serde_json::json!([]));
    }
    let rest = daemon.live().rest();
    for wanted in ["event:revision", "\"revision\":", "event:again\ndata:1000\n"] {
        assert!(rest.contains(wanted), "{rest}");
    }
    assert_eq!(daemon.get(HEALTH).status, 200);
    streams.pop();
    // The place is free once the daemon has noticed.
    let deadline = Deadline::start();
    loop {
        deadline.check("a free place");
        let mut lines = BufReader::new(daemon.ask("/api/v1/live", "")).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with("data:")).unwrap();
        let next = lines.find(|line| line.starts_with("event:") || line.starts_with(':'));
        if next.as_deref() != Some("event:again") {
            break;
        }
    }
}

#[test]
fn strangers_take_no_place_of_those_who_know_the_token() {
    let daemon = Daemon::serve_with_descriptors(FEW, &recipe(), &["--token", "s3cret"]);
    let mut known = daemon.ask("/api/v1/live", BEARER);
    let mut answer = BufReader::new(known.try_clone().unwrap());
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "HTTP/1.1 200 OK");
    let strangers: Vec<TcpStream> = (0..400)
        .map(|i| if i % 2 == 0 { daemon.ask("/api/v1/live", "") } else { daemon.connect() })
        .collect();
    assert_eq!(head(daemon.ask(HEALTH, BEARER)).0, "200");
    known.set_nonblocking(true).unwrap();
    let ended = until("all that was sent", || match known.read(&mut [0; 4096]) {
        Ok(0) => Some(true),
        Ok(_) => None,
        Err(error) => Some(error.kind() != std::io::ErrorKind::WouldBlock),
    });
    assert!(!ended, "the stream of one who knows the token was cut");
    drop(strangers);
}

#[test]
fn those_who_do_not_read_their_answers_give_way_and_nobody_waits_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), noise("block/out", 0, 3072)).unwrap();
    let daemon = Daemon::serve_with_descriptors(FEW, dir.path(), &[]).loaded();
    // It is in the cache from here on, and larger than what the system takes for a client that does not read.
    assert_eq!(daemon.get("/api/v1/sheet?tag=block/out&step=0").status, 200);
    let unread: Vec<TcpStream> =
        (0..170).map(|_| daemon.ask("/api/v1/sheet?tag=block/out&step=0", "")).collect();
    let deadline = Deadline::start();
    loop {
        deadline.check("an answer");
        let (status, headers) = head(daemon.ask(HEALTH, ""));
        if status == "200" {
            break;
        }
        assert_eq!(status, "503", "{headers:?}");
        assert!(headers.contains(&"retry-after: 1".to_owned()), "{headers:?}");
    }
    drop(unread);
}
