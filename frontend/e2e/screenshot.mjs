/** Makes the picture of the README from the demo: node e2e/screenshot.mjs docs/screenshot.png */
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { launch, open, pointOf, settled } from './browser.mjs';
import { FRONTEND, startServer } from './server.mjs';

const target = resolve(process.argv[2] ?? join(FRONTEND, '../docs/screenshot.png'));
mkdirSync(dirname(target), { recursive: true });
const server = await startServer(['demo', '--speed', '1000']);
const browser = await launch();
const { page, close } = await open(browser, server.base, '', { viewport: { width: 1440, height: 900 } });
await settled(page);
// The replay is at its end once no step has come for a while.
let last = '';
for (;;) {
  await page.waitForTimeout(1500);
  const now = (await page.locator('.track').getAttribute('aria-valuemax')) ?? '';
  if (now === last) break;
  last = now;
}
await page.goto(`${page.url()}&tile=9`);
await settled(page);
await page.locator('.values td').first().waitFor();
await page.waitForTimeout(800);
const tile = { x: await page.locator('.sheet canvas').evaluate((canvas) => canvas.width >> 1), y: 0 };
const point = await pointOf(page, { x: tile.x, y: tile.x }, 2, 2);
await page.mouse.move(point.x, point.y);
await page.waitForTimeout(500);
await page.screenshot({ path: target });
await close();
await browser.close();
await server.stop();
console.log(target);
process.exit(0);
