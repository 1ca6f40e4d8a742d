import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { openLoopback } from '../../../src/core/auth/loopbackServer.ts';
import type { RedirectReceiver } from '../../../src/core/auth/redirect.ts';
import { visit } from '../../world/oidcBrowser.ts';

describe('auth/loopbackServer', () => {
  let loopback: RedirectReceiver;
  beforeEach(async () => {
    loopback = await openLoopback();
  });
  afterEach(() => loopback.dispose());
  const at = (path: string): string => new URL(path, loopback.redirectUri).href;

  it('listens on 127.0.0.1 only, on a port of its own', async () => {
    const other = await openLoopback();
    assert.match(loopback.redirectUri, /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    assert.notEqual(loopback.redirectUri, other.redirectUri);
    await assert.rejects(visit(loopback.redirectUri.replace('127.0.0.1', '127.0.0.2')), { code: 'ECONNREFUSED' });
    other.dispose();
  });

  it('hands over the query of the first redirect and lets its page wait for the outcome', async () => {
    const page = visit(at('/callback?code=c%2F1&state=s'));
    const query = await loopback.received;
    assert.deepEqual(
      [...query],
      [
        ['code', 'c/1'],
        ['state', 's'],
      ],
    );
    loopback.finish('signed-in');
    assert.match((await page).text, /<h1>You are signed in<\/h1>/);
  });

  it('closes itself once it has told the outcome, with connections that a browser opened ahead', async () => {
    const ahead = connect(Number(new URL(loopback.redirectUri).port), '127.0.0.1');
    await once(ahead, 'connect');
    const closed = once(ahead.resume(), 'close');
    const page = visit(at('/callback?error=access_denied'));
    await loopback.received;
    loopback.finish('denied');
    assert.match((await page).text, /Sign-in was declined/);
    await closed;
    await assert.rejects(visit(loopback.redirectUri), { code: 'ECONNREFUSED' });
  });

  it('drops a waiting page when it is disposed without an outcome', async () => {
    const page = assert.rejects(visit(at('/callback?code=c')), { code: 'ECONNRESET' });
    await loopback.received;
    loopback.dispose();
    await page;
    await assert.rejects(visit(loopback.redirectUri), { code: 'ECONNREFUSED' });
  });

  it('gives a page that is readable by everybody and may load nothing', async () => {
    const page = visit(at('/callback?code=c'));
    await loopback.received;
    loopback.finish('failed');
    const { headers, text } = await page;
    assert.match(text, /^<!doctype html><html lang="en">/);
    assert.match(text, /<title>[^<]+<\/title>.*<main role="alert"><h1>/s);
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'/);
    assert.deepEqual(
      [headers['cache-control'], headers['referrer-policy'], headers['x-content-type-options']],
      ['no-store', 'no-referrer', 'nosniff'],
    );
    assert.doesNotMatch(text, /<script|https?:/);
  });

  it('answers nothing else, and repeats nothing it was sent', async () => {
    const injected = '<script>alert(1)</script>';
    const requests: readonly (readonly [string, number, object?])[] = [
      ['/favicon.ico', 404],
      ['/', 404],
      ['/callback', 404],
      [`/callback?state=${encodeURIComponent(injected)}`, 404],
      [`/callback/../x?code=${encodeURIComponent(injected)}`, 404],
      [`/${encodeURIComponent(injected)}`, 404],
      ['/callback?code=c', 405, { method: 'POST' }],
      ['/callback?code=c', 405, { method: 'DELETE' }],
      ['/callback?code=c', 400, { headers: { host: 'evil.test' } }],
      ['/callback?code=c', 400, { headers: { host: new URL(loopback.redirectUri).host.replace('127.0.0.1', 'localhost') } }],
    ];
    let taken = false;
    void loopback.received.then(() => (taken = true));
    for (const [path, status, options] of requests) {
      const page = await visit(at(path), { path, ...options });
      assert.equal(page.status, status, path);
      assert.match(page.text, /Nothing here/);
      assert.doesNotMatch(page.text, /alert\(1\)|script/);
    }
    assert.equal(taken, false);
  });

  it('survives request lines and headers that no browser sends', async () => {
    const port = Number(new URL(loopback.redirectUri).port);
    const host = `Host: 127.0.0.1:${port}\r\n`;
    const strange = [
      `GET // HTTP/1.1\r\n${host}\r\n`,
      `GET http://[ HTTP/1.1\r\n${host}\r\n`,
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01hello',
      `GET /?${'a'.repeat(40_000)} HTTP/1.1\r\n${host}\r\n`,
    ];
    for (const bytes of strange) {
      const socket = connect(port, '127.0.0.1')
        .resume()
        .on('error', () => {});
      socket.write(bytes);
      await once(socket, 'close');
    }
    const page = visit(at('/callback?code=c'));
    await loopback.received;
    loopback.finish('signed-in');
    assert.equal((await page).status, 200);
  });

  it('shows every outcome in words of its own', async () => {
    const texts = new Set<string>();
    for (const outcome of ['signed-in', 'denied', 'failed'] as const) {
      const one = await openLoopback();
      const page = visit(`${one.redirectUri}?code=c`);
      await one.received;
      one.finish(outcome);
      one.finish('failed');
      texts.add((await page).text);
      one.dispose();
    }
    assert.equal(texts.size, 3);
  });
});
