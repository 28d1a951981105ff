// Where a token is wanted the page takes one, keeps it to itself, and says what it cannot do with it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { complaints, connected, person, say, shows, skip, stage, until } from './harness.mjs';

const url = (data) => Buffer.from(data).toString('base64url');
const in_s = (seconds) => Math.floor(Date.now() / 1000) + seconds;

/* A gateway that wants tokens, and sign(claims) to make them. */
async function guarded(t) {
  const secret = randomBytes(32), dir = mkdtempSync(join(tmpdir(), 'parley-web-key.'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'key'), `HS256:${secret.toString('base64')}\n`, { mode: 0o600 });
  const on = await stage(t, { PARLEY_AUTH: 'jwt', PARLEY_JWT_KEY_FILE: join(dir, 'key'), PARLEY_JWT_LEEWAY_S: '0' });
  const sign = (claims, key = secret) => {
    const signed = `${url('{"alg":"HS256"}')}.${url(JSON.stringify({ exp: in_s(600), ...claims }))}`;
    return `${signed}.${url(createHmac('sha256', key).update(signed).digest())}`;
  };
  return { ...on, sign };
}

/* As if for the first time. */
async function visit(page, address) {
  await page.goto('about:blank');
  await page.goto(address);
}

async function give(page, token) {
  await page.locator('#who[open] #who-name').fill(token);
  await page.locator('#who-name').press('Enter');
}

test('a page with a token', { skip }, async (t) => {
  const { gateway, browser, sign } = await guarded(t);
  const goods = sign({ sub: 'ann' });
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));

  await t.test('takes it from the address, and leaves it nowhere', async () => {
    await visit(page, `${gateway.url}#token=${goods}&room=tea%20room`);
    await connected(page);
    assert.equal(await page.locator('#my-name').textContent(), 'ann');
    assert.equal(await page.locator('#room-name').textContent(), 'tea room');
    assert.equal(new URL(page.url()).hash, '#tea%20room');
    await say(page, 'hello');
    await shows(page, ['hello']);
    const left = await page.evaluate(async () => [location.href, document.cookie, JSON.stringify(history.state),
      JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.documentElement.outerHTML,
      ...[...document.querySelectorAll('input, textarea')].map((input) => input.value),
      JSON.stringify(await indexedDB.databases()), JSON.stringify(await caches.keys().catch(() => []))].join('\n'));
    assert.ok(!left.includes(goods.slice(-20)));
  });

  await t.test('asks for it, and tells what is none', async () => {
    await visit(page, gateway.url);
    await page.locator('#who[open]', { hasText: 'This server wants a token' }).waitFor();
    assert.ok(await page.locator('#who .unproven').isHidden(), 'names are proven here');
    await give(page, 'not a token');
    await page.locator('#who-problem', { hasText: 'not a token' }).waitFor();
    await give(page, goods);
    await connected(page);
    assert.equal(await page.locator('#who-name').inputValue(), '');
  });

  await t.test('says that it is not let in, and takes another one', async () => {
    await visit(page, `${gateway.url}#token=${sign({ sub: 'ann' }, randomBytes(32))}&room=den`);
    await page.locator('#notice-words', { hasText: 'does not let you in' }).waitFor();
    await until('it waits', async () => (await page.locator('#state').getAttribute('data-state')) === 'offline');
    await page.evaluate((hash) => (location.hash = hash), `#token=${goods}&room=den`);
    await connected(page);
    assert.equal(new URL(page.url()).hash, '#den');
  });

  await t.test('asks anew when it has ended; what was written meanwhile is sent then', async () => {
    await visit(page, `${gateway.url}#token=${sign({ sub: 'ann', exp: in_s(3) })}&room=clock`);
    await connected(page);
    await page.locator('#who[open]', { hasText: 'Your token has ended' }).waitFor();
    await page.locator('#who-cancel').click();
    await say(page, 'meanwhile');
    await page.locator('.pending', { hasText: 'waiting to be sent' }).waitFor();
    await until('the dialog', async () => {
      await page.evaluate(() => document.getElementById('me').click());
      return page.locator('#who[open]').count();
    });
    await give(page, goods);
    await connected(page);
    await shows(page, ['meanwhile']);
  });

  await t.test('never says as one what another has written', async () => {
    await visit(page, `${gateway.url}#token=${sign({ sub: 'ann', exp: in_s(3) })}&room=swap`);
    await connected(page);
    await page.locator('#who[open]').waitFor();
    await page.locator('#who-cancel').click();
    await say(page, 'this is ann');
    await page.evaluate((hash) => (location.hash = hash), `#token=${sign({ sub: 'bob' })}&room=swap`);
    await page.locator('#who[open]', { hasText: 'This server wants a token' }).waitFor();
    await give(page, sign({ sub: 'bob' }));
    await connected(page);
    await say(page, 'this is bob');
    await shows(page, ['this is bob']);
  });

  await t.test('tells which rooms it does not open', async () => {
    const rooms = { join: ['den', 'board'], send: ['den'] };
    await visit(page, `${gateway.url}#token=${sign({ sub: 'cleo', parley: rooms })}&room=den`);
    await connected(page);
    await page.evaluate(() => (location.hash = '#elsewhere'));
    await page.locator('.log:not([hidden]) .note', { hasText: 'cannot be entered' }).waitFor();
    await page.evaluate(() => (location.hash = '#board'));
    await connected(page);
    await say(page, 'may I?');
    await page.locator('.log:not([hidden]) .pending[data-state=failed]', { hasText: 'not sent' }).waitFor();
  });

  assert.deepEqual(complaints, []);
});

test('a gateway that is full is told as such, and one gets in when there is room', { skip }, async (t) => {
  const { gateway, browser } = await stage(t, { PARLEY_CONNECTIONS_MAX: '1' });
  const ann = await person(browser, gateway, 'ann');
  const bob = await (await browser.newContext()).newPage();
  await bob.addInitScript(() => localStorage.setItem('parley.name', '"bob"'));
  await bob.goto(gateway.url);
  await bob.locator('#notice-words', { hasText: 'takes nobody in now' }).waitFor();
  await ann.context().close();
  await connected(bob);
});
