/** The one place that fetches. Every answer is a union; nothing here throws. */
import { queryString } from '../model/query';
import type { Charts, Difference, Stats } from './numbers';
import type { Colormap, Health, Options, Recipes, Run, RunRange, Series, SheetInfo, Skipped, Steps } from './types';

export type Answer<T> =
  | { kind: 'ok'; value: T }
  /** The server said no, and its message says what to do. */
  | { kind: 'refused'; status: number; code: string; message: string }
  /** No answer came: the server is down or the network is. */
  | { kind: 'unreachable'; message: string }
  /** We did not want it any more. */
  | { kind: 'aborted' };

/** A picture and the legend that belongs to it: one request, so one can never be shown with another's. */
export interface Picture {
  /** The query both were asked with. */
  query: string;
  bitmap: ImageBitmap;
  info: SheetInfo;
}

/** The address of a call, relative to the page, so that it holds under any prefix. */
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

export const fetchHealth = (): Promise<Answer<Health>> => get('health', '', json<Health>);
export const fetchOptions = (): Promise<Answer<Options>> => get('options', '', json<Options>);
export const fetchRuns = (): Promise<Answer<{ revision: number; runs: Run[] }>> =>
  get('runs', '', json<{ revision: number; runs: Run[] }>);

export function fetchSeries(
  run: string,
  signal?: AbortSignal,
): Promise<Answer<{ revision: number; series: Series[] }>> {
  return get('series', queryString({ run }), json<{ revision: number; series: Series[] }>, signal);
}

export function fetchSkipped(run?: string): Promise<Answer<{ skipped: Skipped[] }>> {
  return get('skipped', queryString({ run }), json<{ skipped: Skipped[] }>);
}

export const fetchRecipes = (): Promise<Answer<Recipes>> => get('recipes', '', json<Recipes>);

/** The runs of the TensorBoard whose tab this page is, in its own order: its data lies two directories above our page. */
export const fetchHostRuns = (): Promise<Answer<string[]>> => getFrom('../../runs', json<string[]>);

export function fetchSteps(run: string, tag: string, signal?: AbortSignal): Promise<Answer<Steps>> {
  return get('steps', queryString({ run, tag }), json<Steps>, signal);
}

export function fetchColormap(cmap: string): Promise<Answer<Colormap>> {
  return get('colormap', queryString({ cmap }), json<Colormap>);
}

/** The values behind the pixels of a sheet, as an NPY file. */
export function fetchValues(query: string, signal: AbortSignal): Promise<Answer<ArrayBuffer>> {
  return get('values', query, (response) => response.arrayBuffer(), signal);
}

/** The numbers of one step. */
export const fetchStats = (query: string, signal: AbortSignal): Promise<Answer<Stats>> =>
  get('stats', query, json<Stats>, signal);

/** The numbers over the steps of a series. */
export const fetchCharts = (query: string, signal: AbortSignal): Promise<Answer<Charts>> =>
  get('stats', query, json<Charts>, signal);

export const fetchDifference = (query: string, signal: AbortSignal): Promise<Answer<Difference>> =>
  get('difference', query, json<Difference>, signal);

/** How far the range over all steps is, for the query of a sheet. */
export const fetchRunRange = (query: string, signal: AbortSignal): Promise<Answer<RunRange>> =>
  get('range', query, json<RunRange>, signal);

/** The sheet, decoded, together with its legend. */
export async function fetchPicture(query: string, signal: AbortSignal): Promise<Answer<Picture>> {
  const [picture, info] = await Promise.all([
    get('sheet', query, readBitmap, signal),
    get('sheet/info', query, json<SheetInfo>, signal),
  ]);
  if (picture.kind !== 'ok') return picture;
  if (info.kind !== 'ok') return info;
  return { kind: 'ok', value: { query, bitmap: picture.value, info: info.value } };
}

async function readBitmap(response: Response): Promise<ImageBitmap> {
  return createImageBitmap(await response.blob(), { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
}
