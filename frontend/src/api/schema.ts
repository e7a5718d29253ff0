/**
 * The answers of the server, as JSON gives them.
 *
 * Made from `api/v1/openapi.json` by `make schema`: change the structs of the server, and not this file.
 */

/** Pairs that are alike. */
export interface Alike {
  above: number;
  /** How many pairs; null where they were not looked for. */
  count: number | null;
  /** Why they were not looked for. */
  not_compared: string | null;
  /** The most alike of them, at most 1000. */
  pairs: AlikePair[];
}

/** Two that are alike. */
export interface AlikePair {
  first: number;
  /** The cosine of filters, the correlation of channels. */
  likeness: number;
  second: number;
}

/** How far apart. */
export interface Apart {
  /** How many elements were finite in both. */
  compared: number;
  /** The cosine of the angle between both; null where one of them is 0. */
  cosine: number | null;
  /** The L2 norm of the difference. */
  norm: number | null;
  /** The L2 norm of the difference / that of what is subtracted; null where that is 0. */
  relative_norm: number | null;
  /** 1 - cosine, exact also where the cosine is nearly 1. */
  rotation: number | null;
}

/** How far two filters or channels are apart. */
export interface ApartEach extends Apart {
  index: number;
  /** The number of the filter or channel that is subtracted. */
  minus_index: number;
}

/** A series that grew or changed. */
export interface Changed {
  last_step: number | null;
  run: string;
  steps: number;
  tag: string;
  version: string;
}

/** Numbers over steps: all lists have one number for each of `steps`; null where it is not defined. */
export interface Charts {
  /** The logged step before each, from which `change` is; it need not be among `steps`. */
  change_from: (number | null)[];
  /** Steps whose tensor is damaged; they are not among `steps`. */
  damaged: number[];
  each: EachColumns;
  /** Every so many of the logged steps were taken, and the last; 1 is all of them. */
  every: number;
  layout: string | null;
  /** How many steps were logged in the span that was asked for. */
  logged: number;
  /** What `each` has one of: `filter` or `channel`; null where there are none to tell of. */
  per: 'filter' | 'channel' | null;
  role: 'kernel' | 'bias' | 'activation' | 'input' | 'image' | 'other';
  run: string;
  steps: number[];
  tag: string;
  tensor: Columns;
  /** What was left out and how to have it, in words; null where nothing was. */
  thinned: string | null;
  /** Seconds since 1970. */
  wall_times: (number | null)[];
}

/**
 * How far the check of large payloads has come, which goes on in the background. Records of up to 4 KiB are checked
 * when they are scanned and do not count here.
 */
export interface Checked {
  /** The bytes of their payloads. */
  bytes: number;
  of_bytes: number;
  /** Of so many. */
  of_records: number;
  /** Records of more than 4 KiB that were checked. */
  records: number;
}

/**
 * What looks like checkpoints in the logdir, by the names of files and the first bytes of those whose ending says
 * little (`.pt`, `.ckpt`, `.h5` and the like): data in HDF5 and `TorchScript` modules look the same. They are not
 * read.
 */
export interface Checkpoints {
  /** How many; 10,000 stands for that and more. */
  count: number;
  /** The first of them by name, relative to the logdir. */
  names: string[];
}

/** A colour map: 256 colours and those outside of it, as `#rrggbb`. */
export interface Colormap {
  /** What is not finite, in the range `tf1`; in grey it is white. */
  bad: string;
  cmap: string;
  colors: string[];
  gutter: string;
  /** Numbers above tiles. */
  label: string;
  nan: string;
  neginf: string;
  posinf: string;
}

/** Of all elements, step by step. The names mean what they mean for one step. */
export interface Columns {
  change: (number | null)[];
  change_per_root_step: (number | null)[];
  change_per_step: (number | null)[];
  inf: number[];
  l1: (number | null)[];
  l2: (number | null)[];
  max: (number | null)[];
  mean: (number | null)[];
  min: (number | null)[];
  nan: number[];
  rotation: (number | null)[];
  sd: (number | null)[];
  zero_share: (number | null)[];
}

