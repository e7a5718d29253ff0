//! `convscope render`: one tensor into a file, or several into a film; the kind by the file's ending.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt::Display,
    io,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    exit::{FAULTS, USAGE, failure, unanswered},
    film::{FilmArgs, film},
    output::Output,
    reading::{Reading, index},
};

use crate::{
    catalog::{
        checked::Checked,
        snapshot::{Logged, Series},
    },
    draw::{
        beside::{Beside, run_interval},
        difference::{partners, plan_difference, subtract},
    },
    load::{LoadError, NotLoaded, TensorFiles, load},
    lookup::{
        error::AnswerError,
        find::{Wanted, find},
        pair::{Both, Minus},
        steps::Found,
        subject::subject_of,
    },
    render::{
        choices::Choices,
        encode::{Effort, Format, encode},
        film::options::FilmFormat,
        plan::{Plan, plan},
        range::Interval,
        sheet::{Others, draw_among},
    },
    tensor::{Tensor, npy::npy},
    terminal::tell,
    types::Step,
};

#[derive(Args)]
pub(super) struct RenderArgs {
    /// The directory that holds the event files
    pub(super) logdir: PathBuf,
    /// The tag, as `convscope ls` shows it
    #[arg(long)]
    pub(super) tag: String,
    /// The run; may be left out where one run alone has the tag
    #[arg(long)]
    pub(super) run: Option<String>,
    /// A step that was logged, or latest, which is what is taken when left out
    #[arg(long, allow_hyphen_values = true)]
    pub(super) step: Option<String>,
    /// Where a step was logged more than once: 0 is the newest, 1 the one before
    #[arg(long)]
    attempt: Option<usize>,
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
    /// The file: .png or .webp for a picture, .apng, .gif, or .webp with a film option for a film of all steps, .npy for the
    /// tensor as it was logged, or the difference
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) film: FilmArgs,
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
    /// Frames of animated pictures, from 1 on, as in 1-64,80 or 1-300/4
    #[arg(long)]
    frames: Option<String>,
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
            frames,
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
            ("frames", frames),
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

/// What the file's ending asks for.
enum Kind {
    Still(Still),
    Film(FilmFormat),
}

enum Still {
    Picture(Format),
    Npy,
}

pub(super) fn render(args: &RenderArgs) -> anyhow::Result<()> {
    let kind = kind_of(args)?;
    let choices = Choices::parse(args.picture.given()).map_err(|error| failure(USAGE, error.to_string()))?;
    match kind {
        Kind::Film(_) if args.minus().map_err(usage)?.is_some() => Err(failure(
            USAGE,
            "a film of differences is not made: draw its steps with --step and --minus-step, or leave --minus-* out",
        )),
        Kind::Film(format) => film(args, choices, format),
        Kind::Still(kind) => still(args, &choices, &kind),
    }
}

fn still(args: &RenderArgs, choices: &Choices, kind: &Still) -> anyhow::Result<()> {
    let step =
        match args.step.as_deref() {
            None | Some("latest") => None,
            Some(text) => Some(text.parse().map_err(|_| {
                failure(USAGE, format!("--step {text:?} is neither a whole number nor latest"))
            })?),
        };
    let (snapshot, source) = index(&args.logdir, &args.reading)?;
    let attempt = args.attempt.unwrap_or(0);
    let wanted = Wanted { run: args.run.clone(), tag: args.tag.clone(), step, attempt };
    let found = find(&snapshot, &wanted).map_err(|error| failure(USAGE, error.to_string()))?;
    if let Err(error) = &found.series.form {
        return Err(failure(FAULTS, format!("{} cannot be read: {}", args.tag, error.reason)));
    }
    let minus = args.minus().map_err(|error| failure(USAGE, error.to_string()))?;
    let checked = Checked::default();
    let tensor_files = TensorFiles {
        source: &*source,
        files: &snapshot.files,
        max_bytes: args.reading.max_payload(),
        checked: &checked,
    };
    let mut some_frames = None;
    let bytes = match (kind, minus) {
        (kind, Some(minus)) => {
            let both = Both::find(&snapshot, found.clone(), &minus, choices.layout).map_err(usage)?;
            let tensor = difference(&tensor_files, &both)?;
            let plan = || plan_difference(choices, &both.subject(&tensor)).map_err(usage);
            match kind {
                Still::Npy => npy(&tensor),
                Still::Picture(format) => picture(&tensor, plan()?, *format, &Others::default())?,
            }
        }
        (Still::Npy, None) => npy(&loaded(&tensor_files, &found)?),
        (Still::Picture(format), None) => {
            let tensor = loaded(&tensor_files, &found)?;
            let plan = plan(choices, &subject_of(&found.series, &tensor)).map_err(usage)?;
            let run = || run_of(&tensor_files, &found.series, choices);
            let beside = Beside::of(&plan, (&found.series, found.step), &loader(&tensor_files), run);
            some_frames = plan.some_frames();
            picture(&tensor, plan, *format, &beside.map_err(|error| unanswered(&error))?.others())?
        }
    };
    let place = args.output.display();
    write(&args.output, &bytes)
        .map_err(|error| failure(FAULTS, format!("{place} cannot be written: {error}")))?;
    let of = some_frames.map_or_else(String::new, |frames| format!("{frames} of "));
    tell(&format!("{of}step {} of {} in run {} is in {place}", found.step, args.tag, found.series.run));
    Ok(())
}

