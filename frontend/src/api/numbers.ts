/** The server's numbers of tensors, as JSON gives them; null where a number is not defined. */

/** Numbers about some elements. */
export interface StatsEntry {
  /** The filter or channel; absent for the whole tensor. */
  index?: number;
  elements: number;
  nan: number;
  inf: number;
  min: number | null;
  max: number | null;
  mean: number | null;
  sd: number | null;
  l1: number | null;
  l2: number | null;
  zero_share: number | null;
  sparsity: number | null;
  rel: number | null;
  dead: boolean | null;
  roughness: number | null;
  change: number | null;
  change_per_step: number | null;
  change_per_root_step: number | null;
  rotation: number | null;
}

/** Pairs that are alike. */
export interface Alike {
  above: number;
  /** null where they were not looked for. */
  count: number | null;
  pairs: { first: number; second: number; likeness: number }[];
  not_compared: string | null;
}

/** The numbers of one step, of the tensor and of each filter or channel. */
export interface Stats {
  run: string;
  tag: string;
  step: number;
  per: 'filter' | 'channel' | null;
  each_left_out: string | null;
  tensor: StatsEntry;
  each: StatsEntry[];
  change_from: number | null;
  rotation_from: number | null;
  dead_over: number[] | null;
  duplicates: Alike | null;
  twins: Alike | null;
}

/** Numbers over steps: each list has one for each of `steps`. */
export interface Charts {
  run: string;
  tag: string;
  per: 'filter' | 'channel' | null;
  steps: number[];
  thinned: string | null;
  tensor: { l2: (number | null)[]; change: (number | null)[] };
  each: { l2: (number | null)[][]; change: (number | null)[][]; sparsity: (number | null)[][] };
}

/** How far two tensors are apart. */
export interface Apart {
  norm: number | null;
  relative_norm: number | null;
  cosine: number | null;
}

export interface Difference {
  run: string;
  tag: string;
  step: number;
  minus: { run: string; tag: string; step: number; match: string };
  per: 'filter' | 'channel' | null;
  tensor: Apart;
  each: (Apart & { index: number; minus_index: number })[];
  matching: { moved: number[]; mean_cosine: number | null; mean_cosine_by_index: number | null } | null;
}