/** How far two tensors are apart, in float64 over elements that are finite in both. */
export interface Difference {
  each: ApartEach[];
  layout: string | null;
  /** What the pairing did, with `match=cosine`. */
  matching: Matching | null;
  minus: Subtracted;
  /** What `each` has one of: `filter` or `channel`; null where the layout is not known. */
  per: 'filter' | 'channel' | null;
  run: string;
  step: number;
  tag: string;
  /** Of all elements; where filters were paired, of the tensors after the second one's filters were put in order. */
  tensor: Apart;
}

/** The legend and the places of the tiles. Lengths are pixels of the picture. */
export interface Drawing {
  /** From the layer's range, 0, to those of the tiles, 1. */
  blend: number;
  cmap: string;
  cols: number;
  /** Whether all finite numbers that are drawn are one. */
  constant: boolean;
  gutter: number;
  height: number;
  /** Pixels above each tile that its label takes. */
  label_height: number;
  labels: string;
  layout: string;
  /** How many frames the animated pictures have in all, of which the tiles may be some; 0 for stills. */
  n_frames: number;
  /** In which order the tiles stand. */
  order: string;
  range: Legend;
  rows: number;
  scope: string;
  /**
   * Those of the tiles as they stand, where each has its own: with scope `tile`, `tf1`, `tf2` and where ranges are
   * blended.
   */
  tile_ranges?: Ends[];
  tiles: Tile[];
  view: string;
  width: number;
  zoom: number;
}

/** One list for each filter or channel, step by step. */
export interface EachColumns {
  /** The relative change from the step before; empty for activations. */
  change: (number | null)[][];
  /** The L2 norm. */
  l2: (number | null)[][];
  /** The share of zeros; empty for kernels. */
  sparsity: (number | null)[][];
}

export interface Ends {
  hi: number;
  lo: number;
}

/** Numbers about some elements; null where they are not defined. */
export interface Entry {
  /** norm(W - P) / norm(P), where P is the step before. */
  change: number | null;
  /** `change` / the root of the number of steps in between. */
  change_per_root_step: number | null;
  /** `change` / the number of steps in between. */
  change_per_step: number | null;
  /**
   * Of a filter: whether its greatest absolute value is below 0.01 of the kernel's. Of a channel: whether it is
   * nowhere above 0 over the steps `dead_over`.
   */
  dead: boolean | null;
  elements: number;
  /** The filter or channel; absent for the whole tensor. */
  index?: number;
  /** How many are infinite. */
  inf: number;
  /** The sum of absolute values. */
  l1: number | null;
  /** The root of the sum of squares. */
  l2: number | null;
  max: number | null;
  mean: number | null;
  min: number | null;
  /** How many are not a number. */
  nan: number;
  /** Of a filter: L2 norm / median L2 norm. */
  rel: number | null;
  /** 1 - cos(W, the first step). */
  rotation: number | null;
  /**
   * Of a filter: the mean of squared differences between neighbours along the window's axes / twice its variance.
   * White noise of N elements gives N / (N - 1) on average, smooth filters much less.
   */
  roughness: number | null;
  /** The standard deviation of the population. */
  sd: number | null;
  /** Of a channel: the same, which is called `APoZ`, over samples and positions. */
  sparsity: number | null;
  /** The share of finite elements that is zero. */
  zero_share: number | null;
}

/** The ground of a conclusion. */
export interface Evidence {
  /** `sure`, `likely` or `guess`. */
  confidence: 'sure' | 'likely' | 'guess';
  evidence: string;
}

/** Which frame a tile shows. */
export interface Frame {
  /** From 1. */
  number: number;
  /** How many the picture has. */
  of: number;
  /** Which of the pictures of the step, from 0, where there are several. */
  picture?: number;
}

