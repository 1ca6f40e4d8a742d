import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { MIME_LIMITS } from '../../../src/core/mail/boundedMime.ts';
import { htmlToPlain, previewOf } from '../../../src/core/mail/preview.ts';
import { readMessage, readPayloads, readProtected } from '../../../src/core/mail/readMime.ts';

const head = 'From: Eve <eve@example.org>\r\nTo: bob@example.org\r\nSubject: hostile\r\n';
const nested = (depth: number): string => {
  let open = '';
  for (let i = 0; i < depth; i++) open += `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`;
  return `${head}${open}Content-Type: text/plain\r\n\r\ndeep down\r\n`;
};

describe('hostile mail', function () {
  this.timeout(10_000);

  for (const [name, source] of [
    ['multiparts nested 10,000 deep', () => nested(10_000)],
    ['100,000 parts', () => `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(100_000)}--b--`],
    ['2,000,000 empty lines', () => `${head}\r\n${'\n'.repeat(2_000_000)}`],
    ['16 MiB of header', () => `${head}${`X-A: ${'y'.repeat(900)}\r\n`.repeat(18_000)}\r\nbody`],
    [
      'a part header of 16 MiB',
      () => `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: ${'y'.repeat(16 * 1024 * 1024)}\r\n\r\nx`,
    ],
  ] as const) {
    it(`with ${name} is shown by its headers and source, and holds no payload`, async () => {
      const raw = Buffer.from(source());
      const m = await readMessage(raw);
      assert.equal(m.subject, 'hostile');
      assert.equal(m.from.address, 'eve@example.org');
      await assert.rejects(readPayloads(Buffer.concat([raw, Buffer.from('qumail_payload')])), { code: 'open.limit' });
    });
  }

  it('refuses a source above the limit, and nothing else', async () => {
    const raw = Buffer.alloc(MIME_LIMITS.message + 1, 'a');
    await assert.rejects(readMessage(raw), { code: 'open.limit', details: { what: 'message', limit: MIME_LIMITS.message } });
  });

  it('with a million short lines costs no object a line', async () => {
    const body = '> a \r\n'.repeat(900_000);
    for (const type of ['text/plain', 'text/plain; format=flowed', 'application/x-unknown']) {
      const started = performance.now();
      const message = await readMessage(Buffer.from(`Content-Type: ${type}\r\n\r\n${body}`));
      if (type === 'text/plain') assert.ok(message.text.startsWith('> a \n> a \n'));
      assert.ok(performance.now() - started < 5_000, type);
    }
  });

  it('with a million header lines is shown by its source', async () => {
    const started = performance.now();
    await readMessage(Buffer.from(`${'X: y\r\n'.repeat(900_000)}\r\nx`));
    assert.ok(performance.now() - started < 5_000);
  });

  it('with pictures whose ids repeat what the text repeats takes no longer for each of them', async () => {
    const pictures = Array.from(
      { length: 990 },
      (_, i) => `--x\r\nContent-Type: image/png\r\nContent-ID: <cid:cid:${i}>\r\nContent-Disposition: inline\r\n\r\na\r\n`,
    );
    const started = performance.now();
    await readMessage(
      Buffer.from(
        `Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n${'cid:'.repeat(400_000)}\r\n${pictures.join('')}`,
      ),
    );
    assert.ok(performance.now() - started < 2_000);
  });

  it('with 50,000 recipients shows the first thousand', async () => {
    const to = Array.from({ length: 50_000 }, (_, i) => `"User ${i}" <user${i}@example.org>`).join(',\r\n ');
    const m = await readMessage(Buffer.from(`From: a@b.c\r\nTo: ${to}\r\n\r\nhi`));
    assert.equal(m.to.length, 1_000);
    assert.equal(m.text, 'hi\n');
  });

  it('with one folded header of 100,000 lines is read in linear time', async () => {
    const m = await readMessage(Buffer.from(`${head}References: ${'<a@b>\r\n '.repeat(100_000)}\r\n\r\nx`));
    assert.equal(m.references.length, 200);
  });

  for (const [name, html] of [
    ['50,000 open elements', '<div>'.repeat(50_000)],
    ['100,000 unmatched closing tags', `${'<div>'.repeat(900)}${'</x>'.repeat(100_000)}`],
    ['nested tables', '<table><tr><td>'.repeat(20_000)],
    ['an attribute without end', `<a href="${'x'.repeat(1_000_000)}`],
    ['comments without end', '<!--'.repeat(200_000)],
    ['entities', '&amp'.repeat(200_000)],
  ] as const) {
    it(`with ${name} in its HTML becomes text in bounded time`, () => {
      assert.equal(typeof htmlToPlain(html), 'string');
      assert.ok(previewOf({ text: '', html }).length <= 200);
    });
  }

  it('of any bytes never throws, and any cut or altered sample neither', async () => {
    const folder = new URL('../../data/', import.meta.url);
    const samples = readdirSync(folder)
      .filter((f) => f.endsWith('.eml'))
      .map((f) => readFileSync(new URL(f, folder)));
    const altered = fc
      .tuple(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
        fc.nat(2500),
      )
      .map(([raw, edits, cut]) => {
        const copy = Buffer.from(raw.subarray(0, cut));
        for (const [at, byte] of edits) if (at < copy.length) copy[at] = byte;
        return copy;
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 500 }), altered), async (raw) => {
        const m = await readMessage(raw);
        assert.doesNotMatch(m.subject + m.from.name + m.messageId, /[\r\n\0]/);
        for (const a of m.attachments) assert.doesNotMatch(a.name, /^$|^\.|[/\\\r\n\0]/);
        for (const run of [readPayloads, readProtected])
          await run(raw).catch((e: unknown) => assert.ok(QuMailError.is(e) && e.code.startsWith('open.')));
      }),
      { numRuns: 400 },
    );
  });
});
