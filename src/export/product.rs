//! One tensor of a series -> what a writer is given.

use std::sync::Arc;

use imbl::OrdMap;

use super::{
    drawing::{Picture, SheetInput, classic_pictures, sheet_picture},
    job::{Job, NamedSeries},
    naming::Style,
    summaries::{Form, picture_record},
    writer::Made,
};

use crate::{
    catalog::snapshot::{FileId, LoggedValue, Series},
    draw::other_steps::{read_other_steps, run_interval},
    load::LoadError,
    lookup::{error::AnswerError, subject::subject_of},
    reader::file::ReadableFile,
    render::{
        choices::Choices,
        encode::Effort,
        other_steps::OtherSteps,
        plan::{Plan, plan},
    },
    tensor::{Tensor, npy::npy},
    types::Step,
};

/// What a record, its floats, tiles, codes and picture take together, as a multiple of the record's bytes.
const COST_OF_A_BYTE: u64 = 6;

/// What the writer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Records of event files, compressed fast.
    Records(Form),
    /// PNG files, compressed well.
    Files,
    /// NPY files.
    Arrays,
}

/// Reads the tensor of a series.
pub type Load<'a> = dyn Fn(&Series, Step, &[LoggedValue]) -> Result<Tensor, LoadError> + Sync + 'a;

/// Where files lie, by their numbers.
pub type Files = OrdMap<FileId, Arc<ReadableFile>>;

/// The job of exporting a step, with its cost in bytes; `None` where the step is gone.
pub(super) fn job(step: Step, named: Arc<NamedSeries>, files: &Files) -> Option<(Job, u64)> {
    let parts = named.series.steps.get(&step)?.attempt(0)?;
    let file = Arc::clone(files.get(&parts.first()?.file)?);
    let logged: u64 = parts.iter().map(|part| part.spot.bytes()).sum();
    let form = named.series.form.as_ref().ok();
    let unpacked = form.map_or(0, |form| (form.shape.elements() * form.dtype.bytes()) as u64);
    let cost = logged.max(unpacked).saturating_mul(COST_OF_A_BYTE);
    Some((Job { named, step, parts, file }, cost))
}

/// Reads a tensor and makes what the writer is given; or says why it cannot.
pub(super) fn made(style: &Style, product: Product, job: &Job, load: &Load<'_>) -> Result<Made, String> {
    let tensor = load(&job.named.series, job.step, &job.parts).map_err(|error| error.to_string())?;
    let draw = |effort| Drawing { style, load, effort }.pictures(job, &tensor);
    Ok(match product {
        Product::Records(form) => {
            let pictures = draw(Effort::Live)?;
            let count = pictures.len();
            Made::Record(picture_record(form, job.step, job.wall_time(), pictures), count)
        }
        Product::Files => Made::Pictures(draw(Effort::Keep)?),
        Product::Arrays => {
            let npy = npy(&tensor);
            let crc = crc32fast::hash(&npy);
            Made::Array(npy, crc)
        }
    })
}

/// How pictures are made.
struct Drawing<'a> {
    style: &'a Style,
    load: &'a Load<'a>,
    effort: Effort,
}

impl Drawing<'_> {
    fn pictures(&self, job: &Job, tensor: &Tensor) -> Result<Vec<Picture>, String> {
        let named = &job.named;
        match self.style {
            Style::Sheet(choices) | Style::PlainSheet(choices) => {
                let plan = plan(choices, &subject_of(&named.series, tensor));
                let plan = plan.map_err(|error| error.to_string())?;
                let other_steps = self.other_steps(&plan, choices, job)?;
                let input = SheetInput { tensor, plan, other_steps: other_steps.as_ref() };
                Ok(vec![sheet_picture(named, named.name.clone(), input, self.effort)?])
            }
            Style::Classic => classic_pictures(named, tensor, self.effort),
            Style::Array => Ok(Vec::new()),
        }
    }

    /// What a picture takes from other steps. The range over all steps is computed once for all pictures of the series.
    fn other_steps(&self, plan: &Plan, choices: &Choices, job: &Job) -> Result<OtherSteps<Tensor>, String> {
        let series = &job.named.series;
        let load = |series: &Series, step: Step, parts: &[LoggedValue]| {
            (self.load)(series, step, parts).map_err(|error| match error {
                LoadError::Io(_) => AnswerError::Busy(error.to_string()),
                error => AnswerError::Damaged(error.to_string()),
            })
        };
        let find = || run_interval(series, choices, &load, &|_, _| ()).map_err(|error| error.to_string());
        let run = || job.named.run.get_or_init(find).clone().map_err(AnswerError::Damaged);
        read_other_steps(plan, (series, job.step), &load, run).map_err(|error| error.to_string())
    }
}
