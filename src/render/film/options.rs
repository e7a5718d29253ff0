//! The options of a film: what it shows, which part of it, how fast, and the file format. Parsed once.

use std::num::NonZeroUsize;

use crate::{
    render::choices::{ChoiceError, OptionRow, OptionValue, closed_set},
    types::Step,
};

/// The form of a film's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilmFormat {
    /// Animated PNG: every pixel as it is on the sheet.
    Apng,
    /// GIF: at most 256 colours in the whole film; `super::palette` says which are merged.
    Gif,
    /// Animated WebP without loss: every pixel as it is on the sheet.
    WebP,
}

impl FilmFormat {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Apng, Self::Gif, Self::WebP];

    /// The names of all forms.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::ALL.map(Self::name).to_vec()
    }

    fn values() -> Vec<OptionValue> {
        Self::names().into_iter().map(|name| OptionValue { name, meaning: "" }).collect()
    }

    /// Its name, which is also the file's ending.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Apng => "apng",
            Self::Gif => "gif",
            Self::WebP => "webp",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Apng => "image/apng",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }

    /// The form of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Frames per hundred seconds: 10 to 6,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fps(u32);

impl Default for Fps {
    fn default() -> Self {
        Self(1_000)
    }
}

impl Fps {
    /// Parses a number from 0.1 to 60 with at most two digits after the point, so that no file format has to round the mean rate.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, ChoiceError> {
        let hundredths = text.parse::<f64>().ok().map(|fps| fps * 100.0);
        match hundredths {
            Some(n) if (10.0..=6_000.0).contains(&n) && (n - n.round()).abs() < 1e-6 => {
                Ok(Self(n.round() as u32))
            }
            _ => Err(ChoiceError::new(
                "fps",
                format!("\"{text}\" is no number from 0.1 to 60, as in 10 or 2.5"),
            )),
        }
    }

    /// Frames in a hundred seconds.
    #[must_use]
    pub fn in_hundred_seconds(self) -> u32 {
        self.0
    }

    /// How long a frame is shown, in units of 1/`parts` of a second. Rounding errors do not add up: each frame begins at most half
    /// a unit away from its exact time.
    #[must_use]
    pub fn delay(self, frame_idx: usize, parts: u64) -> u32 {
        let (fps, scale) = (u128::from(self.0), u128::from(parts) * 100);
        let start = |idx: usize| (2 * idx as u128 * scale + fps) / (2 * fps);
        u32::try_from(start(frame_idx + 1) - start(frame_idx)).unwrap_or(u32::MAX)
    }
}

closed_set! {
    /// What changes from one frame of a film to the next.
    Over, "over" {
        /// The steps of a series.
        Steps = "steps",
        /// The frames of the animated pictures of one step.
        Frames = "frames",
    }
}

closed_set! {
    /// What is written above the sheet of each frame.
    Stamp, "stamp" {
        /// Nothing.
        Nothing = "none",
        /// The step, in a strip of its own above the sheet.
        Step = "step",
        /// The number of the animation's frame, in the same place; only in films over frames.
        Frame = "frame",
    }
}

/// The value of `to` and `step` that means the newest step.
const LATEST: &str = "latest";

/// Defines each film option once. The command line, the API and its description come from this.
macro_rules! film_options {
    ($($name:ident: $type:ty = $initial:expr, $parse:expr, $values:expr, $default:literal, $help:literal;)+) => {
        /// What was asked for about a film; pictures have their own [`crate::render::choices::Choices`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct FilmChoices {
            $(#[doc = $help] pub $name: $type,)+
        }

        impl Default for FilmChoices {
            fn default() -> Self {
                Self { $($name: $initial,)+ }
            }
        }

        impl FilmChoices {
            /// All options.
            pub const OPTIONS: &[OptionRow] = &[$(OptionRow {
                name: stringify!($name), help: $help, values: $values, default: $default, fits: "films",
            }),+];

            fn set(&mut self, name: &str, value: &str) -> Result<(), ChoiceError> {
                match name {
                    $(stringify!($name) => self.$name = $parse(value)?,)+
                    _ => {
                        let message = format!("\"{name}\" is none: there are {}", Self::names().join(", "));
                        return Err(ChoiceError::new("option", message));
                    }
                }
                Ok(())
            }
        }
    };
}

film_options! {
    over: Over = Over::Steps, Over::parse, Over::values, "`steps`", "What goes on from frame to frame: the steps of a series, or the frames of the animated pictures of one step";
    step: Option<Step> = None, step, Vec::new, "`latest`", "Over frames, the step that was logged, or latest";
    from: Option<Step> = None, |text| whole("from", text), Vec::new, "the first", "The first step, which need not have been logged; over frames, the number of the first one, from 1 on";
    to: Option<Step> = None, to, Vec::new, "`latest`", "The last step, which need not have been logged, or latest; over frames, the number of the last one";
    every: NonZeroUsize = NonZeroUsize::MIN, every, Vec::new, "1", "Every Nth of the logged steps or frames in between is shown, the first among them";
    fps: Fps = Fps::default(), Fps::parse, Vec::new, "10", "Frames per second, 0.1 to 60";
    format: Option<FilmFormat> = None, format, FilmFormat::values, "`apng`", "The form of the file: apng and webp are without loss, gif has at most 256 colours";
    stamp: Stamp = Stamp::Nothing, Stamp::parse, Stamp::values, "`none`", "What is written into a strip above the sheet: the step, or over frames the number of the frame";
}

