import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { readIdentity } from '../../../src/core/auth/identityClaims.ts';
import { parseTokenAnswer, readRefreshAnswer } from '../../../src/core/auth/tokenAnswer.ts';

const good = { access_token: 'a', token_type: 'Bearer' };
const answer = (status: number, body: unknown): Response =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });

describe('auth/tokenAnswer', () => {
  it('assumes an hour where the server does not say, and reads seconds however they are written', () => {
    const lives = [
      [undefined, 3600],
      [60, 60],
      ['120', 120],
      [0, 0],
      [-5, 0],
      [1e12, 315_360_000],
    ] as const;
    for (const [expires_in, expected] of lives)
      assert.equal(parseTokenAnswer({ ...good, expires_in }).expiresIn, expected, String(expires_in));
  });

  it('keeps apart a refresh token that was replaced and one that was not', () => {
    assert.equal(parseTokenAnswer({ ...good, refresh_token: 'r' }).refreshToken, 'r');
    assert.equal('refreshToken' in parseTokenAnswer(good), false);
    assert.deepEqual(parseTokenAnswer({ ...good, scope: 'openid  mail' }).scopes, ['openid', 'mail']);
  });

  it('refuses what is not a bearer token', () => {
    const bad = [
      undefined,
      null,
      [],
      'text',
      {},
      { ...good, access_token: '' },
      { ...good, access_token: 7 },
      { ...good, token_type: 'mac' },
      { ...good, expires_in: 'soon' },
      { ...good, access_token: 'a'.repeat(20_000) },
    ];
    for (const json of bad) assert.throws(() => parseTokenAnswer(json), { code: 'auth.bad-answer' }, JSON.stringify(json)?.slice(0, 80));
  });

  it('tells a grant that is gone from everything that may pass', async () => {
    for (const error of ['invalid_grant', 'interaction_required', 'login_required', 'consent_required']) {
      await assert.rejects(readRefreshAnswer(answer(400, { error }), 0), { code: 'auth.sign-in-again', details: { reason: error } });
    }
    const passing = [
      [500, { error: 'invalid_grant' }, 'invalid_grant'],
      [503, '<html>', 'http'],
      [429, { error: 'slow_down' }, 'slow_down'],
      [401, { error: 'invalid_client' }, 'invalid_client'],
      [302, '', 'http'],
      [400, { error: 'some long <b>story</b>' }, 'http'],
    ] as const;
    for (const [status, body, reason] of passing) {
      await assert.rejects(readRefreshAnswer(answer(status, body), 0), { code: 'auth.refresh-failed', details: { status, reason } });
    }
  });

  it('ends every answer in a token or one of three codes', async () => {
    const codes = ['auth.bad-answer', 'auth.sign-in-again', 'auth.refresh-failed'];
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.record({ error: fc.string() }).map((o) => JSON.stringify(o)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 200, max: 599 }).filter((s) => s !== 204 && s !== 205 && s !== 304),
        body,
        async (status, text) => {
          const outcome = await readRefreshAnswer(answer(status, text), 0).catch((error: unknown) => error);
          assert.ok(QuMailError.is(outcome) ? codes.includes(outcome.code) : status === 200);
        },
      ),
    );
  });
});

describe('auth/identityClaims', () => {
  const nobody = (): Promise<undefined> => Promise.resolve(undefined);

  it('normalises the address and keeps line breaks out of the name', async () => {
    const identity = await readIdentity({ sub: '1', email: 'Alice@QuMail.TEST', name: 'Alice\r\nBcc: eve@evil.test' }, nobody);
    assert.deepEqual(identity, { userId: '1', email: 'Alice@qumail.test', displayName: 'Alice Bcc: eve@evil.test' });
  });

  it('shows the address where there is no usable name', async () => {
    for (const name of [undefined, '', ' \n ', 7, 'x'.repeat(300)]) {
      assert.equal((await readIdentity({ sub: '1', email: 'a@b.test', name }, nobody)).displayName, 'a@b.test');
    }
  });

  it('takes a malformed address for none', async () => {
    for (const email of [undefined, 7, '', 'nobody', 'a@b\r\nc']) {
      await assert.rejects(readIdentity({ sub: '1', email }, nobody), { code: 'auth.identity-missing' });
    }
    await assert.rejects(readIdentity(undefined, nobody), { code: 'auth.bad-answer' });
  });
});
