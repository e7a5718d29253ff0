/**
 * What the page shows <-> its query string.
 *
 * The keys are those of `api/v1/sheet`, so the same query gives the plain PNG there. A key that is missing means
 * "the default of the series"; a missing `step` means the latest one, which is followed as the run grows.
 */
import { encodeReadable } from './query';

/** How a value is written: a word, a whole number from 0 on, a step, which may be negative, or a number from 0 to 1. */
type Form = 'text' | 'count' | 'step' | 'share';

const form = <F extends Form>(form: F): F => form;

/** The picture options of the address, each once. */
export const PICTURE = {
  view: form('text'),
  slice: form('count'),
  sample: form('count'),
  channels: form('text'),
  /** Which frames of animated pictures are tiles, as in `1-64,80` or `1-300/4`; null: as many as fit. */
  frames: form('text'),
  range: form('text'),
  scope: form('text'),
  /** From the layer's range, 0, to those of the tiles, 1. */
  blend: form('share'),
  cmap: form('text'),
  order: form('text'),
  labels: form('text'),
  layout: form('text'),
  cols: form('count'),
};

/** All keys of the address, in the order in which they are written. */
const KEYS = {
  run: form('text'),
  tag: form('text'),
  /** null: follow the latest step. */
  step: form('step'),
  ...PICTURE,
  /** 0 is the newest attempt at a step, 1 the one before. */
  attempt: form('count'),
  /** What is subtracted from what is on show; a missing part is that of the picture itself. */
  minus_run: form('text'),
  minus_tag: form('text'),
  minus_step: form('step'),
  /** `cosine`: the filters of what is subtracted are paired by similarity first. */
  match: form('text'),
  /** `beside` or `blink`: another picture of the same choices is shown as well. */
  compare: form('text'),
  with_run: form('text'),
  with_tag: form('text'),
  with_step: form('step'),
  /** Device pixels for one sheet pixel; null: as large as fits. */
  zoom: form('count'),
  /** The opened tile by its position in the order of the index, whatever the order on show: see `model/tiles`. */
  tile: form('count'),
};

type Key = keyof typeof KEYS;
export type PictureOption = keyof typeof PICTURE;

/** What the page shows; null where nothing is chosen. */
export type Address = { [K in Key]: ((typeof KEYS)[K] extends 'text' ? string : number) | null };

const keys = Object.keys(KEYS) as Key[];
export const pictureOptions = Object.keys(PICTURE) as PictureOption[];

export const NOWHERE = Object.fromEntries(keys.map((key) => [key, null])) as Address;

export interface Decoded {
  address: Address;
  /** What could not be read, as sentences for the note. */
  notes: string[];
}

/** Reads a query string. What cannot be read is left out, with a note; unknown keys are ignored. */
export function decodeAddress(query: string): Decoded {
  const given = new URLSearchParams(query);
  const notes: string[] = [];
  const read = (key: Key): string | number | null => {
    const text = given.get(key);
    if (text === null || text === '' || (key === 'step' && text === 'latest')) return null;
    const value = parsed(KEYS[key], text);
    if (value === null) notes.push(`“${key}=${text}” in the address is not ${WORDS[KEYS[key]]} and was left out.`);
    return value;
  };
  return { address: Object.fromEntries(keys.map((key) => [key, read(key)])) as Address, notes };
}

const WORDS: Record<Form, string> = {
  text: 'a word',
  count: 'a whole number',
  step: 'a whole number',
  share: 'a number from 0 to 1',
};

function parsed(form: Form, text: string): string | number | null {
  if (form === 'text') return text;
  const number = Number(text);
  const isRight: Record<Exclude<Form, 'text'>, boolean> = {
    count: Number.isSafeInteger(number) && number >= 0,
    step: Number.isSafeInteger(number),
    share: number >= 0 && number <= 1,
  };
  return isRight[form] ? number : null;
}

/** Writes the query string, without `?`; the inverse of `decodeAddress`. */
export function encodeAddress(address: Address): string {
  const given = keys.flatMap((key) => {
    const value = address[key];
    return value === null ? [] : [`${key}=${encodeReadable(String(value))}`];
  });
  return given.join('&');
}
