//! What was asked for -> which series, and which of their steps.

use globset::{GlobBuilder, GlobMatcher};

use crate::{
    catalog::{
        attempts::Attempts,
        snapshot::{Encoding, Series},
    },
    model::role::Role,
    types::{Step, printable::printable},
};

/// A pattern for the names of layers.
pub type LayerGlob = GlobMatcher;

/// Which tensors are exported.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only of this run, by its name or by its name as it is printed.
    pub run: Option<String>,
    /// Only of layers that match.
    pub layer: Option<LayerGlob>,
    /// Only of this role. Pictures that a writer encoded are exported only if their role is asked for.
    pub role: Option<Role>,
    /// From this step on.
    pub first: Step,
    /// Up to this step, which is included.
    pub last: Step,
    /// Every Nth of the logged steps of a series from `first` on, the first included; at least 1.
    pub every: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self { run: None, layer: None, role: None, first: Step::MIN, last: Step::MAX, every: 1 }
    }
}

impl Selection {
    /// Whether it takes any step of this series.
    #[must_use]
    pub fn takes(&self, series: &Series) -> bool {
        let facts = &series.facts;
        let role_fits = match self.role {
            Some(role) => role == facts.role,
            None => series.encoding == Encoding::Numbers,
        };
        role_fits
            && facts.ignored_by.is_none()
            && self
                .run
                .as_ref()
                .is_none_or(|run| run == series.run.as_str() || *run == printable(series.run.as_str()))
            && self.layer.as_ref().is_none_or(|layer| layer.is_match(&facts.layer))
    }

    /// The steps that it takes of a series, in order.
    pub fn steps<'a>(&self, series: &'a Series) -> impl Iterator<Item = (Step, &'a Attempts)> {
        let steps = series.steps.range(self.first..=self.last).step_by(self.every);
        steps.map(|(step, attempts)| (*step, attempts))
    }

    /// Of a series whose first `n_before` steps end with `last`, the steps that it takes after these.
    pub fn steps_after<'a>(
        &self,
        series: &'a Series,
        last: Step,
        n_before: usize,
    ) -> impl Iterator<Item = (Step, &'a Attempts)> {
        // Counted from the first chosen step, before which nothing has to be counted if no step is left out at the beginning.
        let n_left_out = if self.first == Step::MIN { 0 } else { series.steps.range(..self.first).count() };
        let phase = n_before.saturating_sub(n_left_out) % self.every;
        let skipped = (self.every - phase) % self.every;
        let from = self.first.max(last.saturating_add(1));
        let steps = (from <= self.last).then(|| series.steps.range(from..=self.last));
        steps
            .into_iter()
            .flatten()
            .skip(skipped)
            .step_by(self.every)
            .map(|(step, attempts)| (*step, attempts))
    }
}

/// A glob as layers are chosen by: `*` matches any characters, `/` among them.
///
/// # Errors
/// Why the text is no glob, as a phrase.
pub fn layer_glob(text: &str) -> Result<LayerGlob, String> {
    let built = GlobBuilder::new(text).literal_separator(false).build();
    built.map(|glob| glob.compile_matcher()).map_err(|error| format!("{text:?} is no glob: {}", error.kind()))
}

/// The ends of `A:B`, of which either may be left out.
///
/// # Errors
/// Anything else, as a phrase.
pub fn step_range(text: &str) -> Result<(Step, Step), String> {
    let wrong = || format!("{text:?} is no range of steps such as 0:1000, 500: or :500");
    let (first, last) = text.split_once(':').ok_or_else(wrong)?;
    let end =
        |text: &str, open: Step| if text.is_empty() { Ok(open) } else { text.parse().map_err(|_| wrong()) };
    let (first, last) = (end(first, Step::MIN)?, end(last, Step::MAX)?);
    if first <= last { Ok((first, last)) } else { Err(format!("{text:?} runs backwards")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use crate::{
        catalog::snapshot::{FileId, FormError, LoggedValue},
        model::Facts,
        reader::spot::Spot,
        record::place::Place,
        types::{RunName, Tag},
    };

    fn series(steps: &[Step]) -> Series {
        let place = Place { offset: 0, len: 1 };
        let logged =
            LoggedValue { wall_time: None, file: FileId(0), spot: Spot::in_record(place, 0), number: 0 };
        Series {
            run: RunName::from("."),
            tag: Tag::from("a"),
            order: logged.position(),
            revision: 1,
            encoding: Encoding::Numbers,
            form: Err(FormError { dtype_number: 0, dims: Vec::new(), reason: String::new() }),
            facts: Facts::unknown("a"),
            steps: steps.iter().map(|step| (*step, Attempts::new(logged))).collect(),
            kept_steps: 0,
            not_kept: 0,
            rewrites: 0,
            axis: crate::reader::moment::Axis::Step,
            saved_in: None,
        }
    }

    proptest! {
        #[test]
        fn a_series_that_grew_gives_what_it_would_have_given_at_once(
            steps in prop::collection::btree_set(-50_i64..50, 1..40),
            cut in any::<prop::sample::Index>(),
            (first, len, every) in (-60_i64..60, 0_i64..100, 1_usize..5),
        ) {
            let steps: Vec<Step> = steps.into_iter().collect();
            let n_before = 1 + cut.index(steps.len());
            let (before, all) = (series(&steps[..n_before]), series(&steps));
            let selection = Selection { first, last: first + len, every, ..Selection::default() };
            let numbers = |series: &Series| selection.steps(series).map(|(step, _)| step).collect::<Vec<_>>();
            let later = selection.steps_after(&all, steps[n_before - 1], n_before).map(|(step, _)| step);
            let grown: Vec<Step> = numbers(&before).into_iter().chain(later).collect();
            prop_assert_eq!(&grown, &numbers(&all));
            let wanted = steps.iter().filter(|step| (first..=first + len).contains(*step));
            prop_assert_eq!(grown, wanted.step_by(every).copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn ranges_of_steps() {
        assert_eq!(step_range("-5:10"), Ok((-5, 10)));
        assert_eq!(step_range(":"), Ok((Step::MIN, Step::MAX)));
        assert_eq!(step_range("7:"), Ok((7, Step::MAX)));
        assert!(step_range("7").is_err() && step_range("9:7").is_err() && step_range("a:").is_err());
    }

    #[test]
    fn globs_cross_scopes() {
        assert!(layer_glob("conv*").unwrap().is_match("conv1/inner"));
        assert!(layer_glob("a[").is_err());
    }
}
