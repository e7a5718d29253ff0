//! A run's tags, graphs and rules -> the facts of its series.

use std::sync::Arc;

use super::snapshot::{Encoding, Run, Series};
use crate::{
    model::{
        conclude::{Item, conclude},
        network::Network,
        rules::Rules,
    },
    types::RunName,
};

/// The plugin that `add_tensor` of PyTorch's `SummaryWriter` names.
const PYTORCHS_PLUGIN: &[u8] = b"tensor";
/// The most graphs and models that are kept of a run. Writers log theirs once for each start.
const MOST_NETWORKS: usize = 8;

/// Concludes anew on all series of a run. A series whose facts change gets the revision, so that readers hear of it.
pub(super) fn conclude_run(run: &mut Run, name: &RunName, rules: &Rules, revision: u64) {
    let items: Vec<Item<'_>> = run
        .series
        .iter()
        .map(|(tag, series)| Item {
            tag: tag.as_str(),
            shape: series.form.as_ref().ok().map(|form| &form.shape),
            is_picture: series.encoding == Encoding::Pictures,
            recorded: run.recorded.get(tag).map(|recorded| &**recorded),
            is_pytorchs: run.plugins.get(tag).is_some_and(|plugin| **plugin == *PYTORCHS_PLUGIN),
        })
        .collect();
    // The newest word counts first.
    let networks: Vec<Arc<Network>> = run.networks.iter().rev().cloned().collect();
    let facts = conclude(name.as_str(), &items, &networks, rules);
    let changed: Vec<_> = run
        .series
        .iter()
        .zip(facts)
        .filter(|((_, series), facts)| series.facts != *facts)
        .map(|((tag, _), facts)| (tag.clone(), facts))
        .collect();
    for (tag, facts) in changed {
        let series: &mut Series =
            Arc::make_mut(run.series.get_mut(&tag).expect("the tag is one of the run's"));
        // Pictures that somebody kept of it may show other axes now.
        series.rewrites += 1;
        series.revision = revision;
        series.facts = facts;
        run.revision = revision;
    }
}

/// Adds what a graph or a model says. Gives whether that is news.
pub(super) fn add_network(run: &mut Run, network: Network) -> bool {
    if network == Network::default() || run.networks.iter().any(|known| **known == network) {
        return false;
    }
    if run.networks.len() == MOST_NETWORKS {
        run.networks.remove(0);
    }
    run.networks.push(Arc::new(network));
    true
}
