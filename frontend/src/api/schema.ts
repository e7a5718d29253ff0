/**
 * The answers of the server, as JSON gives them.
 *
 * Made from `api/v1/openapi.json` by `make schema`: change the structs of the server, and not this file.
 */

/** Pairs of filters or channels that are alike. */
export interface Alike {
  above: number;
  /** How many pairs there are; null if they were not searched for. */
  count: number | null;
  /** Why they were not searched for. */
  not_compared: string | null;
  /** The most alike of them, at most 1000. */
  pairs: AlikePair[];
}

/** Two filters or channels that are alike. */
export interface AlikePair {
  first: number;
  /** For filters their cosine, for channels their correlation. */
  likeness: number;
  second: number;
}

/** Measures of how different two tensors, filters or channels are. */
export interface Apart {
  /** How many elements are finite in both. */
  compared: number;
  /** The cosine of the angle between both; null if one of them is 0. */
  cosine: number | null;
  /** The L2 norm of the difference. */
  norm: number | null;
  /** The L2 norm of the difference / the L2 norm of what is subtracted; null if that norm is 0. */
  relative_norm: number | null;
  /** 1 - cosine, exact even if the cosine is nearly 1. */
  rotation: number | null;
}

/** How different two filters or channels are. */
export interface ApartEach extends Apart {
  index: number;
  /** The index of the filter or channel that is subtracted. */
  minus_index: number;
}

/** What is applied to the output of a convolution, as tags of its run. */
export interface Behind {
  /** The bias of its layer: one number for each output channel. */
  bias: string | null;
  /** The batch normalization. */
  normalization: Normalization | null;
}

/** A series that has new steps or has changed. */
export interface Changed {
  /** What its steps count: `step`, `epoch` or `time`. */
  axis: string;
  last_step: number | null;
  run: string;
  steps: number;
  tag: string;
  version: string;
}

