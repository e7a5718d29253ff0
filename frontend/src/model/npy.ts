/**
 * NPY files -> shapes and numbers. The format is `\x93NUMPY`, two version bytes, the header's length (two bytes
 * little-endian in version 1, four from version 2 on), a Python dict as text, then the bare data in C order.
 * Only what the server sends is read: little-endian float32, C order.
 */
export interface Floats {
  shape: number[];
  data: Float32Array;
}

/** @throws Error where the bytes are no such file; the message says what was found. */
export function parseNpy(buffer: ArrayBuffer): Floats {
  const view = new DataView(buffer);
  if (buffer.byteLength < 10 || view.getUint8(0) !== 0x93 || ascii(buffer, 1, 6) !== 'NUMPY') {
    throw new Error('not an NPY file');
  }
  const wide = view.getUint8(6) >= 2;
  const start = wide ? 12 : 10;
  const headerLength_bytes = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = ascii(buffer, start, start + headerLength_bytes);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  if (descr !== '<f4') throw new Error(`NPY data of type ${descr ?? 'unknown'}, not <f4`);
  if (/'fortran_order'\s*:\s*True/.test(header)) throw new Error('NPY data in Fortran order');
  const shape = (/'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const offset = start + headerLength_bytes;
  if (buffer.byteLength - offset < count * 4) throw new Error('NPY data is cut short');
  // A copy where the data does not begin at a multiple of four, which a Float32Array needs.
  const data =
    offset % 4 === 0
      ? new Float32Array(buffer, offset, count)
      : new Float32Array(buffer.slice(offset, offset + count * 4));
  return { shape, data };
}

function ascii(buffer: ArrayBuffer, from: number, to: number): string {
  return String.fromCharCode(...new Uint8Array(buffer, from, to - from));
}