impl RenderArgs {
    fn minus(&self) -> Result<Option<Minus>, AnswerError> {
        let words = [&self.minus_run, &self.minus_tag, &self.minus_step, &self.matching];
        Minus::parse(words.map(|word| word.as_deref()))
    }
}

fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut output = Output::new(place)?;
    output.write(bytes)?;
    output.finish()
}

/// Reads tensors, each with its step and tag in the reason where that fails.
pub(super) fn loader<'a>(
    tensor_files: &'a TensorFiles<'a>,
) -> impl Fn(&Series, Step, &[Logged]) -> Result<Tensor, AnswerError> + 'a {
    |series, step, parts| {
        load(tensor_files, series.encoding, parts).map_err(|NotLoaded { error, .. }| {
            let reason = format!("step {step} of {}: {error}", series.tag);
            let is_unreadable = matches!(error, LoadError::Io(_));
            if is_unreadable { AnswerError::Busy(reason) } else { AnswerError::Damaged(reason) }
        })
    }
}

fn loaded(tensor_files: &TensorFiles<'_>, found: &Found) -> anyhow::Result<Tensor> {
    loader(tensor_files)(&found.series, found.step, &found.parts).map_err(|error| unanswered(&error))
}

fn difference(tensor_files: &TensorFiles<'_>, both: &Both) -> anyhow::Result<Tensor> {
    let (a, b) = (loaded(tensor_files, &both.a)?, loaded(tensor_files, &both.b)?);
    let partners = partners(both, &a, &b).map_err(usage)?;
    Ok(subtract(both, (&a, &b), partners.as_deref()))
}

/// The range over all steps of the series, for which all of them are read. Damaged ones are told of and left out.
pub(super) fn run_of(
    tensor_files: &TensorFiles<'_>,
    series: &Series,
    choices: &Choices,
) -> Result<Interval, AnswerError> {
    let told = RefCell::new(BTreeSet::new());
    let left_out = |step, reason: &str| {
        if told.borrow_mut().insert(step) {
            tell(&format!("left out of the range: {reason}"));
        }
    };
    run_interval(series, choices, &loader(tensor_files), &left_out)
}

fn usage(error: impl Display) -> anyhow::Error {
    failure(USAGE, format!("{error}"))
}

fn picture(tensor: &Tensor, plan: Plan, format: Format, others: &Others<'_>) -> anyhow::Result<Vec<u8>> {
    let sheet = draw_among(tensor, plan, others).map_err(usage)?;
    encode(&sheet.raster, sheet.legend.plan.zoom, format, Effort::Keep).map_err(usage)
}

fn kind_of(args: &RenderArgs) -> anyhow::Result<Kind> {
    let output = args.output.display();
    let ending = args.output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let ending = ending.unwrap_or_default();
    let of_film = args.film.given().first().map(|(name, _)| *name);
    let kind = match (ending.as_str(), Format::from_name(&ending), FilmFormat::from_name(&ending)) {
        ("npy", ..) => Kind::Still(Still::Npy),
        // A still and a film have the same ending: what is asked of it tells.
        (_, Some(_), Some(film)) if of_film.is_some() => Kind::Film(film),
        (_, Some(still), _) => Kind::Still(Still::Picture(still)),
        (_, None, Some(film)) => Kind::Film(film),
        (_, None, None) => {
            let endings = ".png, .webp, .apng, .gif or .npy";
            return Err(failure(
                USAGE,
                format!("{output} does not end in {endings}, which says what to write"),
            ));
        }
    };
    match (&kind, of_film) {
        (Kind::Still(_), Some(option)) => Err(failure(
            USAGE,
            format!("--{option} is for films, which end in .apng, .gif or .webp: {output}"),
        )),
        (Kind::Film(_), _)
            if (args.step.is_some() && !args.film.is_over_frames()) || args.attempt.is_some() =>
        {
            let message = format!(
                "{output} is a film, of the newest attempts at its steps: choose steps by --from, --to and --every, or --over frames for those of one step"
            );
            Err(failure(USAGE, message))
        }
        _ => Ok(kind),
    }
}