/** How the daemon and the logdir are. */
export interface Health {
  checked: Checked;
  checkpoints: Checkpoints;
  /** Whether the bundled recording is shown. */
  demo: boolean;
  logdir: string;
  problems: Problem[];
  revision: number;
  scanned: Scanned;
  status: Status;
  version: string;
  watch: Watch;
}

/** A number in the gutter above a tile. */
export interface Label {
  h: number;
  text: string;
  w: number;
  x: number;
  y: number;
}

/** The numbers at the ends of the colour map, and how many numbers are not shown truly. */
export interface Legend {
  clipped: number;
  hi: number;
  inf: number;
  lo: number;
  nan: number;
  option: string;
  /** Where zero lies between the ends, from 0 to 1; null where it lies outside. */
  zero: number | null;
}

export interface Lists {
  cmap: string[];
  format: string[];
  labels: string[];
  layout: string[];
  order: string[];
  range: string[];
  scope: string[];
  view: string[];
}

/** A pairing of filters. */
export interface Matching {
  /** The mean cosine of all pairs; a filter without direction counts as 0. */
  mean_cosine: number | null;
  /** The mean cosine of filters of the same number. */
  mean_cosine_by_index: number | null;
  /** Filters whose partner has another number. */
  moved: number[];
}

/**
 * A layer, as a logged graph or model or the writer tells of it. Lists have one number an axis: depth, height, width,
 * as far as there.
 */
export interface Operation {
  /** The function that its output goes through. */
  activation: string | null;
  /** `channels_first` or `channels_last`. */
  data_format: 'channels_first' | 'channels_last' | null;
  dilations: number[];
  /** As Keras names it: `Conv2D`, `DepthwiseConv2D`, `Conv2DTranspose`, `Dense` and so on. */
  kind: string;
  name: string;
  /** `graph`, `keras`, or `writer` where the recorder itself says so. */
  origin: 'graph' | 'keras' | 'writer';
  outputs: number | null;
  /** `same`, `valid`, `causal` or `explicit`. */
  padding: string | null;
  /** Its place in the order in which data passes the network, from 0. */
  position: number;
  /** How many elements of the network's input one element of its output sees. */
  receptive_field: number[] | null;
  strides: number[];
  /** The window's lengths; empty where they are not said. */
  window: number[];
}

/** What can be chosen for a sheet. */
export interface Options extends Lists {
  /** For each kind of tensor, which a series names as `fits`, what can be chosen in each of its views. */
  fits: Record<string, Record<string, ViewChoices>>;
  /**
   * For each option the values with which a picture takes something of other steps as well, so that it changes while
   * a run is logged to.
   */
  needs_other_steps: Record<string, string[]>;
  /** Each picture option once. */
  options: PictureOption[];
  /** What goes with each range, whatever the tensor. */
  ranges: RangeChoices[];
}

/** A picture option. */
export interface PictureOption {
  /** What is taken when it is left out, in words; values stand in backquotes. */
  default: string;
  /** Which tensors and views it fits, in words. */
  fits: string;
  /** What it is, in a line. */
  help: string;
  name: string;
  /** What it takes; empty where these are numbers. */
  values: string[];
}

export interface Problem {
  count: number;
  /** The file's name within the run; empty where the logdir itself is meant. */
  file: string;
  kind: string;
  message: string;
  /** The first place, in bytes. */
  offset: number;
  run: string;
}

/** What goes with a range. */
export interface RangeChoices {
  /** The scopes with which ranges can be blended. */
  blend_scopes: string[];
  /** Without parameters, as in `percentile`. */
  name: string;
  /** The scope when none is chosen. */
  scope: string;
  scopes: string[];
  /** With its usual parameters, as in `percentile:0.99`. */
  usual: string;
}

export interface Recipe {
  /** The lines, with the logdir filled in. */
  code: string;
  /** `Keras`, `PyTorch`, `TensorFlow 2` or `TensorFlow 1`. */
  framework: string;
  /** Whether they use the convscope package; else what TensorBoard's own writers can do. */
  with_package: boolean;
}

