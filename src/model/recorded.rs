//! The content of our own metadata -> what the writer says about a tag.
//!
//! A recorder that knows the network writes metadata of the plugin `convscope` with the first value of a tag. Its content is a
//! JSON object; every entry is optional, unknown ones are ignored (docs/meaning.md):
//!
//! `{"layer": "conv1", "role": "kernel", "layout": "HWIO", "operation": {"kind": "Conv2D", "strides": [2, 2]}}`

use std::sync::Arc;

use serde::Deserialize;

use super::{
    layout::Layout,
    network::{Operation, OperationKind, Origin},
    role::Role,
};

/// The name of the plugin.
pub const PLUGIN: &[u8] = b"convscope";

/// Replaces a content that is far longer than any real one.
pub const TOO_LONG: &[u8] = b"too long";

/// What the writer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The layer's name.
    pub layer: Option<String>,
    /// What the tensor does.
    pub role: Option<Role>,
    /// Which axis is which.
    pub layout: Option<Layout>,
    /// What the layer does. It is shown, but nothing is concluded from it: role and layout have their own entries.
    pub operation: Option<Arc<Operation>>,
    /// What could not be understood, as a phrase for a person.
    pub trouble: Option<String>,
}

#[derive(Deserialize)]
struct RecordedJson {
    layer: Option<String>,
    role: Option<String>,
    layout: Option<String>,
    operation: Option<RecordedOperation>,
}

#[derive(Deserialize)]
struct RecordedOperation {
    kind: String,
    #[serde(default)]
    position: usize,
    #[serde(default)]
    window: Vec<usize>,
    #[serde(default)]
    strides: Vec<usize>,
    #[serde(default)]
    dilations: Vec<usize>,
    padding: Option<String>,
    outputs: Option<usize>,
}

/// The words for padding.
const PADDINGS: [&str; 4] = ["same", "valid", "causal", "explicit"];

impl RecordedOperation {
    /// The operation; `None` if its kind or padding is unknown, or if its lists do not fit the axes of the kind.
    fn of_layer(self, layer: &str) -> Option<Operation> {
        let kind = OperationKind::from_name(&self.kind)?;
        let lists = [&self.window, &self.strides, &self.dilations];
        let is_of_axes = lists.iter().all(|list| list.is_empty() || list.len() == kind.spatial_axes());
        let is_padding = self.padding.as_deref().is_none_or(|word| PADDINGS.contains(&word));
        (is_of_axes && is_padding).then(|| Operation {
            kind,
            name: layer.to_owned(),
            position: self.position,
            window: self.window,
            outputs: self.outputs,
            strides: self.strides,
            dilations: self.dilations,
            padding: self.padding,
            channels_first: None,
            activation: None,
            normalization: None,
            receptive_field: None,
            origin: Origin::Writer,
        })
    }
}

impl Recorded {
    /// Reads the content of a tag's metadata.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        if content.is_empty() {
            return Self::default();
        }
        if content == TOO_LONG {
            let trouble = Some("the writer's metadata is too long to be read".to_owned());
            return Self { trouble, ..Self::default() };
        }
        let read: RecordedJson = match serde_json::from_slice(content) {
            Ok(read) => read,
            Err(error) => {
                let trouble =
                    Some(format!("the writer's metadata is no object of layer, role and layout: {error}"));
                return Self { trouble, ..Self::default() };
            }
        };
        let (role, unknown_role) = known(read.role, Role::from_name);
        let (layout, unknown_layout) = known(read.layout, Layout::from_name);
        let layer = read.layer.filter(|layer| !layer.is_empty());
        let is_said = read.operation.is_some();
        let operation = read.operation.and_then(|said| said.of_layer(layer.as_deref().unwrap_or_default()));
        let trouble = unknown_role
            .map(|text| format!("the writer's metadata names the role {text:?}, which there is not"))
            .or(unknown_layout
                .map(|text| format!("the writer's metadata names the layout {text:?}, which there is not")))
            .or((is_said && operation.is_none())
                .then(|| "the writer's metadata tells of an operation that there is not".to_owned()));
        Self { layer, role, layout, operation: operation.map(Arc::new), trouble }
    }
}

