//! The contract over HTTP, asked of the real program.

use std::{fs, io::Write, path::PathBuf};

use crate::{
    daemon::Daemon,
    logs::{FILE, kernel, scalar, tensor},
    waiting::{exit_code, until},
};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn recipe() -> Daemon {
    Daemon::serve(&fixture("recipe_tf1"), &[]).loaded()
}

#[test]
fn the_recipe_is_listed_with_reasons() {
    let daemon = recipe();
    let health = daemon.get("/api/v1/health").json();
    assert_eq!(
        (health["status"].as_str(), health["problems"].as_array().map(Vec::len)),
        (Some("ok"), Some(0))
    );
    let runs = daemon.get("/api/v1/runs").json();
    assert_eq!(
        (runs["runs"][0]["run"].as_str(), runs["runs"][0]["last_step"].as_i64()),
        (Some("."), Some(40))
    );
    // Graphs are read beside everything else.
    let from_graph = |list: &serde_json::Value| {
        let evidence = &list["series"][0]["layout_from"];
        *evidence
            == serde_json::json!({"confidence": "sure", "evidence": "the Conv2D \"conv1\" of the logged graph"})
    };
    let kernels = daemon.wait("/api/v1/series?run=.&role=kernel", from_graph);
    let conv1 = &kernels["series"][0];
    assert_eq!(conv1["tag"], "conv1/weights");
    assert_eq!(conv1["shape"], serde_json::json!([5, 5, 3, 64]));
    assert_eq!(
        (&conv1["layout"], &conv1["layer"], &conv1["steps"]),
        (&"HWIO".into(), &"conv1".into(), &5.into())
    );
    let steps = daemon.get("/api/v1/steps?run=.&tag=conv1/weights").json();
    assert_eq!(steps["steps"], serde_json::json!([0, 10, 20, 30, 40]));
    assert_eq!(steps["wall_times"].as_array().map(Vec::len), Some(5));
    let skipped = daemon.get("/api/v1/skipped?run=.").json();
    assert!(skipped["skipped"].as_array().unwrap().iter().any(|tag| tag["kind"] == "scalar"), "{skipped}");
}

#[test]
fn a_tensor_comes_back_as_it_went_in() {
    let daemon = recipe();
    let truth = fs::read(fixture("recipe_tf1/truth/conv1__Relu__20.npy")).unwrap();
    let answer = daemon.get("/api/v1/tensor?run=.&tag=conv1/Relu&step=20");
    assert_eq!(answer.status, 200);
    let elements = 4 * 2 * 16 * 16 * 64;
    assert!(
        answer.body[answer.body.len() - elements..] == truth[truth.len() - elements..],
        "the elements differ"
    );
}

