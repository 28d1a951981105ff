// What was said before is had by scrolling, however much it is, and the page stays small.
import test from 'node:test';
import assert from 'node:assert/strict';
import { backstage, complaints, connected, person, say, shows, skip, stage, texts, until } from './harness.mjs';

const MANY = 1200;
const UNLIMITED = { PARLEY_RATE_MESSAGES: '0', PARLEY_RATE_USER_MESSAGES: '0' };
const log = (page) => page.locator('.log:not([hidden])');
const scrollTo = (page, where) => log(page).evaluate((view, at) => (view.scrollTop = at === 'end' ? view.scrollHeight : 0), where);
const numbered = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);
const bodies = (from, to) => numbered(from, to).map((text) => ({ text }));

/* Where the message stands on the screen, in pixels from the top of the log. */
const placeOf = (page, text) => log(page).evaluate((view, wanted) => {
  const found = [...view.querySelectorAll('.text')].find((one) => one.textContent === wanted);
  return found.getBoundingClientRect().top - view.getBoundingClientRect().top;
}, text);

test('history is had by scrolling', { skip }, async (t) => {
  const { gateway, browser } = await stage(t, UNLIMITED);
  const others = await backstage(browser, gateway);
  await others.says('bob', 'long', bodies(1, MANY));
  const ann = await person(browser, gateway, 'ann', { room: 'long' });

  await t.test('one begins at the end', async () => {
    await until('the newest', async () => (await texts(ann)).at(-1) === `number ${MANY}`);
    assert.ok((await texts(ann)).length <= 200);
  });

  await t.test('what is read stays where it is while more comes above it', async () => {
    await until('a whole page', async () => (await texts(ann)).length >= 50);
    const first = (await texts(ann))[0];
    await scrollTo(ann, 'top');
    await until('more', async () => (await texts(ann))[0] !== first);
    const place = await placeOf(ann, first);
    assert.ok(place >= -80 && place < 200, `${first} went to ${place}`);
  });

  await t.test('all of it can be had, in order, up to where the room begins', async () => {
    await until('the beginning', async () => {
      await scrollTo(ann, 'top');
      return /begins here/.test(await ann.locator('.log:not([hidden]) .history').textContent());
    }, 15000);
    await shows(ann, numbered(1, MANY));
  });

  await t.test('who reads further up is not torn away, and is told of what is new', async () => {
    await others.says('bob', 'long', bodies(MANY + 1, MANY + 2));
    await ann.locator('#to-end', { hasText: '2 new messages' }).waitFor();
    assert.ok(await log(ann).evaluate((view) => view.scrollTop < 2000));
  });

  await t.test('back at the end the page is small again, and what went can be had again', async () => {
    await ann.locator('#to-end').click();
    await until('less', async () => (await texts(ann)).length <= 500);
    assert.equal((await texts(ann)).at(-1), `number ${MANY + 2}`);
    assert.ok(await ann.locator('#to-end').isHidden());
    await scrollTo(ann, 'top');
    await until('more', async () => (await texts(ann)).length > 500);
    await shows(ann, numbered(MANY + 3 - (await texts(ann)).length, MANY + 2));
  });

  await t.test('much that was missed while away comes in order, once', async () => {
    await scrollTo(ann, 'end');
    await ann.context().setOffline(true);
    await ann.evaluate(() => dispatchEvent(new Event('offline')));
    await others.says('bob', 'long', bodies(MANY + 3, 2 * MANY));
    await ann.context().setOffline(false);
    await connected(ann);
    await until('the newest', async () => (await texts(ann)).at(-1) === `number ${2 * MANY}`, 15000);
    const got = await texts(ann);
    assert.deepEqual(got, numbered(2 * MANY + 1 - got.length, 2 * MANY));
    await say(ann, 'and here I am');
    await until('said', async () => (await texts(ann)).at(-1) === 'and here I am');
  });

  assert.deepEqual(complaints, []);
});

test('history that cannot be had is told, and asked for again without haste', { skip }, async (t) => {
  const { gateway, browser } = await stage(t);
  const others = await backstage(browser, gateway);
  await others.says('bob', 'away', bodies(1, 3));
  const page = await (await browser.newContext()).newPage();
  let asked = 0, away = true;
  await page.routeWebSocket(/\/chat/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { op, ref } = JSON.parse(text);
      if (op === 'history') asked++;
      if (op === 'history' && away) socket.send(JSON.stringify({ op: 'error', ref, code: 'unavailable', message: 'no store' }));
      else server.send(text);
    });
  });
  await page.addInitScript(() => localStorage.setItem('parley.name', '"ann"'));
  await page.goto(`${gateway.url}#away`);
  await page.locator('.log:not([hidden]) .history', { hasText: 'cannot be had now' }).waitFor();
  await say(page, 'still works');
  await until('said', async () => (await texts(page)).includes('still works'));
  assert.ok(asked <= 3, `asked ${asked} times`);
  away = false;
  await shows(page, [...numbered(1, 3), 'still works']);
});

test('history that is not kept any more is told, not hidden', { skip }, async (t) => {
  const { gateway, browser } = await stage(t, { PARLEY_RETAIN_MESSAGES: '20', ...UNLIMITED });
  const others = await backstage(browser, gateway);
  await others.says('bob', 'short', bodies(1, 300));
  await until('it is gone', async () => (await others.history('bob', 'short')).first === 281, 60000);
  const ann = await person(browser, gateway, 'ann', { room: 'short' });
  await ann.locator('.log:not([hidden]) .history', { hasText: 'no longer kept' }).waitFor();
  await shows(ann, numbered(281, 300));
});
