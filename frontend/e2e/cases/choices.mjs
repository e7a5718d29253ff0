/** Ranges with their numbers, scopes, blends, orders and labels: the legend against NumPy, the picture against the plain one. */
import { join } from 'node:path';
import { apiJson, menu, open, pixels, pixelsOf, queryOf, settled } from '../browser.mjs';
import { check, equal, expect, near, SHOTS } from '../check.mjs';
import { startServer } from '../server.mjs';
import { FIXTURES, filterOf, norm, quantile, truth, valuesOf } from '../truth.mjs';
import { choose } from './looking.mjs';

const KERNEL = 'conv1/weights';
const STEPS = [0, 10, 20, 30, 40];

export async function choiceCases(browser) {
  const server = await startServer(['serve', join(FIXTURES, 'recipe_tf1')]);
  const { page, faults, close } = await open(browser, server.base, `tag=${KERNEL}&view=slice&cmap=gray`);
  await settled(page);
  const now = truth('recipe_tf1', KERNEL, 40);
  const values = valuesOf(now);

  await check('each choice says what it means', async () => {
    const title = (menuName, value) => menu(page, menuName).getByRole('button', { name: value }).getAttribute('title');
    equal(await title('view', 'magnitude'), 'One tile per filter: the L2 norm over its input channels.', 'view');
    expect((await title('scope', 'run')).includes('all steps'), 'scope');
    const range = await menu(page, 'range').locator('xpath=..').getAttribute('title');
    expect(range.startsWith('The numbers at the ends of the colours: From -m to m'), range);
  });

  await check('a range that is usual for filters can be chosen where a colour map makes them magnitudes', async () => {
    await menu(page, 'view').getByRole('button', { name: 'filters' }).click();
    await settled(page);
    await menu(page, 'colours').selectOption('gray');
    await settled(page);
    equal(await menu(page, 'range').inputValue(), 'minmax', 'range of magnitudes');
    await menu(page, 'range').selectOption('symmetric');
    await inAddress(page, 'range', 'symmetric');
    await settled(page);
    equal(await pixels(page), await pixelsOf(page, await plainPath(page)), 'picture');
    await page.goto(`${server.base}?tag=${KERNEL}&view=slice&cmap=gray`);
    await settled(page);
  });

  await check('a percentile is that of NumPy, and its share can be typed', async () => {
    await menu(page, 'range').selectOption('percentile');
    await inAddress(page, 'range', 'percentile:0.99');
    await settled(page);
    near(await legendEnd(page, 'lo'), quantile(values, 0.005), 'lower end of 99 %');
    await menu(page, 'share of the values').fill('0.5');
    await page.keyboard.press('Enter');
    await inAddress(page, 'range', 'percentile:0.5');
    await settled(page);
    near(await legendEnd(page, 'lo'), quantile(values, 0.25), 'lower end of 50 %');
    near(await legendEnd(page, 'hi'), quantile(values, 0.75), 'upper end of 50 %');
    equal(await pixels(page), await pixelsOf(page, await plainPath(page)), 'picture');
  });

  await check('so are standard deviations', async () => {
    await menu(page, 'range').selectOption('std');
    await inAddress(page, 'range', 'std:3');
    await settled(page);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    near(await legendEnd(page, 'hi'), mean + 3 * sd, 'upper end');
  });

  await check('the scope of the run takes all steps', async () => {
    await menu(page, 'range').selectOption('minmax');
    await menu(page, 'scope').getByRole('button', { name: 'run' }).click();
    await settled(page);
    const all = STEPS.flatMap((step) => valuesOf(truth('recipe_tf1', KERNEL, step)));
    near(await legendEnd(page, 'lo'), Math.min(...all), 'lower end');
    near(await legendEnd(page, 'hi'), Math.max(...all), 'upper end');
    equal(await page.locator('.stage .progress').count(), 0, 'progress when it is done');
  });

  await check('a blend lies between layer and tile, and the ends are the scopes', async () => {
    await menu(page, 'scope').getByRole('button', { name: 'layer' }).click();
    const slider = page.getByLabel('Blend from tile to layer');
    await slider.fill('0.5');
    await inAddress(page, 'blend', '0.5');
    await settled(page);
    await page.getByText('each tile has its own scale').waitFor();
    equal(await pixels(page), await pixelsOf(page, await plainPath(page)), 'picture');
    await slider.fill('0');
    await inAddress(page, 'scope', 'tile');
    await inAddress(page, 'blend', null);
    await slider.fill('1');
    await inAddress(page, 'scope', null);
    await settled(page);
  });

  await check('what does not go together is not offered', async () => {
    await menu(page, 'range').selectOption('tf1');
    await settled(page);
    equal((await menu(page, 'scope').getByRole('button').allTextContents()).join(), 'tile', 'scopes of tf1');
    await menu(page, 'view').getByRole('button', { name: 'matrix' }).click();
    await settled(page);
    equal(await menu(page, 'order').count(), 0, 'orders of a matrix');
    await menu(page, 'view').getByRole('button', { name: 'components' }).click();
    await settled(page);
    equal(await menu(page, 'colours').count(), 0, 'colours of components');
    await menu(page, 'view').getByRole('button', { name: 'slice' }).click();
    await menu(page, 'range').selectOption('symmetric');
    await settled(page);
  });

  await check(
    'by norm the greatest comes first, the index stays in sight, and the opened filter stays open',
    async () => {
      await page.goto(`${server.base}?tag=${KERNEL}&view=magnitude&tile=9`);
      await settled(page);
      await menu(page, 'order').selectOption('norm');
      await inAddress(page, 'order', 'norm');
      await settled(page);
      const expected = Array.from({ length: 64 }, (_, filter) => [norm(filterOf(now, filter)), filter])
        .sort((a, b) => b[0] - a[0])
        .map(([, filter]) => String(filter));
      const labels = await page.locator('.labels text').allTextContents();
      equal(labels.join(' '), expected.join(' '), 'labels');
      await page.getByRole('heading', { name: 'filter 9' }).waitFor();
      await page.screenshot({ path: join(SHOTS, 'order.png') });
      await page.keyboard.press('Escape');
      await page.keyboard.press('o');
      await inAddress(page, 'order', 'mean');
      await page.goBack();
      await menu(page, 'order').selectOption('index');
      await page.locator('.labels').waitFor({ state: 'detached' });
    },
  );

  await check('the range is drawn by hand over the histogram', async () => {
    await page.goto(`${server.base}?tag=${KERNEL}&view=slice`);
    await settled(page);
    await page.getByRole('button', { name: 'Range by hand' }).click();
    const handle = page.getByRole('slider', { name: 'Upper end of the range' });
    const box = await handle.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 10);
    await page.mouse.down();
    for (let i = 1; i <= 8; i++) await page.mouse.move(box.x + box.width / 2 - 15 * i, box.y + 10);
    await page.mouse.up();
    // The address is written once a drag has come to rest.
    await page.waitForFunction(() => {
      const [, , high] = (new URLSearchParams(location.search).get('range') ?? '').split(':').map(Number);
      const shown = document.querySelector('.handle.hi')?.getAttribute('aria-valuenow');
      return high > 0 && Math.abs(high - Number(shown)) < 1e-6;
    });
    await settled(page);
    const [, lo, hi] = (await queryOf(page)).get('range').split(':').map(Number);
    equal(lo, -hi, 'zero stays in the middle');
    near(await legendEnd(page, 'hi'), hi, 'upper end of the legend');
    expect(hi < Math.max(...values), 'the range is narrower than the values');
    const info = await apiJson(server.base, (await plainPath(page)).replace('sheet?', 'sheet/info?'));
    expect(info.range.clipped > 0, 'values are clipped');
    await page.getByLabel('0 in the middle').uncheck();
    await handle.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(
      (before) => {
        const [, low, high] = (new URLSearchParams(location.search).get('range') ?? '').split(':').map(Number);
        return low === before.lo && high > before.hi;
      },
      { lo, hi },
    );
    await page.screenshot({ path: join(SHOTS, 'histogram.png') });
    await page.locator('.histogram').getByRole('button', { name: '± max' }).click();
    await inAddress(page, 'range', null);
  });

  await check('while the range of the run is sought the last picture stays, and it is said how far it is', async () => {
    await page.route(/api\/v1\/range\?/, (route) =>
      route.fulfill({ json: { lo: null, hi: null, steps_done: 3, steps: 5, steps_skipped: 0, widened: false } }),
    );
    let busy = true;
    await page.route(/api\/v1\/sheet\?.*scope=run/, (route) =>
      busy ? route.fulfill({ status: 503, json: { code: 'busy', message: 'later' } }) : route.continue(),
    );
    await page.goto(`${server.base}?tag=${KERNEL}&view=slice&range=minmax&step=20`);
    await settled(page);
    await menu(page, 'scope').getByRole('button', { name: 'run' }).click();
    await page.locator('.stage .progress', { hasText: '3 of 5 steps' }).waitFor();
    equal(await page.locator('.sheet canvas').count(), 1, 'pictures on the stage');
    busy = false;
    await settled(page);
    await page.locator('.stage .progress').waitFor({ state: 'detached' });
    // The answers that say later are what this case is about.
    faults.splice(0, faults.length, ...faults.filter((fault) => !/503/.test(fault)));
    await page.unrouteAll({ behavior: 'wait' });
  });

  await check('choices of one series do not trouble another', async () => {
    await menu(page, 'scope').getByRole('button', { name: 'run' }).click();
    await settled(page);
    await choose(page, 'conv1/filters/image');
    await settled(page);
    await choose(page, 'conv1/Relu');
    await settled(page);
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
}

export async function legendEnd(page, end) {
  const text = await page.locator(`.legend .end.${end}`).textContent();
  return Number(text.replace(/−/g, '-'));
}

export const inAddress = (page, key, value) =>
  page.waitForFunction(([name, wanted]) => new URLSearchParams(location.search).get(name) === wanted, [key, value]);

/** The page's own query as the plain picture's. */
export async function plainPath(page) {
  const query = await queryOf(page);
  for (const own of ['tile', 'zoom', 'labels', 'compare', 'with_step', 'with_run']) query.delete(own);
  return `api/v1/sheet?${query}`;
}
