/** What the page says that each tensor is, and why: against the truth that lies beside the fixture logs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiJson, open, settled } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { FRONTEND, startServer } from '../server.mjs';
import { choose } from './looking.mjs';

const FIXTURES = join(FRONTEND, '../tests/fixtures');

export async function conclusionCases(browser) {
  await ofLog(browser, 'keras_tf2', 'train', { tag: 'conv1/kernel', words: ['Conv2D', 'from the logged'] });
  await ofLog(browser, 'recipe_tf1', '.', {
    tag: 'conv1/weights',
    words: ['Conv2D 5×5, stride 1, same padding', 'relu', '64 outputs', '5×5 of the input', 'from the logged graph'],
  });
}

/** Opens a fixture and compares every row with its manifest, and the details of one series with what the API says. */
async function ofLog(browser, folder, run, { tag, words }) {
  const server = await startServer(['serve', join(FIXTURES, folder)]);
  const { page, faults, close } = await open(browser, server.base, `run=${run}`);
  await settled(page);

  await check(`${folder}: every row has the role and the layout that were logged`, async () => {
    for (const truth of manifest(folder, run)) {
      const row = page.locator(`button.series[title^="${truth.tag},"]`);
      const badges = await row
        .locator('.badge')
        .evaluateAll((all) =>
          all.map((badge) => `${badge.querySelector('svg.icon') ? 'icon ' : ''}${badge.textContent.trim()}`),
        );
      const expected = [`icon ${truth.role}`, `icon ${truth.layout}`];
      equal(
        badges
          .slice(0, 2)
          .join(', ')
          .replaceAll(/\? \(a guess\)/g, ''),
        expected.join(', '),
        truth.tag,
      );
    }
  });

  await check(`${folder}: the details say how surely and why, and what the layer does`, async () => {
    await choose(page, tag);
    const details = page.locator('.details');
    await details.waitFor();
    const { series } = await apiJson(server.base, `api/v1/series?run=${encodeURIComponent(run)}`);
    const own = series.find((one) => one.tag === tag);
    const text = await details.textContent();
    for (const from of [own.role_from, own.layout_from]) {
      expect(text.includes(`${from.confidence}: ${from.evidence}`), `“${from.evidence}” is in “${text}”`);
    }
    for (const word of words) expect(text.includes(word), `“${word}” is in “${text}”`);
    await settled(page);
    await page.screenshot({ path: join(SHOTS, `conclusions-${folder}.png`) });
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
}

/** The drawable tensors of a run by the one who logged them, one line a tag. */
function manifest(folder, run) {
  const lines = JSON.parse(readFileSync(join(FIXTURES, folder, 'manifest.json'), 'utf8'));
  const tags = new Map(lines.filter((line) => line.run === run && line.layout).map((line) => [line.tag, line]));
  if (tags.size < 3) throw new Error(`${folder} has but ${tags.size} tensors with a layout`);
  return tags.values();
}
