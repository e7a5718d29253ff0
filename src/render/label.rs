//! A tile's number -> pixels above the tile, in a font of five by seven pixels; a film's step or frame -> pixels above its sheet.

use super::plan::geometry::Tile;

use crate::tensor::frames::Frame;

/// Pixels of the picture that a label takes above a tile: a letter's height, and one free pixel above and below.
pub const HEIGHT_PX: usize = GLYPH_ROWS + 2;
const GLYPH_ROWS: usize = 7;
const GLYPH_COLS: usize = 5;

/// What is written above a tile: its channel; in the view `matrix` the input and the output channel; for animated pictures the
/// number of the frame, after the number of the picture if there are several.
#[must_use]
pub fn text(tile: &Tile) -> String {
    match (tile.input, tile.frame) {
        (Some(input), _) => format!("{input},{}", tile.channel),
        (None, Some(Frame { picture: Some(picture), number, .. })) => format!("{picture},{number}"),
        (None, Some(Frame { picture: None, number, .. })) => number.to_string(),
        (None, None) => tile.channel.to_string(),
    }
}

/// Pixels from the first to the last column of a text.
#[must_use]
pub fn width_px(text: &str) -> usize {
    (text.len() * (GLYPH_COLS + 1)).saturating_sub(1)
}

/// The positions of a text's pixels, in pixels of the picture from the label's upper left corner.
pub fn pixels(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    text.bytes().enumerate().flat_map(|(at, letter)| {
        let rows = glyph(letter).into_iter().enumerate();
        rows.flat_map(move |(y, row)| {
            let is_set = move |x: &usize| row >> (GLYPH_COLS - 1 - x) & 1 == 1;
            (0..GLYPH_COLS).filter(is_set).map(move |x| (at * (GLYPH_COLS + 1) + x, y + 1))
        })
    })
}

/// The rows of a letter from the top, the leftmost column in the highest of five bits.
fn glyph(letter: u8) -> [u8; GLYPH_ROWS] {
    match letter {
        b'0' => [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        b'1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        b'2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        b'3' => [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
        b'4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        b'5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        b'6' => [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        b'7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
        b'8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        b'9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
        b'-' => [0, 0, 0, 0b11111, 0, 0, 0],
        b's' => [0, 0, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110],
        b'a' => [0, 0, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111],
        b'f' => [0b00110, 0b01001, 0b01000, 0b11100, 0b01000, 0b01000, 0b01000],
        b'm' => [0, 0, 0b11010, 0b10101, 0b10101, 0b10101, 0b10101],
        b'r' => [0, 0, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000],
        b't' => [0b01000, 0b01000, 0b11100, 0b01000, 0b01000, 0b01001, 0b00110],
        b'e' => [0, 0, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110],
        b'p' => [0, 0, 0b11110, 0b10001, 0b11110, 0b10000, 0b10000],
        b',' => [0, 0, 0, 0, 0b00100, 0b00100, 0b01000],
        _ => [0; GLYPH_ROWS],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str) -> Vec<String> {
        let mut rows = vec![vec!['.'; width_px(text)]; HEIGHT_PX];
        for (x, y) in pixels(text) {
            rows[y][x] = '#';
        }
        rows.into_iter().map(|row| row.into_iter().collect()).collect()
    }

    #[test]
    fn numbers_can_be_read() {
        assert_eq!(
            drawn("47"),
            [
                "...........",
                "...#..#####",
                "..##......#",
                ".#.#.....#.",
                "#..#....#..",
                "#####..#...",
                "...#...#...",
                "...#...#...",
                "...........",
            ]
        );
    }

    #[test]
    fn every_letter_is_another_one() {
        let letters = b"0123456789-,stepfram";
        for (at, letter) in letters.iter().enumerate() {
            assert!(glyph(*letter) != [0; GLYPH_ROWS]);
            assert!(letters[..at].iter().all(|other| glyph(*other) != glyph(*letter)));
        }
    }
}
