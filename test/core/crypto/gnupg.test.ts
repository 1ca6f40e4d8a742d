import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateOf, pgp } from './pgpWorld.ts';

const TEXT = Buffer.from('From: friend@example.org\r\nSubject: caf\u00e9\r\n\r\nplain PGP/MIME\r\n');

describe('GnuPG, as people without QuMail have it', function () {
  this.timeout(30_000);
  let home = '';
  const gpg = (options: readonly string[], input?: Buffer): Buffer =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--yes', '--quiet', '--trust-model', 'always', ...options], {
      input: input ?? '',
      stdio: ['pipe', 'pipe', 'ignore'],
    });

  before(function () {
    if (spawnSync('gpg', ['--version']).status !== 0) {
      if (process.env['CI'] === 'true') throw new Error('gpg is missing');
      console.log('      skipped: gpg is not here');
      this.skip();
    }
    home = mkdtempSync(join(tmpdir(), 'qumail-gpg-'));
  });

  after(() => {
    if (home === '') return;
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    rmSync(home, { recursive: true, force: true });
  });

  for (const [name, algorithm, usage] of [
    ['RSA', 'rsa3072', 'rsa3072'],
    ['Curve25519', 'ed25519', 'cv25519'],
    ['NIST P-384', 'nistp384', 'nistp384'],
  ] as const) {
    it(`makes certificates that are accepted, reads what is sealed, and writes what is opened: ${name}`, async () => {
      const address = `${algorithm}@example.org`;
      gpg(['--passphrase', '', '--quick-generate-key', `Friend <${address}>`, algorithm, 'default', 'never']);
      const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(gpg(['--with-colons', '--list-keys', address]).toString())![1]!;
      gpg(['--passphrase', '', '--quick-add-key', fingerprint, usage, 'encr', 'never']);
      const certificate = gpg(['--export', address]);
      const now = Date.now();
      const facts = await pgp.inspect(certificate, { now, address });
      assert.equal(facts.fingerprint, fingerprint);
      assert.equal(facts.version, 4);
      assert.equal(facts.postQuantum, false);

      const { message } = await pgp.seal({ plaintext: TEXT, certificates: [certificate], now, profile: 'classic' });
      assert.deepEqual(gpg(['--decrypt'], Buffer.from(await pgp.armor('message', message))), TEXT);

      const secretKey = gpg(['--passphrase', '', '--export-secret-keys', address]);
      const answer = gpg(['--encrypt', '--sign', '--recipient', address, '--local-user', address], TEXT);
      const opened = await pgp.open({ message: answer, secretKeys: [secretKey], verifyWith: [certificate], now: Date.now() });
      assert.deepEqual(opened.plaintext, TEXT);
      assert.equal(opened.signature.state, 'valid');
      assert.equal(opened.signature.fingerprint, fingerprint);

      const { bytes: signature } = await pgp.dearmor(gpg(['--armor', '--detach-sign', '--local-user', address], TEXT).toString());
      assert.equal((await pgp.verify({ data: TEXT, signature, verifyWith: [certificate], now: Date.now() })).state, 'valid');
      const ours = await pgp.sign({ data: TEXT, secretKey, now: Date.now(), detached: true });
      assert.ok(ours.length > 50);

      // GnuPG revokes; nobody seals to it any more.
      // The revocation it keeps for each key is made harmless by a colon.
      const revocation = readFileSync(join(home, 'openpgp-revocs.d', `${fingerprint}.rev`), 'utf8').replace(/^:---/m, '---');
      gpg(['--import'], Buffer.from(revocation));
      await assert.rejects(pgp.inspect(gpg(['--export', address]), { now: Date.now() }), { code: 'cert.revoked' });
    });
  }

  it('is not given a post-quantum certificate it cannot read, and says so', async () => {
    const alice = await certificateOf('alice');
    assert.throws(() => gpg(['--import'], alice.certificate));
  });
});
