//! `--shelf` and its limits, and `convscope shelf`: what is kept of checkpoints that training overwrote or deleted.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    exit::{FAULTS, USAGE, failure},
    places::absolute,
};
use crate::{
    daemon::Shelf,
    reader::shelf::{KeptSave, NotKept, all_not_kept},
    shelf::{
        Limits, ShelfDirectory, default_base,
        directory::{SaveFile, real_path},
    },
    terminal::{print, print_json, tell},
    types::{count::counted, printable::printable},
};

const NO_HOME: &str =
    "neither HOME nor XDG_STATE_HOME names a directory for the shelf: name one with --shelf DIR";
const DAY_NS: i128 = 86_400_000_000_000;

/// Where copies of kernels are.
#[derive(Args)]
pub(super) struct ShelfPlace {
    /// The directory of copies of kernels from checkpoints that training overwrites or deletes; by default convscope/shelf in the
    /// user's directory for state
    #[arg(long, value_name = "DIR", conflicts_with = "no_shelf")]
    shelf: Option<PathBuf>,
    /// Neither keep nor show such copies
    #[arg(long)]
    no_shelf: bool,
}

/// How much is kept.
#[derive(Args, Clone, Copy)]
pub(super) struct ShelfLimits {
    /// The most that is kept of a logdir, in MiB; then every other save is dropped first, and never the first and the last
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    shelf_mb: u64,
    /// For how many days copies are kept
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..))]
    shelf_days: u32,
}

impl ShelfPlace {
    fn base(&self) -> anyhow::Result<Option<PathBuf>> {
        self.shelf.as_deref().map(absolute).transpose().map(|named| named.or_else(default_base))
    }

    /// Where and how much a daemon keeps of a logdir.
    /// Nothing is kept below `shown`, the directories that were named.
    pub(super) fn directory(
        &self,
        logdir: &Path,
        shown: &[PathBuf],
        limits: ShelfLimits,
    ) -> anyhow::Result<Shelf> {
        if self.no_shelf {
            return Ok(Shelf::Off);
        }
        let Some(base) = self.base()? else { return Ok(Shelf::Impossible(NO_HOME.to_owned())) };
        let real_base = real_path(&base);
        if shown.iter().any(|path| !path.is_file() && real_base.starts_with(real_path(path))) {
            let words = format!(
                "the shelf {} would be in the logdir, into which nothing is written: name another directory with --shelf DIR",
                base.display()
            );
            return if self.shelf.is_some() {
                Err(failure(USAGE, words))
            } else {
                Ok(Shelf::Impossible(words))
            };
        }
        let limits = Limits { bytes: limits.shelf_mb << 20, age_ns: i128::from(limits.shelf_days) * DAY_NS };
        Ok(Shelf::On(ShelfDirectory::of(&base, logdir), limits))
    }

    /// What is kept of a logdir.
    pub(super) fn saves(&self, logdir: &Path) -> anyhow::Result<Vec<(PathBuf, Arc<KeptSave>)>> {
        let Some(base) = self.base()?.filter(|_| !self.no_shelf) else { return Ok(Vec::new()) };
        let directory = ShelfDirectory::of(&base, logdir);
        // What cannot be read is not shown; `convscope shelf list` says so.
        let files = directory.files().unwrap_or_default();
        let read = |file: SaveFile| Some((file.path.clone(), Arc::new(ShelfDirectory::read(&file).ok()?)));
        Ok(files.into_iter().filter_map(read).collect())
    }
}

#[derive(Subcommand)]
pub(super) enum ShelfCommand {
    /// List what is kept, and what is not
    List(ListArgs),
    /// Move what is kept: to another directory, or to the new path of a logdir
    Move(MoveArgs),
    /// Remove what is kept of a logdir, or of all
    Empty(EmptyArgs),
}

