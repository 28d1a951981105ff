// Whatever ends - a worker, the gateway, a link - nothing said on a page is lost or doubled.
import test from 'node:test';
import assert from 'node:assert/strict';
import { complaints, connected, person, say, shot, shows, skip, stage, texts, until } from './harness.mjs';

const state = (page) => page.locator('#state').getAttribute('data-state');
const notice = (page) => page.locator('#notice-words').textContent();

/* Says N things, one after the other, and calls at(i) before each. */
async function chats(page, name, n, at = () => {}) {
  const said = Array.from({ length: n }, (_, i) => `${name} ${i}`);
  for (const [i, text] of said.entries()) {
    await at(i);
    await say(page, text);
  }
  return said;
}

/* Without waiting for the next try. */
async function comeBack(page) {
  await page.evaluate(() => document.getElementById('retry').click());
  await connected(page);
}

/* Keeps every state that the page shows from now on. */
function remember(page) {
  return page.evaluate(() => {
    const element = document.getElementById('state');
    window.states = [];
    new MutationObserver(() => window.states.push(element.dataset.state)).observe(element, { attributes: true });
  });
}

test('nothing is lost and nothing doubled', { skip }, async (t) => {
  const { gateway, browser } = await stage(t);
  const ann = await person(browser, gateway, 'ann');
  const bob = await person(browser, gateway, 'bob');
  let all;

  await t.test('every worker is killed in turn while two people chat', async () => {
    const killed = [];
    const kill = async (i) => {
      if (i !== 5 && i !== 15) return;
      const pid = gateway.workers().find((one) => !killed.includes(one));
      killed.push(pid);
      process.kill(pid, 'SIGKILL');
    };
    await Promise.all([ann, bob].map(remember));
    const [a, b] = await Promise.all([chats(ann, 'ann', 25, kill), chats(bob, 'bob', 25)]);
    await until('all is there', async () => (await texts(ann)).length >= 50);
    all = await texts(ann);
    assert.deepEqual([...all].sort(), [...a, ...b].sort());
    assert.deepEqual(all.filter((text) => text.startsWith('ann')), a);
    assert.deepEqual(all.filter((text) => text.startsWith('bob')), b);
    await shows(bob, all, 'both see one order');
    for (const page of [ann, bob])
      assert.ok((await page.evaluate(() => window.states)).includes('offline'), 'each link was lost');
  });

  await t.test('without a gateway the page says so, and keeps what is written', async () => {
    await gateway.stop('SIGKILL');
    await until('ann is told', async () => (await state(ann)) === 'offline');
    assert.match(await ann.locator('#state-words').textContent(), /Not connected|Reconnecting…/);
    await until('the reason', async () => /cannot be reached/.test(await notice(ann)));
    assert.match(await notice(ann), /What you write is kept here/);
    assert.equal(await ann.locator('#room-about').textContent(), 'not connected');
    await say(ann, 'written alone');
    await say(ann, 'and again');
    assert.deepEqual(await ann.locator('.pending .text').allTextContents(), ['written alone', 'and again']);
    assert.deepEqual(await ann.locator('.pending .fate').allTextContents(), ['waiting to be sent', 'waiting to be sent']);
    assert.deepEqual(await texts(ann), all);
    await shot(ann, 'offline');
  });

  await t.test('when it is back all that waits is sent, once', async () => {
    await gateway.start();
    await Promise.all([ann, bob].map(comeBack));
    all.push('written alone', 'and again');
    for (const page of [ann, bob]) await shows(page, all);
    assert.equal(await ann.locator('.pending').count(), 0);
    assert.ok(await ann.locator('#notice').isHidden());
  });

  await t.test('a leaving gateway is told before it goes', async () => {
    await remember(ann);
    await gateway.stop('SIGTERM');
    await until('ann is told', async () => (await state(ann)) === 'offline' || (await state(ann)) === 'connecting');
    const states = await ann.evaluate(() => window.states);
    assert.equal(states[0], 'draining');
    assert.ok(states.includes('offline'));
    await say(ann, 'after the drain');
    await gateway.start();
    await Promise.all([ann, bob].map(comeBack));
    all.push('after the drain');
    for (const page of [ann, bob]) await shows(page, all);
  });

  await t.test('what was said is there for who comes later', async () => {
    const cleo = await person(browser, gateway, 'cleo');
    await until('the end of it', async () => (await texts(cleo)).length >= 50);
    await cleo.locator('.log:not([hidden])').evaluate((log) => (log.scrollTop = 0));
    await shows(cleo, all);
  });

  assert.deepEqual(complaints, []);
});
