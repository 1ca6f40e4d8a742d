import assert from 'node:assert/strict';
import { mailFlags, remoteMessage, wireFlags, type FetchedPart } from '../../../src/core/transport/remoteMessage.ts';

const leaf = (name: string, more: Partial<FetchedPart> = {}): FetchedPart => ({
  type: 'application/octet-stream',
  parameters: { name },
  ...more,
});
const mixed = (...childNodes: FetchedPart[]): FetchedPart => ({ type: 'multipart/mixed', childNodes });

describe('a FETCH response as a message', () => {
  it('keeps texts on one line and addresses in their normal spelling', () => {
    const message = remoteMessage({
      uid: 7,
      envelope: {
        subject: 'two\r\nlines\u202e',
        from: [{ name: 'Ann\u0000 A', address: 'Ann@EXAMPLE.test' }],
        to: [{ name: 'group' }, { address: 'b@other.test' }],
        messageId: ' <a@b> ',
      },
      headers: Buffer.from('References: <1@x>\r\n <2@x> junk <3@x\r\n\r\n'),
    });
    assert.equal(message.subject, 'two lines');
    assert.deepEqual(message.from, { name: 'Ann  A', address: 'Ann@example.test' });
    assert.deepEqual(message.to, [{ name: '', address: 'b@other.test' }]);
    assert.equal(message.rfcMessageId, '<a@b>');
    assert.deepEqual(message.references, ['<1@x>', '<2@x>']);
  });

  it('takes the arrival for the date where the Date header is unusable', () => {
    const internalDate = new Date(1_700_000_000_000);
    assert.equal(remoteMessage({ uid: 1, internalDate, envelope: { date: 'yesterday-ish' } }).date, 1_700_000_000_000);
    assert.equal(remoteMessage({ uid: 1, internalDate, envelope: { date: new Date(5) } }).date, 5);
    assert.equal(remoteMessage({ uid: 1 }).date, 0);
  });

  it('finds a sealed payload anywhere in the structure and does not call it an attachment', () => {
    const text: FetchedPart = { type: 'text/plain' };
    const sealed = remoteMessage({
      uid: 1,
      bodyStructure: mixed(mixed(text, leaf('QuMail_Payload.json', { disposition: 'attachment' })), text),
    });
    assert.deepEqual([sealed.hasPayload, sealed.hasAttachments], [true, false]);
    const plain = remoteMessage({
      uid: 1,
      bodyStructure: mixed(text, { type: 'image/png', dispositionParameters: { filename: 'a.png' } }),
    });
    assert.deepEqual([plain.hasPayload, plain.hasAttachments], [false, true]);
  });

  it('does not count inline pictures as attachments, but does count an attached message', () => {
    assert.equal(
      remoteMessage({ uid: 1, bodyStructure: leaf('logo.png', { type: 'image/png', id: '<x>', disposition: 'inline' }) }).hasAttachments,
      false,
    );
    const attached: FetchedPart = { type: 'message/rfc822', disposition: 'attachment', childNodes: [{ type: 'text/plain' }] };
    assert.equal(remoteMessage({ uid: 1, bodyStructure: mixed(attached) }).hasAttachments, true);
  });

  it('walks a structure of absurd depth without falling', () => {
    let part: FetchedPart = leaf('qumail_payload.json');
    for (let depth = 0; depth < 100_000; depth++) part = mixed(part);
    assert.equal(remoteMessage({ uid: 1, bodyStructure: part }).hasPayload, false);
  });

  it('maps the system flags both ways and leaves out the rest', () => {
    assert.deepEqual(mailFlags(['\\SEEN', '\\Recent', '$Junk', '\\draft']), ['seen', 'draft']);
    assert.deepEqual(wireFlags(['answered', 'flagged']), ['\\Flagged', '\\Answered']);
  });
});
