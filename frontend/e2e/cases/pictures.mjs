/** Pictures that the log's writer had encoded: drawn as they are, and their bytes called bytes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiJson, menu, open, pointOf, queryOf, settled, sheet, tipNumbers } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { FILE, noise, tensor, writeEvents } from '../event-file.mjs';
import { FRONTEND, startServer } from '../server.mjs';
import { choose } from './looking.mjs';

const RECIPE = join(FRONTEND, '../tests/fixtures/recipe_tf1');
const FILTERS = 'conv1/filters/image';
const MAPS = 'filtered_images_layer1/image';

const KERAS = join(FRONTEND, '../tests/fixtures/keras_tf2/train');

/** The records of an event file that name this. */
function recordsWith(bytes, name) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 16 + Number(bytes.readBigUInt64LE(at));
    if (bytes.subarray(at, end).includes(name)) found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

/** A log of TensorBoard(write_images=True) alone, as Keras wrote it beside the tensors of the fixture. */
async function drawnByKeras(browser) {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-drawn-'));
  const files = readdirSync(KERAS).map((name) => readFileSync(join(KERAS, name)));
  writeEvents(join(logdir, 'train', FILE), ...files.flatMap((file) => recordsWith(file, '/image')));
  const server = await startServer(['serve', logdir]);
  const { page, faults, close } = await open(browser, server.base);
  const line = page.getByText('Kernels are here as pictures that Keras drew, without their numbers');
  await check('kernels that Keras drew are said to be pictures, and the lines for their numbers unfold', async () => {
    await settled(page);
    await line.waitFor();
    const code = page.locator('.recipes pre');
    expect(!(await code.isVisible()), 'the lines are folded');
    await line.click();
    await code.waitFor();
    expect((await code.textContent()).includes(`"${logdir}"`), 'the logdir stands in the lines');
    await page.screenshot({ path: join(SHOTS, 'drawn-by-keras.png') });
  });
  await check('and no more once a kernel is there as a tensor', async () => {
    const kernel = tensor('conv1/kernel', 0, [3, 3, 1, 8], noise(72));
    writeEvents(join(logdir, 'later', FILE), kernel);
    await line.waitFor({ state: 'detached' });
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
  rmSync(logdir, { recursive: true, force: true });
}

export async function pictureCases(browser) {
  await drawnByKeras(browser);
  const server = await startServer(['serve', RECIPE]);
  const { page, faults, close } = await open(browser, server.base);
  await settled(page);

  await check('image summaries are gathered into one sheet, which says that its scale is unknown', async () => {
    await choose(page, FILTERS);
    await page.locator('.legend').getByText('8 bit, scale unknown').waitFor();
    await settled(page);
    const legend = await page.locator('.legend').textContent();
    expect(/byte 0 .*byte 255/.test(legend), `the legend has bytes: ${legend}`);
    const row = page.locator(`button.series[title^="${FILTERS},"]`);
    expect(/image/.test(await row.locator('.badge').first().textContent()), 'the row says what it is');
    expect(/^conv1\/filters\/image.*: 3 images/.test(await sheet(page).getAttribute('aria-label')), 'three images');
    await page.screenshot({ path: join(SHOTS, 'pictures.png') });
  });

  await check('the tip and the table show the three bytes of the PNG in the log', async () => {
    const picture = await decode(page, lastPng(`${FILTERS}/1`));
    const { tiles } = await apiJson(server.base, `api/v1/sheet/info?run=.&tag=${FILTERS}&step=latest`);
    const point = await pointOf(page, tiles[1], 3, 2);
    await page.mouse.move(point.x, point.y);
    await page.getByText('image 1, row 3, col 2').waitFor();
    const expected = picture.at(3, 2).join(' ');
    equal((await tipNumbers(page)).join(' '), expected, 'bytes in the tip');
    expect((await page.locator('.tip').textContent()).startsWith('bytes'), 'the tip says that they are bytes');
    await page.mouse.click(point.x, point.y);
    await page.getByRole('heading', { name: 'image 1' }).waitFor();
    const cell = page.locator('.values tr').nth(3).locator('td').nth(2);
    await cell.waitFor();
    equal((await cell.locator('div').allTextContents()).join(' '), expected, 'bytes in the table');
    await page.getByLabel('Close (Esc)').click();
  });

  await check('grey pictures have one byte, and another range is still one of bytes', async () => {
    await choose(page, MAPS);
    await page.waitForFunction(() => /byte 255/.test(document.querySelector('.legend .end.hi')?.textContent ?? ''));
    await settled(page);
    equal(await page.locator('.legend .end.lo').textContent(), 'byte 0', 'lowest');
    const picture = await decode(page, lastPng(`${MAPS}/0`));
    const { tiles } = await apiJson(server.base, `api/v1/sheet/info?run=.&tag=${MAPS}&step=latest`);
    const point = await pointOf(page, tiles[0], 5, 7);
    await page.mouse.move(point.x, point.y);
    await page
      .locator('.tip')
      .getByText(`byte ${picture.at(5, 7)[0]}`, { exact: true })
      .waitFor();
    await menu(page, 'lowest value').fill('10');
    await menu(page, 'highest value').fill('200');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('.legend .end.hi')?.textContent === 'byte 200');
    equal(await page.locator('.legend .end.lo').textContent(), 'byte 10', 'lowest of a range that was typed');
    await menu(page, 'range').selectOption('minmax');
    await menu(page, 'range').selectOption('fixed');
    await page.waitForFunction(() => document.querySelector('.legend .end.hi')?.textContent === 'byte 255');
    expect(!(await queryOf(page)).has('range'), 'the range is the pictures’ own again');
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The last PNG that was logged under a tag, cut out of the event file without knowing its form. */
function lastPng(tag) {
  const name = readdirSync(RECIPE).find((file) => file.includes('tfevents'));
  const bytes = readFileSync(join(RECIPE, name));
  const start = bytes.indexOf(SIGNATURE, bytes.lastIndexOf(tag));
  const end = bytes.indexOf('IEND', start) + 8;
  return bytes.subarray(start, end);
}

/** Decoded by the browser. */
async function decode(page, png) {
  const { width, data } = await page.evaluate(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    });
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return { width: bitmap.width, data: [...context.getImageData(0, 0, bitmap.width, bitmap.height).data] };
  }, png.toString('base64'));
  return { at: (row, col) => data.slice(4 * (row * width + col), 4 * (row * width + col) + 3) };
}
