/** What NumPy wrote beside the fixture logs, and sums over it that share nothing with the page or the program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpy } from './npy.mjs';
import { FRONTEND } from './server.mjs';

export const FIXTURES = join(FRONTEND, '../tests/fixtures');

/** A tensor as NumPy wrote it. */
export function truth(log, tag, step, run = '.') {
  const manifest = JSON.parse(readFileSync(join(FIXTURES, log, 'manifest.json'), 'utf8'));
  const line = manifest.find((one) => one.tag === tag && one.step === step && one.run === run);
  const bytes = readFileSync(join(FIXTURES, log, line.npy));
  return readNpy(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** All values of one filter of an HWIO kernel. */
export function filterOf(tensor, filter) {
  const [h, w, inputs] = tensor.shape;
  const values = [];
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) for (let i = 0; i < inputs; i++) values.push(tensor.at(y, x, i, filter));
  return values;
}

/** All values of an HWIO kernel. */
export const valuesOf = (tensor) =>
  Array.from({ length: tensor.shape[3] }, (_, filter) => filterOf(tensor, filter)).flat();

export const norm = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** NumPy's default: linear between the values. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const next = sorted[Math.min(sorted.length - 1, below + 1)];
  return sorted[below] + (place - below) * (next - sorted[below]);
}

/** What NumPy says of differences of two steps. */
export function differenceTruth(log, tag) {
  const all = JSON.parse(readFileSync(join(FIXTURES, 'numbers/differences.json'), 'utf8'));
  return all.find((one) => one.log === log && one.tag === tag);
}

export const goldenPicture = (name) => readFileSync(join(FIXTURES, 'numbers', name)).toString('base64');
