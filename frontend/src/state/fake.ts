/** For tests: a server whose answers are written down, and as much of a browser as the state asks for. */

import { vi } from 'vitest';
import type { Run, Series, SheetInfo } from '../api/types';
import { OPTIONS } from '../model/fake-options';

/** The body of an answer, or a refusal with its status. */
type Reply = { body: unknown } | { status: number; message: string };

type Answering = (query: URLSearchParams) => Reply;

export const refuse = (status: number, message: string): Reply => ({ status, message });

export class FakeServer {
  /** All that was asked, as `path?query` below `api/v1/`, in order. */
  asked: string[] = [];
  /** What was given up before its answer came. */
  aborted: string[] = [];
  /** No answer comes at all. */
  isDown = false;
  private answers = new Map<string, Answering>();
  private held = new Map<string, (() => void)[]>();

  /** What a path answers from now on. */
  answer(path: string, answering: Answering | object): void {
    this.answers.set(path, typeof answering === 'function' ? (answering as Answering) : () => ({ body: answering }));
  }

  /** From now on answers of this path wait for `release`. */
  hold(path: string): void {
    this.held.set(path, []);
  }

  /** Lets the answer go that waits longest. */
  releaseFirst(path: string): void {
    this.held.get(path)?.shift()?.();
  }

  /** Lets the answers go that wait, and holds back no others. */
  release(path: string): void {
    const waiting = this.held.get(path) ?? [];
    this.held.delete(path);
    for (const go of waiting) go();
  }

  /** The questions to a path. */
  askedOf(path: string): string[] {
    return this.asked.filter((address) => address === path || address.startsWith(`${path}?`));
  }

  fetch = (address: string, { signal }: { signal?: AbortSignal } = {}): Promise<Response> =>
    new Promise((done, fail) => {
      const asked = address.replace(/^api\/v1\//, '');
      const [path = '', query = ''] = asked.split('?');
      this.asked.push(asked);
      signal?.addEventListener('abort', () => {
        this.aborted.push(asked);
        fail(new DOMException('aborted', 'AbortError'));
      });
      const go = (): void => {
        const answering = this.answers.get(path);
        if (this.isDown || !answering) fail(new TypeError(`no answer to ${asked}`));
        else done(response(answering(new URLSearchParams(query))));
      };
      const waiting = this.held.get(path);
      if (waiting) waiting.push(go);
      else go();
    });
}

function response(reply: Reply): Response {
  const refused = 'status' in reply;
  const body = refused ? { code: 'no', message: reply.message } : reply.body;
  const fake = {
    ok: !refused,
    status: refused ? reply.status : 200,
    statusText: '',
    json: async () => body,
    blob: async () => body,
    arrayBuffer: async () => body,
  };
  return fake as unknown as Response;
}

/** What the address bar and its history did. */
export interface FakeBrowser {
  server: FakeServer;
  /** What was written to the history, as `push ?query` or `replace ?query`. */
  written: string[];
  location: { search: string; pathname: string; origin: string };
  document: { hidden: boolean };
  /** Whether the system asks for less motion. */
  motion: { isReduced: boolean };
}

/** Puts a browser and a server in the place of the real ones, stops the clock, and forgets all modules. */
export function fakeBrowser(search = ''): FakeBrowser {
  vi.resetModules();
  vi.useFakeTimers();
  const server = new FakeServer();
  const location = { search, pathname: '/', origin: 'http://127.0.0.1' };
  const document = { hidden: false };
  const motion = { isReduced: false };
  const written: string[] = [];
  vi.stubGlobal('fetch', server.fetch);
  vi.stubGlobal('location', location);
  vi.stubGlobal('document', document);
  vi.stubGlobal('history', {
    pushState: (_: unknown, __: string, target: string) => written.push(`push ${target}`),
    replaceState: (_: unknown, __: string, target: string) => written.push(`replace ${target}`),
  });
  vi.stubGlobal('matchMedia', () => ({ matches: motion.isReduced }));
  vi.stubGlobal('createImageBitmap', async () => ({ width: 4, height: 4, close: () => undefined }));
  return { server, written, location, document, motion };
}

export function endFakes(): void {
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

/** Lets everything happen that waits for nothing but answers. */
export const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** Lets time pass. */
export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

export function aRun(run: string, more: Partial<Run> = {}): Run {
  return { run, series: 1, layers: 1, first_wall_time: 1, last_wall_time: 2, last_step: 30, ...more };
}

export function aSeries(run: string, tag: string, more: Partial<Series> = {}): Series {
  return {
    run,
    tag,
    layer: tag.split('/')[0] ?? tag,
    role: 'kernel',
    role_from: { confidence: 'sure', evidence: 'its name' },
    layout: 'HWIO',
    layout_from: { confidence: 'sure', evidence: 'its name' },
    dtype: 'float32',
    shape: [2, 2, 1, 4],
    frames: null,
    steps: 4,
    kept_steps: 0,
    not_kept: 0,
    first_step: 0,
    last_step: 30,
    source: 'tensor',
    note: null,
    contradictions: [],
    operation: null,
    views: ['slice'],
    fits: null,
    view: 'slice',
    range: 'symmetric',
    cmap: 'gray',
    problem: null,
    origin: 'events',
    format: 'events',
    step_from: 'record',
    axis: 'step',
    run_from: null,
    saved_as: null,
    is_first: false,
    version: '1',
    ...more,
  };
}

/** The legend of a sheet of four tiles for the query that it was asked with. */
export function aSheet(query: URLSearchParams): SheetInfo {
  const tiles = [0, 1, 2, 3].map((index) => {
    const [x, y] = [2 * (index % 2), 2 * Math.floor(index / 2)];
    return { index, channel: index, x, y, w: 2, h: 2, constant: false };
  });
  return {
    run: query.get('run') ?? '',
    tag: query.get('tag') ?? '',
    step: Number(query.get('step')),
    wall_time: null,
    attempt: 0,
    attempts: 1,
    width: 4,
    height: 4,
    cols: 2,
    rows: 2,
    gutter: 0,
    zoom: 1,
    view: 'slice',
    layout: 'HWIO',
    cmap: query.get('cmap') ?? 'gray',
    scope: 'layer',
    blend: 0,
    n_frames: 0,
    order: 'index',
    labels: 'none',
    label_height: 0,
    constant: false,
    range: { option: 'symmetric', lo: -1, hi: 1, zero: 0.5, clipped: 0, nan: 0, inf: 0 },
    tiles,
  };
}

/** The answers of a server with these series, all with the steps 0, 10, 20 and 30. */
export function serveSeries(server: FakeServer, all: Series[], steps = [0, 10, 20, 30]): void {
  const runs = [...new Set(all.map((series) => series.run))].map((run) => aRun(run));
  server.answer('health', { status: 'ok', revision: 1, problems: [], watch: { mode: 'native', reason: null } });
  server.answer('options', OPTIONS);
  server.answer('runs', { revision: 1, runs });
  server.answer('series', (query) => ({
    body: { revision: 1, series: all.filter((series) => series.run === query.get('run')) },
  }));
  server.answer('steps', { steps, wall_times: steps.map(() => null), attempts: steps.map(() => 1) });
  server.answer('skipped', { skipped: [] });
  server.answer('recipes', { kernels_are_drawn: false, recipes: [] });
  server.answer('sheet', {});
  server.answer('sheet/info', (query) => ({ body: aSheet(query) }));
}
