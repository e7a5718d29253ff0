//! The picture options: what a person may choose, parsed once and shared by command line, API and page.

mod channels;
mod closed_set;
pub(in crate::render) mod error;
mod frame_list;
pub mod option_row;
mod range;

pub(crate) use self::closed_set::closed_set;
pub use self::{
    channels::Channels,
    error::ChoiceError,
    frame_list::FrameList,
    option_row::{OptionRow, OptionValue},
    range::Range,
};
use crate::model::layout::Layout;

closed_set! {
    /// What a tile is.
    View, "view" {
        /// One tile per filter: colours for 3 input channels, a colour map for 1, otherwise magnitudes.
        Filters = "filters",
        /// One tile per 2-D kernel: rows are input channels, columns output channels.
        Matrix = "matrix",
        /// One tile per filter, of one input channel.
        Slice = "slice",
        /// One tile per filter: the L2 norm over its input channels.
        Magnitude = "magnitude",
        /// One tile per filter: three non-negative factors over its input channels as red, green and blue.
        Components = "components",
        /// One tile per channel, of one sample.
        Maps = "maps",
        /// One tile per sample, of one channel; or in colour where there are 3.
        Samples = "samples",
        /// One tile per picture that the writer encoded, in its colours.
        Image = "image",
    }
}

closed_set! {
    /// Over what a range is taken.
    Scope, "scope" {
        /// Each tile has its own range: shows the shape of each filter.
        Tile = "tile",
        /// One range for the whole tensor at this step, even if only a part is drawn: shows which filters are strong.
        Layer = "layer",
        /// One range for the tensors of all steps of the series: shows how the numbers grow.
        Run = "run",
    }
}

closed_set! {
    /// The order of the tiles. Tiles with equal measures are in the
    /// order of their channels, and tiles without a finite number come last. Only finite numbers are measured.
    Order, "order" {
        /// By channel, or as the channels were chosen.
        Index = "index",
        /// By L2 norm, the greatest first.
        Norm = "norm",
        /// By mean, the greatest first.
        Mean = "mean",
        /// By the greatest number of each tile, the greatest first.
        Max = "max",
        /// By the share of zeros, the greatest first.
        Sparsity = "sparsity",
        /// By the change since the step before, norm(now - before) / norm(before), the greatest first.
        Change = "change",
        /// Begins with the greatest norm; the next tile is always the one with the greatest cosine to the last one.
        Similarity = "similarity",
    }
}

closed_set! {
    /// What stands above each tile.
    Labels, "labels" {
        /// Nothing.
        None = "none",
        /// The channel's number; in the view `matrix` the input and the output channel's.
        Index = "index",
    }
}

closed_set! {
    /// Which colour a level has.
    Cmap, "cmap" {
        /// Black to white.
        Gray = "gray",
        /// matplotlib's `viridis`.
        Viridis = "viridis",
        /// matplotlib's `magma`.
        Magma = "magma",
        /// matplotlib's `inferno`.
        Inferno = "inferno",
        /// matplotlib's `plasma`.
        Plasma = "plasma",
        /// matplotlib's `cividis`.
        Cividis = "cividis",
        /// matplotlib's `turbo`.
        Turbo = "turbo",
        /// matplotlib's `RdBu`.
        RdBu = "rdbu",
        /// matplotlib's `PuOr`.
        PuOr = "puor",
        /// matplotlib's `BrBG`.
        BrBg = "brbg",
        /// matplotlib's `coolwarm`.
        Coolwarm = "coolwarm",
        /// Three channels as red, green and blue.
        Rgb = "rgb",
    }
}

/// Defines each picture option once. The command line, the API, its description, `/api/v1/options` and the table in the
/// documentation come from this.
macro_rules! picture_options {
    ($($name:ident: $type:ty {
        help: $help:literal,
        values: $values:expr,
        default: $default:literal,
        fits: $fits:literal,
        parse: $parse:expr,
        text: $text:expr,
    })+) => {
        /// What was asked for; what was not is `None` and takes the default of the tensor's role.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Choices {
            $(#[doc = $help] pub $name: Option<$type>,)+
        }

        impl Choices {
            /// All options, in the order of [`Self::canonical`].
            pub const OPTIONS: &[OptionRow] = &[$(OptionRow {
                name: stringify!($name), help: $help, values: $values, default: $default, fits: $fits,
            }),+];

            fn set(&mut self, name: &str, value: &str) -> Result<(), ChoiceError> {
                match name {
                    $(stringify!($name) => self.$name = Some($parse(value)?),)+
                    _ => {
                        let message = format!("\"{name}\" is none: there are {}", Self::names().join(", "));
                        return Err(ChoiceError::new("option", message));
                    }
                }
                Ok(())
            }

            /// The choices in a fixed order and spelling: equal texts for equal choices.
            #[must_use]
            pub fn canonical(&self) -> String {
                let mut parts = Vec::new();
                $({
                    let text: fn(&$type) -> String = $text;
                    parts.extend(self.$name.as_ref().map(|value| format!("{}={}", stringify!($name), text(value))));
                })+
                parts.join("&")
            }
        }
    };
}

