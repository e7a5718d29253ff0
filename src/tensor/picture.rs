//! Encoded pictures of one step -> one 8 bit tensor, `[picture, row, column, channel]`.
//!
//! Each frame of an animation is a picture, and several animations are stored one after another. Which number became 255 when a
//! picture was encoded is not known; deeper pictures are reduced to 8 bit. The memory for decoding is known from the headers and
//! checked first; a picture that is not what its header says is refused by the decoder's limits.

use bytes::Bytes;
use image::DynamicImage;

use super::{Tensor, animation::Animation, dtype::DType, frames::Frames, shape::Shape, still::decode};

use crate::event::{
    frames::frame_count,
    picture::{PictureHead, gif_screen, picture_head},
    wire::Span,
};

/// The most bytes that the pictures of one step may have after decoding.
pub const MOST_PICTURE_BYTES: usize = 256 << 20;
/// The most pictures of one step, frames included. A list of empty ones would otherwise take sixteen times its bytes in the log.
pub const MOST_PICTURES: usize = 1 << 16;
/// Larger pictures of only a few bytes are bombs: drawings of one colour grow by a factor of a thousand, but are not as large.
const USUAL_BYTES: u64 = 16 << 20;
const MOST_UNFOLDING: u64 = 512;

/// Why pictures give no tensor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// There is no picture.
    #[error("it holds no picture")]
    Nothing,
    /// A kind of picture that is not decoded.
    #[error("picture {0} is no PNG, JPEG, GIF, BMP or WebP")]
    UnknownKind(usize),
    /// Its width or height is 0.
    #[error("picture {idx} has {width}x{height} pixels")]
    NoPixels {
        /// Which one, from 0.
        idx: usize,
        /// Pixels per row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// They do not all have the same size.
    #[error(
        "picture {idx} has {found} pixels and picture 0 has {first}: pictures of several sizes cannot share a sheet"
    )]
    Sizes {
        /// Which one, from 0.
        idx: usize,
        /// Its size.
        found: String,
        /// The size of the first.
        first: String,
    },
    /// More bytes than are decoded.
    #[error("{needed} bytes of pixels are above the limit of {limit}")]
    TooLarge {
        /// Bytes of all the pictures.
        needed: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// More pictures than are read from one step.
    #[error("it holds {0} pictures or frames, of which at most {MOST_PICTURES} are read")]
    TooMany(usize),
    /// An animation whose frames cannot be counted within the bounds.
    #[error("the frames of picture {0} are not counted: they have too many blocks or pixels")]
    Uncounted(usize),
    /// A few bytes that would become very many when decoded.
    #[error("{encoded} bytes would unfold to {needed} bytes of pixels: no real picture does")]
    Bomb {
        /// Bytes of the picture.
        encoded: u64,
        /// Bytes of its pixels.
        needed: u64,
    },
    /// Damaged, or not what its header says.
    #[error("picture {idx} cannot be decoded: {reason}")]
    Damaged {
        /// Which one, from 0.
        idx: usize,
        /// What the decoder says.
        reason: String,
    },
}

impl PictureError {
    /// The picture that is the cause, if it is a single one.
    #[must_use]
    pub fn idx(&self) -> Option<usize> {
        match self {
            Self::UnknownKind(idx)
            | Self::Uncounted(idx)
            | Self::NoPixels { idx, .. }
            | Self::Sizes { idx, .. }
            | Self::Damaged { idx, .. } => Some(*idx),
            Self::Nothing | Self::TooLarge { .. } | Self::TooMany(_) | Self::Bomb { .. } => None,
        }
    }
}

/// The shape of this many pictures with this header: `[picture, row, column, channel]`.
///
/// # Errors
/// If they are more than [`MOST_PICTURES`], or have no pixels, or more than `limit` or [`MOST_PICTURE_BYTES`] bytes.
pub fn shape_of(head: PictureHead, count: usize, limit: usize) -> Result<Shape, PictureError> {
    let PictureHead { width, height, channels, encoded_bytes } = head;
    if width == 0 || height == 0 {
        return Err(PictureError::NoPixels { idx: 0, width, height });
    }
    if count > MOST_PICTURES {
        return Err(PictureError::TooMany(count));
    }
    let limit = limit.min(MOST_PICTURE_BYTES);
    let pixels = u64::from(width) * u64::from(height);
    let of_one = pixels.saturating_mul(channels.into());
    if of_one > USUAL_BYTES && of_one / MOST_UNFOLDING > encoded_bytes {
        return Err(PictureError::Bomb { encoded: encoded_bytes, needed: of_one });
    }
    let needed = pixels.saturating_mul(channels.into()).saturating_mul(count as u64);
    if needed > limit as u64 {
        return Err(PictureError::TooLarge { needed, limit });
    }
    let dims = [count as i64, height.into(), width.into(), channels.into()];
    Shape::new(&dims).map_err(|_| PictureError::TooLarge { needed, limit })
}

/// The pictures of a step, after their headers were read and found to be within the limits.
pub(super) struct Headed {
    /// How many frames each has.
    pub(super) counts: Vec<usize>,
    /// The size of all of them, and the number of channels that all of them get.
    pub(super) head: PictureHead,
    /// The shape of the tensor of all of them.
    pub(super) shape: Shape,
}

