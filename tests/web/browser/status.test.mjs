// The status page is true in every state, with scripts and without, and says when it is old.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CHROMIUM, complaints, DRIVER, FLAGS, ROOT, shot, skip, until } from './harness.mjs';
import { look, watched } from './healthd.mjs';

const LOAD = join(ROOT, 'build', process.env.MODE ?? 'release', 'tests/tools/load');
const headline = (page) => page.locator('#headline').textContent();
const reads = (page, words) => until(`the page reads "${words}"`, async () => (await headline(page)) === words);

/* So many clients of the gateway, that come again when they are lost. */
function clients(t, gateway, n) {
  const child = spawn(LOAD, ['idle', String(n), '--reconnect', `127.0.0.1:${gateway.port}`], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
}

/* What a page shows that a person has not to scroll for sideways. */
const is_narrow = (page) => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

test('the status page', { skip }, async (t) => {
  const { gateway, healthd } = await watched(t, { PARLEY_HANG_ACT_MS: '600000', PARLEY_DRAIN_SPREAD_MS: '4000' }, { PARLEY_HEALTH_HISTORY_S: '36' });
  const { chromium } = createRequire(DRIVER)('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.after(() => browser.close());
  const page = await look(browser, healthd);
  const phone = await look(browser, healthd, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
  const plain = await look(browser, healthd, { javaScriptEnabled: false });
  const wide = [];
  const everywhere = async (name, words) => {
    for (const one of [page, phone]) await reads(one, words);
    await until(`without scripts, "${words}"`, async () => {
      await plain.goto(healthd.url);
      return (await headline(plain)) === words;
    });
    if (!await is_narrow(phone)) wide.push(name);
    await shot(page, `status-${name}`);
    await shot(phone, `status-${name}-phone`);
  };

  await t.test('stopped: healthd alone answers, before any gateway', async () => {
    await everywhere('absent', 'Stopped: there is no gateway');
    assert.match(await page.locator('.reasons').textContent(), /does not exist/);
  });

  await t.test('ok: all is well, and how many are connected', async () => {
    await gateway.start();
    clients(t, gateway, 60);
    await reads(page, 'All is well');
    await until('60 clients', async () => /^60 /.test(await page.locator('#now-connections').textContent()));
    await everywhere('ok', 'All is well');
    assert.match(await plain.locator('#processes').textContent(), /worker 0.*worker 1.*sequencer/);
    assert.match(await page.title(), /^All is well – Parley$/);
  });

  await t.test('the chart grows with each sample', async () => {
    const path = () => page.locator('#chart-connections .line').getAttribute('d');
    const before = await path();
    await until('a longer line', async () => (await path()) !== before);
  });

  let pids;
  await t.test('degraded: one worker is stopped, and named', async () => {
    pids = gateway.workers();
    process.kill(pids[0], 'SIGSTOP');
    await reads(page, 'Degraded: clients are served');
    await until('it is named', async () => /worker \d hung/.test(await page.locator('.reasons').textContent()));
    await everywhere('degraded', 'Degraded: clients are served');
    await until('its row says so', async () => (await page.locator('#processes .state.error').allTextContents()).join() === 'hung');
  });

  await t.test('hung: nobody is served, and no number is guessed', async () => {
    process.kill(pids[1], 'SIGSTOP');
    await everywhere('hung', 'Hung: nobody is served');
    assert.match(await page.locator('#now-connections').textContent(), /^unknown/);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    await reads(page, 'All is well');
  });

  await t.test('what lost its stream says how old it is, and comes back', async () => {
    healthd.child.kill('SIGSTOP');
    await until('it says so', async () => page.locator('#lost').isVisible());
    assert.match(await page.locator('#link').textContent(), /Last seen \d+ s ago/);
    assert.match(await page.locator('#said').textContent(), /does not answer/);
    assert.match(await page.title(), /^Not known/);
    await shot(page, 'status-lost');
    healthd.child.kill('SIGCONT');
    await until('it is live', async () => !(await page.locator('#lost').isVisible()));
    await until('and says so', async () => /^Live/.test(await page.locator('#link').textContent()));
    await until('what it is like now', async () => /^All is well/.test(await page.title()));
  });

  await t.test('a healthd that starts again is found again', async () => {
    await healthd.stop();
    await until('it says so', async () => page.locator('#lost').isVisible());
    await healthd.start();
    await until('it is live', async () => !(await page.locator('#lost').isVisible()), 15000);
    await reads(page, 'All is well');
  });

  await t.test('draining: how many are left', async () => {
    const leaving = gateway.stop('SIGTERM');
    await reads(page, 'Draining: the gateway is leaving');
    await page.locator('#verdict progress').waitFor();
    assert.match(await page.locator('.progress').textContent(), /of \d+ clients gone/);
    await everywhere('draining', 'Draining: the gateway is leaving');
    await leaving;
  });

  await t.test('stopped: there is no gateway, and what happened stays', async () => {
    await everywhere('stopped', 'Stopped: there is no gateway');
    assert.match(await plain.locator('#incidents').textContent(), /drain/);
    await gateway.start();
    await reads(page, 'All is well');
    assert.match(await page.locator('#incidents').textContent(), /new gateway/);
  });

  await t.test('all of it fits 320 pixels', () => assert.deepEqual(wide, []));

  await t.test('nothing was loaded from elsewhere, and nothing complained', async () => {
    const urls = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    for (const url of urls) assert.ok(url.startsWith(healthd.url) || url.startsWith('data:'), url);
    assert.deepEqual(complaints, []);
  });
});
