//! Another colour map of the same picture: nothing is drawn anew, and the picture is the one that a fresh drawing gives.

use std::{fs, io::Write};

use crate::{
    daemon::Daemon,
    logs::{FILE, tensor_of},
};

const OPTIONS: [&str; 5] = [
    "view=magnitude",
    "view=matrix&scope=tile&labels=index&zoom=2",
    "view=slice&range=tf1",
    "view=slice&range=tf2&order=norm",
    "view=magnitude&minus_step=0&step=1",
];
const CMAPS: [&str; 4] = ["cmap=gray", "cmap=viridis", "cmap=rdbu&format=webp", "cmap=magma"];

/// A kernel of two steps with numbers that are not finite.
fn logdir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut file = fs::File::create(dir.path().join(FILE)).unwrap();
    for step in 0..2 {
        let mut numbers: Vec<f32> =
            (0..3 * 3 * 4 * 6).map(|at| ((at * 37 + step) % 101) as f32 / 50.0 - 1.0).collect();
        numbers[7] = f32::NAN;
        numbers[70] = f32::INFINITY;
        numbers[100] = f32::NEG_INFINITY;
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        file.write_all(&tensor_of("conv1/kernel", step, &[3, 3, 4, 6], &bytes)).unwrap();
    }
    dir
}

/// How many sheets were drawn so far.
fn drawn(daemon: &Daemon) -> u64 {
    let text = String::from_utf8(daemon.get("/metrics").body).unwrap();
    let line =
        text.lines().find_map(|line| line.strip_prefix("convscope_cache_misses_total{cache=\"sheets\"} "));
    line.unwrap().parse().unwrap()
}

#[test]
fn another_colour_map_draws_nothing_anew_and_is_what_a_fresh_drawing_gives() {
    let dir = logdir();
    let keeping = Daemon::serve(dir.path(), &[]).loaded();
    let fresh = Daemon::serve(dir.path(), &["--cache-mb", "0"]).loaded();
    for (idx, options) in OPTIONS.iter().enumerate() {
        let mut seen = Vec::new();
        for cmap in CMAPS {
            let path = format!("/api/v1/sheet?tag=conv1/kernel&{options}&{cmap}");
            let (kept, new) = (keeping.get(&path), fresh.get(&path));
            assert_eq!(
                (kept.status, new.status),
                (200, 200),
                "{path}: {}",
                String::from_utf8_lossy(&kept.body)
            );
            assert!(kept.body == new.body, "{path}: another picture than drawn by itself");
            assert!(!seen.contains(&kept.body), "{path}: as under another colour map");
            seen.push(kept.body);
            let info = |daemon: &Daemon| daemon.get(&path.replace("sheet?", "sheet/info?")).json();
            assert_eq!(info(&keeping), info(&fresh), "{path}");
        }
        assert_eq!(drawn(&keeping), idx as u64 + 1, "{options}");
    }
    // Three channels as colours are another picture, and what is chosen as it is by default is the same.
    keeping.get("/api/v1/sheet?tag=conv1/kernel&view=magnitude&range=minmax&scope=layer&order=index");
    assert_eq!(drawn(&keeping), OPTIONS.len() as u64);
    keeping.get("/api/v1/sheet?tag=conv1/kernel&view=components");
    assert_eq!(drawn(&keeping), OPTIONS.len() as u64 + 1);
}

#[test]
fn a_step_of_another_shape_has_the_options_of_its_own_shape() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = fs::File::create(dir.path().join(FILE)).unwrap();
    for (step, inputs) in [(0, 3), (1, 1)] {
        let bytes: Vec<u8> = (0..3 * 3 * inputs * 4).flat_map(|at| (at as f32).to_le_bytes()).collect();
        file.write_all(&tensor_of("conv1/kernel", step, &[3, 3, inputs, 4], &bytes)).unwrap();
    }
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let status = |query: &str| daemon.get(&format!("/api/v1/sheet?tag=conv1/kernel&{query}")).status;
    for _ in 0..2 {
        assert_eq!([status("step=0&cmap=rgb"), status("step=1&cmap=rgb")], [200, 400]);
        assert_eq!([status("step=0&view=components"), status("step=1&view=components")], [200, 400]);
    }
}
