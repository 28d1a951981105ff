// The page is usable by keyboard alone, by ear, with weak eyes, and on a small screen.
import test from 'node:test';
import assert from 'node:assert/strict';
import { complaints, contrasts, person, say, shot, shows, skip, stage } from './harness.mjs';

const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  return e.id || e.className || e.getAttribute('href') || e.textContent.trim();
});

test('everybody can use the page', { skip }, async (t) => {
  const { gateway, browser } = await stage(t);
  const ann = await person(browser, gateway, 'ann');
  await say(ann, 'first');
  await shows(ann, ['first']);

  await t.test('Tab goes through everything in the order of the screen', async () => {
    await ann.locator('#skip').focus();
    const order = [await focused(ann)];
    for (let i = 0; i < 8; i++) {
      await ann.keyboard.press('Tab');
      order.push(await focused(ann));
    }
    assert.deepEqual(order, ['skip', 'me', '#lobby', 'join-name', 'Join', 'leave', 'log', 'text', 'Send']);
  });

  await t.test('Enter sends, Shift+Enter begins a new line', async () => {
    await ann.locator('#text').focus();
    await ann.keyboard.type('one');
    await ann.keyboard.press('Shift+Enter');
    await ann.keyboard.type('two');
    await ann.keyboard.press('Enter');
    await shows(ann, ['first', 'one\ntwo']);
    assert.equal(await focused(ann), 'text');
  });

  await t.test('the skip link leads to writing, a room is joined by keys alone', async () => {
    await ann.locator('#skip').focus();
    await ann.keyboard.press('Enter');
    assert.equal(await focused(ann), 'text');
    await ann.locator('#join-name').focus();
    await ann.keyboard.type('den');
    await ann.keyboard.press('Enter');
    await ann.waitForFunction(() => document.getElementById('room-name').textContent === 'den');
    assert.equal(await focused(ann), 'text');
  });

  await t.test('the dialog for a name holds the keyboard, Escape leaves it', async () => {
    await ann.locator('#me').focus();
    await ann.keyboard.press('Enter');
    assert.equal(await focused(ann), 'who-name');
    await ann.keyboard.press('Escape');
    await ann.waitForFunction(() => !document.getElementById('who').open);
    assert.equal(await focused(ann), 'me');
  });

  await t.test('every control has a name, every part its place', async () => {
    const tree = await ann.locator('body').ariaSnapshot();
    assert.doesNotMatch(tree, /- (button|link|textbox|img)\s*$/m);
    for (const part of ['banner', 'navigation "Rooms"', 'main "den"', 'complementary "People in this room"',
      'log "Messages in den"', 'textbox "Message to den"', 'heading "Parley" [level=1]', 'status: Connected'])
      assert.ok(tree.includes(part), `no ${part} in\n${tree}`);
    assert.equal(await ann.evaluate(() => document.documentElement.lang), 'en');
  });

  await t.test('text stands out from its ground, by day and by night', async () => {
    for (const colorScheme of ['light', 'dark']) {
      await ann.emulateMedia({ colorScheme });
      assert.deepEqual(await contrasts(ann), [], colorScheme);
    }
  });

  await t.test('on a phone nothing is cut off, and the panels come and go', async () => {
    const bob = await person(browser, gateway, 'a rather long name for a person', { viewport: { width: 360, height: 640 }, hasTouch: true });
    await say(bob, 'a_word_that_is_far_too_long_for_a_small_screen_and_has_no_place_to_be_broken_at_all');
    for (const width of [360, 320]) {
      await bob.setViewportSize({ width, height: 640 });
      assert.ok(await bob.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth));
      for (const id of ['show-rooms', 'me', 'show-people', 'text']) {
        const box = await bob.locator(`#${id}`).boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= width, `${id} at ${width}`);
      }
    }
    for (const [button, panel] of [['show-rooms', 'rooms'], ['show-people', 'people']]) {
      assert.ok(await bob.locator(`#${panel}`).isHidden());
      await bob.locator(`#${button}`).click();
      await bob.locator(`#${panel}`).waitFor();
      assert.equal(await bob.locator(`#${button}`).getAttribute('aria-expanded'), 'true');
      if (panel === 'rooms') await shot(bob, 'phone-rooms');
      await bob.keyboard.press('Escape');
      await bob.locator(`#${panel}`).waitFor({ state: 'hidden' });
      assert.equal(await focused(bob), button);
    }
  });
  assert.deepEqual(complaints, []);
});
