/**
 * What the page shows <-> its query string.
 *
 * The keys are those of `api/v1/sheet`, so the same query gives the plain PNG there. A key that is missing means
 * "the default of the series"; a missing `step` means the latest one, which is followed as the run grows.
 */
import { encodeReadable } from './query';

export interface Address {
  run: string | null;
  tag: string | null;
  /** null: follow the latest step. */
  step: number | null;
  view: string | null;
  range: string | null;
  scope: string | null;
  /** From the layer's range, 0, to those of the tiles, 1. */
  blend: number | null;
  cmap: string | null;
  order: string | null;
  labels: string | null;
  layout: string | null;
  channels: string | null;
  /** Which frames of animated pictures are tiles, as in `1-64,80` or `1-300/4`; null: as many as fit. */
  frames: string | null;
  sample: number | null;
  slice: number | null;
  cols: number | null;
  /** 0 is the newest attempt at a step, 1 the one before. */
  attempt: number | null;
  /** What is subtracted from what is on show; a missing part is that of the picture itself. */
  minus_run: string | null;
  minus_tag: string | null;
  minus_step: number | null;
  /** `cosine`: the filters of what is subtracted are paired by similarity first. */
  match: string | null;
  /** `beside` or `blink`: another picture of the same choices is shown as well. */
  compare: string | null;
  with_run: string | null;
  with_step: number | null;
  /** Device pixels for one sheet pixel; null: as large as fits. */
  zoom: number | null;
  /** The opened tile by its position in the order of the index, whatever the order on show: see `model/tiles`. */
  tile: number | null;
}

export const NOWHERE: Address = {
  run: null,
  tag: null,
  step: null,
  view: null,
  range: null,
  scope: null,
  blend: null,
  cmap: null,
  order: null,
  labels: null,
  layout: null,
  channels: null,
  frames: null,
  sample: null,
  slice: null,
  cols: null,
  attempt: null,
  minus_run: null,
  minus_tag: null,
  minus_step: null,
  match: null,
  compare: null,
  with_run: null,
  with_step: null,
  zoom: null,
  tile: null,
};

const TEXTS = [
  'run',
  'tag',
  'view',
  'range',
  'scope',
  'cmap',
  'order',
  'labels',
  'layout',
  'channels',
  'frames',
  'minus_run',
  'minus_tag',
  'match',
  'compare',
  'with_run',
] as const;
const NUMBERS = ['step', 'sample', 'slice', 'cols', 'attempt', 'minus_step', 'with_step', 'zoom', 'tile'] as const;
/** Steps may be negative; everything else counts from 0. */
const STEPS: readonly string[] = ['step', 'minus_step', 'with_step'];
const ORDER = [
  'run',
  'tag',
  'step',
  'view',
  'slice',
  'sample',
  'channels',
  'frames',
  'range',
  'scope',
  'blend',
  'cmap',
  'order',
  'labels',
  'layout',
  'cols',
  'attempt',
  'minus_run',
  'minus_tag',
  'minus_step',
  'match',
  'compare',
  'with_run',
  'with_step',
  'zoom',
  'tile',
] as const;

export interface Decoded {
  address: Address;
  /** What could not be read, as sentences for the note. */
  notes: string[];
}

/** Reads a query string. What cannot be read is left out, with a note; unknown keys are ignored. */
export function decodeAddress(query: string): Decoded {
  const given = new URLSearchParams(query);
  const address: Address = { ...NOWHERE };
  const notes: string[] = [];
  for (const key of TEXTS) {
    const text = given.get(key);
    if (text) address[key] = text;
  }
  for (const key of NUMBERS) {
    const text = given.get(key);
    if (text === null || text === '' || (key === 'step' && text === 'latest')) continue;
    const number = Number(text);
    if (Number.isSafeInteger(number) && (number >= 0 || STEPS.includes(key))) address[key] = number;
    else notes.push(`“${key}=${text}” in the address is not a whole number and was left out.`);
  }
  const blend = given.get('blend');
  if (blend) {
    const share = Number(blend);
    if (share >= 0 && share <= 1) address.blend = share;
    else notes.push(`“blend=${blend}” in the address is not a number from 0 to 1 and was left out.`);
  }
  return { address, notes };
}

/** Writes the query string, without `?`; the inverse of `decodeAddress`. */
export function encodeAddress(address: Address): string {
  const parts: string[] = [];
  for (const key of ORDER) {
    const value = address[key];
    if (value !== null) parts.push(`${key}=${encodeReadable(String(value))}`);
  }
  return parts.join('&');
}
