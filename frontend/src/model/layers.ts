/** The series of a run as the list shows them: by layer, in the server's order, with their shapes in words. */
import type { Series } from '../api/types';
import type { Query } from './query';

export interface Layer {
  name: string;
  series: Series[];
}

/** Series grouped by layer, in the order in which the layers first occur. Series that cannot be drawn are left out. */
export function groupLayers(all: readonly Series[]): Layer[] {
  const layers = new Map<string, Layer>();
  for (const series of all) {
    if (series.views.length === 0) continue;
    const layer = layers.get(series.layer);
    if (layer) layer.series.push(series);
    else layers.set(series.layer, { name: series.layer, series: [series] });
  }
  return [...layers.values()];
}

export function undrawable(all: readonly Series[]): Series[] {
  return all.filter((series) => series.views.length === 0);
}

/** The size of one axis by its letter in the layout: `O` of HWIO is 64 in (5, 5, 3, 64). */
export function axis(series: Series, letter: string, layout: string | null = series.layout): number | null {
  const place = layout?.indexOf(letter) ?? -1;
  return place < 0 ? null : (series.shape[place] ?? null);
}

/** Filters of a kernel, channels of an activation. */
export function channelCount(series: Series): number | null {
  if (series.role !== 'kernel') return axis(series, 'C');
  const multiplier = axis(series, 'M');
  if (multiplier !== null) return multiplier * (axis(series, 'I') ?? 1);
  return axis(series, 'O');
}

/** The kinds of pictures with 1 to 4 channels. */
const PICTURE_DEPTHS = ['grey', 'grey+alpha', 'colour', 'colour+alpha'];

/** `5×5 3→64` for a kernel, `24×24 64 ch ×2` for an activation of two samples, `24×24 grey ×16` for pictures. */
export function shapeWords(series: Series): string {
  const space = ['D', 'H', 'W'].map((letter) => axis(series, letter)).filter((size) => size !== null);
  const plain = series.shape.join('×') || 'scalar';
  if (series.layout === null) return plain;
  const inputs = axis(series, 'I');
  const outputs = axis(series, 'O') ?? axis(series, 'M');
  if (inputs !== null && outputs !== null) return `${space.join('×')} ${inputs}→${outputs}`.trim();
  const channels = axis(series, 'C');
  if (channels === null) return plain;
  const batch = axis(series, 'N');
  const depth = series.source === 'image' ? PICTURE_DEPTHS[channels - 1] : `${channels} ch`;
  return `${space.join('×')} ${depth}${batch !== null && batch > 1 ? ` ×${batch}` : ''}`.trim();
}

/** Views with a tile for each sample or picture, in colour where there are three channels. */
export const hasTileASample = (view: string | null): boolean => view === 'samples' || view === 'image';

/** A tensor that cannot be drawn in part gets no thumbnail if it has more elements than this. */
const LARGE = 250_000;

/** The query of a small picture of a series: few tiles, so that a list of sixty layers stays cheap; null where it cannot be. */
export function thumbnailQuery(series: Series): Query | null {
  const place = { run: series.run, tag: series.tag, step: series.last_step ?? undefined, v: series.version };
  const count = channelCount(series) ?? 1;
  const isLarge = series.shape.reduce((product, size) => product * size, 1) > LARGE;
  // Of large pictures one channel of one of them.
  if (series.source === 'image') return isLarge ? { ...place, view: 'maps', channels: '0' } : place;
  // A dense layer's kernel is one tile.
  if (series.shape.length === 2) return isLarge ? null : place;
  // Colour needs all three channels at once, and a matrix has its own number of columns.
  if (series.role !== 'kernel' && series.cmap === 'rgb') return place;
  if (series.view === 'matrix') return { ...place, channels: count > 8 ? '0-7' : undefined };
  const side = Math.max(axis(series, 'H') ?? 1, axis(series, 'W') ?? 1);
  const across = Math.max(1, Math.min(side <= 7 ? 4 : side <= 14 ? 3 : 2, Math.ceil(Math.sqrt(count))));
  const shown = Math.min(count, across * across);
  return {
    ...place,
    channels: shown > 1 ? `0-${shown - 1}` : '0',
    cols: across,
  };
}

/** What of a series is searched. */
export function searchText(series: Series): string {
  const marks = series.contradictions.length > 0 ? 'contradiction' : '';
  return `${series.tag} ${series.role} ${series.layout ?? ''} ${marks}`;
}

/** Whether each word of the search occurs in the text. */
export function matches(text: string, search: string): boolean {
  const low = text.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}

/** The rows that match, or all rows if none matches, so that one box can search two lists. */
export function narrow<T>(rows: readonly T[], search: string, text: (row: T) => string): T[] {
  const found = rows.filter((row) => matches(text(row), search));
  return found.length > 0 ? found : [...rows];
}

/** The tag without the part that the heading of the layer shows already. */
export function shortTag(series: Series): string {
  const rest = series.tag.startsWith(series.layer) ? series.tag.slice(series.layer.length) : series.tag;
  return rest.replace(/^[/.:]+/, '') || series.tag;
}
