import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { pictureFacts } from '../../../src/views/chats/pictureFacts.ts';
import { PictureSquarer } from '../../../src/views/chats/pictureSquarer.ts';
import { pictureIcon } from '../../../src/views/chats/pictureIcon.ts';

const SQUARE = readFileSync(join(import.meta.dirname, '../../data/square.png'));

const octets = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
const png = (width: number, height: number): Buffer => {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  return octets('\x89PNG\r\n\x1a\n', [0, 0, 0, 13], 'IHDR', [...size], [8, 2, 0, 0, 0]);
};
const APP0 = [0xff, 0xe0, 0, 4, 1, 2];
const TABLES = [0xff, 0xc4, 0, 3, 9];
const FRAME = [0xff, 0xc2, 0, 17, 8, 0x01, 0x02, 0x03, 0x04, 3];

describe('what a picture is by its octets', () => {
  it('is read out of each format, with its size', () => {
    assert.deepEqual(pictureFacts(SQUARE), { mimeType: 'image/png', width: 40, height: 40 });
    assert.deepEqual(pictureFacts(octets('GIF89a', [0x2c, 0x01, 0xc8, 0x00, 0])), { mimeType: 'image/gif', width: 300, height: 200 });
    // A frame header behind an application segment, fill octets, and Huffman tables, whose marker lies in the range of frames.
    assert.deepEqual(pictureFacts(octets([0xff, 0xd8], APP0, [0xff, 0xff], TABLES.slice(1), FRAME)), {
      mimeType: 'image/jpeg',
      width: 0x0304,
      height: 0x0102,
    });
    const riff = (chunk: string, ...rest: readonly number[]): Buffer =>
      octets('RIFF', [30, 0, 0, 0], 'WEBP', chunk, [10, 0, 0, 0], rest, Array(12).fill(0));
    assert.deepEqual(pictureFacts(riff('VP8 ', 0, 0, 0, 0x9d, 0x01, 0x2a, 0x2c, 0x01, 0xc8, 0x00)), {
      mimeType: 'image/webp',
      width: 300,
      height: 200,
    });
    assert.deepEqual(pictureFacts(riff('VP8L', 0x2f, 0x2b, 0xc1, 0x31, 0x00)), { mimeType: 'image/webp', width: 300, height: 200 });
    assert.deepEqual(pictureFacts(riff('VP8X', 0, 0, 0, 0, 0x2b, 0x01, 0x00, 0xc7, 0x00, 0x00)), {
      mimeType: 'image/webp',
      width: 300,
      height: 200,
    });
  });

  it('is nothing where it is no picture, is cut off, or could run a script', () => {
    for (const foreign of [
      '',
      '<svg onload="x">',
      '<html>',
      '\x89PNG\r\n\x1a\n....',
      'GIF89a',
      'RIFF....WEBPVP8 ',
      '\xff\xd8\xff',
      'BM12345678901234567890123456',
    ]) {
      assert.equal(pictureFacts(octets(foreign)), undefined, foreign);
    }
  });

  it('is nothing where few octets would become more pixels than anybody wants drawn', () => {
    assert.equal(pictureFacts(png(8000, 5000))?.width, 8000);
    assert.equal(pictureFacts(png(8001, 5000)), undefined);
    assert.equal(pictureFacts(png(20_000, 1)), undefined);
    assert.equal(pictureFacts(png(0, 40)), undefined);
    assert.equal(pictureFacts(png(0xffff_ffff, 0xffff_ffff)), undefined);
  });

  it('is looked for in any octets without a throw, and never found in more than fit', () => {
    const heads = fc.constantFrom('\x89PNG\r\n\x1a\n', 'GIF89a', '\xff\xd8', 'RIFF0000WEBPVP8X', 'RIFF0000WEBPVP8L', 'RIFF0000WEBPVP8 ');
    fc.assert(
      fc.property(heads, fc.uint8Array({ maxLength: 200 }), (head, rest) => {
        const facts = pictureFacts(octets(head, [...rest]));
        assert.ok(facts === undefined || facts.width * facts.height <= 40_000_000);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the picture of a group as an icon', () => {
  const icon = (content: Buffer): string | undefined => pictureIcon({ mimeType: 'image/png', width: 40, height: 40, content }, 'good');

  it('is an address that holds all of it, and the sign of who is verified', () => {
    const svg = Buffer.from((icon(SQUARE) ?? '').replace('data:image/svg+xml;base64,', ''), 'base64').toString();
    assert.ok(svg.includes(`data:image/png;base64,${SQUARE.toString('base64')}`));
    assert.match(svg, /#388a34/);
    assert.doesNotMatch(svg.replace(/http:\/\/www\.w3\.org\/2000\/svg/, ''), /https?:|script|file:/);
  });

  it('is none where the picture is too large for a row', () => {
    assert.equal(icon(Buffer.alloc(97 * 1024)), undefined);
  });
});

describe('having a page draw a picture anew', () => {
  /** A page that answers with this, as soon as it is there. */
  const squarerWith = (answer: Uint8Array | undefined): PictureSquarer => {
    const squarer: PictureSquarer = new PictureSquarer((word) => {
      assert.equal(word.kind, 'square');
      // A Buffer would not reach the page as octets.
      assert.ok(word.kind === 'square' && word.content.constructor === Uint8Array);
      if (word.kind === 'square')
        queueMicrotask(() => squarer.answered({ kind: 'squared', ref: word.ref, ...(answer && { content: answer }) }));
    });
    squarer.ready();
    return squarer;
  };

  it('takes a small square picture for an answer, and nothing else', async () => {
    assert.equal(await squarerWith(SQUARE).square(SQUARE), SQUARE);
    assert.equal(await squarerWith(undefined).square(SQUARE), undefined);
    assert.equal(await squarerWith(Buffer.from('<svg onload="x">')).square(SQUARE), undefined);
    assert.equal(await squarerWith(png(512, 511)).square(SQUARE), undefined);
    assert.equal(await squarerWith(png(4000, 4000)).square(SQUARE), undefined);
  });

  it('asks no page about what is no picture, and waits for none that is gone', async () => {
    const asked: unknown[] = [];
    const squarer = new PictureSquarer((word) => asked.push(word));
    assert.equal(await squarer.square(Buffer.from('<html>')), undefined);
    const waiting = squarer.square(SQUARE);
    squarer.dispose();
    assert.equal(await waiting, undefined);
    assert.deepEqual(asked, []);
  });
});
