//! The vocabulary of pictures: what a person may choose, parsed once and shared by command line, API and page.

mod channels;
mod error;
mod frame_list;
mod range;

pub use self::{channels::Channels, error::ChoiceError, frame_list::FrameList, range::Range};
use crate::model::layout::Layout;

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident, $option:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name that people choose it by.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Parses a name.
            ///
            /// # Errors
            /// Anything but the names, which the error lists.
            pub fn parse(text: &str) -> Result<Self, ChoiceError> {
                Self::ALL.iter().copied().find(|choice| choice.name() == text).ok_or_else(|| {
                    let allowed: Vec<&str> = Self::ALL.iter().map(|choice| choice.name()).collect();
                    ChoiceError::new($option, format!("\"{text}\" is not one of {}", allowed.join(", ")))
                })
            }
        }
    };
}

closed_set! {
    /// What a tile is.
    View, "view" {
        /// One tile a filter: colours for 3 input channels, a colour map for 1, else magnitudes.
        Filters = "filters",
        /// One tile a 2-D kernel: rows are input channels, columns output channels.
        Matrix = "matrix",
        /// One tile a filter, of one input channel.
        Slice = "slice",
        /// One tile a filter: the L2 norm over its input channels.
        Magnitude = "magnitude",
        /// One tile a filter: three non-negative factors over its input channels as red, green and blue.
        Components = "components",
        /// One tile a channel, of one sample.
        Maps = "maps",
        /// One tile a sample, of one channel; or in colour where there are 3.
        Samples = "samples",
        /// One tile a picture that the writer encoded, in its colours.
        Image = "image",
    }
}

closed_set! {
    /// Over what a range is taken.
    Scope, "scope" {
        /// Each tile by itself.
        Tile = "tile",
        /// The whole tensor at this step, also where only a part is drawn.
        Layer = "layer",
        /// The whole tensors of every step of the series.
        Run = "run",
    }
}

