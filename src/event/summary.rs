//! The form of a value -> what the value means, whichever writer chose the form.

use super::outline::{Content, TensorOutline};

const DT_STRING: i32 = 7;

/// What a value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueKind {
    /// One number.
    Scalar,
    /// A distribution.
    Histogram,
    /// Pictures that the writer has encoded: 8 bit, scale unknown.
    Image,
    /// Sound.
    Audio,
    /// Text or other strings.
    Text,
    /// Data of a TensorBoard plugin, in a layout that only the plugin knows.
    PluginData,
    /// A tensor of numbers.
    Tensor,
    /// No content at all.
    Empty,
}

impl ValueKind {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Histogram => "histogram",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Text => "text",
            Self::PluginData => "plugin data",
            Self::Tensor => "tensor",
            Self::Empty => "empty",
        }
    }

    /// Why it is not drawn, in words for users. Tensors and pictures are drawn unless other kinds of values have the same tag.
    #[must_use]
    pub fn reason_not_drawn(self) -> &'static str {
        match self {
            Self::Scalar => "one number a step: there is no picture in it",
            Self::Histogram => "a histogram: the tensor itself was not logged",
            Self::Image => "pictures under the tag of a tensor: log them under a tag of their own",
            Self::Audio => "sound",
            Self::Text => "text",
            Self::PluginData => "data of another TensorBoard plugin",
            Self::Empty => "a value without content",
            Self::Tensor => "a tensor under the tag of pictures: log it under a tag of its own",
        }
    }
}

/// What a value means, given the plugin name in the metadata of the first value of its tag.
#[must_use]
pub fn kind(content: &Content, plugin: &[u8]) -> ValueKind {
    match content {
        Content::Empty => ValueKind::Empty,
        Content::Scalar => ValueKind::Scalar,
        Content::Histogram => ValueKind::Histogram,
        Content::Image(_) => ValueKind::Image,
        Content::Audio => ValueKind::Audio,
        Content::Tensor(tensor) => match plugin {
            // Some writers name the plugin of another kind of data; the shape shows which kind it is.
            b"scalars" if !has_axes(tensor) => ValueKind::Scalar,
            b"histograms" | b"distributions" if !is_no_histogram(tensor) => ValueKind::Histogram,
            b"images" if is_text(tensor.dtype) => ValueKind::Image,
            b"audio" => ValueKind::Audio,
            b"text" => ValueKind::Text,
            b"pr_curves" | b"hparams" | b"mesh" | b"custom_scalars" | b"projector" => ValueKind::PluginData,
            name if name.starts_with(b"graph") => ValueKind::PluginData,
            _ if is_text(tensor.dtype) => ValueKind::Text,
            _ => ValueKind::Tensor,
        },
    }
}

/// A scalar has no axis, or one of one element.
fn has_axes(tensor: &TensorOutline) -> bool {
    !is_text(tensor.dtype) && tensor.dims.len() > 1
}

/// A histogram has a row for each bucket, of its edges and its count.
fn is_no_histogram(tensor: &TensorOutline) -> bool {
    !is_text(tensor.dtype) && tensor.dims.len() > 1 && !matches!(tensor.dims.as_slice(), [_, 3])
}

fn is_text(dtype: i32) -> bool {
    dtype % 100 == DT_STRING
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &Content, plugin: &str, expected: ValueKind) {
        assert_eq!(kind(content, plugin.as_bytes()), expected);
    }

    #[test]
    fn every_writers_form_has_its_meaning() {
        let tensor = |dtype| Content::Tensor(TensorOutline { dtype, ..TensorOutline::default() });
        check(&tensor(1), "", ValueKind::Tensor);
        check(&tensor(1), "tensor", ValueKind::Tensor);
        check(&tensor(1), "convscope", ValueKind::Tensor);
        check(&tensor(1), "scalars", ValueKind::Scalar);
        check(&tensor(7), "images", ValueKind::Image);
        check(&tensor(7), "graph_keras_model", ValueKind::PluginData);
        check(&tensor(7), "", ValueKind::Text);
        check(&Content::Image(None), "", ValueKind::Image);
        check(&Content::Scalar, "", ValueKind::Scalar);
    }
}
