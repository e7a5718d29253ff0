/** Series whose steps count something else: a step of one is none of another. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aSeries, endFakes, type FakeBrowser, fakeBrowser, pass, serveSeries, settle } from './fake';

let browser: FakeBrowser;

const BY_STEP = aSeries('a', 'conv1/kernel');
const BY_EPOCH = aSeries('a', 'conv2/kernel', { layer: 'conv2', axis: 'epoch', steps: 3, first_step: 1, last_step: 3 });
const TWIN = aSeries('b', 'conv1/kernel', { axis: 'epoch', steps: 3, first_step: 1, last_step: 3 });

/** The run `a` has a series by steps and one by epochs; `b` has one by epochs. */
async function opened(search = '?run=a&tag=conv1/kernel') {
  browser.location.search = search;
  const [axes, lists, navigation, partner, loader, actions, compare, live] = await Promise.all([
    import('./axes'),
    import('./lists'),
    import('./navigation'),
    import('./partner'),
    import('./lists-loader'),
    import('./actions'),
    import('./compare-actions'),
    import('./live-updates'),
  ]);
  serveSeries(browser.server, [BY_STEP, BY_EPOCH, TWIN]);
  browser.server.answer('steps', (query) => {
    const isByStep = query.get('run') === 'a' && query.get('tag') === BY_STEP.tag;
    const steps = isByStep ? [0, 10, 20, 30] : [1, 2, 3];
    return { body: { steps, wall_times: steps.map(() => null), attempts: steps.map(() => 1) } };
  });
  loader.keepListsCurrent();
  partner.keepPartnerCurrent();
  navigation.readAddress();
  await loader.loadLists();
  await settle();
  navigation.endLink();
  return { ...axes, ...lists, ...navigation, ...partner, ...actions, ...compare, ...live };
}

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('what the steps count', () => {
  test('is said of each series', async () => {
    const page = await opened();
    expect(page.momentOf({ ...BY_STEP, step: 10 })).toBe('step 10');
    expect(page.momentOf({ ...BY_EPOCH, step: 2 })).toBe('epoch 2');
    expect([page.currentAxis.value, page.currentNoun.value]).toEqual(['step', 'step']);
  });

  test('leaves the step behind when it changes with the series', async () => {
    const page = await opened();
    page.goToStep(20);
    page.chooseSeries(BY_EPOCH);
    await settle();
    expect(page.navigation.address.value.step).toBeNull();
    expect([page.currentAxis.value, page.shownStep.value?.step]).toEqual(['epoch', 3]);
  });

  test('leaves it behind when it changes with the run', async () => {
    const page = await opened();
    page.goToStep(20);
    page.chooseRun('b');
    await settle();
    expect([page.navigation.address.value.step, page.shownStep.value?.step]).toEqual([null, 3]);
  });

  test('takes nothing from a link', async () => {
    const page = await opened('?run=b&tag=conv1/kernel&step=2');
    expect(page.shownStep.value).toEqual({ index: 1, step: 2, note: null });
  });

  test('of a run is its last step alone', async () => {
    const page = await opened();
    page.growRuns([
      { run: 'b', tag: 'conv1/kernel', steps: 4, last_step: 1_795_785_801_238, axis: 'time', version: '1' },
    ]);
    expect(page.lists.runs.value).toMatchObject({ value: [{ last_step: 30 }, { last_step: 30 }] });
  });
});

describe('a comparison of steps with epochs', () => {
  test('is with the newest, as long as no epoch is chosen', async () => {
    const page = await opened();
    page.goToStep(0);
    page.compareWith('beside', { run: 'b', step: null });
    await pass(1);
    expect([page.partner.value?.step, page.partnerAxis.value]).toEqual([3, 'epoch']);
    page.changePartner({ step: 2 });
    expect(page.partner.value?.step).toBe(2);
  });

  test('is not resumed with a step of another series', async () => {
    const page = await opened();
    page.compareWith('beside', { run: null, step: 20 });
    page.chooseSeries(BY_EPOCH);
    await settle();
    expect(page.partner.value).toBeNull();
    page.toggleCompare('beside');
    expect(page.partner.value?.step).toBe(1);
  });
});
