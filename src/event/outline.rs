//! An event's bytes -> its outline: everything except the contents of tensors, images, histograms and graphs.
//!
//! Fields may come in any order, packed or not, split or repeated; as in Protocol Buffers the later field of a oneof
//! wins and nested messages merge. The length of the names that are kept is limited, so that an outline is always small.

use std::ops::Range;

use super::{
    picture::{PictureHead, picture_head},
    wire::{FieldValue, Span, WireError, next_field},
};
use crate::source::window::Peek;

const LONGEST_NAME: usize = 64 << 10;
/// Longer contents of metadata are left out: plugins may store data of any size there.
const LONGEST_PLUGIN_CONTENT: usize = 4 << 10;
/// TensorFlow's own limit for the rank of a tensor.
const MOST_AXES: usize = 254;
/// The most values of one event. The largest known writers log some thousands at once; an empty value takes two bytes of
/// the log and about eighty times that here.
pub const MOST_VALUES: usize = 1 << 18;
/// The most bytes of all the names of one event.
const MOST_NAME_BYTES: usize = 32 << 20;
/// For this many values, memory is kept from one event for the next.
const KEPT_VALUES: usize = 1 << 10;
const KEPT_NAME_BYTES: usize = 64 << 10;

/// What an event contains besides its step and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum What {
    /// Nothing, or something newer than this program.
    #[default]
    Nothing,
    /// The first event of a file.
    FileVersion,
    /// A serialised graph.
    Graph,
    /// Values.
    Summary,
    /// The beginning or end of a session.
    Session,
    /// Log messages, run metadata.
    Other,
}

/// The outline of one event. It is reused for the next record, so that a million events do not need a million allocations.
#[derive(Debug, Default)]
pub struct Outline {
    /// Seconds since 1970, as logged.
    pub wall_time: f64,
    /// The training step.
    pub step: i64,
    /// What the event contains.
    pub what: What,
    /// The values of a summary, in order; a value is found again by its position.
    pub values: Vec<ValueOutline>,
    names: Vec<u8>,
}

/// The outline of one value of a summary.
#[derive(Clone, Debug, Default)]
pub struct ValueOutline {
    /// What it holds.
    pub content: Content,
    tag: Range<usize>,
    node_name: Range<usize>,
    plugin: PluginSpan,
}

/// The plugin in a value's metadata.
#[derive(Clone, Debug, Default)]
struct PluginSpan {
    name: Option<Range<usize>>,
    content: Range<usize>,
    /// Whether the content was too long to be kept.
    is_cut: bool,
}

/// What a value holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    #[default]
    Empty,
    /// One number in the value itself.
    Scalar,
    /// A histogram, in either of the two messages for histograms.
    Histogram,
    /// An encoded picture in the value itself (TensorFlow 1), with its header if its kind is known.
    Image(Option<PictureHead>),
    /// Sound.
    Audio,
    /// A tensor; its plugin says what it means.
    Tensor(TensorOutline),
}

/// A tensor without its elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TensorOutline {
    /// The number of the element type.
    pub dtype: i32,
    /// Lengths of the axes as logged; may be negative in broken files.
    pub dims: Vec<i64>,
    /// Whether the writer did not know the rank.
    pub unknown_rank: bool,
    /// Bytes of `tensor_content`.
    pub content_bytes: u64,
    /// Bytes of all typed lists together.
    pub list_bytes: u64,
    /// How many strings it has.
    pub texts: u32,
    /// The header of the first picture, if the strings are width, height and pictures, as TensorFlow 2 writes them.
    pub picture: Option<PictureHead>,
}

/// The number of strings before the pictures: width and height.
pub const TEXTS_BEFORE_PICTURES: u32 = 2;

impl Outline {
    /// The value's tag; files from before tags existed name the graph's node instead.
    #[must_use]
    pub fn tag(&self, value: &ValueOutline) -> &[u8] {
        let range = if value.tag.is_empty() { &value.node_name } else { &value.tag };
        &self.names[range.clone()]
    }

    /// The name of the plugin that the value was written for, if it has metadata.
    #[must_use]
    pub fn plugin(&self, value: &ValueOutline) -> Option<&[u8]> {
        value.plugin.name.clone().map(|range| &self.names[range])
    }

    /// What the metadata contains for that plugin; empty if there is nothing, or too much.
    #[must_use]
    pub fn plugin_content(&self, value: &ValueOutline) -> &[u8] {
        &self.names[value.plugin.content.clone()]
    }

    /// Whether the metadata contains more for its plugin than is kept.
    #[must_use]
    pub fn plugin_content_is_cut(&self, value: &ValueOutline) -> bool {
        value.plugin.is_cut
    }

