import { describe, expect, it } from 'vitest';
import type { Operation, Problem, Series, SheetInfo } from '../api/types';
import { stepWords } from './step-axis';
import {
  numberWords,
  oddities,
  operationWords,
  originWords,
  placeOnBar,
  problemPlace,
  problemSubject,
  rgbScale,
  roleWords,
  runHue,
  sheetAlt,
  someFrames,
  tileName,
} from './words';

const plain = numberWords('tensor');
const bytes = numberWords('image');
const moment = ({ step }: { step: number }): string => stepWords('step', step);

const INFO: SheetInfo = {
  run: 'train',
  tag: 'conv1/weights',
  step: 12000,
  wall_time: null,
  attempt: 0,
  attempts: 1,
  width: 13,
  height: 7,
  cols: 2,
  rows: 1,
  gutter: 1,
  zoom: 1,
  view: 'filters',
  layout: 'HWIO',
  cmap: 'rdbu',
  scope: 'layer',
  blend: 0,
  n_frames: 0,
  order: 'index',
  labels: 'none',
  label_height: 0,
  constant: false,
  range: { option: 'symmetric', lo: -0.31, hi: 0.31, zero: 0.5, clipped: 0, nan: 2, inf: 0 },
  tiles: [
    { index: 0, channel: 4, x: 1, y: 1, w: 5, h: 5, constant: false },
    { index: 1, channel: 9, input: 2, x: 7, y: 1, w: 5, h: 5, constant: true },
  ],
};

describe('words', () => {
  it('describe the picture by its numbers', () => {
    expect(sheetAlt(INFO, plain, moment)).toBe(
      'conv1/weights of run train at step 12\u2009000: 2 filters of 5×5, rdbu, symmetric range −0.3100 to 0.3100, 2 NaN, 1 constant',
    );
  });
  it('say that each tile has its own scale', () => {
    const own = { ...INFO, tile_ranges: [{ lo: 0, hi: 1 }] };
    expect(sheetAlt(own, plain, moment)).toContain('each tile on a scale of its own');
  });
  it('say what is subtracted', () => {
    const minus = { run: 'other', tag: INFO.tag, step: 0, match: 'index' as const };
    expect(sheetAlt({ ...INFO, minus }, plain, moment)).toContain('minus that of run other at step 0');
  });
  it('say how many frames of how many the sheet has', () => {
    expect(someFrames({ ...INFO, n_frames: 300 })).toBe('2 of 300 frames');
    expect(someFrames({ ...INFO, n_frames: 2 })).toBeNull();
    expect(someFrames(INFO)).toBeNull();
    expect(sheetAlt({ ...INFO, n_frames: 300 }, plain, moment)).toContain('step 12\u2009000: 2 of 300 frames of 5×5');
  });
  it('name a frame by its number among all of them', () => {
    const tile = { ...(INFO.tiles[0] as SheetInfo['tiles'][0]), frame: { number: 1, of: 96 } };
    const info = { ...INFO, view: 'image', tiles: [tile, tile] };
    expect(tileName(info, tile)).toBe('frame 1 of 96');
    expect(tileName(info, { ...tile, frame: { picture: 2, number: 90, of: 96 } })).toBe('image 2, frame 90 of 96');
    expect(sheetAlt(info, bytes, moment)).toContain(': 2 frames of 5×5');
  });
  it('name a tile by what it is', () => {
    const name = (view: string): string => tileName({ ...INFO, view }, INFO.tiles[1] as SheetInfo['tiles'][0]);
    expect(['filters', 'matrix', 'maps', 'samples', 'image'].map(name)).toEqual([
      'filter 9',
      'filter 9, input 2',
      'channel 9',
      'sample 9',
      'image 9',
    ]);
  });
  it('count only what is odd', () => {
    expect(oddities({ ...INFO.range, clipped: 3, nan: 0, inf: 1 })).toBe('3 clipped, 1 inf');
    expect(oddities({ ...INFO.range, nan: 0 })).toBe('');
  });
  it('say what colour means', () => {
    expect(rgbScale(INFO.range, plain)).toBe('mid grey is 0, full colour is ±0.3100');
    expect(rgbScale({ ...INFO.range, option: 'minmax' }, plain)).toBe('each from −0.3100 (dark) to 0.3100 (full)');
  });
});

describe('pictures that came encoded', () => {
  const range = { ...INFO.range, option: 'fixed:0:255', lo: 0, hi: 255, nan: 0 };
  it('have bytes and no numbers', () => {
    expect([0, 127, 255].map(bytes)).toEqual(['byte 0', 'byte 127', 'byte 255']);
    expect([-240, 12.5, null].map(bytes)).toEqual(['−240.0', '12.50', '–']);
    expect(plain(127)).toBe('127.0');
  });
  it('say so of their scale', () => {
    expect(rgbScale(range, bytes)).toBe('each from byte 0 (dark) to byte 255 (full)');
    const alt = sheetAlt({ ...INFO, view: 'image', cmap: 'gray', range }, bytes, moment);
    expect(alt).toContain('2 images of 5×5, gray, fixed range byte 0 to byte 255');
  });
  it('are told from tensors that the network is fed', () => {
    expect(roleWords({ role: 'input', source: 'image' })).toBe('input image');
    expect(roleWords({ role: 'input', source: 'tensor' })).toBe('input');
    expect(roleWords({ role: 'image', source: 'image' })).toBe('image');
  });
});

