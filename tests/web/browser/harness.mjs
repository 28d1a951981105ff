// harness - a real gateway and real pages in headless Chromium, for the browser tests.
//
// Each test file has one browser and its own gateway on a free port, in a folder of its
// own. Nothing here waits for a fixed time. What was started is ended by pid.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, openSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = new URL('../../..', import.meta.url).pathname;
const MODE = process.env.MODE ?? 'release';
export const DRIVER = join(ROOT, 'build/web/tests/');
export const CHROMIUM = '/usr/bin/chromium';
export const SHOTS = join(ROOT, 'build/web/screenshots');
const TOLERANCE = Number(process.env.TOLERANCE ?? 3);
export const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--lang=en'];

/* Why browser tests cannot run here, or false. */
export const skip = !existsSync(CHROMIUM) ? `${CHROMIUM} is not there`
  : !existsSync(join(DRIVER, 'node_modules/playwright-core')) ? 'playwright-core is not there: make browser-driver'
  : false;

export async function until(what, condition, ms = 5000) {
  const end = Date.now() + ms * TOLERANCE;
  for (;;) {
    const got = await condition();
    if (got) return got;
    if (Date.now() > end) throw new Error(`not within ${ms * TOLERANCE} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/* A process that is gone does not answer, one that waits for its parent is gone. */
function gone(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1).startsWith('Z');
  } catch {
    return true;
  }
}

export class Gateway {
  constructor(settings = {}) {
    this.settings = settings;
    this.dir = mkdtempSync(join(tmpdir(), 'parley-web.'));
    this.segment = `parley-web-${process.pid}-${Math.random().toString(36).slice(2)}`;
    this.port = 0;
    this.runs = 0;
  }

  /* Starts it, or starts it again on the same port and the same store. */
  async start() {
    const log = join(this.dir, `gateway-${++this.runs}.log`);
    const out = openSync(log, 'w');
    this.child = spawn(join(ROOT, 'build', MODE, 'bin/parley-gateway'), [], {
      cwd: this.dir,
      stdio: ['ignore', out, out],
      env: { ...process.env, PARLEY_SEGMENT: this.segment, PARLEY_WORKERS: '2',
        PARLEY_LISTEN: `127.0.0.1:${this.port}`, PARLEY_DRAIN_ANNOUNCE_MS: '0',
        PARLEY_DRAIN_SPREAD_MS: '100', ...this.settings },
    });
    this.log = () => readFileSync(log, 'utf8');
    await until('the gateway is ready', () => /gateway ready/.test(this.log()));
    this.port = Number(/gateway ready port=(\d+)/.exec(this.log())[1]);
    this.url = `http://127.0.0.1:${this.port}/`;
  }

  workers() {
    const lines = [...this.log().matchAll(/worker ready .*pid=(\d+)/g)];
    return lines.map((m) => Number(m[1])).filter((pid) => !gone(pid));
  }

  /* SIGKILL ends all of it at once, without a word to anybody. */
  async stop(signal = 'SIGTERM') {
    if (!this.child || gone(this.child.pid)) return;
    const children = execFileSync('ps', ['--ppid', this.child.pid, '-o', 'pid='], { encoding: 'utf8' })
      .split('\n').map(Number).filter(Boolean);
    const all = [this.child.pid, ...children];
    for (const pid of signal === 'SIGKILL' ? all : [this.child.pid]) if (!gone(pid)) process.kill(pid, signal);
    await until('the gateway is gone', () => all.every(gone), 20000);
  }

  async end() {
    await this.stop('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
    for (const file of [this.segment, `${this.segment}.kept`]) rmSync(join('/dev/shm', file), { force: true });
  }
}

/* A browser and its gateway; `t` is a test with after(). */
export async function stage(t, settings = {}) {
  const { chromium } = createRequire(DRIVER)('playwright-core');
  const gateway = new Gateway(settings);
  t.after(() => gateway.end());
  await gateway.start();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.after(() => browser.close());
  mkdirSync(SHOTS, { recursive: true });
  return { gateway, browser };
}

/* What a page says and does wrong; must stay empty. */
export const complaints = [];

/* A person with a browser of its own, in a room. */
export async function person(browser, gateway, name, { room = 'lobby', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 760 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(8000 * TOLERANCE);
  page.on('pageerror', (error) => complaints.push(`${name}: ${error}`));
  page.on('console', (line) => /Content Security|Uncaught/.test(line.text()) && complaints.push(`${name}: ${line.text()}`));
  await page.addInitScript((n) => localStorage.setItem('parley.name', JSON.stringify(n)), name);
  await page.goto(`${gateway.url}#${encodeURIComponent(room)}`);
  await connected(page);
  return page;
}

export async function connected(page) {
  await page.waitForFunction(() => document.getElementById('state').dataset.state === 'online' &&
    /here/.test(document.getElementById('room-about').textContent));
}

export async function say(page, text) {
  await page.locator('#text').fill(text);
  await page.locator('#text').press('Enter');
}

/* What is confirmed in the room on the screen, in the order of the page. */
export function texts(page) {
  return page.locator('.log:not([hidden]) > ol:not(.waiting) .text').allTextContents();
}

export async function shows(page, wanted, what = 'the page shows all of it') {
  let got;
  const same = async () => JSON.stringify(got = await texts(page)) === JSON.stringify(wanted);
  await until(what, same).catch((error) => {
    throw new Error(`${error.message}\nwanted ${wanted}\ngot    ${got}`);
  });
}

export function shot(page, name) {
  return page.screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled' });
}

/* Speaks to the gateway with the client library alone, from a page that shows nothing. */
export async function backstage(browser, gateway) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${gateway.url}about.json`);
  await page.evaluate(async () => {
    const { connect } = await import('/parley.js');
    window.users = new Map();
    window.as = (user, room, options) => {
      if (!window.users.has(user)) window.users.set(user, connect('/chat', { user, ...options }));
      return window.users.get(user).join(room);
    };
  });
  return {
    page,
    /* Everything is confirmed when this is done. */
    says: (user, room, bodies) => page.evaluate(([u, r, all]) =>
      Promise.all(all.map((body) => window.as(u, r, { queue: 10000 }).send(body).done)), [user, room, bodies]),
    types: (user, room) => page.evaluate(([u, r]) => window.as(u, r).typing(), [user, room]),
    joins: (user, room) => page.evaluate(([u, r]) => new Promise((done) => {
      const joined = window.as(u, r);
      joined.on('joined', done);
      if (joined.state === 'joined') done();
    }), [user, room]),
    history: (user, room) => page.evaluate(([u, r]) => window.as(u, r).history({ limit: 1 }), [user, room]),
    goes: (user) => page.evaluate((u) => (window.users.get(u).close(), window.users.delete(u)), user),
  };
}

/* Text against what is behind it, as WCAG 2.2 has it; only what is on the screen. */
export const contrasts = (page) => page.evaluate(() => {
  const rgb = (css) => css.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour[3] === undefined || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 20)}" ${ratio.toFixed(2)}`);
  }
  return bad;
});