    /// Forgets the event, and frees the memory of an unusually large one.
    pub fn give_back(&mut self) {
        self.values.clear();
        self.names.clear();
        self.values.shrink_to(KEPT_VALUES);
        self.names.shrink_to(KEPT_NAME_BYTES);
    }

    /// Reads the event in `span`, and forgets the previous one.
    ///
    /// # Errors
    /// Malformed bytes, or a source that cannot be read; then the outline is not usable.
    pub fn read<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<(), WireError> {
        (self.wall_time, self.step, self.what) = (0.0, 0, What::Nothing);
        self.values.clear();
        self.names.clear();
        while let Some((number, value)) = next_field(source, &mut span)? {
            match (number, value) {
                (1, FieldValue::Fixed64(bits)) => self.wall_time = f64::from_bits(bits),
                (2, value) => self.step = value.varint()?.cast_signed(),
                (3, value) => self.becomes(What::FileVersion, value)?,
                (4 | 9, value) => self.becomes(What::Graph, value)?,
                (5, value) => {
                    self.becomes(What::Summary, value)?;
                    self.summary(source, value.span()?)?;
                }
                (7, value) => self.becomes(What::Session, value)?,
                (6 | 8, value) => self.becomes(What::Other, value)?,
                (1, _) => return Err(WireError::Malformed("the wall time is no double")),
                _ => {}
            }
        }
        Ok(())
    }

    fn becomes(&mut self, what: What, value: FieldValue) -> Result<(), WireError> {
        value.span()?;
        if self.what != what {
            self.values.clear();
        }
        self.what = what;
        Ok(())
    }

    fn summary<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<(), WireError> {
        while let Some((number, value)) = next_field(source, &mut span)? {
            if number == 1 {
                let value = self.value(source, value.span()?)?;
                if self.values.len() == MOST_VALUES {
                    return Err(WireError::Malformed("it has more values than are read of one event"));
                }
                self.values.push(value);
            }
        }
        Ok(())
    }

    fn value<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<ValueOutline, WireError> {
        let mut outline = ValueOutline::default();
        while let Some((number, value)) = next_field(source, &mut span)? {
            match number {
                1 => outline.tag = self.name(source, value)?,
                2 => {
                    let FieldValue::Fixed32(_) = value else {
                        return Err(WireError::Malformed("a scalar is no float"));
                    };
                    outline.content = Content::Scalar;
                }
                3 | 5 => outline.content = held(value, Content::Histogram)?,
                4 => {
                    // A message in two parts is merged.
                    let known = if let Content::Image(head) = outline.content { head } else { None };
                    outline.content = Content::Image(picture(source, value.span()?)?.or(known));
                }
                6 => outline.content = held(value, Content::Audio)?,
                7 => outline.node_name = self.name(source, value)?,
                8 => {
                    let mut tensor = match outline.content {
                        Content::Tensor(tensor) => tensor,
                        _ => TensorOutline::default(),
                    };
                    tensor.merge(source, value.span()?)?;
                    outline.content = Content::Tensor(tensor);
                }
                9 => self.metadata(source, value.span()?, &mut outline.plugin)?,
                _ => {}
            }
        }
        Ok(outline)
    }

