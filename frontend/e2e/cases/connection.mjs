/** The server goes and comes back; a hidden tab keeps still. */
import { join } from 'node:path';
import { api, onKernel, open, queryOf, settled, stepShown } from '../browser.mjs';
import { check, equal, expect, SHOTS } from '../check.mjs';
import { startServer } from '../server.mjs';

export async function connectionCases(browser) {
  let server = await startServer(['demo', '--speed', '4']);
  const { base, port } = server;
  const { page, close } = await open(browser, base);
  await onKernel(page);
  await page.locator('.live[data-connection="open"]').waitFor();

  await check('a hidden tab asks for nothing, and catches up when it is back', async () => {
    await setHidden(page, true);
    await page.locator('.live[data-connection="paused"]').waitFor();
    const asked = [];
    const note = (request) => asked.push(request.url());
    page.on('request', note);
    await stepsLater(base, page);
    page.off('request', note);
    equal(asked.join(' '), '', 'requests while hidden');
    const before = await stepShown(page);
    await setHidden(page, false);
    await page.locator('.live[data-connection="open"]').waitFor();
    await page.waitForFunction((step) => Number(document.getElementById('step').value) > step, before);
  });

  await check('a lost connection shows, the last picture stays, and it heals', async () => {
    await server.stop();
    await page.locator('.note.lost').waitFor();
    expect(await page.locator('.sheet canvas').isVisible(), 'the picture stays');
    await page.screenshot({ path: join(SHOTS, 'lost.png') });
    server = await startServer(['demo', '--speed', '4'], port);
    await page.locator('.live[data-connection="open"]').waitFor();
    await page.locator('.note.lost').waitFor({ state: 'detached' });
    await settled(page);
    const step = await stepShown(page);
    await page.waitForFunction((before) => Number(document.getElementById('step').value) > before, step);
  });

  await check('a page whose server does not answer yet shows that, and heals', async () => {
    await page.route('**/api/v1/**', (route) => route.abort());
    await page.reload();
    await page.getByText('ConvScope does not answer').waitFor();
    await page.unrouteAll({ behavior: 'wait' });
    await settled(page);
  });

  await check('a page that can have no stream asks again, hears of steps, and is not lost', async () => {
    const once = await firstEvent(base);
    let asked = 0;
    await page.route('**/api/v1/live', async (route) => {
      asked += 1;
      const body = `${asked > 1 ? await firstEvent(base) : once}event:again\ndata:100\n\n`;
      await route.fulfill({ contentType: 'text/event-stream', body });
    });
    await page.addInitScript(() => {
      window.connections = [];
      new MutationObserver(() => {
        const { connection } = document.querySelector('.live')?.dataset ?? {};
        if (connection && window.connections.at(-1) !== connection) window.connections.push(connection);
      }).observe(document, { subtree: true, childList: true, attributes: true });
    });
    await page.reload();
    await settled(page);
    const before = await stepShown(page);
    await page.waitForFunction((step) => Number(document.getElementById('step').value) > step, before);
    while (asked < 5) await page.waitForTimeout(50);
    expect(!(await page.evaluate(() => window.connections)).includes('lost'), 'it never shows a loss');
    await page.unrouteAll({ behavior: 'wait' });
  });
  await close();
  await server.stop();
}

/** The event that every stream begins with. */
async function firstEvent(base) {
  const stopping = new AbortController();
  const response = await fetch(new URL('api/v1/live', base), { signal: stopping.signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of response.body) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes('\n\n')) break;
  }
  stopping.abort();
  return text.slice(0, text.indexOf('\n\n') + 2);
}

function setHidden(page, hidden) {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

/** Waits until the server has a later step than the page shows. */
async function stepsLater(base, page) {
  const shown = await stepShown(page);
  const query = await queryOf(page);
  for (;;) {
    const response = await api(base, `api/v1/steps?run=${query.get('run')}&tag=${query.get('tag')}`);
    if ((await response.json()).steps.at(-1) > shown) return;
    await new Promise((done) => setTimeout(done, 200));
  }
}