/** Statistics over steps: each list has one number per entry of `steps`; null where a number is undefined. */
export interface Charts {
  /** For each step the logged step before it, on which `change` is based; it need not be in `steps`. */
  change_from: (number | null)[];
  /** Steps whose tensor is damaged; they are not in `steps`. */
  damaged: number[];
  each: EachColumns;
  /** Every Nth of the logged steps is used, and the last; with 1 all are used. */
  every: number;
  layout: string | null;
  /** How many steps were logged in the requested span. */
  logged: number;
  /** What the entries of `each` are about: `filter` or `channel`; null if `each` is empty. */
  per: 'filter' | 'channel' | null;
  role: 'kernel' | 'bias' | 'activation' | 'input' | 'image' | 'other';
  run: string;
  steps: number[];
  tag: string;
  tensor: Columns;
  /** A sentence that says which steps are left out and how to get them; null if none are. */
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

/** A colour map: 256 colours, and the colours for special purposes, as `#rrggbb`. */
export interface Colormap {
  /** For values that are not finite, with the range `tf1`; with the colour map `gray` it is white. */
  bad: string;
  cmap: string;
  colors: string[];
  gutter: string;
  /** For the labels above tiles. */
  label: string;
  nan: string;
  neginf: string;
  posinf: string;
}

/** Statistics of all elements, step by step. The names mean the same as for one step. */
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

/** How different two tensors are, computed in float64 over the elements that are finite in both. */
export interface Difference {
  each: ApartEach[];
  layout: string | null;
  /** The pairing of filters, with `match=cosine`. */
  matching: Matching | null;
  minus: Subtracted;
  /** What the entries of `each` are about: `filter` or `channel`; null if the layout is unknown. */
  per: 'filter' | 'channel' | null;
  run: string;
  step: number;
  tag: string;
  /**
   * Over all elements. With `match=cosine`, the filters of the second tensor are first reordered to match those of
   * the first.
   */
  tensor: Apart;
}

/** The legend and the positions of the tiles. Lengths are in pixels of the picture. */
export interface Drawing {
  /** How ranges are blended: 0 is the range of the layer, 1 those of the tiles. */
  blend: number;
  cmap: string;
  cols: number;
  /** Whether all finite values in the sheet are equal. */
  constant: boolean;
  gutter: number;
  height: number;
  /** The height of the label above each tile, in pixels. */
  label_height: number;
  labels: string;
  layout: string;
  /**
   * How many frames the animated pictures have in all; the tiles may show only some of them. 0 for still pictures.
   */
  n_frames: number;
  /** The order of the tiles. */
  order: string;
  range: Legend;
  rows: number;
  scope: string;
  /**
   * The ranges of the tiles, in the order of the tiles; only if each tile has its own: with scope `tile`, with `tf1`
   * and `tf2`, and with blended ranges.
   */
  tile_ranges?: Ends[];
  tiles: Tile[];
  view: string;
  width: number;
  zoom: number;
}

/** One list for each filter or channel, step by step. */
export interface EachColumns {
  /** Relative changes from the step before; empty for activations. */
  change: (number | null)[][];
  /** L2 norms. */
  l2: (number | null)[][];
  /** Shares of zeros; empty for kernels. */
  sparsity: (number | null)[][];
}

export interface Ends {
  hi: number;
  lo: number;
}

/** Statistics of some elements; null where a number is undefined. */
export interface Entry {
  /** norm(W - P) / norm(P), where P is the step before. */
  change: number | null;
  /** `change` / the square root of the number of steps in between. */
  change_per_root_step: number | null;
  /** `change` / the number of steps in between. */
  change_per_step: number | null;
  /**
   * For a filter: whether its greatest absolute value is below 0.01 of that of the kernel. For a channel: whether it
   * is nowhere above 0 in the steps `dead_over`.
   */
  dead: boolean | null;
  elements: number;
  /** The filter or channel; absent for the whole tensor. */
  index?: number;
  /** How many are infinite. */
  inf: number;
  /** The sum of absolute values. */
  l1: number | null;
  /** The square root of the sum of squares. */
  l2: number | null;
  max: number | null;
  mean: number | null;
  min: number | null;
  /** How many are not a number. */
  nan: number;
  /** For a filter: L2 norm / median L2 norm. */
  rel: number | null;
  /** 1 - cos(W, the first step). */
  rotation: number | null;
  /**
   * For a filter: the mean of squared differences between neighbours along the window's axes / twice its variance.
   * White noise of N elements gives N / (N - 1) on average, smooth filters much less.
   */
  roughness: number | null;
  /** The standard deviation of the population. */
  sd: number | null;
  /** For a channel: the same, over samples and positions; it is also called `APoZ`. */
  sparsity: number | null;
  /** The share of zeros among the finite elements, from 0 to 1. */
  zero_share: number | null;
}

/** The ground of a conclusion. */
export interface Evidence {
  /** `sure`, `likely` or `guess`. */
  confidence: 'sure' | 'likely' | 'guess';
  evidence: string;
}

/** The frame that a tile shows. */
export interface Frame {
  /** The number of the frame, from 1. */
  number: number;
  /** How many frames the picture has. */
  of: number;
  /** The index of the picture among those of the step, from 0; only if there are several. */
  picture?: number;
}

/** How the daemon and the logdir are. */
export interface Health {
  checked: Checked;
  checkpoints: Checkpoints;
  /** Whether the bundled recording is shown. */
  demo: boolean;
  logdir: string;
  /** Checkpoints that may belong to runs and are shown only if the user says so with `--checkpoints RUN=DIR`. */
  offers: Offer[];
  problems: Problem[];
  revision: number;
  scanned: Scanned;
  /** Copies of kernels from checkpoints that training overwrites or deletes; null if none are kept. */
  shelf: Shelf | null;
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

/** The values at the ends of the colour map, and how many values are clipped or not finite. */
export interface Legend {
  clipped: number;
  hi: number;
  inf: number;
  lo: number;
  nan: number;
  option: string;
  /** The position of zero between the ends, from 0 to 1; null if zero is outside. */
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
  /** The mean cosine of all pairs; a pair with a zero filter counts as 0. */
  mean_cosine: number | null;
  /** The mean cosine of filters of the same index. */
  mean_cosine_by_index: number | null;
  /** Filters whose partner has another index. */
  moved: number[];
}

/** A batch normalization: `scale * (x - mean) / sqrt(variance + epsilon) + shift` for each output channel. */
export interface Normalization {
  /** Why it is the one. */
  from: Evidence;
  /** The name of its layer. */
  layer: string;
  mean: string;
  scale: string | null;
  shift: string | null;
  variance: string;
}

/** Checkpoints in a directory, known by their names alone. */
export interface Offer {
  /** How many there are. */
  count: number;
  /** The directory. */
  dir: string;
  /** What there is, as a phrase: `run a: 12 checkpoints at ../../epoch_*.pth`. */
  found: string;
  /**
   * The option of the command line with which they are shown; `RUN` in it stands for the run if several are possible.
   */
  option: string;
  /** A pattern for their names in it: `epoch_*.pth`. */
  pattern: string;
  /** The runs with events and without a checkpoint to which they may belong; the first 100. */
  runs: string[];
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
  /** `graph`, `keras`, `onnx`, or `writer` where the recorder itself says so. */
  origin: 'graph' | 'keras' | 'onnx' | 'writer';
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

/** The options of a sheet. */
export interface Options extends Lists {
  /** For each kind of tensor, which a series names in its field `fits`, the choices in each of its views. */
  fits: Record<string, Record<string, ViewChoices>>;
  /**
   * For each option the values with which a picture also depends on other steps, so that it changes while a run is
   * being logged.
   */
  needs_other_steps: Record<string, string[]>;
  /** All picture options. */
  options: PictureOption[];
  /** For each range the scopes that can be combined with it, for any tensor. */
  ranges: RangeChoices[];
}

/** A picture option. */
export interface PictureOption {
  /** The default, in words; values are in backquotes. */
  default: string;
  /** Which tensors and views it applies to, in words. */
  fits: string;
  /** What it does, in one line. */
  help: string;
  /** What values mean, in a sentence each; without those whose names say it. Values are in backquotes. */
  meanings: Record<string, string>;
  name: string;
  /** Its values; empty if they are numbers. */
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

/** The choices that can be combined with a range. */
export interface RangeChoices {
  /** The scopes that can be combined with `blend`. */
  blend_scopes: string[];
  /** The name without parameters, as in `percentile`. */
  name: string;
  /** The default scope. */
  scope: string;
  scopes: string[];
  /** The name with the default parameters, as in `percentile:0.99`. */
  usual: string;
}

export interface Recipe {
  /** The code, with the logdir filled in. */
  code: string;
  /** `Keras`, `PyTorch`, `TensorFlow 2` or `TensorFlow 1`. */
  framework: string;
  /** Whether the code uses the convscope package; otherwise it uses TensorBoard's own writers. */
  with_package: boolean;
}

/** Python code that logs tensors in a form that can be drawn. */
export interface Recipes {
  /**
   * Whether the log has pictures of kernels by Keras (`TensorBoard(write_images=True)`) and no kernel as a tensor.
   */
  kernels_are_drawn: boolean;
  recipes: Recipe[];
}

/** The error body that every endpoint returns. */
export interface Refusal {
  /** An identifier of the kind of error, for programs. */
  code: string;
  /** What is wrong and what to do about it. */
  message: string;
}

/** One event of the live stream. */
export interface Revision {
  changed: Changed[];
  /** Whether a run or a tag is new, even one that cannot be drawn: the lists have more entries. */
  new_names: boolean;
  /** Everything may have changed: runs or tags are gone, or there are too many changes to list. */
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
  /**
   * The lower end; null while nothing is known. Until `steps_done` equals `steps`, it is that of the steps read so
   * far.
   */
  lo: number | null;
  /** How many steps were logged. */
  steps: number;
  /** How many steps have been processed; equal to `steps` only when the range is complete. */
  steps_done: number;
  /** How many steps cannot be read or cannot be drawn with these options. */
  steps_skipped: number;
  /** Whether the range is wider than that of all steps: while a run is being logged, its range only widens. */
  widened: boolean;
}

/** The runs, sorted by name. */
export interface Runs {
  revision: number;
  runs: Run[];
  /** The number of all entries; only if a part was requested. */
  total?: number;
}

export interface Scanned {
  bytes: number;
  /** Checkpoints of kinds that are read, also those that are damaged or still being written. */
  checkpoints: number;
  files: number;
  records: number;
  runs: number;
}

/** All tensors of one tag in one run. */
export interface Series {
  /** What its steps count: `step`, `epoch`, or `time` in milliseconds since 1970 where nothing else is known. */
  axis: string;
  cmap: string | null;
  /** What speaks against role and layout. */
  contradictions: string[];
  dtype: string;
  first_step: number | null;
  /** The kind of tensor, which `/api/v1/options` says what fits of; null where nothing can be drawn. */
  fits: string | null;
  /**
   * The format of the file of its newest step: `events`, `safetensors`, `pytorch`, `dcp`, `keras`, `hdf5`, `orbax`,
   * `flax`, `tensorflow`, `tensorflow-v1`, `npz`, `onnx`, or `shelf` if its checkpoint is gone.
   */
  format: string;
  /**
   * How many frames each picture of the newest step has, which all stand on the first axis; null where none is
   * animated.
   */
  frames: number | null;
  /** Whether it is a kernel whose name says that it is the network's first convolution, such as `patch_embed`. */
  is_first: boolean;
  /** How many tensors are on the shelf, because training overwrote or deleted their checkpoints. */
  kept_steps: number;
  last_step: number | null;
  layer: string;
  /** Which axis is which, where that can be told. */
  layout: string | null;
  layout_from: Evidence | null;
  /** How many saves on the shelf are without it, because it was too large: these steps are gone. */
  not_kept: number;
  /** What to know about the numbers that are shown. */
  note: string | null;
  /** What the logged graph or model says of the layer. */
  operation: Operation | null;
  /** Where its newest step lies: `events`, or `checkpoint`. */
  origin: string;
  /** Why nothing can be drawn, and what would mend it. */
  problem: string | null;
  range: string | null;
  /** `kernel`, `bias`, `activation`, `input`, `image` or `other`. */
  role: 'kernel' | 'bias' | 'activation' | 'input' | 'image' | 'other';
  role_from: Evidence;
  run: string;
  /** Why a checkpoint is likely of this run, where it does not lie in it. */
  run_from: string | null;
  /**
   * The writer's own name for it in a checkpoint, where the tag is another: `state_dict/module.conv1.weight` for
   * `conv1.weight`.
   */
  saved_as: string | null;
  /** The lengths of the axes, slowest first. */
  shape: number[];
  /**
   * Where the numbers come from: `tensor`, or `image` where they are the bytes of pictures that the writer encoded.
   */
  source: 'tensor' | 'image';
  /**
   * From where the number of its newest step is known: `record` of an event, `content` of a checkpoint, `name` or
   * `time` of a file.
   */
  step_from: string;
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
  /** The number of all entries; only if a part was requested. */
  total?: number;
}

/** A description of a sheet. */
export interface SheetInfo extends Drawing {
  attempt: number;
  attempts: number;
  /** The tensor that is subtracted; only if the sheet shows a difference. */
  minus?: Subtracted;
  run: string;
  step: number;
  tag: string;
  wall_time: number | null;
}

/** Where copies of kernels are kept, and how many. */
export interface Shelf {
  /** How many bytes it has. */
  bytes: number;
  /** The directory. */
  dir: string;
  /**
   * How many saves were overwritten before they were copied, or before they were seen whole, since the program
   * started.
   */
  lost: number;
  /** The last of them, at most 200: `run: name at step 12`, or the name and the time if it was never whole. */
  lost_saves: string[];
  /** The most bytes that it may have. */
  most_bytes: number;
  /** How many saves it has, also of checkpoints that are still there. */
  saves: number;
}

/** The tags that were logged but cannot be drawn. */
export interface SkippedList {
  skipped: SkippedTag[];
  /** The number of all entries; only if a part was requested. */
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
 * The statistics of one step: of the whole tensor, and of each filter of a kernel or channel of an activation. They
 * are computed in float64 over the finite elements. They are hints, not judgements.
 */
export interface Stats {
  attempts: number;
  /**
   * The step before, on which `change` is based; null for the first step, for activations, and if the step before is
   * damaged or has another shape.
   */
  change_from: number | null;
  /** The logged steps on which `dead` of channels is based. */
  dead_over: number[] | null;
  /** Pairs of filters whose cosine is above 0.95 or below -0.95; null for activations. */
  duplicates: Alike | null;
  /**
   * For each filter (one output channel with all its inputs; in a depthwise kernel one window; in a dense layer one
   * column) or each channel (over all samples and positions).
   */
  each: Entry[];
  /** Why `each` is empty although the layout is known. */
  each_left_out: string | null;
  layout: string | null;
  /** The median of the filters' L2 norms. */
  median_l2: number | null;
  /** What the entries of `each` are about: `filter` or `channel`; null if `each` is empty. */
  per: 'filter' | 'channel' | null;
  /**
   * How many elements of the network's input one element of the layer's output depends on, one number per axis: 1 +
   * the sum of (window - 1) * the product of earlier strides. Null if the graph does not say.
   */
  receptive_field: number[] | null;
  role: 'kernel' | 'bias' | 'activation' | 'input' | 'image' | 'other';
  /** The first step, on which `rotation` is based. */
  rotation_from: number | null;
  run: string;
  step: number;
  tag: string;
  /** Over all elements. */
  tensor: Entry;
  /** Pairs of channels whose correlation is above 0.95; null for kernels. */
  twins: Alike | null;
  wall_time: number | null;
}

/** The statistics of a tensor. */
export type StatsOrCharts = Stats | Charts;

/** `loading` until the first scan is done, `degraded` when something is damaged or cannot be read. */
export type Status = 'loading' | 'ok' | 'degraded';

/** The steps of a series, in ascending order; the three lists have one entry per step. */
export interface Steps {
  /** How often each step was logged. */
  attempts: number[];
  steps: number[];
  /** The number of all steps; only if a part was requested. */
  total?: number;
  /** The time of the newest attempt, in seconds since 1970. */
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
  /** Whether all its finite values are equal. */
  constant: boolean;
  /** The frame that the tile shows; only for animated pictures. */
  frame?: Frame;
  h: number;
  index: number;
  /** The input channel, in the view `matrix` of a kernel. */
  input?: number;
  /** The label above it. */
  label?: Label;
  w: number;
  x: number;
  y: number;
}

/** The choices in a view. */
export interface ViewChoices {
  /** The default colour map. */
  cmap: string;
  cmaps: string[];
  orders: string[];
  /** The default range. */
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
  behind: Behind;
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
