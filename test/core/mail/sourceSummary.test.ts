import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMessage } from '../../../src/core/mail/readMime.ts';
import { summaryOfSource } from '../../../src/core/mail/sourceSummary.ts';
import { generateMailbox } from '../../bench/mailbox.ts';

const source = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');

describe('mail/sourceSummary', () => {
  it('reads what a whole MIME parser reads', async () => {
    for (const raw of generateMailbox(200)) {
      const [quick, whole] = [summaryOfSource(raw), await readMessage(raw)];
      assert.deepEqual(
        { ...quick, hasPayload: undefined },
        {
          rfcMessageId: whole.messageId,
          inReplyTo: whole.inReplyTo,
          references: whole.references,
          from: whole.from,
          to: whole.to,
          subject: whole.subject,
          date: whole.date,
          hasAttachments: whole.attachments.length > 0,
          hasPayload: undefined,
        },
      );
    }
  });

  it('unfolds, decodes words and raw UTF-8, and takes the first of several fields', () => {
    const raw = source(
      'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
      ' an alle',
      'From: "B\xc3\xb6b, Jr." <Bob@Example.TEST>',
      'Subject: second',
      '',
      'x',
    );
    const { subject, from } = summaryOfSource(raw);
    assert.deepEqual([subject, from], ['Grüße an alle', { name: 'Böb, Jr.', address: 'Bob@example.test' }]);
  });

  it('finds attachments and payloads at any depth, and takes no picture of a text for one', () => {
    const nested = (inner: string[]): Buffer =>
      source(
        'Content-Type: multipart/mixed; boundary=a',
        '',
        '--a',
        'Content-Type: multipart/related; boundary="b c"',
        '',
        '--b c',
        ...inner,
        '--b c--',
        '--a--',
      );
    assert.deepEqual(summaryOfSource(nested(['Content-Type: image/png; name=x.png', 'Content-ID: <1>', '', 'x'])).hasAttachments, false);
    assert.deepEqual(summaryOfSource(nested(['Content-Disposition: attachment', '', 'x'])).hasAttachments, true);
    const sealed = summaryOfSource(nested(['Content-Type: application/json; name="QuMail_payload.json"', '', '{}']));
    assert.deepEqual([sealed.hasPayload, sealed.hasAttachments], [true, false]);
    const text = summaryOfSource(source('Content-Type: text/plain', '', 'qumail_payload.json', 'Content-Disposition: attachment'));
    assert.deepEqual([text.hasPayload, text.hasAttachments], [false, false]);
  });

  it('reads any bytes, in time that grows with their number', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => void summaryOfSource(Buffer.from(bytes))));
    const began = performance.now();
    const deep = Array.from({ length: 5000 }, (_, n) => `--b${n}\r\nContent-Type: multipart/mixed; boundary=b${n + 1}\r\n\r\n`).join('');
    summaryOfSource(source('Content-Type: multipart/mixed; boundary=b0', '', deep));
    const parts = Array.from({ length: 900 }, (_, n) => `--b\r\nContent-Type: multipart/mixed; boundary=never${n}\r\n\r\n`).join('');
    summaryOfSource(source('Content-Type: multipart/mixed; boundary=b', '', parts, '--b--', '-- x\n'.repeat(2_000_000)));
    summaryOfSource(Buffer.concat([Buffer.alloc(600_000, 'a\n'), Buffer.from('\n'), Buffer.alloc(10_000_000, 'b')]));
    summaryOfSource(source(`To: ${'a@example.test, '.repeat(50_000)}`, '', ''));
    summaryOfSource(source(`Subject: ${'=?UTF-8?Q?a?= '.repeat(20_000)}`, '', ''));
    summaryOfSource(Buffer.alloc(20 * 1024 * 1024, 'Content-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\n'));
    summaryOfSource(source(`Content-Type: multipart/mixed; ${'boundary="'.repeat(20_000)}`, '', ''));
    assert.ok(performance.now() - began < 2000);
  });
});