fn step(text: &str) -> Result<Option<Step>, ChoiceError> {
    step_or_latest("step", text)
}

fn to(text: &str) -> Result<Option<Step>, ChoiceError> {
    step_or_latest("to", text)
}

fn step_or_latest(option: &'static str, text: &str) -> Result<Option<Step>, ChoiceError> {
    if text == LATEST {
        return Ok(None);
    }
    let message = format!("\"{text}\" is neither a whole number nor latest");
    text.parse().map(Some).map_err(|_| ChoiceError::new(option, message))
}

fn whole(option: &'static str, text: &str) -> Result<Option<Step>, ChoiceError> {
    text.parse().map(Some).map_err(|_| ChoiceError::new(option, format!("\"{text}\" is no whole number")))
}

fn every(text: &str) -> Result<NonZeroUsize, ChoiceError> {
    text.parse().map_err(|_| ChoiceError::new("every", format!("\"{text}\" is no whole number from 1 on")))
}

fn format(text: &str) -> Result<Option<FilmFormat>, ChoiceError> {
    let message = || format!("\"{text}\" is not one of {}", FilmFormat::names().join(", "));
    FilmFormat::from_name(text).map(Some).ok_or_else(|| ChoiceError::new("format", message()))
}

impl FilmChoices {
    /// The names of all options.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::OPTIONS.iter().map(|option| option.name).collect()
    }

    /// Parses names and values. If a name comes twice, its last value counts.
    ///
    /// # Errors
    /// Names of which there is no option, values that are not allowed, a start after the end, and options that do not fit `over`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ChoiceError> {
        let mut choices = Self::default();
        for (name, value) in pairs {
            choices.set(name, value)?;
        }
        if let (Some(from), Some(to)) = (choices.from, choices.to)
            && from > to
        {
            return Err(ChoiceError::new("from", format!("{from} comes after to={to}: exchange the two")));
        }
        choices.check_over()?;
        Ok(choices)
    }

    fn check_over(&self) -> Result<(), ChoiceError> {
        let error = |option, message: &str| Err(ChoiceError::new(option, message));
        match self.over {
            Over::Steps if self.step.is_some() => error(
                "step",
                "a film over steps takes them by from and to; of one step alone it is over=frames",
            ),
            Over::Steps if self.stamp == Stamp::Frame => {
                error("stamp", "frame is written over frames alone: use step, or over=frames")
            }
            Over::Frames if self.from.is_some_and(|from| from < 1) => {
                error("from", "frames are numbered from 1 on")
            }
            Over::Frames if self.to.is_some_and(|to| to < 1) => error("to", "frames are numbered from 1 on"),
            _ => Ok(()),
        }
    }

    /// The file format; animated PNG if none was chosen.
    #[must_use]
    pub fn format(&self) -> FilmFormat {
        self.format.unwrap_or(FilmFormat::Apng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], expected: &str) {
        let error = FilmChoices::parse(pairs.iter().copied()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn errors_name_the_option_and_what_is_allowed() {
        check(&[("from", "9"), ("to", "-3")], "from: 9 comes after to=-3: exchange the two");
        check(&[("to", "end")], "to: \"end\" is neither a whole number nor latest");
        check(&[("every", "0")], "every: \"0\" is no whole number from 1 on");
        check(&[("fps", "61")], "fps: \"61\" is no number from 0.1 to 60, as in 10 or 2.5");
        check(&[("fps", "NaN")], "fps: \"NaN\" is no number from 0.1 to 60, as in 10 or 2.5");
        check(&[("format", "png")], "format: \"png\" is not one of apng, gif, webp");
        check(&[("stamp", "time")], "stamp: \"time\" is not one of none, step, frame");
        check(&[("over", "tiles")], "over: \"tiles\" is not one of steps, frames");
        check(&[("over", "frames"), ("step", "x")], "step: \"x\" is neither a whole number nor latest");
        check(&[("over", "frames"), ("from", "0")], "from: frames are numbered from 1 on");
        check(&[("stamp", "frame")], "stamp: frame is written over frames alone: use step, or over=frames");
        check(
            &[("step", "3")],
            "step: a film over steps takes them by from and to; of one step alone it is over=frames",
        );
    }

    #[test]
    fn rounded_delays_keep_the_pace() {
        let delays = |fps: &str, parts| {
            let fps = Fps::parse(fps).unwrap();
            (0..30).map(|idx| fps.delay(idx, parts)).collect::<Vec<_>>()
        };
        assert_eq!(delays("30", 100)[..6], [3, 4, 3, 3, 4, 3]);
        assert_eq!(delays("30", 100).iter().sum::<u32>(), 100);
        assert_eq!(delays("30", 1_000).iter().sum::<u32>(), 1_000);
        assert_eq!(delays("0.1", 1_000)[0], 10_000);
        assert_eq!(delays("2.5", 100), vec![40; 30]);
    }
}