const CONV: Operation = {
  kind: 'Conv2D',
  name: 'conv1',
  position: 0,
  window: [5, 5],
  outputs: 64,
  strides: [2, 2],
  dilations: [1, 1],
  padding: 'same',
  data_format: 'channels_last',
  activation: 'relu',
  receptive_field: [11, 11],
  origin: 'graph',
};

describe('an operation', () => {
  const unsaid = { strides: [], dilations: [], padding: null, data_format: null, activation: null };
  it.each<[Partial<Operation>, string]>([
    [
      {},
      'Conv2D 5×5, stride 2, same padding, relu, 64 outputs, sees 11×11 of the input (receptive field), from the logged graph',
    ],
    [
      { strides: [2, 1], dilations: [3, 3], data_format: 'channels_first', receptive_field: null },
      'Conv2D 5×5, stride 2×1, same padding, dilation 3, channels first, relu, 64 outputs, from the logged graph',
    ],
    [
      { ...unsaid, kind: 'Dense', window: [], outputs: 1, receptive_field: null, origin: 'keras' },
      'Dense, 1 output, from the logged Keras model',
    ],
    [
      {
        strides: [2, 2],
        padding: 'explicit',
        data_format: null,
        activation: null,
        receptive_field: null,
        origin: 'writer',
      },
      "Conv2D 5×5, stride 2, explicit padding, 64 outputs, from the writer's metadata",
    ],
    [
      { ...unsaid, kind: 'Conv1D', window: [9], outputs: null, receptive_field: [9] },
      'Conv1D 9, sees 9 of the input (receptive field), from the logged graph',
    ],
  ])('is said in a line: %j', (more, words) => {
    expect(operationWords({ ...CONV, ...more })).toBe(words);
  });
});

describe('a problem', () => {
  const problem = (kind: string, more: Partial<Problem> = {}): Problem => ({
    run: 'train',
    file: 'events.1',
    offset: 1200,
    kind,
    message: 'it is so',
    count: 1,
    ...more,
  });
  it('is said with what it is', () => {
    const kinds = ['bad_rules', 'bad_graph', 'bad_length_crc', 'logdir_missing', 'left_out'];
    const subjects = ['rules file', 'graph', 'event file', 'logdir', 'directory'];
    expect(kinds.map((kind) => problemSubject(problem(kind)))).toEqual(subjects);
  });
  it('is said where it is, in bytes only within a file', () => {
    expect(problemPlace(problem('bad_graph'))).toBe('train · events.1 · byte 1\u2009200');
    expect(problemPlace(problem('bad_rules', { run: '.', file: '/logs/.convscope.toml', offset: 0 }))).toBe(
      '/logs/.convscope.toml',
    );
  });
});

describe('the colour bar', () => {
  it.each([
    [0, 0.5],
    [-0.31, 0],
    [9, 1],
    [Number.NaN, null],
    [Infinity, null],
  ])('has %d at %s', (value, place) => {
    expect(placeOnBar(value, INFO.range)).toBe(place);
  });
  it('has a constant in its middle', () => {
    expect(placeOnBar(3, { lo: 3, hi: 3 })).toBe(0.5);
  });
});

describe('the colour of a run', () => {
  it('depends on its name alone', () => {
    expect(runHue('train')).toBe(runHue('train'));
    expect(new Set(['train', 'exp/1', 'exp/2', 'exp/3', 'base'].map(runHue)).size).toBeGreaterThan(2);
  });
});

describe('where a series is from', () => {
  const from = (more: Partial<Series>): string | null =>
    originWords({
      origin: 'checkpoint',
      format: 'safetensors',
      axis: 'step',
      run_from: null,
      saved_as: null,
      steps: 6,
      kept_steps: 0,
      not_kept: 0,
      ...more,
    } as Series);
  it('says how many saves are on the shelf', () => {
    const lost = 'kept on the shelf, because training overwrote or deleted the checkpoints';
    expect(from({ step_from: 'name', kept_steps: 5 })).toBe(
      `checkpoints (safetensors); 5 of 6 saves ${lost}; the step is in the name`,
    );
    expect(from({ step_from: 'name', kept_steps: 6, format: 'shelf' })).toBe(
      `the shelf; 6 of 6 saves ${lost}; the step is in the name`,
    );
  });
  it('says of how many saves it was not kept', () => {
    expect(from({ step_from: 'name', steps: 1, not_kept: 3 })).toBe(
      'checkpoints (safetensors); 3 saves not kept on the shelf, for which it is too large; the step is in the name',
    );
  });
  it('is told of checkpoints alone', () => {
    expect(from({ origin: 'events', format: 'events', step_from: 'record' })).toBeNull();
    expect(from({ step_from: 'name' })).toBe('checkpoints (safetensors); the step is in the name');
    expect(from({ format: 'pytorch', axis: 'epoch', step_from: 'content' })).toBe(
      'checkpoints (PyTorch); the epoch is in the file',
    );
    expect(from({ axis: 'time', step_from: 'time' })).toBe(
      'checkpoints (safetensors); no step or epoch is known, so the time is that of the file',
    );
  });
  it('names the tensor as its writer did, where the tag is another', () => {
    const saved_as = 'state_dict/module.conv1.weight';
    expect(from({ format: 'pytorch', step_from: 'name', saved_as })).toBe(
      'checkpoints (PyTorch); saved as state_dict/module.conv1.weight; the step is in the name',
    );
  });
  it('says why it is likely of a run that it does not lie in', () => {
    const run_from = 'train is the only run with events beside it';
    expect(from({ step_from: 'name', run_from })).toBe(
      'checkpoints (safetensors); the step is in the name; likely of this run: train is the only run with events beside it',
    );
  });
});
