//! What a film can show -> at most 256 colours for all its frames, and the index of each code or colour among them.
//!
//! A colour map has 256 levels; NaN, both infinities, the gutter, what TensorFlow calls bad, and letters have separate
//! colours. If these are more than 256 different colours, PNG is written without a palette and loses nothing. GIF needs a
//! palette. Therefore neighbouring levels with the most similar colours (by squared distance in RGB; among equals the lowest
//! levels) are merged into the colour of the lower one: at most 6 pairs, no level twice, and never the levels 0 and 128, which
//! are the levels of zero under unsigned and signed ranges.
//!
//! In GIF, films with the colour map `rgb` are rounded to 7 reds, 7 greens and 5 blues at equal distances. The counts are odd so
//! that middle grey, which is zero, is not changed. Pixels without data keep their colours.

use std::ops::RangeInclusive;

use crate::render::colormap::{CODES, Code, CodeColors, NAN, Rgb, SPECIAL};

/// The codes that can occur in the frames of a film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossibleCodes {
    /// The levels of finite numbers.
    pub levels: RangeInclusive<u8>,
    /// Which other codes can occur.
    pub others: Vec<Code>,
}

/// Colours, and the index of each code's colour.
#[derive(Clone, Debug)]
pub struct Palette {
    colors: Vec<Rgb>,
    index_of_code: [u8; CODES],
}

/// How codes are written: as positions in the palette if there is one, otherwise as the colour of each code.
#[derive(Clone, Debug)]
pub struct Coloring {
    /// All colours that the film shows, if they are at most 256.
    pub palette: Option<Palette>,
    /// The colour of each code.
    pub colors: Box<CodeColors>,
}

/// The most colours of a palette.
pub const PLACES: usize = 256;
/// The levels of zero: under a range without negative numbers, and under a symmetric one.
const ZERO_LEVELS: [Code; 2] = [0, 128];

impl PossibleCodes {
    /// All codes that a sheet can have.
    #[must_use]
    pub fn everything() -> Self {
        Self { levels: 0..=255, others: (NAN..CODES as Code).collect() }
    }

    fn codes(&self) -> impl Iterator<Item = Code> {
        self.levels.clone().map(Code::from).chain(self.others.iter().copied())
    }
}

impl Palette {
    /// A palette that loses nothing; `None` if there are more than 256 different colours.
    #[must_use]
    pub fn lossless(colors: &CodeColors, possible: &PossibleCodes) -> Option<Self> {
        let palette = Self::merging(colors, possible, &[]);
        (palette.colors.len() <= PLACES).then_some(palette)
    }

    /// A palette with as few merged levels as possible.
    #[must_use]
    pub fn merged(colors: &CodeColors, possible: &PossibleCodes) -> Self {
        let distance = |low: Code| {
            let [a, b] = [low, low + 1].map(|code| colors[usize::from(code)].map(i32::from));
            a.iter().zip(b).map(|(a, b)| (a - b).pow(2)).sum::<i32>()
        };
        let (first, last) = (Code::from(*possible.levels.start()), Code::from(*possible.levels.end()));
        let mut pairs: Vec<Code> = (first..last)
            .filter(|low| distance(*low) > 0)
            .filter(|low| ZERO_LEVELS.iter().all(|zero| zero != low && *zero != low + 1))
            .collect();
        pairs.sort_by_key(|low| distance(*low));
        let mut merged: Vec<Code> = Vec::new();
        let mut palette = Self::merging(colors, possible, &merged);
        for low in pairs {
            if palette.colors.len() <= PLACES {
                break;
            }
            if merged.iter().all(|other| other.abs_diff(low) > 1) {
                merged.push(low);
                palette = Self::merging(colors, possible, &merged);
            }
        }
        palette
    }

    /// Gives the level above each of `lower` the colour of its lower neighbour.
    fn merging(colors: &CodeColors, possible: &PossibleCodes, lower: &[Code]) -> Self {
        let mut of_codes = *colors;
        for low in lower {
            of_codes[usize::from(low + 1)] = of_codes[usize::from(*low)];
        }
        let mut palette = Self { colors: Vec::new(), index_of_code: [0; CODES] };
        for code in possible.codes() {
            let color = of_codes[usize::from(code)];
            let known = palette.colors.iter().position(|known| *known == color);
            let index = known.unwrap_or(palette.colors.len());
            if known.is_none() {
                palette.colors.push(color);
            }
            palette.index_of_code[usize::from(code)] = index as u8;
        }
        palette
    }

    /// The colours one after the other, 3 bytes each.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.colors.as_flattened()
    }

    /// The index of each code's colour.
    #[must_use]
    pub fn indices(&self, codes: &[Code]) -> Vec<u8> {
        codes.iter().map(|code| self.index_of_code[usize::from(*code)]).collect()
    }
}

