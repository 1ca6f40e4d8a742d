import assert from 'node:assert/strict';
import type { Account, ConformanceReport, Contact, KeyBudgetLink, Pad, RestoreResult, SecurityReport } from '../../../src/core/api.ts';
import { padNameIn, profileIn, urlIn } from '../../../src/views/commands/commandArguments.ts';
import { keyCost, levelAndCost, levelValue } from '../../../src/views/composer/levels.ts';
import { forecastWords, parseSize, quotaWords, rateWords, spanWords } from '../../../src/views/keys/budgetWords.ts';
import { conformanceHtml } from '../../../src/views/keys/conformanceHtml.ts';
import { conformancePage } from '../../../src/views/keys/conformancePage.ts';
import { keyNodes } from '../../../src/views/keys/keyNodes.ts';
import { padText } from '../../../src/views/pads/padText.ts';
import { messageReport, nextStepOf, protectionFacts, signatureSentence } from '../../../src/views/reader/protection.ts';
import { resultText, summaryText } from '../../../src/views/vault/backupText.ts';
import { phraseOf, quizPositions, sameWord } from '../../../src/views/vault/wordQuiz.ts';
import { plain } from './plainLocaliser.ts';

const link: KeyBudgetLink = { kind: 'kme', address: 'bob@b.example', peerId: 'bob', spentPerSecond: 8, low: 'no' };
const contact = (address: string, more: Partial<Contact> = {}): Contact => ({
  accountId: 'a',
  address,
  name: '',
  minimumLevel: 'L4',
  startLevel: 'L3',
  ...more,
});

describe('views/key budget', () => {
  it('tells stock, forecast, rate and share in units people count in', () => {
    assert.equal(forecastWords(link, plain), 'stock unknown');
    assert.equal(forecastWords({ stockBits: 2_720_000 }, plain), '340 kB left');
    assert.equal(forecastWords({ stockBits: 2_720_000, emptyInSeconds: 10_800 }, plain), '340 kB left, lasts about 3 h');
    assert.equal(rateWords({ spentPerSecond: 8, madePerSecond: 16 }, plain), '7.2 kB an hour made, 3.6 kB an hour used');
    assert.equal(quotaWords({ bits: 800_000, seconds: 3600, usedBits: 96_000 }, plain), '12 kB of 100 kB used in 60 min');
    assert.deepEqual(
      [5, 89, 120, 7200, 172_800].map((seconds) => spanWords(seconds, plain)),
      ['5 s', '89 s', '2 min', '2 h', '2 days'],
    );
  });

  it('reads sizes as people write them, and nothing else', () => {
    assert.deepEqual(['64 kB', '1.5MB', '2 MiB', '8192', '1,5 kB'].map(parseSize), [64_000, 1_500_000, 2_097_152, 8192, 1500]);
    for (const text of ['', 'kB', '-1 kB', '0', '1e9', '1 TB', '12 kB of key', '9'.repeat(40)])
      assert.equal(parseSize(text), undefined, text);
  });

  it('says beside the level what the message costs, of how much, and how long to wait', () => {
    const check = { level: 'L1', possible: ['L1'], keyCost: 12_000 } as const;
    assert.equal(keyCost(check, plain), '12 kB of key');
    const budget = { costBits: 96_000, stockBits: 2_720_000, fits: 'yes' } as const;
    assert.equal(levelAndCost({ ...check, budget }, plain), 'L1 Quantum one-time pad · 12 kB of 340 kB of key');
    assert.equal(
      keyCost({ ...check, budget: { costBits: 96_000, stockBits: 8000, fits: 'no', waitSeconds: 600 } }, plain),
      'needs 12 kB of key, 1.0 kB are there; enough in about 10 min',
    );
    assert.equal(levelAndCost({ level: 'L4', possible: ['L4'], keyCost: 0, openPgp: 'chosen' }, plain), 'OpenPGP · not post-quantum');
    assert.equal(levelValue('openpgp'), 'PGP (OpenPGP, not post-quantum)');
  });
});

