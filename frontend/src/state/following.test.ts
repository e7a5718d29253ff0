/** What the live stream brings: the newest step is followed, and only what changed is asked for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Revision } from '../api/types';
import { aSeries, endFakes, type FakeBrowser, fakeBrowser, pass, serveSeries, settle } from './fake';

let browser: FakeBrowser;

/** The page on a run of one layer, at the revision 1. */
async function opened() {
  const [lists, navigation, live, listsLoader, actions, loadable] = await Promise.all([
    import('./lists'),
    import('./navigation'),
    import('./live-updates'),
    import('./lists-loader'),
    import('./actions'),
    import('./loadable'),
  ]);
  serveSeries(browser.server, [aSeries('a', 'conv1/kernel')]);
  listsLoader.keepListsCurrent();
  await listsLoader.loadLists();
  await settle();
  live.takeRevision(revision(1), true, false);
  await settle();
  browser.server.asked = [];
  return { ...lists, ...navigation, ...live, ...actions, ...loadable };
}

type Change = Revision['changed'][number];

function revision(number: number, changed: Partial<Change>[] = [], more: Partial<Revision> = {}): Revision {
  const whole = changed.map((one) => ({
    run: 'a',
    tag: 'conv1/kernel',
    steps: 5,
    last_step: 40,
    axis: 'step',
    version: '1',
    ...one,
  }));
  return { revision: number, status: 'ok', reset: false, new_names: false, changed: whole, ...more };
}

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('a logged step', () => {
  test('is followed, and nothing is asked for it', async () => {
    const page = await opened();
    expect([page.following.value, page.shownStep.value?.step]).toEqual([true, 30]);
    page.takeRevision(revision(2, [{}]), false, false);
    await settle();
    expect(page.shownStep.value?.step).toBe(40);
    expect(page.rows(page.lists.runs.value)[0]?.last_step).toBe(40);
    expect(browser.server.asked).toEqual([]);
  });

  test('does not move one who looks at an older one', async () => {
    const page = await opened();
    page.goToIndex(1);
    page.takeRevision(revision(2, [{}]), false, false);
    expect([page.following.value, page.shownStep.value?.step]).toEqual([false, 10]);
    expect(page.currentSteps.value).toEqual([0, 10, 20, 30, 40]);
    page.toggleFollow();
    expect([page.following.value, page.shownStep.value?.step]).toEqual([true, 40]);
  });

  test('that was asked for by hand stays, also where it was the last', async () => {
    const page = await opened();
    page.goToIndex(3);
    page.takeRevision(revision(2, [{}]), false, false);
    expect([page.following.value, page.shownStep.value?.step]).toEqual([false, 30]);
  });

  test('in front of others, or one of several, is asked for with all steps', async () => {
    const page = await opened();
    browser.server.answer('steps', { steps: [0, 10, 20, 30, 40, 50] });
    page.takeRevision(revision(2, [{ steps: 6, last_step: 50 }]), false, false);
    await settle();
    expect(browser.server.askedOf('steps')).toEqual(['steps?run=a&tag=conv1/kernel']);
    expect(page.shownStep.value?.step).toBe(50);
  });

  test('of another version brings the steps and, a little later, the lists anew', async () => {
    const page = await opened();
    browser.server.answer('steps', { steps: [0, 10] });
    page.takeRevision(revision(2, [{ steps: 2, last_step: 10, version: '2' }]), false, false);
    await settle();
    expect([page.shownStep.value?.step, page.stepsVersion.value]).toEqual([10, '2']);
    expect(browser.server.askedOf('runs')).toEqual([]);
    await pass(150);
    expect(browser.server.askedOf('runs')).toEqual(['runs']);
  });

  test('of a run that is not on show moves that run’s last step alone', async () => {
    const page = await opened();
    browser.server.answer('runs', { revision: 2, runs: [] });
    page.takeRevision(revision(2, [{ run: 'b' }]), false, false);
    expect(page.shownStep.value?.step).toBe(30);
  });
});

describe('the lists', () => {
  test('are asked for once for a series that is in none, and again when it has another version', async () => {
    const page = await opened();
    page.takeRevision(revision(2, [{ tag: 'hidden' }]), false, false);
    page.takeRevision(revision(3, [{ tag: 'hidden', steps: 6 }]), false, false);
    await pass(1000);
    page.takeRevision(revision(4, [{ tag: 'hidden', steps: 7 }]), false, false);
    await pass(1000);
    expect(browser.server.askedOf('series').length).toBe(1);
    page.takeRevision(revision(5, [{ tag: 'hidden', version: '2' }]), false, false);
    await pass(1000);
    expect(browser.server.askedOf('series').length).toBe(2);
  });

  test('are not asked for by a stream that begins where they are', async () => {
    const page = await opened();
    page.takeRevision(revision(1), true, false);
    await pass(1000);
    expect(browser.server.askedOf('runs')).toEqual([]);
    page.takeRevision(revision(7), true, false);
    await settle();
    expect(browser.server.askedOf('runs')).toEqual(['runs']);
  });

  test('and the steps are asked for after a loss and after a reset', async () => {
    const page = await opened();
    page.takeRevision(revision(2), true, true);
    await settle();
    page.takeRevision(revision(3, [], { reset: true }), false, false);
    await settle();
    expect([browser.server.askedOf('runs').length, browser.server.askedOf('steps').length]).toEqual([2, 2]);
  });

  test('are asked for at once where the server’s state is another one and nothing can be drawn', async () => {
    const page = await opened();
    browser.server.answer('series', { revision: 2, series: [] });
    page.takeRevision(revision(2, [], { reset: true }), false, false);
    await settle();
    browser.server.asked = [];
    page.takeRevision(revision(3, [], { status: 'degraded' }), false, false);
    await pass(150);
    expect(browser.server.askedOf('runs')).toEqual(['runs']);
  });
});
