/** Weights that a training saved anyway: steps, epochs and times, files that are replaced, and damaged ones. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiJson, open, pixels, queryOf, settled, sheet, stepShown, waitForStep } from '../browser.mjs';
import { check, equal, expect, near, SHOTS } from '../check.mjs';
import { FILE, noise, scalar, tensor, writeEvents } from '../event-file.mjs';
import { readNpy } from '../npy.mjs';
import { safetensors, save } from '../safetensors.mjs';
import { startServer } from '../server.mjs';

const SHAPE = [8, 3, 5, 5];
const elements = (seed) => noise(600, seed);

/** A small network as PyTorch names its parts; only `conv1.weight` can be drawn. */
const network = (seed) =>
  safetensors({
    'bn1.running_mean': { shape: [8], elements: noise(8, seed) },
    'bn1.weight': { shape: [8], elements: noise(8, seed) },
    'conv1.bias': { shape: [8], elements: noise(8, seed) },
    'conv1.weight': { shape: SHAPE, elements: elements(seed) },
  });

export async function checkpointCases(browser) {
  await steps(browser);
  await epochs(browser);
  await times(browser);
  await replaced(browser);
  await damaged(browser);
  await otherAxes(browser);
  await offered(browser);
  await kept(browser);
  await derived(browser);
}

/** Serves a logdir that `write` fills, for as long as `look` takes. What is overwritten while it is read may be busy or gone. */
async function served(browser, { write, look, query = '', mayBeBusy = false }) {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-saved-'));
  write(logdir);
  const server = await startServer(['serve', logdir]);
  const { page, faults, close } = await open(browser, server.base, query);
  await look({ page, logdir, base: server.base });
  const told = mayBeBusy ? faults.filter((fault) => !/404|503/.test(fault)) : faults;
  equal(told.join('; '), '', 'faults');
  await close();
  await server.stop();
  rmSync(logdir, { recursive: true, force: true });
}

const alt = (page) => sheet(page).getAttribute('aria-label');

/** That the picture on the stage is of these numbers, read from what the page downloads. */
async function isOf(page, base, seed) {
  const link = page.locator('.legend a[download$=".npy"]');
  const response = await fetch(new URL(await link.getAttribute('href'), base));
  const kernel = readNpy(await response.arrayBuffer());
  equal(kernel.shape.join('x'), SHAPE.join('x'), 'shape');
  const wanted = elements(seed);
  near(kernel.at(0, 0, 0, 0), wanted[0], 'first number');
  near(kernel.at(7, 2, 4, 4), wanted[599], 'last number');
}

async function steps(browser) {
  const write = (logdir) => {
    for (const step of [100, 200, 300]) save(join(logdir, `checkpoint-${step}`, 'model.safetensors'), network(step));
  };
  await check('checkpoints alone show the newest, without a click', () =>
    served(browser, {
      write,
      look: async ({ page, base }) => {
        await settled(page);
        equal(await stepShown(page), 300, 'step');
        await isOf(page, base, 300);
        expect((await alt(page)).startsWith('conv1.weight of run . at step 300: 8 filters'), await alt(page));
        await page.getByText('checkpoints (safetensors); the step is in the name').waitFor();
        await page.getByText('3 tensors not drawn').waitFor();
        equal(await page.locator('button.series').count(), 1, 'rows');
        await page.screenshot({ path: join(SHOTS, 'checkpoints.png') });
      },
    }),
  );
  await check('their steps are gone through like those of a log', () =>
    served(browser, {
      write,
      look: async ({ page, base }) => {
        await settled(page);
        const newest = await pixels(page);
        await page.locator('.track').press('ArrowLeft');
        await waitForStep(page, 200);
        await settled(page);
        expect((await pixels(page)) !== newest, 'another picture');
        await isOf(page, base, 200);
        equal(await page.locator('.track').getAttribute('aria-valuetext'), 'step 200, 2 of 3', 'track');
      },
    }),
  );
  await check('checkpoints beside a log belong to its run', () =>
    served(browser, {
      write: (logdir) => {
        writeEvents(join(logdir, 'train', FILE), scalar('loss', 0));
        save(join(logdir, 'checkpoints', 'model-40.safetensors'), network(40));
      },
      look: async ({ page }) => {
        await settled(page);
        equal(await page.locator('button.run[aria-current="true"] .name').textContent(), 'train', 'run');
        await page.getByText('likely of this run: train is the only run with events').waitFor();
      },
    }),
  );
}

