/** Makes the picture of docs/tensorboard.md: node tensorboard_picture.mjs TENSORBOARD_URL PNG */
import { launch, settled } from '../../frontend/e2e/browser.mjs';

const [base, target] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(`${base}#convscope&p.convscope.tag=conv1%2Fkernel&p.convscope.tile=9`);
const handle = await page.frameLocator('iframe[src*="name=convscope"]').locator('iframe').elementHandle();
const frame = await handle.contentFrame();
await settled(frame);
await frame.locator('.values td').first().waitFor();
await page.waitForTimeout(1000);
await page.screenshot({ path: target });
await browser.close();
