//! The picture options: what a person may choose, parsed once and shared by command line, API and page.

mod error;
mod frame_list;

pub use self::{error::ChoiceError, frame_list::FrameList};
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

/// Which two numbers are mapped to the ends of the colour map. NaN and infinities take no part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// The least and the greatest value.
    MinMax,
    /// -m to m, where m is the greatest absolute value: zero is the middle colour.
    Symmetric,
    /// The quantiles (1-P)/2 and (1+P)/2, linear between the values, as NumPy's default has it; P is above 0 and at most 1.
    Percentile(f64),
    /// The interval of IRAF's and astropy's `zscale`, with their defaults.
    ZScale,
    /// The mean less and plus so many standard deviations of the population; above 0 and finite.
    Std(f64),
    /// As given; finite, and the first below the second.
    Fixed(f64, f64),
    /// What TensorFlow 1's image operation does to each image by itself.
    Tf1,
    /// What TensorFlow 2's image summary does: 0 to 1.
    Tf2,
}

impl Range {
    /// How ranges are written.
    pub const FORMS: [&str; 8] =
        ["minmax", "symmetric", "percentile:P", "zscale", "std:K", "fixed:LO:HI", "tf1", "tf2"];

    /// Whether its middle stands for zero.
    #[must_use]
    pub fn is_signed(self) -> bool {
        match self {
            Self::Symmetric => true,
            Self::Fixed(lo, hi) => lo + hi == 0.0,
            Self::MinMax | Self::Percentile(_) | Self::ZScale | Self::Std(_) | Self::Tf1 | Self::Tf2 => false,
        }
    }

    /// Whether it is one of TensorFlow's, which scale each image by themselves and cut where others round.
    #[must_use]
    pub fn is_tensorflow(self) -> bool {
        matches!(self, Self::Tf1 | Self::Tf2)
    }

    /// The range as it is written.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::MinMax => "minmax".to_owned(),
            Self::Symmetric => "symmetric".to_owned(),
            Self::Percentile(share) => format!("percentile:{share}"),
            Self::ZScale => "zscale".to_owned(),
            Self::Std(times) => format!("std:{times}"),
            Self::Fixed(lo, hi) => format!("fixed:{lo}:{hi}"),
            Self::Tf1 => "tf1".to_owned(),
            Self::Tf2 => "tf2".to_owned(),
        }
    }

    /// Parses a range.
    ///
    /// # Errors
    /// Anything but the forms, which the error lists.
    pub fn parse(text: &str) -> Result<Self, ChoiceError> {
        let error = |why: &str| Err(ChoiceError::new("range", format!("\"{text}\" {why}")));
        let (form, numbers) = text.split_once(':').unwrap_or((text, ""));
        let one = || numbers.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
        match (form, text == form) {
            ("minmax", true) => Ok(Self::MinMax),
            ("symmetric", true) => Ok(Self::Symmetric),
            ("zscale", true) => Ok(Self::ZScale),
            ("tf1", true) => Ok(Self::Tf1),
            ("tf2", true) => Ok(Self::Tf2),
            ("percentile", _) => match one() {
                Some(share) if share <= 1.0 => Ok(Self::Percentile(share)),
                _ => error("needs the share that is kept, above 0 and at most 1, as in percentile:0.99"),
            },
            ("std", _) => match one() {
                Some(times) => Ok(Self::Std(times)),
                None => error("needs a number of standard deviations above 0, as in std:3"),
            },
            ("fixed", _) => match numbers.split_once(':').map(|(lo, hi)| (lo.parse(), hi.parse())) {
                Some((Ok(lo), Ok(hi))) if f64::is_finite(lo) && f64::is_finite(hi) && lo < hi => {
                    Ok(Self::Fixed(lo, hi))
                }
                Some((Ok(_), Ok(_))) => {
                    error("needs two finite numbers, the smaller first, as in fixed:-0.5:0.5")
                }
                _ => error("needs two numbers, as in fixed:-0.5:0.5"),
            },
            _ => error(&format!("is not one of {}", Self::FORMS.join(", "))),
        }
    }
}

/// A choice of channels, in the order in which they were written, without doubles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels(Vec<(usize, usize)>);

impl Channels {
    /// Parses numbers and ranges such as `0-15,20`; both ends of a range are included.
    ///
    /// # Errors
    /// Anything else, and ranges that run backwards.
    pub fn parse(text: &str) -> Result<Self, ChoiceError> {
        let part = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first <= last).then_some((first, last))
        };
        let parts: Option<Vec<_>> = text.split(',').map(part).collect();
        parts.map(Self).ok_or_else(|| {
            ChoiceError::new(
                "channels",
                format!("\"{text}\" is no list of numbers and ranges such as 0-15,20"),
            )
        })
    }

    /// The chosen ones of `n` channels.
    ///
    /// # Errors
    /// Channels that are not there.
    pub fn of(&self, n: usize) -> Result<Vec<usize>, ChoiceError> {
        let mut chosen = Vec::new();
        let mut seen = vec![false; n];
        for &(first, last) in &self.0 {
            if last >= n {
                let there = n.saturating_sub(1);
                return Err(ChoiceError::new(
                    "channels",
                    format!("there is no channel {last}: 0 to {there} are there"),
                ));
            }
            for (channel, seen) in seen.iter_mut().enumerate().take(last + 1).skip(first) {
                if !std::mem::replace(seen, true) {
                    chosen.push(channel);
                }
            }
        }
        Ok(chosen)
    }

    fn text(&self) -> String {
        let parts = self
            .0
            .iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
        parts.collect::<Vec<_>>().join(",")
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

    #[test]
    fn channels_keep_their_order_and_come_once() {
        let channels = Channels::parse("4,0-2,1").unwrap();
        assert_eq!(channels.of(5).unwrap(), [4, 0, 1, 2]);
        assert_eq!(channels.of(3).unwrap_err().message, "there is no channel 4: 0 to 2 are there");
        assert!(Channels::parse("0-18446744073709551615").unwrap().of(3).is_err());
    }
}
