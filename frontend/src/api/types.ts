/** The answers of the server, as JSON gives them. Times are seconds since 1970. */

export type Role = 'kernel' | 'bias' | 'activation' | 'input' | 'image' | 'other';
export type Confidence = 'sure' | 'likely' | 'guess';

/** Why the server believes what it says of a series. */
export interface Evidence {
  confidence: Confidence;
  evidence: string;
}

/** What the logged graph or Keras model says of the layer. Lists run over the window's axes and are empty where unsaid. */
export interface Operation {
  /** The class in Keras: `Conv2D`, `DepthwiseConv2D`, `Dense`. */
  kind: string;
  name: string;
  /** Place in the order in which data passes the network, from 0. */
  position: number;
  window: number[];
  outputs: number | null;
  strides: number[];
  dilations: number[];
  padding: string | null;
  data_format: 'channels_first' | 'channels_last' | null;
  activation: string | null;
  /** How much of the network's input one element of the output sees. */
  receptive_field: number[] | null;
  origin: 'graph' | 'keras' | 'writer';
}

export interface Problem {
  run: string | null;
  file: string | null;
  offset: number | null;
  kind: string;
  message: string;
  count: number;
}

export interface Health {
  status: 'loading' | 'ok' | 'degraded';
  version: string;
  logdir: string;
  revision: number;
  watch: { mode: 'native' | 'poll' | 'waiting'; reason: string | null };
  scanned: { files: number; bytes: number; records: number; runs: number };
  /** What looks like checkpoints; `names` are the first of them. */
  checkpoints?: { count: number; names: string[] };
  problems: Problem[];
  demo?: boolean;
}

export interface Run {
  run: string;
  series: number;
  layers: number;
  first_wall_time: number | null;
  last_wall_time: number | null;
  last_step: number | null;
}

/** All values of one tag in one run. `views` is empty where nothing can be drawn, and `problem` says why. */
export interface Series {
  run: string;
  tag: string;
  layer: string;
  role: Role;
  role_from: Evidence;
  layout: string | null;
  layout_from: Evidence | null;
  dtype: string;
  shape: number[];
  /** How many frames each picture of the newest step has; null where none is animated. */
  frames?: number | null;
  steps: number;
  /** null where there are no steps. */
  first_step: number | null;
  last_step: number | null;
  /** `image`: pictures of 8 bit that the log's writer had encoded; their bytes are not the tensor's numbers. */
  source: 'tensor' | 'image';
  /** What to know about the numbers, as in "8 bit, scale unknown". */
  note: string | null;
  /** What speaks against role and layout, a phrase each. */
  contradictions: string[];
  operation: Operation | null;
  views: string[];
  view: string | null;
  range: string | null;
  cmap: string | null;
  problem: string | null;
  /** Another one once a step that was there may have changed; it goes along as `v`, which keeps caches apart. */
  version: string;
}

export interface Skipped {
  run: string;
  tag: string;
  kind: string;
  count: number;
  shape: number[] | null;
  reason: string;
}

/** Lines of Python that log what can be drawn, with the logdir filled in. */
export interface Recipe {
  framework: string;
  with_package: boolean;
  code: string;
}

export interface Recipes {
  /** Keras drew pictures of kernels, and no kernel is there as a tensor. */
  kernels_are_drawn: boolean;
  recipes: Recipe[];
}

export interface Steps {
  steps: number[];
  wall_times: (number | null)[];
  attempts: number[];
}

export interface Options {
  view: string[];
  range: string[];
  scope: string[];
  cmap: string[];
  order?: string[];
  labels?: string[];
  layout: string[];
  format: string[];
}

/** Which frame of an animated picture a tile shows. */
export interface Frame {
  /** Which of the pictures of the step, from 0, where there are several. */
  picture?: number;
  /** From 1. */
  number: number;
  of: number;
}

/** One picture of the sheet, in sheet pixels. `input` is there in view `matrix` only. */
export interface Tile {
  index: number;
  channel: number;
  input?: number;
  frame?: Frame;
  x: number;
  y: number;
  w: number;
  h: number;
  constant: boolean;
}

export interface SheetInfo {
  run: string;
  tag: string;
  step: number;
  wall_time: number | null;
  attempt: number;
  attempts: number;
  width: number;
  height: number;
  cols: number;
  rows: number;
  gutter: number;
  zoom: number;
  /** How many frames animated pictures have in all, of which the tiles may be some. */
  n_frames?: number;
  view: string;
  layout: string | null;
  cmap: string;
  scope: string;
  blend?: number;
  order?: string;
  labels?: string;
  constant: boolean;
  /** What is subtracted, where the sheet is that of a difference. */
  minus?: { run: string; tag: string; step: number; match: string };
  range: {
    option: string;
    lo: number | null;
    hi: number | null;
    zero: number | null;
    clipped: number;
    nan: number;
    inf: number;
  };
  tile_ranges?: { lo: number | null; hi: number | null }[];
  tiles: Tile[];
}

export interface Colormap {
  cmap: string;
  colors: string[];
  nan: string;
  posinf: string;
  neginf: string;
  gutter: string;
}

/** One `revision` event of the live stream. */
export interface Revision {
  revision: number;
  status: Health['status'];
  reset: boolean;
  /** A run or a tag is new, also one that is not drawn. */
  new_names: boolean;
  changed: { run: string; tag: string; steps: number; last_step: number | null; version: string }[];
}

/** The range over all steps of a series, as far as it is known. */
export interface RunRange {
  lo: number | null;
  hi: number | null;
  steps_done: number;
  steps: number;
}
