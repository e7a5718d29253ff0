//! Levels 0 to 255 -> colours. The tables are those of matplotlib: each entry is what `colormap(i, bytes=True)` returns. The
//! script `tests/fixtures/make_pictures.py` wrote them.

use super::choices::Cmap;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// What a pixel shows: codes below 256 are levels of finite values, codes from [`NAN`] on mean something else.
pub type Code = u16;

/// The code of NaN.
pub const NAN: Code = 256;
/// The code of plus infinity.
pub const POS_INF: Code = 257;
/// The code of minus infinity.
pub const NEG_INF: Code = 258;
/// The code of pixels without data: gutters and empty cells.
pub const GUTTER: Code = 259;
/// The code of what TensorFlow 1's image operation calls bad.
pub const BAD: Code = 260;
/// The code of labels.
pub const LABEL: Code = 261;
/// How many codes there are.
pub const CODES: usize = 262;

/// The colour of each code, under one colour map.
pub type CodeColors = [Rgb; CODES];

/// The colours of the codes from [`NAN`] on; none of them is in any table, which a test checks.
pub const SPECIAL: [Rgb; 6] =
    [[255, 0, 255], [255, 128, 0], [0, 200, 255], [38, 38, 46], [255, 0, 0], [198, 198, 208]];

/// The colour of a code from [`NAN`] on.
#[must_use]
pub fn special_color(code: Code) -> Rgb {
    SPECIAL[usize::from(code - NAN)]
}

/// How many entries a table has; each takes three bytes.
const LEVELS: usize = 256;
/// A table for each colour map except [`Cmap::Gray`] and [`Cmap::Rgb`], in the order of [`Cmap::ALL`].
const TABLES: &[u8; (Cmap::ALL.len() - 2) * LEVELS * 3] = include_bytes!("colormaps.bin");

/// The colour of each level; `None` for [`Cmap::Rgb`], where the data themselves are the colours.
#[must_use]
pub fn colors(cmap: Cmap) -> Option<[Rgb; LEVELS]> {
    if cmap == Cmap::Gray {
        return Some(std::array::from_fn(|level| [level as u8; 3]));
    }
    let mut with_table = Cmap::ALL.iter().filter(|cmap| !matches!(cmap, Cmap::Gray | Cmap::Rgb));
    let table = with_table.position(|other| *other == cmap)?;
    let (entries, _) = TABLES[table * LEVELS * 3..].as_chunks::<3>();
    Some(std::array::from_fn(|level| entries[level]))
}

/// The colour of each code under a colour map.
#[must_use]
pub fn colors_of_codes(levels: &[Rgb; 256]) -> CodeColors {
    std::array::from_fn(|code| if code < 256 { levels[code] } else { SPECIAL[code - 256] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_holds_a_special_colour() {
        for cmap in Cmap::ALL {
            for color in colors(*cmap).into_iter().flatten() {
                assert!(!SPECIAL.contains(&color), "{} {color:?}", cmap.name());
            }
        }
    }

    #[test]
    fn tables_stand_in_the_order_of_their_names() {
        // First and last entries as matplotlib 3.10 prints them.
        let ends = |cmap| colors(cmap).map(|colors| (colors[0], colors[255]));
        assert_eq!(ends(Cmap::Viridis), Some(([68, 1, 84], [253, 231, 36])));
        assert_eq!(ends(Cmap::RdBu), Some(([103, 0, 31], [5, 48, 97])));
        assert_eq!(ends(Cmap::Coolwarm), Some(([58, 76, 192], [179, 3, 38])));
        assert_eq!(ends(Cmap::Gray), Some(([0; 3], [255; 3])));
        assert_eq!(ends(Cmap::Rgb), None);
    }
}
