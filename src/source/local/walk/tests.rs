use std::{os::unix::fs::symlink, path::PathBuf};

use tempfile::TempDir;

use super::{tree::NAMES_A_DIRECTORY, *};
use crate::source::checkpoint::MOST_CHECKPOINTS;

static NOBODY_STOPS: AtomicBool = AtomicBool::new(false);
const FEW: Bounds = Bounds { directories: 1_000, barren: 5, most_barren: 200 };

/// A logdir `logs` with an event file in each of `runs`; other directories can be created next to it.
fn logdir(runs: &[&str]) -> (TempDir, LocalFiles) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("logs");
    fs::create_dir(&root).unwrap();
    for run in runs {
        log(&root.join(run));
    }
    (dir, LocalFiles::new(root))
}

fn log(run: &Path) {
    fs::create_dir_all(run).unwrap();
    fs::write(run.join("events.out.tfevents.1"), b"").unwrap();
}

fn make(dir: &Path, n: usize) {
    for i in 0..n {
        fs::create_dir_all(dir.join(format!("{i:03}"))).unwrap();
    }
}

fn walked(local: &LocalFiles, bounds: Bounds) -> Listing {
    DirWalk::new(local, &NOBODY_STOPS, bounds).all().unwrap()
}

fn runs(listing: &Listing) -> Vec<&str> {
    listing.files.iter().map(|file| file.run.as_str()).collect()
}

fn left_out(listing: &Listing) -> Vec<&str> {
    let names = listing.left_out.iter().map(|(path, _)| path.file_name().unwrap_or_default());
    names.map(|name| name.to_str().unwrap()).collect()
}

