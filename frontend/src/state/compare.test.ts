/** The tensor that one compares with, and its picture. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aSeries, aSheet, endFakes, type FakeBrowser, fakeBrowser, pass, refuse, serveSeries, settle } from './fake';

let browser: FakeBrowser;

/** The page on the run `a`; `b` has the same layer by another tag, and `c` has none that fits. */
async function opened() {
  const [lists, navigation, compare, stage, partner, beside, loader, listsLoader, actions, loadable] =
    await Promise.all([
      import('./lists'),
      import('./navigation'),
      import('./compare'),
      import('./stage'),
      import('./partner'),
      import('./beside-loader'),
      import('./picture-loader'),
      import('./lists-loader'),
      import('./compare-actions'),
      import('./loadable'),
    ]);
  serveSeries(browser.server, [
    aSeries('a', 'conv1/kernel'),
    aSeries('b', 'conv1/w'),
    aSeries('c', 'other', { layer: 'other', role: 'activation' }),
  ]);
  listsLoader.keepListsCurrent();
  loader.keepPictureCurrent();
  partner.keepPartnerCurrent();
  beside.keepBesideCurrent();
  navigation.goTo({ run: 'a' }, 'push');
  await listsLoader.loadLists();
  await settle();
  return { ...lists, ...navigation, ...compare, ...stage, ...partner, ...actions, ...loadable };
}

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('the partner', () => {
  test('of another step is found without a question', async () => {
    const page = await opened();
    const before = browser.server.askedOf('series').length;
    page.compareWith('beside', { run: null, step: 12 });
    expect(page.partner.value).toMatchObject({ run: 'a', tag: 'conv1/kernel', step: 10 });
    await settle();
    expect(browser.server.askedOf('series').length).toBe(before);
    expect(page.besidePicture.value?.info.step).toBe(10);
  });

  test('in another run is looked for there, and is its series of the same layer', async () => {
    const page = await opened();
    page.compareWith('beside', { run: 'b', step: null });
    await pass(1);
    expect(page.partner.value).toMatchObject({ run: 'b', tag: 'conv1/w', step: 30 });
    await settle();
    expect(page.besidePicture.value?.info).toMatchObject({ run: 'b', tag: 'conv1/w', step: 30 });
  });

  test('is missing with a reason, which goes with the comparison', async () => {
    const page = await opened();
    page.compareWith('beside', { run: 'c', step: null });
    await pass(1);
    expect(page.problemIn(page.compare.partner.value)).toBe('Run “c” has nothing that matches “conv1/kernel”.');
    page.stopComparing();
    expect(page.problemIn(page.compare.partner.value)).toBeNull();
  });

  test('stays in use where a newer one does not come', async () => {
    const page = await opened();
    page.compareWith('beside', { run: 'b', step: null });
    await pass(1);
    browser.server.isDown = true;
    page.growRuns([{ run: 'b', tag: 'conv1/w', steps: 5, last_step: 40, axis: 'step', version: '1' }]);
    await pass(3000);
    expect(page.problemIn(page.compare.partner.value)).not.toBeNull();
    expect(page.partner.value).toMatchObject({ run: 'b', step: 30 });
  });

  test('that grows is looked at again no more often than every three seconds', async () => {
    const page = await opened();
    page.compareWith('beside', { run: 'b', step: null });
    await pass(1);
    const before = browser.server.askedOf('series').length;
    for (const last_step of [40, 50, 60]) {
      page.growRuns([{ run: 'b', tag: 'conv1/w', steps: 5, last_step, axis: 'step', version: '1' }]);
      await pass(900);
    }
    expect(browser.server.askedOf('series').length).toBe(before);
    await pass(400);
    expect(browser.server.askedOf('series').length).toBe(before + 1);
  });
});

describe('the picture beside', () => {
  test('has the range of the picture on the stage', async () => {
    const page = await opened();
    page.compareWith('beside', { run: null, step: 0 });
    await settle();
    expect(page.besidePicture.value?.query).toContain('range=fixed:-1:1');
  });

  test('is kept while the server is away, and makes place for a refusal', async () => {
    const page = await opened();
    page.compareWith('beside', { run: null, step: 0 });
    await settle();
    browser.server.answer('sheet/info', (query) =>
      query.get('step') === '10' && query.has('range') ? refuse(422, 'damaged') : { body: aSheet(query) },
    );
    page.changePartner({ step: 10 });
    await settle();
    expect([page.besidePicture.value, page.refusalIn(page.compare.beside.value)]).toEqual([null, 'damaged']);
    page.changePartner({ step: 20 });
    await settle();
    expect(page.besidePicture.value?.info.step).toBe(20);
    browser.server.isDown = true;
    page.changePartner({ step: 10 });
    await settle();
    expect([page.besidePicture.value?.info.step, page.compare.beside.value.kind]).toEqual([20, 'ready']);
  });

  test('takes turns with that of the stage while they blink', async () => {
    const page = await opened();
    page.compareWith('blink', { run: null, step: 0 });
    await settle();
    const seen: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      await pass(700);
      seen.push(page.compare.blinkOther.value);
    }
    expect(seen).toEqual([true, false, true]);
    page.stopComparing();
    expect([page.compare.blinkOther.value, page.compare.beside.value.kind]).toEqual([false, 'idle']);
  });
});