/** The lines of Python that log what can be drawn. */
export interface Recipes {
  /** Keras drew pictures of kernels (`TensorBoard(write_images=True)`), and no kernel is there as a tensor. */
  kernels_are_drawn: boolean;
  recipes: Recipe[];
}

/** The error body that every endpoint returns. */
export interface Refusal {
  /** For programs. */
  code: string;
  /** What is wrong and what to do about it. */
  message: string;
}

/** One event of the live stream. */
export interface Revision {
  changed: Changed[];
  /** A run or a tag is new, also one that is not drawn: the lists have more entries. */
  new_names: boolean;
  /** Everything may be different: runs or tags are gone, or too much changed to be listed. */
  reset: boolean;
  revision: number;
  status: Status;
}

/** A directory with event files. */
export interface Run {
  /** Seconds since 1970. */
  first_wall_time: number | null;
  last_step: number | null;
  last_wall_time: number | null;
  /** How many layers they belong to. */
  layers: number;
  run: string;
  /** How many tensors by tag. */
  series: number;
}

/** The range over all steps of a series, as far as it is known. */
export interface RunRange {
  hi: number | null;
  /** The lower end; null while nothing is known. Until `steps_done` is `steps`, that of the steps read so far. */
  lo: number | null;
  /** Steps that were logged. */
  steps: number;
  /** Steps that are taken account of: all only when the range is done. */
  steps_done: number;
  /** Steps that could not be read, or that have no such picture. */
  steps_skipped: number;
  /** Whether the ends are further apart than those of all steps: while a run is logged to, its range only widens. */
  widened: boolean;
}

/** The runs, by name. */
export interface Runs {
  revision: number;
  runs: Run[];
  /** How many there are in all, where a part was asked for. */
  total?: number;
}

export interface Scanned {
  bytes: number;
  files: number;
  records: number;
  runs: number;
}

/** All tensors of one tag in one run. */
export interface Series {
  cmap: string | null;
  /** What speaks against role and layout. */
  contradictions: string[];
  dtype: string;
  first_step: number | null;
  /** The kind of tensor, which `/api/v1/options` says what fits of; null where nothing can be drawn. */
  fits: string | null;
  /**
   * How many frames each picture of the newest step has, which all stand on the first axis; null where none is
   * animated.
   */
  frames: number | null;
  last_step: number | null;
  layer: string;
  /** Which axis is which, where that can be told. */
  layout: string | null;
  layout_from: Evidence | null;
  /** What to know about the numbers that are shown. */
  note: string | null;
  /** What the logged graph or model says of the layer. */
  operation: Operation | null;
  /** Why nothing can be drawn, and what would mend it. */
  problem: string | null;
  range: string | null;
  /** `kernel`, `bias`, `activation`, `input`, `image` or `other`. */
  role: 'kernel' | 'bias' | 'activation' | 'input' | 'image' | 'other';
  role_from: Evidence;
  run: string;
  /** The lengths of the axes, slowest first. */
  shape: number[];
  /**
   * Where the numbers come from: `tensor`, or `image` where they are the bytes of pictures that the writer encoded.
   */
  source: 'tensor' | 'image';
  /** How many steps. */
  steps: number;
  tag: string;
  /** Another one when a step that was there has changed. Clients that keep pictures send it along as `v`. */
  version: string;
  /** The view, range and colour map that are taken when none is asked for. */
  view: string | null;
  /** The views that fit; empty where nothing can be drawn. */
  views: string[];
}

/** The tensors of one or all runs, in the order in which they were first logged. */
export interface SeriesList {
  revision: number;
  series: Series[];
  /** How many there are in all, where a part was asked for. */
  total?: number;
}

/** What a sheet shows. */
export interface SheetInfo extends Drawing {
  attempt: number;
  attempts: number;
  /** What is subtracted, where the sheet is that of a difference. */
  minus?: Subtracted;
  run: string;
  step: number;
  tag: string;
  wall_time: number | null;
}