#[derive(Args)]
struct Base {
    /// The directory of the shelf, if it is not the default
    #[arg(long, value_name = "DIR")]
    shelf: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only this logdir
    logdir: Option<PathBuf>,
    #[command(flatten)]
    base: Base,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct MoveArgs {
    /// Only what is kept of this logdir
    logdir: Option<PathBuf>,
    /// The directory that becomes the shelf; then start with --shelf DIR
    #[arg(long, value_name = "DIR", required_unless_present = "renamed")]
    to: Option<PathBuf>,
    /// The logdir's new path, after it was moved or renamed
    #[arg(long, value_name = "LOGDIR", requires = "logdir")]
    renamed: Option<PathBuf>,
    #[command(flatten)]
    base: Base,
}

#[derive(Args)]
pub(super) struct EmptyArgs {
    /// What is kept of this logdir
    #[arg(required_unless_present = "all")]
    logdir: Option<PathBuf>,
    /// What is kept of all logdirs
    #[arg(long, conflicts_with = "logdir")]
    all: bool,
    #[command(flatten)]
    base: Base,
}

pub(super) fn shelf(command: &ShelfCommand) -> anyhow::Result<()> {
    match command {
        ShelfCommand::List(args) => list(args),
        ShelfCommand::Move(args) => move_saves(args),
        ShelfCommand::Empty(args) => empty(args),
    }
}

impl Base {
    fn path(&self) -> anyhow::Result<PathBuf> {
        let named = self.shelf.as_deref().map(absolute).transpose()?;
        named.or_else(default_base).ok_or_else(|| failure(USAGE, NO_HOME))
    }

    /// The directories of all logdirs, or of one, which must be there.
    fn directories(&self, logdir: Option<&Path>) -> anyhow::Result<Vec<ShelfDirectory>> {
        let base = self.path()?;
        let Some(logdir) = logdir else { return Ok(ShelfDirectory::all(&base)) };
        let path = ShelfDirectory::of(&base, &absolute(logdir)?).path;
        let found = ShelfDirectory::at(path).ok_or_else(|| {
            let (logdir, base) = (logdir.display(), base.display());
            failure(
                USAGE,
                format!("nothing is kept of {logdir} in {base}: convscope shelf list shows what is"),
            )
        })?;
        Ok(vec![found])
    }
}

/// What is kept of one logdir.
struct Kept {
    directory: ShelfDirectory,
    files: Vec<SaveFile>,
    saves: Vec<KeptSave>,
    /// Files that cannot be read.
    unreadable: Vec<String>,
}

impl Kept {
    fn of(directory: ShelfDirectory) -> anyhow::Result<Self> {
        let files = directory.files().map_err(|error| {
            failure(FAULTS, format!("{} cannot be read: {error}", directory.path.display()))
        })?;
        let (mut saves, mut unreadable) = (Vec::new(), Vec::new());
        for file in &files {
            match ShelfDirectory::read(file) {
                Ok(save) => saves.push(save),
                Err(error) => unreadable.push(format!("{}: {error}", file.path.display())),
            }
        }
        Ok(Self { directory, files, saves, unreadable })
    }

    fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The saves of each run and axis, in order.
    fn runs(&self) -> Vec<Vec<&KeptSave>> {
        let mut saves: Vec<&KeptSave> = self.saves.iter().collect();
        saves.sort_by_key(|save| (save.run.as_str(), save.moment.axis, save.moment.value));
        let is_same = |a: &&KeptSave, b: &&KeptSave| (&a.run, a.moment.axis) == (&b.run, b.moment.axis);
        saves.chunk_by(is_same).map(<[&KeptSave]>::to_vec).collect()
    }

    fn lines(&self) -> Vec<String> {
        let logdir = self.directory.logdir().display();
        let (bytes, dir) = (self.bytes() as f64 / 1e6, self.directory.path.display());
        let saves = counted(self.saves.len(), "save");
        let mut lines = vec![logdir.to_string(), format!("  {saves} in {bytes:.1} MB, in {dir}")];
        for saves in self.runs() {
            let (Some(first), Some(last)) = (saves.first(), saves.last()) else { continue };
            let axis = first.moment.axis;
            let (from, to) = (axis.number(first.moment.value), axis.number(last.moment.value));
            let values: BTreeSet<i64> = saves.iter().map(|save| save.moment.value).collect();
            lines.push(format!("  run {}: {}, {from} to {to}", first.run, axis.counted(values.len())));
            lines.push(format!("    kept: {}", Vec::from_iter(all_tags(&saves)).join(", ")));
            for NotKept { tag, bytes, why } in all_not_kept(saves.iter().copied()).into_values() {
                lines.push(format!("    not kept: {tag} ({}): {why}", counted(bytes, "byte")));
            }
        }
        lines.extend(self.unreadable.iter().map(|problem| format!("  not read: {problem}")));
        lines
    }

