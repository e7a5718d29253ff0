/** What is shown of what there is, when the address says it, does not say it, or says what is not there. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aRun, aSeries, endFakes, type FakeBrowser, fakeBrowser, refuse, serveSeries, settle } from './fake';

let browser: FakeBrowser;

async function page() {
  const [lists, navigation, loader, loadable] = await Promise.all([
    import('./lists'),
    import('./navigation'),
    import('./lists-loader'),
    import('./loadable'),
  ]);
  loader.keepListsCurrent();
  navigation.readAddress();
  return { ...lists, ...navigation, ...loader, ...loadable };
}

const KERNEL = aSeries('a', 'conv1/kernel');
const OTHER = aSeries('b', 'conv1/kernel');
const SECOND = aSeries('a', 'conv2/kernel', { layer: 'conv2' });

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('the lists', () => {
  test('are idle, on their way, and here', async () => {
    const { lists, loadLists } = await page();
    serveSeries(browser.server, [KERNEL]);
    browser.server.hold('runs');
    expect(lists.runs.value.kind).toBe('idle');
    const loading = loadLists();
    expect(lists.runs.value.kind).toBe('loading');
    browser.server.release('runs');
    await loading;
    expect([lists.runs.value.kind, lists.series.value.list.kind]).toEqual(['ready', 'ready']);
  });

  test('say why they do not come, and outlive a server that goes away', async () => {
    const { lists, loadLists, problemIn, rows } = await page();
    browser.server.answer('runs', () => refuse(401, 'the token is missing'));
    await loadLists();
    expect(problemIn(lists.runs.value)).toBe('the token is missing');
    serveSeries(browser.server, [KERNEL]);
    await loadLists();
    browser.server.isDown = true;
    await loadLists();
    expect([problemIn(lists.runs.value), rows(lists.runs.value).length]).toEqual([null, 1]);
    expect(rows(lists.series.value.list)).toEqual([KERNEL]);
  });

  test('do not show the series of one run as those of another', async () => {
    const { lists, loadLists, goTo, currentSeries, problemIn, rows } = await page();
    serveSeries(browser.server, [KERNEL, OTHER]);
    goTo({ run: 'a' }, 'push');
    await loadLists();
    browser.server.answer('series', () => refuse(404, 'no such run'));
    goTo({ run: 'b' }, 'push');
    await settle();
    expect([lists.series.value.run, currentSeries.value]).toEqual(['b', null]);
    expect([problemIn(lists.series.value.list), rows(lists.series.value.list)]).toEqual(['no such run', []]);
  });

  test('bring the steps of the series on show, and none while those of another are here', async () => {
    const { loadLists, goTo, currentSteps } = await page();
    serveSeries(browser.server, [KERNEL, SECOND]);
    await loadLists();
    await settle();
    expect(currentSteps.value).toEqual([0, 10, 20, 30]);
    browser.server.hold('steps');
    goTo({ tag: 'conv2/kernel' }, 'push');
    expect(currentSteps.value).toEqual([]);
    browser.server.answer('steps', { steps: [7] });
    browser.server.release('steps');
    await settle();
    expect(currentSteps.value).toEqual([7]);
  });

  test('ask for what is not drawn only where nothing is', async () => {
    const { loadLists, lists } = await page();
    serveSeries(browser.server, [KERNEL]);
    await loadLists();
    expect(browser.server.askedOf('skipped')).toEqual([]);
    serveSeries(browser.server, []);
    browser.server.answer('runs', { revision: 2, runs: [aRun('a', { series: 0 })] });
    await loadLists();
    await loadLists();
    expect(browser.server.askedOf('skipped').length).toBe(2);
    expect(browser.server.askedOf('recipes').length).toBe(1);
    expect(lists.skipped.value.kind).toBe('ready');
  });
});

describe('what is shown', () => {
  test('is the run that was written to last, and its first kernel', async () => {
    const { loadLists, navigation } = await page();
    serveSeries(browser.server, [KERNEL, OTHER]);
    browser.server.answer('runs', { revision: 1, runs: [aRun('a'), aRun('b', { last_wall_time: 9 })] });
    await loadLists();
    expect(navigation.address.value).toMatchObject({ run: 'b', tag: 'conv1/kernel', step: null });
    expect(navigation.note.value).toBeNull();
  });

  test('is what the address says', async () => {
    browser.location.search = '?run=a&tag=conv2/kernel&step=10';
    const { loadLists, navigation } = await page();
    serveSeries(browser.server, [OTHER, KERNEL, SECOND]);
    await loadLists();
    expect(navigation.address.value).toMatchObject({ run: 'a', tag: 'conv2/kernel', step: 10 });
    expect(navigation.note.value).toBeNull();
  });

  test('is something else, and says so, where the address names what is not there', async () => {
    browser.location.search = '?run=z&tag=none&tile=3';
    const { loadLists, navigation } = await page();
    serveSeries(browser.server, [KERNEL]);
    await loadLists();
    expect(navigation.address.value).toMatchObject({ run: 'a', tag: 'conv1/kernel', tile: null });
    expect(navigation.note.value).toBe(
      'There is no run “z”; shown instead: “a”. “none” cannot be shown in this run; shown instead: “conv1/kernel”. ' +
        'Tile 3 is one of “none” and was left out.',
    );
  });

  test('changes for a better series only as long as nobody has touched anything', async () => {
    const { loadLists, navigation, endLink } = await page();
    const dense = aSeries('a', 'dense/kernel', { layer: 'dense', layout: 'IO', shape: [3, 4] });
    serveSeries(browser.server, [dense]);
    await loadLists();
    expect(navigation.address.value.tag).toBe('dense/kernel');
    serveSeries(browser.server, [dense, KERNEL]);
    await loadLists();
    expect(navigation.address.value.tag).toBe('conv1/kernel');
    endLink();
    serveSeries(browser.server, [dense, { ...KERNEL, tag: 'conv0/kernel', layer: 'conv0' }, KERNEL]);
    await loadLists();
    expect(navigation.address.value.tag).toBe('conv1/kernel');
  });

  test('in another run is the series that plays the same part there', async () => {
    const { loadLists, navigation, goTo } = await page();
    const twin = aSeries('b', 'model/conv2/w', { layer: 'conv2' });
    serveSeries(browser.server, [KERNEL, SECOND, aSeries('b', 'conv0/kernel'), twin]);
    goTo({ run: 'a', tag: 'conv2/kernel' }, 'push');
    await loadLists();
    await settle();
    goTo({ run: 'b' }, 'push');
    await settle();
    expect(navigation.address.value.tag).toBe('model/conv2/w');
  });

  test('leaves out choices that do not fit the series', async () => {
    browser.location.search = '?cmap=nosuch&view=maps';
    const { loadLists, navigation } = await page();
    serveSeries(browser.server, [KERNEL]);
    await loadLists();
    await settle();
    expect(navigation.address.value).toMatchObject({ cmap: null, view: null });
    expect(navigation.note.value).toContain('cmap=nosuch');
  });
});
