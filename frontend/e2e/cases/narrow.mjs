/** At the width of a phone. */
import { join } from 'node:path';
import { onKernel, open, settled } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { startServer } from '../server.mjs';

export async function narrowCases(browser) {
  const server = await startServer(['demo', '--speed', '4']);
  const { page, faults, close } = await open(browser, server.base, '', { viewport: { width: 400, height: 800 } });

  await check('at 400 pixels nothing sticks out and the lists are a touch away', async () => {
    await onKernel(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide <= 400, `the page is ${wide} pixels wide`);
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll('button, select, input, canvas')]
        .filter((one) => one.offsetParent !== null && !one.closest('.scroll') && !one.classList.contains('unseen'))
        .filter((one) => one.getBoundingClientRect().right > 400.5 || one.getBoundingClientRect().left < -0.5)
        .map((one) => one.getAttribute('aria-label') ?? one.textContent),
    );
    equal(outside.join(', '), '', 'controls outside');
    await page.screenshot({ path: join(SHOTS, 'narrow.png') });
    await page.getByRole('button', { name: 'Runs and layers' }).click();
    await page.locator('button.series', { hasText: 'activation' }).first().click();
    await page.locator('nav.lists').waitFor({ state: 'hidden' });
    await settled(page);
  });

  await check('at 400 pixels a tile opens over the stage', async () => {
    await page.locator('.sheet canvas').click({ position: { x: 12, y: 12 } });
    await page.locator('aside.tile').waitFor();
    await page.screenshot({ path: join(SHOTS, 'narrow-tile.png') });
    await page.getByLabel('Close (Esc)').click();
    await page.locator('aside.tile').waitFor({ state: 'detached' });
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
}
