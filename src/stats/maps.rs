//! Channels' numbers over several steps -> which channels are dead.

use super::numbers::Statistics;

/// Whether the greatest value of each channel is 0 or less at every one of these steps; `None` if no element of the channel
/// was finite at any of them. Each step has the numbers of all channels, in the same order; there is at least one step.
#[must_use]
pub fn dead_channels(steps: &[&[Statistics]]) -> Vec<Option<bool>> {
    let n = steps.first().map_or(0, |step| step.len());
    let greatest = |channel: usize| {
        let of_step = |step: &&[Statistics]| Some(step.get(channel)?.finite?.max);
        steps.iter().filter_map(of_step).reduce(f64::max)
    };
    (0..n).map(|channel| Some(greatest(channel)? <= 0.0)).collect()
}
