//! Sheets equal those that NumPy and matplotlib make of the same arrays, pixel for pixel.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

use convscope::{
    model::{layout::Layout, role::Role},
    render::{
        choices::{Choices, Cmap},
        colormap::{CodeColors, colors},
        encode::{Effort, Format, Painted, encode},
        plan::{Plan, Subject, plan},
        sheet::{Sheet, draw},
    },
};
use serde::Deserialize;

use crate::npy::Npy;

#[derive(Deserialize)]
struct Case {
    name: String,
    input: String,
    png: String,
    layout: String,
    view: String,
    range: String,
    scope: String,
    cmap: String,
    sample: usize,
    slice: usize,
    channels: Option<String>,
    cols: Option<usize>,
    gutter: usize,
    tiles: usize,
    grid_cols: usize,
    lo: Option<f64>,
    hi: Option<f64>,
    tile_ranges: Option<Vec<(Option<f64>, Option<f64>)>>,
}

type Rgb = (usize, usize, Vec<[u8; 3]>);

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures")
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&fs::read(dir().join("cases.json")).unwrap()).unwrap()
}

fn sheet(case: &Case) -> (Sheet, CodeColors) {
    let tensor = Npy::read(&dir().join(&case.input)).tensor();
    let layout = Layout::from_name(&case.layout).unwrap();
    let role = if layout.is_activation() { Role::Activation } else { Role::Kernel };
    let numbers = [("sample", case.sample), ("slice", case.slice), ("gutter", case.gutter)]
        .map(|(name, n)| (name, n.to_string()));
    let mut options: Vec<(&str, &str)> = numbers.iter().map(|(name, n)| (*name, n.as_str())).collect();
    options.extend([
        ("view", case.view.as_str()),
        ("range", &case.range),
        ("scope", &case.scope),
        ("cmap", &case.cmap),
    ]);
    options.extend(case.channels.as_deref().map(|channels| ("channels", channels)));
    let cols = case.cols.map(|cols| cols.to_string());
    options.extend(cols.as_deref().map(|cols| ("cols", cols)));
    let choices = Choices::parse(options).unwrap();
    let subject =
        Subject { role, layout: Some(layout), shape: &tensor.shape, is_picture: false, frames: None };
    let Plan { geometry, scale, paint } = plan(&choices, &subject).unwrap();
    (draw(&tensor, geometry, scale), paint.colors())
}

fn png(bytes: &[u8]) -> Rgb {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let samples = frame.color_type.samples();
    let rgb = pixels[..frame.buffer_size()].chunks_exact(samples).map(|pixel| match pixel {
        [gray] | [gray, _] => [*gray; 3],
        [r, g, b, ..] => [*r, *g, *b],
        [] => unreachable!("a pixel has samples"),
    });
    (frame.width as usize, frame.height as usize, rgb.collect())
}

/// Leaves what was drawn and where it differs, to be looked at.
fn keep(case: &Case, drawn: &[u8], expected: &Rgb, actual: &Rgb) -> String {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(&case.png), drawn).unwrap();
    if (expected.0, expected.1) != (actual.0, actual.1) {
        return format!("{}: {}x{} instead of {}x{}", case.name, actual.0, actual.1, expected.0, expected.1);
    }
    let differs: Vec<u8> =
        expected.2.iter().zip(&actual.2).map(|(a, b)| if a == b { 0 } else { 255 }).collect();
    let file = fs::File::create(dir.join(format!("difference_{}", case.png))).unwrap();
    let mut encoder = png::Encoder::new(file, expected.0 as u32, expected.1 as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&differs).unwrap();
    let n = differs.iter().filter(|differs| **differs > 0).count();
    format!("{}: {n} of {} pixels differ, see {}", case.name, differs.len(), dir.display())
}

#[test]
fn every_sheet_equals_numpy_and_matplotlib() {
    let cases = cases();
    assert!(cases.len() >= 100);
    let mut wrong = Vec::new();
    for case in &cases {
        let (sheet, colors) = sheet(case);
        let drawn = encode(Painted::of(&sheet, &colors), Format::Png, Effort::Live).unwrap();
        let (expected, actual) = (png(&fs::read(dir().join(&case.png)).unwrap()), png(&drawn));
        if expected != actual {
            wrong.push(keep(case, &drawn, &expected, &actual));
        }
        if (sheet.legend.geometry.tiles.len(), sheet.legend.geometry.cols) != (case.tiles, case.grid_cols) {
            wrong.push(format!("{}: the grid is another one", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn legends_equal_the_ranges_that_numpy_took() {
    for case in cases() {
        let (sheet, _) = sheet(&case);
        let check = |what: &str, ours: (f64, f64), theirs: (Option<f64>, Option<f64>)| {
            // Where no number is finite there is no range to compare.
            if let (Some(lo), Some(hi)) = theirs {
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
                assert!(near(ours.0, lo) && near(ours.1, hi), "{} {what}: {ours:?} {theirs:?}", case.name);
            }
        };
        match (&case.tile_ranges, &sheet.legend.tile_intervals) {
            (Some(theirs), Some(ours)) => {
                assert_eq!(theirs.len(), ours.len(), "{}", case.name);
                for (ours, theirs) in ours.iter().zip(theirs) {
                    check("tile", (ours.lo, ours.hi), *theirs);
                }
            }
            (None, None) => {
                check("layer", (sheet.legend.interval.lo, sheet.legend.interval.hi), (case.lo, case.hi));
            }
            _ => panic!("{}: one of us took ranges by tile", case.name),
        }
    }
}

#[test]
fn webp_and_larger_pictures_hold_the_same_pixels() {
    for case in cases().iter().step_by(9) {
        let (sheet, colors) = sheet(case);
        let (width, height, pixels) = png(&fs::read(dir().join(&case.png)).unwrap());
        let webp = encode(Painted::of(&sheet, &colors), Format::WebP, Effort::Live).unwrap();
        let webp = image::load_from_memory_with_format(&webp, image::ImageFormat::WebP).unwrap().to_rgb8();
        let of_webp: Vec<[u8; 3]> = webp.pixels().map(|pixel| pixel.0).collect();
        assert_eq!(of_webp, pixels, "{}", case.name);
        let (wide, high, large) =
            png(&encode(Painted { zoom: 3, ..Painted::of(&sheet, &colors) }, Format::Png, Effort::Keep)
                .unwrap());
        assert_eq!((wide, high), (3 * width, 3 * height));
        for (at, pixel) in large.iter().enumerate() {
            assert_eq!(*pixel, pixels[at / wide / 3 * width + at % wide / 3], "{}", case.name);
        }
    }
}

#[test]
fn colour_tables_equal_matplotlib() {
    let tables: serde_json::Value =
        serde_json::from_slice(&fs::read(dir().join("colormaps.json")).unwrap()).unwrap();
    let tables = tables["colors"].as_object().unwrap();
    for cmap in Cmap::ALL.iter().filter(|cmap| !matches!(cmap, Cmap::Rgb | Cmap::Gray)) {
        let ours = colors(*cmap).unwrap().map(|[r, g, b]| format!("{r:02x}{g:02x}{b:02x}")).join(" ");
        assert_eq!(Some(ours.as_str()), tables[cmap.name()].as_str(), "{}", cmap.name());
    }
}
