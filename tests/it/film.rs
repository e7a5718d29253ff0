//! Films over HTTP and by the command line. Pixels are compared with Pillow's in `tests/fixtures/check_films.py`.

use std::{
    fs,
    io::{BufRead, BufReader, Cursor, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use image::{
    AnimationDecoder, RgbImage,
    buffer::ConvertBuffer,
    codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder},
};

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, kernel, noise, tensor, tensor_of},
    npy::Npy,
    waiting::{self, Deadline, exit_code, until},
};

const N_NOISE: i64 = 60;
const SIDE: i64 = 512;

fn recipe() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recipe_tf1")
}

/// The frames of a film, whole, as the `image` crate puts them together, and their delays in milliseconds.
fn frames(film: &[u8]) -> (Vec<RgbImage>, Vec<u32>) {
    let bytes = Cursor::new(film);
    let frames = match film {
        [0x89, b'P', ..] => PngDecoder::new(bytes).unwrap().apng().unwrap().into_frames().collect_frames(),
        [b'G', b'I', ..] => GifDecoder::new(bytes).unwrap().into_frames().collect_frames(),
        _ => WebPDecoder::new(bytes).unwrap().into_frames().collect_frames(),
    };
    let frames = frames.unwrap();
    let delays = frames.iter().map(|frame| {
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        numerator / denominator
    });
    let delays = delays.collect();
    (frames.into_iter().map(|frame| frame.into_buffer().convert()).collect(), delays)
}

/// The greatest absolute value that the classic recipe's first kernel has at any of these steps.
fn greatest(steps: &[i64]) -> f32 {
    let of_step = |step: &i64| {
        let truth = Npy::read(&recipe().join(format!("truth/conv1__weights__{step}.npy")));
        let numbers = truth.bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).abs());
        numbers.fold(0.0, f32::max)
    };
    steps.iter().map(of_step).fold(0.0, f32::max)
}

/// A logdir of one series with much to send.
fn noisy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut file = fs::File::create(dir.path().join(FILE)).unwrap();
    for step in 0..N_NOISE {
        file.write_all(&noise("block/out", step, SIDE)).unwrap();
    }
    dir
}

/// The value of a line of `/metrics`.
fn metric(daemon: &Daemon, name: &str) -> i64 {
    let text = String::from_utf8(daemon.get("/metrics").body).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("convscope_{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until a line of `/metrics` has this value.
fn wait_for(daemon: &Daemon, name: &str, value: i64) {
    until(name, || (metric(daemon, name) == value).then_some(()));
}

/// Asks for a film and reads its first bytes.
fn begin(daemon: &Daemon, query: &str) -> BufReader<TcpStream> {
    let mut answer = BufReader::new(daemon.ask(&format!("/api/v1/film?{query}"), ""));
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "HTTP/1.1 200 OK");
    while line.trim() != "" {
        line.clear();
        answer.read_line(&mut line).unwrap();
    }
    answer.read_exact(&mut [0; 64]).unwrap();
    answer
}

#[test]
fn each_frame_is_the_sheet_of_its_step_under_one_range() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let m = greatest(&[10, 20, 30, 40]);
    for format in ["apng", "webp"] {
        let path = format!("/api/v1/film?tag=conv1/weights&from=1&to=latest&fps=4&zoom=2&format={format}");
        let answer = daemon.get(&path);
        assert_eq!((answer.status, answer.header("content-type")), (200, format!("image/{format}").as_str()));
        assert_eq!((answer.header("x-convscope-frames"), answer.header("x-convscope-damaged")), ("4", "0"));
        let (frames, delays) = frames(&answer.body);
        assert_eq!(delays, [250; 4]);
        for (frame, step) in frames.iter().zip([10, 20, 30, 40]) {
            let sheet = daemon
                .get(&format!("/api/v1/sheet?tag=conv1/weights&step={step}&zoom=2&range=fixed:-{m}:{m}"));
            let sheet = image::load_from_memory(&sheet.body).unwrap().to_rgb8();
            assert!(*frame == sheet, "{format}: step {step} is another picture");
        }
    }
}

