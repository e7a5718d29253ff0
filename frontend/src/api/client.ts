/** The one place that fetches. Every answer is a union; nothing here throws. */
import { queryString } from '../model/query';
import type { Answers } from './schema';
import type { Charts, SheetInfo, Stats } from './types';

export type Answer<T> =
  | { kind: 'ok'; value: T }
  /** The server refused, and its message says what to do. */
  | { kind: 'refused'; status: number; code: string; message: string }
  /** No answer came: the server or the network is down. */
  | { kind: 'unreachable'; message: string }
  /** The request was cancelled. */
  | { kind: 'aborted' };

/** A picture and its legend, asked for with the same query, so that they always belong together. */
export interface Picture {
  /** The query both were asked with. */
  query: string;
  bitmap: ImageBitmap;
  info: SheetInfo;
}

/** The address of a request, relative to the page, so that it works under any prefix. */
export function apiAddress(path: string, query: string): string {
  return query === '' ? `api/v1/${path}` : `api/v1/${path}?${query}`;
}

function get<T>(
  path: string,
  query: string,
  read: (response: Response) => Promise<T>,
  signal?: AbortSignal,
): Promise<Answer<T>> {
  return getFrom(apiAddress(path, query), read, signal);
}

async function getFrom<T>(
  address: string,
  read: (response: Response) => Promise<T>,
  signal?: AbortSignal,
): Promise<Answer<T>> {
  try {
    const response = await fetch(address, signal ? { signal } : {});
    if (!response.ok) return await refusal(response);
    return { kind: 'ok', value: await read(response) };
  } catch (error) {
    if (signal?.aborted) return { kind: 'aborted' };
    return { kind: 'unreachable', message: error instanceof Error ? error.message : String(error) };
  }
}

async function refusal(response: Response): Promise<Answer<never>> {
  const fallback = { code: 'http', message: `The server answered ${response.status} ${response.statusText}`.trim() };
  const body: unknown = await response.json().catch(() => null);
  const said = typeof body === 'object' && body !== null ? (body as Partial<typeof fallback>) : {};
  return {
    kind: 'refused',
    status: response.status,
    code: said.code ?? fallback.code,
    message: said.message ?? fallback.message,
  };
}

const json = <T>(response: Response): Promise<T> => response.json() as Promise<T>;

/** The JSON of a path, with the type that the server's description gives it. */
function ask<P extends keyof Answers>(path: P, query = '', signal?: AbortSignal): Promise<Answer<Answers[P]>> {
  return get(path, query, json<Answers[P]>, signal);
}

/** What an answer of this path holds. */
type Asked<P extends keyof Answers> = Promise<Answer<Answers[P]>>;

export const fetchHealth = (): Asked<'health'> => ask('health');
export const fetchOptions = (): Asked<'options'> => ask('options');
export const fetchRuns = (): Asked<'runs'> => ask('runs');

export const fetchSeries = (run: string, signal?: AbortSignal): Asked<'series'> =>
  ask('series', queryString({ run }), signal);

export const fetchSkipped = (run?: string): Asked<'skipped'> => ask('skipped', queryString({ run }));

export const fetchRecipes = (): Asked<'recipes'> => ask('recipes');

/** The runs of the TensorBoard whose tab this page is, in its own order: its data lies two directories above our page. */
export const fetchHostRuns = (): Promise<Answer<string[]>> => getFrom('../../runs', json<string[]>);

export const fetchSteps = (run: string, tag: string, signal?: AbortSignal): Asked<'steps'> =>
  ask('steps', queryString({ run, tag }), signal);

export const fetchColormap = (cmap: string): Asked<'colormap'> => ask('colormap', queryString({ cmap }));

/** The values behind the pixels of a sheet, as an NPY file. */
export function fetchValues(query: string, signal: AbortSignal): Promise<Answer<ArrayBuffer>> {
  return get('values', query, (response) => response.arrayBuffer(), signal);
}

/** The numbers of one step. */
export const fetchStats = (query: string, signal: AbortSignal): Promise<Answer<Stats>> =>
  get('stats', query, json<Stats>, signal);

/** The numbers over the steps of a series: the query has `steps`. */
export const fetchCharts = (query: string, signal: AbortSignal): Promise<Answer<Charts>> =>
  get('stats', query, json<Charts>, signal);

export const fetchDifference = (query: string, signal: AbortSignal): Asked<'difference'> =>
  ask('difference', query, signal);

/** How much is known of the range over all steps, for the query of a sheet. */
export const fetchRunRange = (query: string, signal: AbortSignal): Asked<'range'> => ask('range', query, signal);

/** The sheet, decoded, together with its legend. */
export async function fetchPicture(query: string, signal: AbortSignal): Promise<Answer<Picture>> {
  const [picture, info] = await Promise.all([
    get('sheet', query, readBitmap, signal),
    ask('sheet/info', query, signal),
  ]);
  if (picture.kind !== 'ok') return picture;
  if (info.kind !== 'ok') return info;
  return { kind: 'ok', value: { query, bitmap: picture.value, info: info.value } };
}

async function readBitmap(response: Response): Promise<ImageBitmap> {
  return createImageBitmap(await response.blob(), { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
}
