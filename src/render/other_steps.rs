//! What a picture takes from other steps of its series.

use super::range::Interval;

/// What a picture of one step takes from other steps. `T` stands for the tensor of the step before: the tensor itself, a
/// reference to it, or where it is logged.
#[derive(Clone, Copy, Debug)]
pub struct OtherSteps<T> {
    /// The interval of all steps, for scope `run`: see [`super::run`].
    pub run: Option<Interval>,
    /// The step before, for the order `change`.
    pub before: Option<T>,
}

impl<T> Default for OtherSteps<T> {
    fn default() -> Self {
        Self { run: None, before: None }
    }
}

impl<T> OtherSteps<T> {
    /// The same, with a reference to the step before.
    #[must_use]
    pub fn as_ref(&self) -> OtherSteps<&T> {
        OtherSteps { run: self.run, before: self.before.as_ref() }
    }
}
