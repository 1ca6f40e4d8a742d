import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { checkDraft, readyMessage, type ComposeDeps } from '../../../src/core/account/composeDraft.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { CipherManager } from '../../../src/core/crypto/cipherManager.ts';
import type { DraftRecord } from '../../../src/core/store/drafts.ts';

describe('what a draft becomes', () => {
  const self = { name: 'Alice', address: 'alice@example.test' };
  let folder: string;

  before(() => (folder = mkdtempSync(join(tmpdir(), 'qumail-attach-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  // Nobody is known here and no key manager is connected: everything is L4.
  const deps = {
    contacts: { get: () => undefined },
    links: { isConfigured: () => false, hasSource: () => false },
    trust: { usable: () => undefined, expired: () => undefined, minimumOf: () => 'L4' },
    cipher: new CipherManager({ random: systemRandom }),
    clock: systemClock,
    random: systemRandom,
  } as unknown as ComposeDeps;
  const record: DraftRecord = { id: 'd', accountId: 'a', text: '', inReplyTo: '', references: [], updatedAt: 0 };

  const check = (text: string, draft = record) => checkDraft(draft, text, self, 'best', deps);
  const codes = async (text: string, draft = record) => (await check(text, draft)).problems.map(({ code }) => code);
  const ready = (text: string) => readyMessage(record, text, self, 'best', deps);
  const write = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('refuses a From that is not the address of its account, rather than sending from another one', async () => {
    const text = 'From: Boss <boss@example.test>\nTo: bob@other.test\n\nHello\n';
    const [problem] = (await check(text)).problems;
    assert.equal(problem?.code, 'draft.other-sender');
    assert.deepEqual([problem?.line, problem?.details], [0, { address: 'boss@example.test', account: 'alice@example.test' }]);
    await assert.rejects(ready(text), (error) => QuMailError.is(error, 'draft.other-sender'));
    assert.deepEqual((await ready('From: A. <alice@example.test>\nTo: bob@other.test\n\n')).message.from, {
      name: 'A.',
      address: self.address,
    });
  });

  it('holds a draft that quotes a sealed message to the level of that message, mark or no mark', async () => {
    const quoted = { subject: 'Re: The place', text: '\n\nBob:\n\n> We meet at the old mill.\n' };
    const reply: DraftRecord = { ...record, minimumLevel: 'L2', quoted };
    const head = 'To: bob@other.test\nSecurity: L4\n';
    assert.deepEqual(await codes(`${head}Subject: Re: The place\n\nYes\n`, reply), ['seal.quotes-sealed']);
    assert.deepEqual(await codes(`${head}Subject: x\n\n> We meet\n`, reply), ['seal.quotes-sealed']);
    assert.deepEqual(await codes(`${head}Subject: x\n\nWe meet at the old mill.\n`, reply), ['seal.quotes-sealed']);
    assert.deepEqual(await codes(`${head}Subject: x\n\nSee you there.\n`, reply), []);
  });

  describe('to somebody whose post-quantum certificate has expired', () => {
    const knowing = (link: boolean, suites: readonly string[], minimum = 'L4'): ComposeDeps =>
      ({
        ...deps,
        contacts: { get: () => ({ saeId: 'SAE-BOB', minimumLevel: minimum }) },
        links: { isConfigured: () => true, hasSource: () => link, budgetOf: () => undefined },
        trust: { usable: () => undefined, expired: () => ({ at: 5, suites }), minimumOf: () => 'L4' },
      }) as unknown as ComposeDeps;
    const checked = (security: string, how: ComposeDeps) =>
      checkDraft(record, `To: bob@other.test\n${security}Subject: x\n\nHello\n`, self, 'best', how);
    const found = async (security: string, how: ComposeDeps) =>
      (await checked(security, how)).problems.map(({ code, severity }) => `${severity} ${code}`);
    const combined = ['QM1-CB256', 'QM1-CB256+PQ', 'QM1-PGP9980'];

    it('starts at L3 still, and says what is in the way, rather than start at L4', async () => {
      const { level, problems, possible, openPgp } = await checked('', knowing(false, ['QM1-PGP9980']));
      assert.equal(level, 'L3');
      assert.deepEqual(
        problems.map(({ code, severity, details }) => [code, severity, details]),
        [['seal.certificate-expired', 'error', { address: 'bob@other.test', expiredAt: 5 }]],
      );
      assert.deepEqual([possible, openPgp], [['L4'], undefined]);
      assert.deepEqual(await found('Security: L4\n', knowing(false, ['QM1-PGP9980'])), []);
    });

    it('warns at L2 that the post-quantum share is lost, where there was one', async () => {
      assert.deepEqual(await found('', knowing(true, combined)), ['warning seal.share-expired']);
      assert.deepEqual(await found('', knowing(true, ['QM1-CB256'])), []);
      assert.deepEqual(await found('Security: L1\n', knowing(true, combined)), []);
    });
  });

  it('holds to the minimum level on the card of somebody who is no contact yet', async () => {
    const trust = { usable: () => undefined, expired: () => undefined, minimumOf: () => 'L3' };
    const stranger = { ...deps, trust } as unknown as ComposeDeps;
    const { level, problems } = await checkDraft(record, 'To: bob@other.test\nSubject: x\n\n', self, 'best', stranger);
    assert.deepEqual([level, problems.map(({ code }) => code)], ['L3', ['seal.no-certificate']]);
    const chosen = await checkDraft(record, 'To: bob@other.test\nSecurity: L4\nSubject: x\n\n', self, 'best', stranger);
    assert.deepEqual(
      chosen.problems.map(({ code, details }) => [code, details]),
      [['seal.below-minimum', { address: 'bob@other.test', minimum: 'L3' }]],
    );
  });

  it('never passes over a header line in silence, since it could be the one that names the level', async () => {
    const text = `${'To: bob@other.test\n'.repeat(2_000)}Security: L1\n\nsecret\n`;
    assert.ok((await codes(text)).includes('draft.bad-header'));
  });

  it('takes relative paths and ~ from the home folder, wherever the editor was started', async () => {
    const path = write('plans.txt', 'plans');
    for (const written of [path, relative(homedir(), path), `~/${relative(homedir(), path)}`]) {
      const { message } = await ready(`To: bob@other.test\nAttach: ${written}\n\n`);
      assert.deepEqual(
        message.attachments.map(({ name, content }) => [name, Buffer.from(content).toString()]),
        [['plans.txt', 'plans']],
      );
    }
  });

  it('refuses what is no regular file', async function () {
    if (process.platform === 'win32') this.skip();
    assert.deepEqual(await codes(`To: bob@other.test\nAttach: /dev/zero\n\n`), ['draft.file-missing']);
    assert.deepEqual(await codes(`To: bob@other.test\nAttach: ${folder}\n\n`), ['draft.file-missing']);
  });

  it('reads no more than may be attached, even where a file tells less than it holds', async function () {
    if (process.platform !== 'linux') this.skip();
    // Files of /proc say that they are empty.
    const text = 'To: bob@other.test\nAttach: /proc/self/status\n\n';
    assert.deepEqual(await codes(text), []);
    await assert.rejects(ready(text), (error) => QuMailError.is(error, 'draft.file-missing'));
  });
});
