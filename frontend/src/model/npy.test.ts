import { describe, expect, it } from 'vitest';
import { parseNpy } from './npy';

/** The bytes that `numpy.lib.format.write_array` lays out, by its published format. */
function npy(header: string, values: readonly number[], version = 1): ArrayBuffer {
  const fixed = version === 1 ? 10 : 12;
  const text = `${header}\n`;
  const buffer = new ArrayBuffer(fixed + text.length + values.length * 4);
  const view = new DataView(buffer);
  [0x93, ...'NUMPY'].forEach((mark, place) => {
    view.setUint8(place, typeof mark === 'number' ? mark : mark.charCodeAt(0));
  });
  view.setUint8(6, version);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  for (let i = 0; i < text.length; i++) view.setUint8(fixed + i, text.charCodeAt(i));
  values.forEach((value, i) => {
    view.setFloat32(fixed + text.length + i * 4, value, true);
  });
  return buffer;
}

const HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 3), }";

describe('npy', () => {
  it('reads shape and numbers', () => {
    const { shape, data } = parseNpy(npy(HEADER, [1, 2, 3, -4, 0.5, 6]));
    expect(shape).toEqual([2, 1, 3]);
    expect([...data]).toEqual([1, 2, 3, -4, 0.5, 6]);
  });
  it('reads data that begins at any byte', () => {
    for (let pad = 0; pad < 4; pad++) {
      expect([...parseNpy(npy(HEADER + ' '.repeat(pad), [1, 2, 3, 4, 5, 6])).data]).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });
  it('reads version 2, whose header length is wider', () => {
    expect(parseNpy(npy(HEADER, [1, 2, 3, 4, 5, 6], 2)).shape).toEqual([2, 1, 3]);
  });
  it('keeps NaN and infinities', () => {
    const { data } = parseNpy(
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", [Number.NaN, -Infinity]),
    );
    expect([...data]).toEqual([Number.NaN, -Infinity]);
  });
  it('refuses other files, types and orders', () => {
    expect(() => parseNpy(new ArrayBuffer(4))).toThrow('not an NPY file');
    expect(() => parseNpy(npy(HEADER.replace('<f4', '<f8'), []))).toThrow('<f8');
    expect(() => parseNpy(npy(HEADER.replace('False', 'True'), [1, 2, 3, 4, 5, 6]))).toThrow('Fortran');
    expect(() => parseNpy(npy(HEADER, [1]))).toThrow('cut short');
  });
});
