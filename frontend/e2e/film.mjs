/** Counts the frames of a film by walking over its file. */

/** Animated PNG: the frame controls; the count in `acTL` must say the same. */
export function apngFrames(bytes) {
  let frames = 0;
  let told = 0;
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const kind = bytes.toString('latin1', at + 4, at + 8);
    if (kind === 'acTL') told = bytes.readUInt32BE(at + 8);
    if (kind === 'fcTL') frames++;
    at += 12 + length;
  }
  if (frames !== told) throw new Error(`acTL says ${told} frames, and there are ${frames}`);
  return frames;
}

/** GIF: the image descriptors. */
export function gifFrames(bytes) {
  const table = (packed) => (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);
  let frames = 0;
  let at = 13 + table(bytes[10]);
  const skipBlocks = () => {
    while (bytes[at] !== 0) at += bytes[at] + 1;
    at++;
  };
  while (bytes[at] !== 0x3b) {
    if (bytes[at] === 0x21) at += 2;
    else {
      frames++;
      at += 11 + table(bytes[at + 9]);
    }
    skipBlocks();
  }
  return frames;
}

/** Animated WebP: the chunks `ANMF`. */
export function webpFrames(bytes) {
  let frames = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (bytes.toString('latin1', at, at + 4) === 'ANMF') frames++;
    const length = bytes.readUInt32LE(at + 4);
    at += 8 + length + (length % 2);
  }
  return frames;
}
