/**
 * The page in a real browser, against the real program.
 *
 * CONVSCOPE_BIN names the program (else ../target/debug/convscope), CHROMIUM the browser (else /usr/bin/chromium).
 * Pictures of what was seen are left in e2e/shots.
 */
import { launch } from './browser.mjs';
import { addressCases } from './cases/address.mjs';
import { connectionCases } from './cases/connection.mjs';
import { emptyCases } from './cases/empty.mjs';
import { lookingCases } from './cases/looking.mjs';
import { narrowCases } from './cases/narrow.mjs';
import { troubleCases } from './cases/trouble.mjs';
import { finish } from './check.mjs';

const browser = await launch();
for (const cases of [lookingCases, addressCases, narrowCases, emptyCases, troubleCases, connectionCases])
  await cases(browser);
await browser.close();
process.exit(finish() ? 0 : 1);
