// The page over https: it speaks wss, compressed, and goes on through a new certificate.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { person, say, shows, skip, stage, until } from './harness.mjs';

/* A new certificate for 127.0.0.1 and its key, in the place of any before. */
function certify(dir) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-days', '90', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
    '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')], { stdio: 'ignore' });
}

test('the page chats over TLS, compressed', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-tls.'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  certify(dir);
  const { gateway, browser } = await stage(t, { PARLEY_TLS_CERT_FILE: join(dir, 'cert.pem'),
    PARLEY_TLS_KEY_FILE: join(dir, 'key.pem'), PARLEY_DEFLATE: 'yes', PARLEY_DEFLATE_MIN: '1' });
  gateway.url = gateway.url.replace('http:', 'https:');
  const ann = await person(browser, gateway, 'ann', { ignoreHTTPSErrors: true });
  const bob = await person(browser, gateway, 'bob', { ignoreHTTPSErrors: true });

  await t.test('what they say comes whole', async () => {
    const long = 'the same again and '.repeat(50).trim();
    await say(ann, long);
    await say(bob, 'hello ann');
    for (const page of [ann, bob]) await shows(page, [long, 'hello ann']);
  });

  await t.test('Chromium agreed on permessage-deflate', async () => {
    const extensions = await ann.evaluate(() => new Promise((done) => {
      const link = new WebSocket(`wss://${location.host}/chat?user=eve`, ['parley.v1']);
      link.onopen = () => { done(link.extensions); link.close(); };
    }));
    assert.match(extensions, /^permessage-deflate; server_no_context_takeover; client_no_context_takeover/);
  });

  await t.test('a new certificate cuts nobody off', async () => {
    certify(dir);
    process.kill(gateway.child.pid, 'SIGHUP');
    await until('both workers have it', () => gateway.log().match(/certificate renewed/g)?.length === 2);
    await say(ann, 'still here');
    await until('bob has it', async () => (await bob.locator('.text').allTextContents()).includes('still here'));
    assert.doesNotMatch(gateway.log(), /drains/);
  });
});
