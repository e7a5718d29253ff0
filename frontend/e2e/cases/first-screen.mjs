/** Logs without tensors, runs without them beside others that have some, and very many runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiJson, open, queryOf, settled } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { FILE, histogram, noise, scalar, tensor, writeEvents } from '../event-file.mjs';
import { startServer } from '../server.mjs';

const KERNEL = [3, 3, 1, 8];
const kernel = (step) => tensor('conv1/kernel', step, KERNEL, noise(72, step + 1));

export async function firstScreenCases(browser) {
  await withoutTensors(browser);
  await nothingBeforeTheCure(browser);
  await scalarsAlone(browser);
  await runsWithoutTensors(browser);
  await runsThatCannotBeDrawn(browser);
  await manyRuns(browser);
  await kernelsThatComeLater(browser);
}

/** Serves a logdir that `write` fills, for as long as `look` takes. */
async function served(browser, { write, look, query = '', options = {} }) {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-first-'));
  write(logdir);
  const server = await startServer(['serve', logdir]);
  const { page, faults, close } = await open(browser, server.base, query, options);
  await look({ page, logdir, base: server.base });
  equal(faults.join('; '), '', 'faults');
  await close();
  await server.stop();
  rmSync(logdir, { recursive: true, force: true });
}

async function withoutTensors(browser) {
  const write = (logdir) => {
    for (const run of ['train', 'validation']) {
      const tags = ['epoch_loss', 'epoch_accuracy'].map((tag) => scalar(tag, 0));
      const histograms = run === 'train' ? ['conv2d/kernel_0', 'conv2d/bias_0'].map((tag) => histogram(tag, 0)) : [];
      writeEvents(join(logdir, run, FILE), ...tags, ...histograms);
    }
    for (const name of ['b', 'a', 'c', 'd']) writeFileSync(join(logdir, `${name}.pdparams`), '\x81\xa1a\x01');
  };
  await check('a log without tensors shows the cure first, with its own logdir in it', () =>
    served(browser, {
      write,
      look: async ({ page, logdir, base }) => {
        await page.getByText('No kernels or activations yet').waitFor();
        const code = page.locator('.recipes pre');
        await code.waitFor();
        const { recipes } = await apiJson(base, 'api/v1/recipes');
        for (const [button, withPackage] of [
          ['with the convscope package', true],
          ['without it', false],
        ]) {
          await page.getByRole('button', { name: button }).click();
          for (const recipe of recipes.filter((one) => one.with_package === withPackage)) {
            await page.getByRole('button', { name: recipe.framework, exact: true }).click();
            equal(await code.textContent(), recipe.code, `${recipe.framework} ${button}`);
            expect(recipe.code.includes(`"${logdir}"`), `the logdir stands in ${recipe.code}`);
          }
        }
        expect((await page.locator('.menus').count()) === 0, 'there are no menus of a picture');
      },
    }),
  );
  await check('what is there in the place of tensors is one line, unfolded on a click, and checkpoints are named', () =>
    served(browser, {
      write,
      look: async ({ page }) => {
        const line = page.getByText('4 tags: 2 scalars, 2 histograms');
        await line.waitFor();
        const table = page.locator('.skipped table');
        expect(!(await table.isVisible()), 'the tags are folded');
        const above = await page.locator('.recipes pre').boundingBox();
        expect(above.y + above.height < (await line.boundingBox()).y, 'the cure stands above');
        await page
          .getByText(
            '4 files here look like checkpoints of a kind that is not read: a.pdparams, b.pdparams, c.pdparams and 1 more',
          )
          .waitFor();
        await page.screenshot({ path: join(SHOTS, 'without-tensors.png') });
        await line.click();
        equal(await table.locator('tbody tr').count(), 6, 'rows, one for each run');
        await table.getByText('the tensor itself was not logged').first().waitFor();
      },
    }),
  );
}

