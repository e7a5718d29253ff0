//! Thousands of random crossings of tensor and options equal what NumPy, matplotlib, TensorFlow and astropy make of them,
//! pixel for pixel; `tests/fixtures/make_random_pictures.py` drew them.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use convscope::{
    model::{layout::Layout, role::Role},
    render::{
        choices::{ChoiceError, Choices},
        colormap::CodeColors,
        encode::{Painted, full_size},
        other_steps::OtherSteps,
        plan::{Plan, Subject, plan},
        range::Interval,
        run::interval_of_run,
        sheet::{Sheet, draw_among},
    },
    tensor::{Tensor, dtype::DType, frames::Frames, shape::Shape},
};
use flate2::read::GzDecoder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Listing {
    series: Vec<Series>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Series {
    layout: String,
    dtype: String,
    shape: Vec<i64>,
    steps: usize,
}

#[derive(Deserialize)]
struct Case {
    series: usize,
    step: usize,
    options: BTreeMap<String, String>,
    width: usize,
    height: usize,
    /// The tiles' channels as they stand.
    channels: Vec<usize>,
    /// The ranges of the tiles as they stand, without doubles; null for infinite ends.
    ranges: Vec<(Option<f64>, Option<f64>)>,
}

impl Case {
    fn options(&self) -> String {
        self.options.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures").join(name);
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The tensors of each series, by step.
fn tensors(listing: &[Series]) -> Vec<Vec<Tensor>> {
    let bytes = fixture("random_inputs.bin.gz");
    let mut rest = &bytes[..];
    let mut take = |series: &Series| {
        let dtype = match series.dtype.as_str() {
            "float16" => DType::Float16,
            "float32" => DType::Float32,
            "float64" => DType::Float64,
            "uint8" => DType::UInt8,
            "int16" => DType::Int16,
            "int32" => DType::Int32,
            other => panic!("{other}"),
        };
        let shape = Shape::new(&series.shape).unwrap();
        let (own, behind) = rest.split_at(shape.elements() * dtype.bytes());
        rest = behind;
        Tensor { dtype, shape, bytes: own.to_vec().into(), frames: Frames::default() }
    };
    listing.iter().map(|series| (0..series.steps).map(|_| take(series)).collect()).collect()
}

fn sheet(case: &Case, layout: &str, series: &[Tensor]) -> Result<(Sheet, CodeColors), ChoiceError> {
    let choices =
        Choices::parse(case.options.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap();
    let layout = Layout::from_name(layout).unwrap();
    let role = if layout.is_activation() { Role::Activation } else { Role::Kernel };
    let tensor = &series[case.step];
    let subject =
        Subject { role, layout: Some(layout), shape: &tensor.shape, is_picture: false, frames: None };
    let plan = plan(&choices, &subject)?;
    let run: Option<Interval> = if plan.needs_run() {
        let steps = || series.iter().cloned().map(Ok::<_, ChoiceError>);
        Some(interval_of_run(&choices, &subject, steps)?)
    } else {
        None
    };
    let before = case.step.checked_sub(1).map(|step| &series[step]);
    let Plan { geometry, scale, paint } = plan;
    Ok((draw_among(tensor, geometry, &scale, &OtherSteps { run, before })?, paint.colors()))
}

/// Leaves what was drawn, what was expected and where they differ, to be looked at.
fn keep(idx: usize, case: &Case, actual: &[[u8; 3]], expected: &[[u8; 3]]) -> String {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("random_pictures");
    fs::create_dir_all(&dir).unwrap();
    let write = |what: &str, pixels: &[u8]| {
        let file = fs::File::create(dir.join(format!("{idx}_{what}.png"))).unwrap();
        let mut encoder = png::Encoder::new(file, case.width as u32, case.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    };
    let differs: Vec<[u8; 3]> =
        actual.iter().zip(expected).map(|(a, b)| if a == b { [0; 3] } else { [255; 3] }).collect();
    write("actual", actual.as_flattened());
    write("expected", expected.as_flattened());
    write("difference", differs.as_flattened());
    let n = differs.iter().filter(|pixel| **pixel != [0; 3]).count();
    format!("{n} of {} pixels differ, see {}", actual.len(), dir.display())
}

fn near(a: f64, b: Option<f64>, scale: f64) -> bool {
    // What is infinite in NumPy is the greatest float here.
    b.is_none_or(|b| (a - b).abs() <= 1e-9 * scale.max(1e-300))
}

/// Whether the legend of every tile is the range that NumPy took.
fn legends_hold(case: &Case, sheet: &Sheet) -> bool {
    let mut ours: Vec<Interval> = sheet
        .legend
        .tile_intervals
        .clone()
        .unwrap_or_else(|| vec![sheet.legend.interval; case.channels.len()]);
    let mut seen: Vec<Interval> = Vec::new();
    ours.retain(|interval| {
        let is_new = !seen.contains(interval);
        seen.push(*interval);
        is_new
    });
    let is_near = |theirs: &(Option<f64>, Option<f64>)| {
        ours.iter().any(|ours| {
            let scale = ours.lo.abs().max(ours.hi.abs());
            near(ours.lo, theirs.0, scale) && near(ours.hi, theirs.1, scale)
        })
    };
    // TensorFlow's operations tell no range.
    case.ranges.iter().all(is_near)
}

#[test]
fn random_pictures_equal_those_of_numpy_tensorflow_and_astropy() {
    let listing: Listing = serde_json::from_slice(&fixture("random.json.gz")).unwrap();
    assert!(listing.cases.len() >= 2_000);
    let (tensors, pixels) = (tensors(&listing.series), fixture("random_pixels.bin.gz"));
    let (mut pixels, _) = pixels.as_chunks::<3>();
    let mut wrong = Vec::new();
    for (idx, case) in listing.cases.iter().enumerate() {
        let (expected, behind) = pixels.split_at(case.width * case.height);
        pixels = behind;
        let series = &listing.series[case.series];
        let name = format!("case {idx}: {} {:?} {}", series.dtype, series.shape, case.options());
        let (sheet, colors) = match sheet(case, &series.layout, &tensors[case.series]) {
            Ok(drawn) => drawn,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        if sheet.legend.geometry.size() != (case.width, case.height) {
            wrong.push(format!(
                "{name}: {:?} instead of {}x{}",
                sheet.legend.geometry.size(),
                case.width,
                case.height
            ));
            continue;
        }
        let channels: Vec<usize> = sheet.legend.geometry.tiles.iter().map(|tile| tile.channel).collect();
        if channels != case.channels {
            wrong.push(format!("{name}: order {channels:?} instead of {:?}", case.channels));
        }
        if !legends_hold(case, &sheet) {
            wrong.push(format!("{name}: {:?} instead of {:?}", sheet.legend.interval, case.ranges));
        }
        let actual = full_size(Painted::of(&sheet, &colors));
        if actual != expected {
            wrong.push(format!("{name}: {}", keep(idx, case, &actual, expected)));
        }
    }
    assert!(pixels.is_empty());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
