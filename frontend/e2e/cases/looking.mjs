/** Opening, choosing, scrubbing, ranges, colours, values, and steps that come by themselves. */
import { join } from 'node:path';
import {
  api,
  apiJson,
  menu,
  onKernel,
  open,
  pixels,
  pixelsOf,
  pointOf,
  queryOf,
  settled,
  sheet,
  stepShown,
  tipNumbers,
  waitForStep,
} from '../browser.mjs';
import { check, equal, expect, near, SHOTS } from '../check.mjs';
import { readNpy } from '../npy.mjs';
import { startServer } from '../server.mjs';

export async function lookingCases(browser) {
  const server = await startServer(['demo', '--speed', '4']);
  const { base } = server;
  const { page, faults, close } = await open(browser, base);

  await check('the demo opens on a kernel, with runs, layers and a legend', async () => {
    await onKernel(page);
    expect((await page.locator('button.series').count()) >= 2, 'layers are listed');
    equal(await page.locator('.legend .counts').count(), 1, 'legends');
    await page.locator('.live[data-connection="open"]').waitFor();
  });

  await check('a new step appears by itself', async () => {
    const before = await stepShown(page);
    const old = await pixels(page);
    await page.waitForFunction((step) => Number(document.getElementById('step').value) > step, before);
    await settled(page);
    expect((await pixels(page)) !== old, 'the picture changed with the step');
  });

  const kernel = await conv1Kernel(base);

  await check('conv1 is chosen from the list', async () => {
    await page.locator('button.series', { hasText: 'activation' }).first().click();
    await page.waitForFunction(() =>
      /^Channel|channel|maps?/.test(document.querySelector('.sheet canvas')?.ariaLabel ?? ''),
    );
    await choose(page, kernel.tag);
    await settled(page);
    expect((await sheet(page).getAttribute('aria-label')).startsWith(kernel.tag), 'conv1 is on the stage');
    equal((await queryOf(page)).get('tag'), kernel.tag, 'tag in the address');
    await page.screenshot({ path: join(SHOTS, 'conv1.png') });
  });

  await check('scrubbing shows other steps, lets go of the latest, and never shows an empty stage', async () => {
    const { steps } = await apiJson(base, `api/v1/steps?run=${kernel.run}&tag=${kernel.tag}`);
    expect(steps.length >= 2, 'there are steps to scrub over');
    await watchForBlanks(page);
    const rail = await page.locator('.rail').boundingBox();
    await page.mouse.move(rail.x + rail.width - 1, rail.y + 1);
    await page.mouse.down();
    for (let i = 20; i >= 0; i--) await page.mouse.move(rail.x + (rail.width * i) / 20, rail.y + 1);
    await page.mouse.up();
    await waitForStep(page, steps[0]);
    await settled(page);
    equal(await blanks(page), 0, 'frames with an empty stage');
    equal(await page.locator('.follow').getAttribute('aria-pressed'), 'false', 'following');
    equal(await pixels(page), await pixelsOf(page, sheetPath(kernel, steps[0])), 'picture of the first step');
    await page.keyboard.press(']');
    await waitForStep(page, steps[1]);
    await page.locator('#step').fill(String(steps[1] + 0));
    await page.keyboard.press('Enter');
    await waitForStep(page, steps[1]);
  });

  await check('a step that was not logged lands on the one before, and the page says so', async () => {
    const { steps } = await apiJson(base, `api/v1/steps?run=${kernel.run}&tag=${kernel.tag}`);
    const place = steps.findIndex((step, i) => i + 1 < steps.length && steps[i + 1] - step > 1);
    expect(place >= 0, 'two steps lie apart');
    await page.locator('#step').fill(String(steps[place] + 1));
    await page.keyboard.press('Enter');
    await waitForStep(page, steps[place]);
    expect(/at or before/.test(await page.locator('.step small').textContent()), 'the page says so');
  });

  await check('range and colours change the picture, the legend and the address', async () => {
    await menu(page, 'view').getByRole('button', { name: 'slice' }).click();
    await menu(page, 'colours').selectOption('gray');
    await menu(page, 'range').selectOption('minmax');
    await settled(page);
    const step = await stepShown(page);
    const path = `${sheetPath(kernel, step)}&view=slice&range=minmax&cmap=gray`;
    equal(await pixels(page), await pixelsOf(page, path), 'picture');
    const info = await apiJson(base, path.replace('sheet?', 'sheet/info?'));
    near(await legendEnd(page, 'lo'), info.range.lo, 'lowest value of the legend');
    near(await legendEnd(page, 'hi'), info.range.hi, 'highest value of the legend');
    const query = await queryOf(page);
    equal(`${query.get('view')} ${query.get('range')} ${query.get('cmap')}`, 'slice minmax gray', 'address');
  });

  await check('a fixed range is typed', async () => {
    await menu(page, 'range').selectOption('fixed');
    await menu(page, 'lowest value').fill('-0.05');
    await menu(page, 'highest value').fill('0.05');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => new URLSearchParams(location.search).get('range') === 'fixed:-0.05:0.05');
    await settled(page);
    near(await legendEnd(page, 'hi'), 0.05, 'highest value of the legend');
  });

  await check('a tile may have its own scale, and the legend says so', async () => {
    await menu(page, 'range').selectOption('symmetric');
    await menu(page, 'scope').getByRole('button', { name: 'tile' }).click();
    await page.getByText('each tile has its own scale').waitFor();
    await settled(page);
    const { tiles, tile_ranges } = await infoOnShow(page, base);
    const point = await pointOf(page, tiles[2], 1, 1);
    await page.mouse.move(point.x, point.y);
    await page.locator('.tip').waitFor();
    near(await legendEnd(page, 'hi'), tile_ranges[2].hi, 'highest value of tile 2');
    await menu(page, 'scope').getByRole('button', { name: 'layer' }).click();
    await settled(page);
  });

  await check('the value under the pointer is the value in the log', async () => {
    const info = await infoOnShow(page, base);
    const tensor = await loggedTensor(base, kernel, info.step);
    for (const [place, row, col] of [
      [0, 0, 0],
      [5, 1, 3],
      [17, 4, 2],
    ]) {
      const tile = info.tiles[place];
      const point = await pointOf(page, tile, row, col);
      await page.mouse.move(point.x, point.y);
      await page.getByText(`filter ${tile.channel}, row ${row}, col ${col}`).waitFor();
      const [value] = await tipNumbers(page);
      near(value, tensor.at(row, col, 0, tile.channel), `filter ${tile.channel} at ${row}, ${col}`);
    }
    expect((await page.locator('.ramp .tick').count()) === 1, 'a tick stands on the colour bar');
  });

  await check('in colour the three values are those in the log', async () => {
    await menu(page, 'view').getByRole('button', { name: 'filters' }).click();
    await settled(page);
    const info = await infoOnShow(page, base);
    const tensor = await loggedTensor(base, kernel, info.step);
    const tile = info.tiles[9];
    const point = await pointOf(page, tile, 2, 1);
    await page.mouse.move(point.x, point.y);
    await page.getByText(`filter ${tile.channel}, row 2, col 1`).waitFor();
    const numbers = await tipNumbers(page);
    equal(numbers.length, 3, 'channels');
    numbers.forEach((value, channel) => {
      near(value, tensor.at(2, 1, channel, tile.channel), `channel ${channel}`);
    });
  });

  await check('a click opens the tile with its numbers', async () => {
    const info = await infoOnShow(page, base);
    const tensor = await loggedTensor(base, kernel, info.step);
    const point = await pointOf(page, info.tiles[3], 0, 0);
    await page.mouse.click(point.x, point.y);
    await page.getByRole('heading', { name: 'filter 3' }).waitFor();
    const first = page.locator('.values td').first();
    await first.waitFor();
    const shown = Number((await first.textContent()).replace('−', '-'));
    expect(Math.abs(shown - tensor.at(0, 0, 0, 3)) < 1e-3, 'the first number of the table is that of the log');
    await page.screenshot({ path: join(SHOTS, 'tile.png') });
    await page.getByLabel('Close (Esc)').click();
  });

  await check('playing moves on and stops by itself or by hand', async () => {
    await page.locator('#step').fill('0');
    await page.keyboard.press('Enter');
    await page.evaluate(() => document.activeElement?.blur());
    await settled(page);
    const first = await stepShown(page);
    await page.getByRole('button', { name: 'Play (Space)' }).click();
    await page.waitForFunction((step) => Number(document.getElementById('step').value) > step, first);
    await page.keyboard.press(' ');
    await page.getByRole('button', { name: 'Play (Space)' }).waitFor();
  });

  await check('nothing went wrong behind the page, and no other host was asked', () =>
    equal(faults.join('; '), '', 'faults'),
  );
  await close();
  await server.stop();
}