closed_set! {
    /// In which order the tiles stand. Each but `index` puts the greatest first, equal ones by their channel, and tiles
    /// without a finite number last. What is measured are the finite numbers that the tile shows.
    Order, "order" {
        /// By channel, or as the channels were chosen.
        Index = "index",
        /// By L2 norm.
        Norm = "norm",
        /// By mean.
        Mean = "mean",
        /// By the greatest number.
        Max = "max",
        /// By the share of zeros.
        Sparsity = "sparsity",
        /// By the change since the step before: norm(now - before) / norm(before).
        Change = "change",
        /// Beginning with the greatest norm, always the one most like the last: the greatest cosine.
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

/// What was asked for; what was not is `None` and takes the default of the tensor's role.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// What a tile is.
    pub view: Option<View>,
    /// Which numbers the colours' ends are.
    pub range: Option<Range>,
    /// Over what the range is taken.
    pub scope: Option<Scope>,
    /// The colours.
    pub cmap: Option<Cmap>,
    /// Which filters or maps are drawn.
    pub channels: Option<Channels>,
    /// Which frames of animated pictures are drawn.
    pub frames: Option<FrameList>,
    /// Which sample the maps are of.
    pub sample: Option<usize>,
    /// Which input channel `slice` shows.
    pub slice: Option<usize>,
    /// Columns of the sheet; at least 1.
    pub cols: Option<usize>,
    /// Pixels between and around the tiles, before zooming.
    pub gutter: Option<usize>,
    /// How many pixels wide and high each element is; at least 1.
    pub zoom: Option<usize>,
    /// Which axis is which, instead of what was concluded.
    pub layout: Option<Layout>,
    /// In which order the tiles stand.
    pub order: Option<Order>,
    /// What stands above each tile.
    pub labels: Option<Labels>,
    /// From one scale for the layer, 0, to one for each tile, 1.
    pub blend: Option<f64>,
}

/// The greatest zoom.
pub const LARGEST_ZOOM: usize = 64;
const WIDEST_GUTTER: usize = 64;

impl Choices {
    /// The names of all options.
    pub const OPTIONS: [&str; 15] = [
        "view", "range", "scope", "cmap", "channels", "frames", "sample", "slice", "cols", "gutter", "zoom",
        "layout", "order", "labels", "blend",
    ];

    /// Parses names and values; a name that comes twice counts as it came last.
    ///
    /// # Errors
    /// Names that are no options, and values that are not allowed.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ChoiceError> {
        let mut choices = Self::default();
        for (name, value) in pairs {
            choices.set(name, value)?;
        }
        Ok(choices)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ChoiceError> {
        match name {
            "view" => self.view = Some(View::parse(value)?),
            "range" => self.range = Some(Range::parse(value)?),
            "scope" => self.scope = Some(Scope::parse(value)?),
            "cmap" => self.cmap = Some(Cmap::parse(value)?),
            "channels" => self.channels = Some(Channels::parse(value)?),
            "frames" => self.frames = Some(FrameList::parse(value)?),
            "sample" => self.sample = Some(number("sample", value, 0, usize::MAX)?),
            "slice" => self.slice = Some(number("slice", value, 0, usize::MAX)?),
            "cols" => self.cols = Some(number("cols", value, 1, usize::MAX)?),
            "gutter" => self.gutter = Some(number("gutter", value, 0, WIDEST_GUTTER)?),
            "zoom" => self.zoom = Some(number("zoom", value, 1, LARGEST_ZOOM)?),
            "layout" => self.layout = Some(parse_layout(value)?),
            "order" => self.order = Some(Order::parse(value)?),
            "labels" => self.labels = Some(Labels::parse(value)?),
            "blend" => self.blend = Some(share("blend", value)?),
            _ => {
                let allowed = Self::OPTIONS.join(", ");
                return Err(ChoiceError::new("option", format!("\"{name}\" is none: there are {allowed}")));
            }
        }
        Ok(())
    }

    /// Whether the picture of one step hangs on other steps as well, so that it changes while a run is logged to.
    #[must_use]
    pub fn need_other_steps(&self) -> bool {
        self.scope == Some(Scope::Run) || self.order == Some(Order::Change)
    }

    /// The choices in a fixed order and spelling: equal texts for equal choices.
    #[must_use]
    pub fn canonical(&self) -> String {
        let Self {
            view,
            range,
            scope,
            cmap,
            channels,
            frames,
            sample,
            slice,
            cols,
            gutter,
            zoom,
            layout,
            order,
            labels,
            blend,
        } = self;
        let numbers =
            [("sample", sample), ("slice", slice), ("cols", cols), ("gutter", gutter), ("zoom", zoom)];
        let texts = [
            ("view", view.map(|view| view.name().to_owned())),
            ("range", range.map(Range::text)),
            ("scope", scope.map(|scope| scope.name().to_owned())),
            ("cmap", cmap.map(|cmap| cmap.name().to_owned())),
            ("channels", channels.as_ref().map(Channels::text)),
            ("frames", frames.as_ref().map(FrameList::text)),
            ("layout", layout.map(|layout| layout.name().to_owned())),
            ("order", order.map(|order| order.name().to_owned())),
            ("labels", labels.map(|labels| labels.name().to_owned())),
            ("blend", blend.map(|blend| blend.to_string())),
        ];
        let numbers = numbers.into_iter().filter_map(|(name, number)| Some(format!("{name}={}", (*number)?)));
        let texts = texts.into_iter().filter_map(|(name, text)| Some(format!("{name}={}", text?)));
        texts.chain(numbers).collect::<Vec<_>>().join("&")
    }
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
        let allowed: Vec<&str> = Layout::ALL.iter().map(|layout| layout.name()).collect();
        ChoiceError::new("layout", format!("\"{text}\" is not one of {}", allowed.join(", ")))
    })
}

fn share(option: &'static str, text: &str) -> Result<f64, ChoiceError> {
    match text.parse() {
        // Adding zero makes a plain zero of the negative one, which would be spelt otherwise.
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