#[test]
fn frames_are_drawn_with_every_option_of_a_sheet() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let check = |tag: &str, options: &str, steps: &[i64]| {
        for format in ["apng", "webp"] {
            let path = format!("/api/v1/film?tag={tag}&{options}&from={}&format={format}", steps[0]);
            let film = daemon.get(&path);
            assert_eq!(film.status, 200, "{options}: {}", String::from_utf8_lossy(&film.body));
            for (frame, step) in frames(&film.body).0.iter().zip(steps) {
                let sheet = daemon.get(&format!("/api/v1/sheet?tag={tag}&{options}&step={step}"));
                let sheet = image::load_from_memory(&sheet.body).unwrap().to_rgb8();
                assert!(*frame == sheet, "{format} {options}: step {step} is another picture");
            }
        }
    };
    let all = [0, 10, 20, 30, 40];
    check("conv1/weights", "scope=layer&labels=index&zoom=3&cols=5", &all);
    check("conv1/weights", "scope=run&order=norm", &all);
    check("conv1/weights", "scope=run&range=zscale&view=magnitude&gutter=3&labels=index", &all[1..]);
    check("conv1/weights", "scope=tile&order=change&view=slice", &all[1..]);
    check("conv1/weights", "scope=run&range=fixed:-0.1:0.1&channels=3-9", &all);
    check("conv1/weights", "range=tf1&view=matrix&cmap=gray", &all);
    check("conv1/weights", "scope=layer&blend=0.5&view=magnitude", &all);
    check("conv2/weights_1", "scope=layer&view=components&labels=index", &all);
    check("conv1/Relu", "scope=run&range=percentile:0.9&order=sparsity", &[0, 20, 40]);
    let change = daemon.get("/api/v1/film?tag=conv1/weights&order=change");
    assert_eq!(change.status, 400);
    assert!(
        change.message().contains("step 0: change compares with the step before"),
        "{}",
        change.message()
    );
}

fn animations() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/animations")
}

/// The frames of an animation as Pillow shows them, `[frame][row][column]` in RGB.
fn truth(name: &str) -> Vec<Vec<u8>> {
    let truth = Npy::read(&animations().join("truth").join(name));
    truth.bytes.chunks_exact(truth.bytes.len() / truth.shape[0] as usize).map(<[u8]>::to_vec).collect()
}

fn pixels(film: &[u8]) -> Vec<Vec<u8>> {
    frames(film).0.into_iter().map(RgbImage::into_raw).collect()
}

#[test]
fn a_film_over_frames_shows_what_pillow_shows() {
    let daemon = Daemon::serve(&animations(), &[]).loaded();
    let film = |query: &str| daemon.get(&format!("/api/v1/film?over=frames&gutter=0&{query}"));
    let parts = truth("gif/parts__0.npy");
    for format in ["apng", "webp"] {
        let answer = film(&format!("run=gif&tag=parts&format={format}"));
        assert_eq!((answer.status, answer.header("x-convscope-frames")), (200, "8"));
        assert!(pixels(&answer.body) == parts, "{format}");
    }
    let some = film("run=gif&tag=parts&step=0&from=2&to=7&every=3");
    assert!(pixels(&some.body) == [parts[1].clone(), parts[4].clone()]);
    let fewer = |step: i64| pixels(&film(&format!("run=steps&tag=fewer&step={step}")).body);
    assert!(fewer(0) == truth("steps/fewer__0.npy") && fewer(1) == truth("steps/fewer__1.npy"));
    // Frames of several pictures stand side by side: here one above the other.
    let both = pixels(&film("run=steps&tag=several/image&step=0&cols=1").body);
    let of_both = truth("steps/several__image__0.npy");
    let together = |at: usize| [&of_both[at][..], &of_both[at + 3]].concat();
    assert!(both == [together(0), together(1), together(2)]);
    let stamped = frames(&film("run=gif&tag=parts&stamp=frame&zoom=8").body).0;
    assert!(stamped[0].height() > 8 * 11 && stamped[0].width() == 8 * 14);
}