    fn json(&self) -> serde_json::Value {
        let runs: Vec<_> = (self.runs().into_iter())
            .map(|saves| {
                let steps: Vec<i64> = saves.iter().map(|save| save.moment.value).collect();
                json!({
                    "run": saves[0].run.as_str(),
                    "axis": saves[0].moment.axis.name(),
                    "steps": steps,
                    "kept": all_tags(&saves),
                    "not_kept": all_not_kept(saves.iter().copied()).into_values().collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "logdir": self.directory.logdir().display().to_string(),
            "dir": self.directory.path.display().to_string(),
            "saves": self.saves.len(),
            "bytes": self.bytes(),
            "runs": runs,
            "not_read": self.unreadable,
        })
    }
}

/// The tags that saves have.
fn all_tags<'a>(saves: &[&'a KeptSave]) -> BTreeSet<&'a str> {
    let tensors = saves.iter().flat_map(|save| &save.checkpoint.contents.tensors);
    tensors.filter_map(|tensor| tensor.better_name.as_deref()).collect()
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let directories = args.base.directories(args.logdir.as_deref())?;
    let all: Vec<Kept> = directories.into_iter().map(Kept::of).collect::<Result<_, _>>()?;
    if args.json {
        let all: Vec<_> = all.iter().map(Kept::json).collect();
        return Ok(print_json(&serde_json::to_string_pretty(&all)?)?);
    }
    if all.is_empty() {
        tell(&format!("nothing is kept in {}", args.base.path()?.display()));
    }
    let lines: Vec<String> = all.iter().flat_map(Kept::lines).collect();
    if lines.is_empty() {
        return Ok(());
    }
    // A name with a line feed stays on its line.
    let lines: Vec<_> = lines.iter().map(|line| printable(line)).collect();
    Ok(print(&format!("{}\n", lines.join("\n")))?)
}

fn move_saves(args: &MoveArgs) -> anyhow::Result<()> {
    let to = match &args.to {
        Some(to) => absolute(to)?,
        None => args.base.path()?,
    };
    for from in args.base.directories(args.logdir.as_deref())? {
        let logdir = args.renamed.as_deref().map(absolute).transpose()?;
        let into = ShelfDirectory::of(&to, logdir.as_deref().unwrap_or_else(|| from.logdir()));
        if real_path(&to).starts_with(into.logdir()) {
            let words = format!("{} is in the logdir, into which nothing is written", to.display());
            return Err(failure(USAGE, words));
        }
        let n_moved = move_all(&from, &into)
            .map_err(|error| failure(FAULTS, format!("{} cannot be moved: {error}", from.path.display())))?;
        tell(&format!("{} moved to {}", counted(n_moved, "save"), into.path.display()));
    }
    Ok(())
}

/// Copies each save and then removes it, so that an interruption loses nothing. Returns how many there are.
fn move_all(from: &ShelfDirectory, into: &ShelfDirectory) -> anyhow::Result<usize> {
    if from.path == into.path {
        return Ok(0);
    }
    let files = from.files()?;
    for file in &files {
        let run = ShelfDirectory::read(file)
            .map(|save| save.run)
            .map_err(|error| anyhow::anyhow!("{}: {error}; remove it", file.path.display()))?;
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        into.add(run.as_str(), &name, &fs::read(&file.path)?)?;
        from.remove(&file.path)?;
    }
    from.remove_all()?;
    Ok(files.len())
}

fn empty(args: &EmptyArgs) -> anyhow::Result<()> {
    for directory in args.base.directories(args.logdir.as_deref())? {
        let kept = Kept::of(directory)?;
        let failed =
            |error| failure(FAULTS, format!("{} cannot be emptied: {error}", kept.directory.path.display()));
        for file in &kept.files {
            kept.directory.remove(&file.path).map_err(failed)?;
        }
        kept.directory.remove_all().map_err(failed)?;
        let logdir = kept.directory.logdir().display();
        tell(&format!(
            "{} of {logdir} removed ({:.1} MB)",
            counted(kept.files.len(), "save"),
            kept.bytes() as f64 / 1e6
        ));
    }
    Ok(())
}
