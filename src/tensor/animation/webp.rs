//! An animated WebP (RFC 9649) -> its parts.
//!
//! Each `ANMF` chunk holds a picture, which is decoded as a separate still. Which pixels are blended, and which replace others
//! although they should be blended, is as in libwebp (`src/demux/anim_decode.c`), including the colours of transparent pixels.

use bytes::Bytes;
use image::RgbaImage;

use super::canvas::{Blend, Canvas, Disposal, FramePart, Rect};

use crate::{
    event::picture::{PictureHead, u32_le},
    tensor::still::decode,
};

/// Signature and length of the file, and the form.
const HEAD_BYTES: usize = 12;
/// Position, size, duration and flags of a part.
const PART_HEAD_BYTES: usize = 16;

pub(super) struct WebPParts {
    picture: Bytes,
    /// Where the next chunk begins.
    at: usize,
    before: Option<Before>,
}

/// What is known about the previous part.
#[derive(Clone, Copy)]
struct Before {
    at: Rect,
    is_cleared: bool,
    /// Whether nothing of the parts before it was visible.
    is_key: bool,
}

/// A chunk of the file, or of a part.
struct Chunk<'a> {
    name: [u8; 4],
    content: &'a [u8],
    /// Where the next chunk begins.
    end: usize,
}

/// The chunks of a part's picture.
#[derive(Default)]
struct StillChunks<'a> {
    alpha: Option<&'a [u8]>,
    lossy: Option<&'a [u8]>,
    lossless: Option<&'a [u8]>,
}

impl WebPParts {
    pub(super) fn new(picture: Bytes) -> Self {
        Self { picture, at: HEAD_BYTES, before: None }
    }

    /// The next part of the picture, which has this canvas; `None` after the last.
    pub(super) fn next(&mut self, canvas: &Canvas) -> Result<Option<FramePart>, String> {
        let picture = self.picture.clone();
        while let Some(chunk) = chunk(&picture, self.at)? {
            self.at = chunk.end;
            if chunk.name == *b"ANMF" {
                return self.part(chunk.content, canvas).map(Some);
            }
        }
        Ok(None)
    }

    fn part(&mut self, content: &[u8], canvas: &Canvas) -> Result<FramePart, String> {
        let (head, chunks) = content.split_at_checked(PART_HEAD_BYTES).ok_or("its chunk is too short")?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]);
        let (width, height) = (number(6) + 1, number(9) + 1);
        let at = canvas.within(Rect { left: 2 * number(0), top: 2 * number(3), width, height })?;
        let (replaces, is_cleared) = (head[15] & 2 != 0, head[15] & 1 != 0);
        let still = still(chunks)?;
        let is_key = match self.before {
            None => true,
            _ if canvas.is_all(at) && (replaces || !still.has_alpha()) => true,
            Some(before) => before.is_cleared && (canvas.is_all(before.at) || before.is_key),
        };
        let cleared = self.before.filter(|before| before.is_cleared).map(|before| before.at);
        let blend = if is_key || replaces { Blend::Replace } else { Blend::OverBut(cleared) };
        let disposal = if is_cleared { Disposal::Clear } else { Disposal::Keep };
        let pixels = still.decode(at)?.into_raw().as_chunks().0.to_vec();
        self.before = Some(Before { at, is_cleared, is_key });
        Ok(FramePart { at, pixels, blend, disposal })
    }
}

impl StillChunks<'_> {
    /// Whether its header says that it has transparent pixels.
    fn has_alpha(&self) -> bool {
        let said = |lossless: &[u8]| u32_le(lossless, 1).is_some_and(|size| size >> 28 & 1 == 1);
        self.alpha.is_some() || self.lossless.is_some_and(said)
    }

    /// Decodes the picture as a file of its own.
    fn decode(&self, at: Rect) -> Result<RgbaImage, String> {
        let mut chunks = Vec::new();
        match self {
            Self { lossy: Some(lossy), alpha: None, .. } => put(&mut chunks, *b"VP8 ", lossy),
            Self { lossy, lossless, alpha } => {
                // With an alpha channel, and the size minus one.
                let [[w0, w1, w2, _], [h0, h1, h2, _]] = [at.width - 1, at.height - 1].map(u32::to_le_bytes);
                put(&mut chunks, *b"VP8X", &[0x10, 0, 0, 0, w0, w1, w2, h0, h1, h2]);
                for (name, content) in [(b"ALPH", alpha), (b"VP8 ", lossy), (b"VP8L", lossless)] {
                    if let Some(content) = content {
                        put(&mut chunks, *name, content);
                    }
                }
            }
        }
        let mut file = Vec::with_capacity(HEAD_BYTES + chunks.len());
        put(&mut file, *b"RIFF", &[b"WEBP", &*chunks].concat());
        let head = PictureHead { width: at.width, height: at.height, ..PictureHead::default() };
        Ok(decode(&file.into(), head)?.into_rgba8())
    }
}

/// The chunks of a picture; the first chunk of each kind counts.
fn still(chunks: &[u8]) -> Result<StillChunks<'_>, String> {
    let (mut still, mut at) = (StillChunks::default(), 0);
    while let Some(Chunk { name, content, end }) = chunk(chunks, at)? {
        at = end;
        match &name {
            b"ALPH" if still.alpha.is_none() => still.alpha = Some(content),
            b"VP8 " => still.lossy = Some(content),
            b"VP8L" if still.alpha.is_none() => still.lossless = Some(content),
            _ => return Err("its chunk holds something else than a picture".to_owned()),
        }
        if still.lossy.is_some() || still.lossless.is_some() {
            return Ok(still);
        }
    }
    Err("its chunk holds no picture".to_owned())
}

/// The chunk that begins at `at`; `None` if nothing is left.
fn chunk(bytes: &[u8], at: usize) -> Result<Option<Chunk<'_>>, String> {
    let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= 8) else { return Ok(None) };
    let (name, len) = (*rest.first_chunk().ok_or("it is cut")?, u32_le(rest, 4).ok_or("it is cut")? as usize);
    let content = rest[8..].get(..len).ok_or("it is cut")?;
    // An odd length is padded.
    Ok(Some(Chunk { name, content, end: at + 8 + len + len % 2 }))
}

fn put(bytes: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    bytes.extend_from_slice(&name);
    bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(&[0][..content.len() % 2]);
}
