import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { readMbox, writeMbox, type MboxItem } from '../../../src/core/mail/mbox.ts';
import { MAIL_FLAGS } from '../../../src/core/base/types.ts';

const MAX = { maxMessage: 1_000_000 };

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer | string, size = 7, o = MAX): Promise<MboxItem[]> {
  const items: MboxItem[] = [];
  for await (const item of readMbox(inPieces(Buffer.from(bytes as string), size), o)) items.push(item);
  return items;
}

const rawOf = (item: MboxItem | undefined): string => (item?.kind === 'message' ? item.raw.toString('latin1') : `${item?.kind}`);

describe('mbox', () => {
  it('gives back octet for octet what was written, with date and flags, in pieces of any size', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            lines: fc.array(
              fc.oneof(
                fc.constantFrom('', 'From me', '>From you', '>>From all', 'Subject: x', 'Status: RO', 'body', ' From', '\0\xff'),
                fc.string({ maxLength: 20 }),
              ),
              { minLength: 1, maxLength: 12 },
            ),
            ending: fc.constantFrom('\n', '\r\n'),
            last: fc.boolean(),
            flags: fc.uniqueArray(fc.constantFrom(...MAIL_FLAGS)),
            date: fc.integer({ min: 0, max: 4_000_000_000 }),
          }),
          { maxLength: 5 },
        ),
        fc.integer({ min: 1, max: 40 }),
        async (messages, size) => {
          const written = messages
            .map(({ lines, ending, last, flags, date }) => ({
              raw: Buffer.from(`X-First: 1${ending}${lines.join(ending)}${last ? ending : ''}`, 'latin1'),
              flags: MAIL_FLAGS.filter((flag) => flags.includes(flag)),
              date: date * 1000,
            }))
            .filter(({ raw }) => raw.length > 0);
          const bytes = Buffer.concat(written.flatMap(({ raw, flags, date }) => [...writeMbox(raw, { date, flags })]));
          const items = await read(bytes, size);
          assert.deepEqual(
            items.map((item) =>
              item.kind === 'message'
                ? { raw: item.raw.toString('latin1'), date: item.date, flags: MAIL_FLAGS.filter((flag) => item.flags.includes(flag)) }
                : item,
            ),
            written.map(({ raw, date, flags }) => ({ raw: raw.toString('latin1'), date, flags })),
          );
        },
      ),
      { numRuns: 400 },
    ));

  it('reads what other programs write: no final empty line, CRLF, quoted and unquoted From in the text', async () => {
    const items = await read(
      'From a@b Sat Jan  3 01:05:34 1996\nSubject: one\n\nFrom here on\n>From there\n\nFrom c@d Sun Jan  4 01:05:34 1996 +0000\r\nSubject: two\r\n\r\nlast',
    );
    // An unquoted From after an empty line begins a message: nothing else can be told.
    assert.deepEqual(items.map(rawOf), ['Subject: one\n', 'From there\n', 'Subject: two\r\n\r\nlast']);
    assert.equal(items[0]?.kind === 'message' && items[0].date, Date.UTC(1996, 0, 3, 1, 5, 34));
  });

  it('finds no mail where there is none, and leaves out what stands before the first message', async () => {
    assert.deepEqual(await read(''), []);
    assert.deepEqual(await read('no mail\nat all\n'), []);
    assert.deepEqual((await read('rubbish\n\nFrom a Sat Jan  3 01:05:34 1996\nA: b\n\nc\n')).map(rawOf), ['A: b\n\nc\n']);
    assert.deepEqual(await read('From \n'), []);
  });

  it('passes over a message that is too large and a line that never ends, and goes on with the next', async () => {
    const small = { maxMessage: 2000 };
    const long = `From a Sat Jan  3 01:05:34 1996\nA: ${'x'.repeat(50_000)}`;
    const items = await read(`${long}\n\nFrom b Sat Jan  3 01:05:34 1996\nB: 1\n\n`, 1000, small);
    assert.deepEqual(
      items.map(({ kind }) => kind),
      ['too-large', 'message'],
    );
    assert.equal(rawOf(items[1]), 'B: 1\n');
    assert.deepEqual(
      (await read(long, 1000, small)).map(({ kind }) => kind),
      ['too-large'],
    );
  });

  it('takes a gigabyte without a line end in bounded memory', function () {
    this.timeout(60_000);
    const program = fileURLToPath(new URL('./endlessMboxChild.ts', import.meta.url));
    const { kinds, octets } = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' })) as {
      kinds: string[];
      octets: number;
    };
    assert.deepEqual(kinds, ['too-large']);
    assert.ok(octets < 150 * 1024 * 1024, `${octets} octets`);
  });
});
