/**
 * The tab in a real Chromium: node tensorboard_tab.mjs TENSORBOARD_URL [PICTURE]
 *
 * Prints `append STEP` to have that step logged by `tensorboard_tab.py`. PICTURE is a screenshot of the
 * tab after the first of them.
 */
import { HANG_MS, launch, pixels, pixelsOf, settled, stepShown, waitForStep } from '../../frontend/e2e/browser.mjs';
import { check, equal, expect, finish } from '../../frontend/e2e/check.mjs';

const [base, picture] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(HANG_MS);
const faults = [];
page.on('pageerror', (error) => {
  // TensorBoard's own reading of an address with a broken escape throws.
  const isTheirs = error.message === 'URI malformed' && !error.stack.includes('/plugin/convscope/');
  if (!isTheirs) faults.push(`page: ${error.message}`);
});
page.on('console', (message) => {
  if (/Content Security Policy|convscope/i.test(message.text())) faults.push(`console: ${message.text()}`);
});
page.on('response', (response) => {
  if (response.status() >= 400 && response.url().includes('/convscope/'))
    faults.push(`${response.status()}: ${response.url()}`);
});

const tabs = () => page.locator('.mat-mdc-tab, .mat-tab-label, [role=tab]');
const outer = page.frameLocator('iframe[src*="name=convscope"]');

/** The frame that holds our page, once its picture is there. */
async function ours() {
  const handle = await outer.locator('iframe').elementHandle();
  const frame = await handle.contentFrame();
  await settled(frame);
  await frame.waitForFunction(() => location.search.includes('tag='));
  return frame;
}

const queryOf = async (frame) => decodeURIComponent(await frame.evaluate(() => location.search));

const hashSays = (words) => page.waitForFunction((text) => decodeURIComponent(location.hash).includes(text), words);

await check('the tab shows the sheet of conv1, as the API draws it', async () => {
  await page.goto(base);
  await tabs().filter({ hasText: /convscope/i }).click();
  const frame = await ours();
  equal(await queryOf(frame), '?run=.&tag=conv1/weights', 'the address');
  equal(await stepShown(frame), 40, 'the latest step');
  equal(await pixels(frame), await drawn(frame), 'the picture');
});

/** What the API draws for the page's request. */
async function drawn(frame) {
  const address = await frame.locator('a[title^="This sheet"]').getAttribute('href');
  return pixelsOf(frame, address.replace(/&zoom=\d+/, ''));
}

await check('a new step is shown without a reload', async () => {
  const frame = await ours();
  const before = await pixels(frame);
  console.log('append 50');
  await waitForStep(frame, 50);
  await settled(frame);
  await frame.waitForFunction(() => document.querySelector('.live')?.dataset.connection === 'open');
  expect((await pixels(frame)) !== before, 'another picture is shown');
  equal(await pixels(frame), await drawn(frame), 'the picture');
  if (picture) await page.screenshot({ path: picture });
});

await check('a tab that was left sends no requests, and is unchanged when the user returns', async () => {
  const frame = await ours();
  await frame.locator('#step').fill('20');
  await frame.locator('#step').press('Enter');
  await waitForStep(frame, 20);
  await hashSays('p.convscope.step=20');
  const query = await queryOf(frame);
  await tabs().filter({ hasText: /graphs/i }).click();
  await outer.locator('iframe').waitFor({ state: 'detached' });
  const asked = [];
  const note = (request) => request.url().includes('/plugin/convscope/') && asked.push(request.url());
  page.on('request', note);
  console.log('append 60');
  await page.waitForTimeout(1000);
  page.off('request', note);
  equal(asked.join(' '), '', 'requests meanwhile');
  await tabs().filter({ hasText: /convscope/i }).click();
  const back = await ours();
  equal(await queryOf(back), query, 'the address');
  await back.waitForFunction(() => document.querySelector('.track')?.getAttribute('aria-valuemax') === '60');
});

await check("TensorBoard's address leads to a step, and follows what is chosen", async () => {
  await page.goto('about:blank');
  await page.goto(`${base}#convscope&p.convscope.tag=conv2%2Fweights_1&p.convscope.step=10`);
  let frame = await ours();
  await waitForStep(frame, 10);
  await hashSays('p.convscope.run=.');
  equal(await queryOf(frame), '?run=.&tag=conv2/weights_1&step=10', 'the address');
  await page.evaluate(() => {
    location.hash = '#convscope&p.convscope.tag=conv1%2Fweights&p.convscope.step=30';
  });
  await hashSays('p.convscope.run=.');
  frame = await ours();
  await waitForStep(frame, 30);
  equal(await queryOf(frame), '?run=.&tag=conv1/weights&step=30', 'the address');
});

