/** What a picture and its parts are called. */
import type { Evidence, Frame, Operation, Problem, Series, SheetInfo, Tile } from '../api/types';
import { count, digits4, grouped } from './format';

/** How a number of a picture is written. */
export type NumberWords = (value: number | null) => string;

/** Numbers of a tensor have four digits. Pictures that were logged encoded have bytes, which are whole numbers. */
export function numberWords(source: Series['source']): NumberWords {
  return source === 'image' ? byteWords : digits4;
}

function byteWords(value: number | null): string {
  return value !== null && isByte(value) ? `byte ${value}` : digits4(value);
}

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255;

/** `filter 17`, `map 3`, `filter 4, input 2`, `frame 1 of 96`: a tile by what it is, not by its place. */
export function tileName(info: SheetInfo, tile: Tile): string {
  if (tile.frame) return frameName(tile.frame);
  if (info.view === 'matrix') return `filter ${tile.channel}, input ${tile.input ?? 0}`;
  if (info.view === 'maps') return `channel ${tile.channel}`;
  if (info.view === 'samples') return `sample ${tile.channel}`;
  if (info.view === 'image') return `image ${tile.channel}`;
  return `filter ${tile.channel}`;
}

/** `frame 1 of 96`, and `image 2, frame 1 of 96` where there are several pictures. */
function frameName({ picture, number, of }: Frame): string {
  const frame = `frame ${number} of ${of}`;
  return picture === undefined ? frame : `image ${picture}, ${frame}`;
}

const TILES: Record<string, string> = { maps: 'map', samples: 'sample', matrix: 'tile', image: 'image' };

/** `150 of 300 frames`; null where the sheet has all of them, or none. */
export function someFrames({ n_frames = 0, tiles }: Pick<SheetInfo, 'n_frames' | 'tiles'>): string | null {
  return tiles.length < n_frames ? `${tiles.length} of ${count(n_frames, 'frame')}` : null;
}

/** How the step of a tensor is said: `step 300`, `epoch 3`, or a time. */
export type MomentWords = (of: { run: string; tag: string; step: number }) => string;

