import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readHeaderSection } from '../../../src/core/mail/headerSection.ts';
import { readPgpEncrypted, readPgpSigned, withHeaders } from '../../../src/core/mail/pgpMime.ts';
import { writePgpMime } from '../../../src/core/mail/pgpMimeWriting.ts';
import { readMessage } from '../../../src/core/mail/readMime.ts';

const ARMORED = '-----BEGIN PGP MESSAGE-----\r\n\r\nwy4EAAAA\r\n-----END PGP MESSAGE-----\r\n';
const outer = {
  from: { name: '', address: 'alice@example.test' },
  to: [{ name: '', address: 'bob@other.test' }],
  date: new Date(1_800_000_000_000),
  messageId: '<1@example.test>',
  subject: '[...]',
};
const signedMail = (parts: readonly string[], type = 'multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"') =>
  Buffer.from(
    `From: a@example.test\r\nContent-Type: ${type}; boundary="b"\r\n\r\npreamble\r\n${parts.map((p) => `--b\r\n${p}\r\n`).join('')}--b--\r\n`,
  );
const CONTENT = 'Content-Type: text/plain\r\n\r\nsigned text\r\n';
const SIGNATURE = 'Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n';

describe('PGP/MIME', () => {
  it('is written as the two parts of RFC 3156, and read back as the very armor', async () => {
    const raw = writePgpMime(outer, ARMORED, 'qumail-0123');
    assert.equal((await readPgpEncrypted(raw))?.toString().trim(), ARMORED.trim().replaceAll('\r\n', '\n'));
    assert.match(raw.toString(), /^Subject: \[\.\.\.\]\r$/m);
    assert.ok(!/[^\r]\n/.test(raw.toString()));
  });

  it('is nothing that merely looks like it', async () => {
    const raw = writePgpMime(outer, ARMORED, 'qumail-0123').toString();
    const third = '--qumail-0123\r\nContent-Type: text/plain\r\n\r\nread me first\r\n--qumail-0123--';
    for (const changed of [
      raw.replace('multipart/encrypted', 'multipart/mixed'),
      raw.replace('protocol="application/pgp-encrypted"', 'protocol="application/other"'),
      raw.replace('Content-Type: application/pgp-encrypted', 'Content-Type: text/plain'),
      raw.replace('--qumail-0123--', third),
    ])
      assert.equal(await readPgpEncrypted(Buffer.from(changed)), undefined);
  });

  it('hands out what is signed exactly as it was signed, whatever the line ends on the way', () => {
    const raw = signedMail([CONTENT, SIGNATURE]);
    for (const received of [raw, Buffer.from(raw.toString().replaceAll('\r\n', '\n'))]) {
      const found = readPgpSigned(received);
      assert.equal(found?.signed.toString(), CONTENT);
      assert.match(found?.signature ?? '', /^-----BEGIN PGP SIGNATURE-----/);
    }
  });

  it('makes no claim for a body of which a part is not signed', () => {
    const more = 'Content-Type: text/plain\r\n\r\nadded by somebody\r\n';
    for (const raw of [
      signedMail([CONTENT, SIGNATURE, more]),
      signedMail([more, CONTENT, SIGNATURE]),
      signedMail([CONTENT]),
      signedMail([SIGNATURE, CONTENT]),
      signedMail([CONTENT, SIGNATURE], 'multipart/mixed'),
      Buffer.from(signedMail([CONTENT, SIGNATURE]).toString().replace('--b--', '')),
    ])
      assert.equal(readPgpSigned(raw), undefined);
  });

  it('shows no detached signature among the attachments of a signed message', async () => {
    assert.deepEqual((await readMessage(signedMail([CONTENT, SIGNATURE]))).attachments, []);
  });

  it('takes the header fields of an entity that protects them, and those outside where it does not', async () => {
    const outside = readHeaderSection(Buffer.from('From: a@example.test\r\nSubject: ...\r\nMessage-ID: <1@x.test>\r\n\r\n')).fields;
    const protecting = (parameter: string) =>
      Buffer.from(`From: A <a@example.test>\r\nSubject: true subject\r\nContent-Type: text/plain${parameter}\r\n\r\nbody\r\n`);
    for (const [parameter, subject, protects] of [
      ['; hp="cipher"', 'true subject', 'own-headers'],
      ['; protected-headers="v1"', 'true subject', 'own-headers'],
      ['', '...', 'nothing'],
    ] as const) {
      const read = withHeaders(protecting(parameter), outside);
      const message = await readMessage(read.message);
      assert.deepEqual([message.subject, message.text, read.protects], [subject, 'body\n', protects]);
      assert.equal(message.from.address, 'a@example.test');
    }
  });

  it('survives whatever bytes come', async () => {
    const seeds = [signedMail([CONTENT, SIGNATURE]), writePgpMime(outer, ARMORED, 'b')];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { maxLength: 20 }),
        async (seed, changes) => {
          const raw = Buffer.from(seed);
          for (const [at, octet] of changes) raw[at % raw.length] = octet;
          readPgpSigned(raw);
          await readPgpEncrypted(raw);
        },
      ),
      { numRuns: 300 },
    );
  });
});
