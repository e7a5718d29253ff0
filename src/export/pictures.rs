//! Pictures -> a tree of PNG files, `RUN/TAG/STEP.png`, with a manifest.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    drawing::Picture,
    error::ExportError,
    job::Job,
    manifest::{Drawn, Entry, Manifest, TensorSource, sha256, whole_file},
    paths::Paths,
    writer::{Granularity, Held, Made, Writer},
};

use crate::types::RunName;

const ENDING: &str = ".png";

/// The files below a directory.
pub struct PictureFiles {
    out: PathBuf,
    /// The canonical text of what was chosen.
    options: String,
    manifest: Manifest,
    paths: Paths,
}

impl PictureFiles {
    /// Resumes the export into `out`, a directory that exists. `options` is the canonical text of what was chosen.
    ///
    /// # Errors
    /// A manifest that is not ours.
    pub fn open(out: &Path, options: String) -> Result<Self, ExportError> {
        let manifest = Manifest::open(out)?;
        let mut paths = Paths::default();
        for entry in manifest.entries() {
            if let Some((dir, _)) = entry.file.rsplit_once('/').filter(|_| entry.file.ends_with(ENDING)) {
                paths.note(dir, &entry.run, &entry.picture);
            }
        }
        Ok(Self { out: out.to_owned(), options, manifest, paths })
    }

    fn write_one(&mut self, job: &Job, picture: &Picture) -> Result<Entry, ExportError> {
        let series = &job.named.series;
        let dir = self.paths.path(series.run.as_str(), &picture.tag);
        let file = format!("{dir}/{}{ENDING}", job.step);
        let dir = self.out.join(dir);
        fs::create_dir_all(&dir).map_err(ExportError::at(&dir))?;
        whole_file(&self.out.join(&file), |file| file.write_all(&picture.png))?;
        Ok(Entry {
            file,
            bytes: picture.png.len() as u64,
            sha256: sha256(&picture.png),
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            picture: picture.tag.clone(),
            key: job.named.key.clone(),
            layer: series.facts.layer.clone(),
            role: series.facts.role.name().to_owned(),
            options: self.options.clone(),
            drawn: picture.legend.as_ref().map(Drawn::of),
            steps: vec![TensorSource::of(job)],
        })
    }
}

impl Writer for PictureFiles {
    fn held(&mut self, run: &RunName) -> Result<Held, ExportError> {
        self.manifest.forget_if_fewer(run, &self.options);
        Ok(self.manifest.held(run, &self.options, ENDING))
    }

    fn write(&mut self, job: &Job, made: Made) -> Result<(), ExportError> {
        let Made::Pictures(pictures) = made else { return Ok(()) };
        let entries: Result<Vec<Entry>, ExportError> =
            pictures.iter().map(|picture| self.write_one(job, picture)).collect();
        // After all pictures of the step were written, so that the manifest never lists only some of them.
        entries?.into_iter().try_for_each(|entry| self.manifest.add(entry))
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.manifest.save()
    }

    fn granularity(&self) -> Granularity {
        Granularity::AnyStep
    }
}
