/** Playing: one step after another, never ahead of the picture. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aSeries, endFakes, type FakeBrowser, fakeBrowser, pass, serveSeries, settle } from './fake';

let browser: FakeBrowser;

async function opened() {
  const [lists, navigation, stage, playback, player, loader, listsLoader] = await Promise.all([
    import('./lists'),
    import('./navigation'),
    import('./stage'),
    import('./playback'),
    import('./player'),
    import('./picture-loader'),
    import('./lists-loader'),
  ]);
  serveSeries(browser.server, [aSeries('a', 'conv1/kernel')]);
  listsLoader.keepListsCurrent();
  loader.keepPictureCurrent();
  player.keepPlaying();
  await listsLoader.loadLists();
  await settle();
  return { ...lists, ...navigation, ...stage, ...playback, ...player };
}

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('playing', () => {
  test('begins anew at the end, goes at its speed and stops at the last step', async () => {
    const page = await opened();
    page.togglePlay();
    expect([page.playback.playing.value, page.shownStep.value?.step]).toEqual([true, 0]);
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      await pass(200);
      seen.push(page.shownStep.value?.step);
    }
    expect(seen).toEqual([10, 20, 30, 30]);
    expect(page.playback.playing.value).toBe(false);
  });

  test('goes on from the step on show, and pauses there', async () => {
    const page = await opened();
    page.goTo({ step: 10 }, 'replace');
    await settle();
    page.togglePlay();
    await pass(200);
    page.togglePlay();
    await pass(2000);
    expect([page.playback.playing.value, page.shownStep.value?.step]).toEqual([false, 20]);
  });

  test('waits for the picture of each step', async () => {
    const page = await opened();
    page.goTo({ cmap: 'viridis', step: 0 }, 'replace');
    browser.server.hold('sheet');
    page.goTo({ range: 'minmax' }, 'replace');
    await settle();
    page.togglePlay();
    await pass(5000);
    expect(page.shownStep.value?.step).toBe(0);
    browser.server.release('sheet');
    await pass(200);
    expect(page.shownStep.value?.step).toBe(10);
  });

  test('has a speed that may change on the way', async () => {
    const page = await opened();
    page.togglePlay();
    page.setSpeed(1);
    await pass(999);
    expect(page.shownStep.value?.step).toBe(0);
    await pass(1);
    expect(page.shownStep.value?.step).toBe(10);
  });

  test('is slow where less motion is asked for', async () => {
    browser.motion.isReduced = true;
    const page = await opened();
    page.setSpeed(30);
    page.togglePlay();
    await pass(499);
    expect(page.shownStep.value?.step).toBe(0);
    await pass(1);
    expect(page.shownStep.value?.step).toBe(10);
  });

  test('rests while the tab is hidden', async () => {
    const page = await opened();
    page.togglePlay();
    browser.document.hidden = true;
    await pass(3000);
    expect([page.playback.playing.value, page.shownStep.value?.step]).toEqual([true, 0]);
  });
});
