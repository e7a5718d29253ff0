//! The vocabulary of pictures: what a person may choose, parsed once and shared by command line, API and page.

use crate::model::layout::Layout;

/// Something that cannot be chosen, with what can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {message}")]
pub struct ChoiceError {
    /// The option's name.
    pub option: &'static str,
    /// What is wrong with the value and which values are allowed.
    pub message: String,
}

impl ChoiceError {
    /// An error about `option`.
    #[must_use]
    pub fn new(option: &'static str, message: impl Into<String>) -> Self {
        Self { option, message: message.into() }
    }
}

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

/// Which two numbers are mapped to the ends of the colour map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// The least and the greatest value.
    MinMax,
    /// -m to m, where m is the greatest absolute value: zero is the middle colour.
    Symmetric,
    /// As given; finite, and the first below the second.
    Fixed(f64, f64),
}

impl Range {
    /// How ranges are written.
    pub const FORMS: [&str; 3] = ["minmax", "symmetric", "fixed:LO:HI"];

    /// Whether its middle stands for zero.
    #[must_use]
    pub fn is_signed(self) -> bool {
        match self {
            Self::Symmetric => true,
            Self::MinMax => false,
            Self::Fixed(lo, hi) => lo + hi == 0.0,
        }
    }

    /// The range as it is written.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::MinMax => "minmax".to_owned(),
            Self::Symmetric => "symmetric".to_owned(),
            Self::Fixed(lo, hi) => format!("fixed:{lo}:{hi}"),
        }
    }

    /// Parses a range.
    ///
    /// # Errors
    /// Anything but the forms, which the error lists.
    pub fn parse(text: &str) -> Result<Self, ChoiceError> {
        let error = |why: &str| Err(ChoiceError::new("range", format!("\"{text}\" {why}")));
        let Some(ends) = text.strip_prefix("fixed:") else {
            return match text {
                "minmax" => Ok(Self::MinMax),
                "symmetric" => Ok(Self::Symmetric),
                _ => error(&format!("is not one of {}", Self::FORMS.join(", "))),
            };
        };
        match ends.split_once(':').map(|(lo, hi)| (lo.parse(), hi.parse())) {
            Some((Ok(lo), Ok(hi))) if f64::is_finite(lo) && f64::is_finite(hi) && lo < hi => {
                Ok(Self::Fixed(lo, hi))
            }
            Some((Ok(_), Ok(_))) => {
                error("needs two finite numbers, the smaller first, as in fixed:-0.5:0.5")
            }
            _ => error("needs two numbers, as in fixed:-0.5:0.5"),
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
}

/// The greatest zoom.
pub const LARGEST_ZOOM: usize = 64;
const WIDEST_GUTTER: usize = 64;

impl Choices {
    /// The names of all options.
    pub const OPTIONS: [&str; 14] = [
        "view", "range", "scope", "cmap", "channels", "sample", "slice", "cols", "gutter", "zoom", "layout",
        "order", "labels", "blend",
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
            "sample" => self.sample = Some(number("sample", value, 0, usize::MAX)?),
            "slice" => self.slice = Some(number("slice", value, 0, usize::MAX)?),
            "cols" => self.cols = Some(number("cols", value, 1, usize::MAX)?),
            "gutter" => self.gutter = Some(number("gutter", value, 0, WIDEST_GUTTER)?),
            "zoom" => self.zoom = Some(number("zoom", value, 1, LARGEST_ZOOM)?),
            "layout" => self.layout = Some(parse_layout(value)?),
            "order" => only("order", value, "index")?,
            "labels" => only("labels", value, "none")?,
            "blend" => only("blend", value, "0")?,
            _ => {
                let allowed = Self::OPTIONS.join(", ");
                return Err(ChoiceError::new("option", format!("\"{name}\" is none: there are {allowed}")));
            }
        }
        Ok(())
    }

    /// The choices in a fixed order and spelling: equal texts for equal choices.
    #[must_use]
    pub fn canonical(&self) -> String {
        let Self { view, range, scope, cmap, channels, sample, slice, cols, gutter, zoom, layout } = self;
        let numbers =
            [("sample", sample), ("slice", slice), ("cols", cols), ("gutter", gutter), ("zoom", zoom)];
        let texts = [
            ("view", view.map(|view| view.name().to_owned())),
            ("range", range.map(Range::text)),
            ("scope", scope.map(|scope| scope.name().to_owned())),
            ("cmap", cmap.map(|cmap| cmap.name().to_owned())),
            ("channels", channels.as_ref().map(Channels::text)),
            ("layout", layout.map(|layout| layout.name().to_owned())),
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

/// An option of the vocabulary of which this version knows one value.
fn only(option: &'static str, value: &str, allowed: &str) -> Result<(), ChoiceError> {
    if value == allowed {
        return Ok(());
    }
    Err(ChoiceError::new(
        option,
        format!("\"{value}\" is not supported by this version: leave it out or use {allowed}"),
    ))
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
        check(&[], Ok(""));
    }

    #[test]
    fn errors_name_the_option_and_what_is_allowed() {
        check(&[("scope", "world")], Err("scope: \"world\" is not one of tile, layer"));
        check(
            &[("range", "fixed:1:1")],
            Err("range: \"fixed:1:1\" needs two finite numbers, the smaller first, as in fixed:-0.5:0.5"),
        );
        check(&[("range", "log")], Err("range: \"log\" is not one of minmax, symmetric, fixed:LO:HI"));
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