#[test]
fn pictures_have_etags_and_are_immutable_when_the_step_is_fixed() {
    let daemon = recipe();
    let fixed = daemon.get("/api/v1/sheet?run=.&tag=conv1/weights&step=40");
    assert_eq!((fixed.status, fixed.header("content-type")), (200, "image/png"));
    assert!(fixed.header("cache-control").contains("immutable"));
    let latest = daemon.get("/api/v1/sheet?run=.&tag=conv1/weights&step=latest");
    assert_eq!(latest.body, fixed.body);
    assert!(!latest.header("cache-control").contains("immutable"));
    let again =
        daemon.get_with("/api/v1/sheet?run=.&tag=conv1/weights", &[("if-none-match", latest.header("etag"))]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = daemon.get_with(
        "/api/v1/sheet?run=.&tag=conv1/weights&step=0",
        &[("if-none-match", latest.header("etag"))],
    );
    assert_eq!(other.status, 200);
    let webp = daemon.get("/api/v1/sheet?run=.&tag=conv1/weights&format=webp");
    assert_eq!((webp.header("content-type"), &webp.body[8..12]), ("image/webp", &b"WEBP"[..]));
}

#[test]
fn the_legend_tells_where_tiles_lie_and_what_the_colours_mean() {
    let daemon = recipe();
    let info = daemon.get("/api/v1/sheet/info?run=.&tag=conv1/weights&step=0&zoom=2&scope=tile").json();
    assert_eq!((info["width"].as_u64(), info["height"].as_u64()), (Some(98), Some(98)));
    assert_eq!(
        info["tiles"][9],
        serde_json::json!({"index": 9, "channel": 9, "x": 14, "y": 14, "w": 10, "h": 10, "constant": false})
    );
    assert_eq!(info["tile_ranges"].as_array().map(Vec::len), Some(64));
    assert_eq!((&info["range"]["option"], &info["range"]["zero"]), (&"symmetric".into(), &0.5.into()));
    assert_eq!(
        (&info["view"], &info["layout"], &info["cmap"]),
        (&"filters".into(), &"HWIO".into(), &"rgb".into())
    );
}

#[test]
fn a_choice_of_frames_is_what_the_sheet_has() {
    let daemon = Daemon::serve(&fixture("animations"), &[]).loaded();
    let info = |query: &str| daemon.get(&format!("/api/v1/sheet/info?run=gif&tag=parts&{query}"));
    let numbers = |query: &str| {
        let info = info(query).json();
        assert_eq!(info["n_frames"], 8);
        let number = |tile: &serde_json::Value| tile["frame"]["number"].as_u64().unwrap();
        info["tiles"].as_array().unwrap().iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(""), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(numbers("frames=2-3,7"), [2, 3, 7]);
    assert_eq!(numbers("frames=1-8/3"), [1, 4, 7]);
    // The numbers of the tiles are those of Pillow's frames.
    let values = daemon.get("/api/v1/values?run=gif&tag=parts&frames=5&view=image");
    assert_eq!(values.status, 200, "{}", values.message());
    let whole = daemon.get("/api/v1/values?run=gif&tag=parts&view=image").body;
    let len = (whole.len() - 128) / 8;
    assert!(values.body[128..] == whole[128 + 4 * len..128 + 5 * len]);
    for (query, word) in [
        ("frames=9", "frames: there is no frame 9: 1 to 8 are there"),
        ("frames=0-2", "frames: \"0-2\" is no list"),
        ("frames=1&view=maps", "frames: these tiles are no frames"),
    ] {
        assert_eq!(info(query).status, 400, "{query}");
        assert!(info(query).message().contains(word), "{query}: {}", info(query).message());
    }
    let film = daemon.get("/api/v1/film?over=frames&run=gif&tag=parts&frames=1-2");
    assert!(film.status == 400 && film.message().contains("from, to and every"), "{}", film.message());
}

#[test]
fn every_frame_is_a_tile_that_is_numbered_as_it_is_said() {
    let daemon = Daemon::serve(&fixture("animations"), &[]).loaded();
    let series = daemon.get("/api/v1/series?run=steps").json();
    let frames = |tag: &str| {
        let of_tag = |series: &&serde_json::Value| series["tag"] == tag;
        series["series"].as_array().unwrap().iter().find(of_tag).unwrap()["frames"].clone()
    };
    assert_eq!((frames("fewer"), frames("several/image")), (serde_json::Value::Null, 4.into()));
    let tiles = |query: &str| {
        let info = daemon.get(&format!("/api/v1/sheet/info?run=steps&labels=index&{query}")).json();
        let tiles = info["tiles"].as_array().unwrap().clone();
        tiles
            .iter()
            .map(|tile| (tile["frame"].to_string(), tile["label"]["text"].to_string()))
            .collect::<Vec<_>>()
    };
    let said = |frame: &str, label: &str| (frame.to_owned(), format!("\"{label}\""));
    assert_eq!(
        tiles("tag=fewer&step=1"),
        [
            said(r#"{"number":1,"of":3}"#, "1"),
            said(r#"{"number":2,"of":3}"#, "2"),
            said(r#"{"number":3,"of":3}"#, "3")
        ]
    );
    assert_eq!(tiles("tag=fewer&step=2"), [said("null", "0")]);
    assert_eq!(tiles("tag=several/image&step=1")[5], said(r#"{"number":2,"of":2,"picture":1}"#, "1,2"));
}

#[test]
fn what_is_not_there_is_404_with_what_is_near() {
    let daemon = recipe();
    let check = |path: &str, code: &str, near: &str| {
        let answer = daemon.get(path);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some(code)), "{path}");
        assert!(answer.message().contains(near), "{path}: {}", answer.message());
    };
    check("/api/v1/sheet?run=train&tag=conv1/weights", "unknown_run", "\".\"");
    check("/api/v1/sheet?run=.&tag=conv1/wieghts", "unknown_tag", "conv1/weights");
    check("/api/v1/sheet?run=.&tag=conv1/weights&step=15", "unknown_step", "10 and 20");
    check("/api/v1/steps?run=.&tag=nothing", "unknown_tag", "conv1/");
    check("/api/v1/sheet?run=.&tag=conv1/weights&attempt=1", "unknown_attempt", "0");
    check("/api/v1/serie", "unknown_path", "openapi.json");
    check("/../Cargo.toml", "unknown_path", "the page is at /");
}

#[test]
fn a_bad_option_is_400_with_what_is_allowed() {
    let daemon = recipe();
    let check = |option: &str, allowed: &str| {
        let answer = daemon.get(&format!("/api/v1/sheet?run=.&tag=conv1/weights&{option}"));
        assert_eq!(answer.status, 400, "{option}");
        assert!(answer.message().contains(allowed), "{option}: {}", answer.message());
    };
    check("range=log", "minmax, symmetric, percentile:P, zscale, std:K, fixed:LO:HI, tf1, tf2");
    check("scope=world", "tile, layer, run");
    check("cmap=jet", "viridis");
    check("view=maps", "filters, matrix, slice, magnitude");
    check("layout=NHWC&view=filters", "maps");
    check("step=first", "latest");
    check("format=bmp", "png, webp");
    check("colour=red", "cmap");
    check("zoom=0", "1 to 64");
    check("channels=64", "0 to 63");
    check("attempt=-1", "0 (the newest)");
    let missing = daemon.get("/api/v1/sheet?run=.");
    assert_eq!(missing.status, 400);
    assert!(missing.message().contains("tag=conv1/kernel"));
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let daemon = recipe();
    let answer = daemon.get("/api/v1/sheet?run=.&tag=loss");
    assert_eq!(answer.status, 422);
    assert!(answer.message().contains("one number a step"), "{}", answer.message());
}

#[test]
fn damage_is_told_and_everything_good_stays_served() {
    let dir = tempfile::tempdir().unwrap();
    let records: Vec<Vec<u8>> = (0..3).map(|step| kernel(step, 0.5)).collect();
    let mut bytes = records.concat();
    let broken = records[0].len() + records[1].len() / 2;
    bytes[broken] ^= 1;
    fs::write(dir.path().join(FILE), bytes).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let answer = daemon.get("/api/v1/sheet?tag=conv1/kernel&step=1");
    assert!([404, 422].contains(&answer.status), "{}", answer.status);
    let health = daemon.wait("/api/v1/health", |health| health["status"] == "degraded");
    assert_eq!(health["problems"][0]["kind"], "bad_payload_crc");
    assert_eq!(health["problems"][0]["offset"], records[0].len());
    for step in [0, 2] {
        assert_eq!(daemon.get(&format!("/api/v1/sheet?tag=conv1/kernel&step={step}")).status, 200);
    }
}

#[test]
fn names_with_odd_letters_are_asked_for_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("größe & 1+1");
    fs::create_dir(&run).unwrap();
    fs::write(run.join(FILE), tensor("a b&c=d/kernel%", 3, 1.0, &[3, 3, 1, 2], 1.0)).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let answer =
        daemon.get("/api/v1/sheet/info?run=gr%C3%B6%C3%9Fe+%26+1%2B1&tag=a+b%26c%3Dd%2Fkernel%25&step=3");
    assert_eq!((answer.status, answer.json()["tag"].as_str()), (200, Some("a b&c=d/kernel%")));
}

#[test]
fn other_hosts_methods_and_strangers_are_refused() {
    let daemon = Daemon::serve(&fixture("recipe_tf1"), &["--token", "s3cret", "--allow-host", "gpu-box"])
        .loaded_with("s3cret");
    assert_eq!(daemon.get("/api/v1/runs").status, 401);
    assert_eq!(daemon.get_with("/api/v1/runs", &[("authorization", "Bearer s3cret")]).status, 200);
    assert_eq!(daemon.get("/api/v1/runs?token=s3cret").status, 200);
    let page = daemon.get("/?token=s3cret&tag=x");
    assert_eq!((page.status, page.header("location")), (303, "./?tag=x"));
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(daemon.get_with("/", &[("cookie", &cookie)]).status, 200);
    let bearer = ("authorization", "Bearer s3cret");
    assert_eq!(daemon.get_with("/api/v1/runs", &[bearer, ("host", "evil.example")]).status, 421);
    assert_eq!(daemon.get_with("/api/v1/runs", &[bearer, ("host", "gpu-box:6007")]).status, 200);
}

impl Daemon {
    fn loaded_with(self, token: &str) -> Self {
        self.wait(&format!("/api/v1/health?token={token}"), |health| health["status"] != "loading");
        self
    }
}

#[test]
fn every_path_of_the_description_answers() {
    let daemon = recipe();
    let api = daemon.get("/api/v1/openapi.json").json();
    let paths = api["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 21, "{:?}", paths.keys());
    for path in paths.keys().filter(|path| *path != "/api/v1/live") {
        let query = match path.as_str() {
            "/api/v1/behind" | "/api/v1/steps" | "/api/v1/tensor" | "/api/v1/sheet"
            | "/api/v1/sheet/info" | "/api/v1/range" | "/api/v1/values" | "/api/v1/stats"
            | "/api/v1/film" => "?tag=conv1/weights",
            "/api/v1/difference" => "?tag=conv1/weights&minus_step=0",
            "/api/v1/colormap" => "?cmap=viridis",
            _ => "",
        };
        let answer = daemon.get(&format!("{path}{query}"));
        assert_eq!(answer.status, 200, "{path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("NaN"), "{path}");
    }
    assert!(String::from_utf8(daemon.get("/metrics").body).unwrap().ends_with("# EOF\n"));
}

#[test]
fn the_page_is_served_with_its_files_and_a_policy() {
    let daemon = recipe();
    let page = daemon.get("/");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let html = String::from_utf8(page.body).unwrap();
    let script = html
        .split('"')
        .find(|part| part.starts_with("./assets/") && part.contains(".js"))
        .expect("a script under a relative address");
    let answer = daemon.get(&script[1..]);
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-cache"));
    let again = daemon.get_with(&script[1..], &[("if-none-match", answer.header("etag"))]);
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[test]
fn a_step_that_arrives_is_announced_and_steps_close_together_are_gathered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    fs::write(&path, kernel(0, 0.0)).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let mut live = daemon.live();
    let first = live.next();
    assert_eq!((&first["changed"], &first["reset"]), (&serde_json::json!([]), &false.into()));
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let mut events = 0;
    for step in 1..=100 {
        file.write_all(&kernel(step, 0.0)).unwrap();
        file.write_all(&scalar("loss", step)).unwrap();
    }
    let last = until("the last step", || {
        let event = live.next();
        events += 1;
        assert_eq!(event["changed"][0]["tag"], "conv1/kernel", "{event}");
        Some(event).filter(|event| event["changed"][0]["last_step"] == 100)
    });
    assert_eq!(last["changed"][0]["steps"], 101);
    assert!(events < 100, "{events} events for 100 steps that came at once");
    fs::remove_file(&path).unwrap();
    live.find("a reset", |event| event["reset"] == true);
}

#[test]
fn it_stops_with_streams_open_and_ends_them() {
    for signal in ["-INT", "-TERM"] {
        let mut daemon = recipe();
        let mut live = daemon.live();
        live.next();
        assert_eq!(daemon.signal(signal), Some(0), "{signal}");
        live.rest();
    }
}

#[test]
fn it_stops_when_its_input_ends_if_asked_to() {
    let mut daemon = Daemon::serve(&fixture("recipe_tf1"), &["--exit-with-stdin"]).loaded();
    drop(daemon.child.stdin.take());
    assert_eq!(exit_code(&mut daemon.child), Some(0));
}

#[test]
fn the_demo_shows_the_recording() {
    let daemon = Daemon::start(&["demo", "--speed", "1000000"]);
    let series = daemon.wait("/api/v1/series?role=kernel", |series| series["series"][0]["steps"] == 53);
    assert_eq!(series["series"][0]["shape"], serde_json::json!([5, 5, 3, 64]));
    assert_eq!(daemon.get("/api/v1/health").json()["demo"], true);
}

#[test]
fn recipes_have_the_logdir_filled_in() {
    let daemon = recipe();
    let logdir = daemon.get("/api/v1/health").json()["logdir"].as_str().unwrap().to_owned();
    let recipes = daemon.get("/api/v1/recipes").json();
    let recipes = recipes["recipes"].as_array().unwrap();
    for recipe in recipes {
        assert!(recipe["code"].as_str().unwrap().contains(&format!("\"{logdir}\"")), "{recipe:#}");
    }
    let named = |recipe: &serde_json::Value| {
        (recipe["framework"].as_str().unwrap().to_owned(), recipe["with_package"].as_bool().unwrap())
    };
    let all: Vec<(String, bool)> = recipes.iter().map(named).collect();
    let expected = [("Keras", true), ("PyTorch", true), ("Keras", false), ("PyTorch", false)];
    assert_eq!(all[..4], expected.map(|(framework, package)| (framework.to_owned(), package)));
}

/// As TensorBoard's tab serves `--logdir_spec`: what is written into the directory of links is nobody's.
#[test]
fn recipes_name_a_real_directory_where_the_logdir_is_one_of_links() {
    let dir = tempfile::tempdir().unwrap();
    let links = dir.path().join("convscope-logdirs-host-12-abc");
    fs::create_dir(&links).unwrap();
    for name in ["train", "eval"] {
        std::os::unix::fs::symlink(dir.path().join(name), links.join(name)).unwrap();
    }
    let recipes = Daemon::serve(&links, &[]).get("/api/v1/recipes").json();
    let first = format!("\"{}\"", dir.path().join("eval").display());
    for recipe in recipes["recipes"].as_array().unwrap() {
        assert!(recipe["code"].as_str().unwrap().contains(&first), "{recipe:#}");
    }
}

#[test]
fn what_looks_like_a_checkpoint_is_told_as_they_come_and_go() {
    let logdir = tempfile::tempdir().unwrap();
    fs::create_dir_all(logdir.path().join("run/checkpoint-500")).unwrap();
    let daemon = Daemon::serve(logdir.path(), &["--poll", "1"]).loaded();
    assert_eq!(daemon.get("/api/v1/health").json()["checkpoints"]["count"], 0);
    let best = logdir.path().join("run/best.pdparams");
    fs::write(&best, "\x01").unwrap();
    fs::write(logdir.path().join("run/table.h5"), "a,b").unwrap();
    fs::write(logdir.path().join("run/checkpoint-500/optimizer.pt"), "").unwrap();
    fs::write(logdir.path().join("run/checkpoint-500/model.pdparams"), "").unwrap();
    let told = daemon.wait("/api/v1/health", |health| health["checkpoints"]["count"] == 2);
    assert_eq!(told["checkpoints"]["names"], serde_json::json!(["run/best.pdparams", "run/checkpoint-500"]));
    // Whoever follows the revisions hears of them.
    assert!(told["revision"].as_u64() > Some(0));
    fs::remove_file(&best).unwrap();
    daemon.wait("/api/v1/health", |health| health["checkpoints"]["count"] == 1);
}
