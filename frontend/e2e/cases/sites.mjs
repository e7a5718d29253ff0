/** A page of another site: its links open ours, its pictures and frames get nothing. 127.0.0.1 and localhost are two sites. */
import { createServer } from 'node:http';
import { open, settled } from '../browser.mjs';
import { check, equal, expect } from '../check.mjs';
import { FRONTEND, startServer } from '../server.mjs';

const LOGDIR = `${FRONTEND}/../tests/fixtures/recipe_tf1`;
const SHEET = 'api/v1/sheet?tag=conv1/weights&step=0';

/** A server of one page, whose body is made anew for each request. */
async function elsewhere(body, host = 'localhost') {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><meta charset="utf-8">${body()}`);
  });
  await new Promise((done) => server.listen(0, host, done));
  return { base: `http://${host}:${server.address().port}/`, stop: () => server.close() };
}

/** Whether a picture at this address is shown within the page. */
const isShown = (page, src) =>
  page.evaluate(
    (address) =>
      new Promise((done) => {
        const image = new Image();
        image.onload = () => done(true);
        image.onerror = () => done(false);
        image.src = address;
      }),
    src,
  );

/** What stands in the frame: our page with a picture, or the browser's own page in place of what it was sent. */
async function inFrame(page) {
  const handle = await page.locator('iframe').elementHandle();
  const frame = await handle.contentFrame();
  const found = await frame.waitForFunction(() => {
    if (location.href.startsWith('chrome-error')) return 'nothing';
    return document.querySelector('.sheet canvas') ? 'the page' : '';
  });
  return found.jsonValue();
}

export async function siteCases(browser) {
  let body = '';
  const other = await elsewhere(() => body);

  await check(
    'a link on another site opens the page, and a picture there does not tell what is in the log',
    async () => {
      const server = await startServer(['serve', LOGDIR]);
      const link = `${server.base}?tag=conv1%2Fweights&step=0`;
      body = `<a href="${link}">look</a>`;
      const { page, close } = await open(browser, other.base);
      expect(!(await isShown(page, server.base + SHEET)), 'a picture of the log');
      expect(!(await isShown(page, `${server.base}favicon.svg`)), 'a picture of the page');
      await page.getByText('look').click();
      await settled(page);
      equal(new URL(page.url()).origin, new URL(server.base).origin, 'where the link leads');
      expect(await isShown(page, SHEET), 'a picture of the log in the page itself');
      await close();
      await server.stop();
    },
  );

  await check(
    'a link on another site opens the page for one who gave the token before, and with the token',
    async () => {
      const server = await startServer(['serve', LOGDIR, '--token', 's3cret']);
      const query = 'tag=conv1%2Fweights&step=0';
      body = `<a href="${server.base}?${query}">look</a> <a href="${server.base}?token=s3cret&${query}">with the token</a>`;
      const { page, close } = await open(browser, other.base);
      await page.getByText('look').click();
      await page.getByText('asks for a token').waitFor();
      await page.goto(other.base);
      await page.getByText('with the token').click();
      await settled(page);
      expect(!page.url().includes('s3cret'), 'the address does not show the token');
      await page.goto(other.base);
      await page.getByText('look').click();
      await settled(page);
      await close();
      await server.stop();
    },
  );

  await check('a frame on another site shows the page only where it was allowed', async () => {
    const closed = await startServer(['serve', LOGDIR]);
    const opened = await startServer(['serve', LOGDIR, '--allow-frame', new URL(other.base).origin]);
    const stranger = await startServer(['serve', LOGDIR, '--allow-frame', 'http://localhost:1']);
    for (const [server, expected] of [
      [closed, 'nothing'],
      [opened, 'the page'],
      [stranger, 'nothing'],
    ]) {
      body = `<iframe src="${server.base}?tag=conv1%2Fweights" width="1200" height="800"></iframe>`;
      const { page, close } = await open(browser, other.base);
      equal(await inFrame(page), expected, 'in the frame');
      await close();
      await server.stop();
    }
  });

  await check('a frame at another port of this host shows neither the page nor a picture', async () => {
    const server = await startServer(['serve', LOGDIR]);
    const neighbour = await elsewhere(() => body, '127.0.0.1');
    const unspecified = server.base.replace('127.0.0.1', '0.0.0.0');
    for (const address of [
      `${server.base}?tag=conv1%2Fweights`,
      server.base + SHEET,
      `${server.base}api/v1/runs`,
      `${server.base}nothing`,
      unspecified + SHEET,
    ]) {
      body = `<iframe src="${address}" width="1200" height="800"></iframe>`;
      const { page, close } = await open(browser, neighbour.base);
      equal(await inFrame(page), 'nothing', address);
      await close();
    }
    neighbour.stop();
    await server.stop();
  });
  other.stop();
}
