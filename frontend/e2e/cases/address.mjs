/** The address says everything; the back button and the keys work. */
import { apiJson, menu, onKernel, open, pixels, queryOf, settled, sheet, stepShown, waitForStep } from '../browser.mjs';
import { check, equal, expect } from '../check.mjs';
import { startServer } from '../server.mjs';

export async function addressCases(browser) {
  const server = await startServer(['demo', '--speed', '4']);
  const { base } = server;
  const { page, faults, close } = await open(browser, base);
  await onKernel(page);
  // Some steps are needed to go back and forth between.
  await page.waitForFunction(() => Number(document.querySelector('.track')?.getAttribute('aria-valuemax')) > 0);

  await check('a copied link shows the same', async () => {
    await page.getByRole('button', { name: 'First step' }).click();
    await menu(page, 'view').getByRole('button', { name: 'slice' }).click();
    await menu(page, 'colours').selectOption('gray');
    await menu(page, 'scope').getByRole('button', { name: 'tile' }).click();
    await settled(page);
    const first = await stepShown(page);
    await page.waitForFunction((step) => new URLSearchParams(location.search).get('step') === String(step), first);
    const other = await open(browser, base, await queryOf(page));
    await settled(other.page);
    equal(await stepShown(other.page), first, 'step');
    equal(await pixels(other.page), await pixels(page), 'picture');
    equal(await menu(other.page, 'colours').inputValue(), 'gray', 'colours');
    equal(other.faults.join('; '), '', 'faults');
    await other.close();
  });

  await check('the back button takes back one choice after another', async () => {
    await page.goBack();
    await page.waitForFunction(() => !new URLSearchParams(location.search).has('scope'));
    await settled(page);
    equal(
      await menu(page, 'scope').getByRole('button', { name: 'layer' }).getAttribute('aria-pressed'),
      'true',
      'scope',
    );
    await page.goBack();
    await page.waitForFunction(() => !new URLSearchParams(location.search).has('cmap'));
    await settled(page);
    expect((await menu(page, 'colours').inputValue()) !== 'gray', 'colours are as before');
    await page.goForward();
    await page.waitForFunction(() => new URLSearchParams(location.search).get('cmap') === 'gray');
  });

  await check('the keys move, open, step, choose and go back', async () => {
    await menu(page, 'view').getByRole('button', { name: 'slice' }).click();
    await settled(page);
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('ArrowRight');
    await page.locator('.tip').getByText('filter 0,').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.locator('.tip').getByText('filter 1,').waitFor();
    const cols = await page.evaluate(() => document.querySelectorAll('.mark-tile').length);
    equal(cols, 1, 'marked tiles');
    await page.keyboard.press('Shift+ArrowUp');
    await page.locator('.tip').getByText('filter 1, row 1').waitFor();
    await page.waitForFunction(() => /\d/.test(document.querySelector('.tip .value')?.textContent ?? ''));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'filter 1' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('aside.tile').waitFor({ state: 'detached' });
    const step = await stepShown(page);
    await page.keyboard.press(']');
    await page.waitForFunction((before) => Number(document.getElementById('step').value) > before, step);
    await page.keyboard.press('[');
    await waitForStep(page, step);
    const before = await menu(page, 'range').inputValue();
    await page.keyboard.press('n');
    expect((await menu(page, 'range').inputValue()) !== before, 'n changes the range');
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Keys' }).waitFor({ state: 'hidden' });
    await page.keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.id === 'search');
    await page.keyboard.press('Escape');
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('f');
    equal(await page.locator('.follow').getAttribute('aria-pressed'), 'true', 'following');
  });

  await check('the keyboard zooms by whole numbers', async () => {
    const zoom = async () => Number.parseInt(await page.locator('.zoom output').textContent(), 10);
    const fitted = await zoom();
    await page.keyboard.press('-');
    expect((await zoom()) < fitted, 'smaller');
    const box = await sheet(page).boundingBox();
    const width = await sheet(page).evaluate((canvas) => canvas.width);
    expect(Number.isInteger(box.width / width), `${box.width} is a whole number of times ${width}`);
    await page.keyboard.press('0');
    equal(await zoom(), fitted, 'zoom as it fits');
  });

  await check('the layer list is walked with the arrows', async () => {
    const { series } = await apiJson(base, `api/v1/series?run=${(await queryOf(page)).get('run')}`);
    const drawable = series.filter((one) => one.views.length > 0);
    await page.locator('button.series').first().focus();
    await page.keyboard.press('ArrowDown');
    const shown = await page.locator('button.series').nth(1).getAttribute('title');
    const tag = drawable.find((one) => shown.startsWith(`${one.tag},`)).tag;
    await page.waitForFunction((wanted) => new URLSearchParams(location.search).get('tag') === wanted, tag);
    await settled(page);
  });

  await check('nothing went wrong behind the page', () => equal(faults.join('; '), '', 'faults'));
  await close();

  await check('an address that names what is not there falls back and says so', async () => {
    const lost = await open(
      browser,
      base,
      'run=nowhere&tag=nothing/at/all&step=many&view=sculpture&cmap=jet&tile=99999',
    );
    await settled(lost.page);
    await lost.page.locator('.note').waitFor();
    const note = lost.page.locator('.note');
    for (const mistake of ['many', 'nowhere', 'nothing/at/all', 'sculpture', 'jet', '99999']) {
      await note.filter({ hasText: mistake }).waitFor();
    }
    expect((await lost.page.locator('button.series[aria-current="true"]').count()) === 1, 'a series is chosen');
    equal(lost.faults.join('; '), '', 'faults');
    await lost.close();
  });
  await server.stop();
}