#[test]
fn a_film_over_frames_decodes_each_frame_once_to_survey_and_once_to_draw() {
    // Nothing is kept of what was decoded.
    let daemon = Daemon::serve(&animations(), &["--cache-mb", "0"]).loaded();
    let decoded = |query: &str| {
        let before = metric(&daemon, "decoded_frames_total");
        let film = daemon.get(&format!("/api/v1/film?over=frames&{query}"));
        assert_eq!(film.status, 200, "{query}: {}", film.message());
        assert!(!pixels(&film.body).is_empty());
        metric(&daemon, "decoded_frames_total") - before
    };
    for (query, at_most) in [
        ("run=gif&tag=parts", 2 * 8),
        ("run=others&tag=apng_rgba", 2 * 5),
        ("run=webp&tag=parts3", 2 * 10),
        ("run=gif&tag=parts&range=minmax&format=gif", 2 * 8),
        ("run=gif&tag=parts&to=3", 2 * 3),
        ("run=steps&tag=several/image&step=0", 2 * 2 * 3),
    ] {
        let n = decoded(query);
        assert!((at_most / 2..=at_most).contains(&n), "{query}: {n}");
    }
}

#[test]
fn a_film_over_frames_has_an_etag_and_refuses_what_does_not_fit() {
    let daemon = Daemon::serve(&animations(), &[]).loaded();
    let get = |query: &str| daemon.get(&format!("/api/v1/film?over=frames&{query}"));
    let tags = ["", "&from=2", "&every=2", "&step=0"].map(|more| {
        let answer = get(&format!("run=gif&tag=parts{more}"));
        answer.header("etag").to_owned()
    });
    assert!(tags[0] == tags[3] && tags[0] != tags[1] && tags[0] != tags[2] && tags[1] != tags[2], "{tags:?}");
    let check = |query: &str, status: u16, word: &str| {
        let answer = get(query);
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.message().contains(word), "{query}: {}", answer.message());
    };
    check("run=steps&tag=fewer", 400, "\"fewer\" at step 2 has no animated picture");
    check("run=steps&tag=several/image", 400, "from 2 to 4 frames");
    check("run=gif&tag=parts&from=9", 400, "from: there is no frame 9: step 0 has 8");
    check("run=gif&tag=parts&to=9", 400, "to: there is no frame 9");
    check("run=gif&tag=parts&order=change", 400, "order: change");
    check("run=gif&tag=parts&step=7", 404, "step 7");
    check("run=hostile&tag=cut", 422, "frame");
}

#[test]
fn gif_counts_hundredths_whose_rounding_does_not_add_up() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let answer = daemon.get("/api/v1/film?tag=conv1/weights&fps=30&format=gif");
    let (frames, delays) = frames(&answer.body);
    assert_eq!((frames.len(), delays), (5, vec![30, 40, 30, 30, 40]));
    let answer = daemon.get("/api/v1/film?tag=conv1/weights&fps=60&format=gif");
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("fps=50"), "{}", answer.message());
}

#[test]
fn steps_are_taken_by_range_and_stride() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let check = |query: &str, expected: &str| {
        let answer = daemon.get(&format!("/api/v1/film?tag=conv1/weights&{query}"));
        assert_eq!(answer.header("x-convscope-frames"), expected, "{query}");
    };
    check("every=2", "3");
    check("every=3", "2");
    check("from=5&to=35", "3");
    check("from=10&to=30&every=2", "2");
    check("to=0", "1");
    check("every=18446744073709551615", "1");
}

