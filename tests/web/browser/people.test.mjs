// Who is there and who is writing is shown while it is so, and not longer.
import test from 'node:test';
import assert from 'node:assert/strict';
import { backstage, complaints, connected, person, say, skip, stage, until } from './harness.mjs';

const names = (page) => page.locator('#people-list .name').allTextContents();
async function shown(page, wanted) {
  let got;
  const same = async () => JSON.stringify(got = await names(page)) === JSON.stringify(wanted);
  await until(`people ${wanted}`, same).catch(async (error) => {
    throw new Error(`${error.message}\nshown to ${await page.locator('#my-name').textContent()}: ${got}`);
  });
}

const typing = (page, words) => until(`"${words}"`, async () =>
  (await page.locator('#typing').textContent()).replace(/[\u2068\u2069]/g, '') === words);

test('people come, write and go', { skip }, async (t) => {
  const { gateway, browser } = await stage(t);
  const ann = await person(browser, gateway, 'ann');
  const bob = await person(browser, gateway, 'bob');
  const others = await backstage(browser, gateway);

  await t.test('who comes is shown to everybody, oneself too', async () => {
    for (const page of [ann, bob]) await shown(page, ['ann', 'bob']);
    await others.joins('cleo', 'lobby');
    for (const page of [ann, bob]) await shown(page, ['ann', 'bob', 'cleo']);
    assert.equal(await ann.locator('#room-about').textContent(), '3 people here');
    assert.equal(await ann.locator('#people-list li', { hasText: 'you' }).locator('.name').textContent(), 'ann');
  });

  await t.test('who writes is shown to the others, until it is said or given up', async () => {
    await bob.locator('#text').pressSequentially('hel');
    await typing(ann, 'bob is writing…');
    await others.types('cleo', 'lobby');
    await typing(ann, 'bob and cleo are writing…');
    await typing(bob, 'cleo is writing…');
    await bob.locator('#text').fill('');
    await typing(ann, 'cleo is writing…');
    await typing(ann, '');
    await bob.locator('#text').pressSequentially('hello');
    await typing(ann, 'bob is writing…');
    await bob.locator('#text').press('Enter');
    await typing(ann, '');
  });

  await t.test('who goes is gone', async () => {
    await others.goes('cleo');
    for (const page of [ann, bob]) await shown(page, ['ann', 'bob']);
    await bob.locator('#join-name').fill('den');
    await bob.locator('#join-name').press('Enter');
    await bob.evaluate(() => (location.hash = '#lobby'));
    await bob.waitForFunction(() => document.getElementById('room-name').textContent === 'lobby');
    await bob.locator('#leave').click();
    await shown(ann, ['ann']);
  });

  await t.test('no ghosts stay of a worker that was killed, and who was on it comes back', async () => {
    await bob.evaluate(() => (location.hash = '#lobby'));
    await shown(ann, ['ann', 'bob']);
    for (const pid of gateway.workers()) process.kill(pid, 'SIGKILL');
    await Promise.all([ann, bob].map(connected));
    for (const page of [ann, bob]) await shown(page, ['ann', 'bob']);
    await say(ann, 'still here');
  });

  await t.test('while not connected nobody is claimed to be there', async () => {
    await gateway.stop('SIGKILL');
    await until('ann is told', async () => (await ann.locator('#room-about').textContent()) === 'not connected');
    assert.ok(await ann.locator('#people-list.stale').count());
    assert.equal(await ann.locator('#people-count').textContent(), '');
  });

  assert.deepEqual(complaints, []);
});