await check('an address that was written by hand is read as far as possible', async () => {
  await page.goto('about:blank');
  await page.goto(`${base}#convscope&x=1&p%2Econvscope%2Estep=20`);
  await waitForStep(await ours(), 20);
  await hashSays('p.convscope.run=.');
  const hash = await page.evaluate(() => location.hash);
  expect(hash.startsWith('#convscope&x=1&p.convscope.run=.'), `${hash}: TensorBoard keeps what is its own`);
  equal(hash.split('step').length - 1, 1, `steps in ${hash}`);
  const asked = page.waitForRequest((request) => request.url().endsWith('/index.html?note=%25zz%3Da&step=10'));
  await page.evaluate(() => {
    location.hash = '#convscope&p.convscope.note=%zz=a&p.convscope.step=10';
  });
  await asked;
  await waitForStep(await ours(), 10);
});

await check('a page that did not load is removed, and loads when the user returns', async () => {
  await page.goto('about:blank');
  const pages = '**/plugin/convscope/index.html*';
  await page.route(pages, (route) => route.abort());
  await page.goto(`${base}#convscope&p.convscope.step=30`);
  await outer.locator('iframe').waitFor();
  await page.waitForFunction(() => frames[0]?.frames.length === 1);
  await outer.locator('body').evaluate(async (_, patienceMs) => {
    const isForeign = () => {
      try {
        return window[0].location.href === '';
      } catch {
        return true;
      }
    };
    const end = performance.now() + patienceMs;
    while (!isForeign()) {
      if (performance.now() > end) throw new Error('the frame within does not show an error page');
      await new Promise((next) => requestAnimationFrame(next));
    }
  }, HANG_MS);
  await tabs().filter({ hasText: /graphs/i }).click();
  await outer.locator('iframe').waitFor({ state: 'detached' });
  await page.unroute(pages);
  await tabs().filter({ hasText: /convscope/i }).click();
  await waitForStep(await ours(), 30);
});

/** Waits until something holds, at most HANG_MS. */
async function waitUntil(holds) {
  for (const end = Date.now() + HANG_MS; Date.now() < end && !(await holds()); ) await page.evaluate(() => {});
}

/** The colours that TensorBoard itself shows its runs in, by run. */
const colorsThere = () =>
  page.evaluate(() =>
    [...document.querySelectorAll('.run-color-swatch')].map((swatch) => {
      let row = swatch;
      while (row.parentElement.querySelectorAll('.run-color-swatch').length === 1) row = row.parentElement;
      return `${row.textContent.trim()} ${getComputedStyle(swatch).backgroundColor}`;
    }),
  );

const colorsHere = (frame) =>
  frame.evaluate(() =>
    [...document.querySelectorAll('button.run')].map((run) => {
      const name = run.title.split('\n')[0].replace('this directory', '.');
      return `${name} ${getComputedStyle(run.querySelector('.dot')).backgroundColor}`;
    }),
  );

await check('runs have the colours, and the page the theme, that TensorBoard has', async () => {
  for (const theme of ['light', 'dark']) {
    await page.getByRole('button', { name: 'Menu for changing light or dark theme' }).click();
    await page.locator(`[title="Force ${theme} TensorBoard theme."]`).click();
    await page.locator('.mat-mdc-menu-panel, .mat-menu-panel').waitFor({ state: 'detached' });
    await tabs().filter({ hasText: /time series/i }).click();
    await page.locator('.run-color-swatch').nth(2).waitFor();
    const there = (await colorsThere()).sort();
    equal(there.length, 3, 'runs');
    await tabs().filter({ hasText: /convscope/i }).click();
    const frame = await ours();
    await frame.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, theme);
    const isDark = await frame.evaluate(() => getComputedStyle(document.body).backgroundColor === 'rgb(22, 22, 24)');
    equal(isDark, theme === 'dark', `dark ground in the ${theme} theme`);
    // TensorBoard's runs are requested in parallel, so the colours may come a moment later.
    await waitUntil(async () => (await colorsHere(frame)).sort().join() === there.join());
    equal((await colorsHere(frame)).sort().join('\n'), there.join('\n'), `colours in the ${theme} theme`);
  }
});

await check('nothing was refused, blocked or thrown', async () => equal(faults.join('\n'), '', 'faults'));

await browser.close();
process.exit(finish() ? 0 : 1);
