//! A sheet's raster -> a frame: zoomed, with labels, and with the step or the number of the animation's frame in a strip above
//! it, so that no data is covered.

use std::iter::repeat_n;

use crate::render::{
    colormap::{GUTTER, LABEL, special_color},
    film::options::Stamp,
    label::{self, HEIGHT_PX},
    sheet::{Label, Pixels, Raster},
};

/// The pixels of a frame as viewers show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels, row by row.
    pub pixels: Pixels,
}

/// The text grows with the sheet, up to this many pixels per dot.
const LARGEST_DOT: usize = 3;
/// Dots on each side of the text.
const MARGIN: usize = 2;
/// Additional dots above and below the text.
const MARGIN_ABOVE: usize = 1;

/// How frames are composed; all frames of a film have the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Pixels per row: those of the sheet, or of the text if it is wider.
    pub width: usize,
    /// Rows, including those of the strip.
    pub height: usize,
    zoom: usize,
    /// Pixels per dot of the text; `None` if nothing is written.
    dot: Option<usize>,
}

impl Screen {
    /// For sheets of this size (width and height in pixels, zoom included) and texts up to `text_dots` dots wide.
    #[must_use]
    pub fn new((width, height): (usize, usize), zoom: usize, stamp: Stamp, text_dots: usize) -> Self {
        match stamp {
            Stamp::Nothing => Self { width, height, zoom, dot: None },
            Stamp::Step | Stamp::Frame => {
                let dots = text_dots + 2 * MARGIN;
                let dot = (width / dots).clamp(1, LARGEST_DOT);
                let height = height + strip_height(dot);
                Self { width: width.max(dots * dot), height, zoom, dot: Some(dot) }
            }
        }
    }

    /// Whether there is a strip.
    #[must_use]
    pub fn has_strip(&self) -> bool {
        self.dot.is_some()
    }

    /// The frame of a sheet; `text` is written above it if there is a strip.
    #[must_use]
    pub fn frame(&self, sheet: Raster, text: &str) -> Frame {
        let Raster { width, height, .. } = sheet;
        if self.zoom == 1 && self.dot.is_none() && sheet.labels.is_empty() {
            return Frame { width, height, pixels: sheet.pixels };
        }
        let pixels = match &sheet.pixels {
            Pixels::Codes(codes) => Pixels::Codes(self.pixels(codes, &sheet, text, [GUTTER, LABEL])),
            Pixels::Rgb(colors) => {
                Pixels::Rgb(self.pixels(colors, &sheet, text, [GUTTER, LABEL].map(special_color)))
            }
        };
        Frame { width: self.width, height: self.height, pixels }
    }

    fn pixels<P: Copy>(&self, sheet: &[P], raster: &Raster, text: &str, [ground, ink]: [P; 2]) -> Vec<P> {
        let mut out = Vec::with_capacity(self.width * self.height);
        if let Some(dot) = self.dot {
            out.resize(strip_height(dot) * self.width, ground);
            self.write(text, dot, ink, &mut out);
        }
        let top = out.len();
        let rest = self.width - raster.width * self.zoom;
        for row in sheet.chunks_exact(raster.width) {
            let start = out.len();
            out.extend(row.iter().flat_map(|pixel| repeat_n(*pixel, self.zoom)));
            out.extend(repeat_n(ground, rest));
            for _ in 1..self.zoom {
                out.extend_from_within(start..start + self.width);
            }
        }
        for Label { x, y, text } in &raster.labels {
            for (dx, dy) in label::pixels(text) {
                out[top + (y * self.zoom + dy) * self.width + x * self.zoom + dx] = ink;
            }
        }
        out
    }

    fn write<P: Copy>(&self, text: &str, dot: usize, ink: P, out: &mut [P]) {
        for (x, y) in label::pixels(text) {
            let (left, top) = ((MARGIN + x) * dot, (MARGIN_ABOVE + y) * dot);
            for row in top..top + dot {
                out[row * self.width + left..][..dot].fill(ink);
            }
        }
    }
}

fn strip_height(dot: usize) -> usize {
    (HEIGHT_PX + 2 * MARGIN_ABOVE) * dot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{
        choices::{Cmap, Range},
        colormap::Code,
        encode::Painted,
        plan::Paint,
    };

    fn sheet(codes: Vec<Code>, width: usize, labels: Vec<Label>) -> Raster {
        Raster { width, height: codes.len() / width, pixels: Pixels::Codes(codes), labels }
    }

    fn codes(frame: &Frame) -> &[Code] {
        let Pixels::Codes(codes) = &frame.pixels else { panic!("codes went in") };
        codes
    }

    #[test]
    fn the_sheet_stays_whole_below_the_strip_and_text_that_is_wider_makes_the_frame_wider() {
        let screen = Screen::new((4, 2), 2, Stamp::Step, label::width_px("step -7"));
        assert_eq!((screen.width, screen.height), (41 + 4, 11 + 2));
        let frame = screen.frame(sheet(vec![1, 2], 2, vec![]), "step -7");
        let below = &codes(&frame)[11 * 45..];
        assert_eq!(below[..5], [1, 1, 2, 2, GUTTER]);
        assert_eq!(below[..45], below[45..]);
        let strip = &codes(&frame)[..11 * 45];
        assert!(strip.iter().all(|code| [GUTTER, LABEL].contains(code)) && strip.contains(&LABEL));
        let other = screen.frame(sheet(vec![1, 2], 2, vec![]), "step -8");
        assert_ne!(codes(&other)[..11 * 45], *strip);
    }

    #[test]
    fn without_a_stamp_only_the_zoom_changes_anything() {
        let screen = Screen::new((4, 4), 2, Stamp::Nothing, 9);
        let frame = screen.frame(sheet(vec![1, 2, 3, 4], 2, vec![]), "");
        assert_eq!(codes(&frame), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
        assert_eq!((frame.width, frame.height), (4, 4));
    }

    #[test]
    fn labels_stand_where_they_stand_on_a_sheet() {
        let label = Label { x: 1, y: 0, text: "1".to_owned() };
        let raster = sheet(vec![GUTTER; 7 * 9], 7, vec![label]);
        let colors = Paint::new(Cmap::Gray, Range::MinMax).colors();
        let still = crate::render::encode::full_size(Painted { raster: &raster, colors: &colors, zoom: 2 });
        let frame = Screen::new((14, 18), 2, Stamp::Nothing, 0).frame(raster, "");
        let colors: Vec<_> = codes(&frame).iter().map(|code| special_color(*code)).collect();
        assert_eq!(colors, still);
    }
}