    fn metadata<P: Peek>(
        &mut self,
        source: &mut P,
        mut span: Span,
        plugin: &mut PluginSpan,
    ) -> Result<(), WireError> {
        while let Some((number, value)) = next_field(source, &mut span)? {
            if number == 1 {
                let mut plugin_data = value.span()?;
                while let Some((number, value)) = next_field(source, &mut plugin_data)? {
                    match number {
                        1 => plugin.name = Some(self.name(source, value)?),
                        2 if value.span()?.len() <= LONGEST_PLUGIN_CONTENT as u64 => {
                            plugin.content = self.name(source, value)?;
                        }
                        2 => plugin.is_cut = true,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn name<P: Peek>(&mut self, source: &mut P, value: FieldValue) -> Result<Range<usize>, WireError> {
        let bytes = value.span()?.bytes(source, LONGEST_NAME)?;
        let start = self.names.len();
        if start + bytes.len() > MOST_NAME_BYTES {
            return Err(WireError::Malformed("its names are longer than are read of one event"));
        }
        self.names.extend_from_slice(bytes);
        Ok(start..self.names.len())
    }
}

fn held(value: FieldValue, content: Content) -> Result<Content, WireError> {
    value.span().map(|_| content)
}

/// `Image { encoded_image_string 4 }`
fn picture<P: Peek>(source: &mut P, mut span: Span) -> Result<Option<PictureHead>, WireError> {
    let mut head = None;
    while let Some((number, value)) = next_field(source, &mut span)? {
        if number == 4 {
            head = picture_head(source, value.span()?)?;
        }
    }
    Ok(head)
}

impl TensorOutline {
    fn merge<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<(), WireError> {
        while let Some((number, value)) = next_field(source, &mut span)? {
            match number {
                // Enums are encoded as 64 bit numbers; only the lower 32 bits count.
                1 => self.dtype = value.varint()? as u32 as i32,
                2 => self.merge_shape(source, value.span()?)?,
                4 => self.content_bytes = value.span()?.len(),
                5..=18 => {
                    if let (8, FieldValue::Bytes(text)) = (number, value) {
                        self.merge_text(source, text)?;
                    }
                    self.list_bytes = self.list_bytes.saturating_add(match value {
                        FieldValue::Varint(_) => 1,
                        FieldValue::Fixed32(_) => 4,
                        FieldValue::Fixed64(_) => 8,
                        FieldValue::Bytes(list) => list.len(),
                        FieldValue::Group => 0,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn merge_text<P: Peek>(&mut self, source: &mut P, text: Span) -> Result<(), WireError> {
        if self.texts == TEXTS_BEFORE_PICTURES {
            self.picture = picture_head(source, text)?;
        }
        self.texts = self.texts.saturating_add(1);
        Ok(())
    }

    fn merge_shape<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<(), WireError> {
        while let Some((number, value)) = next_field(source, &mut span)? {
            match number {
                2 => {
                    if self.dims.len() == MOST_AXES {
                        return Err(WireError::Malformed("a tensor has more axes than TensorFlow allows"));
                    }
                    self.dims.push(dim_size(source, value.span()?)?);
                }
                3 => self.unknown_rank = value.varint()? != 0,
                _ => {}
            }
        }
        Ok(())
    }
}

fn dim_size<P: Peek>(source: &mut P, mut span: Span) -> Result<i64, WireError> {
    let mut size = 0;
    while let Some((number, value)) = next_field(source, &mut span)? {
        if number == 1 {
            size = value.varint()?.cast_signed();
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::{Message, encoding};

    use super::*;
    use crate::{
        proto,
        source::{memory::Memory, window::Window},
    };

    fn field(number: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding::encode_key(number, encoding::WireType::LengthDelimited, &mut bytes);
        encoding::encode_varint(content.len() as u64, &mut bytes);
        bytes.extend_from_slice(content);
        bytes
    }

    fn varint_field(number: u32, value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding::encode_key(number, encoding::WireType::Varint, &mut bytes);
        encoding::encode_varint(value, &mut bytes);
        bytes
    }

    fn fixed32_field(number: u32, value: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding::encode_key(number, encoding::WireType::ThirtyTwoBit, &mut bytes);
        bytes.extend(value.to_le_bytes());
        bytes
    }

    fn fixed64_field(number: u32, value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding::encode_key(number, encoding::WireType::SixtyFourBit, &mut bytes);
        bytes.extend(value.to_le_bytes());
        bytes
    }

    /// A message of such fields, in any order and number: some are repeated, split or missing.
    fn message_of(field: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(field, 0..5).prop_map(|fields| fields.concat())
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![4 => prop::collection::vec(any::<u8>(), 0..20), 1 => prop::collection::vec(any::<u8>(), 3_000..9_000)]
    }

    fn shape() -> impl Strategy<Value = Vec<u8>> {
        let dim = message_of(prop_oneof![
            any::<u64>().prop_map(|size| varint_field(1, size)),
            bytes().prop_map(|name| field(2, &name)),
        ]);
        message_of(prop_oneof![
            3 => dim.prop_map(|dim| field(2, &dim)),
            1 => any::<bool>().prop_map(|unknown| varint_field(3, unknown.into())),
        ])
    }

    fn tensor() -> impl Strategy<Value = Vec<u8>> {
        let floats = prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| bytes.repeat(4));
        message_of(prop_oneof![
            (0_u64..40).prop_map(|dtype| varint_field(1, dtype)),
            shape().prop_map(|shape| field(2, &shape)),
            bytes().prop_map(|content| field(4, &content)),
            floats.prop_map(|packed| field(5, &packed)),
            any::<u32>().prop_map(|float| fixed32_field(5, float)),
            any::<u32>().prop_map(|half| varint_field(13, half.into())),
        ])
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        let plugin_data = message_of(prop_oneof![
            bytes().prop_map(|name| field(1, &name)),
            bytes().prop_map(|content| field(2, &content)),
        ]);
        let metadata = message_of(plugin_data.prop_map(|data| field(1, &data)));
        message_of(prop_oneof![
            bytes().prop_map(|tag| field(1, &tag)),
            any::<u32>().prop_map(|float| fixed32_field(2, float)),
            bytes().prop_map(|histogram| field(3, &histogram)),
            Just(field(4, &varint_field(1, 7))),
            Just(field(5, &fixed64_field(1, 7))),
            Just(field(6, &fixed32_field(1, 7))),
            bytes().prop_map(|name| field(7, &name)),
            tensor().prop_map(|tensor| field(8, &tensor)),
            metadata.prop_map(|metadata| field(9, &metadata)),
            any::<u64>().prop_map(|unknown| varint_field(99, unknown)),
        ])
    }

    fn event() -> impl Strategy<Value = Vec<u8>> {
        let summary = message_of(value().prop_map(|value| field(1, &value)));
        message_of(prop_oneof![
            1 => any::<u64>().prop_map(|bits| fixed64_field(1, bits)),
            1 => any::<u64>().prop_map(|step| varint_field(2, step)),
            1 => Just(field(3, b"brain.Event:2")),
            1 => bytes().prop_map(|graph| field(4, &graph)),
            1 => Just(field(6, &varint_field(1, 20))),
            1 => Just(field(7, &varint_field(1, 1))),
            1 => Just(field(8, &field(1, b"tag"))),
            5 => summary.prop_map(|summary| field(5, &summary)),
        ])
    }

    type Seen = (u64, i64, Vec<(Vec<u8>, Option<Vec<u8>>, String)>);

    fn seen_by_us(outline: &Outline) -> Seen {
        let values = outline.values.iter().map(|value| {
            let content = match &value.content {
                Content::Tensor(t) => {
                    format!("{} {:?} {} {}", t.dtype, t.dims, t.unknown_rank, t.content_bytes)
                }
                Content::Image(_) => "Image".to_owned(),
                content => format!("{content:?}"),
            };
            (outline.tag(value).to_vec(), outline.plugin(value).map(<[u8]>::to_vec), content)
        });
        (outline.wall_time.to_bits(), outline.step, values.collect())
    }

    fn seen_by_prost(event: &proto::Event) -> Seen {
        use proto::{event::What, summary::value::Value};
        let summary = if let Some(What::Summary(summary)) = &event.what {
            summary.clone()
        } else {
            proto::Summary::default()
        };
        let values = summary.value.into_iter().map(|value| {
            let content = match value.value {
                None => "Empty".into(),
                Some(Value::SimpleValue(_)) => "Scalar".into(),
                Some(Value::ObsoleteOldStyleHistogram(_) | Value::Histo(_)) => "Histogram".into(),
                Some(Value::Audio(_)) => "Audio".into(),
                Some(Value::Image(_)) => "Image".into(),
                Some(Value::Tensor(t)) => {
                    let shape = t.tensor_shape.unwrap_or_default();
                    let dims: Vec<i64> = shape.dim.iter().map(|dim| dim.size).collect();
                    format!("{} {dims:?} {} {}", t.dtype, shape.unknown_rank, t.tensor_content.len())
                }
            };
            let tag = if value.tag.is_empty() { value.node_name } else { value.tag };
            // An empty name and none are the same on the wire.
            let plugin = value
                .metadata
                .and_then(|metadata| metadata.plugin_data)
                .map(|data| data.plugin_name.to_vec());
            (tag.to_vec(), plugin.filter(|name| !name.is_empty()), content)
        });
        (event.wall_time.to_bits(), event.step, values.collect())
    }

    fn without_empty_plugins(mut seen: Seen) -> Seen {
        for (_, plugin, _) in &mut seen.2 {
            *plugin = plugin.take().filter(|name| !name.is_empty());
        }
        seen
    }

    proptest! {
        #[test]
        fn hopping_agrees_with_prost(bytes in event()) {
            let expected = seen_by_prost(&proto::Event::decode(&*bytes).unwrap());
            let span = Span { at: 0, end: bytes.len() as u64 };
            let mut outline = Outline::default();
            outline.read(&mut &*bytes, span).unwrap();
            prop_assert_eq!(without_empty_plugins(seen_by_us(&outline)), expected.clone());

            let memory = Memory::default();
            memory.write("a.tfevents", &bytes);
            let path = memory.path("a.tfevents");
            outline.read(&mut Window::new(&memory, &path), span).unwrap();
            prop_assert_eq!(without_empty_plugins(seen_by_us(&outline)), expected);
        }

        #[test]
        fn arbitrary_bytes_are_malformed_for_both_or_for_none(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let span = Span { at: 0, end: bytes.len() as u64 };
            let ours = Outline::default().read(&mut &*bytes, span);
            // Contents are not read, so we may accept an event that prost refuses; never the other way round.
            if proto::Event::decode(&*bytes).is_ok() {
                prop_assert!(ours.is_ok());
            }
        }
    }
}
