// The status page can be read by everybody, stays where it is while it is read, and goes on
// where there is no stream for it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { CHROMIUM, complaints, contrasts, DRIVER, FLAGS, skip, until } from './harness.mjs';
import { look, watched } from './healthd.mjs';

const as_of = (page) => page.locator('#as-of').textContent();
const reads = (page, words) => until(`the page reads "${words}"`, async () => (await page.locator('#headline').textContent()) === words);

/* Until the page has been told of so many seconds more. */
async function ticks(page, n) {
  for (let i = 0; i < n; i++) {
    const before = await as_of(page);
    await until('another second', async () => (await as_of(page)) !== before, 10000);
  }
}

/* Where everything is. */
const places = (page) => page.evaluate(() => [...document.querySelectorAll('section, figure, h2, tr, footer')]
  .map((e) => e.getBoundingClientRect()).map(({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ')));

test('everybody can read the status page', { skip }, async (t) => {
  const { gateway, healthd } = await watched(t, { PARLEY_HANG_ACT_MS: '600000' }, { PARLEY_HEALTH_HISTORY_S: '36', PARLEY_CANARY_INTERVAL_MS: '0', PARLEY_AUDIT_INTERVAL_MS: '0' });
  await gateway.start();
  const { chromium } = createRequire(DRIVER)('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.after(() => browser.close());
  const page = await look(browser, healthd);
  const legible = async () => {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await contrasts(page), [], colorScheme);
    }
  };
  await reads(page, 'All is well');

  await t.test('text has contrast enough, by day and by night, when all is well', legible);

  /* On a busy machine something may: a store that is slow for a moment is an incident. */
  await t.test('nothing moves while nothing happens', async () => {
    const happened = async () => [await page.locator('#headline').textContent(), await page.locator('.reasons li').count(),
      await page.locator('.incidents li').count(), await page.locator('#lost').isVisible()].join();
    await until('three seconds in which nothing happened', async () => {
      const [what, before] = [await happened(), await places(page)];
      await ticks(page, 3);
      const after = await places(page);
      if (await happened() !== what) return false;
      assert.deepEqual(after, before);
      return true;
    }, 30000);
  });

  await t.test('focus and selection stay through what comes', async () => {
    await page.locator('footer a').first().focus();
    await page.evaluate(() => getSelection().selectAllChildren(document.querySelector('#processes tbody th')));
    const before = await page.evaluate(() => String(getSelection()));
    await ticks(page, 2);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), '/health');
    assert.equal(await page.evaluate(() => String(getSelection())), before);
    assert.match(before, /worker 0/);
  });

  await t.test('a change is said to who listens, and nothing else is', async () => {
    /* Of what was so from the start nothing is said; that it became well may have been. */
    assert.match(await page.locator('#said').textContent(), /^(All is well)?$/);
    const pids = gateway.workers();
    process.kill(pids[0], 'SIGSTOP');
    await reads(page, 'Degraded: clients are served');
    await until('it is said', async () => (await page.locator('#said').textContent()) === 'Degraded: clients are served');
    await legible();
    process.kill(pids[1], 'SIGSTOP');
    await reads(page, 'Hung: nobody is served');
    await legible();
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    await reads(page, 'All is well');
  });

  await t.test('headings, regions and the table have names', async () => {
    assert.deepEqual(await page.locator('h1').allTextContents(), ['Parley status']);
    for (const name of ['Processes', 'Last incidents', 'Last deaths', 'All is well'])
      assert.equal(await page.getByRole('region', { name, exact: true }).count(), 1, name);
    assert.equal(await page.getByRole('columnheader').count(), 5);
    assert.equal(await page.getByRole('rowheader').count(), 3);
    assert.equal(await page.getByRole('img').count(), 3);
    await page.setViewportSize({ width: 360, height: 700 }); /* the table is laid out anew */
    assert.equal(await page.getByRole('rowheader').count(), 3);
  });

  await t.test('without scripts the page comes again by itself', async () => {
    const plain = await look(browser, healthd, { javaScriptEnabled: false });
    const before = await as_of(plain);
    await until('it came again', async () => (await as_of(plain).catch(() => before)) !== before, 12000);
  });

  await t.test('where there are too many streams the page asks now and then, and says so', async () => {
    await healthd.stop();
    healthd.settings.PARLEY_HEALTH_STREAMS_MAX = '0';
    await healthd.start();
    const late = await look(browser, healthd);
    await until('it says so', async () => /^Every 5 s/.test(await late.locator('#link').textContent()), 10000);
    const before = await as_of(late);
    await until('it was told', async () => (await as_of(late)) !== before, 12000);
    assert.ok(await late.locator('#lost').isHidden());
  });

  await t.test('nothing complained', () => assert.deepEqual(complaints, []));
});
