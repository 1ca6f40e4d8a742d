import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTransport } from 'nodemailer';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

const run = promisify(execFile);
const CAROL = 'carol@example.test';

/** Carol uses GnuPG with whatever mail program she likes. */
class GnuPg {
  readonly home = mkdtempSync(join(tmpdir(), 'qumail-gnupg-'));

  static async isMissing(): Promise<boolean> {
    return run('gpg', ['--version']).then(
      () => false,
      () => true,
    );
  }

  gpg(...args: string[]): Promise<{ stdout: Buffer }> {
    return run('gpg', ['--homedir', this.home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], {
      encoding: 'buffer',
    });
  }

  file(name: string, content: string | Buffer): string {
    const path = join(this.home, name);
    writeFileSync(path, content);
    return path;
  }

  async dispose(): Promise<void> {
    await run('gpgconf', ['--homedir', this.home, '--kill', 'all']).catch(() => {});
    rmSync(this.home, { recursive: true, force: true });
  }
}

describe('OpenPGP mail with people who have no QuMail', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  const carol = new GnuPg();
  const engine = new OpenPgpEngine({ random: systemRandom });

  before(async function () {
    needMailWorld(this);
    if (await GnuPg.isMissing()) {
      if (process.env['CI'] === 'true') throw new Error('gpg is missing');
      console.log('      skipped: gpg is missing');
      this.skip();
    }
    world = await startPeopleWorld();
    alice = await world.person('alice');
    bob = await world.person('bob');
    await alice.signInWithPassword();
    await bob.signInWithPassword();
    await carol.gpg('--quick-generate-key', `Carol <${CAROL}>`, 'default', 'default', 'never');
    const { stdout } = await carol.gpg('--armor', '--export', CAROL);
    await alice.engine.importCertificate({ accountId: alice.account.id, address: CAROL, content: stdout.toString('latin1') });
  });

  after(async () => {
    await world?.dispose();
    await carol.dispose();
  });

  async function deliver(raw: string | Buffer, to: string): Promise<void> {
    const { host, port } = world.mail.smtp;
    const auth = { user: CAROL, pass: 'carol-password' };
    const transport = createTransport({ host, port, secure: true, tls: { ca: world.kme.pair.caPem }, auth });
    await transport.sendMail({ raw, envelope: { from: CAROL, to: [to] } });
    transport.close();
  }

  /** Carol's program: an entity with a detached signature around it (RFC 3156 section 5). */
  async function signed(entity: string): Promise<string> {
    const path = carol.file('entity', entity);
    const { stdout } = await carol.gpg('--armor', '--detach-sign', '--output', '-', path);
    const signature = stdout.toString('latin1').replace(/\r?\n/g, '\r\n');
    return (
      'Content-Type: multipart/signed; micalg=pgp-sha512; protocol="application/pgp-signature"; boundary="sig"\r\n\r\n' +
      `--sig\r\n${entity}\r\n--sig\r\nContent-Type: application/pgp-signature; name="signature.asc"\r\n\r\n${signature}\r\n--sig--\r\n`
    );
  }

  const heads = (subject: string, to: string): string =>
    `From: Carol <${CAROL}>\r\nTo: ${to}\r\nSubject: ${subject}\r\nDate: ${new Date().toUTCString()}\r\n` +
    `Message-ID: <${Math.random().toString(36).slice(2)}@example.test>\r\nMIME-Version: 1.0\r\n`;
  const TEXT = 'Content-Type: text/plain; charset=utf-8\r\n\r\nwritten by hand\r\n';

  async function certificateOf(person: Person): Promise<Buffer> {
    const { text } = await person.engine.exportCertificate({ accountId: person.account.id });
    return (await engine.dearmor(text)).bytes;
  }

  const encryptedMail = (subject: string, to: string, armored: string): string =>
    `${heads(subject, to)}Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="enc"\r\n\r\n` +
    '--enc\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n' +
    `--enc\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n${armored}\r\n--enc--\r\n`;

  it('verifies what was signed with a known certificate, and names one that is not known', async () => {
    const mail = heads('signed by gpg', alice.email) + (await signed(TEXT));
    await deliver(mail, alice.email);
    const known = await alice.receives('signed by gpg');
    assert.deepEqual([known.text.trim(), known.security.level, known.security.seal], ['written by hand', 'L4', 'plain']);
    assert.equal(known.security.signature?.state, 'valid');
    assert.equal(known.security.signature?.fingerprint?.length, 40);
    assert.deepEqual(known.attachments, []);
    await deliver(mail.replace('written by hand', 'written by Mallory').replace('signed by gpg', 'altered after signing'), alice.email);
    assert.equal((await alice.receives('altered after signing')).security.signature?.state, 'invalid');
    await deliver(mail.replaceAll(alice.email, bob.email), bob.email);
    assert.equal((await bob.receives('signed by gpg')).security.signature?.state, 'unknown-signer');
  });

  it('offers a classic certificate as what it is: not L3, but PGP by choice', async () => {
    const draft = await alice.draft({ To: CAROL, Subject: 'to gpg', Security: 'L3' }, 'x\n');
    const check = await alice.engine.checkDraft(draft);
    assert.deepEqual(
      [check.problems.map(({ code }) => code), check.possible, check.openPgp],
      [['seal.not-post-quantum'], ['L4'], 'possible'],
    );
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'seal.not-post-quantum' });
    const chosen = await alice.engine.checkDraft({ ...draft, text: draft.text.replace('L3', 'PGP') });
    assert.deepEqual([chosen.problems, chosen.level, chosen.openPgp], [[], 'L4', 'chosen']);
  });

  it('writes what gpg decrypts, with the subject inside', async () => {
    const result = await alice.send({ To: CAROL, Subject: 'Meet at the mill', Security: 'PGP' }, 'under the **willow**\n');
    assert.equal(result.level, 'L4');
    const raw = await stored(CAROL, 'multipart/encrypted');
    for (const secret of ['mill', 'willow']) assert.ok(!raw.includes(secret), secret);
    const armored = /-----BEGIN PGP MESSAGE-----[\s\S]*-----END PGP MESSAGE-----/.exec(raw)?.[0] ?? '';
    const { stdout } = await carol.gpg('--decrypt', carol.file('mail.asc', armored));
    assert.match(stdout.toString(), /^Subject: Meet at the mill\r$/m);
    assert.match(stdout.toString(), /under the \*\*willow\*\*/);
    const sent = (await alice.engine.listFolders({ accountId: alice.account.id })).find(({ specialUse }) => specialUse === 'sent')!.path;
    const copy = await alice.receives('Meet at the mill', sent);
    assert.deepEqual(
      [copy.security.level, copy.security.suite, copy.security.postQuantum, copy.security.signature?.state],
      ['L4', 'PGP/MIME', false, 'none'],
    );
  });

  it('reads what was encrypted to the own certificate, signature inside, and answers it no weaker than it came', async () => {
    const { message } = await engine.seal({
      plaintext: Buffer.from(await signed(TEXT)),
      certificates: [
        await certificateOf(alice),
        (await engine.dearmor((await carol.gpg('--armor', '--export', CAROL)).stdout.toString())).bytes,
      ],
      now: Date.now(),
      profile: 'classic',
    });
    await deliver(encryptedMail('...', alice.email, await engine.armor('message', message)), alice.email);
    const read = await alice.receives('...');
    const { security } = read;
    assert.deepEqual([read.text.trim(), security.seal, security.suite], ['written by hand', 'opened', 'PGP/MIME']);
    // Anybody who breaks RSA reads it: no L3.
    assert.deepEqual([security.level, security.postQuantum, security.signature?.state], ['L4', false, 'valid']);
    const reply = await alice.engine.createDraft({ accountId: alice.account.id, source: { kind: 'reply', messageId: read.summary.id } });
    assert.match(reply.text, /^Security: PGP/m);
    const inTheClear = reply.text.replace(/^Security:.*$/m, 'Security: L4');
    await assert.rejects(alice.engine.sendDraft({ draftId: reply.id, text: inTheClear }), { code: 'seal.quotes-sealed' });
    await alice.engine.sendDraft({ draftId: reply.id, text: reply.text });
  });

  it('goes at L3 to a post-quantum certificate of somebody who may have no QuMail, signed, and introduces the sender to who has', async () => {
    const { text } = await alice.engine.exportCertificate({ accountId: alice.account.id });
    await bob.engine.importCertificate({ accountId: bob.account.id, address: alice.email, content: text });
    await bob.send({ To: alice.email, Subject: 'plain PGP/MIME', Security: 'L3' }, 'for any RFC 9980 program\n');
    const raw = await stored(alice.email, 'qumail-');
    assert.ok(!raw.includes('qumail_payload') && /^Subject: \[\.\.\.\]\r?$/m.test(raw));
    const { security, text: body, attachments } = await alice.receives('plain PGP/MIME');
    assert.match(body, /any RFC 9980 program/);
    assert.deepEqual([security.level, security.suite, security.postQuantum, security.signature?.state], ['L3', 'PGP/MIME', true, 'valid']);
    assert.deepEqual(attachments, []);
    // Bob's card came along: from now on Alice writes to him in the container.
    await alice.send({ To: bob.email, Subject: 'in the container', Security: 'L3' }, 'x\n');
    assert.equal((await bob.receives('in the container')).security.suite, 'QM1-PGP9980');
  });

  it('leaves mail that was encrypted to another certificate as it is, and says so', async () => {
    const { stdout } = await carol.gpg(
      '--armor',
      '--trust-model',
      'always',
      '--recipient',
      CAROL,
      '--output',
      '-',
      '--encrypt',
      carol.file('plain', TEXT),
    );
    await deliver(encryptedMail('not for this program', bob.email, stdout.toString()), bob.email);
    const message = await bob.receives('not for this program');
    assert.deepEqual([message.security.failure?.code, message.security.nextStep], ['open.no-secret-key', 'ask-again']);
    assert.ok(message.attachments.some(({ name }) => name === 'encrypted.asc'));
  });

  it('refuses what was altered on its way', async () => {
    const { message } = await engine.seal({
      plaintext: Buffer.from(TEXT),
      certificates: [await certificateOf(bob)],
      now: Date.now(),
      profile: 'pq',
    });
    message[message.length - 20]! ^= 1;
    await deliver(encryptedMail('altered', bob.email, await engine.armor('message', message)), bob.email);
    const altered = await bob.receives('altered');
    assert.deepEqual([altered.security.failure?.code, altered.text, altered.summary.seal], ['open.tampered', '', 'failed']);
  });

  it('learns the certificate of an Autocrypt header, as the weakest of sources', async () => {
    const { stdout } = await carol.gpg('--export', CAROL);
    const keydata = stdout.toString('base64').replace(/.{70}/g, '$&\r\n ');
    const header = `Autocrypt: addr=${CAROL}; prefer-encrypt=mutual; keydata=\r\n ${keydata}\r\n`;
    await deliver(`${heads('with a header', bob.email)}${header}${TEXT}`, bob.email);
    await bob.receives('with a header');
    await bob.engine.saveContact({ accountId: bob.account.id, address: CAROL, name: 'Carol', minimumLevel: 'L4' });
    const contact = (await bob.engine.listContacts({ accountId: bob.account.id })).find(({ address }) => address === CAROL);
    assert.deepEqual([contact?.certificate?.source, contact?.certificate?.mark], ['autocrypt', 'unverified']);
    const draft = await bob.draft({ To: CAROL, Subject: 'x', Security: 'PGP' }, 'x\n');
    assert.deepEqual((await bob.engine.checkDraft(draft)).problems, []);
  });

  async function stored(email: string, what: string): Promise<string> {
    for (;;) {
      const raw = (await world.mail.storedMessages(email)).find((each) => each.includes(what));
      if (raw) return raw.toString('latin1');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});