#[test]
fn what_cannot_be_a_film_says_why() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let check = |query: &str, status: u16, word: &str| {
        let answer = daemon.get(&format!("/api/v1/film?{query}"));
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.message().contains(word), "{query}: {}", answer.message());
    };
    check("from=41", 400, "tag=conv1/kernel");
    check("tag=conv1/weights&from=41", 404, "from 0 to 40");
    check("tag=conv1/weights&from=9&to=1", 400, "from: ");
    check("tag=conv1/weights&every=0", 400, "every: ");
    check("tag=conv1/weights&format=png", 400, "apng, gif, webp");
    check("tag=conv1/weights&stamp=time", 400, "stamp: ");
    check("tag=conv1/weights&step=10", 400, "by from and to");
    check("tag=conv1/weights&over=frames", 400, "has no animated picture");
    check("tag=conv1/weights&view=maps", 400, "view: ");
    check("tag=conv1/weights&zoom=64&view=matrix&fps=61", 400, "fps: ");
    check("tag=conv2/weights_1&zoom=64&view=matrix&cmap=gray&gutter=64", 400, "zoom: ");
    check("tag=conv1/weights&zoom=64&cols=64&format=webp", 400, "16383");
    check("run=.&tag=loss", 422, "one number a step");
}

#[test]
fn a_film_beyond_the_limit_names_the_options_that_help() {
    let dir = tempfile::tempdir().unwrap();
    let records: Vec<u8> = (0..3_000).flat_map(|step| kernel(step, step as f32)).collect();
    fs::write(dir.path().join(FILE), records).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let film = |query: &str| daemon.get(&format!("/api/v1/film?tag=conv1/kernel&{query}"));
    // 3 x 3 tiles of 5 x 5 and gutters make 19 x 19, zoomed 1216 x 1216: 1,452 frames are within 2^31 pixels.
    let message = film("zoom=64").message();
    for word in ["every: 3000 frames of 1216x1216", "one of 3 of them by every", "zoom", "from and to"] {
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(film("every=100").header("x-convscope-frames"), "30");
}

#[test]
fn damaged_steps_are_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut records: Vec<Vec<u8>> = (0..6).map(|step| noise("block/out", step, 128)).collect();
    for broken in [1, 4] {
        let middle = records[broken].len() / 2;
        records[broken][middle] ^= 1;
    }
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let n_steps = || daemon.get("/api/v1/steps?tag=block/out").json()["steps"].as_array().unwrap().len();
    let before = n_steps();
    let answer = daemon.get("/api/v1/film?tag=block/out");
    let after = n_steps();
    assert_eq!(answer.header("x-convscope-frames"), "4");
    assert_eq!(frames(&answer.body).0.len(), 4);
    // Of the steps that were listed when the film was asked for, it counts those that are no frame. On a machine that is very busy
    // the background check may have taken some out before.
    let n_damaged: usize = answer.header("x-convscope-damaged").parse().unwrap();
    assert!((after..=before).contains(&(4 + n_damaged)), "{n_damaged}, {before} steps before, {after} after");
    let health = daemon.wait("/api/v1/health", |health| health["status"] == "degraded");
    assert_eq!(health["problems"][0]["kind"], "bad_payload_crc");
    let (logdir, out) = (dir.path().to_str().unwrap(), dir.path().join("out.gif"));
    let output = convscope(&["render", logdir, "--tag", "block/out", "-o", out.to_str().unwrap()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("4 frames") && stderr.contains("2 steps are damaged"), "{stderr}");
}

/// No background check looks into tensors, so the film is the first to meet these.
#[test]
fn steps_that_cannot_be_decoded_are_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let of = |step: i64, n_bytes: usize| tensor_of("conv1/kernel", step, &[5, 5, 3, 8], &vec![1; n_bytes]);
    let records = [of(0, 2400), of(1, 7), of(2, 2400), of(3, 7), of(4, 2400)];
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let answer = daemon.get("/api/v1/film?tag=conv1/kernel");
    let counts = ["x-convscope-frames", "x-convscope-damaged"].map(|name| answer.header(name));
    assert_eq!(counts, ["3", "2"]);
    assert_eq!(frames(&answer.body).0.len(), 3);
}

