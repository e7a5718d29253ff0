//! `convscope verify`: damaged and whole files, its table, its JSON, its exit codes.

use std::{fs, path::Path, process::Output};

use convscope::record::write::append_record;
use serde_json::{Value, json};

use crate::{
    daemon::convscope,
    logs::{FILE, kernel, scalar, tensor},
};

fn verify(paths: &[&Path], options: &[&str], code: i32) -> Output {
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let output = convscope(&[&["verify"], options, &paths].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn report(paths: &[&Path], options: &[&str], code: i32) -> Value {
    serde_json::from_slice(&verify(paths, &[&["--json"], options].concat(), code).stdout).unwrap()
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn whole_logdirs_are_counted() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let report = report(&[&fixtures.join("recipe_tf1"), &fixtures.join("keras_tf2")], &[], 0);
    // `sum(1 for _ in tf.data.TFRecordDataset(path))` of each.
    let counts: Vec<u64> = report["files"].as_array().unwrap().iter().map(records).collect();
    assert_eq!(counts, [16, 77, 90, 17]);
    assert_eq!((&report["total"]["records"], &report["total"]["faults"]), (&json!(200), &json!(0)));
}

fn records(file: &Value) -> u64 {
    file["records"].as_u64().unwrap()
}

#[test]
fn each_fault_has_its_place_and_what_it_costs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let (large, small) = (tensor("a", 0, 1.0, &[300, 300], 0.5), scalar("loss", 1));
    let mut bytes = [large.clone(), small.clone(), kernel(2, 0.1), small.clone(), small.clone()].concat();
    // Far inside of a large payload, which the index never looks at.
    bytes[200_000] ^= 0x10;
    let third = large.len() + small.len();
    bytes[third + 3] ^= 1;
    let fourth = third + kernel(2, 0.1).len();
    bytes.extend(&small[..7]);
    fs::write(&path, &bytes).unwrap();
    let found = report(&[dir.path()], &[], 1);
    let faults: Vec<_> = found["files"][0]["faults"].as_array().unwrap().iter().map(place).collect();
    assert_eq!(
        faults,
        [
            json!(["bad_payload_crc", 0, large.len(), large.len()]),
            json!(["bad_length_crc", third, kernel(2, 0.1).len(), fourth]),
        ]
    );
    assert_eq!((&found["total"]["records"], &found["total"]["faults"]), (&json!(3), &json!(2)));
    let end = json!({ "offset": bytes.len() - 7, "bytes": 7, "kind": "cut" });
    assert_eq!(found["files"][0]["unfinished"], end);
    let table = text(verify(&[&path], &[], 1));
    assert!(table.contains("the CRC of the payload is wrong") && table.contains("goes on at"), "{table}");
    assert!(table.contains("incomplete last record (normal while a writer is running)"), "{table}");
    assert!(
        table.ends_with(&format!("1 file, 3 records, {} bytes, 2 faults\n", grouped(bytes.len()))),
        "{table}"
    );
}

fn place(fault: &Value) -> Value {
    json!([fault["kind"], fault["offset"], fault["lost_bytes"], fault["resumed"]])
}

fn grouped(n: usize) -> String {
    format!("{},{:03}", n / 1_000, n % 1_000)
}

#[test]
fn a_cut_end_is_a_fault_only_where_nobody_writes_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = [scalar("loss", 0), scalar("loss", 1)].concat();
    fs::write(dir.path().join(FILE), &bytes[..bytes.len() - 1]).unwrap();
    verify(&[dir.path()], &[], 0);
    let table = text(verify(&[dir.path()], &["--strict"], 1));
    assert!(table.contains("incomplete last record") && table.contains("1 fault\n"), "{table}");
}