/** What was logged and is not drawn. */
export interface SkippedList {
  skipped: SkippedTag[];
  /** How many there are in all, where a part was asked for. */
  total?: number;
}

export interface SkippedTag {
  count: number;
  kind: string;
  reason: string;
  run: string;
  shape: number[] | null;
  tag: string;
}

/**
 * The numbers of one step: of the whole tensor, and of each filter of a kernel or channel of an activation. All in
 * float64, over finite elements. They are hints, not judgements.
 */
export interface Stats {
  attempts: number;
  /**
   * The step before, from which `change` is; null for the first step, for activations, and where that step is damaged
   * or of another shape.
   */
  change_from: number | null;
  /** The logged steps over which channels are `dead`. */
  dead_over: number[] | null;
  /** Pairs of filters whose cosine is above 0.95 or below -0.95; null for activations. */
  duplicates: Alike | null;
  /**
   * Of each filter (one output channel with all its inputs; of a depthwise kernel one window; of a dense layer one
   * column) or of each channel (over all samples and positions).
   */
  each: Entry[];
  /** Why there are none, where the layout is known. */
  each_left_out: string | null;
  layout: string | null;
  /** The median of the filters' L2 norms. */
  median_l2: number | null;
  /** What `each` has one of: `filter` or `channel`; null where there are none to tell of. */
  per: 'filter' | 'channel' | null;
  /**
   * How many elements of the network's input one element of the layer's output sees, one number an axis; null where
   * the graph does not say: 1 + the sum of (window - 1) * the product of earlier strides.
   */
  receptive_field: number[] | null;
  role: 'kernel' | 'bias' | 'activation' | 'input' | 'image' | 'other';
  /** The first step, from which `rotation` is. */
  rotation_from: number | null;
  run: string;
  step: number;
  tag: string;
  /** Of all elements. */
  tensor: Entry;
  /** Pairs of channels whose correlation is above 0.95; null for kernels. */
  twins: Alike | null;
  wall_time: number | null;
}

/** The numbers of a tensor. */
export type StatsOrCharts = Stats | Charts;

/** `loading` until the first scan is done, `degraded` when something is damaged or cannot be read. */
export type Status = 'loading' | 'ok' | 'degraded';

/** The steps of a series, ascending; the three lists belong together. */
export interface Steps {
  /** How often each step was logged. */
  attempts: number[];
  steps: number[];
  /** How many steps there are in all, where a part was asked for. */
  total?: number;
  /** Seconds since 1970, of the newest attempt. */
  wall_times: (number | null)[];
}

/** The tensor that is subtracted. */
export interface Subtracted {
  /** `index` or `cosine`. */
  match: 'index' | 'cosine';
  run: string;
  step: number;
  tag: string;
}

export interface Tile {
  channel: number;
  /** Whether all its finite numbers are one. */
  constant: boolean;
  /** Of an animated picture. */
  frame?: Frame;
  h: number;
  index: number;
  /** The input channel, in the view `matrix` of a kernel. */
  input?: number;
  /** What is written above it. */
  label?: Label;
  w: number;
  x: number;
  y: number;
}

/** What can be chosen in a view. */
export interface ViewChoices {
  /** The colour map when none is chosen. */
  cmap: string;
  cmaps: string[];
  orders: string[];
  /** The range when none is chosen. */
  range: string;
}

export interface Watch {
  /** `native`, `poll` or `waiting`. */
  mode: 'native' | 'poll' | 'waiting';
  /** Why it polls or waits. */
  reason: string | null;
}

/** What each path below `api/v1/` answers; of `live`, each event. */
export interface Answers {
  colormap: Colormap;
  difference: Difference;
  health: Health;
  live: Revision;
  options: Options;
  range: RunRange;
  recipes: Recipes;
  runs: Runs;
  series: SeriesList;
  'sheet/info': SheetInfo;
  skipped: SkippedList;
  stats: StatsOrCharts;
  steps: Steps;
}
