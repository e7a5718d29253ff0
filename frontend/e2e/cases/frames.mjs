/** Animated pictures: every frame a tile, opened, moved over, played, and taken away as a film. Pillow says what they show. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, pointOf, settled, sheet } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { apngFrames } from '../film.mjs';
import { FRONTEND, startServer } from '../server.mjs';
import { choose } from './looking.mjs';

const ANIMATIONS = join(FRONTEND, '../tests/fixtures/animations');
const OF = 8;

export async function frameCases(browser) {
  const server = await startServer(['serve', ANIMATIONS]);
  const { page, faults, close } = await open(browser, server.base, 'run=gif&tag=parts');
  const heading = (words) => page.getByRole('heading', { name: words, exact: true });

  await check('an animated picture is a sheet of its frames, which are said to be frames', async () => {
    await settled(page);
    expect(
      (await sheet(page).getAttribute('aria-label')).startsWith(`parts of run gif at step 0: ${OF} frames`),
      'alt',
    );
    await page.getByText('[8, 11, 14, 3], 8 frames').waitFor({ state: 'attached' });
  });

  await check('an opened frame says which of how many it is, and shows what Pillow shows', async () => {
    const info = await (await fetch(`${server.base}api/v1/sheet/info?run=gif&tag=parts`)).json();
    const point = await pointOf(page, info.tiles[0], 3, 3);
    await page.mouse.click(point.x, point.y);
    await heading(`frame 1 of ${OF}`).waitFor();
    await page.keyboard.press('ArrowRight');
    await heading(`frame 2 of ${OF}`).waitFor();
    for (const number of [6, 5, OF]) {
      await page.getByRole('slider', { name: 'Frame' }).fill(String(number));
      await heading(`frame ${number} of ${OF}`).waitFor();
      equal(await shown(page), truth(number), `pixels of frame ${number}`);
    }
    await page.screenshot({ path: join(SHOTS, 'frames.png') });
  });

  await check('the frames play round and round until one pauses them', async () => {
    await page.getByRole('button', { name: 'Play the frames' }).click();
    await heading(`frame 1 of ${OF}`).waitFor();
    await heading(`frame 3 of ${OF}`).waitFor();
    await page.getByRole('button', { name: 'Pause the frames' }).click();
    await page.getByRole('button', { name: 'Play the frames' }).click();
    await page.getByLabel('Close (Esc)').click();
    await page.locator('.tile').waitFor({ state: 'detached' });
    expect((await page.locator('.frames').count()) === 0, 'nothing plays on');
  });

  await check('a sheet of some frames says so, and its field takes others', async () => {
    const all = page.url();
    await page.goto(`${server.base}?run=gif&tag=parts&frames=1-8/3`);
    await settled(page);
    const says = (words) =>
      page.waitForFunction((words) => document.querySelector('.sheet canvas').ariaLabel.includes(words), words);
    await says('step 0: 3 of 8 frames');
    const info = await (await fetch(`${server.base}api/v1/sheet/info?run=gif&tag=parts&frames=1-8/3`)).json();
    const point = await pointOf(page, info.tiles[1], 3, 3);
    await page.mouse.click(point.x, point.y);
    await heading(`frame 4 of ${OF}`).waitFor();
    equal(await shown(page), truth(4), 'pixels of frame 4');
    const field = page.getByRole('textbox', { name: 'Frames of the sheet' });
    equal(await field.inputValue(), '1-7/3', 'which frames');
    await field.fill('5-6');
    await field.press('Enter');
    await says('step 0: 2 of 8 frames');
    await heading(`frame 5 of ${OF}`).waitFor();
    equal(new URL(page.url()).searchParams.get('frames'), '5-6', 'the address');
    await page.getByRole('button', { name: 'Next frame' }).click();
    await heading(`frame 6 of ${OF}`).waitFor();
    await page.goto(all);
    await settled(page);
  });

  await check('a film over frames has a picture for each of them', async () => {
    await page.getByRole('button', { name: 'film', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Film' });
    equal(await dialog.getByRole('combobox').first().inputValue(), 'frames', 'one step has nothing else to show');
    const link = async () =>
      new URL(await dialog.getByRole('link', { name: 'Download' }).getAttribute('href'), page.url());
    const all = Buffer.from(await (await fetch(await link())).arrayBuffer());
    equal(apngFrames(all), OF, 'frames of the film');
    await dialog.getByLabel('from frame').fill('3');
    const some = await link();
    equal(some.searchParams.get('stamp'), 'frame', 'stamp');
    equal(apngFrames(Buffer.from(await (await fetch(some)).arrayBuffer())), OF - 2, 'frames from the third on');
    await dialog.getByLabel('from frame').fill('9');
    await dialog.getByText(`frames are numbered from 1 to ${OF}`).waitFor();
    await dialog.getByLabel('Close').click();
  });

  await check('steps may have other numbers of frames', async () => {
    await page.locator('button.run', { hasText: 'steps' }).first().click();
    await choose(page, 'fewer');
    await settled(page);
    expect(/step 2: 1 image /.test(await sheet(page).getAttribute('aria-label')), 'the last step is a still');
    await page.keyboard.press('[');
    await page.waitForFunction(() => /step 1: 3 frames/.test(document.querySelector('.sheet canvas').ariaLabel));
    await page.keyboard.press('[');
    await page.waitForFunction(() => /step 0: 4 frames/.test(document.querySelector('.sheet canvas').ariaLabel));
    await choose(page, 'several/image');
    await settled(page);
    await sheet(page).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await heading('image 0, frame 1 of 3').waitFor();
    equal(faults.join('; '), '', 'faults');
  });
  await close();
  await server.stop();
}

/** The pixels of the opened tile, row by row, in RGB. */
async function shown(page) {
  const rgba = await page.locator('.large canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return Array.from(data);
  });
  return rgba.filter((_, at) => at % 4 !== 3).join(' ');
}

/** Those of a frame as Pillow shows it, out of the array beside the log. */
function truth(number) {
  const file = readFileSync(join(ANIMATIONS, 'truth/gif/parts__0.npy'));
  const start = 10 + file.readUInt16LE(8);
  const size = (file.length - start) / OF;
  return Array.from(file.subarray(start + (number - 1) * size, start + number * size)).join(' ');
}
