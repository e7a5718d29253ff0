/** What a picture and its parts are called. */
import type { SheetInfo, Tile } from '../api/types';
import { count, digits4, grouped } from './format';

/** `filter 17`, `map 3`, `filter 4, input 2`: a tile by what it is, not by its place. */
export function tileName(info: SheetInfo, tile: Tile): string {
  if (info.view === 'matrix') return `filter ${tile.channel}, input ${tile.input ?? 0}`;
  if (info.view === 'maps') return `channel ${tile.channel}`;
  if (info.view === 'samples') return `sample ${tile.channel}`;
  if (info.view === 'image') return `image ${tile.channel}`;
  return `filter ${tile.channel}`;
}

const TILES: Record<string, string> = { maps: 'map', samples: 'sample', matrix: 'tile', image: 'image' };

/** The picture in words and numbers, for those who cannot see it. */
export function sheetAlt(info: SheetInfo): string {
  const tiles = count(info.tiles.length, TILES[info.view] ?? 'filter');
  const first = info.tiles[0];
  const size = first ? ` of ${first.h}×${first.w}` : '';
  const range = `${digits4(info.range.lo)} to ${digits4(info.range.hi)}`;
  const scale = info.scope === 'tile' ? 'each tile on a scale of its own' : `${info.range.option} range ${range}`;
  const odd = oddities(info.range);
  const constant = info.tiles.filter((tile) => tile.constant).length;
  return [
    `${info.tag} of run ${info.run} at step ${grouped(info.step)}: ${tiles}${size}, ${info.cmap}, ${scale}`,
    odd,
    constant > 0 ? `${constant} constant` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** `2 clipped, 1 NaN`; empty where all is well. */
export function oddities(range: SheetInfo['range']): string {
  const parts = [
    range.clipped > 0 ? `${grouped(range.clipped)} clipped` : '',
    range.nan > 0 ? `${grouped(range.nan)} NaN` : '',
    range.inf > 0 ? `${grouped(range.inf)} inf` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** Place of a value on the colour bar in [0, 1]; null where it has none. */
export function placeOnBar(value: number, range: { lo: number | null; hi: number | null }): number | null {
  if (!Number.isFinite(value) || range.lo === null || range.hi === null) return null;
  if (range.hi === range.lo) return 0.5;
  return Math.min(1, Math.max(0, (value - range.lo) / (range.hi - range.lo)));
}

/** What the three channels of an `rgb` sheet mean. */
export function rgbScale(range: SheetInfo['range']): string {
  if (range.option === 'symmetric') return `mid grey is 0, full colour is ±${digits4(range.hi)}`;
  return `each channel from ${digits4(range.lo)} (dark) to ${digits4(range.hi)} (full)`;
}

const HUES = [212, 28, 268, 152, 340, 48, 190, 300, 100, 8];

/** A colour for a run that depends on its name alone, so that it is the same on every machine. */
export function runHue(run: string): number {
  let hash = 2166136261;
  for (let i = 0; i < run.length; i++) hash = Math.imul(hash ^ run.charCodeAt(i), 16777619) >>> 0;
  return HUES[hash % HUES.length] as number;
}