picture_options! {
    view: View {
        help: "What a tile is",
        values: View::values,
        default: "kernels `filters`, of dense layers `matrix`; activations `maps`; inputs `samples`; pictures `image`",
        fits: "kernels: `filters`, `matrix`, `slice`, `magnitude`, and from 3 input channels on `components`; depthwise kernels: `filters`, `matrix`; dense layers: `matrix`; activations and inputs: `maps`, `samples`; pictures: `image`, `maps`",
        parse: View::parse,
        text: |view| view.name().to_owned(),
    }
    range: Range {
        help: "The numbers at the ends of the colours",
        values: Range::values,
        default: "kernels `symmetric`; pictures `fixed:0:255`; activations and magnitudes `minmax`",
        fits: "everything",
        parse: Range::parse,
        text: |range| range.text(),
    }
    scope: Scope {
        help: "Over what the range is taken: each tile, the whole tensor, or the tensors of all steps",
        values: Scope::values,
        default: "`layer`; with the ranges `tf1` and `tf2`, `tile`",
        fits: "everything; with the ranges `tf1` and `tf2`, `tile`",
        parse: Scope::parse,
        text: |scope| scope.name().to_owned(),
    }
    cmap: Cmap {
        help: "The colours",
        values: Cmap::values,
        default: "`rgb` where it fits; otherwise kernels `rdbu`, magnitudes and activations `viridis`, inputs and pictures `gray`",
        fits: "everything; `rgb` with 3 channels in a tile: kernels of 3 input channels as `filters`, colours as `samples` or `image`, and `components`, which has no other",
        parse: Cmap::parse,
        text: |cmap| cmap.name().to_owned(),
    }
    channels: Channels {
        help: "Filters or maps, as in 0-15,20",
        values: Vec::new,
        default: "all",
        fits: "all but dense layers; in `samples` and `image` one channel",
        parse: Channels::parse,
        text: Channels::text,
    }
    frames: FrameList {
        help: "Frames of animated pictures, from 1 on, as in 1-64,80 or 1-300/4",
        values: Vec::new,
        default: "all, or every Nth where these are too many for a sheet",
        fits: "animated pictures",
        parse: FrameList::parse,
        text: FrameList::text,
    }
    layout: Layout {
        help: "Which axis is which, instead of what was concluded",
        values: || layouts().into_iter().map(|name| OptionValue { name, meaning: "" }).collect(),
        default: "as concluded",
        fits: "layouts with as many letters as the tensor has axes",
        parse: parse_layout,
        text: |layout| layout.name().to_owned(),
    }
    order: Order {
        help: "In which order the tiles stand",
        values: Order::values,
        default: "`index`",
        fits: "everything; in `matrix`, `index`; in `components` all but `change`",
        parse: Order::parse,
        text: |order| order.name().to_owned(),
    }
    labels: Labels {
        help: "What stands above each tile: nothing, or the number of its channel",
        values: Labels::values,
        default: "`none`",
        fits: "everything",
        parse: Labels::parse,
        text: |labels| labels.name().to_owned(),
    }
    blend: f64 {
        help: "From the layer's scale, 0, to each tile's own, 1",
        values: Vec::new,
        default: "0",
        fits: "the scope `layer`, and all ranges but `fixed`, `tf1` and `tf2`",
        parse: |text| share("blend", text),
        text: f64::to_string,
    }
    sample: usize {
        help: "The sample whose maps are drawn, from 0 on",
        values: Vec::new,
        default: "0",
        fits: "the view `maps`",
        parse: |text| number("sample", text, 0, usize::MAX),
        text: usize::to_string,
    }
    slice: usize {
        help: "The input channel that the view slice shows, from 0 on",
        values: Vec::new,
        default: "0",
        fits: "the view `slice`",
        parse: |text| number("slice", text, 0, usize::MAX),
        text: usize::to_string,
    }
    cols: usize {
        help: "Columns of the sheet",
        values: Vec::new,
        default: "as many as make it nearly square",
        fits: "all views but `matrix`",
        parse: |text| number("cols", text, 1, usize::MAX),
        text: usize::to_string,
    }
    gutter: usize {
        help: "Pixels between and around the tiles, 0 to 64",
        values: Vec::new,
        default: "1",
        fits: "everything",
        parse: |text| number("gutter", text, 0, WIDEST_GUTTER),
        text: usize::to_string,
    }
    zoom: usize {
        help: "Pixels per element, 1 to 64",
        values: Vec::new,
        default: "1",
        fits: "everything",
        parse: |text| number("zoom", text, 1, LARGEST_ZOOM),
        text: usize::to_string,
    }
}

