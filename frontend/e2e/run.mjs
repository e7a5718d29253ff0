/**
 * The page in a real browser, against the real program.
 *
 * CONVSCOPE_BIN names the program (else ../target/debug/convscope), CHROMIUM the browser (else /usr/bin/chromium).
 * Pictures of what was seen are left in e2e/shots.
 */
import { launch } from './browser.mjs';
import { addressCases } from './cases/address.mjs';
import { conclusionCases } from './cases/conclusions.mjs';
import { connectionCases } from './cases/connection.mjs';
import { emptyCases } from './cases/empty.mjs';
import { lookingCases } from './cases/looking.mjs';
import { narrowCases } from './cases/narrow.mjs';
import { pictureCases } from './cases/pictures.mjs';
import { ruleCases } from './cases/rules.mjs';
import { troubleCases } from './cases/trouble.mjs';
import { finish } from './check.mjs';

const browser = await launch();
const all = [
  lookingCases,
  addressCases,
  narrowCases,
  emptyCases,
  troubleCases,
  conclusionCases,
  pictureCases,
  ruleCases,
  connectionCases,
];
for (const cases of all) await cases(browser);
await browser.close();
process.exit(finish() ? 0 : 1);
