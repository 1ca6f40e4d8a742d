import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseServer, serverAddress, suggestServer } from '../../../src/views/accounts/serverText.ts';
import { commandOf, commandText } from '../../../src/views/accounts/commandSteps.ts';
import { requestOf, signInSteps, type SignInSituation } from '../../../src/views/accounts/signInSteps.ts';
import { signInWays } from '../../../src/views/accounts/signInWays.ts';
import { neighbour, position, startText, type Answers, type Step } from '../../../src/views/wizard/steps.ts';
import { plain } from './plainLocaliser.ts';

const FIRST_TIME: SignInSituation = {
  clients: { google: false, yahoo: false },
  flows: ['loopback', 'uri', 'host', 'password', 'command'],
  servers: async () => [],
};
const WITH_GOOGLE: SignInSituation = { ...FIRST_TIME, clients: { google: true, yahoo: false } };

/** The keys of all questions a person is asked who answers like this; a choice brings the answers it stands for. */
function asked(answers: Answers, situation: SignInSituation): string[] {
  const steps = signInSteps(plain, situation);
  const keys: string[] = [];
  let given: Answers = {};
  for (let index = neighbour(steps, given, -1, 1); index !== undefined; index = neighbour(steps, given, index, 1)) {
    const step = steps[index] as Step;
    keys.push(step.key);
    const choices = step.kind !== 'pick' ? [] : typeof step.choices === 'function' ? step.choices(given) : step.choices;
    const text = answers[step.key] ?? '';
    given = { ...given, [step.key]: text, ...choices.find(({ value }) => value === text)?.answers };
  }
  return keys;
}

const ways = (email: string, flows = FIRST_TIME.flows): string[] => signInWays(email, flows, plain).map(({ value }) => value);

