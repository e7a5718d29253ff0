/** Numbers of filters against NumPy, differences of two steps, comparisons, films, and what can be taken away. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { menu, open, pixels, pixelsOf, pixelsOfPng, settled, stepShown, waitForStep } from '../browser.mjs';
import { check, equal, expect, near, SHOTS } from '../check.mjs';
import { apngFrames, gifFrames, webpFrames } from '../film.mjs';
import { startServer } from '../server.mjs';
import { differenceTruth, FIXTURES, filterOf, goldenPicture, norm, truth } from '../truth.mjs';
import { inAddress, plainPath } from './choices.mjs';

const KERNEL = 'conv1/weights';

export async function numberCases(browser) {
  const server = await startServer(['serve', join(FIXTURES, 'recipe_tf1')]);
  const { page, faults, close } = await open(browser, server.base, `tag=${KERNEL}&tile=9`);
  await settled(page);
  const now = filterOf(truth('recipe_tf1', KERNEL, 40), 9);
  const before = filterOf(truth('recipe_tf1', KERNEL, 30), 9);

  await check('the numbers of the opened filter are those of NumPy', async () => {
    near(await fact(page, 'norm'), norm(now), 'norm');
    const change = norm(now.map((value, at) => value - before[at])) / norm(before);
    near(await fact(page, 'change'), change, 'change');
    near(await fact(page, 'a step'), change / 10, 'change a step');
    near(await fact(page, 'mean'), now.reduce((sum, value) => sum + value, 0) / now.length, 'mean');
    expect((await page.locator('.facts [title^="L2 norm"]').count()) > 0, 'the definition is at hand');
  });

  await check('a click on the chart of its norm goes to the step, and so does a still', async () => {
    const plot = page.getByRole('slider', { name: 'norm over the steps' });
    const box = await plot.boundingBox();
    await page.mouse.click(box.x + box.width * 0.26, box.y + 10);
    await waitForStep(page, 10);
    await settled(page);
    await page.locator('.facts:not(.old)').waitFor();
    near(await fact(page, 'norm'), norm(filterOf(truth('recipe_tf1', KERNEL, 10), 9)), 'norm at step 10');
    equal(await page.locator('.strip img').count(), 5, 'stills');
    await page.locator('.strip').getByRole('button', { name: 'step 30' }).click();
    await waitForStep(page, 30);
    await page.screenshot({ path: join(SHOTS, 'numbers.png') });
  });

  await check('the table says the same of all filters, and CSV takes it away', async () => {
    await page.keyboard.press('f');
    await waitForStep(page, 40);
    await page.getByRole('button', { name: 'numbers' }).click();
    const row = page.locator('.all-numbers tbody tr').nth(10);
    await page.getByText(/step 40: 64 filters/).waitFor();
    equal(await row.locator('th').textContent(), '9', 'filter');
    const cells = await row.locator('td').allTextContents();
    near(toNumber(cells[0]), Math.min(...now), 'min');
    near(toNumber(cells[4]), norm(now), 'norm');
    const csv = await fetched(page, await page.locator('dialog[open] a', { hasText: 'CSV' }).getAttribute('href'));
    const line = csv.toString().split('\r\n')[11].split(',');
    equal(line[0], '9', 'filter in the CSV');
    near(Number(line[9]), norm(now), 'norm in the CSV');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
  });

  await check('the difference of two steps is that of NumPy, on a scale of its own', async () => {
    await page.goto(`${server.base}?tag=${KERNEL}`);
    await settled(page);
    await page.keyboard.press('d');
    await inAddress(page, 'minus_step', '0');
    await settled(page);
    const expected = differenceTruth('recipe_tf1', KERNEL);
    await page.locator('.apart').waitFor();
    const words = await page.locator('.apart').textContent();
    for (const [name, key] of [
      ['norm', 'norm'],
      ['relative', 'relative_norm'],
      ['cosine', 'cosine'],
    ]) {
      near(toNumber(words.match(new RegExp(`${name} (\\S+)`))[1]), expected[key], name);
    }
    const golden = await pixelsOfPng(page, goldenPicture(expected.png));
    equal(await pixels(page), golden, 'picture drawn with matplotlib');
    expect(/step 40 − step 0/.test(await page.locator('.legend').textContent()), 'the legend says what it is of');
    await page.screenshot({ path: join(SHOTS, 'difference.png') });
    await page.getByRole('button', { name: 'match by similarity' }).click();
    await page.locator('.apart', { hasText: 'moved' }).waitFor();
    await page.goBack();
    await page.goBack();
    await page.locator('.compare').waitFor({ state: 'detached' });
  });

  await check('two steps stand side by side in one range, and blink', async () => {
    await menu(page, 'Compare').click();
    await inAddress(page, 'compare', 'beside');
    await settled(page);
    await page.locator('.sheet.other canvas').waitFor();
    await page.locator('.caption', { hasText: 'step 0' }).waitFor();
    const other = await page.locator('.sheet.other canvas').getAttribute('aria-label');
    expect(/step 0: .*−0\.1387 to 0\.1387/.test(other), `the other has the range of the one: ${other}`);
    await page.screenshot({ path: join(SHOTS, 'beside.png') });
    await page.keyboard.press('b');
    await inAddress(page, 'compare', 'blink');
    await page.locator('.caption', { hasText: 'step 40' }).waitFor();
    await page.locator('.caption.other', { hasText: 'step 0' }).waitFor();
    await page.keyboard.press('Escape');
    await inAddress(page, 'compare', null);
  });

  await check('a film has a picture for each of its steps, in every form', async () => {
    await page.getByRole('button', { name: 'film' }).click();
    await page.getByLabel('every', { exact: true }).fill('2');
    await page.getByText('3 pictures').waitFor();
    for (const [form, frames] of [
      ['apng', apngFrames],
      ['gif', gifFrames],
      ['webp', webpFrames],
    ]) {
      await page.locator('dialog[open] select').selectOption(form);
      equal(frames(await downloaded(page, page.getByRole('link', { name: 'Download' }))), 3, `frames of ${form}`);
    }
    await page.screenshot({ path: join(SHOTS, 'film.png') });
    await page.keyboard.press('Escape');
  });

  await check('the saved picture is the sheet as it is seen', async () => {
    const link = page.locator('.legend a', { hasText: 'PNG' });
    const zoom = Number((await link.getAttribute('href')).match(/zoom=(\d+)/)[1]);
    equal(`${zoom}×`, await page.locator('.zoom output').textContent(), 'zoom');
    equal(
      await pixels(page),
      await pixelsOf(page, `${await plainPath(page)}&step=${await stepShown(page)}`),
      'picture',
    );
    equal((await downloaded(page, link)).toString('latin1', 1, 4), 'PNG', 'kind of file');
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
}

const toNumber = (text) => Number(text.replace(/−/g, '-'));

async function fact(page, name) {
  const row = page.locator('.facts dl > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) });
  const text = await row.locator('dd').textContent();
  return toNumber(text.split(' ').at(-1));
}

async function downloaded(page, link) {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return readFileSync(await download.path());
}

async function fetched(page, address) {
  const response = await page.request.get(new URL(address, page.url()).href);
  return response.body();
}
