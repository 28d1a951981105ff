// status_screenshots - the pictures of the status page: `make screenshots`.
//
// A real gateway under a little load, which some things happen to; the last minutes take
// the place of the last hour. Two are the README's (healthd/web/screenshots), the others lie
// in build/web/screenshots.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CHROMIUM, DRIVER, FLAGS, ROOT, SHOTS, skip, until } from './harness.mjs';
import { look, watched } from './healthd.mjs';

const README = join(ROOT, 'healthd/web/screenshots');
const LOAD = join(ROOT, 'build', process.env.MODE ?? 'release', 'tests/tools/load');
const hooks = [];
const t = { after: (hook) => hooks.push(hook) };
const stop = async () => {
  for (const hook of hooks.reverse()) await hook();
};

const reads = (page, words) => until(`the page reads "${words}"`, async () => (await page.locator('#headline').textContent()) === words, 20000);

/* So long as the chart has no such share of what can be seen. */
const filled = (page, samples) => until('a chart with something in it', async () => {
  const path = await page.locator('#chart-connections .line').getAttribute('d');
  const from = Number(/^M(\d+)/.exec(path)?.[1] ?? 360);
  return 360 - from >= samples;
}, 60000);

function load(...words) {
  const child = spawn(LOAD, words.map(String), { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
}

async function picture(page, folder, name, options = {}) {
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', ...options });
}

async function main() {
  if (skip) return console.log(`no pictures: ${skip}`);
  mkdirSync(README, { recursive: true });
  mkdirSync(SHOTS, { recursive: true });
  const { gateway, healthd } = await watched(t, { PARLEY_HANG_ACT_MS: '600000', PARLEY_WORKERS: '3',
    PARLEY_RATE_MESSAGES: '0', PARLEY_RATE_BYTES: '0', PARLEY_RATE_USER_MESSAGES: '0', PARLEY_RATE_USER_BYTES: '0' }, { PARLEY_HEALTH_HISTORY_S: '60' });
  await gateway.start();
  const { chromium } = createRequire(DRIVER)('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.after(() => browser.close());
  const desk = await look(browser, healthd, { viewport: { width: 1120, height: 1000 }, deviceScaleFactor: 1.2, colorScheme: 'light' });
  const phone = await look(browser, healthd, { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true, colorScheme: 'dark' });
  const address = `127.0.0.1:${gateway.port}`;
  for (const n of [45, 60, 35]) {
    load('idle', n, '--reconnect', '--room', `quiet ${n}`, address);
    await filled(desk, n);
  }
  let n = 0;
  const talk = setInterval(() => load('room', 6, 100 + Math.floor(900 * Math.random()), 2, '--room', `talk ${n++}`, address), 900);
  t.after(() => clearInterval(talk));
  await filled(desk, 180);
  process.kill(gateway.workers()[0], 'SIGKILL');
  await until('it is replaced', () => gateway.workers().length === 3);
  await filled(desk, 300);
  await reads(phone, 'All is well');
  await picture(phone, README, 'dark-phone');
  const hung = gateway.workers()[1];
  process.kill(hung, 'SIGSTOP');
  await reads(desk, 'Degraded: clients are served');
  await until('how it hangs is known', async () => /stopped/.test(await desk.locator('.reasons').textContent()));
  await picture(desk, README, 'light-desktop');
  await picture(desk, SHOTS, 'status-long', { fullPage: true });
  await picture(phone, SHOTS, 'status-phone-long', { fullPage: true });
  process.kill(hung, 'SIGCONT');
}

await main().finally(stop);
