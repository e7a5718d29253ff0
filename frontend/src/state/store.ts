/** All that the page knows and all that its user has chosen: one typed record of signals. Views read it, actions write it. */
import { computed, type Signal, signal } from '@preact/signals';
import type { Picture } from '../api/client';
import type { Connection } from '../api/live';
import type { Charts, Difference, Stats } from '../api/numbers';
import type { Colormap, Health, Options, Recipe, Run, RunRange, Series, Skipped } from '../api/types';
import { type Address, NOWHERE } from '../model/address';
import type { Spot } from '../model/geometry';
import type { Floats } from '../model/npy';
import { type Landing, land } from '../model/steps';
import { placeOfTile } from '../model/tiles';
import { type NumberWords, numberWords } from '../model/words';

/** What looks dead or doubled in a kernel at a step. */
export interface Badge {
  dead: number;
  duplicates: number;
  step: number;
}

/** The series that the partner is of. */
export interface PartnerSeries {
  /** `run`, newline, `tag` of the series that it is the partner of. */
  of: string;
  run: string;
  tag: string;
  steps: number[];
  version: string;
}

/** The state of something that is fetched. */
export type Loadable<T> =
  | { kind: 'idle' }
  | { kind: 'loading' }
  | { kind: 'ready'; value: T }
  /** `refused`: the server answered, and its answer was no. */
  | { kind: 'failed'; message: string; refused: boolean };

export type Theme = 'auto' | 'light' | 'dark';

export interface Host {
  isDark: boolean;
  /** Empty until they are known. */
  runs: string[];
}

export interface State {
  /** What one looks at: the address bar says the same. */
  address: Signal<Address>;
  health: Signal<Health | null>;
  /** What this server can draw; null until it said so. */
  options: Signal<Options | null>;
  runs: Signal<Loadable<Run[]>>;
  /** The series of `seriesRun`, in layer order. */
  series: Signal<Loadable<Series[]>>;
  seriesRun: Signal<string | null>;
  /** The steps of the series on show, ascending. */
  steps: Signal<Loadable<number[]>>;
  /** `run`, newline, `tag` of the series whose steps these are. */
  stepsOf: Signal<string | null>;
  /** The version of the series that the steps belong to; pictures are asked for with it, so that both agree. */
  stepsVersion: Signal<string | null>;
  skipped: Signal<Loadable<Skipped[]>>;
  /** The lines that log what can be drawn; asked for where nothing can. */
  recipes: Signal<Recipe[]>;
  /** Keras drew pictures of kernels, and no run has a kernel as a tensor. */
  kernelsAreDrawn: Signal<boolean>;
  /** The picture on the stage. It stays until the next one is decoded. */
  picture: Signal<Picture | null>;
  /** Why the wished-for picture cannot be shown; null while all is well. */
  pictureProblem: Signal<string | null>;
  /** A picture is on its way. */
  pictureBusy: Signal<boolean>;
  /** The values behind the picture on the stage; null until somebody asks by pointing. */
  values: Signal<{ query: string; floats: Floats } | null>;
  /** The table of the colour map on show. */
  colormap: Signal<Colormap | null>;
  /** What the pointer or the keyboard points at, and which of them. */
  cursor: Signal<(Spot & { by: 'pointer' | 'keys' }) | null>;
  connection: Signal<Connection>;
  playing: Signal<boolean>;
  /** The frames of the opened picture are played. */
  playingFrames: Signal<boolean>;
  /** Steps a second. */
  speed: Signal<number>;
  /** Notches one beside another instead of by step; null: whatever suits the series. */
  evenNotches: Signal<boolean | null>;
  /** Notches placed by their step would lie on each other. Once found, it holds for the series on show. */
  crowded: Signal<boolean>;
  /** A quiet line about something that was set right. */
  note: Signal<string | null>;
  search: Signal<string>;
  theme: Signal<Theme>;
  /** The page around this one is TensorBoard's: whether it is dark, and its runs in its own order; null elsewhere. */
  host: Signal<Host | null>;
  /** Which part lies over the page: the lists on a narrow screen, the keys, the problems. */
  over: Signal<'none' | 'lists' | 'keys' | 'trouble' | 'numbers' | 'film'>;
  /** The series in another run that is compared with; null while it is not known. */
  partner: Signal<PartnerSeries | null>;
  partnerProblem: Signal<string | null>;
  /** The picture that is compared with, beside or in turn. */
  beside: Signal<Picture | null>;
  besideProblem: Signal<string | null>;
  /** While two pictures blink: whether the other one is on show. */
  blinkOther: Signal<boolean>;
  /** How far the range over all steps is; null while none is sought. */
  runRange: Signal<RunRange | null>;
  /** The numbers of the last step that was asked for, of its series over steps, and of the difference on show. */
  stats: Signal<Stats | null>;
  statsProblem: Signal<string | null>;
  charts: Signal<Charts | null>;
  difference: Signal<Difference | null>;
  /** What was counted of kernels, by `seriesKey`. */
  badges: Signal<ReadonlyMap<string, Badge>>;
  /** The range is set by hand over the histogram. */
  histogram: Signal<boolean>;
  /** CSS pixels of the stage, measured. */
  stageSize: Signal<{ width: number; height: number }>;
  devicePixels: Signal<number>;
}

