//! The operations that log tags -> the variable or output that each tag received.

use std::collections::{HashMap, HashSet};

use super::{
    super::{network::Traced, role::Role},
    ops::{is_of_gradients, is_of_pictures, is_passing, is_source, layer_of},
    walk::{GraphLayers, GraphWalk, LONGEST_WAY, MOST_TENSORS},
};

impl GraphWalk<'_> {
    /// Adds what the operations that log tags received.
    pub(super) fn add_logged(&self, gathered: &mut GraphLayers, traced: &HashMap<usize, Traced>) {
        let before_layers = self.before_layers();
        for idx in 0..self.graph.nodes.len() {
            let (tag_input, data_input, is_picture) = match &*self.node(idx).op {
                "TensorSummaryV2" => (0, 1, false),
                "ImageSummary" => (0, 1, true),
                "WriteSummary" => (3, 2, false),
                "WriteImageSummary" => (2, 3, true),
                _ => continue,
            };
            let tag = self.input(idx, tag_input).and_then(|tag| self.text_behind(tag));
            let (Some(tag), Some(data)) = (tag, self.input(idx, data_input)) else { continue };
            if gathered.tensors.len() > MOST_TENSORS {
                return;
            }
            let pictures = if is_picture { Some(data) } else { self.pictures_behind(data) };
            if let Some(data) = pictures {
                let role = if self.is_from_input(data, &before_layers) { Role::Input } else { Role::Image };
                let logged = Traced { role, operation: None, layout: None, contested: None, is_exact: true };
                gathered.tensors.insert(tag.clone(), logged.clone());
                gathered.tensors.insert(format!("{tag}/image"), logged);
                continue;
            }
            if let Some(logged) = self.logged(data, traced) {
                gathered.tensors.insert(tag, logged);
            }
        }
    }

    /// The variable or output that a logging operation's data comes from, unless an operation on the way moves axes.
    fn logged(&self, start: usize, traced: &HashMap<usize, Traced>) -> Option<Traced> {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            if let Some(found) = traced.get(&idx) {
                return Some(Traced { is_exact: true, ..found.clone() });
            }
            let node = self.node(idx);
            let keeps_axes =
                is_passing(&node.op) || (&*node.op == "StridedSlice" && node.attributes.keeps_axes);
            if !keeps_axes {
                return None;
            }
            idx = self.input(idx, 0)?;
        }
        None
    }

    /// The pictures that were encoded into the strings which TensorFlow 2 logs: width, height, pictures.
    fn pictures_behind(&self, start: usize) -> Option<usize> {
        let texts = self.behind_passing(start)?;
        if !matches!(&*self.node(texts).op, "ConcatV2") {
            return None;
        }
        let encoded = self.behind_passing(self.input(texts, 1)?)?;
        if &*self.node(encoded).op == "EncodePng" { self.input(encoded, 0) } else { None }
    }

    fn text_behind(&self, start: usize) -> Option<String> {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if let Some(text) = &node.attributes.text {
                return Some(text.to_string());
            }
            if !is_passing(&node.op) {
                return None;
            }
            idx = self.input(idx, 0)?;
        }
        None
    }

    /// The nodes that a layer's data comes from.
    fn before_layers(&self) -> HashSet<usize> {
        let layers = (0..self.graph.nodes.len()).filter(|idx| !is_of_gradients(&self.node(*idx).name));
        let mut way: Vec<usize> = layers
            .filter_map(|idx| {
                let data = layer_of(&self.node(idx).op)?.data_input;
                self.input(idx, data)
            })
            .collect();
        let mut before = HashSet::new();
        while let Some(idx) = way.pop() {
            if before.insert(idx) {
                way.extend(self.node(idx).inputs.iter().flatten());
            }
        }
        before
    }

    /// Whether pictures are the network's input: between the data's source and the pictures only values and axes were changed,
    /// and the same source feeds a layer.
    fn is_from_input(&self, start: usize, before_layers: &HashSet<usize>) -> bool {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            let op = &*self.node(idx).op;
            match self.input(idx, 0) {
                Some(next) if is_passing(op) || is_of_pictures(op) => idx = next,
                _ => return is_source(op) && before_layers.contains(&idx),
            }
        }
        false
    }
}
