//! The content of our own metadata -> what the writer says of a tag.
//!
//! A recorder that knows the network writes metadata of the plugin `convscope` with the first value of a tag. Its content is a
//! JSON object; every entry may be left out, unknown ones are ignored (docs/meaning.md):
//!
//! `{"layer": "conv1", "role": "kernel", "layout": "HWIO"}`

use serde::Deserialize;

use super::{layout::Layout, role::Role};

/// The name of the plugin.
pub const PLUGIN: &[u8] = b"convscope";

/// Stands for a content that is longer than any that says so little.
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
    /// What of it could not be understood, as a phrase for a person.
    pub trouble: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    layer: Option<String>,
    role: Option<String>,
    layout: Option<String>,
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
        let read: Content = match serde_json::from_slice(content) {
            Ok(read) => read,
            Err(error) => {
                let trouble =
                    Some(format!("the writer's metadata is no object of layer, role and layout: {error}"));
                return Self { trouble, ..Self::default() };
            }
        };
        let (role, unknown_role) = known(read.role, Role::from_name);
        let (layout, unknown_layout) = known(read.layout, Layout::from_name);
        let trouble = unknown_role
            .map(|text| format!("the writer's metadata names the role {text:?}, which there is not"))
            .or(unknown_layout
                .map(|text| format!("the writer's metadata names the layout {text:?}, which there is not")));
        Self { layer: read.layer.filter(|layer| !layer.is_empty()), role, layout, trouble }
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
    use super::*;

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
}
