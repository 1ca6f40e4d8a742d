import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AccountHealth } from '../../../src/core/api.ts';
import { healthHtml } from '../../../src/views/health/healthHtml.ts';
import { healthPage } from '../../../src/views/health/healthModel.ts';
import type { HealthPage } from '../../../src/views/health/healthPage.ts';
import { healthReport, redact } from '../../../src/views/health/healthReport.ts';
import { plain } from './plainLocaliser.ts';

const page = (text: string): HealthPage => ({
  title: 'Account Health',
  asOf: 'now',
  empty: 'no accounts',
  sections: [
    {
      title: text,
      state: { text, tone: 'bad' },
      facts: [{ label: 'Token', values: [{ text, tone: 'good' }] }],
      errorsTitle: 'Last errors',
      errors: [{ time: '14:05', code: 'net.cut', sentence: text }],
      noErrors: 'none',
    },
  ],
});

const NOW = Date.UTC(2026, 10, 22, 13, 0);
const MINUTE = 60_000;
const moment = { now: NOW, locale: 'en-GB', timeZone: 'UTC' };
const GMAIL: AccountHealth = {
  accountId: 'a',
  email: 'alice.of.somewhere@example.org',
  provider: 'google',
  state: 'offline',
  failure: { code: 'net.cut', details: { host: 'imap.example.org' } },
  lastSync: NOW - 3 * MINUTE,
  token: {
    state: 'backing-off',
    obtainedAt: NOW - 61 * MINUTE,
    expiresAt: NOW - MINUTE,
    nextTry: NOW + 2 * MINUTE,
    failure: { code: 'auth.refresh-failed', details: { status: 503 } },
  },
  offline: { filling: 'cut', failure: { code: 'store.full', details: {} } },
  connections: [
    { kind: 'imap-watch', since: NOW - 90 * MINUTE, lastUsed: NOW - 5_000, idleSince: NOW - 8 * MINUTE, capabilities: ['IDLE', 'XYZ'] },
  ],
  outbox: [
    { state: 'waiting', count: 2 },
    { state: 'rejected', count: 1 },
  ],
  errors: [
    { at: NOW - 9 * MINUTE, where: 'mail', code: 'net.cut' },
    { at: NOW - 2 * MINUTE, where: 'outbox', code: 'smtp.rejected', status: 550, enhanced: '5.1.1' },
  ],
};

describe('views/health', () => {
  it('says of an account everything that tells why mail does not come or go', () => {
    const html = healthHtml(healthPage([GMAIL], 'real', moment, plain), [], 'n');
    for (const words of [
      'offline: The connection to imap.example.org broke.',
      'interrupted, tried again with the next look for mail: ',
      'not renewed yet',
      'renewed 1 h 1 min ago',
      'ran out 1 min ago',
      'next try in 2 min',
      'auth.refresh-failed',
      'IMAP, listening · open for 1 h 30 min · last answer under a minute ago · IDLE for 8 min',
      '2 waiting for the server',
      '1 refused by the server',
      'This mailbox does not exist (5.1.1)',
    ])
      assert.ok(html.includes(words), words);
    assert.doesNotMatch(html, /XYZ|SIMULATED/);
  });

  it('shows the newest error first', () => {
    const [section] = healthPage([GMAIL], 'real', moment, plain).sections;
    assert.deepEqual(
      section?.errors.map(({ code }) => code),
      ['smtp.rejected (Outbox)', 'net.cut'],
    );
  });

  it('says that the lab is SIMULATED', () => assert.match(healthPage([], 'lab', moment, plain).title, /SIMULATED/));

  it('reports on an account without naming it', () => {
    const report = healthReport(healthPage([GMAIL], 'real', moment, plain), ['QuMail 1']);
    assert.match(report, /^## …@example\.org: offline/m);
    assert.match(report, /^Access token: not renewed yet; renewed 1 h 1 min ago/m);
    assert.doesNotMatch(report, /alice/);
  });

  it('escapes every word of data: no account name and no answer of a server becomes markup', () => {
    const html = healthHtml(page(`<img src=x onerror="alert('1')">&`), [], 'n0nce');
    assert.doesNotMatch(html, /<img/);
    assert.equal(html.split('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;').length - 1, 4);
  });

  it('runs no script and loads nothing', () => {
    const html = healthHtml(page('x'), [{ label: 'Copy', command: 'qumail.copyHealthReport' }], 'n0nce');
    assert.match(html, /default-src 'none'; style-src 'nonce-n0nce'/);
    assert.doesNotMatch(html, /<script|https?:|url\(/);
  });

  it('says so when there is no account', () => {
    assert.match(healthHtml({ ...page(''), sections: [] }, [], 'n'), /no accounts/);
    assert.match(healthReport({ ...page(''), sections: [] }, []), /no accounts/);
  });

  it('keeps of an address its domain and nothing else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9.+_-]{6,20}$/), (name) => {
        const report = healthReport(page(`${name}@mail.example.org`), []);
        assert.ok(!report.includes(`${name}@`), report);
        assert.equal(report.split('…@mail.example.org').length - 1, 4);
      }),
    );
  });

  it('names no path of this machine', () => {
    for (const path of [
      '/home/alice/ca.pem',
      '"/home/alice smith/ca.pem"',
      'C:\\Users\\alice\\ca.pem',
      '"C:\\Users\\alice smith"',
      '~/alice/x',
    ])
      assert.doesNotMatch(redact(`the file ${path}, it said`), /alice/, path);
  });

  it('leaves alone what a report is for: codes, hosts, times, rates', () => {
    const text = 'imap.example.org:993 net.cut 2026-11-22T19:45:00Z 3/4 https://login.example.org/token';
    assert.equal(redact(text), text);
  });
});
