import assert from 'node:assert/strict';
import fc from 'fast-check';
import { safeFileName } from '../../../src/core/mail/fileName.ts';
import { endingOf, mimeTypeOf } from '../../../src/core/mail/mimeTypes.ts';
import { htmlToPlain, previewOf } from '../../../src/core/mail/preview.ts';

describe('previewOf', () => {
  it('is one line of what the author wrote', () => {
    assert.equal(previewOf({ text: 'Hello\n\n  Bob,\t\nyes.\n\n> what you\n> wrote\n' }), 'Hello Bob, yes.');
    assert.equal(previewOf({ text: '> only\n> quoted' }), '> only > quoted');
    assert.equal(previewOf({ text: ' \n', html: '<style>p{}</style><p>Hi&nbsp;<b>you</b></p><script>x()</script>' }), 'Hi you');
    assert.equal(previewOf({ text: '' }), '');
  });

  it('leaves out the invisible padding of newsletters', () => {
    assert.equal(previewOf({ text: `Sale!${'\u034f \u200c\u00a0\u00ad'.repeat(100)}\u202eend` }), 'Sale! end');
  });

  it('is never longer than 200 characters, never half a character, never two lines', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        const preview = previewOf({ text });
        assert.ok(preview.length <= 200);
        assert.doesNotMatch(preview, /[\r\n\p{Cc}]/u);
      }),
    );
    assert.ok(previewOf({ text: '😀'.repeat(150) }).isWellFormed());
  });
});

describe('htmlToPlain', () => {
  it('keeps paragraphs and link texts, drops images, scripts and shouting', () => {
    assert.equal(
      htmlToPlain('<h1>Title</h1><p>One <a href="https://x.example">link</a></p><img src="t.png" alt="t"><ul><li>a<li>b</ul>').replace(
        /\n+/g,
        '|',
      ),
      'Title|One link| * a| * b',
    );
  });
});

describe('mimeTypeOf', () => {
  it('knows common endings in any case and calls the rest octets', () => {
    assert.deepEqual(['a.PDF', 'b.tar.gz', 'c', 'd.xyz', '.constructor', 'e.__proto__', 'photo.JPG'].map(mimeTypeOf), [
      'application/pdf',
      'application/gzip',
      'application/octet-stream',
      'application/octet-stream',
      'application/octet-stream',
      'application/octet-stream',
      'image/jpeg',
    ]);
    assert.deepEqual([endingOf('image/jpeg'), endingOf('text/html'), endingOf('x/y')], ['jpeg', 'htm', 'bin']);
  });
});

describe('safeFileName', () => {
  it('never yields a path, a hidden file, an empty name or one that shows other than it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const safe = safeFileName(name, 'file');
        assert.doesNotMatch(safe, /^$|^\.|[/\\\p{Cc}\u202a-\u202e]/u);
        assert.ok(Buffer.byteLength(safe) <= 200 && safe.isWellFormed());
      }),
      { numRuns: 1000 },
    );
  });
});