describe('views/keys and trust rows', () => {
  it('puts contacts that wait for a decision first, each with certificate, levels, keys and pads below', () => {
    const change = { id: '1', effect: 'blocks', fields: [], before: {}, after: {}, source: 'card', under: 'L3', at: 1 } as const;
    const pad: Pad = {
      accountId: 'a',
      address: 'a@a.example',
      name: 'p',
      role: 'maker',
      state: 'ready',
      bits: 8,
      leftBits: 8,
      readBits: 0,
      createdAt: 1,
    };
    const rows = keyNodes({
      account: { id: 'a', email: 'me@a.example' } as Account,
      keyManager: undefined,
      status: undefined,
      contacts: [contact('a@a.example'), contact('z@z.example', { keyChange: change })],
      pads: [pad, { ...pad, name: 'gone', state: 'discarded' }],
    });
    const contacts = rows.filter((row) => row.kind === 'contact');
    assert.deepEqual(
      contacts.map((row) => row.contact.address),
      ['z@z.example', 'a@a.example'],
    );
    assert.deepEqual(
      contacts[1]?.children.map(({ kind }) => kind),
      ['contact-certificate', 'contact-levels', 'contact-keys', 'pad'],
    );
  });

  it('gives pads and standby key managers to the commands of their menus, and nothing that is foreign', () => {
    assert.equal(padNameIn({ kind: 'pad', accountId: 'a', pad: { name: 'f00d' } }), 'f00d');
    assert.equal(urlIn({ kind: 'standby', url: 'https://kme2.example' }), 'https://kme2.example');
    assert.equal(profileIn({ accountId: 'a', profile: 'cautious' }), 'cautious');
    for (const foreign of [undefined, null, 7, {}, { pad: 1 }, { url: 1 }]) {
      assert.equal(padNameIn(foreign), undefined);
      assert.equal(urlIn(foreign), undefined);
    }
  });

  it('says of a pad what is left of it', () => {
    const pad: Pad = {
      accountId: 'a',
      address: 'b@b.example',
      name: 'f00d',
      role: 'guest',
      state: 'ready',
      bits: 80_000,
      leftBits: 8000,
      readBits: 0,
      createdAt: 1,
    };
    const text = padText(pad, () => 'today', plain);
    assert.equal(text.description, '1.0 kB of 10 kB left for writing');
    assert.equal(text.detail, 'Pad f00d, imported on today');
    assert.equal(padText({ ...pad, state: 'discarded' }, () => '', plain).description, 'discarded');
  });
});

describe('views/key manager test', () => {
  const report: ConformanceReport = {
    accountId: 'a',
    kmeId: 'kme-1',
    peerSaeId: 'bob',
    at: 1,
    checks: [
      { id: 'post', outcome: 'ok', details: {} },
      { id: 'number', outcome: 'refused', details: { most: 1 } },
      { id: 'not-found-text', outcome: 'deviates', details: { status: 404, text: '<script>' } },
    ],
    spent: { keys: 4, bits: 1024 },
    profile: 'etsi',
    suggested: 'one-key-per-request',
  };

  it('is one row for each thing that was tried, with a suggestion where another profile fits better', () => {
    const page = conformancePage(report, plain);
    assert.deepEqual(
      page.rows.map(({ tone }) => tone),
      ['good', 'plain', 'bad'],
    );
    assert.equal(page.summary, '1 as the standard says, 1 otherwise, 1 refused, 0 not tested.');
    assert.equal(page.suggestion?.profile, 'one-key-per-request');
    assert.equal(conformancePage({ ...report, suggested: 'etsi' }, plain).suggestion, undefined);
    const html = conformanceHtml(page, 'command:qumail.chooseKeyManagerProfile?%5B%5D', 'n');
    assert.doesNotMatch(html, /<script/);
    assert.equal(html.match(/<th scope="row">/g)?.length, 3);
  });
});

