import assert from 'node:assert/strict';
import { HostTokens } from '../../../src/core/auth/hostTokens.ts';
import { outlookServers } from '../../../src/core/auth/outlook.ts';
import { filesOwnSent, OAUTH_PROVIDERS } from '../../../src/core/auth/providers.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { Log, type LogEntry } from '../../../src/core/base/log.ts';
import type { HostToken, HostTokenRequest, HostTokenSource } from '../../../src/core/base/ports.ts';
import { MINUTE, MovableClock } from './harness.ts';

const SESSION: HostToken = { accessToken: 'eyJ0.a-b_c.d~e', account: { id: 'id-1', label: 'Alice@Outlook.com' } };
const ALICE = { email: 'alice@outlook.com', userId: 'id-1' };

describe('auth: Outlook through the editor’s own sign-in', () => {
  const logged: LogEntry[] = [];
  let clock: MovableClock;
  const open = (source: HostTokenSource | undefined): HostTokens =>
    new HostTokens({ source, clock, log: new Log((entry) => logged.push(entry), 'test') });

  beforeEach(() => {
    clock = new MovableClock();
  });
  afterEach(() => assert.equal(clock.pending, 0, 'a question left a timer behind'));

  it('asks for one resource, IMAP and SMTP together, and for a token that lasts', async () => {
    const asked: HostTokenRequest[] = [];
    const tokens = open(async (request) => (asked.push(request), SESSION));
    assert.deepEqual(await tokens.signIn(), { accessToken: SESSION.accessToken, userId: 'id-1', email: 'Alice@outlook.com' });
    assert.equal(await tokens.token(ALICE, 'cached'), SESSION.accessToken);
    assert.equal(await tokens.token(ALICE, 'fresh'), SESSION.accessToken);
    const scopes = ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://outlook.office.com/SMTP.Send', 'offline_access'];
    assert.deepEqual(asked, [
      { provider: 'microsoft', scopes, how: 'interactive' },
      { provider: 'microsoft', scopes, how: 'cached', account: ALICE.email },
      { provider: 'microsoft', scopes, how: 'fresh', account: ALICE.email },
    ]);
    const resources = new Set(scopes.filter((scope) => scope.startsWith('https')).map((scope) => new URL(scope).origin));
    assert.equal(resources.size, 1);
  });

  it('needs the person where the editor has no session, or another account’s', async () => {
    await assert.rejects(open(async () => undefined).token(ALICE, 'cached'), {
      code: 'auth.sign-in-again',
      details: { reason: 'no-session' },
    });
    const other = { ...SESSION, account: { id: 'id-2', label: ALICE.email } };
    await assert.rejects(open(async () => other).token(ALICE, 'fresh'), {
      code: 'auth.sign-in-again',
      details: { reason: 'other-account' },
    });
  });

  it('takes a person’s no for an answer, and says so where the account has no address', async () => {
    await assert.rejects(open(async () => undefined).signIn(), { code: 'auth.cancelled' });
    const nameless = { ...SESSION, account: { id: 'id-1', label: 'Alice Liddell' } };
    await assert.rejects(open(async () => nameless).signIn(), { code: 'auth.identity-missing' });
    await assert.rejects(open(undefined).signIn(), { code: 'auth.client-missing', details: { provider: 'outlook', what: 'host' } });
  });

  it('waits for no editor that never answers: half a minute alone, five with a person', async () => {
    const silent = open(() => new Promise(() => {}));
    const alone = assert.rejects(silent.token(ALICE, 'cached'), {
      code: 'auth.refresh-failed',
      details: { status: 0, reason: 'net.timeout' },
    });
    clock.advance(31_000);
    await alone;
    const asked = assert.rejects(silent.signIn(), { code: 'auth.timeout' });
    clock.advance(4 * MINUTE);
    assert.equal(clock.pending, 1);
    clock.advance(2 * MINUTE);
    await asked;
    const abort = new AbortController();
    const cancelled = assert.rejects(silent.token(ALICE, 'cached', abort.signal), { code: 'engine.cancelled' });
    const left = assert.rejects(silent.signIn(ALICE.email, abort.signal), { code: 'auth.cancelled' });
    abort.abort();
    await Promise.all([cancelled, left]);
    await assert.rejects(silent.token(ALICE, 'cached', abort.signal), { code: 'engine.cancelled' });
  });

  it('passes nothing on of what the editor’s sign-in complains of', async () => {
    const broken = open(async () => {
      throw new Error('AADSTS50020: alice in tenant 1234');
    });
    await assert.rejects(broken.token(ALICE, 'fresh'), (error) => {
      assert.ok(QuMailError.is(error, 'auth.refresh-failed'));
      assert.deepEqual([error.details, error.cause], [{ status: 0, reason: 'host' }, undefined]);
      return true;
    });
    await assert.rejects(broken.signIn(), { code: 'auth.denied', details: { reason: 'host' } });
    assert.doesNotMatch(JSON.stringify(logged), /AADSTS|eyJ0/);
  });

  it('refuses answers that are no token of an account', async () => {
    const bad: readonly unknown[] = [
      {},
      null,
      'token',
      { ...SESSION, accessToken: '' },
      { ...SESSION, accessToken: 'a b' },
      { ...SESSION, accessToken: 'abc\u0001auth=Bearer evil' },
      { ...SESSION, accessToken: 'a\r\nA1 LOGOUT' },
      { ...SESSION, accessToken: 'a'.repeat(20_000) },
      { accessToken: 'abc' },
      { accessToken: 'abc', account: { id: '', label: 'a@b.c' } },
    ];
    for (const answer of bad) {
      const tokens = open(async () => answer as HostToken);
      await assert.rejects(tokens.token(ALICE, 'cached'), { code: 'auth.bad-answer' }, JSON.stringify(answer));
      await assert.rejects(tokens.signIn(), { code: 'auth.bad-answer' }, JSON.stringify(answer));
    }
  });

  it('knows the hosts of personal and of work mailboxes', () => {
    const smtp = (email: string): string => outlookServers(email).smtp.host;
    for (const email of ['a@outlook.com', 'a@hotmail.co.uk', 'a@live.nl', 'a@msn.com', 'a@Outlook.DE', 'a@hotmail.com']) {
      assert.equal(smtp(email), 'smtp-mail.outlook.com', email);
    }
    for (const email of ['a@contoso.com', 'a@live.example.org', 'a@outlook.contoso.com', 'a@notoutlook.com', 'outlook.com@contoso.com']) {
      assert.equal(smtp(email), 'smtp.office365.com', email);
    }
    assert.deepEqual(outlookServers('a@b.c').imap, { host: 'outlook.office365.com', port: 993, security: 'tls' });
    assert.deepEqual(outlookServers('a@b.c').smtp, { host: 'smtp.office365.com', port: 587, security: 'starttls' });
  });

  it('files no second copy where the host files one by itself, however one signs in to it', () => {
    const files = (provider: 'outlook' | 'qumail_native' | 'token_command' | 'google', host: string): boolean =>
      filesOwnSent({ provider, servers: { smtp: { host, port: 587, security: 'starttls' } } }, OAUTH_PROVIDERS);
    assert.equal(files('outlook', 'smtp.office365.com'), true);
    assert.equal(files('outlook', 'smtp-mail.outlook.com'), true);
    assert.equal(files('token_command', 'SMTP.office365.com'), true);
    assert.equal(files('qumail_native', 'smtp.gmail.com'), true);
    assert.equal(files('google', '127.0.0.1'), true);
    assert.equal(files('qumail_native', 'smtp.mail.yahoo.com'), false);
    assert.equal(files('token_command', 'mail.example.org'), false);
  });
});
