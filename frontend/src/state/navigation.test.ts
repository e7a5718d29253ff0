/** The address bar, and the quiet line about what could not be read of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endFakes, type FakeBrowser, fakeBrowser, pass } from './fake';

let browser: FakeBrowser;
const opened = () => import('./navigation');

beforeEach(() => {
  browser = fakeBrowser();
});
afterEach(endFakes);

describe('the address bar', () => {
  test('is written at once by a choice, and once by many steps', async () => {
    const { goTo } = await opened();
    goTo({ run: 'a', tag: 'conv1/kernel' }, 'push');
    for (let step = 0; step < 100; step++) goTo({ step }, 'replace');
    expect(browser.written).toEqual(['push ?run=a&tag=conv1/kernel']);
    await pass(200);
    expect(browser.written.slice(1)).toEqual(['replace ?run=a&tag=conv1/kernel&step=99']);
  });

  test('is not written by a choice of what is chosen already', async () => {
    const { goTo } = await opened();
    goTo({ run: 'a' }, 'push');
    goTo({ run: 'a' }, 'push');
    await pass(1000);
    expect(browser.written).toEqual(['push ?run=a']);
  });

  test('takes the steps that wait along with a choice', async () => {
    const { goTo } = await opened();
    goTo({ step: 5 }, 'replace');
    goTo({ cmap: 'gray' }, 'push');
    await pass(1000);
    expect(browser.written).toEqual(['push ?step=5&cmap=gray']);
  });

  test('that went back is not overwritten by a step that waited', async () => {
    const { goTo, readAddress, navigation } = await opened();
    goTo({ step: 5 }, 'replace');
    browser.location.search = '?run=a&step=3';
    readAddress();
    await pass(1000);
    expect(browser.written).toEqual([]);
    expect(navigation.address.value).toMatchObject({ run: 'a', step: 3 });
  });

  test('without a run or tag leaves what is on show', async () => {
    const { goTo, readAddress, navigation } = await opened();
    goTo({ run: 'a', tag: 't', cmap: 'gray' }, 'push');
    readAddress();
    expect(navigation.address.value).toMatchObject({ run: 'a', tag: 't', cmap: null });
    browser.location.search = '?run=b';
    readAddress();
    expect(navigation.address.value).toMatchObject({ run: 'b', tag: null });
  });
});

describe('the quiet line', () => {
  test('has all mistakes of a link, and afterwards the newest thing alone', async () => {
    browser.location.search = '?step=x&zoom=-1';
    const { readAddress, tell, endLink, navigation, clearNote } = await opened();
    readAddress();
    tell('There is no run “b” here.');
    tell('There is no run “b” here.');
    expect(navigation.note.value).toBe(
      '“step=x” in the address is not a whole number and was left out. ' +
        '“zoom=-1” in the address is not a whole number and was left out. There is no run “b” here.',
    );
    endLink();
    tell('one');
    tell('two');
    expect(navigation.note.value).toBe('two');
    clearNote();
    expect(navigation.note.value).toBeNull();
  });

  test('is empty again, and of the link alone, when the browser goes back', async () => {
    const { readAddress, tell, endLink, isUntouched, navigation } = await opened();
    endLink();
    tell('one');
    readAddress();
    expect([navigation.note.value, isUntouched()]).toEqual([null, true]);
  });
});