/// The greatest zoom.
pub const LARGEST_ZOOM: usize = 64;
const WIDEST_GUTTER: usize = 64;

impl Choices {
    /// The names of all options.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::OPTIONS.iter().map(|option| option.name).collect()
    }

    /// Parses names and values. If a name comes twice, its last value counts.
    ///
    /// # Errors
    /// Names of which there is no option, and values that are not allowed.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ChoiceError> {
        let mut choices = Self::default();
        for (name, value) in pairs {
            choices.set(name, value)?;
        }
        Ok(choices)
    }

    /// Whether the picture of one step depends on other steps too, so that it changes while a run is still being logged.
    #[must_use]
    pub fn need_other_steps(&self) -> bool {
        self.scope == Some(Scope::Run) || self.order == Some(Order::Change)
    }
}

fn layouts() -> Vec<&'static str> {
    Layout::ALL.iter().map(|layout| layout.name()).collect()
}

fn number(option: &'static str, text: &str, least: usize, greatest: usize) -> Result<usize, ChoiceError> {
    match text.parse() {
        Ok(number) if (least..=greatest).contains(&number) => Ok(number),
        _ if greatest == usize::MAX => {
            Err(ChoiceError::new(option, format!("\"{text}\" is no whole number from {least} on")))
        }
        _ => {
            Err(ChoiceError::new(option, format!("\"{text}\" is no whole number from {least} to {greatest}")))
        }
    }
}

fn parse_layout(text: &str) -> Result<Layout, ChoiceError> {
    Layout::from_name(text).ok_or_else(|| {
        ChoiceError::new("layout", format!("\"{text}\" is not one of {}", layouts().join(", ")))
    })
}

fn share(option: &'static str, text: &str) -> Result<f64, ChoiceError> {
    match text.parse() {
        // Adding zero turns the negative zero into zero, because the two are written differently.
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share + 0.0),
        _ => Err(ChoiceError::new(option, format!("\"{text}\" is no number from 0 to 1"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], expected: Result<&str, &str>) {
        let parsed = Choices::parse(pairs.iter().copied());
        let text = parsed.as_ref().map(Choices::canonical).map_err(ToString::to_string);
        assert_eq!(text.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn choices_have_one_spelling() {
        check(
            &[("zoom", "2"), ("view", "filters"), ("layout", "oihw")],
            Ok("view=filters&layout=OIHW&zoom=2"),
        );
        check(
            &[("range", "fixed:-1:0.50"), ("channels", "3,0 - 2")],
            Ok("range=fixed:-1:0.5&channels=3,0-2"),
        );
        check(
            &[("range", "percentile:0.990"), ("blend", "-0"), ("order", "norm"), ("labels", "index")],
            Ok("range=percentile:0.99&order=norm&labels=index&blend=0"),
        );
        check(&[("range", "std:3.0"), ("scope", "run")], Ok("range=std:3&scope=run"));
        check(&[], Ok(""));
    }

    #[test]
    fn errors_name_the_option_and_what_is_allowed() {
        check(&[("scope", "world")], Err("scope: \"world\" is not one of tile, layer, run"));
        check(
            &[("range", "fixed:1:1")],
            Err("range: \"fixed:1:1\" needs two finite numbers, the smaller first, as in fixed:-0.5:0.5"),
        );
        check(
            &[("range", "log")],
            Err(
                "range: \"log\" is not one of minmax, symmetric, percentile:P, zscale, std:K, fixed:LO:HI, tf1, tf2",
            ),
        );
        check(
            &[("range", "percentile:99")],
            Err(
                "range: \"percentile:99\" needs the share that is kept, above 0 and at most 1, as in percentile:0.99",
            ),
        );
        check(
            &[("range", "std:-1")],
            Err("range: \"std:-1\" needs a number of standard deviations above 0, as in std:3"),
        );
        check(&[("blend", "1.5")], Err("blend: \"1.5\" is no number from 0 to 1"));
        check(
            &[("order", "size")],
            Err("order: \"size\" is not one of index, norm, mean, max, sparsity, change, similarity"),
        );
        check(&[("zoom", "0")], Err("zoom: \"0\" is no whole number from 1 to 64"));
        check(
            &[("channels", "5-2")],
            Err("channels: \"5-2\" is no list of numbers and ranges such as 0-15,20"),
        );
    }
}
