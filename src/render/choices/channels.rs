//! Numbers of channels as a person writes them, such as `0-15,20`.

use super::error::ChoiceError;

/// A choice of channels, in the order in which they were written, without repetitions.
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
    /// Channels that do not exist.
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

    pub(super) fn text(&self) -> String {
        let parts = self
            .0
            .iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
        parts.collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_keep_their_order_and_come_once() {
        let channels = Channels::parse("4,0-2,1").unwrap();
        assert_eq!(channels.of(5).unwrap(), [4, 0, 1, 2]);
        assert_eq!(channels.of(3).unwrap_err().message, "there is no channel 4: 0 to 2 are there");
        assert!(Channels::parse("0-18446744073709551615").unwrap().of(3).is_err());
    }
}
