//! The locations of tensors, and what is made of them -> an estimate of the memory that this takes, rather too high than too low.

use super::{
    memory_gate::{Advice, Need},
    pool::Pool,
};

use crate::{
    catalog::snapshot::{Encoding, Form, LoggedValue, Series},
    load::{Loader, TensorFiles, value_bytes},
    lookup::{error::AnswerError, pair::TensorPair, steps::Found},
    render::{
        memory::{bytes_to_draw, bytes_to_gather},
        plan::Plan,
    },
    tensor::{dtype::DType, frame_reader::FrameReader, values::float_bytes},
};

/// The shortest and the longest element of a list in the log.
const LISTED_BYTES: u64 = 4;
const MOST_LISTED_BYTES: u64 = 10;
/// A list grows by doubling.
const DOUBLED: u64 = 2;

/// A record of this size may hold a tensor much larger than the newest one of its series, whose size is known.
const UNCERTAIN_FROM: u64 = 16 << 20;

/// What is made of one tensor.
pub(crate) enum Product<'a> {
    /// Its picture.
    Picture(&'a Plan),
    /// A frame of a film, which is also read beforehand to find its range.
    Frame(&'a Plan),
    /// The values of its tiles as NPY.
    Values(&'a Plan),
    /// The tensor as NPY.
    Npy,
    /// Its statistics, also compared with the step before and with the first step.
    Numbers,
}

/// Like [`for_step`], but reads the size from the log if the tensor of this step may be larger than the newest one.
///
/// # Errors
/// When there are too many requests at once.
pub(crate) async fn estimate(
    (loader, pool): (&Loader, &Pool),
    (series, parts): (&Series, &[LoggedValue]),
    product: &Product<'_>,
) -> Result<Need, AnswerError> {
    let need = for_step(series, parts, product);
    let Some(part) = uncertain(need, parts) else { return Ok(need) };
    let loader = loader.clone();
    // A tensor that cannot be read needs no memory.
    let logged = pool.run(move || loader.value_bytes(&part).unwrap_or(0)).await?;
    Ok(with_value_of(logged, need))
}

/// Like [`estimate`], on the calling thread.
pub(crate) fn estimate_on_this_thread(
    tensor_files: &TensorFiles<'_>,
    (series, parts): (&Series, &[LoggedValue]),
    product: &Product<'_>,
) -> Need {
    let need = for_step(series, parts, product);
    match uncertain(need, parts) {
        Some(part) => with_value_of(value_bytes(tensor_files, &part).unwrap_or(0), need),
        None => need,
    }
}

/// The first part whose tensor may be much larger than the newest one of its series.
fn uncertain(need: Need, parts: &[LoggedValue]) -> Option<LoggedValue> {
    parts.iter().find(|part| part.spot.bytes() >= UNCERTAIN_FROM.max(2 * need.tensor)).copied()
}

/// The memory that is needed if the tensor takes this many bytes in the log.
fn with_value_of(logged: u64, need: Need) -> Need {
    let factor = logged.div_ceil(need.tensor.max(1)).max(1);
    let bytes = need.bytes.max(logged).saturating_mul(factor);
    Need { tensor: need.tensor.max(logged), bytes, ..need }
}

/// For one step of a series and the product made of it, if its tensor is like the newest one.
fn for_step(series: &Series, parts: &[LoggedValue], product: &Product<'_>) -> Need {
    let Ok(form) = &series.form else { return NOTHING };
    let (tensor, elements) = (bytes(form), form.shape.elements());
    let floats = (elements * float_bytes(form.dtype)) as u64;
    let read = to_read(series, form, parts);
    let bytes = match product {
        Product::Picture(plan) if plan.needs_before() => {
            2 * read + floats + bytes_to_draw(plan, form.dtype, elements)
        }
        Product::Picture(plan) => read + bytes_to_draw(plan, form.dtype, elements),
        Product::Frame(plan) => {
            2 * read
                + bytes_to_draw(plan, form.dtype, elements)
                + bytes_to_gather(&plan.geometry, form.dtype, elements)
        }
        Product::Values(plan) => {
            // The values as float32, and the file that they are written into.
            let before = if plan.needs_before() { read + floats } else { 0 };
            read + before + bytes_to_gather(&plan.geometry, form.dtype, elements)
        }
        Product::Npy => read + tensor.max(floats),
        Product::Numbers => 3 * read + 2 * floats + (elements * size_of::<f64>()) as u64,
    };
    let advice = if form.frames.counts().is_empty() { Advice::FewerChannels } else { Advice::FewerFrames };
    Need { tensor, bytes, advice }
}

/// For a tensor that cannot be read.
const NOTHING: Need = Need { tensor: 0, bytes: 0, advice: Advice::FewerChannels };

/// For the encoded pictures of a step; none of them is decoded.
pub(crate) fn for_animations(parts: &[LoggedValue]) -> Need {
    let logged = logged_bytes(parts);
    Need { tensor: logged, bytes: logged, ..NOTHING }
}

/// For a frame of a film over frames.
pub(crate) fn for_frame(reader: &FrameReader, plan: &Plan) -> Need {
    /// Four canvases with four channels each: the canvas, a part as decoded and as drawn, and what is restored after it.
    const CANVASES: u64 = 4 * 4;
    let elements = reader.shape().elements();
    let drawn =
        bytes_to_draw(plan, DType::UInt8, elements) + bytes_to_gather(&plan.geometry, DType::UInt8, elements);
    Need { tensor: elements as u64, bytes: CANVASES * elements as u64 + drawn, ..NOTHING }
}

/// For the difference of two tensors and the picture made of it.
pub(crate) fn for_difference(pair: &TensorPair, plan: Option<&Plan>) -> Need {
    let read = |found: &Found| for_step(&found.series, &found.parts, &Product::Npy).bytes;
    let Ok(form) = &pair.a.series.form else { return NOTHING };
    let elements = form.shape.elements();
    // Both tensors and their difference as floats, at most as float64.
    let subtracted = (3 * elements * size_of::<f64>()) as u64;
    let made = plan.map_or(0, |plan| {
        bytes_to_draw(plan, form.dtype, elements).max(bytes_to_gather(&plan.geometry, form.dtype, elements))
    });
    Need { tensor: bytes(form), bytes: read(&pair.a) + read(&pair.b) + subtracted + made, ..NOTHING }
}

/// The size in bytes of an answer with the tensor as it was logged.
pub(crate) fn npy_bytes(series: &Series) -> u64 {
    let widened = |form: &Form| bytes(form).max((form.shape.elements() * float_bytes(form.dtype)) as u64);
    series.form.as_ref().map_or(0, widened)
}

/// The size in bytes of an answer with the values of a plan's tiles.
pub(crate) fn values_bytes(plan: &Plan) -> u64 {
    (plan.geometry.tiles.len() as u64) * (plan.geometry.tile_len() * size_of::<f32>()) as u64
}

fn bytes(form: &Form) -> u64 {
    (form.shape.elements() as u64).saturating_mul(form.dtype.bytes() as u64)
}

/// Bytes of the records that hold these parts: pictures that were logged together share one record.
fn logged_bytes(parts: &[LoggedValue]) -> u64 {
    let records = parts.chunk_by(|a, b| a.file == b.file && a.spot.shares_bytes_with(b.spot));
    records.map(|parts| parts[0].spot.bytes()).sum()
}

/// The memory in bytes for reading and decoding a tensor.
fn to_read(series: &Series, form: &Form, parts: &[LoggedValue]) -> u64 {
    let (tensor, elements) = (bytes(form), form.shape.elements() as u64);
    let logged = logged_bytes(parts);
    match series.encoding {
        // The pictures are decoded one by one and then joined into one tensor.
        Encoding::Pictures => logged + 2 * tensor,
        Encoding::Numbers if form.is_listed => {
            let list = DOUBLED * elements * LISTED_BYTES.max(form.dtype.bytes() as u64);
            logged.min(elements * MOST_LISTED_BYTES) + list + tensor
        }
        Encoding::Numbers => tensor,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    use crate::{
        catalog::{attempts::Attempts, snapshot::FileId},
        lookup::subject::subject,
        model::{Facts, layout::Layout, role::Role},
        reader::spot::Spot,
        record::place::Place,
        render::{
            choices::{Choices, Range},
            plan::plan,
        },
        tensor::{dtype::DType, frames::Frames, shape::Shape},
        types::{RunName, Tag},
    };

    const MIB: u64 = 1 << 20;

    fn series(is_listed: bool) -> (Arc<Series>, LoggedValue) {
        // 4 maps of 1,024 x 1,024, 16 MiB as float32.
        let (shape, frames) = (Shape::new(&[1, 1024, 1024, 4]).unwrap(), Frames::default());
        let form = Form { dtype: DType::Float32, shape, is_listed, frames };
        let place = Place { offset: 0, len: 17 * MIB };
        let logged =
            LoggedValue { wall_time: None, file: FileId(0), spot: Spot::in_record(place, 0), number: 0 };
        let unknown = Facts::unknown("a");
        let layout = Some((Layout::Nhwc, unknown.role_from.clone()));
        let series = Series {
            run: RunName::from("."),
            tag: Tag::from("a"),
            order: logged.position(),
            revision: 1,
            encoding: Encoding::Numbers,
            form: Ok(form),
            facts: Facts { role: Role::Activation, layout, ..unknown },
            steps: [(0, Attempts::new(logged))].into_iter().collect(),
            kept_steps: 0,
            not_kept: 0,
            rewrites: 0,
            axis: crate::reader::moment::Axis::Step,
            saved_in: None,
        };
        (Arc::new(series), logged)
    }

    fn plan_of(series: &Series, range: Range) -> Plan {
        let form = series.form.as_ref().unwrap();
        plan(&Choices { range: Some(range), ..Choices::default() }, &subject(series, form)).unwrap()
    }

    #[test]
    fn a_picture_needs_its_tensor_and_what_is_made_on_the_way() {
        let (content, logged) = series(false);
        let direct = for_step(&content, &[logged], &Product::Picture(&plan_of(&content, Range::MinMax)));
        // 4 Mi pixels: as codes, as colours, and encoded.
        assert_eq!(direct.tensor, 16 * MIB);
        assert!(direct.bytes > (16 + 8 + 12) * MIB && direct.bytes < 80 * MIB, "{direct:?}");
        let sorted =
            for_step(&content, &[logged], &Product::Picture(&plan_of(&content, Range::Percentile(99.0))));
        assert!(sorted.bytes >= direct.bytes + 16 * MIB, "{sorted:?}");
        let (listed, logged) = series(true);
        let copied = for_step(&listed, &[logged], &Product::Picture(&plan_of(&listed, Range::MinMax)));
        assert!(copied.bytes >= direct.bytes + 32 * MIB, "{copied:?}");
    }

    #[test]
    fn numbers_and_files_need_copies() {
        let (series, logged) = series(false);
        let npy = for_step(&series, &[logged], &Product::Npy);
        assert_eq!(npy, Need { tensor: 16 * MIB, bytes: 32 * MIB, advice: Advice::FewerChannels });
        let numbers = for_step(&series, &[logged], &Product::Numbers);
        assert!(numbers.bytes >= 3 * 16 * MIB, "{numbers:?}");
        let values = plan_of(&series, Range::MinMax);
        assert_eq!(values_bytes(&values), 16 * MIB);
    }
}
