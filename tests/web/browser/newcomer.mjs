// newcomer - somebody opens the chat page for the first time, says who he is, and something:
// `newcomer.mjs URL` ends when it is confirmed and on the page.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT, say, skip, texts, until } from './harness.mjs';

if (skip) throw new Error(skip);
const { chromium } = createRequire(join(ROOT, 'build/web/tests/'))('playwright-core');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
try {
  const page = await browser.newPage();
  await page.goto(process.argv[2]);
  await page.locator('#who .unproven').waitFor();
  await page.keyboard.type('Cleo');
  await page.keyboard.press('Enter');
  await page.locator('#my-name', { hasText: 'Cleo' }).waitFor();
  await say(page, 'Hello, I am new here');
  await until('it is confirmed', async () => (await texts(page)).includes('Hello, I am new here'));
} finally {
  await browser.close();
}
