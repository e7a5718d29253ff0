//! `convscope render`: one tensor into a file, the kind by the file's ending.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt::Display,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{FAULTS, Reading, UNREADABLE, USAGE, failure, index};
use crate::{
    load::{LoadError, NotLoaded, Shelf, load},
    render::{
        choices::{ChoiceError, Choices},
        encode::{Effort, Format, encode},
        plan::{Plan, plan},
        range::Interval,
        run::interval_of_run,
        sheet::{Others, draw_among},
    },
    server::{
        error::ApiError,
        find::{Found, Wanted, find, subject},
        minus::{Both, Minus, partners, plan_difference, subtract},
        wire::difference::minus,
    },
    tensor::{Tensor, npy::npy},
};

#[derive(Args)]
pub(super) struct RenderArgs {
    /// The directory that holds the event files
    logdir: PathBuf,
    /// The tag, as `convscope ls` shows it
    #[arg(long)]
    tag: String,
    /// The run; may be left out where one run alone has the tag
    #[arg(long)]
    run: Option<String>,
    /// A step that was logged, or latest
    #[arg(long, default_value = "latest", allow_hyphen_values = true)]
    step: String,
    /// Where a step was logged more than once: 0 is the newest, 1 the one before
    #[arg(long, default_value_t = 0)]
    attempt: usize,
    /// Draw the difference to this step (or latest): the tensor of the step minus that of this one
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    minus_step: Option<String>,
    /// Draw the difference to the tensor of this run
    #[arg(long, value_name = "R")]
    minus_run: Option<String>,
    /// Draw the difference to the tensor of this tag
    #[arg(long, value_name = "T")]
    minus_tag: Option<String>,
    /// Which filter is subtracted from which: index, or cosine for the pairing whose sum of cosines is greatest
    #[arg(long = "match", value_name = "HOW")]
    matching: Option<String>,
    /// The file: .png, .webp, or .npy for the tensor as it was logged (or the difference)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    picture: PictureArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Picture options")]
pub(super) struct PictureArgs {
    /// filters, matrix, slice, magnitude, components, maps, samples or image
    #[arg(long)]
    view: Option<String>,
    /// minmax, symmetric, percentile:P, zscale, std:K, fixed:LO:HI, tf1 or tf2
    #[arg(long, allow_hyphen_values = true)]
    range: Option<String>,
    /// tile, layer or run
    #[arg(long)]
    scope: Option<String>,
    /// A colour map, or rgb
    #[arg(long)]
    cmap: Option<String>,
    /// Filters or maps, as in 0-15,20
    #[arg(long)]
    channels: Option<String>,
    /// The sample that maps are of
    #[arg(long)]
    sample: Option<String>,
    /// The input channel that the view slice shows
    #[arg(long)]
    slice: Option<String>,
    /// Columns of the sheet
    #[arg(long)]
    cols: Option<String>,
    /// Pixels between and around the tiles
    #[arg(long)]
    gutter: Option<String>,
    /// Pixels an element
    #[arg(long)]
    zoom: Option<String>,
    /// Which axis is which, as in HWIO
    #[arg(long)]
    layout: Option<String>,
    /// index, norm, mean, max, sparsity, change or similarity
    #[arg(long)]
    order: Option<String>,
    /// none or index
    #[arg(long)]
    labels: Option<String>,
    /// From the layer's range, 0, to those of the tiles, 1
    #[arg(long)]
    blend: Option<String>,
}

impl PictureArgs {
    pub(super) fn given(&self) -> Vec<(&'static str, &str)> {
        let Self {
            view,
            range,
            scope,
            cmap,
            channels,
            sample,
            slice,
            cols,
            gutter,
            zoom,
            layout,
            order,
            labels,
            blend,
        } = self;
        let options = [
            ("view", view),
            ("range", range),
            ("scope", scope),
            ("cmap", cmap),
            ("channels", channels),
            ("sample", sample),
            ("slice", slice),
            ("cols", cols),
            ("gutter", gutter),
            ("zoom", zoom),
            ("layout", layout),
            ("order", order),
            ("labels", labels),
            ("blend", blend),
        ];
        options.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

enum Kind {
    Picture(Format),
    Npy,
}

pub(super) fn render(args: &RenderArgs) -> anyhow::Result<()> {
    let kind = kind_of(&args.output)?;
    let choices = Choices::parse(args.picture.given()).map_err(|error| failure(USAGE, error.to_string()))?;
    let step =
        match args.step.as_str() {
            "latest" => None,
            text => Some(text.parse().map_err(|_| {
                failure(USAGE, format!("--step {text:?} is neither a whole number nor latest"))
            })?),
        };
    let (snapshot, source) = index(&args.logdir, &args.reading)?;
    let wanted = Wanted { run: args.run.clone(), tag: args.tag.clone(), step, attempt: args.attempt };
    let found = find(&snapshot, &wanted).map_err(|error| failure(USAGE, error.to_string()))?;
    if let Err(error) = &found.series.form {
        return Err(failure(FAULTS, format!("{} cannot be read: {}", args.tag, error.reason)));
    }
    let minus = args.minus().map_err(|error| failure(USAGE, error.to_string()))?;
    let shelf = Shelf { source: &*source, files: &snapshot.files, max_bytes: args.reading.max_payload() };
    let bytes = match (kind, minus) {
        (kind, Some(minus)) => {
            let both = Both::find(&snapshot, found.clone(), &minus, choices.layout).map_err(usage)?;
            let tensor = difference(&shelf, &both)?;
            let plan = || plan_difference(&choices, &both.subject(&tensor)).map_err(usage);
            match kind {
                Kind::Npy => npy(&tensor),
                Kind::Picture(format) => picture(&tensor, plan()?, format, &Others::default())?,
            }
        }
        (Kind::Npy, None) => npy(&loaded(&shelf, &found)?),
        (Kind::Picture(format), None) => {
            let tensor = loaded(&shelf, &found)?;
            let plan = plan(&choices, &subject(&found.series, &tensor.shape)).map_err(usage)?;
            let before = found.before().filter(|_| plan.needs_before());
            let before = before.map(|before| loaded(&shelf, &before)).transpose()?;
            let run = plan.needs_run().then(|| run_interval(&shelf, &found, &choices)).transpose()?;
            picture(&tensor, plan, format, &Others { run, before: before.as_ref() })?
        }
    };
    std::fs::write(&args.output, bytes)
        .map_err(|error| failure(FAULTS, format!("{} cannot be written: {error}", args.output.display())))?;
    eprintln!(
        "step {} of {} in run {} is in {}",
        found.step,
        args.tag,
        found.series.run,
        args.output.display()
    );
    Ok(())
}

impl RenderArgs {
    fn minus(&self) -> Result<Option<Minus>, ApiError> {
        let words = [&self.minus_run, &self.minus_tag, &self.minus_step, &self.matching];
        minus(words.map(|word| word.as_deref()))
    }
}

fn loaded(shelf: &Shelf<'_>, found: &Found) -> anyhow::Result<Tensor> {
    load(shelf, found.series.encoding, &found.parts).map_err(|NotLoaded { error, .. }| {
        let code = if matches!(error, LoadError::Io(_)) { UNREADABLE } else { FAULTS };
        failure(code, format!("step {} of {}: {error}", found.step, found.series.tag))
    })
}

fn difference(shelf: &Shelf<'_>, both: &Both) -> anyhow::Result<Tensor> {
    let (a, b) = (loaded(shelf, &both.a)?, loaded(shelf, &both.b)?);
    let partners = partners(both, &a, &b).map_err(usage)?;
    Ok(subtract(both, (&a, &b), partners.as_deref()))
}

/// The range over all steps of the series, for which all of them are read. Damaged ones are told of and left out.
fn run_interval(shelf: &Shelf<'_>, found: &Found, choices: &Choices) -> anyhow::Result<Interval> {
    let series = &found.series;
    let shape =
        series.form.as_ref().map(|form| &form.shape).map_err(|error| failure(FAULTS, &error.reason))?;
    let told = RefCell::new(BTreeSet::new());
    let pass = || {
        series.steps.iter().filter_map(|(step, attempts)| {
            let parts = attempts.attempt(0)?;
            Some(match load(shelf, series.encoding, &parts) {
                Ok(tensor) => Ok(tensor),
                Err(NotLoaded { error: error @ LoadError::Io(_), .. }) => {
                    Err(OfRun(failure(UNREADABLE, format!("step {step} of {}: {error}", series.tag))))
                }
                Err(NotLoaded { error, .. }) => {
                    if told.borrow_mut().insert(*step) {
                        eprintln!("step {step} of {} is left out of the range: {error}", series.tag);
                    }
                    return None;
                }
            })
        })
    };
    interval_of_run(choices, &subject(series, shape), pass).map_err(|OfRun(error)| error)
}

/// An error on the way to the range of a run.
struct OfRun(anyhow::Error);

impl From<ChoiceError> for OfRun {
    fn from(error: ChoiceError) -> Self {
        Self(usage(error))
    }
}

fn usage(error: impl Display) -> anyhow::Error {
    failure(USAGE, format!("{error}"))
}

fn picture(tensor: &Tensor, plan: Plan, format: Format, others: &Others<'_>) -> anyhow::Result<Vec<u8>> {
    let sheet = draw_among(tensor, plan, others).map_err(usage)?;
    encode(&sheet.raster, sheet.plan.zoom, format, Effort::Keep).map_err(usage)
}

fn kind_of(output: &Path) -> anyhow::Result<Kind> {
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ending == "npy" {
        return Ok(Kind::Npy);
    }
    Format::from_name(&ending).map(Kind::Picture).ok_or_else(|| {
        failure(
            USAGE,
            format!("{} does not end in .png, .webp or .npy, which says what to write", output.display()),
        )
    })
}
