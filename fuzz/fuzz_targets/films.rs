//! Any small tensors, step by step, under any options -> a film in each form that other programs read, with all its frames. The
//! forms without loss show the same pixels.

#![no_main]

use std::{io::Cursor, sync::LazyLock};

use convscope::{
    model::role::Role,
    reader::moment::Axis,
    render::{
        choices::{Choices, Range},
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

/// Numbers that options take, which have no list of values.
const NUMBERS: [(&str, &[&str]); 8] = [
    ("blend", &["0", "0.3", "1"]),
    ("gutter", &["0", "1", "3"]),
    ("zoom", &["1", "2", "3"]),
    ("cols", &["1", "2", "5"]),
    ("channels", &["0", "0-1", "1,0"]),
    ("sample", &["0", "1"]),
    ("slice", &["0", "1"]),
    ("frames", &["1", "1-2"]),
];

/// Each option with values that it takes. What a text could say in more ways is for the target `choices`.
static OPTIONS: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
    let all = Choices::OPTIONS.iter().filter(|option| option.name != "layout");
    let values = |name: &str, values: Vec<&str>| match NUMBERS.iter().find(|(number, _)| *number == name) {
        Some((_, numbers)) => numbers.iter().map(|number| (*number).to_owned()).collect(),
        None if name == "range" => Range::USUAL.iter().map(|range| range.text()).collect(),
        None => values.into_iter().map(str::to_owned).collect(),
    };
    all.map(|option| (option.name, values(option.name, option.names()))).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let mut given = Given(bytes);
    let layout = given.layout();
    let role = given.one_of(&Role::ALL);
    let fps = given.one_of(&["10", "0.1", "50", "60", "33.33"]);
    let stamp = given.one_of(&["none", "step"]);
    let mut options: Vec<(&str, &str)> = Vec::new();
    for _ in 0..given.below(5) {
        let at = usize::from(given.byte()) % OPTIONS.len();
        let (name, values) = &OPTIONS[at];
        options.push((name, &values[usize::from(given.byte()) % values.len()]));
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
            axis: Axis::Step,
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
