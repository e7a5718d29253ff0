//! A raster and the colour of each code -> the bytes of a picture.
//!
//! PNG with the colour map as its palette is both the smallest and the fastest form. A palette has 256 entries. A sheet that
//! uses all levels of its map and a gutter needs more and is written in full colour; the pixels are the same.

use std::{borrow::Cow, io::Cursor};

use image::{ExtendedColorType, codecs::webp::WebPEncoder};
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use super::{
    colormap::{CODES, Code, CodeColors, GUTTER, LABEL, Rgb, special_color},
    label,
    sheet::{Label, Pixels, Raster, Sheet},
};

/// What a picture is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// For a person who waits for it: fast.
    Live,
    /// For a file on disk: small.
    Keep,
}

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// PNG.
    Png,
    /// Lossless WebP.
    WebP,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 2] = [Self::Png, Self::WebP];

    /// Its name, which is also the file extension.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }

    /// The form with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// A picture that could not be encoded: its sides do not fit the form.
#[derive(Debug, thiserror::Error)]
#[error("{width}x{height} pixels cannot be written as {}: {reason}", .format.name())]
pub struct EncodeError {
    format: Format,
    width: usize,
    height: usize,
    reason: String,
}

/// A raster, and how it becomes a picture.
#[derive(Clone, Copy, Debug)]
pub struct Painted<'a> {
    /// The pixels before zooming.
    pub raster: &'a Raster,
    /// The colour of each code; not used where the raster holds colours.
    pub colors: &'a CodeColors,
    /// How many pixels wide and high each pixel becomes.
    pub zoom: usize,
}

impl<'a> Painted<'a> {
    /// A sheet in these colours.
    #[must_use]
    pub fn of(sheet: &'a Sheet, colors: &'a CodeColors) -> Self {
        Self { raster: &sheet.raster, colors, zoom: sheet.legend.geometry.zoom }
    }
}

/// Encodes a picture.
///
/// # Errors
/// Sides that are longer than the form allows (16,383 pixels for WebP).
pub fn encode(painted: Painted<'_>, format: Format, effort: Effort) -> Result<Vec<u8>, EncodeError> {
    let Painted { raster, zoom, .. } = painted;
    let (width, height) = (raster.width * zoom, raster.height * zoom);
    let error = |reason: String| EncodeError { format, width, height, reason };
    let (Ok(png_width), Ok(png_height)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(error("a side is too long".to_owned()));
    };
    match format {
        Format::Png => png_bytes(painted, (png_width, png_height), effort).map_err(|e| error(e.to_string())),
        Format::WebP => {
            let mut bytes = Cursor::new(Vec::new());
            let pixels = full_size(painted);
            WebPEncoder::new_lossless(&mut bytes)
                .encode(pixels.as_flattened(), png_width, png_height, ExtendedColorType::Rgb8)
                .map_err(|e| error(e.to_string()))?;
            Ok(bytes.into_inner())
        }
    }
}

fn png_bytes(
    painted: Painted<'_>,
    (width, height): (u32, u32),
    effort: Effort,
) -> Result<Vec<u8>, png::EncodingError> {
    let Painted { raster, colors, zoom } = painted;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(match effort {
        Effort::Live => Compression::Fast,
        Effort::Keep => Compression::Balanced,
    });
    if let Some(Indexed { indices, palette, label }) = indexed(raster, colors) {
        encoder.set_color(ColorType::Indexed);
        encoder.set_palette(palette.as_flattened().to_vec());
        encoder.set_filter(Filter::NoFilter);
        let indices = labelled(zoomed(&indices, raster.width, zoom), raster, zoom, label);
        encoder.write_header()?.write_image_data(&indices)?;
    } else {
        encoder.set_color(ColorType::Rgb);
        encoder.write_header()?.write_image_data(full_size(painted).as_flattened())?;
    }
    Ok(bytes)
}

/// The colours of the whole picture: each pixel of the raster `zoom` pixels wide and high, and the labels.
#[must_use]
pub fn full_size(painted: Painted<'_>) -> Vec<Rgb> {
    let Painted { raster, colors, zoom } = painted;
    let colors = colors_of(raster, colors);
    let zoomed = zoomed(&colors, raster.width, zoom);
    labelled(zoomed, raster, zoom, special_color(LABEL)).into_owned()
}

/// Writes the labels onto zoomed pixels.
fn labelled<'a, P: Copy>(pixels: Cow<'a, [P]>, raster: &Raster, zoom: usize, ink: P) -> Cow<'a, [P]> {
    if raster.labels.is_empty() {
        return pixels;
    }
    let mut pixels = pixels.into_owned();
    for Label { x, y, text } in &raster.labels {
        for (dx, dy) in label::pixels(text) {
            pixels[(y * zoom + dy) * raster.width * zoom + x * zoom + dx] = ink;
        }
    }
    pixels.into()
}

/// The colour of each pixel before zooming, without labels: see [`full_size`].
#[must_use]
pub fn colors_of(raster: &Raster, colors: &CodeColors) -> Vec<Rgb> {
    match &raster.pixels {
        Pixels::Rgb(pixels) => pixels.clone(),
        Pixels::Codes(codes) => codes.iter().map(|code| colors[usize::from(*code)]).collect(),
    }
}

/// A raster as positions in a palette.
struct Indexed {
    indices: Vec<u8>,
    palette: Vec<Rgb>,
    /// The position of the labels' colour, where there are labels.
    label: u8,
}