export const state: State = {
  address: signal(NOWHERE),
  health: signal(null),
  options: signal(null),
  runs: signal({ kind: 'idle' }),
  series: signal({ kind: 'idle' }),
  seriesRun: signal(null),
  steps: signal({ kind: 'idle' }),
  stepsOf: signal(null),
  stepsVersion: signal(null),
  skipped: signal({ kind: 'idle' }),
  recipes: signal([]),
  kernelsAreDrawn: signal(false),
  picture: signal(null),
  pictureProblem: signal(null),
  pictureBusy: signal(false),
  values: signal(null),
  colormap: signal(null),
  cursor: signal(null),
  connection: signal('connecting'),
  playing: signal(false),
  playingFrames: signal(false),
  speed: signal(5),
  evenNotches: signal(null),
  crowded: signal(false),
  note: signal(null),
  search: signal(''),
  theme: signal('auto'),
  host: signal(null),
  over: signal('none'),
  partner: signal(null),
  partnerProblem: signal(null),
  beside: signal(null),
  besideProblem: signal(null),
  blinkOther: signal(false),
  runRange: signal(null),
  stats: signal(null),
  statsProblem: signal(null),
  charts: signal(null),
  difference: signal(null),
  badges: signal(new Map()),
  histogram: signal(false),
  stageSize: signal({ width: 0, height: 0 }),
  devicePixels: signal(1),
};

/** The rows of something loadable; none while there are none. */
export function rows<T>(loadable: Loadable<T[]>): T[] {
  return loadable.kind === 'ready' ? loadable.value : [];
}

export const currentSeries = computed<Series | null>(() => {
  const { run, tag } = state.address.value;
  if (state.seriesRun.value !== run) return null;
  return rows(state.series.value).find((series) => series.tag === tag) ?? null;
});

/** The series of the chosen run are here, and none of them can be drawn. */
export const isRunBare = computed<boolean>(() => {
  const series = state.series.value;
  return series.kind === 'ready' && !series.value.some((one) => one.views.length > 0);
});

/** The series that the picture on the stage is of; null where the list has gone on to another run. */
export const pictureSeries = computed<Series | null>(() => {
  const info = state.picture.value?.info;
  if (!info) return null;
  return rows(state.series.value).find((series) => series.tag === info.tag && series.run === info.run) ?? null;
});

/** Whether the picture on the stage is of bytes that came encoded, and not of a tensor's numbers. */
export const pictureIsBytes = computed<boolean>(() => pictureSeries.value?.source === 'image');

/** How the numbers of the picture on the stage are written. */
export const pictureNumbers = computed<NumberWords>(() => numberWords(pictureIsBytes.value ? 'image' : 'tensor'));

export const seriesKey = (series: { run: string; tag: string }): string => `${series.run}\n${series.tag}`;

/** The steps of the chosen series; empty while those of another are still here. */
export const currentSteps = computed<number[]>(() => {
  const series = currentSeries.value;
  if (!series || state.stepsOf.value !== seriesKey(series)) return [];
  return rows(state.steps.value);
});

/** The logged step that the wish for a step lands on. */
export const landing = computed<Landing | null>(() => land(currentSteps.value, state.address.value.step));

export const even = computed<boolean>(() => state.evenNotches.value ?? state.crowded.value);

export const following = computed<boolean>(() => state.address.value.step === null);

/** Where the opened tile stands on the sheet that is on show; null where none is open. */
export const openedPlace = computed<number | null>(() => {
  const { tile } = state.address.value;
  const info = state.picture.value?.info;
  return tile === null || !info ? null : placeOfTile(info, tile);
});
