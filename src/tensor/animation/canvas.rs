//! Parts that are drawn one after another -> the picture that is shown after each of them.

use image::{Pixel, Rgba};

/// The position and size of a part, in pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Rect {
    pub(super) fn holds(&self, x: u32, y: u32) -> bool {
        x.wrapping_sub(self.left) < self.width && y.wrapping_sub(self.top) < self.height
    }
}

/// One part, which is within the canvas.
pub(super) struct FramePart {
    pub(super) at: Rect,
    /// Red, green, blue and alpha, row by row: as many as the rectangle has pixels.
    pub(super) pixels: Vec<[u8; 4]>,
    pub(super) blend: Blend,
    pub(super) disposal: Disposal,
}

/// How a part is drawn over the pixels below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blend {
    /// The part replaces them.
    Replace,
    /// Transparent pixels of the part leave the pixels below; all others are opaque (GIF).
    Holes,
    /// By its alpha (APNG).
    Over,
    /// By its alpha as libwebp does it, except in the rectangle that was cleared just before: there it replaces empty pixels.
    OverBut(Option<Rect>),
}

/// What happens to a part's rectangle before the next part is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposal {
    Keep,
    /// It becomes empty.
    Clear,
    /// It becomes again what it was before the part.
    Restore,
    /// It becomes again what was shown before the part, including what was cleared then. Pillow does this for an APNG.
    RestoreShown,
}

pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<[u8; 4]>,
    /// What the rectangle of the part that was drawn last becomes before the next one.
    disposed: Option<(Rect, Vec<[u8; 4]>)>,
    /// Whether that restores what it was before.
    restores: bool,
}

impl Canvas {
    /// An empty canvas.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let pixels = vec![[0; 4]; width as usize * height as usize];
        Self { width, height, pixels, disposed: None, restores: false }
    }

    /// What is shown, row by row.
    pub(super) fn pixels(&self) -> &[[u8; 4]] {
        &self.pixels
    }

    /// The rectangle, if it is within the canvas.
    ///
    /// # Errors
    /// Otherwise a text that says what is wrong with it.
    pub(super) fn within(&self, at: Rect) -> Result<Rect, String> {
        let Rect { left, top, width, height } = at;
        let fits = |from: u32, len: u32, of: u32| from.checked_add(len).is_some_and(|end| end <= of);
        if width > 0 && height > 0 && fits(left, width, self.width) && fits(top, height, self.height) {
            return Ok(at);
        }
        Err(format!(
            "it has {width}x{height} pixels at column {left} and row {top}, and the picture has {}x{}",
            self.width, self.height
        ))
    }

    /// Whether the rectangle is the whole canvas.
    pub(super) fn is_all(&self, at: Rect) -> bool {
        (at.width, at.height) == (self.width, self.height)
    }

    /// Disposes of the previous part, then draws a part. Its rectangle must come from [`Self::within`].
    pub(super) fn draw(&mut self, part: FramePart) {
        let FramePart { at, pixels, blend, disposal } = part;
        let shown = (disposal == Disposal::RestoreShown && !self.restores).then(|| self.copy(at));
        if let Some((at, pixels)) = self.disposed.take() {
            for (row, pixels) in (at.top..).zip(pixels.chunks_exact(at.width as usize)) {
                self.row(at, row).copy_from_slice(pixels);
            }
        }
        let disposed = match disposal {
            Disposal::Keep => None,
            Disposal::Clear => Some(vec![[0; 4]; pixels.len()]),
            Disposal::Restore | Disposal::RestoreShown => Some(shown.unwrap_or_else(|| self.copy(at))),
        };
        self.disposed = disposed.map(|pixels| (at, pixels));
        self.restores = matches!(disposal, Disposal::Restore | Disposal::RestoreShown);
        for (row, pixels) in (at.top..).zip(pixels.chunks_exact(at.width as usize)) {
            let under = self.row(at, row);
            if blend == Blend::Replace {
                under.copy_from_slice(pixels);
                continue;
            }
            for ((col, under), pixel) in (at.left..).zip(under).zip(pixels) {
                *under = blended(blend, *pixel, *under, (col, row));
            }
        }
    }

    /// The pixels in the rectangle.
    fn copy(&mut self, at: Rect) -> Vec<[u8; 4]> {
        (at.top..at.top + at.height).flat_map(|row| self.row(at, row).to_vec()).collect()
    }

    /// The pixels of a row that are in the rectangle.
    fn row(&mut self, at: Rect, row: u32) -> &mut [[u8; 4]] {
        let start = row as usize * self.width as usize + at.left as usize;
        &mut self.pixels[start..start + at.width as usize]
    }
}

/// A pixel after it is drawn over another one, at this column and row.
fn blended(blend: Blend, pixel: [u8; 4], under: [u8; 4], (col, row): (u32, u32)) -> [u8; 4] {
    match blend {
        Blend::Holes if pixel[3] == 0 => under,
        Blend::Replace | Blend::Holes => pixel,
        Blend::Over => {
            let mut both = Rgba(under);
            both.blend(&Rgba(pixel));
            both.0
        }
        Blend::OverBut(Some(cleared)) if cleared.holds(col, row) => pixel,
        Blend::OverBut(_) => over_in_webp(pixel, under),
    }
}

/// As libwebp rounds it (`BlendPixelNonPremult` of `src/demux/anim_decode.c`).
fn over_in_webp(pixel: [u8; 4], under: [u8; 4]) -> [u8; 4] {
    let [alpha, alpha_under] = [pixel, under].map(|pixel| u32::from(pixel[3]));
    match alpha {
        0 => return under,
        255 => return pixel,
        _ => {}
    }
    let left = (alpha_under * (256 - alpha)) >> 8;
    let sum = alpha + left;
    let scale = (1 << 24) / sum;
    // All products fit: at most 255 of 255 by 2^24 / 255.
    let channel = |idx: usize| {
        let both = u32::from(pixel[idx]) * alpha + u32::from(under[idx]) * left;
        ((both * scale) >> 24) as u8
    };
    [channel(0), channel(1), channel(2), sum as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webps_rounding_never_leaves_its_bounds() {
        for alpha in 0..=255 {
            for under in 0..=255 {
                let both = over_in_webp([255, 0, alpha, alpha], [255, 255, 0, under]);
                assert!(u32::from(both[3]) + 1 >= u32::from(alpha.max(under)), "{alpha} over {under}");
            }
        }
    }

    #[test]
    fn what_is_outside_is_told_with_both_sizes() {
        let canvas = Canvas::new(4, 3);
        let check = |left, top, width, height, fits| {
            let found = canvas.within(Rect { left, top, width, height });
            assert_eq!(found.is_ok(), fits, "{found:?}");
        };
        check(0, 0, 4, 3, true);
        check(3, 2, 1, 1, true);
        check(1, 0, 4, 3, false);
        check(0, 1, 4, 3, false);
        check(0, 0, 0, 3, false);
        check(u32::MAX, u32::MAX, 2, 2, false);
    }
}
