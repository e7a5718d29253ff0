//! Any small tensors, step by step, under any options -> a film in each form that other programs read, with all its frames. The
//! forms without loss show the same pixels.

#![no_main]

use std::io::Cursor;

use convscope::{
    model::role::Role,
    render::{
        choices::Choices,
        encode::Effort,
        film::{
            FrameInput, FilmError,
            options::{FilmChoices, FilmFormat},
            survey::Survey,
        },
        plan::Subject,
    },
};
use image::{
    AnimationDecoder, Frames, RgbaImage,
    codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder},
};
use libfuzzer_sys::fuzz_target;

#[path = "../given.rs"]
mod given;

use given::Given;

/// Options, of which a few are taken. Those that a text could say in more ways are those of the target `choices`.
const OPTIONS: [(&str, &[&str]); 13] = [
    ("view", &["filters", "matrix", "slice", "magnitude", "components", "maps", "samples", "image"]),
    ("range", &["minmax", "symmetric", "percentile:0.9", "zscale", "std:2", "fixed:-1:1", "tf1", "tf2"]),
    ("scope", &["tile", "layer", "run"]),
    ("cmap", &["gray", "rdbu", "turbo", "rgb"]),
    ("order", &["index", "norm", "mean", "max", "sparsity", "change", "similarity"]),
    ("labels", &["none", "index"]),
    ("blend", &["0", "0.3", "1"]),
    ("gutter", &["0", "1", "3"]),
    ("zoom", &["1", "2", "3"]),
    ("cols", &["1", "2", "5"]),
    ("channels", &["0", "0-1", "1,0"]),
    ("sample", &["0", "1"]),
    ("slice", &["0", "1"]),
];
fuzz_target!(|bytes: &[u8]| {
    let mut given = Given(bytes);
    let layout = given.layout();
    let role = given.one_of(&Role::ALL);
    let fps = given.one_of(&["10", "0.1", "50", "60", "33.33"]);
    let stamp = given.one_of(&["none", "step"]);
    let mut options: Vec<(&str, &str)> = Vec::new();
    for _ in 0..given.below(5) {
        let (name, values) = given.one_of(&OPTIONS);
        options.push((name, given.one_of(values)));
    }
    let choices = Choices::parse(options).expect("the options are allowed");
    let Some(shape) = given.shape(layout.rank()) else { return };
    let dtype = given.dtype();
    let mut tensors = Vec::new();
    for _ in 0..1 + given.below(4) {
        // Now and then a step has another shape.
        let shape = if given.byte() < 8 { given.shape(layout.rank()) } else { Some(shape.clone()) };
        tensors.extend(shape.map(|shape| given.tensor(dtype, &shape)));
    }
    let is_picture = given.byte() == 0;
    let subject = |tensor| Subject { role, layout: Some(layout), shape: tensor, is_picture, frames: None };
    let exposures: Vec<FrameInput<'_>> = (0..tensors.len())
        .map(|at| FrameInput {
            step: at as i64 * 7,
            frame: None,
            tensor: &tensors[at],
            subject: subject(&tensors[at].shape),
            before: at.checked_sub(1).map(|before| &tensors[before]),
        })
        .collect();
    let decoded = FilmFormat::ALL.map(|format| {
        let words = [("fps", fps), ("stamp", stamp), ("format", format.name())];
        let film = FilmChoices::parse(words).expect("the options are allowed");
        let bytes = film_of(&choices, &film, &exposures).ok()?;
        let frames = decoded(&bytes, format);
        assert_eq!(frames.len(), exposures.len(), "{}", format.name());
        assert!(frames.iter().all(|frame| frame.dimensions() == frames[0].dimensions()));
        Some(frames)
    });
    let [apng, gif, webp] = decoded;
    assert_eq!(apng.is_some(), webp.is_some());
    for (at, (apng, webp)) in apng.iter().flatten().zip(webp.iter().flatten()).enumerate() {
        let differs = apng.enumerate_pixels().zip(webp.pixels()).find(|((.., a), b)| a != b);
        assert!(differs.is_none(), "frame {at}: an APNG and a WebP differ: {differs:?}");
    }
    if let Some((apng, gif)) = apng.zip(gif) {
        assert_eq!(apng[0].dimensions(), gif[0].dimensions());
    }
});

/// The film, or why there is none. Once it was surveyed, nothing stands in its way.
fn film_of(choices: &Choices, film: &FilmChoices, exposures: &[FrameInput<'_>]) -> Result<Vec<u8>, FilmError> {
    let mut survey = Survey::new(choices.clone(), exposures.len(), None);
    loop {
        for frame_input in exposures {
            survey.take(frame_input)?;
        }
        if !survey.end_pass() {
            break;
        }
    }
    let mut film = survey.film(film, Effort::Live)?;
    let mut bytes = Vec::new();
    for frame_input in exposures {
        bytes.extend(film.frame(frame_input).expect("the frame was surveyed"));
    }
    bytes.extend(film.end().expect("all frames were taken"));
    Ok(bytes)
}

/// The frames as a reader shows them.
fn decoded(bytes: &[u8], format: FilmFormat) -> Vec<RgbaImage> {
    let from = || Cursor::new(bytes);
    let frames = match format {
        FilmFormat::Apng => {
            PngDecoder::new(from()).and_then(PngDecoder::apng).map(AnimationDecoder::into_frames)
        }
        FilmFormat::Gif => GifDecoder::new(from()).map(AnimationDecoder::into_frames),
        FilmFormat::WebP => WebPDecoder::new(from()).map(AnimationDecoder::into_frames),
    };
    let frames = frames.and_then(Frames::collect_frames);
    let frames = frames.unwrap_or_else(|error| panic!("nobody can read this {}: {error}", format.name()));
    frames.into_iter().map(|frame| frame.into_buffer()).collect()
}