async function epochs(browser) {
  const write = (logdir) => {
    for (const epoch of [1, 2, 3]) save(join(logdir, `epoch_${epoch}.safetensors`), network(epoch));
  };
  await check('epochs are said to be epochs, everywhere', () =>
    served(browser, {
      write,
      look: async ({ page, base }) => {
        await settled(page);
        expect((await alt(page)).includes(' at epoch 3: '), await alt(page));
        const track = page.locator('.track');
        equal(await track.getAttribute('aria-label'), 'Epoch', 'track');
        equal(await track.getAttribute('aria-valuetext'), 'epoch 3, 3 of 3', 'place on the track');
        await page.getByText('checkpoints (safetensors); the epoch is in the name').waitFor();
        equal(
          await page.locator('.legend a[download$=".npy"]').getAttribute('download'),
          'conv1.weight-epoch3.npy',
          'file',
        );
        await page.keyboard.press('d');
        await page.getByText('epoch 3 − epoch 1').waitFor();
        await settled(page);
        await page.keyboard.press('d');
        await page.keyboard.press('ArrowRight');
        await page.keyboard.press('Enter');
        await page.locator('.strip button[title="epoch 2"]').click();
        await waitForStep(page, 2);
        await settled(page);
        await isOf(page, base, 2);
        await page.locator('.charts').getByRole('slider', { name: 'norm over the epochs' }).waitFor();
        await page.screenshot({ path: join(SHOTS, 'epochs.png') });
        const said = await page.evaluate(wordsOfPage);
        const left = said.filter((words) => /\bsteps?\b/i.test(words));
        equal(left.join(' | '), '', 'where it says step');
      },
    }),
  );
}

/** What can be read, in sight or by a screen reader, except in the menus, which say what a choice means for any series. */
function wordsOfPage() {
  const names = ['title', 'aria-label', 'aria-valuetext', 'alt', 'placeholder', 'download'];
  const all = [...document.querySelectorAll('body *')].filter((element) => !element.closest('.menus'));
  return all.flatMap((element) => {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    return [...own.map((node) => node.data), ...names.map((name) => element.getAttribute(name) ?? '')];
  });
}

async function times(browser) {
  const [first, second] = [new Date(2026, 10, 27, 13, 4, 5), new Date(2026, 10, 27, 14, 0, 0)];
  const write = (logdir) => {
    for (const [name, time] of [
      ['best', first],
      ['last', second],
    ]) {
      save(join(logdir, `${name}.safetensors`), network(name.length + time.getHours()));
      utimesSync(join(logdir, `${name}.safetensors`), time, time);
    }
  };
  await check('without a number the time of the file is said', () =>
    served(browser, {
      write,
      look: async ({ page, base }) => {
        await settled(page);
        expect((await alt(page)).includes(' at 27 Nov 2026, 14:00:00: '), await alt(page));
        equal(await stepShown(page), second.getTime(), 'step');
        await page.locator('.track .from').getByText('13:04:05').waitFor();
        await page.screenshot({ path: join(SHOTS, 'times.png') });
        await page.locator('#step').selectOption('27 Nov 2026, 13:04:05');
        await page.waitForFunction(
          (wanted) => Number(document.getElementById('step').value) === wanted,
          first.getTime(),
        );
        await settled(page);
        await isOf(page, base, 17);
        equal((await queryOf(page)).get('step'), String(first.getTime()), 'step in the address');
        await page.getByText('no step or epoch is known, so the time is that of the file').waitFor();
      },
    }),
  );
}

