/** A real Chromium, and what the cases look at in the page. */
import { chromium } from 'playwright-core';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Long enough for a loaded machine: it only ends a hang. */
export const HANG_MS = 60_000;

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
}

/**
 * Opens an address in a context of its own. `faults` gathers what must not happen: errors in the console or of the
 * page, requests to another host, answers of 400 and more.
 */
export async function open(browser, base, query = '', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(HANG_MS);
  const faults = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`page: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(base) && !/^(blob|data):/.test(request.url()))
      faults.push(`foreign: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto(base + (query === '' ? '' : `?${query}`));
  return { page, faults, close: () => context.close() };
}

/** One of the choices above the stage, by its label. */
export const menu = (page, label) => page.locator('.menus').getByLabel(label);

export const sheet = (page) => page.locator('.sheet:not(.other) canvas');

/** Waits until the picture on the stage is the one that is wished for, and what it is of has arrived. */
export async function settled(page) {
  await sheet(page).waitFor();
  await page.waitForFunction(() => document.querySelector('.stage')?.getAttribute('aria-busy') === 'false');
}

/**
 * The page's own query, once it is written: the page does so 200 ms after a choice, and of two timers of the same
 * length the one that was set first ends first.
 */
export async function queryOf(page) {
  await page.evaluate(() => new Promise((done) => setTimeout(done, 200)));
  return new URL(page.url()).searchParams;
}

/** Waits for the first kernel: the demo is written while it is looked at, and its first record is the input. */
export async function onKernel(page) {
  await page.waitForFunction(() => /conv1/.test(document.querySelector('.sheet canvas')?.ariaLabel ?? ''));
  await settled(page);
}

export const stepShown = async (page) => Number(await page.locator('#step').inputValue());

export const waitForStep = (page, step) =>
  page.waitForFunction((wanted) => Number(document.getElementById('step')?.value) === wanted, step);

/** A short sum of the pixels on the stage: equal sums are equal pictures for a test's purpose. */
export function pixels(page) {
  return page.evaluate(() => {
    const canvas = document.querySelector('.sheet canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let hash = 2166136261;
    for (const byte of data) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
    return `${canvas.width}x${canvas.height} ${hash}`;
  });
}

/** The same sum of a picture fetched and decoded apart from the page. */
export function pixelsOf(page, path) {
  return page.evaluate(async (address) => {
    const bitmap = await createImageBitmap(await (await fetch(address)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let hash = 2166136261;
    for (const byte of data) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
    return `${bitmap.width}x${bitmap.height} ${hash}`;
  }, path);
}

/** The same sum of a PNG file in base64. A content policy may forbid to fetch it as an address. */
export function pixelsOfPng(page, base64) {
  return page.evaluate(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let hash = 2166136261;
    for (const byte of data) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
    return `${bitmap.width}x${bitmap.height} ${hash}`;
  }, base64);
}

/** A point in the middle of a pixel of a tile, in the window's coordinates. */
export async function pointOf(page, tile, row, col) {
  const box = await sheet(page).boundingBox();
  const width = await sheet(page).evaluate((canvas) => canvas.width);
  const zoom = box.width / width;
  return { x: box.x + (tile.x + col + 0.5) * zoom, y: box.y + (tile.y + row + 0.5) * zoom };
}

/** The numbers that the tip shows. */
export async function tipNumbers(page) {
  await page.waitForFunction(() => /\d/.test(document.querySelector('.tip .value')?.textContent ?? ''));
  const texts = await page.locator('.tip .value').evaluate((value) => {
    const parts = [...value.querySelectorAll(':scope > span')];
    return (parts.length > 0 ? parts : [value]).map((part) => part.textContent);
  });
  return texts.map((text) => Number(text.replace(/^[RGB]\s*/, '').replace(/−/g, '-')));
}

export async function api(base, path) {
  const response = await fetch(base + path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}

export const apiJson = async (base, path) => (await api(base, path)).json();