/// Reads the headers of a step's pictures.
///
/// # Errors
/// Pictures that make no tensor: see [`PictureError`].
pub(super) fn headed(pictures: &[Bytes], limit: usize) -> Result<Headed, PictureError> {
    let heads = pictures.iter().enumerate().map(|(idx, picture)| head(idx, picture));
    let heads = heads.collect::<Result<Vec<PictureHead>, _>>()?;
    let first = heads.first().ok_or(PictureError::Nothing)?;
    let counts = pictures.iter().enumerate().map(|(idx, picture)| count(idx, picture));
    let counts = counts.collect::<Result<Vec<usize>, _>>()?;
    if let Some(idx) = heads.iter().position(|head| (head.width, head.height) != (first.width, first.height))
    {
        let size = |head: &PictureHead| format!("{}x{}", head.width, head.height);
        return Err(PictureError::Sizes { idx, found: size(&heads[idx]), first: size(first) });
    }
    let channels = heads.iter().map(|head| head.channels).max().unwrap_or(first.channels);
    // A grey picture with alpha and one with colours together need both: colours and alpha.
    let has_alpha = heads.iter().any(|head| head.channels % 2 == 0);
    let channels = if channels == 3 && has_alpha { 4 } else { channels };
    for head in &heads {
        shape_of(PictureHead { channels, ..*head }, 1, limit)?;
    }
    let head = PictureHead { channels, ..*first };
    let shape = shape_of(head, counts.iter().sum(), limit)?;
    Ok(Headed { counts, head, shape })
}

/// Decodes the pictures of a step, which must have the same size, with all their frames. Pictures with fewer channels than others
/// get the missing ones.
///
/// # Errors
/// See [`PictureError`]; nothing is decoded before all headers fit the limits.
pub fn decode_pictures(pictures: &[Bytes], limit: usize) -> Result<Tensor, PictureError> {
    let Headed { counts, head, shape } = headed(pictures, limit)?;
    let mut bytes = Vec::with_capacity(shape.elements());
    for (idx, (picture, count)) in pictures.iter().zip(&counts).enumerate() {
        // The decoder of stills cuts off what is outside of a GIF's screen.
        let is_cut = gif_screen(picture).is_some_and(|screen| screen != (head.width, head.height));
        let appended = if *count == 1 && !is_cut {
            decode(picture, head).map(|decoded| append_still(&mut bytes, decoded, head.channels))
        } else {
            append_frames(&mut bytes, picture, (head, *count))
        };
        appended.map_err(|reason| PictureError::Damaged { idx, reason })?;
    }
    Ok(Tensor { dtype: DType::UInt8, shape, bytes: bytes.into(), frames: Frames::of(counts) })
}

fn append_still(bytes: &mut Vec<u8>, decoded: DynamicImage, channels: u8) {
    match channels {
        1 => bytes.extend_from_slice(decoded.into_luma8().as_raw()),
        2 => bytes.extend_from_slice(decoded.into_luma_alpha8().as_raw()),
        3 => bytes.extend_from_slice(decoded.into_rgb8().as_raw()),
        _ => bytes.extend_from_slice(decoded.into_rgba8().as_raw()),
    }
}

fn append_frames(
    bytes: &mut Vec<u8>,
    picture: &Bytes,
    (head, count): (PictureHead, usize),
) -> Result<(), String> {
    let mut animation = Animation::new(picture, head, count)?;
    for _ in 0..count {
        animation.advance()?;
        animation.append_to(bytes, head.channels);
    }
    Ok(())
}

fn count(idx: usize, picture: &Bytes) -> Result<usize, PictureError> {
    let span = Span { at: 0, end: picture.len() as u64 };
    // A slice is always readable.
    let frames = frame_count(&mut &**picture, span).ok().flatten().ok_or(PictureError::Uncounted(idx))?;
    Ok(frames as usize)
}

fn head(idx: usize, picture: &Bytes) -> Result<PictureHead, PictureError> {
    let span = Span { at: 0, end: picture.len() as u64 };
    // A slice is always readable.
    let head = picture_head(&mut &**picture, span).ok().flatten().ok_or(PictureError::UnknownKind(idx))?;
    let PictureHead { width, height, .. } = head;
    if width == 0 || height == 0 { Err(PictureError::NoPixels { idx, width, height }) } else { Ok(head) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Luma, Rgb};

    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner().into()
    }

    fn grey(width: u32, height: u32, level: u8) -> DynamicImage {
        DynamicImage::ImageLuma8(image::ImageBuffer::from_pixel(width, height, Luma([level])))
    }

    #[test]
    fn grey_and_colours_share_a_tensor() {
        let colours = DynamicImage::ImageRgb8(image::ImageBuffer::from_pixel(2, 1, Rgb([1, 2, 3])));
        let pictures = [encoded(&grey(2, 1, 7), ImageFormat::Png), encoded(&colours, ImageFormat::Bmp)];
        let tensor = decode_pictures(&pictures, 1 << 20).unwrap();
        assert_eq!(tensor.shape.axes(), [2, 1, 2, 3]);
        assert_eq!(tensor.bytes[..], [7, 7, 7, 7, 7, 7, 1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn what_is_no_sheet_is_refused() {
        let png = |width, height| encoded(&grey(width, height, 0), ImageFormat::Png);
        let check = |pictures: &[Bytes], says: &str| {
            let error = decode_pictures(pictures, 1 << 20).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        };
        check(&[], "no picture");
        check(&[Bytes::from_static(b"text")], "picture 0 is no PNG");
        check(&[png(2, 3), png(3, 2)], "picture 1 has 3x2 pixels and picture 0 has 2x3");
        check(&[png(1 << 11, 1 << 10)], "2097152 bytes of pixels are above the limit of 1048576");
        let whole = png(64, 64);
        check(&[whole.slice(..whole.len() - 20)], "picture 0 cannot be decoded");
        // The header of a picture of 60,000 by 60,000 pixels costs nothing.
        let mut bomb = png(1, 1).to_vec();
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        check(&[bomb.into()], "bytes would unfold to 3600000000 bytes of pixels");
    }
}
