//! The house stays as drawn: a room uses only floors below its own, and what must not stand in it does not.

use crate::sources::{Source, sources};

const FLOORS: [&[&str]; 13] = [
    &["types", "proto", "recipes"],
    &["source", "watch"],
    &["record"],
    &["event"],
    &["tensor", "model"],
    &["reader"],
    &["catalog", "load"],
    &["render", "stats"],
    &["lookup"],
    &["draw", "shelf"],
    &["answers", "listing", "export"],
    &["server"],
    &["main", "lib", "cli", "daemon", "demo", "memory", "terminal"],
];

/// What stands only in these files, or below them where a name ends in `/`.
const ONLY_IN: [(&str, &[&str]); 17] = [
    (
        "std::fs",
        &[
            "source/local.rs",
            "source/local/",
            "export/",
            "shelf/directory.rs",
            "demo.rs",
            "memory.rs",
            "cli.rs",
            "cli/",
        ],
    ),
    ("notify::", &["watch/native.rs"]),
    ("prost::", &["tensor/decode.rs", "export/summaries.rs", "reader/shelf.rs", "reader/shelf/write.rs"]),
    (
        "crate::proto",
        &["tensor/decode.rs", "export/summaries.rs", "reader/shelf.rs", "reader/shelf/write.rs"],
    ),
    (
        "serde::",
        &[
            "listing.rs",
            "listing/",
            "server/wire.rs",
            "server/wire/",
            "model/rules.rs",
            "model/recorded.rs",
            "reader/",
            "export/manifest.rs",
            "shelf/directory.rs",
        ],
    ),
    ("toml::", &["model/rules.rs"]),
    ("globset::", &["export/selection.rs"]),
    ("warp::", &["server.rs", "server/"]),
    ("StatusCode", &["server/"]),
    ("indicatif::", &["cli/export/report.rs", "cli/film.rs", "cli/listing.rs"]),
    ("PngEncoder", &[]),
    // What is printed anywhere else could hold characters that a terminal obeys.
    ("println!", &[]),
    ("eprintln!", &["terminal.rs"]),
    ("io::stdout()", &["terminal.rs"]),
    ("png::", &["render/encode.rs", "render/film/apng.rs", "tensor/animation/apng.rs"]),
    ("gif::", &["render/film/gif.rs", "render/film.rs", "tensor/animation.rs", "tensor/animation/gif.rs"]),
    (
        "image::",
        &[
            "render/encode.rs",
            "render/film/webp.rs",
            "tensor/animation.rs",
            "tensor/animation/",
            "tensor/picture.rs",
            "tensor/still.rs",
        ],
    ),
];

/// What never stands in these rooms.
const NEVER_IN: [(&str, &[&str]); 10] = [
    (
        "std::fs",
        &[
            "reader", "record", "event", "tensor", "model", "render", "stats", "server", "catalog", "lookup",
            "answers", "listing",
        ],
    ),
    (
        "tokio",
        &[
            "reader", "record", "event", "tensor", "model", "render", "stats", "source", "watch", "export",
            "lookup", "draw", "shelf", "listing",
        ],
    ),
    ("tracing", &["reader", "record", "event", "tensor", "model", "render", "stats"]),
    ("std::time", &["record", "event", "tensor", "model", "render", "stats", "lookup", "draw"]),
    ("Instant", &["reader", "record", "event", "tensor", "model", "render", "stats", "lookup", "draw"]),
    (
        "println!",
        &[
            "reader", "record", "event", "tensor", "model", "render", "stats", "lookup", "draw", "answers",
            "listing", "server", "export", "catalog", "source", "watch",
        ],
    ),
    ("std::thread", &["reader", "record", "event", "tensor", "model", "render", "stats"]),
    ("std::path", &["server", "record", "event", "tensor", "model", "render", "stats"]),
    ("http::", &["catalog", "load", "render", "stats", "lookup", "draw", "answers", "listing", "export"]),
    (
        ".unwrap()",
        &[
            "types", "source", "watch", "reader", "record", "event", "tensor", "model", "catalog", "load",
            "render", "stats", "lookup", "draw", "answers", "listing", "server", "export", "cli", "daemon",
            "demo", "main",
        ],
    ),
];

/// The rooms that code names behind `crate::`, in groups as well.
fn rooms_used(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for behind in code.split("crate::").skip(1) {
        match behind.strip_prefix('{') {
            Some(group) => rooms.extend(first_names(group)),
            None => rooms.push(name_at_start(behind)),
        }
    }
    rooms
}

/// The first name of each entry of a group in braces.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut at_entry) = (0_usize, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_entry = true,
            ' ' => {}
            _ if at_entry => {
                names.push(name_at_start(&group[at..]));
                at_entry = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at_start(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn climbs(source: &Source) -> Vec<String> {
    let Some(own) = floor(source.room()) else { return vec![format!("{} has no floor", source.file)] };
    let too_high = |room: &String| floor(room).is_none_or(|floor| floor > own);
    rooms_used(&source.code)
        .into_iter()
        .filter(too_high)
        .map(|room| format!("{} uses {room}, which is not below it", source.file))
        .collect()
}

fn holds(code: &str, word: &str) -> bool {
    // `image::` is not `rust_image::`, and `std::path` not `std::path_like`.
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = code[at + word.len()..].chars().next().unwrap_or(' ');
        let ends_open = word.ends_with([':', '!', ')']);
        (word.starts_with('.') || !(before.is_alphanumeric() || before == '_' || before == ':'))
            && (ends_open || !(after.is_alphanumeric() || after == '_'))
    })
}

#[test]
fn rooms_use_only_what_lies_below() {
    let wrong: Vec<String> = sources().iter().flat_map(climbs).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_has_one_place_stands_nowhere_else() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, places) in ONLY_IN {
            let is_place = |place: &&str| {
                if place.ends_with('/') { source.file.starts_with(*place) } else { source.file == *place }
            };
            if holds(&source.code, word) && !places.iter().any(is_place) && source.room() != "proto" {
                wrong.push(format!("{} has {word}", source.file));
            }
        }
        for (word, rooms) in NEVER_IN {
            if rooms.contains(&source.room())
                && holds(&source.code, word)
                && !(word == "std::fs" && source.file == "source/local.rs")
            {
                wrong.push(format!("{} has {word}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_sees_what_it_must() {
    let source = Source::of;
    let climbing =
        source("record/scan.rs", "use crate::{\n    source::window::{Peek, X},\n    catalog::Catalog,\n};");
    assert_eq!(climbs(&climbing), ["record/scan.rs uses catalog, which is not below it"]);
    assert_eq!(climbs(&source("types.rs", "fn f() { crate::render::x() }")).len(), 1);
    assert_eq!(climbs(&source("attic.rs", "")), ["attic.rs has no floor"]);
    assert!(climbs(&source("server.rs", "use crate::load::Loader; // crate::cli")).is_empty());
    assert!(climbs(&source("types.rs", "#[cfg(test)]\nmod tests { use crate::server; }")).is_empty());
    assert!(holds("use std::fs;", "std::fs") && !holds("use std::fs_like;", "std::fs"));
    assert!(
        holds("x.unwrap()", ".unwrap()")
            && holds("image::open()", "image::")
            && !holds("my_image::x", "image::")
    );
}
