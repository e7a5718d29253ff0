//! `convscope export`: what a logdir holds into event files, pictures or arrays, once or for as long as a training writes.

pub(super) mod args;
mod report;
mod stop;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use self::{
    args::{ExportArgs, Preset, To},
    report::ExportReport,
    stop::Stop,
};
use super::{
    exit::{USAGE, export_failure, failure},
    places::Existence,
};

use crate::{
    catalog::{
        checked::Checked,
        ingest::{self, index_once},
        snapshot::{Series, Snapshot},
    },
    export::{
        ExportError,
        arrays::ArrayFiles,
        destination::{Contents, DirectoryLock, apart_from},
        events::EventFiles,
        naming::Style,
        pictures::PictureFiles,
        product::Product,
        round::{Exporter, Order},
        selection::Selection,
        summaries::Form,
        writer::Writer,
    },
    load::{Loader, TensorFiles, load},
    render::choices::{Choices, Scope},
    source::{Source, local::Local},
    terminal::tell,
    types::Step,
    types::count::counted,
};

pub(super) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let order = args.order()?;
    let typed = args.reading.typed(&args.paths);
    let source = Arc::new(typed.source(if args.follow { Existence::Awaited } else { Existence::Needed })?);
    if !source.root().exists() {
        tell(&format!("convscope: {} does not exist yet: waiting for it", typed.name()));
    }
    if !args.into_logdir {
        let dirs = source.list(&AtomicBool::new(false)).map(|listing| listing.dirs).unwrap_or_default();
        let dirs: Vec<PathBuf> = dirs.into_keys().collect();
        apart_from(&args.output, &typed.directory(), &dirs).map_err(|error| export_failure(&error))?;
    }
    let allowed = if args.to == To::Tensorboard || args.into_logdir {
        Contents::Anything
    } else {
        Contents::OwnExports
    };
    let _lock = DirectoryLock::take(&args.output, allowed).map_err(|error| export_failure(&error))?;
    let writer = args.writer(&order).map_err(|error| export_failure(&error))?;
    let stop = Stop::listen()?;
    let mut report = ExportReport::new();
    let mut exporter = Exporter::new(order, writer);
    let exported = args.run(&source, &mut exporter, &stop, &mut report);
    report.end(args, &stop, exported)
}

impl ExportArgs {
    fn order(&self) -> anyhow::Result<Order> {
        let given = self.picture.given();
        let usage = |message: &str| Err(failure(USAGE, message));
        match (self.to, self.preset) {
            (To::Npz, _) if !given.is_empty() || self.preset.is_some() => {
                return usage("NPZ files hold tensors as they were logged: leave out the picture options");
            }
            (To::Npz, _) if self.follow => {
                return usage("an NPZ file cannot grow: leave out --follow, and export again later");
            }
            (_, Some(Preset::Classic)) if !given.is_empty() => {
                return usage("the classic preset has no options: leave out the picture options or --preset");
            }
            (To::Png | To::Npz, _) if self.tf1 => {
                return usage("--tf1 is a form of event files: use --to tensorboard");
            }
            _ => {}
        }
        let choices = Choices::parse(given).map_err(|error| failure(USAGE, error.to_string()))?;
        if self.follow && choices.scope == Some(Scope::Run) {
            return usage(
                "--scope run needs all steps, and --follow does not know those to come: use layer or tile",
            );
        }
        let style = match (self.to, self.preset) {
            (To::Npz, _) => Style::Array,
            (_, Some(Preset::Classic)) => Style::Classic,
            (To::Tensorboard, None) => Style::Sheet(choices),
            (To::Png, None) => Style::PlainSheet(choices),
        };
        // The recipe is one of TensorFlow 1, and so are its summaries.
        let form = if self.tf1 || self.preset.is_some() { Form::Tf1 } else { Form::Tf2 };
        let product = match self.to {
            To::Tensorboard => Product::Records(form),
            To::Png => Product::Files,
            To::Npz => Product::Arrays,
        };
        Ok(Order { selection: self.selection(), style, product })
    }

    fn selection(&self) -> Selection {
        let (first, last) = self.steps.unwrap_or((Step::MIN, Step::MAX));
        let every = usize::try_from(self.every).unwrap_or(usize::MAX);
        Selection { run: self.run.clone(), layer: self.layer.clone(), role: self.role, first, last, every }
    }

    fn writer(&self, order: &Order) -> Result<Box<dyn Writer>, ExportError> {
        let options = match &order.style {
            Style::Classic => "preset=classic".to_owned(),
            Style::Sheet(choices) | Style::PlainSheet(choices) => choices.canonical(),
            Style::Array => String::new(),
        };
        Ok(match self.to {
            To::Tensorboard => Box::new(EventFiles::new(self.output.clone())),
            To::Png => Box::new(PictureFiles::open(&self.output, options)?),
            To::Npz => Box::new(ArrayFiles::open(&self.output)?),
        })
    }

