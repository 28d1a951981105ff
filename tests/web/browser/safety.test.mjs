// Whatever others say, and whatever is kept in the browser, the page stays itself.
import test from 'node:test';
import assert from 'node:assert/strict';
import { backstage, complaints, connected, person, say, shows, skip, stage, texts, until } from './harness.mjs';

const EVIL = '<img src=x onerror="evil = 1">';
const TURNED = '\u202eturned\u2066';
const harmless = async (page) => {
  assert.equal(await page.evaluate(() => window.evil), undefined);
  assert.equal(await page.locator('img').count(), 1, 'the one of the page itself');
  assert.equal(await page.locator('script').count(), 1);
};
const goTo = async (page, room) => {
  await page.locator('#join-name').fill(room);
  await page.locator('#join-name').press('Enter');
  await page.waitForFunction((name) => document.getElementById('room-name').textContent === name, room);
};

test('others cannot harm the page', { skip }, async (t) => {
  const { gateway, browser } = await stage(t);
  const others = await backstage(browser, gateway);
  const ann = await person(browser, gateway, 'ann');

  await t.test('names, rooms and bodies are text, whatever they are', async () => {
    const bodies = [{ text: EVIL }, EVIL, 7, null, true, [1, [2]], {}, { text: 5 }, { text: null }, { text: { length: 3 } },
      { html: EVIL }, { text: '' }, { text: 'a\u0000b\u0007' }, { text: 'javascript:evil=1' }];
    const shown = bodies.map((body) => typeof body?.text === 'string' ? body.text : JSON.stringify(body));
    await others.says(EVIL, 'lobby', bodies);
    await shows(ann, shown);
    await others.types(EVIL, 'lobby');
    await ann.locator('#typing', { hasText: 'onerror' }).waitFor();
    assert.equal(await ann.locator('#people-list .name').first().textContent(), EVIL);
    await harmless(ann);
  });

  await t.test('a room may have any name', async () => {
    for (const [i, room] of [`">${EVIL}`, '__proto__', 'constructor', '%', 'token=x', '#', '..', TURNED].entries()) {
      await goTo(ann, room);
      await connected(ann);
      await say(ann, `said ${i}`);
      await shows(ann, [`said ${i}`]);
      assert.equal(await ann.locator('#room-list a[aria-current]').getAttribute('aria-label'), room);
    }
    await ann.reload();
    await connected(ann);
    assert.equal(await ann.locator('#room-list a').count(), 9);
    await harmless(ann);
  });

  await t.test('a name that no room may have is told, not sent', async () => {
    for (const [name, problem] of [['ä'.repeat(33), /too long/], ['a\u0085b', /cannot be shown/]]) {
      await ann.locator('#join-name').fill(name);
      await ann.locator('#join-name').press('Enter');
      assert.match(await ann.locator('#join-problem').textContent(), problem);
    }
    await ann.locator('#join-name').fill('');
    await ann.evaluate(() => (location.hash = `#${'x'.repeat(65)}`));
    await ann.locator('.log:not([hidden]) .note', { hasText: 'cannot be entered' }).waitFor();
    await say(ann, 'into nothing');
    await ann.locator('.pending[data-state=failed]', { hasText: 'not in this room' }).waitFor();
    await ann.locator('#leave').click();
  });

  await t.test('a text that is very long is folded, one that is too long is not sent', async () => {
    await goTo(ann, 'long');
    await connected(ann);
    await say(ann, 'word '.repeat(8000));
    await ann.locator('.message:not(.pending) .unfold').waitFor();
    const height = () => ann.locator('.log:not([hidden]) .message .text').first().evaluate((text) => text.clientHeight);
    assert.ok(await height() < 400);
    await ann.locator('.unfold').click();
    assert.ok(await height() > 4000);
    await ann.locator('#text').fill('x'.repeat(66000));
    await ann.locator('#text').press('Enter');
    await ann.locator('.pending[data-state=failed] .fate', { hasText: 'too long' }).waitFor();
    await ann.getByRole('button', { name: 'Discard' }).click();
    assert.equal(await ann.locator('.pending').count(), 0);
    assert.equal(await ann.locator('#state').getAttribute('data-state'), 'online');
  });

  await t.test('half a letter is sent as what UTF-8 makes of it, and stops nothing', async () => {
    await goTo(ann, 'half');
    await connected(ann);
    await ann.locator('#text').evaluate((text) => (text.value = 'half \ud83d a letter'));
    await ann.locator('#text').press('Enter');
    await say(ann, 'next');
    await shows(ann, ['half \ufffd a letter', 'next']);
  });

  await t.test('no script but the page\'s own runs, and nobody else is talked to', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(gateway.url);
    const tried = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.evil = 1';
      const image = document.createElement('p');
      image.innerHTML = '<img src="data:," onerror="window.evil = 2">';
      document.body.append(script, image);
      const calls = [() => fetch('http://127.0.0.2:9/'), () => fetch('data:,x')];
      const refused = [];
      for (const call of calls)
        refused.push(await Promise.resolve().then(call).then(() => 'allowed', () => 'refused'));
      return { evil: String(window.evil), refused };
    });
    assert.deepEqual(tried, { evil: 'undefined', refused: ['refused', 'refused'] });
  });

  assert.deepEqual(complaints, []);
});

test('what is kept in the browser is not relied on', { skip }, async (t) => {
  const { gateway, browser } = await stage(t, { PARLEY_ROOMS_PER_LINK_MAX: '8' });
  const open = async (prepare) => {
    const page = await (await browser.newContext()).newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.addInitScript(prepare);
    await page.goto(gateway.url);
    return page;
  };
  const enterAs = async (page, name) => {
    await page.locator('#who-name').fill(name);
    await page.locator('#who-name').press('Enter');
    await connected(page);
  };

  await t.test('a browser that keeps nothing is asked for the name, and chats', async () => {
    const page = await open(() => Object.defineProperty(window, 'localStorage', {
      get() { throw new DOMException('forbidden', 'SecurityError'); },
    }));
    await enterAs(page, 'bob');
    await say(page, 'hello');
    await shows(page, ['hello']);
  });

  await t.test('nonsense in it does no harm', async () => {
    const page = await open('');
    for (const nonsense of ['{', '5', 'null', '"\\u0001"', '[null, 7, {}]', '{"lobby":"x","__proto__":{}}']) {
      await page.evaluate((value) => {
        for (const key of ['name', 'rooms', 'read']) localStorage.setItem(`parley.${key}`, value);
        location.reload();
      }, nonsense);
      await page.locator('#who[open]').waitFor();
      await enterAs(page, 'bob');
      await until('the room', async () => (await texts(page)).includes('hello'));
    }
  });

  await t.test('more rooms than one may be in are told, the others work', async () => {
    const page = await open(() => {
      localStorage.setItem('parley.name', '"bob"');
      localStorage.setItem('parley.rooms', JSON.stringify(Array.from({ length: 12 }, (_, i) => `room ${i}`)));
    });
    await connected(page);
    assert.equal(await page.locator('#room-list a').count(), 12);
    await page.evaluate(() => (location.hash = '#room 11'));
    await page.locator('.log:not([hidden]) .note', { hasText: 'cannot be entered' }).waitFor();
    await page.evaluate(() => (location.hash = '#room 0'));
    await say(page, 'here');
    await shows(page, ['here']);
  });

  assert.deepEqual(complaints, []);
});