#[test]
fn a_shape_that_changes_is_an_error_that_names_the_step() {
    let dir = tempfile::tempdir().unwrap();
    let of = |step: i64, shape: &[i64]| tensor("conv1/kernel", step, step as f64, shape, 1.0);
    let records = [of(3, &[5, 5, 3, 8]), of(7, &[3, 3, 3, 8]), of(9, &[5, 5, 3, 8])];
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let answer = daemon.get("/api/v1/film?tag=conv1/kernel");
    assert_eq!(answer.status, 400);
    assert!(
        answer.message().contains("step 7 makes a sheet of 13x13 pixels and step 3"),
        "{}",
        answer.message()
    );
    assert_eq!(daemon.get("/api/v1/film?tag=conv1/kernel&every=2").header("x-convscope-frames"), "2");
}

#[test]
fn frames_of_two_colour_maps_are_an_error_until_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let of = |step: i64, shape: &[i64]| tensor("conv1/kernel", step, step as f64, shape, 1.0);
    // The sheets have one size: that of the only input channel, and that of the norms over four.
    fs::write(dir.path().join(FILE), [of(3, &[5, 5, 1, 8]), of(7, &[5, 5, 4, 8])].concat()).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    for format in ["apng", "gif", "webp"] {
        let answer = daemon.get(&format!("/api/v1/film?tag=conv1/kernel&format={format}"));
        assert_eq!(answer.status, 400);
        let message = answer.message();
        assert!(message.contains("step 7 is drawn in viridis and step 3 in rdbu"), "{message}");
        let one = daemon.get(&format!("/api/v1/film?tag=conv1/kernel&format={format}&cmap=gray"));
        assert_eq!((one.status, one.header("x-convscope-frames")), (200, "2"));
    }
}

#[test]
fn films_have_etags_and_are_immutable_when_nothing_can_be_added() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let film = |query: &str| daemon.get(&format!("/api/v1/film?tag=conv1/weights&{query}"));
    let is_immutable = |query: &str| film(query).header("cache-control").contains("immutable");
    assert!(is_immutable("from=0&to=40&v=1"));
    assert!(!is_immutable("from=0&to=40"));
    assert!(!is_immutable("from=0&to=41&v=1"));
    assert!(!is_immutable("from=0&v=1"));
    assert!(!is_immutable("from=0&to=latest&v=1"));
    let etag = film("every=2").header("etag").to_owned();
    let known = [("if-none-match", etag.as_str())];
    let again = daemon.get_with("/api/v1/film?tag=conv1/weights&every=2", &known);
    assert_eq!((again.status, again.body.len()), (304, 0));
    for other in ["every=2&fps=5", "every=2&stamp=step", "every=2&zoom=2", "every=2&format=gif", "every=4"] {
        let answer = daemon.get_with(&format!("/api/v1/film?tag=conv1/weights&{other}"), &known);
        assert_eq!(answer.status, 200, "{other}");
    }
}

#[test]
fn a_film_is_sent_while_it_is_made_and_ends_when_the_client_leaves() {
    let dir = noisy();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let film = begin(&daemon, "tag=block/out");
    // What the client does not read fills the buffers of the connection, which are smaller than the film.
    assert!(metric(&daemon, "film_frames_total") < N_NOISE);
    assert_eq!(metric(&daemon, "films"), 1);
    drop(film);
    wait_for(&daemon, "films", 0);
    assert!(metric(&daemon, "film_frames_total") < N_NOISE);
}

#[test]
fn films_that_nobody_reads_give_way_one_for_one_and_pictures_wait_for_none() {
    let dir = noisy();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let mut open: Vec<_> = (0..8).map(|_| begin(&daemon, "tag=block/out&from=50")).collect();
    assert_eq!(daemon.get("/api/v1/sheet?tag=block/out&step=3").status, 200);
    let mut film = open.pop().unwrap();
    let mut rest = Vec::new();
    let (read, other) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| film.read_to_end(&mut rest).map(|_| ()));
        let deadline = Deadline::start();
        let other = loop {
            deadline.check("a slot");
            let answer = daemon.get("/api/v1/film?tag=block/out&every=100");
            // There is one slot for each film that is not read; in the meantime one is told to come again.
            if answer.status == 200 {
                break answer;
            }
            assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
        };
        // Its connection ends when it has been idle for long enough.
        (reader.join().unwrap(), other)
    });
    assert_eq!(frames(&other.body).0.len(), 1);
    read.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the film that was read is whole");
    drop(open);
}

