import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { htmlWords } from '../../../src/core/mail/htmlWords.ts';
import { mimeLeaves, parameterOf } from '../../../src/core/mail/mimeLeaves.ts';
import { searchTextOf, SEARCH_TEXT_LIMITS } from '../../../src/core/mail/searchText.ts';

const example = (name: string) => searchTextOf(readFileSync(new URL(`../../data/${name}.eml`, import.meta.url)));
const message = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'));

describe('mail/searchText', () => {
  it('reads fields, encoded words and text in their charsets', () => {
    const { subject, text } = example('koi8-r-base64');
    assert.equal(subject, 'Привет');
    assert.equal(text.trim(), 'Привет, мир');
    assert.equal(example('latin1-bytes-in-headers').from, 'Jürgen Groß <juergen@example.de>');
    assert.equal(example('utf8-body-labelled-us-ascii').text.trim(), 'Zażółć gęślą jaźń');
    assert.equal(example('unknown-charset').text.trim(), 'café');
  });

  it('reads the names of attachments, in pieces and percent-encoded, and not their content', () => {
    assert.deepEqual(example('rfc2231-file-names').fileNames.split('\n').slice(0, 2), ['हिन्दी.txt', 'लेख.txt']);
    const { fileNames, text } = example('html-with-inline-image-and-pdf-in-related');
    assert.equal(fileNames, 'pic.png\nterms.pdf');
    assert.equal(text.replace(/\s+/g, ' ').trim(), 'Offer Look:');
  });

  it('takes the plain one of alternatives, and HTML where there is none', () => {
    const alternatives = (plain: string): Buffer =>
      message(
        'Content-Type: multipart/alternative; boundary=b',
        '',
        '--b',
        '',
        plain,
        '--b',
        'Content-Type: text/html',
        '',
        '<p>rich',
        '--b--',
        '',
      );
    assert.equal(searchTextOf(alternatives('plain')).text, 'plain');
    assert.equal(searchTextOf(alternatives('')).text.trim(), 'rich');
  });

  it('looks into attached messages and past text that looks like boundaries', () => {
    const raw = message(
      'Content-Type: multipart/mixed; boundary="a b"',
      '',
      'preamble',
      '--a b',
      '',
      '--a bc is no boundary',
      '--a b',
      'Content-Type: message/rfc822',
      '',
      'Subject: inner',
      'Content-Type: text/plain',
      '',
      'forwarded words',
      '--a b--',
      'epilogue',
    );
    assert.equal(searchTextOf(raw).text, '--a bc is no boundary\nforwarded words');
  });

  it('decodes quoted-printable leniently', () => {
    const raw = message('Content-Transfer-Encoding: Quoted-Printable', '', 'caf=C3=A9 soft=', 'break 1=2 =ZZ=');
    assert.equal(searchTextOf(raw).text, 'café softbreak 1=2 =ZZ=');
  });

  it('reads list ids and copies', () => {
    const raw = message('List-Id: Dev talk', ' <dev.example.test>', 'Cc: Carol <carol@example.test>', '', 'x');
    assert.equal(searchTextOf(raw).list, 'Dev talk <dev.example.test>');
    assert.equal(searchTextOf(raw).cc, 'Carol <carol@example.test>');
  });

  it('finds words in HTML without tags, scripts, styles and comments', () => {
    const html =
      '<head><title>no</title></head><p>one</p><p>two<b>three</b>&eacute;&#x41;<!-- no --><script>no("</p>")</script> 1 < 2<br>end';
    assert.equal(htmlWords(html, 10_000).replace(/\s+/g, ' ').trim(), 'one twothreeéA 1 < 2 end');
    assert.equal(htmlWords('<p>never closed <style>a{}', 10_000).trim(), 'never closed');
  });

  it('never throws, whatever the octets', () => {
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom(
          '\r\n',
          '\n',
          '--b',
          '--b--',
          'Content-Type: multipart/mixed; boundary=b',
          'Content-Type: text/html; charset=x',
          '=?utf-8?B?',
          '<!--',
          '=',
          '&#xfffff;',
        ),
        fc.string({ unit: 'binary', maxLength: 20 }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(soup, (parts) => {
        const { text } = searchTextOf(Buffer.from(parts.join('')));
        assert.ok(text.length <= SEARCH_TEXT_LIMITS.text && !text.includes('\0'));
      }),
      { numRuns: 500 },
    );
  });

  const hostile: Readonly<Record<string, () => Buffer>> = {
    '64 MB of nested multiparts': () => {
      const levels = Array.from({ length: 200 }, (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`).join('');
      return Buffer.concat([Buffer.from(levels), Buffer.alloc(64 * 1024 * 1024, 'word word word\r\n--b7x\r\n')]);
    },
    'a million boundaries': () => Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(1_000_000)}`),
    'lines of two hyphens': () => Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--\r\n'.repeat(8_000_000)}`),
    'a header of 30 MB': () => Buffer.concat([Buffer.from('Subject: '), Buffer.alloc(30_000_000, 'folded\r\n '), Buffer.from('\r\n\r\nx')]),
    'a million header lines': () => Buffer.from(`${'X: y\r\n'.repeat(1_000_000)}\r\nbody`),
    'unclosed encoded words': () => Buffer.from(`Subject: ${'=?utf-8?Q?=41'.repeat(50_000)}\r\n\r\n`),
    'unclosed tags': () => Buffer.from(`Content-Type: text/html\r\n\r\n${'<a '.repeat(2_000_000)}`),
    'unclosed scripts': () => Buffer.from(`Content-Type: text/html\r\n\r\n${'<script>'.repeat(500_000)}`),
    'unclosed comments': () => Buffer.from(`Content-Type: text/html\r\n\r\n${'<!--'.repeat(500_000)}`),
    '20,000 messages in each other': () => Buffer.from(`${'Content-Type: message/rfc822\r\n\r\n'.repeat(20_000)}x`),
    'parameters without end': () => Buffer.from(`Content-Type: text/plain;${' a="'.repeat(100_000)}\r\n\r\nx`),
    '50,000 recipients': () => Buffer.from(`To: ${Array.from({ length: 50_000 }, (_, n) => `p${n}@example.test`).join(',\r\n ')}\r\n\r\nx`),
  };
  for (const [name, make] of Object.entries(hostile)) {
    it(`reads ${name} in bounded time`, function () {
      this.timeout(5000);
      const raw = make();
      const started = performance.now();
      const { text } = searchTextOf(raw);
      assert.ok(performance.now() - started < 1500, `${performance.now() - started} ms`);
      assert.ok(text.length <= SEARCH_TEXT_LIMITS.text);
    });
  }

  it('bounds the outline', () => {
    assert.ok(
      mimeLeaves(Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(10_000)}`)).leaves.length <= 500,
    );
    assert.equal(parameterOf('text/plain; charset="a\\"b"; name=x', 'charset'), 'a"b');
  });
});