fn known<T>(text: Option<String>, of: impl Fn(&str) -> Option<T>) -> (Option<T>, Option<String>) {
    let Some(text) = text else { return (None, None) };
    match of(&text) {
        Some(value) => (Some(value), None),
        None => (None, Some(text)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    /// The Python package is checked against the same file.
    fn vocabulary() -> Value {
        serde_json::from_str(include_str!("vocabulary.json")).unwrap()
    }

    #[test]
    fn the_recorder_in_python_has_the_same_operations_and_paddings() {
        let convolutions =
            (1..=3).flat_map(|axes| [OperationKind::Conv(axes), OperationKind::Transposed(axes)]);
        let depthwise =
            (1..=2).flat_map(|axes| [OperationKind::Depthwise(axes), OperationKind::Separable(axes)]);
        let own = convolutions.chain(depthwise).chain([OperationKind::Dense]);
        let own: BTreeMap<String, usize> = own.map(|kind| (kind.name(), kind.spatial_axes())).collect();
        let shared: BTreeMap<String, usize> =
            serde_json::from_value(vocabulary()["operations"].clone()).unwrap();
        assert_eq!(shared, own);
        assert!(shared.keys().all(|name| OperationKind::from_name(name).is_some()));
        assert_eq!(vocabulary()["paddings"], serde_json::json!(PADDINGS));
    }

    #[test]
    fn what_the_recorder_in_python_writes_is_understood() {
        let read = Recorded::of(vocabulary()["example"].to_string().as_bytes());
        assert_eq!((read.layer.as_deref(), read.role), (Some("conv1"), Some(Role::Kernel)));
        assert_eq!((read.layout, read.trouble), (Some(Layout::Oihw), None));
        let operation = read.operation.unwrap();
        assert_eq!((operation.kind, operation.position), (OperationKind::Conv(2), 3));
        assert_eq!((&*operation.window, &*operation.strides), (&[7, 5][..], &[2, 1][..]));
        assert_eq!((&*operation.dilations, operation.outputs), (&[1, 3][..], Some(64)));
        assert_eq!(operation.padding.as_deref(), Some("explicit"));
    }

    #[test]
    fn what_is_understood_is_taken_and_the_rest_is_said() {
        let all = Recorded::of(br#"{"layer": "conv1", "role": "kernel", "layout": "OIHW", "version": 1}"#);
        assert_eq!(
            (all.layer.as_deref(), all.role, all.layout),
            (Some("conv1"), Some(Role::Kernel), Some(Layout::Oihw))
        );
        assert_eq!(all.trouble, None);
        assert_eq!(Recorded::of(b""), Recorded::default());
        assert!(Recorded::of(b"{").trouble.is_some() && Recorded::of(TOO_LONG).trouble.is_some());
        let half = Recorded::of(br#"{"role": "kernel", "layout": "WHIO"}"#);
        assert!(half.role == Some(Role::Kernel) && half.trouble.unwrap().contains("WHIO"));
    }

    #[test]
    fn an_operation_is_taken_as_a_whole_or_not_at_all() {
        let of =
            |said: &str| Recorded::of(format!(r#"{{"layer": "conv1", "operation": {said}}}"#).as_bytes());
        let whole = of(
            r#"{"kind": "Conv2D", "position": 3, "window": [7, 7], "strides": [2, 2], "padding": "explicit"}"#,
        );
        let operation = whole.operation.unwrap();
        assert_eq!((operation.kind, operation.position), (OperationKind::Conv(2), 3));
        assert_eq!(
            (&*operation.window, &*operation.strides, &*operation.dilations),
            (&[7, 7][..], &[2, 2][..], &[][..])
        );
        assert_eq!((&*operation.name, operation.origin, operation.outputs), ("conv1", Origin::Writer, None));
        assert_eq!(whole.trouble, None);
        for wrong in [
            r#"{"kind": "Conv9D"}"#,
            r#"{"kind": "Conv2D", "strides": [2]}"#,
            r#"{"kind": "Conv2D", "padding": "much"}"#,
        ] {
            let read = of(wrong);
            assert!(read.operation.is_none() && read.trouble.is_some() && read.layer.is_some(), "{wrong}");
        }
        assert!(of(r#"{"kind": "Conv2D", "strides": [-1, 1]}"#).trouble.is_some());
    }
}