async function replaced(browser) {
  await check('a file that is replaced is shown at once, and a new one as well', () =>
    served(browser, {
      write: (logdir) => save(join(logdir, 'checkpoint-100', 'model.safetensors'), network(1)),
      look: async ({ page, logdir, base }) => {
        await settled(page);
        await isOf(page, base, 1);
        const before = await pixels(page);
        // The link has the version of the tensor.
        const link = await page.locator('.legend a[download$=".npy"]').evaluate(({ href }) => href);
        save(join(logdir, 'checkpoint-100', 'model.safetensors'), network(2));
        await page.waitForFunction((before) => {
          const now = document.querySelector('.legend a[download$=".npy"]')?.href;
          return now !== undefined && now !== before;
        }, link);
        await settled(page);
        expect((await pixels(page)) !== before, 'another picture');
        await isOf(page, base, 2);
        save(join(logdir, 'checkpoint-200', 'model.safetensors'), network(3));
        await waitForStep(page, 200);
        await settled(page);
        await isOf(page, base, 3);
      },
    }),
  );
}

async function damaged(browser) {
  await check('a damaged checkpoint is told, and the others are shown', () =>
    served(browser, {
      write: (logdir) => {
        save(join(logdir, 'checkpoint-100', 'model.safetensors'), network(1));
        const bytes = network(2);
        bytes.write('}', 8);
        save(join(logdir, 'checkpoint-200', 'model.safetensors'), bytes);
      },
      look: async ({ page, base }) => {
        await settled(page);
        equal(await stepShown(page), 100, 'step');
        await isOf(page, base, 1);
        await page.getByRole('button', { name: '1 problem' }).click();
        const dialog = page.getByRole('dialog');
        equal(await dialog.locator('.problems h3').textContent(), 'checkpoint', 'what has it');
        const place = await dialog.locator('.problems small').textContent();
        expect(place.endsWith('/checkpoint-200/model.safetensors'), place);
        await page.screenshot({ path: join(SHOTS, 'bad-checkpoint.png') });
        const { problems } = await apiJson(base, 'api/v1/health');
        equal(problems.map(({ kind }) => kind).join(), 'bad_checkpoint', 'kinds');
      },
    }),
  );
}

/** One run has steps from events, the other epochs from checkpoints. */
async function otherAxes(browser) {
  await check('a step is not kept where epochs are counted, and not compared with one', () =>
    served(browser, {
      write: (logdir) => {
        const kernel = (step) => tensor('conv1.weight', step, SHAPE, elements(step));
        writeEvents(join(logdir, 'logged', FILE), kernel(1), kernel(2), kernel(30));
        for (const epoch of [1, 2, 3]) save(join(logdir, 'saved', `epoch_${epoch}.safetensors`), network(epoch));
      },
      query: 'run=logged&step=1',
      look: async ({ page }) => {
        await settled(page);
        equal(await stepShown(page), 1, 'step');
        await page.getByRole('button', { name: 'Compare with saved' }).click();
        await page.locator('.caption.other', { hasText: 'saved, epoch 3' }).waitFor();
        equal(await page.getByLabel('epoch to compare with').getAttribute('placeholder'), 'newest', 'what is open');
        await settled(page);
        await page.screenshot({ path: join(SHOTS, 'other-axis.png') });
        await page.getByRole('button', { name: 'Stop comparing' }).click();
        await page.locator('button.run', { hasText: 'saved' }).click();
        await waitForStep(page, 3);
        equal((await queryOf(page)).get('step'), null, 'step in the address');
        await page.locator('.track[aria-label="Epoch"]').waitFor();
      },
    }),
  );
}

async function offered(browser) {
  const project = mkdtempSync(join(tmpdir(), 'convscope-beside-'));
  const logdir = join(project, 'logs');
  for (const dir of [join(project, 'weights'), join(logdir, 'exp')]) mkdirSync(dir, { recursive: true });
  writeEvents(join(logdir, 'exp', FILE), scalar('loss', 1));
  for (const epoch of [1, 2, 3]) save(join(project, 'weights', `epoch_${epoch}.safetensors`), network(epoch));
  const server = await startServer(['serve', logdir]);
  const { page, faults, close } = await open(browser, server.base);
  await check('checkpoints beside a run are offered with the option that shows them', async () => {
    await page.getByText('run exp: 3 checkpoints at ../../weights/epoch_*.safetensors').waitFor();
    await page.getByText(`--checkpoints exp=${join(project, 'weights')}`, { exact: true }).waitFor();
    equal(await page.locator('button.series').count(), 0, 'nothing is followed by itself');
  });
  await check('a checkpoint without a convolution is listed with its count of tensors', async () => {
    save(join(logdir, 'exp', 'mlp.safetensors'), safetensors({ 'fc.bias': { shape: [4], elements: noise(4, 1) } }));
    await page.getByText('1 checkpoint without a convolution').first().click();
    await page.getByRole('cell', { name: 'a checkpoint of 1 tensor without a kernel of a convolution' }).waitFor();
  });
  equal(faults.join('; '), '', 'faults');
  await close();
  await server.stop();
  rmSync(project, { recursive: true, force: true });
}

