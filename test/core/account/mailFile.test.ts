import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MailFileService } from '../../../src/core/account/mailFile.ts';
import { OUTER_SUBJECT } from '../../../src/core/mail/writeMime.ts';
import { hostileCollection } from './hostileCollection.ts';

const DATA = join(import.meta.dirname, '../../data');
/** Of the hostile ones; what is larger is tried in a program of its own (hostileMail.test.ts), or is refused below. */
const LARGE = 8 * 1024 * 1024;
const LONG_MS = 5000;

describe('a message in a file of its own', function () {
  this.timeout(60_000);
  const files = new MailFileService({ world: 'real' });
  const read = (text: string) => files.readMailFile({ source: Buffer.from(text) });

  it('is read as mail is read, with its attachments, and belongs to no account', async () => {
    const source = readFileSync(join(DATA, 'html-with-inline-image-and-pdf-in-related.eml'));
    const message = await files.readMailFile({ source });
    assert.deepEqual([message.summary.id, message.summary.accountId, message.security.seal], [0, '', 'plain']);
    assert.ok(message.html !== undefined && message.attachments.length > 0);
    const [{ index, size }] = message.attachments as [(typeof message.attachments)[number]];
    assert.equal((await files.getMailFileAttachment({ source, index })).content.length, size);
    await assert.rejects(files.getMailFileAttachment({ source, index: 99 }), { code: 'attachment.missing' });
  });

  it('stays shut where it is sealed, and shows neither its notice nor its payload', async () => {
    const part = '--b\r\nContent-Type: application/json; name="qumail_payload.json"\r\n\r\n{"level":"L2"}\r\n';
    const notice = '--b\r\nContent-Type: text/plain\r\n\r\nThis is a notice that anyone may have changed.\r\n';
    const sealed = await read(
      `From: a@b.example\r\nSubject: Click here\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${notice}${part}--b--\r\n`,
    );
    assert.deepEqual([sealed.security.seal, sealed.text, sealed.html, sealed.attachments], ['unopened', '', undefined, []]);
    assert.equal(sealed.summary.subject, OUTER_SUBJECT);
    const pgp = await read(
      'From: a@b.example\r\nContent-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b\r\n\r\n--b--\r\n',
    );
    assert.deepEqual([pgp.security.seal, pgp.attachments], ['unopened', []]);
  });

  it('that is no mail at all, or has no date, is shown as what it is', async () => {
    const message = await files.readMailFile({ source: Buffer.from([0, 1, 2, 255, 10, 10, 104, 105]) });
    assert.ok(Number.isNaN(message.summary.date));
    assert.equal(message.summary.from.address, '');
    assert.deepEqual((await files.readMailFile({ source: new Uint8Array(0) })).text, '');
  });

  it('is read in bounded time whatever is in it', async () => {
    let tried = 0;
    const samples = [
      ...[...hostileCollection()].filter(({ raw }) => raw.length <= LARGE).map(({ name, raw }) => ({ name, raw })),
      ...readdirSync(DATA)
        .filter((name) => name.endsWith('.eml'))
        .map((name) => ({ name, raw: readFileSync(join(DATA, name)) })),
    ];
    for (const { name, raw } of samples) {
      const began = performance.now();
      const message = await files.readMailFile({ source: raw });
      const took = performance.now() - began;
      assert.ok(took < LONG_MS, `${name} took ${took} ms`);
      assert.equal(message.summary.size, raw.length);
      tried++;
    }
    assert.ok(tried > 20);
  });

  it('is refused above 64 MiB, and when it is not octets', async () => {
    await assert.rejects(files.readMailFile({ source: new Uint8Array(64 * 1024 * 1024 + 1) }), { code: 'open.limit' });
    await assert.rejects(files.readMailFile({ source: 'text' as unknown as Uint8Array }), { code: 'engine.bad-request' });
  });
});
