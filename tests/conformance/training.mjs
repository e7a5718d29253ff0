/**
 * The page on a recorded training, in a real Chromium: node training.mjs URL TRUTH [PICTURE]
 *
 * TRUTH is JSON: `layouts` by tag, and the `last` step. PICTURE is made of the first kernel.
 */
import { launch, open, pixels, pixelsOf, settled, stepShown } from '../../frontend/e2e/browser.mjs';
import { check, equal, finish } from '../../frontend/e2e/check.mjs';

const [base, truth, picture] = process.argv.slice(2);
const { layouts, last } = JSON.parse(truth);
const browser = await launch();

await check('the page lists every convolution, kernel and activation', async () => {
  const { page, faults, close } = await open(browser, base);
  await settled(page);
  for (const tag of Object.keys(layouts)) await page.locator(`button.series[title^="${tag},"]`).waitFor();
  if (picture) await page.screenshot({ path: picture });
  equal(faults.join('; '), '', 'faults');
  await close();
});

await check('the page says what the first layer does', async () => {
  const { page, close } = await open(browser, base, 'run=.&tag=conv1%2Fkernel');
  await settled(page);
  await page.locator('.details').getByText('Conv2D 5×5, stride 1, valid padding').waitFor();
  await close();
});

for (const [tag, layout] of Object.entries(layouts)) {
  await check(`${tag} is shown at step ${last}, surely as ${layout}`, async () => {
    const { page, faults, close } = await open(browser, base, `run=.&tag=${encodeURIComponent(tag)}`);
    await settled(page);
    equal(await stepShown(page), last, 'the latest step');
    equal(await page.locator('.details select[aria-label=Layout]').inputValue(), layout, 'the layout');
    const words = await page.locator('.details').textContent();
    equal(words.match(/sure: /g)?.length, 2, `role and layout are sure in “${words}”`);
    const address = await page.locator('a[title^="This sheet"]').getAttribute('href');
    equal(await pixels(page), await pixelsOf(page, address.replace(/&zoom=\d+/, '')), 'the picture');
    equal(faults.join('; '), '', 'faults');
    await close();
  });
}

await browser.close();
process.exit(finish() ? 0 : 1);
