/** A damaged file: what is whole is shown, what is not is listed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, settled } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { FRONTEND, startServer } from '../server.mjs';

const RECIPE = join(FRONTEND, '../tests/fixtures/recipe_tf1');

/** Flips a bit in the length of a record in the middle of the file, and gives the place. */
function damage(bytes) {
  const places = [];
  for (let at = 0; at + 12 <= bytes.length; at += 16 + Number(bytes.readBigUInt64LE(at))) places.push(at);
  const place = places[places.length >> 1];
  bytes[place + 2] ^= 8;
  return place;
}

export async function troubleCases(browser) {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-trouble-'));
  const name = readdirSync(RECIPE).find((file) => file.includes('tfevents'));
  const bytes = readFileSync(join(RECIPE, name));
  const place = damage(bytes);
  writeFileSync(join(logdir, name), bytes);
  const server = await startServer(['serve', logdir]);
  const { page, faults, close } = await open(browser, server.base);

  await check('a damaged file is shown as far as it is whole, and the damage is listed with its place', async () => {
    await settled(page);
    expect((await page.locator('button.series').count()) >= 3, 'the layers are listed');
    await page.getByRole('button', { name: /problem/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText("the CRC of the record's length").waitFor();
    const text = (await dialog.textContent()).replace(/\s/g, '');
    expect(text.includes(name) && text.includes(`byte${place}`), `file and place are named: ${text}`);
    await page.screenshot({ path: join(SHOTS, 'trouble.png') });
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
  rmSync(logdir, { recursive: true, force: true });
}