/** The picture in words and numbers, for those who cannot see it. */
export function sheetAlt(info: SheetInfo, numbers: NumberWords, moment: MomentWords): string {
  const first = info.tiles[0];
  const tiles = someFrames(info) ?? count(info.tiles.length, first?.frame ? 'frame' : (TILES[info.view] ?? 'filter'));
  const size = first ? ` of ${first.h}×${first.w}` : '';
  const range = `${numbers(info.range.lo)} to ${numbers(info.range.hi)}`;
  const option = info.range.option.split(':')[0];
  const scale = info.tile_ranges ? 'each tile on a scale of its own' : `${option} range ${range}`;
  const odd = oddities(info.range);
  const minus = info.minus ? ` minus that of run ${info.minus.run} at ${moment(info.minus)}` : '';
  const constant = info.tiles.filter((tile) => tile.constant).length;
  return [
    `${info.tag} of run ${info.run} at ${moment(info)}${minus}: ${tiles}${size}, ${info.cmap}, ${scale}`,
    odd,
    constant > 0 ? `${constant} constant` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** `2 clipped, 1 NaN`; empty if there is nothing of that kind. */
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
export function rgbScale(range: SheetInfo['range'], numbers: NumberWords): string {
  if (range.option === 'symmetric') return `mid grey is 0, full colour is ±${digits4(range.hi)}`;
  return `each from ${numbers(range.lo)} (dark) to ${numbers(range.hi)} (full)`;
}

const FORMATS: Record<string, string> = {
  safetensors: 'safetensors',
  pytorch: 'PyTorch',
  keras: 'Keras',
  hdf5: 'HDF5',
  orbax: 'Orbax',
  flax: 'Flax',
  tensorflow: 'TensorFlow',
  'tensorflow-v1': 'TensorFlow, first version',
  npz: 'NumPy',
  dcp: 'PyTorch, distributed',
  onnx: 'ONNX',
};

/** `checkpoints (safetensors); the step is in the name`; null for what lies in event files, as nearly everything does. */
export function originWords(series: Series): string | null {
  const { origin, format, step_from, axis, run_from, saved_as } = series;
  if (origin !== 'checkpoint') return null;
  const known: Record<string, string> = {
    content: `the ${axis} is in the file`,
    name: `the ${axis} is in the name`,
    time: 'no step or epoch is known, so the time is that of the file',
  };
  return [
    format === 'shelf' ? 'the shelf' : `checkpoints (${FORMATS[format] ?? format})`,
    keptWords(series),
    saved_as === null ? '' : `saved as ${saved_as}`,
    known[step_from] ?? '',
    run_from === null ? '' : `likely of this run: ${run_from}`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

/** `5 of 6 saves kept on the shelf, because ...; 3 more saves not kept, because it is too large`. */
function keptWords({ kept_steps: kept, not_kept: missing, steps }: Series): string {
  const why = 'because training overwrote or deleted the checkpoints';
  const there = kept === 0 ? '' : `${kept} of ${count(Math.max(steps, kept), 'save')} kept on the shelf, ${why}`;
  const gone = `${count(missing, kept === 0 ? 'save' : 'more save')} not kept on the shelf, for which it is too large`;
  return [there, missing === 0 ? '' : gone].filter((part) => part !== '').join('; ');
}

/** The role of a series in a word or two. */
export function roleWords({ role, source }: Pick<Series, 'role' | 'source'>): string {
  return role === 'input' && source === 'image' ? 'input image' : role;
}

/** How sure the server is, and why. */
export const certainty = (from: Evidence): string => `${from.confidence}: ${from.evidence}`;

const ORIGINS: Record<Operation['origin'], string> = {
  graph: 'from the logged graph',
  keras: 'from the logged Keras model',
  onnx: 'from the ONNX graph',
  writer: "from the writer's metadata",
};

/** `Conv2D 5×5, stride 2, same padding, relu, 64 outputs, sees 11×11 of the input (receptive field), from ...`. */
export function operationWords(operation: Operation): string {
  const { kind, window, strides, dilations, padding, activation, outputs } = operation;
  const seen = operation.receptive_field ?? [];
  return [
    `${kind} ${window.join('×')}`.trim(),
    strides.length > 0 ? `stride ${alongAxes(strides)}` : '',
    padding === null ? '' : `${padding} padding`,
    dilations.some((dilation) => dilation !== 1) ? `dilation ${alongAxes(dilations)}` : '',
    operation.data_format === 'channels_first' ? 'channels first' : '',
    activation ?? '',
    outputs === null ? '' : count(outputs, 'output'),
    seen.length > 0 ? `sees ${seen.join('×')} of the input (receptive field)` : '',
    ORIGINS[operation.origin],
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** One number where all axes have the same. */
function alongAxes(sizes: readonly number[]): string {
  return new Set(sizes).size === 1 ? String(sizes[0]) : sizes.join('×');
}

const SUBJECTS: Record<string, string> = {
  bad_rules: 'rules file',
  bad_checkpoint: 'checkpoint',
  bad_graph: 'graph',
  checkpoint_not_read: 'checkpoint',
  left_out: 'directory',
  logdir_missing: 'logdir',
  no_event_files: 'logdir',
  shelf: 'shelf',
  unreadable: 'file',
};

/** What kind of thing has the problem. */
export function problemSubject(problem: Problem): string {
  return SUBJECTS[problem.kind] ?? 'event file';
}

/** Problems of a whole file have no offset; the message of a mistake in a rules file has its line. */
const OF_A_WHOLE = [
  'bad_checkpoint',
  'bad_rules',
  'checkpoint_not_read',
  'left_out',
  'logdir_missing',
  'no_crcs',
  'no_event_files',
  'shelf',
  'unreadable',
];

/** `train · events.out.tfevents.1 · byte 1200` */
export function problemPlace({ run, file, offset, kind }: Problem): string {
  const inBytes = offset === null || OF_A_WHOLE.includes(kind) ? null : `byte ${grouped(offset)}`;
  return [run === '.' ? null : run, file, inBytes].filter((part) => part !== null).join(' · ');
}

const HUES = [212, 28, 268, 152, 340, 48, 190, 300, 100, 8];

/** A colour for a run that depends on its name alone, so that it is the same on every machine. */
export function runHue(run: string): number {
  let hash = 2166136261;
  for (let i = 0; i < run.length; i++) hash = Math.imul(hash ^ run.charCodeAt(i), 16777619) >>> 0;
  return HUES[hash % HUES.length] as number;
}