/// The raster as positions in a palette of the colours it uses, if they are at most 256.
fn indexed(raster: &Raster, colors: &CodeColors) -> Option<Indexed> {
    let Pixels::Codes(codes) = &raster.pixels else { return None };
    if codes.len() >= LARGE
        && raster.labels.is_empty()
        && let Some(indexed) = with_spare_level(codes, colors)
    {
        return Some(indexed);
    }
    let mut used = [false; CODES];
    used[usize::from(LABEL)] = !raster.labels.is_empty();
    for code in codes {
        used[usize::from(*code)] = true;
    }
    let mut palette = Vec::new();
    let mut index_of_code = [0_u8; CODES];
    for code in (0..CODES).filter(|code| used[*code]) {
        index_of_code[code] = u8::try_from(palette.len()).ok()?;
        palette.push(colors[code]);
    }
    let index = |code: &Code| index_of_code[usize::from(*code)];
    let label = index_of_code[usize::from(LABEL)];
    Some(Indexed { indices: codes.iter().map(index).collect(), palette, label })
}

/// From this number of pixels on, reading all of them twice is worth avoiding.
const LARGE: usize = 1 << 16;
/// How many pixels are searched for a level that is not used.
const LOOKED_AT: usize = 1 << 14;
const TRIES: usize = 8;

/// Levels as they are, and the gutter as a level that is not used. `None` if other codes are used too, or if no unused level
/// is found quickly.
fn with_spare_level(codes: &[Code], colors: &CodeColors) -> Option<Indexed> {
    let is_plain = |code: &Code| *code <= 255 || *code == GUTTER;
    if !codes.iter().fold(true, |plain, code| plain & is_plain(code)) {
        return None;
    }
    let mut used = [false; CODES];
    for code in codes.iter().step_by(codes.len().div_ceil(LOOKED_AT)) {
        used[usize::from(*code)] = true;
    }
    let unseen = (0..=255).rev().filter(|level| !used[usize::from(*level)]);
    let spare = unseen.take(TRIES).find(|level| !codes.contains(level))? as u8;
    let mut palette = colors[..256].to_vec();
    palette[usize::from(spare)] = special_color(GUTTER);
    let index = |code: &Code| if *code == GUTTER { spare } else { *code as u8 };
    Some(Indexed { indices: codes.iter().map(index).collect(), palette, label: 0 })
}

/// Repeats each pixel and each row `zoom` times.
fn zoomed<P: Copy>(pixels: &[P], width: usize, zoom: usize) -> Cow<'_, [P]> {
    if zoom == 1 {
        return pixels.into();
    }
    let mut out = Vec::with_capacity(pixels.len() * zoom * zoom);
    for row in pixels.chunks_exact(width) {
        let start = out.len();
        out.extend(row.iter().flat_map(|pixel| std::iter::repeat_n(*pixel, zoom)));
        for _ in 1..zoom {
            out.extend_from_within(start..start + width * zoom);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{
        choices::{Cmap, Range},
        colormap::{GUTTER, SPECIAL},
        plan::Paint,
    };

    fn gray() -> CodeColors {
        Paint::new(Cmap::Gray, Range::MinMax).colors()
    }

    fn decoded(raster: &Raster, zoom: usize) -> (ColorType, Vec<Rgb>) {
        let bytes = encode(Painted { raster, colors: &gray(), zoom }, Format::Png, Effort::Live).unwrap();
        let color_type = png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap().info().color_type;
        let mut decoder = png::Decoder::new(Cursor::new(&bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        (color_type, pixels.as_chunks::<3>().0.to_vec())
    }

    fn raster(codes: Vec<Code>, width: usize) -> Raster {
        Raster { width, height: codes.len() / width, pixels: Pixels::Codes(codes), labels: Vec::new() }
    }

    #[test]
    fn a_palette_where_it_suffices_and_full_colour_where_not() {
        let few = raster(vec![0, 255, GUTTER, 7], 2);
        assert_eq!(decoded(&few, 1), (ColorType::Indexed, vec![[0; 3], [255; 3], SPECIAL[3], [7; 3]]));
        let all: Vec<Code> = (0..256).chain([GUTTER, GUTTER]).collect();
        let (color_type, pixels) = decoded(&raster(all, 2), 1);
        assert_eq!(color_type, ColorType::Rgb);
        assert_eq!((pixels[200], pixels[257]), ([200; 3], SPECIAL[3]));
    }

    #[test]
    fn a_large_sheet_has_a_palette_as_long_as_a_level_is_spare() {
        let large = |levels: Code| {
            let code = |at: usize| if at.is_multiple_of(500) { GUTTER } else { at as Code % levels };
            raster((0..300 * 300).map(code).collect(), 300)
        };
        for (levels, expected) in [(255, ColorType::Indexed), (256, ColorType::Rgb)] {
            let raster = large(levels);
            let (color_type, pixels) = decoded(&raster, 1);
            assert_eq!(color_type, expected);
            assert_eq!(pixels, colors_of(&raster, &gray()));
        }
    }

    #[test]
    fn zoom_repeats_whole_pixels() {
        let (_, pixels) = decoded(&raster(vec![1, 2], 2), 2);
        let levels: Vec<u8> = pixels.iter().map(|pixel| pixel[0]).collect();
        assert_eq!(levels, [1, 1, 2, 2, 1, 1, 2, 2]);
    }

    #[test]
    fn webp_holds_the_same_pixels() {
        let raster = raster(vec![0, 255, GUTTER, 7], 2);
        let bytes = encode(Painted { raster: &raster, colors: &gray(), zoom: 3 }, Format::WebP, Effort::Keep)
            .unwrap();
        let picture =
            image::load_from_memory_with_format(&bytes, image::ImageFormat::WebP).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (6, 6));
        assert_eq!(picture.get_pixel(0, 5).0, SPECIAL[3]);
    }
}
