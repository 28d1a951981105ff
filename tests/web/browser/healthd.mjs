// healthd - a real healthd beside the gateway of a stage, for the tests of the status page.
import { spawn } from 'node:child_process';
import { openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { complaints, Gateway, ROOT, until } from './harness.mjs';

const MODE = process.env.MODE ?? 'release';

export class Healthd {
  /* `t` is a test with after(). The gateway need not run. */
  constructor(t, gateway, settings = {}) {
    this.gateway = gateway;
    this.settings = settings;
    this.port = 0;
    t.after(() => this.stop('SIGKILL'));
  }

  /* Starts it, or starts it again on the same port. */
  async start() {
    const log = join(this.gateway.dir, 'healthd.log');
    const out = openSync(log, 'w');
    this.child = spawn(join(ROOT, 'build', MODE, 'bin/parley-healthd'), [], {
      stdio: ['ignore', out, out],
      env: { ...process.env, PARLEY_SEGMENT: this.gateway.segment,
        PARLEY_HEALTH_LISTEN: `127.0.0.1:${this.port}`, ...this.settings },
    });
    this.ended = new Promise((done) => this.child.once('exit', done));
    await until('healthd listens', () => /healthd listening/.test(readFileSync(log, 'utf8')));
    this.port = Number(/healthd listening .*port=(\d+)/.exec(readFileSync(log, 'utf8'))[1]);
    this.url = `http://127.0.0.1:${this.port}/`;
  }

  async stop(signal = 'SIGTERM') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    await this.ended;
  }

  async health() {
    return (await fetch(`${this.url}health/websocket?verbose`)).json();
  }
}

/* A gateway that is not started yet, and healthd. */
export async function watched(t, settings = {}, health = {}) {
  const gateway = new Gateway(settings);
  t.after(() => gateway.end());
  const healthd = new Healthd(t, gateway, health);
  await healthd.start();
  return { gateway, healthd };
}

/* A page of the status, with what it says and does wrong in `complaints`. */
export async function look(browser, healthd, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`status: ${error}`));
  page.on('console', (line) => /Content Security|Uncaught/.test(line.text()) && complaints.push(`status: ${line.text()}`));
  await page.goto(healthd.url, { waitUntil: 'domcontentloaded' });
  return page;
}

/* How many sockets a process has open. */
export function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}
