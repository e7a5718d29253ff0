//! Which colour each code has. A sheet is drawn as codes without colours, and colours are applied last. Therefore another colour
//! map does not require drawing again.

use crate::render::{
    choices::{Cmap, Range},
    colormap::{BAD, CodeColors, NAN, NEG_INF, POS_INF, colors, colors_of_codes},
};

/// How codes become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Paint {
    /// The colour map; [`Cmap::Rgb`] if three levels are the colour, so that there is no map.
    pub cmap: Cmap,
    /// What shows numbers that are not finite.
    pub non_finite: NonFinite,
}

/// The colours of numbers that are not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NonFinite {
    /// Special colours that are in no colour map.
    Marked,
    /// As TensorFlow 1's image operation writes one channel: white.
    White,
    /// As TensorFlow 2's conversion writes them: NaN and minus infinity as level 0, infinity as level 255.
    Levels,
}

impl Paint {
    /// The paint of a colour map. The ranges `tf1` and `tf2` give exactly what TensorFlow's operations write; these support grey
    /// and RGB but no colour maps.
    #[must_use]
    pub fn new(cmap: Cmap, range: Range) -> Self {
        let non_finite = match (range, cmap) {
            (Range::Tf1, Cmap::Gray) => NonFinite::White,
            (Range::Tf2, Cmap::Gray | Cmap::Rgb) => NonFinite::Levels,
            _ => NonFinite::Marked,
        };
        Self { cmap, non_finite }
    }

    /// The colour of each code; levels are grey if the colour map is [`Cmap::Rgb`].
    #[must_use]
    pub fn colors(&self) -> CodeColors {
        let levels = colors(self.cmap).unwrap_or_else(|| std::array::from_fn(|level| [level as u8; 3]));
        let mut colors = colors_of_codes(&levels);
        match self.non_finite {
            NonFinite::Marked => {}
            NonFinite::White => colors[usize::from(BAD)] = levels[255],
            NonFinite::Levels => {
                colors[usize::from(NAN)] = levels[0];
                colors[usize::from(NEG_INF)] = levels[0];
                colors[usize::from(POS_INF)] = levels[255];
            }
        }
        colors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::colormap::SPECIAL;

    #[test]
    fn what_is_not_finite_has_the_colours_of_tensorflow_under_its_ranges_in_grey() {
        let of = |range, cmap| {
            let colors = Paint::new(cmap, range).colors();
            [NAN, POS_INF, NEG_INF, BAD].map(|code| colors[usize::from(code)])
        };
        let [nan, pos_inf, neg_inf, _, bad, _] = SPECIAL;
        assert_eq!(of(Range::MinMax, Cmap::Gray), [nan, pos_inf, neg_inf, bad]);
        assert_eq!(of(Range::Tf1, Cmap::Gray)[3], [255; 3]);
        assert_eq!(of(Range::Tf1, Cmap::Magma)[3], bad);
        assert_eq!(of(Range::Tf2, Cmap::Gray)[..3], [[0; 3], [255; 3], [0; 3]]);
        assert_eq!(of(Range::Tf2, Cmap::Viridis)[..3], [nan, pos_inf, neg_inf]);
    }
}