#[test]
fn a_whole_record_that_is_no_event_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let record = |payload: &[u8]| {
        let mut record = Vec::new();
        append_record(&mut record, payload);
        record
    };
    // A key of wire type 7, which Protocol Buffers do not have; once short, once longer than the stream's buffer.
    let (short, long) = (record(b"\x0fnot an event"), record(&vec![0x0f; 900_000]));
    let (first, last) = (scalar("loss", 0), scalar("loss", 1));
    fs::write(&path, [&*first, &short, &*first, &long, &last].concat()).unwrap();
    let found = report(&[dir.path()], &[], 1);
    let faults: Vec<_> = found["files"][0]["faults"].as_array().unwrap().iter().map(place).collect();
    let [at_short, at_long] = [first.len(), 2 * first.len() + short.len()];
    assert_eq!(
        faults,
        [
            json!(["not_an_event", at_short, short.len(), at_short + short.len()]),
            json!(["not_an_event", at_long, long.len(), at_long + long.len()]),
        ]
    );
    assert_eq!((&found["total"]["records"], &found["total"]["faults"]), (&json!(3), &json!(2)));
    let table = text(verify(&[&path], &[], 1));
    assert!(table.contains("the record is whole, but is no event: "), "{table}");
}

#[test]
fn claimed_lengths_are_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("any name at all");
    // The CRC is right, so the header asks for a terabyte.
    let mut bytes = (1_u64 << 40).to_le_bytes().to_vec();
    bytes.extend(convscope::record::crc::masked(&bytes).to_le_bytes());
    bytes.extend(scalar("loss", 0));
    fs::write(&path, &bytes).unwrap();
    let found = report(&[&path], &[], 1);
    assert_eq!(place(&found["files"][0]["faults"][0]), json!(["too_long", 0, 12, 12]));
    assert_eq!(found["total"]["records"], 1);
}

#[test]
fn what_cannot_be_read_is_exit_code_3_and_the_rest_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join(FILE);
    fs::write(&good, scalar("loss", 0)).unwrap();
    let missing = dir.path().join("missing");
    let found = report(&[&missing, &good], &[], 3);
    assert_eq!((&found["total"]["records"], found["unreadable"].as_array().unwrap().len()), (&json!(1), 1));
    let empty = tempfile::tempdir().unwrap();
    assert!(text(verify(&[empty.path()], &[], 3)).contains("neither an event file nor a checkpoint"));
}

#[test]
fn our_own_exports_are_checked_and_listed_but_not_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("events.out.tfevents.1.convscope"), kernel(0, 0.5)).unwrap();
    assert_eq!(report(&[dir.path()], &[], 0)["total"]["records"], 1);
    let logdir = dir.path().to_str().unwrap();
    let listed = text(convscope(&["ls", logdir, "--all"]));
    assert!(listed.contains("events.out.tfevents.1.convscope: convscope export wrote it"), "{listed}");
    let listing: Value =
        serde_json::from_slice(&convscope(&["ls", logdir, "--all", "--json"]).stdout).unwrap();
    assert_eq!(listing["series"], json!([]));
    assert_eq!(listing["exported"].as_array().unwrap().len(), 1);
}

#[test]
fn checksums_of_checkpoints_are_compared() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.pt");
    let mut bytes = fs::read(fixtures.join("pytorch/state_dict/model_step_100.pt")).unwrap();
    fs::write(&path, &bytes).unwrap();
    let whole = report(&[dir.path()], &[], 0);
    let checked = &whole["checkpoints"][0];
    assert_eq!((&checked["format"], &checked["tensors"]), (&json!("pytorch"), &json!(12)));
    assert_eq!((&checked["checksums"], &checked["faults"]), (&json!(12), &json!([])));
    // A bit of a number.
    bytes[1_800] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let told = text(verify(&[&path], &[], 1));
    assert!(told.contains("conv1.weight: the checksum of the 2400 bytes"), "{told}");
    // A variable of TensorFlow.
    for name in ["model.ckpt-10.index", "model.ckpt-10.data-00000-of-00001"] {
        fs::copy(fixtures.join("tensorflow/tf1_saver").join(name), dir.path().join(name)).unwrap();
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(report(&[dir.path()], &[], 0)["checkpoints"][0]["checksums"], 9);
    let data = dir.path().join("model.ckpt-10.data-00000-of-00001");
    let mut bytes = fs::read(&data).unwrap();
    bytes[0] ^= 1;
    fs::write(&data, &bytes).unwrap();
    report(&[dir.path()], &[], 1);
}
