//! The datasets of a checkpoint -> its tensors, with the names of the layers.

use std::collections::BTreeMap;

use super::{config::Config, legacy, naming, stored::Stored};
use crate::reader::{
    contents::{Contents, Counter, StoredTensor},
    hdf5::dataset::Dataset,
};

/// Turns the datasets into tensors, and notes what else is known.
pub(super) fn add(stored: Stored, config: Option<Config>, contents: &mut Contents) {
    let root = stored.groups.iter().find(|group| group.path.is_empty());
    let config = config.or_else(|| root?.text("model_config").map(|json| Config::read(json.as_bytes())));
    let number = |names: &[&str]| {
        names.iter().find_map(|name| {
            let value = root?.number(name).filter(|value| *value >= 0)?;
            Some(Counter { value, found_in: format!("the attribute {name}") })
        })
    };
    contents.step = number(&["global_step", "step", "iteration"]);
    contents.epoch = number(&["epoch"]);
    let names = legacy::names(&stored).unwrap_or_else(|| naming::names(&stored, config.as_ref()));
    contents.keras_model = config.and_then(Config::into_model);
    add_remarks(&stored, contents);
    for (dataset, better_name) in stored.datasets.into_iter().zip(names) {
        contents.tensors.push(StoredTensor {
            name: vec![dataset.path.join("/").into()],
            better_name,
            dtype: dataset.dtype,
            shape: dataset.shape,
            pieces: dataset.pieces,
        });
    }
}

/// Says which numbers are not read, and why.
fn add_remarks(stored: &Stored, contents: &mut Contents) {
    let mut unread: BTreeMap<String, Vec<&Dataset>> = BTreeMap::new();
    for dataset in &stored.datasets {
        if let Some(reason) = &dataset.unread {
            unread.entry(reason.reason()).or_default().push(dataset);
        }
    }
    for (reason, datasets) in unread {
        let Some(first) = datasets.first() else { continue };
        let others = match datasets.len() - 1 {
            0 => String::new(),
            1 => " and 1 other".to_owned(),
            others => format!(" and {others} others"),
        };
        contents.remarks.push(format!("the numbers of `{}`{others} {reason}", first.path.join("/")));
    }
    if stored.n_links > 0 {
        let advice = "they are not followed: open what they name";
        contents
            .remarks
            .push(format!("it has {} links to names or to other files; {advice}", stored.n_links));
    }
}
