//! What a picture costs once its record lies in the page cache: read, CRC, decode, gather, range, colours, PNG.
//!
//! `cargo bench --bench picture [-- --json]`. Each line is the median of 200 drawings (of 20 for the large maps) of a
//! tensor that lies in an event file of its own in a temporary directory. `benches/pictures.py` runs it beside NumPy,
//! matplotlib's colours and Pillow.

#![expect(clippy::cast_precision_loss, reason = "a program that prints figures")]

use std::{fs, hint::black_box, path::Path, sync::Arc, time::Instant};

use convscope::{
    catalog::{
        checked::Checked,
        snapshot::{Encoding, FileId, LoggedValue},
    },
    load::{TensorFiles, load},
    model::{layout::Layout, role::Role},
    proto::{
        DataType, Event, Summary, TensorProto, TensorShapeProto, event, summary, tensor_shape_proto::Dim,
    },
    reader::{file::ReadableFile, spot::Spot},
    record::{place::Place, write::append_record},
    render::{
        choices::Choices,
        encode::{Effort, Format, Painted, encode},
        plan::{Plan, Subject, plan},
        sheet::draw,
    },
    source::local::Local,
};
use prost::Message;

struct Work {
    name: &'static str,
    shape: &'static [i64],
    role: Role,
    layout: Layout,
    choices: &'static [(&'static str, &'static str)],
    rounds: usize,
}

const WORKS: [Work; 3] = [
    Work {
        name: "kernel_5x5x3x64_rgb",
        shape: &[5, 5, 3, 64],
        role: Role::Kernel,
        layout: Layout::Hwio,
        choices: &[("cmap", "rgb")],
        rounds: 200,
    },
    Work {
        name: "maps_64_of_56x56_viridis",
        shape: &[1, 56, 56, 64],
        role: Role::Activation,
        layout: Layout::Nhwc,
        choices: &[("cmap", "viridis")],
        rounds: 200,
    },
    Work {
        name: "maps_64_of_224x224_viridis",
        shape: &[1, 224, 224, 64],
        role: Role::Activation,
        layout: Layout::Nhwc,
        choices: &[("cmap", "viridis")],
        rounds: 20,
    },
];

fn main() {
    let as_json = std::env::args().any(|arg| arg == "--json");
    for work in &WORKS {
        let (median_us, picture_bytes) = measure(work);
        if as_json {
            let name = work.name;
            println!("{}", serde_json::json!({"work": name, "median_us": median_us, "bytes": picture_bytes}));
        } else {
            println!("{:<28} {median_us:>9.1} us  {picture_bytes:>9} bytes", work.name);
        }
    }
}

fn measure(work: &Work) -> (f64, usize) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("events.out.tfevents.1");
    let place = write_log(&path, work.shape);
    let source = Local::new(dir.path().to_owned());
    let logged = LoggedValue { wall_time: None, file: FileId(0), spot: Spot::in_record(place, 0), number: 0 };
    let files = [(FileId(0), Arc::new(ReadableFile::of_events(path)))].into_iter().collect();
    let choices = Choices::parse(work.choices.iter().copied()).expect("options that exist");
    let mut times = Vec::new();
    let mut picture_bytes = 0;
    for _ in 0..work.rounds {
        // Checked anew each time, as what is seen for the first time is.
        let checked = Checked::default();
        let tensor_files =
            TensorFiles { source: &source, files: &files, max_bytes: 1 << 30, checked: &checked };
        let start = Instant::now();
        let tensor = load(&tensor_files, Encoding::Numbers, &[logged]).expect("a whole record");
        let (layout, shape) = (Some(work.layout), &tensor.shape);
        let subject = Subject { role: work.role, layout, shape, is_picture: false, frames: None };
        let Plan { geometry, scale, paint } = plan(&choices, &subject).expect("options that fit");
        let sheet = draw(&tensor, geometry, scale);
        let picture = encode(Painted::of(&sheet, &paint.colors()), Format::Png, Effort::Live)
            .expect("a picture of this size");
        times.push(start.elapsed().as_secs_f64() * 1e6);
        picture_bytes = black_box(picture).len();
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], picture_bytes)
}

/// Normal numbers, as weights and activations are about; the sum of twelve even ones is near enough.
fn write_log(path: &Path, shape: &[i64]) -> Place {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut even = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let n: i64 = shape.iter().product();
    let content: Vec<u8> =
        (0..n).flat_map(|_| ((0..12).map(|_| even()).sum::<f32>() - 6.0).to_le_bytes()).collect();
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: Some(TensorShapeProto {
            dim: shape.iter().map(|size| Dim { size: *size, ..Dim::default() }).collect(),
            ..TensorShapeProto::default()
        }),
        tensor_content: content.into(),
        ..TensorProto::default()
    };
    let value = summary::Value {
        tag: "conv1".into(),
        value: Some(summary::value::Value::Tensor(tensor)),
        ..summary::Value::default()
    };
    let event =
        Event { what: Some(event::What::Summary(Summary { value: vec![value] })), ..Event::default() };
    let payload = event.encode_to_vec();
    let mut record = Vec::new();
    append_record(&mut record, &payload);
    fs::write(path, record).expect("a temporary file");
    Place { offset: 0, len: payload.len() as u64 }
}