/** Keeps in `window.said` all that stood in the page's main part, one after the other. */
function keepWhatIsSaid() {
  window.said = [];
  new MutationObserver(() => {
    const text = document.querySelector('.main')?.textContent.trim() ?? '';
    if (text !== '' && window.said.at(-1) !== text) window.said.push(text);
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** Answers come one behind the other, as from far away. */
async function slowed(page) {
  for (const list of ['runs', 'series', 'recipes', 'skipped', 'health']) {
    await page.route(`**/api/v1/${list}*`, async (route) => {
      const answer = await route.fetch();
      await page.evaluate(() => new Promise((told) => requestAnimationFrame(() => requestAnimationFrame(told))));
      await route.fulfill({ response: answer });
    });
  }
}

async function nothingBeforeTheCure(browser) {
  const look = async ({ page }) => {
    const cure = page.locator('.recipes pre');
    await cure.waitFor();
    await slowed(page);
    await page.addInitScript(keepWhatIsSaid);
    await page.reload();
    await cure.waitFor();
    const said = await page.evaluate(() => window.said);
    await page.unrouteAll({ behavior: 'wait' });
    const before = said.findIndex((text) => text.includes('log the tensors themselves'));
    equal(JSON.stringify(said.slice(0, before)), '[]', 'said before the cure');
  };
  await check('nothing is said before the cure of an empty logdir', () => served(browser, { write: () => {}, look }));
  await check('nothing is said before the cure of a log of scalars', () =>
    served(browser, { write: (logdir) => writeEvents(join(logdir, FILE), scalar('loss', 0)), look }),
  );
}

async function scalarsAlone(browser) {
  const write = (logdir) => writeEvents(join(logdir, 'train', FILE), scalar('loss', 0));
  const grown = (logdir, run, ...records) => writeEvents(join(logdir, run, `${FILE}.${Date.now()}`), ...records);
  await check('a log of scalars that grows is not listed again, and a new tag or run is', () =>
    served(browser, {
      write,
      look: async ({ page, logdir }) => {
        await page.getByText('1 tag: 1 scalar').waitFor();
        await page.getByText('1 record read').waitFor();
        const asked = [];
        page.on('request', (request) => asked.push(new URL(request.url()).pathname));
        const lists = () => asked.filter((path) => /runs|series/.test(path)).length;
        for (const step of [1, 2, 3]) {
          grown(logdir, 'train', scalar('loss', step));
          await page.getByText(`${step + 1} records read`).waitFor();
        }
        equal(lists(), 0, 'lists while nothing was new');
        expect(asked.filter((path) => path.endsWith('skipped')).length < 3, 'counts are asked for ever less');
        grown(logdir, 'train', scalar('accuracy', 1));
        await page.getByText('2 tags: 2 scalars').waitFor();
        grown(logdir, 'validation', scalar('loss', 1));
        await page.locator('button.run', { hasText: 'validation' }).waitFor();
        await page.getByText('2 tags: 2 scalars').click();
        equal(await page.locator('.skipped tbody tr').count(), 3, 'rows, one for each run');
        await page.locator('.skipped tr', { hasText: 'train / loss' }).filter({ hasText: '4 records' }).waitFor();
      },
    }),
  );
}

async function runsWithoutTensors(browser) {
  const write = (logdir) => {
    writeEvents(join(logdir, 'train', FILE), kernel(0), kernel(1));
    for (const run of ['validation', 'test']) writeEvents(join(logdir, run, FILE), scalar('epoch_loss', 1));
  };
  const isWhole = async (page) => {
    await settled(page);
    equal(await page.locator('button.series').count(), 1, 'layers');
    equal(await page.locator('.menus').count(), 1, 'menus');
    equal(await page.locator('footer.steps').count(), 1, 'step bars');
    equal((await queryOf(page)).get('run'), 'train', 'run');
  };
  await check('runs without tensors are folded, and one that is chosen keeps the page and says so', () =>
    served(browser, {
      write,
      look: async ({ page }) => {
        await settled(page);
        equal(await page.locator('.runs button.run:visible').count(), 1, 'runs in sight');
        await page.getByText('2 runs without tensors').click();
        await page.locator('button.run', { hasText: 'validation' }).click();
        await page.locator('.note', { hasText: '“validation” has no tensors; “train” stays on the page.' }).waitFor();
        await isWhole(page);
        await page.screenshot({ path: join(SHOTS, 'run-without-tensors.png') });
      },
    }),
  );
  await check('a link to a run without tensors shows one that has some, and says so', () =>
    served(browser, {
      write,
      query: 'run=validation&tag=conv1/kernel',
      look: async ({ page }) => {
        await page.locator('.note', { hasText: '“validation” has no tensors; shown instead: “train”.' }).waitFor();
        await isWhole(page);
      },
    }),
  );
  await check('a run whose tensors have no picture keeps the page, and another one is a click away', () =>
    served(browser, {
      write: (logdir) => {
        write(logdir);
        writeEvents(join(logdir, 'biases', FILE), tensor('conv1/bias', 0, [8], noise(8)));
      },
      query: 'run=train',
      look: async ({ page }) => {
        await settled(page);
        await page.locator('button.run', { hasText: 'biases' }).click();
        await page.getByText('Nothing in run “biases” can be drawn').waitFor();
        equal(await page.locator('.menus').count(), 1, 'menus');
        equal(await page.locator('.sheet').count(), 0, 'pictures of another run');
        await page.getByText('1 tensor not drawn').waitFor();
        await page.locator('button.run', { hasText: 'train' }).click();
        await isWhole(page);
      },
    }),
  );
  await check('a run leaves the fold once its first tensor is written', () =>
    served(browser, {
      write,
      look: async ({ page, logdir }) => {
        await settled(page);
        writeEvents(join(logdir, 'test', FILE), scalar('epoch_loss', 1), kernel(2));
        await page.getByText('1 run without tensors').waitFor();
        await page.locator('button.run:visible', { hasText: 'test' }).waitFor();
      },
    }),
  );
}

const MANY = 120;
const nameOf = (number) =>
  `tf-event-files/20170709_resnet18_${number % 2 ? 'a' : 'b'}_long_name_with_batch128_lr${String(number).padStart(4, '0')}/train`;

/** The newest run may hold tensors, none of which can be drawn. */
async function runsThatCannotBeDrawn(browser) {
  const write = (logdir) => {
    writeEvents(join(logdir, 'older', FILE), kernel(0));
    writeEvents(join(logdir, 'newest', FILE), tensor('conv1/bias', 100, [8], noise(8)));
  };
  await check('the page opens on a run of which something can be drawn', () =>
    served(browser, {
      write,
      look: async ({ page, base }) => {
        const { runs } = await apiJson(base, 'api/v1/runs');
        const times = Object.fromEntries(runs.map((run) => [run.run, run.last_wall_time]));
        expect(times.newest > times.older, 'the one without pictures is the newest');
        await settled(page);
        equal((await queryOf(page)).get('run'), 'older', 'run');
        equal(await page.locator('.note').count(), 0, 'notes');
      },
    }),
  );
  await check('and on the one that a link names, which says why there is nothing', () =>
    served(browser, {
      write,
      query: 'run=newest',
      look: async ({ page }) => {
        await page.getByText('Nothing in run “newest” can be drawn').waitFor();
        equal((await queryOf(page)).get('run'), 'newest', 'run');
      },
    }),
  );
}

async function manyRuns(browser) {
  const write = (logdir) => {
    for (let number = 0; number < MANY; number++) writeEvents(join(logdir, nameOf(number), FILE), kernel(0));
  };
  await check('of many runs the chosen one is in sight, and what tells them apart', () =>
    served(browser, {
      write,
      query: `run=${nameOf(97)}`,
      look: async ({ page }) => {
        await settled(page);
        await page.getByText('tf-event-files/20170709_resnet18_…/train').waitFor();
        const chosen = await page.locator('button.run[aria-current="true"]').boundingBox();
        const list = await page.locator('.runs .scrolled').boundingBox();
        expect(
          chosen.y >= list.y - 0.5 && chosen.y + chosen.height <= list.y + list.height + 0.5,
          'the chosen run is in sight',
        );
        const ends = await page.locator('button.run .name').evaluateAll((names) =>
          names.map((name) => {
            const tail = name.querySelector('.tail');
            return tail.getBoundingClientRect().right <= name.getBoundingClientRect().right + 0.5 && tail.textContent;
          }),
        );
        equal(new Set(ends).size, MANY, 'different ends of names, none of them cut');
        equal(await page.locator('.which').getAttribute('title'), nameOf(97), 'the name beside the picture');
        await page.screenshot({ path: join(SHOTS, 'many-runs.png') });
      },
    }),
  );
  await check('the list of runs has the height that the layers leave', () =>
    served(browser, {
      write,
      look: async ({ page }) => {
        await settled(page);
        const runs = await page.locator('.runs').boundingBox();
        const layers = await page.locator('.layers').boundingBox();
        const both = await page.locator('.both').boundingBox();
        expect(Math.abs(runs.height + layers.height - both.height) < 1.5, 'nothing below the lists is free');
        expect(runs.height > layers.height, `${runs.height} pixels of runs, ${layers.height} of one layer`);
      },
    }),
  );
}

/** What the page chose by itself while there was no kernel is not what a person came to see; what a person chose is. */
async function kernelsThatComeLater(browser) {
  const maps = tensor('conv1/activation', 0, [1, 12, 12, 8], noise(1152, 1));
  const write = (logdir) => writeEvents(join(logdir, 'train', FILE), maps);
  const writeLater = (logdir) => writeEvents(join(logdir, 'train', `${FILE}.later`), kernel(1), kernel(2));
  const shown = async (page) => (await queryOf(page)).get('tag');
  await check('a kernel that comes later takes the place of what the page chose', () =>
    served(browser, {
      write,
      look: async ({ page, logdir }) => {
        await settled(page);
        equal(await shown(page), 'conv1/activation', 'tag before');
        writeLater(logdir);
        await page.waitForFunction(() => new URLSearchParams(location.search).get('tag') === 'conv1/kernel');
        await settled(page);
      },
    }),
  );
  await check('so does the kernel of a convolution after one of a dense layer', () =>
    served(browser, {
      write: (logdir) => writeEvents(join(logdir, 'train', FILE), tensor('head/kernel', 0, [64, 10], noise(640, 1))),
      look: async ({ page, logdir }) => {
        await settled(page);
        equal(await shown(page), 'head/kernel', 'tag before');
        writeLater(logdir);
        await page.waitForFunction(() => new URLSearchParams(location.search).get('tag') === 'conv1/kernel');
        await settled(page);
      },
    }),
  );
  await check('and leaves what a person has chosen', () =>
    served(browser, {
      write,
      look: async ({ page, logdir }) => {
        await settled(page);
        await page.locator('button.series').click();
        writeLater(logdir);
        await page.locator('button.series').nth(1).waitFor();
        await settled(page);
        equal(await shown(page), 'conv1/activation', 'tag');
      },
    }),
  );
}