#[test]
fn a_link_never_takes_the_name_of_a_directory() {
    let (dir, local) = logdir(&["z/run"]);
    symlink("z", local.root.join("a")).unwrap();
    symlink(dir.path(), local.root.join("up")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!(runs(&listing), ["a/run", "z/run"]);
    assert_eq!((left_out(&listing), listing.has_other_names), (vec!["up"], false));
    assert!(
        listing.dirs.contains_key(&local.root.join("z")) && !listing.dirs.contains_key(&local.root.join("a"))
    );
}

#[test]
fn links_out_of_the_logdir_lead_to_runs() {
    let (dir, local) = logdir(&["own"]);
    let (outside, elsewhere) = (dir.path().join("outside"), dir.path().join("elsewhere"));
    log(&outside.join("x/run"));
    log(&elsewhere.join("run"));
    symlink(&outside, local.root.join("linked")).unwrap();
    symlink(&elsewhere, outside.join("on")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!(runs(&listing), ["linked/on/run", "linked/x/run", "own"]);
    assert!(listing.dirs.contains_key(&local.root.join("linked/x")), "{:?}", listing.dirs);
}

#[test]
fn a_link_to_many_directories_without_event_files_is_left_out() {
    let (dir, local) = logdir(&["own"]);
    let barren = dir.path().join("barren");
    make(&barren, 20);
    symlink(&barren, local.root.join("linked")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!((runs(&listing), left_out(&listing)), (vec!["own"], vec!["linked"]));
    let dirs: Vec<&Path> = listing.dirs.keys().map(PathBuf::as_path).collect();
    assert_eq!(dirs, [&*local.root, &*local.root.join("own")], "none of it is watched");
    // Within the logdir any number of directories is walked.
    make(&local.root.join("checkpoints"), 20);
    assert_eq!(left_out(&walked(&local, FEW)), ["linked"]);
}

#[test]
fn what_one_link_leaves_out_another_may_lead_to() {
    let (dir, local) = logdir(&[]);
    let wide = dir.path().join("wide");
    make(&wide, 20);
    log(&wide.join("010/deep/run"));
    symlink(&wide, local.root.join("a")).unwrap();
    symlink(wide.join("000"), local.root.join("b")).unwrap();
    symlink(wide.join("010/deep"), local.root.join("c")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!((runs(&listing), left_out(&listing)), (vec!["c/run"], vec!["a"]));
    assert!(listing.dirs.contains_key(&local.root.join("b")));
}

#[test]
fn runs_behind_a_link_may_have_many_directories_of_checkpoints() {
    let (dir, local) = logdir(&[]);
    let outside = dir.path().join("outside");
    for run in ["a", "b"] {
        log(&outside.join(run));
        make(&outside.join(run).join("checkpoints"), 60);
    }
    symlink(&outside, local.root.join("linked")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!((runs(&listing), left_out(&listing)), (vec!["linked/a", "linked/b"], vec![]));
    assert_eq!(listing.dirs.len(), 1 + 1 + 2 + 2 + 120);
}

#[test]
fn a_link_is_left_out_beyond_a_number_of_directories_however_many_runs_it_leads_to() {
    let (dir, local) = logdir(&["own"]);
    let outside = dir.path().join("outside");
    for run in ["a", "b", "c"] {
        log(&outside.join(run));
    }
    make(&outside.join("d"), 210);
    symlink(&outside, local.root.join("linked")).unwrap();
    let listing = walked(&local, FEW);
    let kept = vec!["linked/a", "linked/b", "linked/c", "own"];
    assert_eq!((runs(&listing), left_out(&listing)), (kept, vec!["linked"]));
}

#[test]
fn a_link_to_what_the_logdir_lies_in_is_left_out() {
    let (dir, local) = logdir(&["own"]);
    let outside = dir.path().join("outside");
    log(&outside.join("run"));
    for link in ["up", "own/up"] {
        symlink(dir.path(), local.root.join(link)).unwrap();
    }
    symlink("/", local.root.join("root")).unwrap();
    symlink("/", outside.join("root")).unwrap();
    symlink(&outside, local.root.join("linked")).unwrap();
    symlink(&local.root, local.root.join("again")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!(runs(&listing), ["linked/run", "own"]);
    assert_eq!(left_out(&listing), ["root", "root", "up", "up"]);
    assert_eq!(listing.dirs.len(), 4);
}

#[test]
fn a_second_name_by_a_link_is_told_of() {
    let (dir, local) = logdir(&[]);
    let outside = dir.path().join("outside");
    log(&outside.join("run"));
    symlink(&outside, local.root.join("a")).unwrap();
    symlink(&outside, local.root.join("b")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!((runs(&listing), listing.has_other_names), (vec!["a/run", "b/run"], true));
    let second = listing.second_names.into_iter().collect::<Vec<_>>();
    assert_eq!(second, [(local.root.join("b"), local.root.join("a"))]);
}

#[test]
fn what_a_link_leads_to_has_all_it_holds_also_what_another_link_leads_to_alone() {
    let (dir, local) = logdir(&[]);
    let outside = dir.path().join("outside");
    log(&outside.join("outer/run"));
    symlink(outside.join("outer"), local.root.join("a")).unwrap();
    symlink(&outside, local.root.join("b")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!(runs(&listing), ["a/run", "b/outer/run"]);
    let second = listing.second_names.into_iter().collect::<Vec<_>>();
    assert_eq!(second, [(local.root.join("b/outer"), local.root.join("a"))]);
}

#[test]
fn links_to_one_directory_lead_to_the_same() {
    let (dir, local) = logdir(&["pool/run"]);
    let outside = dir.path().join("outside");
    log(&outside.join("outer/inner/run"));
    for (name, target) in [("a", "outer/inner"), ("b", "outer"), ("c", ""), ("d", "")] {
        symlink(outside.join(target), local.root.join(name)).unwrap();
    }
    fs::create_dir(local.root.join("group")).unwrap();
    symlink("../pool/run", local.root.join("group/best")).unwrap();
    symlink("group", local.root.join("same")).unwrap();
    let listing = walked(&local, FEW);
    let outer = ["a/run", "b/inner/run", "c/outer/inner/run", "d/outer/inner/run"];
    assert_eq!(runs(&listing), [&outer[..], &["group/best", "pool/run", "same/best"]].concat());
    for (name, first) in [("d/outer/inner", "a"), ("c/outer", "b"), ("same/best", "pool/run")] {
        assert_eq!(listing.second_names[&local.root.join(name)], local.root.join(first));
    }
}

#[test]
fn names_of_many_links_are_bounded() {
    let names: Vec<String> = (0..30).map(|i| format!("{i:02}")).collect();
    let (_dir, local) = logdir(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for (from, to) in names.iter().flat_map(|from| names.iter().map(move |to| (from, to))) {
        symlink(format!("../{to}"), local.root.join(from).join(format!("to{to}"))).unwrap();
    }
    let listing = walked(&local, FEW);
    // Each of 30 directories has its own name, one through each other directory, and one through each two others.
    assert_eq!(listing.files.len(), 30 + 30 * 29 + 30 * 29 * 28);
    let path = |name: &str| local.root.join(name);
    let runs: HashSet<&str> = runs(&listing).into_iter().collect();
    assert!(runs.contains("00/to01/to02") && !runs.contains("00/to01/to00") && !runs.contains("00/to00"));
    assert_eq!(listing.second_names[&path("00/to01/to02")], path("02"));
}

#[test]
fn a_link_to_a_file_gives_it_a_second_name_in_another_run_and_none_in_its_own() {
    let (_dir, local) = logdir(&["run"]);
    fs::create_dir(local.root.join("linked")).unwrap();
    let file = local.root.join("run/events.out.tfevents.1");
    for name in ["linked/tfevents", "run/a.tfevents"] {
        symlink(&file, local.root.join(name)).unwrap();
    }
    let listing = walked(&local, FEW);
    assert_eq!(runs(&listing), ["linked", "run"]);
    let second = listing.second_names.into_iter().collect::<Vec<_>>();
    assert_eq!(second, [(local.root.join("linked/tfevents"), file)]);
}

#[test]
fn a_file_has_a_second_name_by_a_link_and_is_in_its_run_once() {
    let (dir, local) = logdir(&["run"]);
    let file = |run: &str, name: &str| local.root.join(run).join(format!("events.out.tfevents.{name}"));
    for run in ["linked", "hard"] {
        fs::create_dir(local.root.join(run)).unwrap();
    }
    symlink(file("run", "1"), file("linked", "2")).unwrap();
    fs::hard_link(file("run", "1"), file("hard", "3")).unwrap();
    symlink("events.out.tfevents.1", file("run", "0")).unwrap();
    symlink("run", local.root.join("again")).unwrap();
    symlink("linked", local.root.join("twice")).unwrap();
    let outside = dir.path().join("events.out.tfevents.5");
    fs::write(&outside, b"").unwrap();
    symlink(&outside, file("linked", "5")).unwrap();
    let second = |listing: Listing| listing.second_names.into_iter().collect::<Vec<_>>();
    let part = DirWalk::new(&local, &NOBODY_STOPS, FEW).below(&local.root.join("linked")).unwrap();
    assert_eq!(second(part), [(file("linked", "2"), file("run", "1"))]);
    let listing = walked(&local, FEW);
    let paths: Vec<&Path> = listing.files.iter().map(|file| file.path.as_path()).collect();
    let expected = [
        ("again", "1"),
        ("hard", "3"),
        ("linked", "2"),
        ("linked", "5"),
        ("run", "1"),
        ("twice", "2"),
        ("twice", "5"),
    ];
    assert_eq!(paths, expected.map(|(run, name)| file(run, name)));
    let firsts = [
        (local.root.join("again"), local.root.join("run")),
        // Of several names that are not links, the first one is used.
        (file("linked", "2"), file("hard", "3")),
        (file("run", "1"), file("hard", "3")),
        (local.root.join("twice"), local.root.join("linked")),
        (file("twice", "2"), file("hard", "3")),
    ];
    let again = (file("again", "1"), file("hard", "3"));
    assert_eq!(second(listing), [&[firsts[0].clone(), again], &firsts[1..]].concat());
}

#[test]
fn a_run_has_every_name_that_a_link_gives_it_and_no_loop_ever_ends_in_itself() {
    let (_dir, local) = logdir(&["all/exp1", "all/exp2/deep"]);
    fs::create_dir(local.root.join("best")).unwrap();
    symlink("../all/exp2", local.root.join("best/exp2")).unwrap();
    symlink("../../all", local.root.join("all/exp1/up")).unwrap();
    symlink(".", local.root.join("self")).unwrap();
    symlink("../best", local.root.join("all/best")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!(runs(&listing), ["all/best/exp2/deep", "all/exp1", "all/exp2/deep", "best/exp2/deep"]);
    assert!(left_out(&listing).is_empty());
}

#[test]
fn the_directories_of_a_walk_are_bounded_and_the_shallow_ones_come_first() {
    let (_dir, local) = logdir(&["a/b/c/deep", "z"]);
    let listing = walked(&local, Bounds { directories: 3, ..FEW });
    assert_eq!((runs(&listing), left_out(&listing)), (vec!["z"], vec!["logs"]));
    assert_eq!(listing.dirs.len(), 3);
    assert!(walked(&local, FEW).left_out.is_empty());
}

#[test]
fn what_was_given_up_is_not_walked_for_every_link_to_it() {
    let (dir, local) = logdir(&["a", "b"]);
    let pictures = dir.path().join("pictures");
    make(&pictures, 20);
    for run in ["a", "b"] {
        symlink(&pictures, local.root.join(run).join(format!("{run}.data"))).unwrap();
    }
    // If it were walked twice, there would be more directories than allowed.
    let listing = walked(&local, Bounds { directories: 12, ..FEW });
    assert_eq!((runs(&listing), left_out(&listing)), (vec!["a", "b"], vec!["a.data", "b.data"]));
    assert!(listing.left_out[1].1.contains("another link"), "{:?}", listing.left_out);
}

#[test]
fn a_link_to_very_many_names_is_left_out_like_one_to_many_directories() {
    let (dir, local) = logdir(&["own"]);
    let pictures = dir.path().join("pictures");
    make(&pictures, 2);
    for i in 0..6 * NAMES_A_DIRECTORY {
        fs::write(pictures.join(format!("000/{i}.png")), b"").unwrap();
    }
    symlink(&pictures, local.root.join("linked")).unwrap();
    assert_eq!(left_out(&walked(&local, FEW)), ["linked"]);
}

#[test]
fn more_checkpoints_than_are_listed_are_told_once() {
    let (_dir, local) = logdir(&[]);
    for i in 0..=MOST_CHECKPOINTS {
        fs::write(local.root.join(format!("{i}.safetensors")), b"").unwrap();
    }
    let listing = walked(&local, FEW);
    assert_eq!((listing.stored.len(), listing.left_out.len()), (MOST_CHECKPOINTS, 1));
    fs::remove_file(local.root.join("0.safetensors")).unwrap();
    assert_eq!(walked(&local, FEW).left_out.len(), 0);
}

#[test]
fn files_of_a_trainer_without_weights_are_no_checkpoints() {
    let (_dir, local) = logdir(&[]);
    let saved = local.root.join("checkpoint-2");
    fs::create_dir(&saved).unwrap();
    for name in ["optimizer.pt", "rng_state.pth", "scheduler.pt"] {
        fs::write(saved.join(name), b"PK\x03\x04").unwrap();
    }
    let listing = walked(&local, FEW);
    assert_eq!((listing.stored.len(), listing.checkpoints.len()), (0, 0));
}

#[test]
fn a_part_is_listed_without_what_links_lead_to() {
    let (dir, local) = logdir(&["a/x", "a/y", "b"]);
    let part = |name: &str| {
        let listing = DirWalk::new(&local, &NOBODY_STOPS, FEW).below(&local.root.join(name)).unwrap();
        let names: Vec<String> = listing.files.iter().map(|file| file.run.to_string()).collect();
        (names.join(" "), listing.leads_out)
    };
    symlink("x", local.root.join("a/latest")).unwrap();
    symlink("a", local.root.join("link")).unwrap();
    assert_eq!(part("a"), ("a/x a/y".to_owned(), false));
    assert_eq!(part("link"), (String::new(), false), "it is a second name");
    assert_eq!(part(""), ("a/x a/y b".to_owned(), false));
    symlink(dir.path().join("logs/b"), local.root.join("a/b")).unwrap();
    assert_eq!(part("a"), ("a/x a/y".to_owned(), false));
    let outside = dir.path().join("outside");
    log(&outside);
    symlink(&outside, local.root.join("a/out")).unwrap();
    assert_eq!(part("a"), ("a/x a/y".to_owned(), true), "only a walk from the root knows its name");
    assert_eq!(part("a/out"), (String::new(), true));
}

#[test]
fn a_walk_ends_when_it_is_stopped() {
    let (_dir, local) = logdir(&["a"]);
    let stopped = AtomicBool::new(true);
    let error = DirWalk::new(&local, &stopped, FEW).all().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
}

#[cfg(target_os = "linux")]
#[test]
fn the_kernels_own_file_systems_are_left_out() {
    let (_dir, local) = logdir(&["own"]);
    symlink("/proc", local.root.join("processes")).unwrap();
    let listing = walked(&local, FEW);
    assert_eq!((runs(&listing), left_out(&listing)), (vec!["own"], vec!["processes"]));
    let listing = walked(&LocalFiles::new("/proc".into()), FEW);
    assert_eq!((listing.files.len(), listing.dirs.len(), left_out(&listing)), (0, 0, vec!["proc"]));
}