describe('views/reader protection', () => {
  const base: SecurityReport = { level: 'L3', seal: 'opened', keyIds: [], simulated: false };

  it('offers what the engine knows of this very message where a code alone knows no better', () => {
    const step = (code: string, nextStep: SecurityReport['nextStep']): string | undefined =>
      nextStepOf({ failure: { code: code as never, details: {} }, ...(nextStep ? { nextStep } : {}) }, plain);
    assert.equal(step('kme.key-not-found', 'wait'), 'retry');
    assert.equal(step('kme.key-not-found', 'ask-again'), 'ask-again');
    assert.equal(step('open.tampered', 'ask-again'), 'ask-again');
    assert.equal(step('open.replayed', 'report'), 'report');
    assert.equal(step('open.unknown-version', 'update'), 'update');
    assert.equal(step('open.sender-changed', 'verify'), 'key-change');
    assert.equal(step('open.sender-unknown', 'verify'), 'contact', 'only its SAE ID opens it');
    assert.equal(step('pad.missing', 'wait'), 'pad');
    assert.equal(step('kme.not-configured', 'wait'), 'key-manager');
    assert.equal(step('open.written-elsewhere', 'none'), undefined);
    assert.equal(nextStepOf({}, plain), undefined);
  });

  it('never calls proven what nobody signed', () => {
    const say = (security: Partial<SecurityReport>): string | undefined =>
      signatureSentence({ ...base, ...security }, 'bob@b.example', undefined, plain);
    assert.match(say({ signature: { state: 'valid' } }) ?? '', /signed by bob@b\.example/);
    assert.match(say({ signature: { state: 'none' } }) ?? '', /not proven/);
    assert.match(
      say({ level: 'L4', signature: { state: 'unknown-signer' } }) ?? '',
      /Encrypted with OpenPGP, not post-quantum.*proves nothing/,
    );
    assert.match(say({ level: 'L4', seal: 'plain', signature: { state: 'invalid' } }) ?? '', /Not encrypted.*does not fit/);
    assert.equal(say({}), undefined);
  });

  it('tells post-quantum, signature and trust as facts', () => {
    const known = contact('bob@b.example', { certificate: { fingerprint: 'AB', mark: 'verified', source: 'card', learnedAt: 1 } });
    const facts = protectionFacts({ ...base, postQuantum: true, signature: { state: 'valid', fingerprint: 'ABCD1234' } }, known, plain);
    assert.deepEqual(
      facts.map(({ value }) => value),
      ['yes: ML-KEM-768 and X25519 together protect it', 'valid', 'ABCD 1234', 'verified'],
    );
  });

  it('reports what happened without a word of the message and without an address', () => {
    const failed: SecurityReport = {
      ...base,
      seal: 'failed',
      keyIds: ['k1'],
      failure: { code: 'open.tampered', details: { address: 'bob@b.example' } },
    };
    const report = messageReport(failed, { date: 0, rfcMessageId: '<1@x>', version: '1' });
    assert.match(report, /open\.tampered/);
    assert.match(report, /k1/);
    assert.doesNotMatch(report, /bob@/);
  });
});

describe('views/vault', () => {
  it('asks for one word of each third of the phrase', () => {
    assert.deepEqual(
      quizPositions(24, () => 0),
      [0, 8, 16],
    );
    assert.deepEqual(
      quizPositions(24, () => 0.999),
      [7, 15, 23],
    );
    assert.ok(sameWord(' Abandon ', 'abandon'));
    assert.ok(!sameWord('abandon', 'ability'));
  });

  it('takes a phrase as people copy it from paper', () => {
    assert.equal(phraseOf(' 1. Abandon  2. ability\n3. able '), 'abandon ability able');
  });

  it('says what a backup holds, what never is in one, and what restoring left alone', () => {
    const summary = summaryText(
      {
        path: '/x',
        size: 2_000_000,
        version: 1,
        createdAt: 1,
        accounts: [{ email: 'a@a.example', displayName: '' }],
        counts: { contacts: 3, mail: 0 },
        omitted: ['pads', 'keys', 'tokens'],
      },
      () => 'today',
      plain,
    );
    assert.match(
      summary,
      /Made on today, 2\.0 MB\nAccounts: a@a\.example\nHolds: 3 contacts\nNever in a backup: pads, quantum keys, sign-ins and passwords/,
    );
    const result: RestoreResult = {
      added: {},
      kept: { contacts: 2 },
      conflicts: ['b@b.example'],
      signInAgain: ['a@a.example'],
      omitted: [],
    };
    assert.match(resultText(result, plain), /Added: nothing\n.*2 contacts\n.*b@b\.example.*\nSign in again: a@a\.example/);
  });
});
