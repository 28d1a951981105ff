// screenshots - the pictures of the chat page: `make screenshots`.
//
// A small conversation on a real gateway, seen on a desk by day and on a phone by night;
// these two are the README's (gateway/web/screenshots). The others, in
// build/web/screenshots, are for looking at what is seldom seen.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { backstage, connected, person, ROOT, say, SHOTS, skip, stage, until } from './harness.mjs';

const README = join(ROOT, 'gateway/web/screenshots');
const ROOM = 'film night';
const TALK = [
  ['Maren', 'Friday at eight, then? The projector is booked.'],
  ['Jonas', 'Eight works for me 👍'],
  ['Jonas', 'I can bring the big screen, if somebody helps me carry it up the stairs.'],
  ['Aylin', 'I will help. Which film did we agree on in the end?'],
  ['Maren', 'Nobody has agreed on anything 😄 Two are left:\n– Playtime (1967)\n– The Red Turtle (2016)'],
  ['Tomás', 'Playtime! It wants a large screen, and half of the jokes are in the background anyway.'],
  ['Aylin', 'Then Playtime it is. I have never seen it.'],
  ['ليلى', 'سأحضر الشاي والحلويات 🍰'],
  ['Maren', 'Wonderful, Laila is in charge of cake.'],
];

const hooks = [];
const stop = async () => {
  for (const hook of hooks.reverse()) await hook();
};

async function talk(others) {
  for (const [name, text] of TALK) await others.says(name, ROOM, [{ text }]);
}

async function settled(page, people) {
  await until('everybody', async () => (await page.locator('#people-list li').count()) === people);
  await page.waitForFunction(() => document.getElementById('typing').textContent.includes('writing'));
}

function picture(page, folder, name) {
  return page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

/* What is unread elsewhere, and somebody who is writing. */
async function dress(page, others) {
  for (const room of ['allotments', 'choir']) {
    await page.evaluate((name) => (location.hash = `#${name}`), room);
    await connected(page);
  }
  await page.evaluate((name) => (location.hash = `#${encodeURIComponent(name)}`), ROOM);
  await others.says('Jonas', 'choir', [{ text: 'New dates are out' }, { text: 'See the board' }, { text: 'Bring your scores' }]);
  await page.locator('#room-list a[aria-label="choir, 3 unread"]').waitFor({ state: 'attached' });
}

async function readme(browser, gateway, others) {
  const desk = await person(browser, gateway, 'Nora', { room: ROOM, viewport: { width: 1120, height: 700 }, deviceScaleFactor: 1.2, colorScheme: 'light' });
  await talk(others);
  await say(desk, 'I will write the invitation tonight.');
  await dress(desk, others);
  await others.types('Tomás', ROOM);
  await settled(desk, 6);
  await picture(desk, README, 'light-desktop');
  const state = await desk.context().storageState();
  await desk.context().close();
  const phone = await person(browser, gateway, 'Nora', { room: ROOM, storageState: state, viewport: { width: 390, height: 780 },
    deviceScaleFactor: 1.5, isMobile: true, hasTouch: true, colorScheme: 'dark' });
  await phone.locator('.message').nth(9).waitFor();
  await others.types('Aylin', ROOM);
  await settled(phone, 6);
  await picture(phone, README, 'dark-phone');
  return phone;
}

async function seldom(browser, gateway, others, phone) {
  const wide = '𝔸 name that is as long as one can be, of sixty-four bytes🙂';
  const page = await person(browser, gateway, wide, { room: 'odd things', viewport: { width: 900, height: 700 } });
  await others.says('שירה', 'odd things', [{ text: 'שלום! what about mixed text, 123?' }, { text: '👩‍👩‍👧‍👦🎉' }]);
  await others.says('\u202eturned around', 'odd things', [{ text: `https://example.org/${'a-very-long-address/'.repeat(9)}` }]);
  await others.says('bob', 'odd things', [{ html: '<b>not text</b>' }, { text: 'word '.repeat(900) }]);
  await say(page, 'Mine, under a long name');
  await page.locator('.message.own:not(.pending)').waitFor();
  await picture(page, SHOTS, 'odd');
  await phone.locator('#show-rooms').click();
  await picture(phone, SHOTS, 'phone-rooms');
  await phone.keyboard.press('Escape');
  await phone.locator('#show-people').click();
  await picture(phone, SHOTS, 'phone-people');
  await phone.keyboard.press('Escape');
  await page.locator('#me').click();
  await picture(page, SHOTS, 'name');
  await page.keyboard.press('Escape');
  const leaving = gateway.stop('SIGTERM');
  await page.waitForFunction(() => document.getElementById('state').dataset.state === 'draining');
  await picture(page, SHOTS, 'draining');
  await leaving;
  await page.waitForFunction(() => !document.getElementById('notice').hidden);
  await say(page, 'Written while nobody is there');
  await say(phone, 'Written on the way');
  for (const [one, name] of [[page, 'offline'], [phone, 'phone-offline']]) {
    await until('a wait', async () => (await one.locator('#state').getAttribute('data-state')) === 'offline');
    await picture(one, SHOTS, name);
  }
}

async function main() {
  if (skip) return console.log(`no pictures: ${skip}`);
  mkdirSync(README, { recursive: true });
  const { gateway, browser } = await stage({ after: (hook) => hooks.push(hook) }, { PARLEY_DRAIN_SPREAD_MS: '3000' });
  const others = await backstage(browser, gateway);
  const phone = await readme(browser, gateway, others);
  await seldom(browser, gateway, others, phone);
}

await main().finally(stop);
