//! The names of whole numbers -> which of them is the step, and which the epoch.

use crate::reader::contents::{Contents, Counter};

/// Variables of these names count steps, the most certain first. `save_counter` counts saves, and is none of them.
const STEPS: [&str; 10] = [
    "global_step",
    "step",
    "global_steps",
    "train_step",
    "current_step",
    "steps",
    "_iterations",
    "iterations",
    "iter",
    "iteration",
];
/// Variables of these names count epochs; the last is that of Keras's `BackupAndRestore`.
const EPOCHS: [&str; 5] = ["epoch", "current_epoch", "cur_epoch", "epochs", "_ckpt_saved_epoch"];
/// At most so many numbers are read.
pub const MOST_READ: usize = 64;

/// Whether a scalar of this name may count something.
#[must_use]
pub fn is_counter(name: &str) -> bool {
    let last = last(name);
    STEPS.contains(&last) || EPOCHS.contains(&last)
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Decides which of the numbers is the step and which the epoch. A number that never was counted up says less than another.
pub fn choose(numbers: &[Counter], contents: &mut Contents) {
    let best = |names: &[&str]| {
        let rank = |counter: &&Counter| names.iter().position(|name| *name == last(&counter.found_in));
        let ranked = numbers.iter().filter(|counter| rank(counter).is_some());
        ranked.min_by_key(|counter| (counter.value == 0, rank(counter))).cloned()
    };
    contents.step = best(&STEPS);
    contents.epoch = best(&EPOCHS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::contents::Format;

    #[test]
    fn a_step_that_the_user_counts_is_preferred() {
        let step_of = |numbers: &[(&str, i64)]| {
            let counter =
                |(name, value): &(&str, i64)| Counter { value: *value, found_in: (*name).to_owned() };
            let mut contents = Contents::empty(Format::TensorFlow);
            choose(&numbers.iter().map(counter).collect::<Vec<_>>(), &mut contents);
            contents.step.map(|step| step.found_in)
        };
        assert_eq!(step_of(&[("optimizer/_iterations", 3), ("step", 5)]).as_deref(), Some("step"));
        assert_eq!(
            step_of(&[("step", 0), ("optimizer/_iterations", 3)]).as_deref(),
            Some("optimizer/_iterations")
        );
        assert_eq!(step_of(&[("save_counter", 3)]), None);
    }
}
