/** Cases run one after another; a failure leaves a picture behind and the rest go on. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FRONTEND } from './server.mjs';

export const SHOTS = join(FRONTEND, 'e2e/shots');
mkdirSync(SHOTS, { recursive: true });

let passed = 0;
let failed = 0;

export async function check(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n        ${String(error?.stack ?? error).replaceAll('\n', '\n        ')}`);
  }
}

/** Prints the closing line; true where nothing failed and something ran. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

export function expect(truth, words) {
  if (!truth) throw new Error(words);
}

export function equal(actual, expected, words) {
  if (actual !== expected)
    throw new Error(`${words}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`);
}

/** Equal to four significant digits. */
export function near(actual, expected, words) {
  const allowed = Math.max(Math.abs(expected) * 5.1e-4, 1e-12);
  if (!(Math.abs(actual - expected) <= allowed)) throw new Error(`${words}: expected ${expected}, found ${actual}`);
}
