//! The conclusions about a run, kept so that a change costs only the work for what it affects: a series, the layers with related
//! names, and the whole run only if what most of its tensors have in common has changed.
//!
//! A change affects its own layer and the four layers before and after it in the order of names. With many tags at once, no tag is
//! compared with each of the others. The conclusions are dropped with their run.
//!
//! Whatever the order of changes, the facts are the same as if all conclusions were drawn anew. Work can be interrupted at any point.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{facts::Facts, name::Beginning, role::Role},
    channels::{Layer, weigh},
    common::Common,
    facts_draft::FactsDraft,
    item::Known,
    layer_index::LayerIndex,
    layer_names::{LayerNames, MemberIdx, hash_of},
    layer_order::LayerOrder,
    layer_sequence::{LayerChannels, LayerSequence},
    layers::settle_operations,
    majority::{CountedAs, Counts, DependsOn},
    member::{LayerByName, Member, OwnEvidence},
    members::Members,
    pending::Pending,
    roles::{settle_parametrised, settle_roles, written_role},
    stack::{settle_letters, settle_stack},
    wrappers::Wrappers,
};
use crate::types::Tag;

/// The conclusions about a run, and what has to be concluded again.
#[derive(Debug, Default)]
pub struct Conclusions {
    members: Members,
    names: LayerNames,
    order: LayerOrder,
    by_whole: BTreeSet<(u32, MemberIdx)>,
    layers: LayerIndex,
    /// How many names are of PyTorch's kind.
    n_pytorchs: usize,
    wrappers: Wrappers,
    counts: Counts,
    common: Common,
    pending: Pending,
}

impl Conclusions {
    /// Notes that a tag was added or removed, or that its shape or what is known of it changed.
    pub fn change(&mut self, tag: Tag) {
        self.pending.tags.insert(tag);
    }

    /// Notes that rules or graphs changed, which may concern every tag.
    pub fn change_all(&mut self) {
        for member in self.members.iter_mut() {
            member.verdict = None;
        }
        self.pending.tags.extend(self.members.tags().cloned());
        self.pending.operations = true;
    }

    /// Notes a tag if nothing was concluded about it.
    pub fn change_if_unknown(&mut self, tag: &Tag) {
        if self.members.idx_of(tag).is_none() {
            self.pending.tags.insert(tag.clone());
        }
    }

    /// Notes all tags that no longer exist, whose removal was not reported.
    pub fn change_gone(&mut self, is_there: &dyn Fn(&Tag) -> bool) {
        self.pending.tags.extend(self.members.tags().filter(|tag| !is_there(tag)).cloned());
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }

    /// Draws conclusions about what changed while `go_on` returns true, which is called after each step of some microseconds. Passes the
    /// facts of all series in affected layers to `give`. Returns whether everything is done.
    pub fn work(
        &mut self,
        known: &Known<'_>,
        go_on: &mut dyn FnMut() -> bool,
        give: &mut dyn FnMut(&Tag, Facts),
    ) -> bool {
        while self.step(known, give) {
            if !go_on() {
                return false;
            }
        }
        true
    }

    /// Does one step of the work; returns whether there was any.
    fn step(&mut self, known: &Known<'_>, give: &mut dyn FnMut(&Tag, Facts)) -> bool {
        if let Some(tag) = self.pending.tags.pop_first() {
            self.update_tag(tag, known);
        } else if let Some(kernel) = self.pending.kernels.pop_first() {
            self.recheck_names_like(&kernel);
        } else if let Some(key) = self.pending.keys.pop_first() {
            self.pending.names.extend(self.names.same(&key));
        } else if let Some(member) = self.pending.names.pop_first() {
            self.assign_by_name(member);
        } else if std::mem::take(&mut self.pending.operations) && !known.networks.is_empty() {
            self.assign_by_graphs(known);
        } else if let Some(layer) = self.pending.layers.pop_last() {
            // In reverse order, so that layers come before the modules that contain them.
            self.pending.others.remove(&layer);
            self.conclude_layer(&layer, known, give);
        } else if let Some(layer) = self.pending.others.pop_last() {
            self.conclude_layer(&layer, known, give);
        } else {
            self.pending.n_layers = 0;
            return false;
        }
        true
    }