#[test]
fn render_makes_a_film_by_the_ending_or_by_the_options() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = recipe();
    let run = |name: &str, options: &[&str]| {
        let out = dir.path().join(name).to_str().unwrap().to_owned();
        let args =
            [&["render", recipe.to_str().unwrap(), "--tag", "conv1/weights", "-o", &out], options].concat();
        let output = convscope(&args);
        (output.status.code(), String::from_utf8(output.stderr).unwrap(), fs::read(&out).unwrap_or_default())
    };
    let n_frames = |name: &str, options: &[&str]| {
        let (code, stderr, bytes) = run(name, options);
        assert_eq!(code, Some(0), "{stderr}");
        frames(&bytes).0.len()
    };
    assert_eq!(n_frames("a.apng", &[]), 5);
    assert_eq!(n_frames("a.GIF", &["--from", "10", "--to", "30"]), 3);
    assert_eq!(n_frames("a.webp", &["--fps", "2", "--stamp", "step"]), 5);
    let (_, stderr, still) = run("b.webp", &[]);
    assert!(stderr.contains("step 40") && still[12..16] == *b"VP8L", "{stderr}");
    let refused = |name: &str, options: &[&str], word: &str| {
        let (code, stderr, bytes) = run(name, options);
        assert_eq!((code, bytes.len()), (Some(2), 0), "{stderr}");
        assert!(stderr.contains(word), "{stderr}");
    };
    refused("c.png", &["--every", "2"], "--every is for films");
    refused("c.apng", &["--step", "10"], "--from");
    refused("c.apng", &["--from", "50"], "from 0 to 40");
    refused("c.apng", &["--range", "log"], "range");
    refused("c.gif", &["--fps", "60"], "fps=50");
    let over = |ending: &str| {
        let out = dir.path().join(ending).to_str().unwrap().to_owned();
        let animations = animations();
        let logdir = animations.to_str().unwrap();
        let output =
            convscope(&["render", logdir, "--run", "gif", "--tag", "parts", "--over", "frames", "-o", &out]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let film = fs::read(&out).unwrap();
        fs::remove_file(out).unwrap();
        frames(&film).0.len()
    };
    assert_eq!([over("d.apng"), over("d.gif"), over("d.webp")], [8; 3]);
    let mut left: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.GIF", "a.apng", "a.webp", "b.webp"]);
}

#[test]
fn a_file_is_allowed_what_others_are() {
    let dir = tempfile::tempdir().unwrap();
    let (film, other) = (dir.path().join("a.apng"), dir.path().join("other"));
    fs::write(&other, "x").unwrap();
    let recipe = recipe();
    convscope(&["render", recipe.to_str().unwrap(), "--tag", "conv1/weights", "-o", film.to_str().unwrap()]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&film), mode(&other));
}

#[test]
fn a_film_that_is_stopped_leaves_nothing_half() {
    for signal in ["-INT", "-TERM"] {
        let (logdir, out) = (noisy(), tempfile::tempdir().unwrap());
        let film = out.path().join("film.apng");
        fs::write(&film, "as it was").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_convscope"))
            .args([
                "render",
                logdir.path().to_str().unwrap(),
                "--tag",
                "block/out",
                "-o",
                film.to_str().unwrap(),
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let there = || fs::read_dir(out.path()).unwrap().count();
        until("a second file", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            (there() == 2).then_some(())
        });
        waiting::signal(&child, signal);
        let code = exit_code(&mut child);
        let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_eq!(code, Some(130), "{stderr}");
        assert!(stderr.contains("was not written"), "{stderr}");
        assert_eq!((there(), fs::read_to_string(&film).unwrap().as_str()), (1, "as it was"));
    }
}