describe('views/sign-in', () => {
  const flows: readonly (readonly [who: string, answers: Answers, situation: SignInSituation, keys: string])[] = [
    ['Google with a configured client', { provider: 'google' }, WITH_GOOGLE, 'email provider'],
    [
      'Google with a client of their own',
      { provider: 'google', client: 'have' },
      FIRST_TIME,
      'email provider client clientId clientSecret',
    ],
    ['Google without a client', { provider: 'google', client: 'guide' }, FIRST_TIME, 'email provider client'],
    [
      'Google who rather take an app password',
      { provider: 'google', client: 'password', found: 'found0' },
      FIRST_TIME,
      'email provider client name password found',
    ],
    ['Yahoo for the first time', { provider: 'yahoo', client: 'have' }, WITH_GOOGLE, 'email provider client clientId clientSecret'],
    ['Microsoft', { provider: 'outlook' }, FIRST_TIME, 'email provider'],
    ['a password and servers that were found', { provider: 'password', found: 'found0' }, FIRST_TIME, 'email provider name password found'],
    [
      'a password on usual ports',
      { provider: 'password', found: 'hand', imap: 'imap.x.example:993', smtp: 'smtp.x.example:587' },
      FIRST_TIME,
      'email provider name password found imap smtp',
    ],
    [
      'a password on ports of their own',
      { provider: 'password', found: 'edit', imap: '127.0.0.1:41143', smtp: '127.0.0.1:41587' },
      FIRST_TIME,
      'email provider name password found imap imapSecurity smtp smtpSecurity',
    ],
    [
      'another OAuth provider',
      { provider: 'oidc', found: 'hand', imap: 'imap.x.example', smtp: 'smtp.x.example' },
      FIRST_TIME,
      'email provider issuer clientId clientSecret found imap smtp',
    ],
    [
      'a token command',
      { provider: 'command', program: '/bin/token', argument1: '--for', argument2: 'me', found: 'found1' },
      FIRST_TIME,
      'email provider name program argument1 argument2 argument3 found',
    ],
    ['the lab', { provider: 'lab' }, FIRST_TIME, 'email provider'],
  ];
  for (const [who, answers, situation, keys] of flows) {
    it(`asks ${who} exactly: ${keys}`, () => assert.deepEqual(asked(answers, situation), keys.split(' ')));
  }

  it('offers first what fits the mailbox', () => {
    assert.deepEqual(ways('a@gmail.com').slice(0, 2), ['google', 'password']);
    assert.deepEqual(ways('a@yahoo.co.uk').slice(0, 2), ['yahoo', 'password']);
    assert.equal(ways('a@Hotmail.com')[0], 'outlook');
    assert.equal(ways('a@icloud.com')[0], 'password');
    assert.equal(ways('a@my-own.example')[0], 'password');
    // A name that merely contains a provider's is somebody else's.
    assert.equal(ways('a@gmail.com.evil.example')[0], 'password');
  });

  it('offers no app password where the provider gives out none', () => {
    assert.ok(!ways('a@outlook.com').includes('password'));
  });

  it('offers nothing that cannot work here, and loses nothing that can', () => {
    assert.ok(!ways('a@b.example', ['uri', 'host', 'password']).includes('command'));
    assert.deepEqual(ways('a@b.example', ['password']), ['password', 'lab']);
    assert.equal(new Set(ways('a@gmail.com')).size, 7);
  });

  it('takes a program by its whole path or its name, so that no folder decides which one runs', () => {
    const program = signInSteps(plain, FIRST_TIME).find(({ key }) => key === 'program');
    assert.ok(program?.kind === 'text');
    for (const text of ['/usr/bin/token', 'token', 'C:\\bin\\token.exe', '\\\\server\\token'])
      assert.equal(program.check?.(text, {}), undefined, text);
    for (const text of ['', './token', '../token', 'bin/token', '.', 'a\u0000b']) assert.ok(program.check?.(text, {}), text);
  });

  it('keeps the arguments of a token command apart, as they were typed', () => {
    const answers = {
      program: 'C:\\Program Files\\t.exe',
      argument1: 'two words',
      argument2: '$(x); "y"',
      argument3: '',
      argument4: 'stale',
    };
    assert.deepEqual(commandOf(answers), ['C:\\Program Files\\t.exe', 'two words', '$(x); "y"']);
    assert.equal(commandText(['a b', 'c"']), '"a b"\n"c\\""');
  });

  it('goes back over questions that do not apply', () => {
    const steps = signInSteps(plain, FIRST_TIME);
    const name = steps.findIndex((step) => step.key === 'name');
    assert.equal(neighbour(steps, { provider: 'password' }, name, -1), 1);
    assert.equal(neighbour(steps, {}, 0, -1), undefined);
  });

  it('counts only the steps that apply', () => {
    const steps = signInSteps(plain, FIRST_TIME);
    const answers = { provider: 'password', found: 'hand', imap: 'a.example', smtp: 'b.example' };
    const smtp = steps.findIndex((step) => step.key === 'smtp');
    assert.deepEqual(position(steps, answers, smtp), { step: 7, total: 7 });
  });

  it('shows earlier answers again, but never a password', () => {
    const steps = signInSteps(plain, FIRST_TIME);
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
      userName: '',
    };
    assert.deepEqual(requestOf(answers), {
      provider: 'qumail_native',
      email: 'a@b.example',
      displayName: 'A',
      password: 'p w',
      servers: { imap: { host: 'mail.b.example', port: 41143, security: 'starttls' }, smtp: { host: '::1', port: 465, security: 'tls' } },
    });
  });

  it('logs in by the name that was found where it is not the address', () => {
    const answers = { provider: 'oidc', imap: 'a.example', smtp: 'b.example', userName: 'a-17' };
    const request = requestOf(answers);
    assert.ok(request?.provider === 'oidc');
    assert.equal(request.servers.userName, 'a-17');
  });

  it('suggests the address that was typed on the page of the provider', () => {
    assert.deepEqual(requestOf({ provider: 'google', email: 'me@gmail.com' }), { provider: 'google', loginHint: 'me@gmail.com' });
    assert.deepEqual(requestOf({ provider: 'yahoo' }), { provider: 'yahoo' });
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