    /// Updates what is known of a tag.
    fn update_tag(&mut self, tag: Tag, known: &Known<'_>) {
        let at = self.members.idx_of(&tag);
        let Some(item) = (known.item)(tag.as_str()) else {
            if let Some(at) = at {
                self.remove(at);
            }
            return;
        };
        let verdict = at
            .and_then(|at| self.members.get(at).verdict)
            .unwrap_or_else(|| known.rules.verdict(tag.as_str()));
        let mut own = OwnEvidence::of(&FactsDraft::new(
            item,
            known.networks,
            known.rules.ruling(verdict),
            &self.wrappers,
        ));
        let Some(at) = at else {
            own.key = self.names.shared(&own.key);
            let at = self.members.insert(Member::new(tag, own, verdict));
            self.add_to_names(at);
            return;
        };
        let member = self.members.get_mut(at);
        member.verdict = Some(verdict);
        if member.own.is_as(&own) {
            let (key, is_listed) = (Arc::clone(member.key()), member.is_listed);
            if is_listed {
                self.pending.layers.insert(key);
            }
            return;
        }
        self.remove_from_names(at);
        own.key = self.names.shared(&own.key);
        self.members.get_mut(at).own = own;
        self.add_to_names(at);
    }

    /// Adds a series to the lists of names.
    fn add_to_names(&mut self, at: MemberIdx) {
        let own = self.members.get(at).own.clone();
        let tag = self.members.get(at).tag.clone();
        let word = self.wrappers.insert(tag.as_str());
        self.recheck_wrapped(word);
        self.names.insert(&own.key, at);
        self.by_whole.insert((own.whole, at));
        self.n_pytorchs += usize::from(own.is_pytorchs);
        if own.kind.is_called_kernel {
            let (tag, layer) = (self.members.get(at).tag.clone(), Arc::clone(own.layer()));
            self.change_kernel(&own.key, |names| names.insert_kernel(&own.key, tag, layer));
        }
        if let Some((place, _)) = own.representative {
            self.order.insert(&own.key, place, self.members.get(at).tag.clone());
            self.recheck_neighbours(&own.key);
        }
        self.pending.names.insert(at);
        self.pending.operations = true;
    }

    fn remove_from_names(&mut self, at: MemberIdx) {
        let own = self.members.get(at).own.clone();
        let tag = self.members.get(at).tag.clone();
        let word = self.wrappers.remove(tag.as_str());
        self.recheck_wrapped(word);
        self.remove_from_layer(at);
        self.names.remove(&own.key, at);
        self.by_whole.remove(&(own.whole, at));
        self.n_pytorchs -= usize::from(own.is_pytorchs);
        if own.kind.is_called_kernel {
            let tag = self.members.get(at).tag.clone();
            self.change_kernel(&own.key, |names| names.remove_kernel(&own.key, &tag));
        }
        if let Some((place, _)) = own.representative {
            self.order.remove(&own.key, place, self.members.get(at).tag.clone());
            self.recheck_neighbours(&own.key);
        }
        self.pending.names.remove(&at);
        self.pending.operations = true;
    }

    /// Marks the tags that begin with a word whose meaning changed.
    fn recheck_wrapped(&mut self, word: Option<&str>) {
        let Some(word) = word else { return };
        let begins = |tag: &&Tag| Beginning::of(tag.as_str()).is_some_and(|beginning| beginning.word == word);
        self.pending.tags.extend(self.members.tags().filter(begins).cloned());
    }