    fn run(
        &self,
        source: &Arc<Local>,
        exporter: &mut Exporter,
        stop: &Stop,
        report: &mut ExportReport,
    ) -> anyhow::Result<()> {
        let options = self.reading.options_once(&**source)?;
        let max_bytes = options.max_payload;
        let dyn_source: Arc<dyn Source> = Arc::clone(source) as Arc<dyn Source>;
        let snapshot = index_once(Arc::clone(&dyn_source), options.clone());
        if !self.follow {
            self.something_is_chosen(&snapshot)?;
        }
        let checked = Checked::default();
        let tensor_files =
            TensorFiles { source: &*dyn_source, files: &snapshot.files, max_bytes, checked: &checked };
        let read_once = |series: &Series, _, parts: &[_]| {
            load(&tensor_files, series.encoding, parts).map_err(|not_loaded| not_loaded.error)
        };
        exporter.round(&snapshot, &read_once, &stop.flag, &mut |note| report.note(note))?;
        if self.follow {
            follow((dyn_source, options), &snapshot, exporter, (stop, report))?;
        }
        Ok(())
    }

    fn something_is_chosen(&self, snapshot: &Snapshot) -> anyhow::Result<()> {
        let selection = self.selection();
        let all = snapshot.runs.values().flat_map(|run| run.series.values());
        let chosen: Vec<&Arc<Series>> = all.filter(|series| selection.takes(series)).collect();
        if chosen.iter().any(|series| selection.steps(series).next().is_some()) {
            return Ok(());
        }
        if let Some((first, last)) = steps_of(&chosen) {
            let message = format!(
                "--steps chooses nothing in {}: the steps of the {} that {} chosen run from {first} to {last}",
                self.reading.typed(&self.paths).name(),
                counted(chosen.len(), "series"),
                if chosen.len() == 1 { "is" } else { "are" }
            );
            return Err(failure(USAGE, message));
        }
        let runs: Vec<&str> = snapshot.runs.keys().take(5).map(crate::types::RunName::as_str).collect();
        let hint = match snapshot.problems.first() {
            Some(problem) if runs.is_empty() => problem.message.clone(),
            _ => format!("convscope ls lists what there is, in the runs {}", runs.join(", ")),
        };
        Err(failure(
            USAGE,
            format!("nothing in {} is chosen: {hint}", self.reading.typed(&self.paths).name()),
        ))
    }
}

/// The first and the last step of several series; `None` where there are none.
fn steps_of(series: &[&Arc<Series>]) -> Option<(Step, Step)> {
    let ranges = || series.iter().filter_map(|series| series.step_range());
    Some((ranges().map(|(first, _)| first).min()?, ranges().map(|(_, last)| last).max()?))
}

/// Exports what is logged from now on, until it is interrupted.
fn follow(
    (source, options): (Arc<dyn Source>, ingest::Options),
    first: &Snapshot,
    exporter: &mut Exporter,
    (stop, report): (&Stop, &mut ExportReport),
) -> anyhow::Result<()> {
    let max_bytes = options.max_payload;
    let (catalog, running) = ingest::start(Arc::clone(&source), options)?;
    let loader = Loader { catalog: catalog.clone(), source, max_bytes };
    let mut changes = catalog.changes();
    let mut knows_graphs = false;
    let from_loader = |series: &Series, step, parts: &[_]| loader.load(series, step, parts);
    tell("following: interrupt (Ctrl-C) to end");
    while !stop.flag.load(Ordering::Relaxed) {
        let snapshot = Arc::clone(&changes.borrow_and_update());
        knows_graphs = knows_graphs || has_graphs_of(&snapshot, first);
        if !snapshot.loading && knows_graphs {
            exporter.round(&snapshot, &from_loader, &stop.flag, &mut |note| report.note(note))?;
        }
        stop.runtime.block_on(async {
            tokio::select! {
                changed = changes.changed() => changed.is_ok(),
                () = stop.bell.notified() => false,
            }
        });
        if let Some(reason) = running.failure() {
            anyhow::bail!(reason);
        }
    }
    drop(running);
    Ok(())
}

/// Whether all graphs that the first snapshot had were read again: until then a series may be taken for something else.
fn has_graphs_of(snapshot: &Snapshot, first: &Snapshot) -> bool {
    first.runs.iter().all(|(name, run)| {
        let now = snapshot.runs.get(name);
        now.is_none_or(|now| now.networks.len() >= run.networks.len())
    })
}
