// Two people chat: both see everything, in one order, as text, and what they missed is counted.
import test from 'node:test';
import assert from 'node:assert/strict';
import { complaints, person, say, shows, skip, stage, until } from './harness.mjs';

test('two pages chat with each other', { skip }, async (t) => {
  const { gateway, browser } = await stage(t);
  const ann = await person(browser, gateway, 'ann');
  const bob = await person(browser, gateway, 'bob');

  await t.test('each sees what both say, in one order', async () => {
    await say(ann, 'hello bob');
    await shows(bob, ['hello bob']);
    await say(bob, 'hello ann');
    for (const page of [ann, bob]) await shows(page, ['hello bob', 'hello ann']);
    assert.deepEqual(await ann.locator('.log:not([hidden]) .head b').allTextContents(), ['ann', 'bob']);
    assert.equal(await ann.locator('.pending').count(), 0);
  });

  await t.test('markup is shown as the text it is', async () => {
    await say(ann, '<img src=x onerror=alert(1)><b>bold</b>\nsecond line');
    await shows(bob, ['hello bob', 'hello ann', '<img src=x onerror=alert(1)><b>bold</b>\nsecond line']);
    assert.equal(await bob.locator('.text img, .text b').count(), 0);
  });

  await t.test('a room is joined by its name and is in the address', async () => {
    await bob.locator('#join-name').fill('kitchen & café');
    await bob.locator('#join-name').press('Enter');
    await bob.waitForFunction(() => document.getElementById('room-name').textContent === 'kitchen & café');
    assert.equal(new URL(bob.url()).hash, '#kitchen%20%26%20caf%C3%A9');
    await shows(bob, []);
  });

  await t.test('what is said in another room is counted until it is read', async () => {
    await say(ann, 'one');
    await say(ann, 'two');
    await bob.locator('#room-list a[aria-label="lobby, 2 unread"]').waitFor();
    assert.match(await bob.title(), /^\(2\)/);
    await bob.locator('#room-list a', { hasText: 'lobby' }).click();
    await bob.locator('#room-list a[aria-label="lobby"]').waitFor();
    await bob.locator('.rule.new').waitFor();
    assert.doesNotMatch(await bob.title(), /\(/);
  });

  await t.test('the rooms are there again after a reload', async () => {
    await bob.reload();
    await until('both rooms', async () => (await bob.locator('#room-list a').count()) === 2);
  });

  await t.test('a person who comes for the first time is asked for a name, and told what it is worth', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(gateway.url);
    await page.locator('#who .unproven').waitFor();
    await page.keyboard.type('Cleo');
    await page.keyboard.press('Enter');
    await page.locator('#my-name', { hasText: 'Cleo' }).waitFor();
    await say(page, 'I am new here');
    await until('ann sees it', async () => (await ann.locator('.text').allTextContents()).includes('I am new here'));
  });

  assert.deepEqual(complaints, []);
});