async function conv1Kernel(base) {
  const { runs } = await apiJson(base, 'api/v1/runs');
  for (const { run } of runs) {
    const { series } = await apiJson(base, `api/v1/series?run=${encodeURIComponent(run)}`);
    const found = series.find((one) => one.role === 'kernel' && /conv1/.test(one.tag));
    if (found) return found;
  }
  throw new Error('the demo has no conv1');
}

export async function choose(page, tag) {
  await page.locator(`button.series[title^="${tag},"]`).click();
}

const sheetPath = (series, step) => `api/v1/sheet?run=${series.run}&tag=${series.tag}&step=${step}`;

/** What the API says of the picture on the stage, asked with the page's own address. */
async function infoOnShow(page, base) {
  const query = await queryOf(page);
  for (const own of ['tile', 'zoom']) query.delete(own);
  query.set('step', String(await stepShown(page)));
  return apiJson(base, `api/v1/sheet/info?${query}`);
}

async function loggedTensor(base, series, step) {
  const response = await api(base, `api/v1/tensor?run=${series.run}&tag=${series.tag}&step=${step}`);
  return readNpy(await response.arrayBuffer());
}

async function legendEnd(page, end) {
  const text = await page.locator(`.legend .end.${end}`).textContent();
  return Number(text.replace(/−/g, '-'));
}

/** Looks at the middle of the stage's canvas in every frame and counts the empty ones. */
function watchForBlanks(page) {
  return page.evaluate(() => {
    window.blankFrames = 0;
    const look = () => {
      const canvas = document.querySelector('.sheet canvas');
      const pixel = canvas?.getContext('2d').getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data;
      if (!pixel || pixel[3] === 0) window.blankFrames++;
      requestAnimationFrame(look);
    };
    look();
  });
}

const blanks = (page) => page.evaluate(() => window.blankFrames);