    /// Marks the layers before and after this one, because their channels may now mean something else.
    fn recheck_neighbours(&mut self, key: &Arc<str>) {
        // When a run is read for the first time, all tags are added before any layer is listed.
        if self.layers.is_empty() {
            return;
        }
        for (_, tag) in [self.order.before(key), self.order.after(key)].concat() {
            let member = self.members.idx_of(&tag).map(|at| self.members.get(at));
            if let Some(layer) =
                member.filter(|member| member.is_listed).map(|member| Arc::clone(member.key()))
            {
                self.pending.layers.insert(layer);
            }
        }
    }

    /// Gives the kernels of a layer the votes of the layers before and after it.
    fn vote_by_neighbours(&self, members: &[MemberIdx], drafts: &mut [FactsDraft<'_>], known: &Known<'_>) {
        let mut beside: Option<(Arc<str>, _)> = None;
        for (at, draft) in members.iter().zip(drafts) {
            let may_be_transposed =
                || draft.candidates.iter().any(|candidate| candidate.layout.is_transposed());
            let own = &self.members.get(*at).own;
            if own.representative.is_none() || !draft.is(Role::Kernel) || !may_be_transposed() {
                continue;
            }
            let Some(channels) = LayerChannels::of(draft.axes()) else { continue };
            if beside.as_ref().is_none_or(|(key, _)| *key != own.key) {
                beside = Some((Arc::clone(&own.key), self.order.channels_around(&own.key, known)));
            }
            if let Some((key, (around, at))) = &beside {
                draft.vote_by_sequence(&LayerSequence::of(around, *at, (key, channels)));
            }
        }
    }

    fn remove(&mut self, at: MemberIdx) {
        self.remove_from_names(at);
        self.count(at, CountedAs::Nothing);
        self.members.remove(at);
    }

    /// Adds or removes a kernel of a name. If this adds or removes the layer's name, the series that may mean it are checked again,
    /// after the other tags, because a kernel may concern many series and many kernels the same series.
    fn change_kernel(&mut self, key: &Arc<str>, change: impl FnOnce(&mut LayerNames)) {
        let before = self.names.layer(key).cloned();
        change(&mut self.names);
        if self.names.layer(key) == before.as_ref() {
            return;
        }
        self.pending.kernels.insert(Arc::clone(key));
    }

    /// Marks the series whose layer may change because a kernel was added or removed: those with the layer's name, with an end of it,
    /// with a name that ends in it, and those whose whole name is that of the layer.
    fn recheck_names_like(&mut self, kernel: &Arc<str>) {
        let whole = hash_of(kernel);
        let by_whole = self.by_whole.range((whole, 0)..=(whole, MemberIdx::MAX)).map(|(_, at)| *at);
        self.pending.names.extend(by_whole);
        self.pending.names.extend(self.names.longer(kernel));
        self.pending.keys.extend(self.names.shorter(kernel));
    }

    /// Finds the layer of a series by names.
    fn assign_by_name(&mut self, at: MemberIdx) {
        let member = self.members.get(at);
        let layer_by_name = LayerByName::of(member, &self.names);
        if member.is_listed && member.layer_by_name == layer_by_name {
            return;
        }
        self.remove_from_layer(at);
        self.members.get_mut(at).layer_by_name = layer_by_name;
        self.add_to_layer(at);
        self.pending.operations = true;
    }

    /// Finds the layers and operations of all series by graphs.
    fn assign_by_graphs(&mut self, known: &Known<'_>) {
        let order: Vec<MemberIdx> = self.members.idxs().collect();
        let mut placed: Vec<_> = order.iter().map(|at| self.members.get(*at).assignment()).collect();
        settle_operations(&mut placed, known.networks);
        for (at, placed) in order.into_iter().zip(placed) {
            let layer_by_graph = self.members.get(at).graph_layer(placed);
            if self.members.get(at).layer_by_graph != layer_by_graph {
                self.remove_from_layer(at);
                self.members.get_mut(at).layer_by_graph = layer_by_graph;
                self.add_to_layer(at);
            }
        }
    }

    fn add_to_layer(&mut self, at: MemberIdx) {
        let member = self.members.get_mut(at);
        member.is_listed = true;
        let key = Arc::clone(member.key());
        self.layers.insert(&key, at);
        self.pending.layers.insert(key);
    }

    fn remove_from_layer(&mut self, at: MemberIdx) {
        let member = self.members.get_mut(at);
        if !std::mem::take(&mut member.is_listed) {
            return;
        }
        let key = Arc::clone(member.key());
        self.layers.remove(&key, at);
        self.pending.layers.insert(key);
    }

    fn count(&mut self, at: MemberIdx, new: CountedAs) {
        let old = std::mem::replace(&mut self.members.get_mut(at).counted_as, new);
        self.counts.change(old, new);
    }

    /// Draws conclusions about the series of a layer.
    fn conclude_layer(&mut self, key: &Arc<str>, known: &Known<'_>, give: &mut dyn FnMut(&Tag, Facts)) {
        let mut members: Vec<MemberIdx> = self.layers.members(key).collect();
        members.sort_unstable_by(|a, b| self.members.get(*a).tag.cmp(&self.members.get(*b).tag));
        let draft = |at: &MemberIdx| self.members.get(*at).draft(known, &self.wrappers);
        let drafts = members.iter().map(draft).collect::<Option<Vec<_>>>();
        // One of them was just removed. Its removal is still to be processed, and then the layer is marked again.
        let Some(mut drafts) = drafts else { return };
        for draft in &mut drafts {
            draft.settle_custom(self.common.is_dotted);
            draft.role = written_role(draft);
        }
        settle_parametrised(&mut drafts);
        settle_letters(&mut drafts);
        settle_stack(&mut drafts, &self.common.majority.stacks);
        let has_kernel = drafts.iter().any(|draft| draft.is(Role::Kernel));
        self.pending.layers.extend(self.layers.note_kernel(key, has_kernel));
        settle_roles(&mut drafts, self.layers.is_module_with_kernel(key));
        for draft in &mut drafts {
            draft.claims();
        }
        self.vote_by_neighbours(&members, &mut drafts, known);
        let layer = Layer::of(&drafts);
        layer.doubt_tables(&mut drafts);
        weigh(&mut drafts, &layer);
        for (at, draft) in members.iter().zip(&drafts) {
            self.count(*at, CountedAs::of(draft));
            self.members.get_mut(*at).depends_on = DependsOn::of(draft);
        }
        self.update_common_sometimes();
        let mut is_applied = false;
        for draft in &mut drafts {
            is_applied |= draft.apply_majority(&self.common.majority);
        }
        if is_applied {
            weigh(&mut drafts, &layer);
        }
        for (at, draft) in members.iter().zip(drafts) {
            give(&self.members.get(*at).tag, draft.facts());
        }
    }

    /// Updates what the run has in common at the end, and whenever the number of layers done is a power of two. So conclusions about a run
    /// that is read for the first time are not all drawn twice.
    fn update_common_sometimes(&mut self) {
        self.pending.n_layers += 1;
        let is_last = self.pending.layers.is_empty() && self.pending.others.is_empty();
        if self.pending.n_layers.is_power_of_two() || is_last {
            self.update_common();
        }
    }

    /// If what the series have in common changed, marks the layers that depend on it.
    fn update_common(&mut self) {
        let common = Common::of(&self.counts, self.n_pytorchs, self.members.len());
        if self.common == common {
            return;
        }
        let before = std::mem::replace(&mut self.common, common);
        let is_touched = |member: &&Member| member.is_listed && !before.is_same_for(&self.common, member);
        let touched = self.members.iter().filter(is_touched).map(Member::key);
        let others = touched.filter(|key| !self.pending.layers.contains(*key)).cloned();
        self.pending.others.extend(others);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{
        super::{
            super::{
                keras, natural_order::NaturalOrder, network::Network, recorded::Recorded, rules::Rules,
                visits,
            },
            Item, conclude,
        },
        *,
    };
    use crate::tensor::shape::Shape;

    const BEFORE: [&str; 9] =
        ["", "net/", "gan/net/", "train/", "gradients/", "a.", "a.b.", "params/net/", "weights/"];
    const LAYERS: [&str; 11] = [
        "conv1",
        "conv2",
        "c",
        "conv1/c",
        "output",
        "features.0",
        "features.2",
        "Variable_1",
        "norm",
        "up.0",
        "conv1/bn",
    ];
    const AFTER: [&str; 14] = [
        "",
        "/kernel",
        "/weights",
        "/bias",
        "/output",
        "/Relu_1:0",
        ".weight",
        ".bias",
        "/gamma",
        "/image",
        "_kernel",
        "/depthwise_kernel",
        "/w",
        "/b",
    ];
    const SHAPES: [&[i64]; 19] = [
        &[3, 3, 3, 8],
        &[8, 3, 3, 3],
        &[8],
        &[4, 9, 9, 8],
        &[4, 8, 9, 9],
        &[3, 3, 3, 3],
        &[8, 8, 8, 8],
        &[5, 5, 3, 64],
        &[64, 3, 5, 5],
        &[1, 28, 28, 64],
        &[9, 10],
        &[],
        &[4, 8],
        &[4, 3, 3, 3, 8],
        &[2, 8],
        &[4, 3, 3, 8],
        &[8, 8, 4, 4],
        &[8, 1],
        &[1],
    ];
    const RECORDED: [&str; 4] = [
        "",
        r#"{"layer": "net/conv1"}"#,
        r#"{"role": "kernel", "layout": "OIHW"}"#,
        r#"{"layer": "a.c", "role": "x"}"#,
    ];
    const MODELS: [&[&str]; 4] =
        [&["conv1"], &["net/conv1", "conv2"], &["c"], &["conv1", "gan/net/conv1", "output"]];
    const RULES: [&str; 3] = [
        "",
        "[[rule]]\ntag = \"net/*\"\nlayer = \"stem\"\n[[rule]]\ntag = \"*bias\"\nignore = true\nrole = \"other\"\n",
        "[[rule]]\nrun = \"r\"\ntag = \"*conv1*\"\nlayout = \"OIHW\"\n",
    ];

    fn model(layers: &[&str]) -> Arc<Network> {
        let layer = |name: &&str| {
            format!(
                r#"{{"class_name": "Conv2D", "config": {{"name": "{name}", "filters": 8, "kernel_size": [3, 3],
                    "strides": [1, 1], "data_format": "channels_last"}}}}"#
            )
        };
        let layers = layers.iter().map(layer).collect::<Vec<_>>().join(",");
        Arc::new(keras::network(format!(r#"{{"config": {{"layers": [{layers}]}}}}"#).as_bytes()).unwrap())
    }

    #[derive(Clone, Debug)]
    struct Logged {
        shape: Option<Shape>,
        is_picture: bool,
        recorded: Option<Recorded>,
        is_pytorchs: bool,
    }

    #[derive(Clone, Debug)]
    enum Event {
        Tag(String, Logged),
        Gone(usize),
        Model(usize),
        Rules(usize),
        /// Work is done, but so many steps at most.
        Work(usize),
    }

    fn logged() -> impl Strategy<Value = Logged> {
        let shape = prop::option::weighted(0.95, prop::sample::select(SHAPES.to_vec()));
        let recorded = prop_oneof![4 => Just(""), 1 => prop::sample::select(RECORDED.to_vec())];
        (shape, prop::bool::weighted(0.1), recorded, prop::bool::weighted(0.1)).prop_map(
            |(dims, is_picture, recorded, is_pytorchs)| Logged {
                shape: dims.map(|dims| Shape::new(dims).unwrap()),
                is_picture,
                recorded: (!recorded.is_empty()).then(|| Recorded::of(recorded.as_bytes())),
                is_pytorchs,
            },
        )
    }

    fn event() -> impl Strategy<Value = Event> {
        let select = |words: &[&'static str]| prop::sample::select(words.to_vec());
        let tag = (select(&BEFORE), select(&LAYERS), select(&AFTER));
        let tag = tag.prop_map(|(before, layer, after)| format!("{before}{layer}{after}"));
        prop_oneof![
            20 => (tag, logged()).prop_map(|(tag, logged)| Event::Tag(tag, logged)),
            3 => (0_usize..100).prop_map(Event::Gone),
            1 => (0..MODELS.len()).prop_map(Event::Model),
            1 => (0..RULES.len()).prop_map(Event::Rules),
            5 => (0_usize..40).prop_map(Event::Work),
        ]
    }

    #[derive(Default)]
    struct Run {
        logged: BTreeMap<String, Logged>,
        networks: Vec<Arc<Network>>,
        rules: Rules,
        conclusions: Conclusions,
        facts: BTreeMap<String, Facts>,
    }

    impl Run {
        fn happen(&mut self, event: Event) {
            match event {
                Event::Tag(tag, logged) => {
                    self.logged.insert(tag.clone(), logged);
                    self.conclusions.change(tag.as_str().into());
                }
                Event::Gone(nth) => {
                    let Some(tag) = self.logged.keys().nth(nth).cloned() else { return };
                    self.logged.remove(&tag);
                    self.facts.remove(&tag);
                    self.conclusions.change(tag.as_str().into());
                }
                Event::Model(model_idx) => {
                    self.networks.insert(0, model(MODELS[model_idx]));
                    self.conclusions.change_all();
                }
                Event::Rules(rules_idx) => {
                    self.rules = Rules::parse(RULES[rules_idx], "a.toml").unwrap();
                    self.conclusions.change_all();
                }
                Event::Work(n_steps) => drop(self.work(n_steps)),
            }
        }

        fn work(&mut self, n_steps: usize) -> bool {
            let Self { logged, networks, rules, conclusions, facts } = self;
            let item = |tag: &str| logged.get_key_value(tag).map(|(tag, logged)| item(tag, logged));
            let known = Known { rules: &rules.in_run("r"), networks, item: &item };
            let mut left = n_steps;
            let mut go_on = || {
                left = left.saturating_sub(1);
                left > 0
            };
            conclusions.work(&known, &mut go_on, &mut |tag, found| {
                facts.insert(tag.to_string(), found);
            })
        }

        fn concluded_from_nothing(&self) -> BTreeMap<String, Facts> {
            let items: Vec<Item<'_>> = self.logged.iter().map(|(tag, logged)| item(tag, logged)).collect();
            let facts = conclude("r", &items, &self.networks, &self.rules);
            self.logged.keys().cloned().zip(facts).collect()
        }
    }

    fn item<'a>(tag: &'a str, logged: &'a Logged) -> Item<'a> {
        Item {
            tag,
            shape: logged.shape.as_ref(),
            is_picture: logged.is_picture,
            recorded: logged.recorded.as_ref(),
            is_pytorchs: logged.is_pytorchs,
            is_optimizers: false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn what_came_bit_by_bit_is_concluded_as_from_nothing(events in prop::collection::vec(event(), 1..80)) {
            let mut run = Run::default();
            for event in events {
                run.happen(event);
            }
            while !run.work(1_000) {}
            prop_assert_eq!(&run.facts, &run.concluded_from_nothing());
            prop_assert!(run.conclusions.len() == run.logged.len());
        }
    }

    fn shape(dims: &[i64]) -> Logged {
        let shape = Some(Shape::new(dims).unwrap());
        Logged { shape, is_picture: false, recorded: None, is_pytorchs: false }
    }

    /// How many look-ups it takes to conclude about `count` groups of tags that are added at once, and then removed.
    fn looks(count: usize, tag: impl Fn(usize) -> Vec<(String, Logged)>) -> usize {
        let mut run = Run::default();
        let tags: Vec<(String, Logged)> = (0..count).flat_map(tag).collect();
        visits::of(|| {
            for (tag, logged) in tags {
                run.happen(Event::Tag(tag, logged));
            }
            while !run.work(1_000) {}
            let layers: Vec<String> = run.facts.values().map(|facts| facts.layer.clone()).collect();
            assert!(layers.len() >= count && !layers.iter().any(String::is_empty));
            while !run.logged.is_empty() {
                run.happen(Event::Gone(0));
            }
            while !run.work(1_000) {}
            assert!(run.conclusions.is_empty());
        })
    }

    /// Checks that twice as many tags are not much more than twice the work.
    fn check_looks(what: &str, tag: impl Fn(usize) -> Vec<(String, Logged)>) {
        let (few, many) = (looks(400, &tag), looks(800, &tag));
        assert!(many * 10 < few * 25, "{what}: {few} looks for 400, {many} for 800");
    }

    #[test]
    fn work_grows_with_the_tags_whatever_they_have_in_common() {
        let kernel = || shape(&[3, 3, 3, 8]);
        let written = |layer: &str| {
            let recorded = Some(Recorded::of(format!(r#"{{"layer": "{layer}"}}"#).as_bytes()));
            Logged { recorded, ..kernel() }
        };
        check_looks("kernels of one layer", |n| vec![(format!("conv1/kernel_{n}"), kernel())]);
        check_looks("kernels of one layer, which is written in two ways", |n| {
            vec![(format!("k{n}/kernel"), written(if n % 2 == 0 { "net/conv" } else { "net.conv" }))]
        });
        check_looks("kernels whose names have one end, and series that are called so", |n| {
            vec![(format!("block{n}/conv/kernel"), kernel()), (format!("conv/output_{n}"), kernel())]
        });
        check_looks("series of many layers with the name of a kernel's layer at the end", |n| {
            vec![(format!("block{n}/conv/output"), kernel()), (format!("conv/kernel_{n}"), kernel())]
        });
        check_looks("kernels within one another", |n| {
            vec![(format!("{}conv/kernel_{n}", "a/".repeat(n % 12)), kernel())]
        });
        check_looks("biases of one layer", |n| vec![(format!("conv1/bias_{n}"), shape(&[8]))]);
    }

    #[test]
    fn a_new_tag_touches_its_layer_and_those_before_and_after() {
        let mut run = Run::default();
        for layer in 0..1_000 {
            run.happen(Event::Tag(format!("block{}/conv{layer}/kernel", layer % 7), shape(&[3, 3, 3, 8])));
            run.happen(Event::Tag(format!("block{}/conv{layer}/bias", layer % 7), shape(&[8])));
        }
        while !run.work(1_000) {}
        run.facts.clear();
        run.happen(Event::Tag("block3/z/kernel".to_owned(), shape(&[3, 3, 3, 8])));
        run.happen(Event::Tag("block1/conv1/output".to_owned(), shape(&[2, 9, 9, 8])));
        assert!(run.work(20), "two tags are more than twenty steps");
        let mut touched: Vec<&str> = run.facts.keys().map(String::as_str).collect();
        touched.sort_by_key(|tag| NaturalOrder((*tag).into()));
        assert_eq!(
            touched,
            [
                "block1/conv1/bias",
                "block1/conv1/kernel",
                "block1/conv1/output",
                "block3/conv976/bias",
                "block3/conv976/kernel",
                "block3/conv983/bias",
                "block3/conv983/kernel",
                "block3/conv990/bias",
                "block3/conv990/kernel",
                "block3/conv997/bias",
                "block3/conv997/kernel",
                "block3/z/kernel",
                "block4/conv4/bias",
                "block4/conv4/kernel",
                "block4/conv11/bias",
                "block4/conv11/kernel",
                "block4/conv18/bias",
                "block4/conv18/kernel",
                "block4/conv25/bias",
                "block4/conv25/kernel",
            ]
        );
    }
}
