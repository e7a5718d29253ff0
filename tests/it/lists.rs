//! Lists over HTTP: whole, in parts, compressed, and left alone when they are as they were.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::{
    daemon::Daemon,
    logs::{FILE, kernel, scalar, tensor},
};

/// More than one piece of a list holds.
const MANY: usize = 700;

/// A run of many kernels and one number, beside two small runs.
fn serve_many(dir: &Path) -> Daemon {
    let records = (0..MANY).map(|i| tensor(&format!("conv{i}/kernel"), 3, 1.0, &[1, 1, 1, 1], 1.0));
    fs::write(dir.join(FILE), records.chain([scalar("loss", 3)]).collect::<Vec<_>>().concat()).unwrap();
    for run in ["a", "b"] {
        fs::create_dir(dir.join(run)).unwrap();
        fs::write(dir.join(run).join(FILE), [kernel(0, 1.0), kernel(7, 2.0)].concat()).unwrap();
    }
    Daemon::serve(dir, &[]).loaded()
}

fn names(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = list["series"].as_array().unwrap();
    entries.iter().map(|series| (text(&series["run"]), text(&series["tag"]))).collect()
}

#[test]
fn a_list_can_be_had_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = serve_many(dir.path());
    let whole = daemon.get("/api/v1/series").json();
    assert_eq!((names(&whole).len(), whole.get("total")), (MANY + 2, None));
    let mut joined = Vec::new();
    for offset in (0..MANY + 2).step_by(300) {
        let part = daemon.get(&format!("/api/v1/series?limit=300&offset={offset}")).json();
        assert_eq!((&part["total"], &part["revision"]), (&json!(MANY + 2), &whole["revision"]));
        joined.extend(names(&part));
    }
    assert_eq!(joined, names(&whole));
    let runs = daemon.get("/api/v1/runs?offset=1&limit=1").json();
    assert_eq!(
        (&runs["runs"][0]["run"], &runs["total"], runs["runs"][1].is_null()),
        (&json!("a"), &json!(3), true)
    );
    let steps = daemon.get("/api/v1/steps?run=b&tag=conv1/kernel&offset=1").json();
    assert_eq!((&steps["steps"], &steps["attempts"], &steps["total"]), (&json!([7]), &json!([1]), &json!(2)));
    let skipped = daemon.get("/api/v1/skipped?limit=5").json();
    assert_eq!((&skipped["skipped"][0]["tag"], &skipped["total"]), (&json!("loss"), &json!(1)));
    for (option, says) in [("limit=0", "from 1 on"), ("limit=x", "from 1 on"), ("offset=-1", "from 0 on")] {
        let refused = daemon.get(&format!("/api/v1/runs?{option}"));
        assert!(refused.status == 400 && refused.message().contains(says), "{option}: {}", refused.message());
    }
}

#[test]
fn a_compressed_list_is_the_same_and_one_that_is_known_is_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = serve_many(dir.path());
    for path in
        ["/api/v1/runs", "/api/v1/series", "/api/v1/series?run=.", "/api/v1/series?run=a", "/api/v1/skipped"]
    {
        let plain = daemon.get(path);
        let zipped = daemon.get_with(path, &[("accept-encoding", "gzip")]);
        assert_eq!((zipped.header("content-encoding"), zipped.header("vary")), ("gzip", "accept-encoding"));
        let mut unzipped = Vec::new();
        GzDecoder::new(&zipped.body[..]).read_to_end(&mut unzipped).unwrap();
        assert_eq!(unzipped, plain.body, "{path}");
        let etag = plain.header("etag");
        assert_eq!(etag, zipped.header("etag"));
        let again = daemon.get_with(path, &[("if-none-match", etag)]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    let before = daemon.get("/api/v1/runs");
    let mut file = fs::OpenOptions::new().append(true).open(dir.path().join("a").join(FILE)).unwrap();
    file.write_all(&kernel(9, 1.0)).unwrap();
    daemon.wait("/api/v1/runs", |runs| runs["runs"][1]["last_step"] == 9);
    let after = daemon.get_with("/api/v1/runs", &[("if-none-match", before.header("etag"))]);
    assert_eq!(after.status, 200);
}

#[test]
fn the_last_step_of_a_run_of_large_records_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let records = (0..5).flat_map(|step| tensor("large", 10 * step, 1.0 + step as f64, &[3, 3, 64, 64], 2.0));
    fs::write(dir.path().join(FILE), records.collect::<Vec<u8>>()).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let run = &daemon.get("/api/v1/runs").json()["runs"][0];
    assert_eq!((run["last_step"].as_i64(), run["last_wall_time"].as_f64()), (Some(40), Some(5.0)));
}

#[test]
fn health_with_many_problems_is_the_same_in_both_forms() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..40 {
        let mut bytes = [kernel(0, 1.0), kernel(1, 1.0)].concat();
        bytes[0] ^= 1;
        fs::create_dir(dir.path().join(format!("{run}"))).unwrap();
        fs::write(dir.path().join(format!("{run}")).join(FILE), bytes).unwrap();
    }
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let plain = daemon.get("/api/v1/health");
    assert_eq!(plain.json()["problems"].as_array().map(Vec::len), Some(40));
    let zipped = daemon.get_with("/api/v1/health", &[("accept-encoding", "gzip")]);
    let mut unzipped = Vec::new();
    GzDecoder::new(&zipped.body[..]).read_to_end(&mut unzipped).unwrap();
    assert_eq!(unzipped, plain.body);
    assert_eq!(plain.header("content-type"), "application/json");
}

#[test]
fn it_stops_while_a_long_list_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    // What a client that reads nothing leaves in the sockets' buffers is less than this list.
    let tags = (0..100).map(|i| format!("{}{i}/kernel", "long".repeat(200)));
    let records: Vec<u8> = tags.flat_map(|tag| tensor(&tag, 3, 1.0, &[1, 1, 1, 1], 1.0)).collect();
    for run in 0..40 {
        fs::create_dir(dir.path().join(format!("{run}"))).unwrap();
        fs::write(dir.path().join(format!("{run}")).join(FILE), &records).unwrap();
    }
    let mut daemon = Daemon::serve(dir.path(), &[]).loaded();
    let mut client = daemon.connect();
    client.write_all(b"GET /api/v1/series HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    client.read_exact(&mut [0; 4_096]).unwrap();
    assert_eq!(daemon.signal("-TERM"), Some(0));
    let mut rest = Vec::new();
    // A connection that is cut ends the answer as well.
    let _ = client.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a list that was cut looks whole");
}
