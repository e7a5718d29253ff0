//! Little memory: what fits is served, what does not is refused, and the program lives.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output},
    thread,
};

use crate::{
    daemon::Daemon,
    logs::{FILE, picture, tensor},
    waiting::output_of,
};

/// Addresses for the program, its threads and a few tensors, in KiB.
const LIMIT: &str = "400000";

/// The program, whose addresses are limited.
fn within(limit: &str) -> Command {
    let mut limited = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_convscope");
    limited.args(["-c", &format!("ulimit -v {limit} && exec \"$0\" \"$@\""), program]);
    limited
}

fn serve_within(limit: &str, logdir: &std::path::Path) -> Daemon {
    Daemon::spawn(within(limit), &["serve", logdir.to_str().unwrap()]).loaded()
}

#[cfg(target_os = "linux")]
#[test]
fn many_large_tensors_at_once_come_one_after_another() {
    let dir = tempfile::tempdir().unwrap();
    // Together they take two thirds of all addresses, and the program has taken most of the rest.
    let records = (0..8).map(|step| tensor("a/activation", step, 1.0, &[1, 1024, 1024, 8], 0.5));
    fs::write(dir.path().join(FILE), records.collect::<Vec<_>>().concat()).unwrap();
    let daemon = serve_within(LIMIT, dir.path());
    let ask = |step: usize| {
        daemon.get(&format!("/api/v1/sheet?tag=a/activation&step={step}&channels=0&range=fixed:0:1"))
    };
    let answers: Vec<_> = thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|step| scope.spawn(move || ask(step))).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status).collect();
    assert!(statuses.contains(&200) && statuses.is_subset(&BTreeSet::from([200, 503])), "{statuses:?}");
    assert_eq!(daemon.get("/healthz").status, 200);
}

/// A GIF of this width and height with so many frames of one pixel.
fn animation(side: u16, n_frames: usize) -> Vec<u8> {
    let side = side.to_le_bytes();
    let head = [b"GIF89a", &side[..], &side, b"\x80\0\0\0\0\0\xff\xff\xff"].concat();
    let frame = b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    [head, frame.repeat(n_frames), b";".to_vec()].concat()
}

#[cfg(target_os = "linux")]
#[test]
fn animations_that_would_unfold_to_too_much_are_refused_and_others_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let records = [
        picture("million", 0, animation(1, 1_000_000)),
        picture("wide", 0, animation(u16::MAX, 2)),
        picture("long", 0, animation(64, 65_536)),
        picture("small", 0, animation(2, 3)),
    ];
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    let daemon = serve_within(LIMIT, dir.path());
    for (tag, said) in [
        ("million", "65537 pictures or frames"),
        ("wide", "the frames of picture 0 are not counted"),
        ("long", "805306368 bytes of pixels are above the limit"),
    ] {
        for path in ["sheet?", "tensor?", "film?over=frames&"] {
            let refused = daemon.get(&format!("/api/v1/{path}tag={tag}"));
            assert_eq!(refused.status, 422, "{path} {tag}");
            assert!(refused.message().contains(said), "{path} {tag}: {}", refused.message());
        }
    }
    let film = daemon.get("/api/v1/film?over=frames&tag=small");
    assert_eq!(film.header("x-convscope-frames"), "3");
}

#[cfg(target_os = "linux")]
#[test]
fn render_refuses_what_its_memory_is_not_enough_for_and_says_what_is() {
    let dir = tempfile::tempdir().unwrap();
    let records = [
        picture("film", 0, animation(512, 300)),
        tensor("large", 0, 1.0, &[1, 1024, 1024, 50], 0.5),
        tensor("small/kernel", 0, 1.0, &[3, 3, 1, 2], 0.5),
    ];
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    let render = |tag: &str, file: &str, limit: &str| -> Output {
        let out = dir.path().join(file);
        let args = ["render", dir.path().to_str().unwrap(), "--tag", tag, "-o", out.to_str().unwrap()];
        output_of(within(limit).args(args)).unwrap()
    };
    let refused = |tag: &str, file: &str, limit: &str, words: &[&str]| {
        let output = render(tag, file, limit);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    refused("film", "a.png", "1200000", &["this tensor takes 225 MiB", "as in frames=1-16"]);
    refused("large", "a.png", LIMIT, &["this tensor takes 200 MiB"]);
    refused("large", "a.apng", LIMIT, &["this tensor takes 200 MiB"]);
    let small = render("small/kernel", "b.png", LIMIT);
    assert!(small.status.success(), "{}", String::from_utf8_lossy(&small.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn a_tensor_that_never_fits_is_refused_with_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let records =
        [tensor("large", 0, 1.0, &[1, 1024, 1024, 50], 0.5), tensor("small", 0, 1.0, &[3, 3, 1, 2], 0.5)];
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    let daemon = serve_within(LIMIT, dir.path());
    for path in ["tensor?", "stats?", "values?channels=0&", "sheet?channels=0&", "film?channels=0&"] {
        let refused = daemon.get(&format!("/api/v1/{path}tag=large"));
        assert_eq!(refused.status, 503, "{path}");
        assert_eq!(refused.json()["code"], "memory", "{path}");
        assert!(refused.message().contains("200 MiB"), "{path}: {}", refused.message());
        assert_eq!(
            daemon.get(&format!("/api/v1/{}tag=small", path.replace("channels=0&", ""))).status,
            200,
            "{path}"
        );
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_allocator_is_sparing_unless_somebody_else_has_set_it() {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_convscope");
    let args = ["serve", dir.path().to_str().unwrap()];
    let variables = |daemon: &Daemon| -> Vec<String> {
        daemon
            .proc("environ")
            .split('\0')
            .filter(|pair| pair.starts_with("MALLOC_") || pair.starts_with("GLIBC_"))
            .map(str::to_owned)
            .collect()
    };
    let mut usual = Command::new(program);
    usual.env_remove("MALLOC_ARENA_MAX");
    let usual = Daemon::spawn(usual, &args);
    assert_eq!(variables(&usual).len(), 4, "{:?}", variables(&usual));
    assert!(usual.proc("cmdline").starts_with(&format!("{program}\0serve\0")), "{}", usual.proc("cmdline"));
    let mut tuned = Command::new(program);
    tuned.env("MALLOC_ARENA_MAX", "7");
    assert_eq!(variables(&Daemon::spawn(tuned, &args)), ["MALLOC_ARENA_MAX=7"]);
}