const REDS: usize = 7;
const GREENS: usize = 7;
const BLUES: usize = 5;

/// The colours to which RGB pixels are rounded, blue changing fastest, followed by the colours of pixels without data.
#[must_use]
pub fn rounded_colors() -> Vec<Rgb> {
    let tone = |idx: usize, count: usize| (2 * 255 * idx + count - 1) / (2 * (count - 1));
    let cube = (0..REDS * GREENS * BLUES).map(|at| {
        let [r, g, b] = [at / BLUES / GREENS, at / BLUES % GREENS, at % BLUES];
        [tone(r, REDS), tone(g, GREENS), tone(b, BLUES)].map(|tone| tone as u8)
    });
    cube.chain(SPECIAL).collect()
}

/// The index of the colour to which an RGB pixel is rounded.
#[must_use]
pub fn rounded_index(color: Rgb) -> u8 {
    if let Some(special) = SPECIAL.iter().position(|special| *special == color) {
        return (REDS * GREENS * BLUES + special) as u8;
    }
    let nearest = |tone: u8, count: usize| (2 * usize::from(tone) * (count - 1) + 255) / (2 * 255);
    let [r, g, b] = color;
    ((nearest(r, REDS) * GREENS + nearest(g, GREENS)) * BLUES + nearest(b, BLUES)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{
        choices::{Cmap, Range},
        colormap::{GUTTER, LABEL, NEG_INF, POS_INF},
        plan::Paint,
    };

    fn of(cmap: Cmap) -> CodeColors {
        Paint::new(cmap, Range::MinMax).colors()
    }

    fn shown(others: &[Code]) -> PossibleCodes {
        PossibleCodes { levels: 0..=255, others: others.to_vec() }
    }

    /// Levels that share a colour although the map has two colours for them.
    fn merged_levels(cmap: Cmap, others: &[Code]) -> Vec<Code> {
        let table = of(cmap);
        let palette = Palette::merged(&table, &shown(others));
        let color = |code: Code| palette.colors[usize::from(palette.index_of_code[usize::from(code)])];
        (0..CODES as Code)
            .filter(|code| shown(others).codes().any(|c| c == *code))
            .filter(|code| color(*code) != table[usize::from(*code)])
            .collect()
    }

    #[test]
    fn a_palette_that_loses_nothing_is_taken_where_there_is_one() {
        // matplotlib's viridis has 254 different colours, its cividis 253 and its magma 256.
        assert!(Palette::lossless(&of(Cmap::Viridis), &shown(&[GUTTER, LABEL])).is_some());
        assert!(Palette::lossless(&of(Cmap::Cividis), &shown(&[GUTTER, LABEL, NAN])).is_some());
        assert!(Palette::lossless(&of(Cmap::Magma), &shown(&[GUTTER])).is_none());
        let few = PossibleCodes { levels: 20..=255, others: vec![NAN, POS_INF, NEG_INF, GUTTER, LABEL] };
        assert!(Palette::lossless(&of(Cmap::Magma), &few).is_some());
        assert!(Palette::lossless(&of(Cmap::Gray), &shown(&[])).is_some());
    }

    #[test]
    fn only_as_many_levels_are_merged_as_must_be_and_never_zero() {
        assert_eq!(merged_levels(Cmap::Gray, &[GUTTER]), [2]);
        assert_eq!(merged_levels(Cmap::Gray, &[NAN, POS_INF, NEG_INF, GUTTER, LABEL]), [2, 4, 6, 8, 10]);
        assert!(merged_levels(Cmap::Viridis, &[GUTTER, LABEL]).is_empty());
        for cmap in Cmap::ALL.iter().filter(|cmap| **cmap != Cmap::Rgb) {
            let palette = Palette::merged(&of(*cmap), &PossibleCodes::everything());
            assert!(palette.colors.len() <= PLACES, "{}", cmap.name());
            let merged = merged_levels(*cmap, &PossibleCodes::everything().others);
            assert!(
                merged.len() <= 6 && [1, 128, 129].iter().all(|level| !merged.contains(level)),
                "{merged:?}"
            );
        }
    }

    #[test]
    fn free_colours_are_rounded_to_the_nearest_and_zero_stays() {
        let colors = rounded_colors();
        assert_eq!(colors.len(), 251);
        let rounded = |color| colors[usize::from(rounded_index(color))];
        assert_eq!(rounded([128; 3]), [128; 3]);
        assert_eq!([rounded([0; 3]), rounded([255; 3])], [[0; 3], [255; 3]]);
        for special in SPECIAL {
            assert_eq!(rounded(special), special);
        }
        for tone in 0..=255_u8 {
            for (channel, most) in [(0, 22), (1, 22), (2, 32)] {
                let mut color = [0; 3];
                color[channel] = tone;
                assert!(rounded(color)[channel].abs_diff(tone) <= most, "{color:?}");
            }
        }
    }
}
