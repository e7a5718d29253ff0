/**
 * The page in a real browser, against the real program.
 *
 * CONVSCOPE_BIN names the program (else ../target/debug/convscope), CHROMIUM the browser (else /usr/bin/chromium).
 * A name, as in `npm run e2e -- number`, runs the cases that begin with it. Pictures of what was seen are left in e2e/shots.
 */
import { launch } from './browser.mjs';
import { addressCases } from './cases/address.mjs';
import { checkpointCases } from './cases/checkpoints.mjs';
import { choiceCases } from './cases/choices.mjs';
import { conclusionCases } from './cases/conclusions.mjs';
import { connectionCases } from './cases/connection.mjs';
import { emptyCases } from './cases/empty.mjs';
import { firstScreenCases } from './cases/first-screen.mjs';
import { frameCases } from './cases/frames.mjs';
import { lookingCases } from './cases/looking.mjs';
import { narrowCases } from './cases/narrow.mjs';
import { numberCases } from './cases/numbers.mjs';
import { pictureCases } from './cases/pictures.mjs';
import { ruleCases } from './cases/rules.mjs';
import { runCases } from './cases/runs.mjs';
import { sheetCases } from './cases/sheet.mjs';
import { siteCases } from './cases/sites.mjs';
import { troubleCases } from './cases/trouble.mjs';
import { finish } from './check.mjs';

const browser = await launch();
const all = [
  lookingCases,
  choiceCases,
  numberCases,
  runCases,
  addressCases,
  narrowCases,
  emptyCases,
  firstScreenCases,
  sheetCases,
  troubleCases,
  conclusionCases,
  pictureCases,
  frameCases,
  checkpointCases,
  ruleCases,
  connectionCases,
  siteCases,
];
const wanted = process.argv[2];
for (const cases of all.filter((one) => !wanted || one.name.startsWith(wanted))) await cases(browser);
await browser.close();
process.exit(finish() ? 0 : 1);
