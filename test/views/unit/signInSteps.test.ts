import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseServer, serverAddress, suggestServer } from '../../../src/views/accounts/serverText.ts';
import { requestOf, signInSteps, type KnownClients } from '../../../src/views/accounts/signInSteps.ts';
import { neighbour, position, startText, type Answers, type Step } from '../../../src/views/wizard/steps.ts';
import { plain } from './plainLocaliser.ts';

const NO_CLIENTS: KnownClients = { google: false, yahoo: false };

/** The keys of all questions a person is asked who answers like this. */
function asked(answers: Answers, clients: KnownClients): string[] {
  const steps = signInSteps(plain, clients);
  const keys: string[] = [];
  let given: Answers = {};
  for (let index = neighbour(steps, given, -1, 1); index !== undefined; index = neighbour(steps, given, index, 1)) {
    const step = steps[index] as Step;
    keys.push(step.key);
    given = { ...given, [step.key]: answers[step.key] ?? '' };
  }
  return keys;
}

describe('views/sign-in', () => {
  const flows: readonly (readonly [who: string, answers: Answers, clients: KnownClients, keys: string])[] = [
    ['Google with a configured client', { provider: 'google' }, { google: true, yahoo: false }, 'provider'],
    ['Google for the first time', { provider: 'google' }, NO_CLIENTS, 'provider clientId clientSecret'],
    ['Yahoo for the first time', { provider: 'yahoo' }, { google: true, yahoo: false }, 'provider clientId clientSecret'],
    [
      'a password on usual ports',
      { provider: 'password', imap: 'imap.x.example:993', smtp: 'smtp.x.example:587' },
      NO_CLIENTS,
      'provider email name password imap smtp',
    ],
    [
      'a password on ports of their own',
      { provider: 'password', imap: '127.0.0.1:41143', smtp: '127.0.0.1:41587' },
      NO_CLIENTS,
      'provider email name password imap imapSecurity smtp smtpSecurity',
    ],
    [
      'another OAuth provider',
      { provider: 'oidc', imap: 'imap.x.example', smtp: 'smtp.x.example' },
      NO_CLIENTS,
      'provider issuer clientId clientSecret email imap smtp',
    ],
    ['the lab', { provider: 'lab' }, NO_CLIENTS, 'provider'],
  ];
  for (const [who, answers, clients, keys] of flows) {
    it(`asks ${who} exactly: ${keys}`, () => assert.deepEqual(asked(answers, clients), keys.split(' ')));
  }

  it('goes back over questions that do not apply', () => {
    const steps = signInSteps(plain, NO_CLIENTS);
    const email = steps.findIndex((step) => step.key === 'email');
    assert.equal(neighbour(steps, { provider: 'password' }, email, -1), 0);
    assert.equal(neighbour(steps, {}, 0, -1), undefined);
  });

  it('counts only the steps that apply', () => {
    const steps = signInSteps(plain, NO_CLIENTS);
    const answers = { provider: 'password', imap: 'a.example', smtp: 'b.example' };
    const smtp = steps.findIndex((step) => step.key === 'smtp');
    assert.deepEqual(position(steps, answers, smtp), { step: 6, total: 6 });
  });

  it('shows earlier answers again, but never a password', () => {
    const steps = signInSteps(plain, NO_CLIENTS);
    const start = (key: string): string => {
      const step = steps.find((one) => one.key === key);
      assert.ok(step && step.kind !== 'pick');
      return startText(step, { email: 'a@b.example', password: 'secret', clientSecret: 'secret' });
    };
    assert.equal(start('email'), 'a@b.example');
    assert.equal(start('password'), '');
    assert.equal(start('clientSecret'), '');
    assert.equal(start('imap'), 'imap.b.example:993');
    assert.equal(start('smtp'), 'smtp.b.example:465');
  });

  it('makes a native request with the encryption that was chosen', () => {
    const answers = {
      provider: 'password',
      email: 'a@b.example',
      name: 'A',
      password: 'p w',
      imap: 'MAIL.b.example:41143',
      imapSecurity: 'starttls',
      smtp: '[::1]:465',
    };
    assert.deepEqual(requestOf(answers), {
      provider: 'qumail_native',
      email: 'a@b.example',
      displayName: 'A',
      password: 'p w',
      servers: { imap: { host: 'mail.b.example', port: 41143, security: 'starttls' }, smtp: { host: '::1', port: 465, security: 'tls' } },
    });
  });

  it('makes no request out of answers that are none', () => {
    assert.equal(requestOf({}), undefined);
    assert.equal(requestOf({ provider: 'password', imap: 'a b', smtp: 'c' }), undefined);
  });

  it('lets a well-known port decide over the choice, so that nobody can talk it into the wrong one', () => {
    assert.equal(serverAddress('a.example:993', 'imap', 'starttls')?.security, 'tls');
    assert.equal(serverAddress('a.example:587', 'smtp', 'tls')?.security, 'starttls');
  });

  it('refuses what is not a host with a port', () => {
    for (const text of ['', ' ', 'a:0', 'a:65536', 'a:b', 'imaps://a', 'a/b', 'user@a', 'a:1:2', '[::1', `${'a'.repeat(254)}`])
      assert.equal(parseServer(text, 'imap'), undefined, text);
  });

  it('suggests servers that it can read itself', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.constantFrom('imap' as const, 'smtp' as const), (email, protocol) => {
        assert.ok(parseServer(suggestServer(email, protocol), protocol)?.security);
      }),
    );
    assert.equal(suggestServer('someone@gmail.com', 'imap'), 'imap.gmail.com:993');
    assert.equal(suggestServer('nobody', 'imap'), '');
  });
});
