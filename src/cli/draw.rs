//! `convscope render`: one tensor into a file, or several into a film; the kind by the file's ending.
//!
//! An `.npy` is the tensor as it was logged, not the numbers that the picture shows, which the API gives at `values`.

use std::{fmt::Display, io, path::Path};

use super::{
    exit::{FAULTS, USAGE, answer_failure, failure},
    film::film,
    loading::{loader, run_of},
    memory_budget::MemoryBudget,
    output::Output,
    reading::index,
    render_args::RenderArgs,
};

use crate::{
    answers::need::{self, Product},
    catalog::{checked::Checked, snapshot::Form},
    draw::{
        difference::{partners, plan_difference, subtract},
        other_steps::read_other_steps,
    },
    load::TensorFiles,
    lookup::{
        find::{TensorRequest, find},
        pair::TensorPair,
        steps::Found,
        subject::{plan_of, subject_of},
    },
    memory,
    render::{
        choices::Choices,
        encode::{Effort, Format, Painted, encode},
        film::options::FilmFormat,
        other_steps::OtherSteps,
        plan::{Plan, plan},
        sheet::draw_among,
    },
    tensor::{Tensor, npy::npy},
    terminal::tell,
};

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
    // Each frame of a film takes and gives back some hundred kilobytes, and where addresses are few, arenas would take them up.
    memory::tune_allocator();
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
    let (snapshot, source) = index(&args.paths, &args.reading)?;
    let attempt = args.attempt.unwrap_or(0);
    let wanted = TensorRequest { run: args.run.clone(), tag: args.tag.clone(), step, attempt };
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
    let reader = Reader { tensor_files, budget: MemoryBudget::of_process() };
    let StillFile { bytes, some_frames } = match minus {
        Some(minus) => {
            let pair = TensorPair::find(&snapshot, found.clone(), &minus, choices.layout).map_err(usage)?;
            reader.difference(&pair, choices, kind)?
        }
        None => reader.still(&found, choices, kind)?,
    };
    let place = args.output.display();
    write(&args.output, &bytes)
        .map_err(|error| failure(FAULTS, format!("{place} cannot be written: {error}")))?;
    let of = some_frames.map_or_else(String::new, |frames| format!("{frames} of "));
    let moment = found.series.axis.words(found.step);
    tell(&format!("{of}{moment} of {} in run {} is in {place}", args.tag, found.series.run));
    Ok(())
}

fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut output = Output::new(place)?;
    output.write(bytes)?;
    output.finish()
}

/// What is written.
struct StillFile {
    bytes: Vec<u8>,
    /// How many frames are drawn of how many, in words, where not all are.
    some_frames: Option<String>,
}

/// Reads tensors, as far as this process has the memory for them and what is made of them.
struct Reader<'a> {
    tensor_files: TensorFiles<'a>,
    budget: MemoryBudget,
}

impl Reader<'_> {
    fn still(&self, found: &Found, choices: &Choices, kind: &Still) -> anyhow::Result<StillFile> {
        // That of the newest tensor; choices that do not fit it may fit this one.
        let newest = plan_of(&found.series, choices).ok();
        let made = match (kind, &newest) {
            (Still::Picture(_), Some(plan)) => Product::Picture(plan),
            _ => Product::Npy,
        };
        self.budget.check(need::estimate_on_this_thread(
            &self.tensor_files,
            (&found.series, &found.parts),
            &made,
        ))?;
        let tensor = self.loaded(found)?;
        let Still::Picture(format) = kind else {
            return Ok(StillFile { bytes: npy(&tensor), some_frames: None });
        };
        let plan = plan(choices, &subject_of(&found.series, &tensor)).map_err(usage)?;
        let run = || run_of(&self.tensor_files, &found.series, choices);
        let other_steps =
            read_other_steps(&plan, (&found.series, found.step), &loader(&self.tensor_files), run);
        let other_steps = other_steps.map_err(|error| answer_failure(&error))?;
        let some_frames = plan.geometry.some_frames();
        Ok(StillFile { bytes: picture(&tensor, plan, *format, &other_steps.as_ref())?, some_frames })
    }

    fn difference(&self, pair: &TensorPair, choices: &Choices, kind: &Still) -> anyhow::Result<StillFile> {
        self.budget.check(need::for_difference(pair, None))?;
        let (a, b) = (self.loaded(&pair.a)?, self.loaded(&pair.b)?);
        let partners = partners(pair, &a, &b).map_err(usage)?;
        let tensor = subtract(pair, (&a, &b), partners.as_deref());
        let bytes = match kind {
            Still::Npy => npy(&tensor),
            Still::Picture(format) => {
                let plan = plan_difference(choices, &pair.subject(&Form::of(&tensor))).map_err(usage)?;
                self.budget.check(need::for_difference(pair, Some(&plan)))?;
                picture(&tensor, plan, *format, &OtherSteps::default())?
            }
        };
        Ok(StillFile { bytes, some_frames: None })
    }

    fn loaded(&self, found: &Found) -> anyhow::Result<Tensor> {
        let load = loader(&self.tensor_files);
        load(&found.series, found.step, &found.parts).map_err(|error| answer_failure(&error))
    }
}

fn usage(error: impl Display) -> anyhow::Error {
    failure(USAGE, format!("{error}"))
}

fn picture(
    tensor: &Tensor,
    plan: Plan,
    format: Format,
    other_steps: &OtherSteps<&Tensor>,
) -> anyhow::Result<Vec<u8>> {
    let Plan { geometry, scale, paint } = plan;
    let sheet = draw_among(tensor, geometry, &scale, other_steps).map_err(usage)?;
    encode(Painted::of(&sheet, &paint.colors()), format, Effort::Keep).map_err(usage)
}

fn kind_of(args: &RenderArgs) -> anyhow::Result<Kind> {
    let output = args.output.display();
    let ending = args.output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let ending = ending.unwrap_or_default();
    let of_film = args.film.given().first().map(|(name, _)| *name);
    let kind = match (ending.as_str(), Format::from_name(&ending), FilmFormat::from_name(&ending)) {
        ("npy", ..) => Kind::Still(Still::Npy),
        // A still and a film may have the same ending: options of films make it a film.
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
