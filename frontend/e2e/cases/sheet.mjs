/** Pointing at a sheet and opening its tiles: what is told is told of the right one, and nothing is in the way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiJson, open, pointOf, queryOf, settled, sheet } from '../browser.mjs';
import { check, equal, expect, near, SHOTS } from '../check.mjs';
import { FILE, noise, tensor, writeEvents } from '../event-file.mjs';
import { startServer } from '../server.mjs';

const WIDE = { tag: 'conv7/kernel', shape: [7, 7, 1, 16] };
const DEEP = { tag: 'conv3/kernel', shape: [3, 3, 16, 64] };
const elements = ({ shape }, step) =>
  noise(
    shape.reduce((product, length) => product * length),
    step + 1,
  ).map((value) => value / 10);

/** Every value of one filter: the last axis is that of the filters. */
const filterOf = (one, filter) => elements(one, 1).filter((_, place) => place % one.shape[3] === filter);

export async function sheetCases(browser) {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-sheet-'));
  const records = [0, 1].flatMap((step) =>
    [WIDE, DEEP].map((one) => tensor(one.tag, step, one.shape, elements(one, step))),
  );
  writeEvents(join(logdir, FILE), ...records);
  const server = await startServer(['serve', logdir]);
  const { base } = server;
  const tilesOf = async (tag) => (await apiJson(base, `api/v1/sheet/info?tag=${tag}`)).tiles;
  const { page, faults, close } = await open(browser, base, `tag=${DEEP.tag}`);
  const show = async (query) => {
    await page.goto(`${base}?${query}`);
    await settled(page);
  };
  const heading = () => page.locator('aside.tile h2').textContent();

  await check('the tip stays beside its pixel when the stage moves', async () => {
    await settled(page);
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
    await page.locator('.tip').waitFor();
    for (const move of [
      // Not so narrow that the zoom is another one.
      () => page.setViewportSize({ width: 1220, height: 800 }),
      () => page.keyboard.press('Enter'),
      () => page.setViewportSize({ width: 1280, height: 800 }),
    ]) {
      const before = (await sheet(page).boundingBox()).x;
      await move();
      await page.waitForFunction(
        (x) => document.querySelector('.sheet canvas').getBoundingClientRect().x !== x,
        before,
      );
      await page.waitForFunction(() => {
        const tip = document.querySelector('.tip').getBoundingClientRect();
        const pixel = document.querySelector('.mark-pixel').getBoundingClientRect();
        return Math.abs(tip.left - pixel.right - 12) < 2 || Math.abs(pixel.left - tip.right - 12) < 2;
      });
    }
    equal(await heading(), 'filter 5', 'the panel');
  });

  await check('in another order the cursor and the panel speak of one filter', async () => {
    await show(`tag=${DEEP.tag}`);
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'filter 5' }).waitFor();
    await page.keyboard.press('o');
    await page.waitForFunction(() => new URLSearchParams(location.search).get('order') === 'norm');
    await settled(page);
    equal(await heading(), 'filter 5', 'the panel');
    expect((await page.locator('.tip').textContent()).includes('filter 5,'), 'the cursor');
    const { tiles } = await apiJson(base, `api/v1/sheet/info?tag=${DEEP.tag}&order=norm`);
    expect(tiles[5].channel !== 5, 'the order is another one');
  });

  await check('a click on a gutter opens the nearest tile', async () => {
    await show(`tag=${DEEP.tag}`);
    const tiles = await tilesOf(DEEP.tag);
    const inside = await pointOf(page, tiles[12], 1, 0);
    const zoom = (await pointOf(page, tiles[12], 1, 1)).x - inside.x;
    // A pixel is a zoom wide, and its middle is half of that to the right of the gutter.
    await page.mouse.click(inside.x - 0.8 * zoom, inside.y);
    await page.getByRole('heading', { name: 'filter 12' }).waitFor();
    await page.getByLabel('Close (Esc)').click();
  });

  await check('the zoom buttons lie beside the picture', async () => {
    await show(`tag=${WIDE.tag}`);
    const zoom = await page.locator('.zoom').boundingBox();
    const picture = await page.locator('.scroll').first().boundingBox();
    const apart = zoom.x >= picture.x + picture.width - 0.5 || zoom.y >= picture.y + picture.height - 0.5;
    expect(apart, `buttons at ${zoom.x}, the picture up to ${picture.x + picture.width}`);
  });

  await check('the table of a tile of 7x7 is whole, and its numbers are those of the log', async () => {
    await show(`tag=${WIDE.tag}&tile=3`);
    const table = page.locator('.values .table');
    await table.waitFor();
    const hidden = await table.evaluate((one) => one.scrollWidth - one.clientWidth);
    equal(hidden, 0, 'pixels of the table out of sight');
    const power = Number((await page.locator('.values sup').textContent()).replace('−', '-'));
    const cells = await table.locator('td').allTextContents();
    const expected = filterOf(WIDE, 3);
    equal(cells.length, 49, 'cells');
    const largest = Math.max(...expected.map(Math.abs));
    cells.forEach((cell, place) => {
      const apart = Math.abs(Number(cell.replace('−', '-')) * 10 ** power - expected[place]);
      expect(apart <= largest * 5.1e-3, `cell ${place}: ${cell}, expected ${expected[place]}`);
    });
    await page.screenshot({ path: join(SHOTS, 'table.png') });
  });

  await check('least, greatest and mean are of one thing: the weights', async () => {
    await show(`tag=${DEEP.tag}&tile=4`);
    const facts = page.locator('aside.tile dl.numbers > div');
    const numberOf = async (name) => {
      const row = facts.filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) });
      await row.waitFor();
      return Number((await row.locator('dd').textContent()).replace(/−/g, '-'));
    };
    const expected = filterOf(DEEP, 4);
    near(await numberOf('min'), Math.min(...expected), 'min');
    near(await numberOf('max'), Math.max(...expected), 'max');
    near(await numberOf('mean'), expected.reduce((sum, value) => sum + value, 0) / expected.length, 'mean');
  });

  await check('the picture is one press of Tab and Enter away', async () => {
    await show(`tag=${DEEP.tag}`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await sheet(page).evaluate((canvas) => canvas === document.activeElement), 'the picture has the focus');
    await page.keyboard.press('ArrowRight');
    await page.locator('.tip').waitFor();
  });

  await check('a letter that follows / at once is searched for and is no key', async () => {
    await show(`tag=${DEEP.tag}`);
    const view = (await queryOf(page)).get('view');
    const place = await page.evaluate(() => {
      const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
      press('/');
      press('v');
      return document.activeElement.id;
    });
    equal(place, 'search', 'what has the focus');
    await settled(page);
    equal((await queryOf(page)).get('view'), view, 'view');
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
  rmSync(logdir, { recursive: true, force: true });
}