/** A training overwrites its only checkpoint: all of it can be played afterwards. */
async function kept(browser) {
  const SAVES = 6;
  const saved = async (base, count) => {
    for (;;) {
      const { shelf } = await apiJson(base, 'api/v1/health');
      if (shelf?.saves === count) return;
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  await check('what a training overwrote is played from the shelf', () =>
    served(browser, {
      write: () => undefined,
      mayBeBusy: true,
      look: async ({ page, logdir, base }) => {
        const path = join(logdir, 'last.safetensors');
        for (let step = 1; step <= SAVES; step += 1) {
          const large = { shape: [64, 64, 5, 5], elements: noise(102_400, step) };
          const conv1 = { shape: SHAPE, elements: elements(step) };
          save(path, safetensors({ 'conv1.weight': conv1, 'conv9.weight': large }, { step: String(step) }));
          await saved(base, step);
        }
        await waitForStep(page, SAVES);
        await settled(page);
        await page.getByText(`5 of 6 saves kept on the shelf`).first().waitFor();
        await page.locator('.track').press('Home');
        for (let step = 1; step <= SAVES; step += 1) {
          await waitForStep(page, step);
          await settled(page);
          await isOf(page, base, step);
          await page.locator('.track').press('ArrowRight');
        }
        await page.locator('.track').press('Home');
        await waitForStep(page, 1);
        await page.keyboard.press('Space');
        await waitForStep(page, SAVES);
        await page.screenshot({ path: join(SHOTS, 'shelf.png') });
        await page.locator('button.series').filter({ hasText: '64→64' }).click();
        await page.getByText('5 saves not kept on the shelf, for which it is too large').first().waitFor();
        // Where the shelf is, and how large.
        await page.getByText(logdir).first().click();
        await page.getByText(/^Kernels of checkpoints are kept in .*6 saves, .* of at most 1.1 GB/).waitFor();
        await page.screenshot({ path: join(SHOTS, 'shelf-files.png') });
      },
    }),
  );
}

/** What two tensors give at once: the update between two checkpoints, and the weights beside their average. */
async function derived(browser) {
  const both = (seed) =>
    safetensors({
      'conv1.weight': { shape: SHAPE, elements: elements(seed) },
      'ema/conv1.weight': { shape: SHAPE, elements: elements(seed + 1000) },
    });
  await check('the update between checkpoints and the average of the weights are one click away', () =>
    served(browser, {
      write: (logdir) => {
        for (const step of [100, 200]) save(join(logdir, `checkpoint-${step}`, 'model.safetensors'), both(step));
      },
      look: async ({ page, base }) => {
        await page.locator('button.series').filter({ hasText: 'weight' }).first().click();
        await settled(page);
        await page.keyboard.press('d');
        await page.waitForURL(/minus_step=100/);
        await settled(page);
        await page.getByText('step 200 − step 100').first().waitFor();
        await page.getByRole('button', { name: 'Stop comparing' }).click();
        await page.getByRole('button', { name: 'compare with ema/conv1.weight' }).click();
        await page.waitForURL(/with_tag=ema/);
        await page.locator('.compare').waitFor();
        await settled(page);
        await page.screenshot({ path: join(SHOTS, 'average.png') });
        await page.getByRole('button', { name: 'difference', exact: true }).click();
        await page.waitForURL(/minus_tag=ema/);
        await settled(page);
        const { minus } = await apiJson(base, `api/v1/sheet/info?${await queryOf(page)}`);
        equal(`${minus.tag} ${minus.step}`, 'ema/conv1.weight 200', 'what is subtracted');
      },
    }),
  );
}
