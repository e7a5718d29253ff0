/** Numbers are asked for when somebody looks at them, and not before. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aSeries, endFakes, type FakeBrowser, fakeBrowser, pass, refuse, serveSeries, settle } from './fake';

let browser: FakeBrowser;

/** An NPY file of four tiles of 2x2, all of one number. */
function npy(value: number): ArrayBuffer {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2, 2), }".padEnd(117, ' ');
  const bytes = new Uint8Array(128 + 64);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, 118, 0, ...new TextEncoder().encode(`${header}\n`)]);
  new Float32Array(bytes.buffer, 128).fill(value);
  return bytes.buffer;
}

async function opened() {
  const [lists, navigation, stage, pointing, panels, playback, numbers, loaders, loadable] = await Promise.all([
    import('./lists'),
    import('./navigation'),
    import('./stage'),
    import('./pointing'),
    import('./panels'),
    import('./playback'),
    import('./numbers'),
    Promise.all([
      import('./lists-loader'),
      import('./picture-loader'),
      import('./values-loader'),
      import('./numbers-loader'),
      import('./run-range-loader'),
    ]),
    import('./loadable'),
  ]);
  const [listsLoader, pictureLoader, valuesLoader, numbersLoader, runRangeLoader] = loaders;
  serveSeries(browser.server, [aSeries('a', 'conv1/kernel')]);
  browser.server.answer('values', (query) => ({ body: npy(Number(query.get('step'))) }));
  browser.server.answer('colormap', (query) => ({ body: { cmap: query.get('cmap'), colors: [] } }));
  browser.server.answer('stats', (query) => ({
    body: { run: 'a', tag: 'conv1/kernel', step: Number(query.get('step')), each: [], steps: [0, 10, 20, 30] },
  }));
  browser.server.answer('range', { lo: -1, hi: 1, steps_done: 2, steps: 4, steps_skipped: 0, widened: false });
  listsLoader.keepListsCurrent();
  pictureLoader.keepPictureCurrent();
  valuesLoader.keepValuesCurrent();
  valuesLoader.keepColormapCurrent();
  numbersLoader.keepNumbersCurrent();
  runRangeLoader.keepRunRangeCurrent();
  await listsLoader.loadLists();
  await settle();
  return { ...lists, ...navigation, ...stage, ...pointing, ...panels, ...playback, ...numbers, ...loadable };
}

const asked = (path: string): number => browser.server.askedOf(path).length;

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('the values behind the picture', () => {
  test('are asked for once somebody points at it, once for each picture', async () => {
    const page = await opened();
    expect(asked('values')).toBe(0);
    page.pointAt({ tile: 0, row: 0, col: 0 }, 'pointer');
    expect(page.stage.values.value.kind).toBe('loading');
    page.pointAt({ tile: 1, row: 0, col: 0 }, 'pointer');
    await settle();
    expect([asked('values'), page.shownValues.value?.floats.data[0]]).toEqual([1, 30]);
    page.goTo({ step: 10 }, 'replace');
    await settle();
    page.goTo({ step: 30 }, 'replace');
    await settle();
    expect([asked('values'), page.shownValues.value?.floats.data[0]]).toEqual([2, 30]);
  });

  test('of one picture are never those of another', async () => {
    const page = await opened();
    page.pointAt({ tile: 0, row: 0, col: 0 }, 'pointer');
    await settle();
    browser.server.hold('values');
    page.goTo({ step: 10 }, 'replace');
    await settle();
    expect([page.shownPicture.value?.info.step, page.shownValues.value]).toEqual([10, null]);
    browser.server.release('values');
    await settle();
    expect(page.shownValues.value?.floats.data[0]).toBe(10);
  });

  test('that did not come are asked for again when the pointer moves on', async () => {
    const page = await opened();
    browser.server.answer('values', () => refuse(503, 'busy'));
    page.pointAt({ tile: 0, row: 0, col: 0 }, 'pointer');
    await settle();
    expect(page.stage.values.value.kind).toBe('failed');
    browser.server.answer('values', () => ({ body: npy(30) }));
    page.pointAt({ tile: 0, row: 0, col: 1 }, 'pointer');
    await settle();
    expect(page.shownValues.value?.floats.data[0]).toBe(30);
  });
});

describe('the table of a colour map', () => {
  test('is asked for once for each map', async () => {
    const page = await opened();
    for (const cmap of ['viridis', null, 'viridis']) {
      page.goTo({ cmap }, 'push');
      await settle();
    }
    expect(asked('colormap')).toBe(2);
    expect(page.valueIn(page.stage.colormap.value)?.cmap).toBe('viridis');
  });
});

describe('the numbers of filters', () => {
  test('are asked for when a tile is opened, a moment after the last step of a drag', async () => {
    const page = await opened();
    await pass(1000);
    expect(asked('stats')).toBe(0);
    page.goTo({ tile: 1 }, 'push');
    for (const step of [0, 10, 20]) {
      page.goTo({ step }, 'replace');
      await pass(50);
    }
    expect(browser.server.askedOf('stats').filter((one) => !one.includes('steps=all'))).toEqual([]);
    await pass(120);
    expect(page.valueIn(page.numbers.stats.value)?.step).toBe(20);
    expect(browser.server.askedOf('stats').filter((one) => !one.includes('steps=all')).length).toBe(1);
  });

  test('are asked for by the table too, and not while steps play', async () => {
    const page = await opened();
    page.startPlaying();
    page.openOverlay('numbers');
    await pass(1000);
    expect(page.numbers.stats.value.kind).toBe('idle');
    page.stopPlaying();
    await pass(120);
    expect(page.valueIn(page.numbers.stats.value)?.step).toBe(30);
  });

  test('make place for a refusal, and charts that are here do not', async () => {
    const page = await opened();
    page.goTo({ tile: 1 }, 'push');
    await pass(200);
    browser.server.answer('stats', () => refuse(422, 'damaged'));
    page.goTo({ step: 10 }, 'replace');
    page.replaceSeries(
      page.currentSeries.value ?? aSeries('a', 'conv1/kernel'),
      aSeries('a', 'conv1/kernel', { steps: 5, last_step: 40 }),
    );
    await pass(3000);
    expect([page.valueIn(page.numbers.stats.value), page.refusalIn(page.numbers.stats.value)]).toEqual([
      null,
      'damaged',
    ]);
    expect(page.valueIn(page.numbers.charts.value)?.steps).toEqual([0, 10, 20, 30]);
  });
});

describe('the range over all steps', () => {
  test('has a progress while its picture is awaited, and none afterwards', async () => {
    const page = await opened();
    browser.server.hold('sheet');
    page.goTo({ scope: 'run' }, 'push');
    await pass(249);
    expect([asked('range'), page.numbers.runRange.value.kind]).toEqual([0, 'loading']);
    await pass(1);
    expect(page.valueIn(page.numbers.runRange.value)?.steps_done).toBe(2);
    await pass(1000);
    expect(asked('range')).toBe(3);
    browser.server.release('sheet');
    await settle();
    expect(page.numbers.runRange.value.kind).toBe('idle');
    await pass(5000);
    expect(asked('range')).toBe(3);
  });
});
