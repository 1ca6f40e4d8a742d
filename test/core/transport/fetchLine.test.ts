import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFetchLine } from '../../../src/core/transport/fetchLine.ts';

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');
const read = (line: string, ...literals: string[]) => readFetchLine(octets(line), literals.map(octets));

describe('an answer to FETCH, read without the library', () => {
  it('tells number, flags, arrival, size and source, in whatever order they come', () => {
    const items = fc.record({
      UID: fc.integer({ min: 1, max: 4_294_967_295 }).map(String),
      FLAGS: fc
        .uniqueArray(fc.constantFrom('\\Seen', '\\Flagged', '$Junk', 'NonJunk', '\\Answered'))
        .map((flags) => `(${flags.join(' ')})`),
      INTERNALDATE: fc.constantFrom('"17-Jul-1996 02:44:25 -0700"', '" 1-Jan-2020 00:00:00 +0000"'),
      'RFC822.SIZE': fc.integer({ min: 0, max: 4_294_967_295 }).map(String),
      MODSEQ: fc.integer({ min: 1 }).map((modseq) => `(${modseq})`),
      'BODY[]': fc.string({ maxLength: 40 }),
    });
    const order = fc.shuffledSubarray(['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'MODSEQ', 'BODY[]'] as const);
    fc.assert(
      fc.property(items, order, (values, chosen) => {
        const source = octets(values['BODY[]']);
        const written = chosen.map((name) => `${name} ${name === 'BODY[]' ? `{${source.length}}\r\n` : values[name]}`);
        const found = readFetchLine(octets(`* 12 FETCH (${written.join(' ')})`), chosen.includes('BODY[]') ? [source] : []);
        if (!chosen.includes('UID')) return assert.equal(found, undefined);
        assert.deepEqual(found, {
          uid: Number(values.UID),
          ...(chosen.includes('FLAGS') && { flags: values.FLAGS.slice(1, -1).split(' ').filter(Boolean) }),
          ...(chosen.includes('INTERNALDATE') && { internalDate: values.INTERNALDATE.slice(1, -1) }),
          ...(chosen.includes('RFC822.SIZE') && { size: Number(values['RFC822.SIZE']) }),
          ...(chosen.includes('BODY[]') && { source }),
        });
      }),
    );
  });

  it('leaves to the library what is written otherwise, or holds more', () => {
    for (const line of [
      '* 1 FETCH (FLAGS (\\Seen))',
      '* 1 FETCH (UID 0)',
      '* 1 FETCH (UID 7 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))',
      '* 1 FETCH (UID 7 X-GM-MSGID 1278455344230334865)',
      '* 1 FETCH (UID 7 BODY[] "quoted")',
      '* 1 FETCH (UID 7 BODY[] NIL)',
      '* 1 FETCH (UID 7 FLAGS (\\Seen)',
      '* 1 FETCH (UID 7) UID 8)',
      '* 1 FETCH (UID  7)',
      '* 1 FETCH ()',
      '* 1 EXISTS',
      'A1 OK FETCH (UID 7)',
    ])
      assert.equal(read(line), undefined, line);
  });

  it('takes no literal for a source that is not as long as was said, not the only one, or not asked for', () => {
    assert.equal(read('* 1 FETCH (UID 7 BODY[] {4}\r\n)', 'abc'), undefined);
    assert.equal(read('* 1 FETCH (UID 7 BODY[] {3}\r\n BODY[] {3}\r\n)', 'abc', 'abc'), undefined);
    assert.equal(read('* 1 FETCH (UID 7)', 'abc'), undefined);
    assert.equal(read('* 1 FETCH (UID 7 BODY[HEADER] {3}\r\n)', 'abc'), undefined);
  });

  it('ends at once on whatever else comes from the line', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1200 }), (line) => void readFetchLine(Buffer.from(line), [])));
    const long = `* 1 FETCH (UID 7 FLAGS (${'\\x '.repeat(320)}`;
    const began = performance.now();
    for (const end of [')', '))', '}']) read(long + end);
    assert.ok(performance.now() - began < 50);
  });
});
