/** Two runs compared, and what the list of layers counts of its own accord. */
import { join } from 'node:path';
import { api, HANG_MS, menu, open, settled } from '../browser.mjs';
import { check, equal, expect, near, SHOTS } from '../check.mjs';
import { readNpy } from '../npy.mjs';
import { startServer } from '../server.mjs';
import { FIXTURES, filterOf, norm, truth, valuesOf } from '../truth.mjs';
import { inAddress } from './choices.mjs';

const LOG = 'keras_layers';
const KERNEL = 'encoder/conv2d_2/kernel';
const ONE = 'float32/train';
const OTHER = 'channels_first/train';

export async function runCases(browser) {
  const server = await startServer(['serve', join(FIXTURES, LOG)]);
  for (const run of [ONE, OTHER]) await modelRead(server.base, run);
  const { page, faults, close } = await open(browser, server.base, `run=${ONE}&tag=${KERNEL}&view=slice`);
  await settled(page);

  await check('a run that is ticked stands beside the one on show', async () => {
    await page.getByRole('button', { name: `Compare with ${OTHER}` }).click();
    await inAddress(page, 'with_run', OTHER);
    await settled(page);
    await page.locator('.sheet.other canvas').waitFor();
    await page.locator('.caption', { hasText: OTHER }).waitFor();
    await page.screenshot({ path: join(SHOTS, 'runs.png') });
  });

  await check('and can be subtracted, filter by filter or by what is alike', async () => {
    await page.keyboard.press('d');
    await inAddress(page, 'minus_run', OTHER);
    await settled(page);
    const step = Number(await page.locator('#step').inputValue());
    const [a, b] = [ONE, OTHER].map((run) => valuesOf(truth(LOG, KERNEL, step, run)));
    const apart = norm(a.map((value, at) => value - b[at]));
    near(await apartNumber(page, 'norm'), apart, 'norm');
    near(await apartNumber(page, 'relative'), apart / norm(b), 'relative');
    await page.getByRole('button', { name: 'match by similarity' }).click();
    await page.locator('.apart', { hasText: 'moved' }).waitFor();
    expect((await apartNumber(page, 'norm')) <= apart * 1.0005, 'paired filters are not farther apart');
    await menu(page, 'Compare').click();
    await page.locator('.compare').waitFor({ state: 'detached' });
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();

  const demo = await startServer(['demo', '--speed', '1000']);
  const list = await open(browser, demo.base);
  await check('the list counts the filters of a layer that look like another', async () => {
    const badge = list.page.locator('.badge.counted span[title*="look like another"]').first();
    await badge.waitFor();
    const step = (await badge.getAttribute('title')).match(/step ([\d\u2009]+)/)[1].replaceAll('\u2009', '');
    const npy = await api(demo.base, `api/v1/tensor?run=train&tag=conv1/kernel&step=${step}`);
    equal(Number.parseInt(await badge.textContent(), 10), doubles(readNpy(await npy.arrayBuffer())), 'duplicates');
    equal(list.faults.join('; '), '', 'faults');
  });
  await list.close();
  await demo.stop();
}

/** Models are read aside; before that the layouts of the two runs may be guessed to differ. */
async function modelRead(base, run) {
  const end = Date.now() + HANG_MS;
  while (Date.now() < end) {
    const answer = await fetch(`${base}api/v1/series?run=${run}`);
    const { series } = answer.ok ? await answer.json() : { series: [] };
    if (series.find((one) => one.tag === KERNEL)?.operation) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`the model of ${run} was not read`);
}

async function apartNumber(page, name) {
  const words = await page.locator('.apart').textContent();
  return Number(words.match(new RegExp(`${name} (\\S+)`))[1].replace('−', '-'));
}

/** Filters whose cosine to an earlier one is above 0.95 or below -0.95. */
function doubles(tensor) {
  const filters = Array.from({ length: tensor.shape[3] }, (_, filter) => filterOf(tensor, filter));
  const cosine = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0) / (norm(a) * norm(b));
  return filters.filter((one, at) => filters.slice(0, at).some((earlier) => Math.abs(cosine(one, earlier)) > 0.95))
    .length;
}
