//! Who may look: hosts, sites, tokens, sessions and frames, asked of the real program.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::daemon::{Daemon, convscope};
use crate::waiting::output_of;

const RUNS: &str = "/api/v1/runs";
const ELSEWHERE: (&str, &str) = ("sec-fetch-site", "cross-site");

fn recipe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recipe_tf1")
}

/// The status of an answer to a request that is sent as it stands.
fn raw(daemon: &Daemon, request: &str) -> String {
    let mut stream = daemon.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

/// Asks with the token in each way that it can be sent.
fn check_token(daemon: &Daemon, token: &str) {
    assert_eq!(daemon.get(RUNS).status, 401);
    let bearer = format!("Bearer {token}");
    assert_eq!(daemon.get_with(RUNS, &[("authorization", &bearer)]).status, 200);
}

#[test]
fn requests_that_name_no_host_or_a_crooked_one_are_refused() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let check = |request: &str, expected: &str| assert_eq!(raw(&daemon, request), expected, "{request}");
    check("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200");
    check("GET /healthz HTTP/1.0\r\n\r\n", "200");
    check("GET /healthz HTTP/1.1\r\n\r\n", "400");
    check("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "400");
    check("GET /healthz HTTP/1.1\r\nHost: [::1]evil\r\n\r\n", "400");
    check("GET /healthz HTTP/1.1\r\nHost: evil@localhost\r\n\r\n", "400");
    check("GET http://evil@localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "400");
    check("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "421");
    check("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200");
}

#[test]
fn pages_of_other_sites_get_nothing_but_the_page_by_a_link() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let image = [ELSEWHERE, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    for path in ["/api/v1/sheet?tag=conv1/weights", "/api/v1/sheet?tag=none", "/healthz", "/"] {
        let answer = daemon.get_with(path, &image);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("foreign_site")), "{path}");
    }
    let link = [ELSEWHERE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(daemon.get_with("/?tag=conv1/weights", &link).status, 200);
    assert_eq!(daemon.get_with(RUNS, &link).status, 403);
    let frame = [ELSEWHERE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    assert_eq!(daemon.get_with("/", &frame).status, 403);
}

#[test]
fn every_answer_is_for_our_own_pages_and_is_what_it_says() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let foreign = [("host", "evil.example")];
    let paths = [
        ("/", 200),
        (RUNS, 200),
        ("/metrics", 200),
        ("/healthz", 200),
        ("/api/v1/openapi.json", 200),
        ("/api/v1/sheet?tag=conv1/weights", 200),
        ("/api/v1/film?tag=conv1/weights", 200),
        ("/api/v1/sheet", 400),
        ("/nothing", 404),
    ];
    let answers = paths.map(|(path, status)| (path, status, daemon.get(path)));
    for (path, status, answer) in answers.into_iter().chain([("/", 421, daemon.get_with("/", &foreign))]) {
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
    }
}

#[test]
fn frames_are_for_ourselves_and_for_those_that_are_named() {
    let policy = |daemon: &Daemon| daemon.get("/").header("content-security-policy").to_owned();
    let closed = Daemon::serve(&recipe(), &[]);
    assert!(policy(&closed).ends_with("frame-ancestors 'self'"), "{}", policy(&closed));
    let options = ["--allow-frame", "http://localhost:8888", "--allow-frame", "https://notebook.example/"];
    let open = Daemon::serve(&recipe(), &options);
    let expected = "frame-ancestors 'self' http://localhost:8888 https://notebook.example";
    assert!(policy(&open).ends_with(expected), "{}", policy(&open));
    let frame = [ELSEWHERE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    assert_eq!(open.get_with("/", &frame).status, 200);
    assert_eq!(open.get_with(RUNS, &frame).status, 403);
    let refused = convscope(&["demo", "--allow-frame", "notebook.example"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("https://notebook.example:8888"));
}

#[test]
fn the_token_comes_from_an_option_a_file_or_a_variable() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "of a file\n").unwrap();
    let logdir = recipe();
    let serve = ["serve", logdir.to_str().unwrap()];
    let from_file = ["--token-file", file.to_str().unwrap()];
    let with_variable = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_convscope"));
        program.env("CONVSCOPE_TOKEN", "of a variable");
        program
    };
    check_token(&Daemon::serve(&logdir, &["--token", "typed"]), "typed");
    check_token(&Daemon::serve(&logdir, &from_file), "of a file");
    check_token(&Daemon::spawn(with_variable(), &serve), "of a variable");
    check_token(&Daemon::spawn(with_variable(), &[&serve[..], &from_file].concat()), "of a file");
    check_token(&Daemon::spawn(with_variable(), &["demo"]), "of a variable");
}

#[test]
fn what_is_no_token_is_refused_with_its_source() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "\n").unwrap();
    let path = file.to_str().unwrap();
    let check = |args: &[&str], variable: Option<&str>, wanted: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_convscope"));
        program.args(["demo", "--port", "0"]).args(args);
        program.envs(variable.map(|value| ("CONVSCOPE_TOKEN", value)));
        let output = output_of(&mut program).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(wanted), "{stderr}");
    };
    check(&["--token", ""], None, "--token is empty");
    check(&["--token-file", path], None, &format!("--token-file {path} is empty"));
    check(&["--token-file", "/nowhere/token"], None, "--token-file /nowhere/token cannot be read");
    check(&[], Some(""), "CONVSCOPE_TOKEN is empty");
    check(&["--token", "a", "--token-file", path], None, "cannot be used with");
}

