/** A rules file that is written while the page is open. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, pixels, settled } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { FRONTEND, startServer } from '../server.mjs';
import { choose } from './looking.mjs';

const RECIPE = join(FRONTEND, '../tests/fixtures/recipe_tf1');
const KERNEL = 'conv1/weights';

export async function ruleCases(browser) {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-rules-'));
  for (const name of readdirSync(RECIPE)) {
    if (name.includes('tfevents')) cpSync(join(RECIPE, name), join(logdir, name));
  }
  const write = (text) => writeFileSync(join(logdir, '.convscope.toml'), text);
  const server = await startServer(['serve', logdir]);
  const { page, faults, close } = await open(browser, server.base);
  await settled(page);
  await choose(page, KERNEL);
  await settled(page);
  // A reload would lose this.
  await page.evaluate(() => {
    window.sameAsBefore = true;
  });
  const badge = (place) => page.locator(`button.series[title^="${KERNEL},"] .badge`).nth(place);

  await check('a rule changes the layout on the open page, and is the evidence', async () => {
    equal((await badge(1).textContent()).trim(), 'HWIO', 'layout before');
    const before = await pixels(page);
    write(`[[rule]]\ntag = "${KERNEL}"\nlayout = "OIHW"\n`);
    await badge(1).getByText('OIHW').waitFor();
    await page.locator('.details').getByText('the rule in line 1 of .convscope.toml').waitFor();
    await page.waitForFunction(() => document.querySelector('.stage')?.getAttribute('aria-busy') === 'false');
    await settled(page);
    const after = await pixels(page);
    expect(after !== before, 'the picture is another one');
    expect(/: 5 filters of 3×64/.test(await page.locator('.sheet canvas').getAttribute('aria-label')), 'five filters');
    await page.screenshot({ path: join(SHOTS, 'rules.png') });
  });

  await check('a rule changes the role on the open page', async () => {
    write(`[[rule]]\ntag = "${KERNEL}"\nrole = "activation"\n`);
    await badge(0).getByText('activation').waitFor();
    await page.locator('.details').getByText('the rule in line 1 of .convscope.toml').waitFor();
    await settled(page);
  });

  await check('a mistake in the rules is told with line and column, and the rules before stay', async () => {
    write(`[[rule]]\ntag = "${KERNEL}"\nrole = "krenel"\n`);
    await page.getByRole('button', { name: '1 problem' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('line 3, column 8').waitFor();
    await dialog.getByRole('heading', { name: 'rules file' }).waitFor();
    expect((await dialog.textContent()).includes('.convscope.toml'), 'the file is named');
    await page.screenshot({ path: join(SHOTS, 'rules-trouble.png') });
    await page.keyboard.press('Escape');
    equal((await badge(0).textContent()).trim(), 'activation', 'role');
  });

  await check('without the rules all is as before, and nothing was loaded anew', async () => {
    rmSync(join(logdir, '.convscope.toml'));
    await badge(0).getByText('kernel').waitFor();
    await badge(1).getByText('HWIO').waitFor();
    await page.getByRole('button', { name: '1 problem' }).waitFor({ state: 'detached' });
    await settled(page);
    expect(await page.evaluate(() => window.sameAsBefore === true), 'the page is the same');
    equal(faults.join('; '), '', 'faults');
  });

  await check('where rules leave out all that could be drawn, the page says which rule', async () => {
    write('[[rule]]\ntag = "*"\nignore = true\n');
    await page.locator('.empty').getByText('left out by the rule in line 1 of .convscope.toml').first().waitFor();
    await page.screenshot({ path: join(SHOTS, 'rules-ignored.png') });
    rmSync(join(logdir, '.convscope.toml'));
    await settled(page);
  });
  await close();
  await server.stop();
  rmSync(logdir, { recursive: true, force: true });
}
