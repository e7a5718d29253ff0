/**
 * What one looks at <-> the query string of the page.
 *
 * The keys are those of `api/v1/sheet`, so the same query gives the plain PNG there. A key that is missing means
 * "as the series has it"; a missing `step` means the latest one, followed as it grows.
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
  cmap: string | null;
  layout: string | null;
  channels: string | null;
  sample: number | null;
  slice: number | null;
  cols: number | null;
  /** 0 is the newest attempt at a step, 1 the one before. */
  attempt: number | null;
  /** Device pixels for one sheet pixel; null: as large as fits. */
  zoom: number | null;
  /** Index of the opened tile. */
  tile: number | null;
}

export const NOWHERE: Address = {
  run: null,
  tag: null,
  step: null,
  view: null,
  range: null,
  scope: null,
  cmap: null,
  layout: null,
  channels: null,
  sample: null,
  slice: null,
  cols: null,
  attempt: null,
  zoom: null,
  tile: null,
};

const TEXTS = ['run', 'tag', 'view', 'range', 'scope', 'cmap', 'layout', 'channels'] as const;
const NUMBERS = ['step', 'sample', 'slice', 'cols', 'attempt', 'zoom', 'tile'] as const;
const ORDER = [
  'run',
  'tag',
  'step',
  'view',
  'slice',
  'sample',
  'channels',
  'range',
  'scope',
  'cmap',
  'layout',
  'cols',
  'attempt',
  'zoom',
  'tile',
] as const;

export interface Decoded {
  address: Address;
  /** What could not be read, in words for a quiet line. */
  notes: string[];
}

/** Reads a query string; what cannot be read is left out and named. Keys we do not know are somebody else's. */
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
    if (Number.isSafeInteger(number) && (number >= 0 || key === 'step')) address[key] = number;
    else notes.push(`“${key}=${text}” in the address is no whole number and was left out.`);
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