#[test]
fn a_browser_gets_a_session_that_says_nothing_of_the_token() {
    let daemon = Daemon::serve(&recipe(), &["--token", "s3cret"]);
    let welcome = || daemon.get("/?token=s3cret&tag=x");
    let (first, second) = (welcome(), welcome());
    assert_eq!((first.status, first.header("location")), (303, "./?tag=x"));
    let cookie = first.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    assert_ne!(cookie, second.header("set-cookie"), "each session has a number of its own");
    assert!(!cookie.contains("s3cret") && !cookie.contains("733363726574"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(daemon.get_with(RUNS, &[("cookie", pair)]).status, 200);
    let forged = format!("{}=733363726574", pair.split('=').next().unwrap());
    assert_eq!(daemon.get_with(RUNS, &[("cookie", &forged)]).status, 401);
}

#[test]
fn wrong_tokens_cost_a_connection_and_the_right_one_is_answered_among_them() {
    let daemon = Daemon::serve_with_descriptors(300, &recipe(), &["--token", "s3cret"]);
    let wrong: Vec<_> = (0..200).map(|_| daemon.ask(RUNS, "Authorization: Bearer wrong\r\n")).collect();
    assert_eq!(daemon.get_with(RUNS, &[("authorization", "BEARER s3cret")]).status, 200);
    let mut answer = String::new();
    wrong.last().unwrap().read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("the token is wrong"), "{answer}");
}

/// The second request is sent with the first: only a server that ends the connection leaves it without an answer.
#[test]
fn a_wrong_token_is_answered_after_a_second_and_the_connection_ends() {
    let daemon = Daemon::serve(&recipe(), &["--token", "s3cret"]);
    let request = |token: &str| {
        format!("GET {RUNS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
    };
    let answer_to = |requests: String| {
        let mut stream = daemon.connect();
        stream.write_all(requests.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.to_ascii_lowercase()
    };
    let asked = Instant::now();
    let answer = answer_to(request("wrong") + &request("s3cret"));
    assert!(asked.elapsed() >= Duration::from_secs(1), "it was answered after {:?}", asked.elapsed());
    assert!(answer.starts_with("http/1.1 401"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(answer.matches("http/1.1 ").count(), 1, "{answer}");
}
