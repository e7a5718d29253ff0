/** What is on the stage while pictures come, do not come, or come late. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aSeries, aSheet, endFakes, type FakeBrowser, fakeBrowser, pass, refuse, serveSeries, settle } from './fake';

let browser: FakeBrowser;

/** The page with two layers of one run; the stage is kept current. */
async function opened() {
  const [lists, navigation, stage, loader, listsLoader] = await Promise.all([
    import('./lists'),
    import('./navigation'),
    import('./stage'),
    import('./picture-loader'),
    import('./lists-loader'),
  ]);
  serveSeries(browser.server, [aSeries('a', 'conv1/kernel'), aSeries('a', 'conv2/kernel')]);
  listsLoader.keepListsCurrent();
  loader.keepPictureCurrent();
  await listsLoader.loadLists();
  await settle();
  return { ...lists, ...navigation, ...stage, ...loader };
}

const stepsAsked = (): (string | null)[] =>
  browser.server.askedOf('sheet').map((address) => new URLSearchParams(address.split('?')[1]).get('step'));

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('the stage', () => {
  test('shows the newest step of the first kernel, and has the steps beside it at hand', async () => {
    const page = await opened();
    expect(page.shownPicture.value?.info).toMatchObject({ tag: 'conv1/kernel', step: 30 });
    expect(page.stage.picture.value.kind).toBe('ready');
    expect(stepsAsked()).toEqual(['30', '20', '10']);
  });

  test('keeps a picture while the next one loads', async () => {
    const page = await opened();
    browser.server.hold('sheet');
    page.goTo({ cmap: 'viridis' }, 'push');
    await settle();
    expect(page.stage.picture.value.kind).toBe('loading');
    expect(page.shownPicture.value?.info.cmap).toBe('gray');
    browser.server.release('sheet');
    await settle();
    expect(page.stage.picture.value.kind).toBe('ready');
    expect(page.shownPicture.value?.info.cmap).toBe('viridis');
  });

  test('shows what comes of the same series while the wish moves on, so that a drag is seen', async () => {
    const page = await opened();
    browser.server.hold('sheet');
    page.goTo({ cmap: 'viridis' }, 'push');
    await settle();
    page.goTo({ step: 0 }, 'replace');
    browser.server.releaseFirst('sheet');
    await settle();
    expect(page.shownPicture.value?.info).toMatchObject({ cmap: 'viridis', step: 30 });
    expect(page.stage.picture.value.kind).toBe('loading');
    browser.server.release('sheet');
    await settle();
    expect(page.shownPicture.value?.info.step).toBe(0);
    expect(page.stage.picture.value.kind).toBe('ready');
  });

  test('gives up what was asked for of another layer', async () => {
    const page = await opened();
    browser.server.hold('sheet');
    page.goTo({ cmap: 'viridis' }, 'push');
    await settle();
    const given = browser.server.askedOf('sheet').at(-1);
    page.goTo({ tag: 'conv2/kernel', cmap: null }, 'push');
    await settle();
    expect(given).toContain('cmap=viridis');
    expect(browser.server.aborted).toContain(given);
    browser.server.release('sheet');
    await settle();
    expect(page.shownPicture.value?.info).toMatchObject({ tag: 'conv2/kernel', cmap: 'gray' });
    expect(page.stage.picture.value.kind).toBe('ready');
  });

  test('says why the server refuses, in the place of the picture, until another one comes', async () => {
    const page = await opened();
    browser.server.answer('sheet', () => refuse(422, 'no such view'));
    page.goTo({ cmap: 'viridis' }, 'push');
    await settle();
    expect([page.shownPicture.value, page.pictureRefusal.value]).toEqual([null, 'no such view']);
    browser.server.answer('sheet', {});
    browser.server.hold('sheet');
    page.goTo({ range: 'minmax' }, 'push');
    await settle();
    expect([page.stage.picture.value.kind, page.pictureRefusal.value]).toEqual(['loading', 'no such view']);
    browser.server.release('sheet');
    await settle();
    expect([page.shownPicture.value?.info.cmap, page.pictureRefusal.value]).toEqual(['viridis', null]);
  });

  test('asks again after a second where the server has too much to do', async () => {
    const page = await opened();
    let asked = 0;
    browser.server.answer('sheet/info', (query) => {
      asked++;
      return asked === 1 ? refuse(503, 'busy') : { body: aSheet(query) };
    });
    page.goTo({ cmap: 'viridis' }, 'push');
    await pass(999);
    expect(page.shownPicture.value?.info.cmap).toBe('gray');
    expect(page.pictureRefusal.value).toBeNull();
    await pass(2);
    expect(page.shownPicture.value?.info.cmap).toBe('viridis');
  });

  test('keeps its picture while the server is away, and asks again when told to', async () => {
    const page = await opened();
    browser.server.isDown = true;
    page.goTo({ cmap: 'viridis' }, 'push');
    await settle();
    expect([page.shownPicture.value?.info.cmap, page.stage.picture.value.kind]).toEqual(['gray', 'ready']);
    browser.server.isDown = false;
    page.retryPicture();
    await settle();
    expect(page.shownPicture.value?.info.cmap).toBe('viridis');
  });

  test('asks for nothing while the tab is hidden', async () => {
    const page = await opened();
    browser.document.hidden = true;
    const before = browser.server.asked.length;
    page.goTo({ cmap: 'viridis' }, 'push');
    await settle();
    expect(browser.server.asked.length).toBe(before);
    expect(page.shownPicture.value?.info.cmap).toBe('gray');
  });
});
