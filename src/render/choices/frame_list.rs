//! Numbers of frames as a person writes them, such as `1-64,80` or `1-300/4`.

use super::error::ChoiceError;

/// A choice of an animation's frames, whose numbers are from 1 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameList(Vec<Stretch>);

/// From the first to the last, both included, every Nth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    first: usize,
    last: usize,
    every: usize,
}

impl FrameList {
    /// Parses numbers, ranges and ranges with a stride, with commas between them.
    ///
    /// # Errors
    /// Anything else, the number 0, and ranges that run backwards.
    pub fn parse(text: &str) -> Result<Self, ChoiceError> {
        let stretches: Option<Vec<Stretch>> = text.split(',').map(Stretch::parse).collect();
        stretches.map(Self).ok_or_else(|| {
            let why = "is no list of numbers from 1 on, ranges, and ranges with a stride such as 1-64,80 or 1-300/4";
            ChoiceError::new("frames", format!("\"{text}\" {why}"))
        })
    }

    /// Whether the frame of this number is chosen.
    #[must_use]
    pub fn holds(&self, number: usize) -> bool {
        self.0.iter().any(|stretch| stretch.holds(number))
    }

    /// The greatest number that is named.
    #[must_use]
    pub fn greatest(&self) -> usize {
        self.0.iter().map(|stretch| stretch.last).max().unwrap_or(0)
    }

    pub(super) fn text(&self) -> String {
        self.0.iter().map(|stretch| stretch.text()).collect::<Vec<_>>().join(",")
    }
}

impl Stretch {
    fn parse(text: &str) -> Option<Self> {
        let (range, every) = text.split_once('/').unwrap_or((text, "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.trim().parse().ok().filter(|number| *number >= 1);
        let (first, last, every) = (number(first)?, number(last)?, number(every)?);
        (first <= last).then_some(Self { first, last, every })
    }

    fn holds(self, number: usize) -> bool {
        (self.first..=self.last).contains(&number) && (number - self.first).is_multiple_of(self.every)
    }

    fn text(self) -> String {
        let Self { first, last, every } = self;
        match (first == last, every) {
            (true, _) => first.to_string(),
            (false, 1) => format!("{first}-{last}"),
            (false, _) => format!("{first}-{last}/{every}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[usize], &str>) {
        let list = FrameList::parse(text);
        let chosen = list.map(|list| (1..=20).filter(|number| list.holds(*number)).collect::<Vec<_>>());
        assert_eq!(chosen.as_deref().map_err(|error| error.option), expected, "{text}");
    }

    #[test]
    fn numbers_ranges_and_strides_choose() {
        check("3", Ok(&[3]));
        check("2-4,9", Ok(&[2, 3, 4, 9]));
        check("1-20/6, 2", Ok(&[1, 2, 7, 13, 19]));
        check("4-4/9", Ok(&[4]));
        for text in ["", "0", "0-3", "4-2", "1-4/0", "-1", "a", "1:4"] {
            check(text, Err("frames"));
        }
    }
}
