/** An empty logdir, one that is not there, and a run that appears later. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, settled } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { FRONTEND, startServer } from '../server.mjs';

const RECORDING = process.env.CONVSCOPE_RECORDING ?? join(FRONTEND, '../demo/recording');

export async function emptyCases(browser) {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-empty-'));
  const server = await startServer(['serve', logdir]);
  const { page, faults, close } = await open(browser, server.base);

  await check('an empty logdir says what was looked at and how to mend it', async () => {
    await page.locator('.empty h2').waitFor();
    await page.getByText('No event files or checkpoints yet').waitFor();
    expect((await page.locator('.empty').textContent()).includes(logdir), 'the logdir is named');
    await page.getByText('To see kernels, let the training save checkpoints in this directory').waitFor();
    await page.getByRole('button', { name: 'copy' }).click();
    await page.getByRole('button', { name: 'copied' }).waitFor();
    await page.screenshot({ path: join(SHOTS, 'empty.png') });
  });

  await check('a run that appears later is shown by itself', async () => {
    mkdirSync(join(logdir, 'late'));
    for (const file of eventFiles(RECORDING)) cpSync(file, join(logdir, 'late', file.split('/').at(-1)));
    await settled(page);
    equal(await page.locator('button.run .name').first().textContent(), 'late', 'run');
    expect((await page.locator('button.series').count()) > 0, 'its layers are listed');
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();

  await check('a logdir that is not there yet is waited for', async () => {
    const missing = join(logdir, 'not', 'yet');
    const waiting = await startServer(['serve', missing]);
    const one = await open(browser, waiting.base);
    await one.page.getByText('The logdir does not exist yet').waitFor();
    equal(one.faults.join('; '), '', 'faults');
    await one.close();
    await waiting.stop();
  });
  rmSync(logdir, { recursive: true, force: true });
}

function eventFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && path.includes('tfevents'));
}
