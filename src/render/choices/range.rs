//! Which numbers get the colours at the ends of the colour map.

use super::{error::ChoiceError, option_row::OptionValue};

/// Which two numbers are mapped to the ends of the colour map. NaN and infinities take no part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// The least and the greatest value.
    MinMax,
    /// -m to m, where m is the greatest absolute value: zero is the middle colour.
    Symmetric,
    /// The quantiles (1-P)/2 and (1+P)/2, interpolated linearly as by NumPy's default; P is above 0 and at most 1.
    Percentile(f64),
    /// The interval of IRAF's and astropy's `zscale`, with their defaults.
    ZScale,
    /// The mean minus and plus this number of standard deviations of the population; above 0 and finite.
    Std(f64),
    /// As given; finite, and the first below the second.
    Fixed(f64, f64),
    /// What TensorFlow 1's image operation does with each image separately.
    Tf1,
    /// What TensorFlow 2's image summary does: 0 to 1.
    Tf2,
}

impl Range {
    /// How ranges are written.
    pub const FORMS: [&str; 8] =
        ["minmax", "symmetric", "percentile:P", "zscale", "std:K", "fixed:LO:HI", "tf1", "tf2"];

    /// What each form means, in their order.
    const MEANINGS: [&str; 8] = [
        "From the least to the greatest number.",
        "From -m to m, where m is the greatest absolute number: zero has the middle colour.",
        "The share P of the numbers around their median; the numbers beyond are clipped.",
        "The interval that astropy's ZScaleInterval finds.",
        "The mean less and plus K standard deviations.",
        "Two numbers of your own.",
        "What TensorFlow 1's image summary writes: each tile is scaled by its own numbers.",
        "What TensorFlow 2's image summary writes: 0 to 1.",
    ];

    /// The forms as values of an option.
    #[must_use]
    pub fn values() -> Vec<OptionValue> {
        let values = Self::FORMS.into_iter().zip(Self::MEANINGS);
        values.map(|(name, meaning)| OptionValue { name, meaning }).collect()
    }

    /// One range of each form, in the order of the forms, with usual parameters.
    pub const USUAL: [Self; 8] = [
        Self::MinMax,
        Self::Symmetric,
        Self::Percentile(0.99),
        Self::ZScale,
        Self::Std(3.0),
        Self::Fixed(-1.0, 1.0),
        Self::Tf1,
        Self::Tf2,
    ];

    /// Its name, without parameters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MinMax => "minmax",
            Self::Symmetric => "symmetric",
            Self::Percentile(_) => "percentile",
            Self::ZScale => "zscale",
            Self::Std(_) => "std",
            Self::Fixed(..) => "fixed",
            Self::Tf1 => "tf1",
            Self::Tf2 => "tf2",
        }
    }

    /// Whether the middle of the range is zero.
    #[must_use]
    pub fn is_signed(self) -> bool {
        match self {
            Self::Symmetric => true,
            Self::Fixed(lo, hi) => lo + hi == 0.0,
            Self::MinMax | Self::Percentile(_) | Self::ZScale | Self::Std(_) | Self::Tf1 | Self::Tf2 => false,
        }
    }

    /// Whether it is one of TensorFlow's ranges, which scale each image separately and truncate where others round.
    #[must_use]
    pub fn is_tensorflow(self) -> bool {
        matches!(self, Self::Tf1 | Self::Tf2)
    }

    /// The range as it is written.
    #[must_use]
    pub fn text(self) -> String {
        let name = self.name();
        match self {
            Self::Percentile(number) | Self::Std(number) => format!("{name}:{number}"),
            Self::Fixed(lo, hi) => format!("{name}:{lo}:{hi}"),
            Self::MinMax | Self::Symmetric | Self::ZScale | Self::Tf1 | Self::Tf2 => name.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_usual_range_of_each_form() {
        for (form, usual) in Range::FORMS.into_iter().zip(Range::USUAL) {
            assert_eq!(form.split(':').next(), Some(usual.name()));
            assert_eq!(Range::parse(&usual.text()).unwrap(), usual);
        }
    }
}
