/** Messages that no program writes in good faith, each with what makes it hostile. The same in every run. */

export interface HostileMessage {
  readonly name: string;
  readonly raw: Buffer;
  /** A word that is found by searching, where any may be expected to be: in the subject or the text. */
  readonly word?: string;
}

const MIB = 1024 * 1024;

const head = (subject: string, fields: readonly string[] = []): string =>
  [
    'From: Mallory <mallory@evil.test>',
    'To: alice@example.test',
    `Subject: ${subject}`,
    'Date: Mon, 2 Mar 2026 10:00:00 +0000',
    `Message-ID: <${subject.replaceAll(' ', '.')}@evil.test>`,
    'MIME-Version: 1.0',
    ...fields,
    '',
    '',
  ].join('\r\n');
const type = (value: string): string => `Content-Type: ${value}`;
const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('');

/** Multiparts inside each other, each with a boundary of its own; `octets` of text in the middle. */
function nested(subject: string, levels: number, octets: number, closed: 'closed' | 'open' = 'closed'): Buffer {
  const parts = [head(subject, [type('multipart/mixed; boundary="b0"')])];
  for (let level = 1; level < levels; level++) parts.push(lines(`--b${level - 1}`, type(`multipart/mixed; boundary="b${level}"`), ''));
  parts.push(lines(`--b${levels - 1}`, type('text/plain'), ''), 'deep text\r\n'.repeat(Math.ceil(octets / 11)));
  if (closed === 'closed') for (let level = levels - 1; level >= 0; level--) parts.push(`\r\n--b${level}--`);
  return Buffer.from(parts.join(''), 'latin1');
}

/** `octets` of multiparts that each hold many empty parts and the next multipart: much structure and no text. */
export function nestedMultiparts(subject: string, octets: number): Buffer {
  const filler = lines('--same', type('text/html'), '', '');
  const deeper = lines('--same', type('multipart/alternative; boundary=same'), '');
  const unit = filler.repeat(50) + deeper;
  const start = Buffer.from(head(subject, [type('multipart/mixed; boundary=same')]));
  const rest = Buffer.alloc(octets - start.length, unit, 'latin1');
  return Buffer.concat([start, rest]);
}

function inBytes(subject: string, fields: readonly string[], body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(head(subject, fields), 'latin1'), body]);
}

function text(subject: string, fields: readonly string[], body: string): Buffer {
  return inBytes(subject, fields, Buffer.from(body, 'latin1'));
}

/** Made one at a time: together they take 250 MB. */
export function* hostileCollection(): Generator<HostileMessage> {
  yield* brokenMime();
  yield* hugeHeaders();
  yield* deepNesting();
  yield* wrongCharsets();
  yield* strangeOctets();
  yield* costlyBodies();
}

function* brokenMime(): Generator<HostileMessage> {
  yield { name: 'an empty message', raw: Buffer.alloc(0) };
  yield { name: 'a line feed alone', raw: Buffer.from('\n') };
  yield { name: 'no header section', raw: Buffer.from('\r\nnothing but unheaded text\r\n'), word: 'unheaded' };
  yield { name: 'a header section that never ends', raw: Buffer.from('Subject: unending\r\nFrom: a@b.test'), word: 'unending' };
  yield { name: 'no header at all', raw: Buffer.from('headless words without a colon anywhere\r\n'.repeat(3)) };
  yield { name: 'no boundary', raw: text('boundless', [type('multipart/mixed')], lines('--x', '', 'text', '--x--')), word: 'boundless' };
  yield {
    name: 'an empty boundary',
    raw: text('emptybound', [type('multipart/mixed; boundary=""')], lines('--', '', 'text')),
    word: 'emptybound',
  };
  yield {
    name: 'a boundary of 100,000 characters that nearly matches everywhere',
    raw: Buffer.concat([
      text('longbound', [type(`multipart/mixed; boundary="${'b'.repeat(100_000)}"`)], lines(`--${'b'.repeat(100_000)}`, '', 'text')),
      Buffer.alloc(10 * MIB, 'b'),
    ]),
    word: 'longbound',
  };
  yield {
    name: 'boundaries that nearly match everywhere',
    raw: Buffer.concat([
      Buffer.from(head('nearlybound', [type(`multipart/mixed; boundary="${'a'.repeat(190)}"`)])),
      Buffer.alloc(10 * MIB, `--${'a'.repeat(189)}b\n`),
      Buffer.alloc(10 * MIB, 'a'),
    ]),
    word: 'nearlybound',
  };
  yield {
    name: 'a boundary that begins another',
    raw: text(
      'prefixbound',
      [type('multipart/mixed; boundary="a"')],
      lines('--a', type('multipart/mixed; boundary="ab"'), '', '--ab', '', 'inner', '--ab--', '--a--'),
    ),
    word: 'prefixbound',
  };
  yield {
    name: 'a multipart that never closes',
    raw: text('unclosed', [type('multipart/mixed; boundary="x"')], lines('--x', '', 'opentext')),
    word: 'opentext',
  };
  yield {
    name: 'base64 that is none',
    raw: text('nobase', ['Content-Transfer-Encoding: base64'], `${'=!?*'.repeat(100_000)}\r\n`),
    word: 'nobase',
  };
  yield {
    name: 'quoted-printable that is none',
    raw: text('noquoted', ['Content-Transfer-Encoding: quoted-printable'], '=ZZ=\r\n='.repeat(100_000)),
    word: 'noquoted',
  };
  yield {
    name: 'an encoding nobody knows',
    raw: text('strangeenc', ['Content-Transfer-Encoding: x-rot13'], 'rotated\r\n'),
    word: 'strangeenc',
  };
  yield {
    name: 'every field twice',
    raw: Buffer.from(head('firsttime').trimEnd() + '\r\n' + head('secondtime', [type('text/html'), type('text/plain')]) + '<p>twice</p>'),
    word: 'firsttime',
  };
}

function* hugeHeaders(): Generator<HostileMessage> {
  yield { name: 'one field of 5 MB', raw: text('longfield', [`X-Long: ${'y'.repeat(5 * MIB)}`], 'text'), word: 'longfield' };
  yield { name: 'a subject of 1 MB', raw: text(`longsubject ${'word '.repeat(200_000)}`, [], 'text'), word: 'longsubject' };
  yield {
    name: 'a field folded 200,000 times',
    raw: text('foldedfield', [`References: <a@b>${'\r\n <c@d>'.repeat(200_000)}`], 'text'),
    word: 'foldedfield',
  };
  yield {
    name: '100,000 fields',
    raw: text(
      'manyfields',
      Array.from({ length: 100_000 }, (_, n) => `X-Field-${n}: ${n}`),
      'text',
    ),
    word: 'manyfields',
  };
  yield {
    name: '300,000 header lines without a colon before a body of 20 MB without one',
    raw: Buffer.concat([
      Buffer.from('Subject: colonless\r\n'),
      Buffer.alloc(600_000, 'a\n'),
      Buffer.from('\n'),
      Buffer.alloc(20 * MIB, 'b'),
    ]),
    word: 'colonless',
  };
  yield {
    name: '50,000 recipients',
    raw: text('crowd', [`Cc: ${Array.from({ length: 50_000 }, (_, n) => `"Person ${n}" <p${n}@evil.test>`).join(',\r\n ')}`], 'text'),
    word: 'crowd',
  };
  yield {
    name: '50,000 nested address groups and comments',
    raw: text('groups', [`Cc: ${'a:'.repeat(50_000)}${'('.repeat(50_000)}`], 'text'),
    word: 'groups',
  };
  yield {
    name: '100,000 encoded words',
    raw: text('wordy', [`X-Comments: x`, `Cc: ${'=?utf-8?Q?=C3=BC?= '.repeat(100_000)} <a@b.test>`], 'text'),
    word: 'wordy',
  };
  yield {
    name: '10,000 pieces of a file name',
    raw: text(
      'pieces',
      [`Content-Disposition: attachment;${Array.from({ length: 10_000 }, (_, n) => `\r\n filename*${n}*=%20x`).join(';')}`],
      'text',
    ),
    word: 'pieces',
  };
  yield {
    name: 'a parameter that is never closed',
    raw: text('openquote', [type(`text/plain; name="${'\\"a;='.repeat(50_000)}`)], 'text'),
    word: 'openquote',
  };
}

function* deepNesting(): Generator<HostileMessage> {
  yield { name: 'multiparts 30 deep', raw: nested('thirtydeep', 30, 1000), word: 'thirtydeep' };
  yield { name: 'multiparts 20,000 deep', raw: nested('verydeep', 20_000, 1000), word: 'verydeep' };
  yield { name: 'multiparts 20,000 deep that never close', raw: nested('neverclose', 20_000, 1000, 'open'), word: 'neverclose' };
  yield {
    name: 'messages 20,000 deep in each other',
    raw: text('matryoshka', [type('message/rfc822')], lines(type('message/rfc822'), '').repeat(20_000) + 'innermost'),
    word: 'matryoshka',
  };
  yield {
    name: '20,000 attachments',
    raw: text(
      'manyfiles',
      [type('multipart/mixed; boundary=x')],
      lines('--x', 'Content-Disposition: attachment; filename=f.txt', '', 'file').repeat(20_000) + '--x--',
    ),
    word: 'manyfiles',
  };
  yield {
    name: '900 multiparts whose boundaries never come, before 20 MB of text',
    raw: text(
      'nobounds',
      [type('multipart/mixed; boundary=x')],
      `${Array.from({ length: 900 }, (_, n) => lines('--x', type(`multipart/mixed; boundary=never${n}`), '')).join('')}--x\r\n\r\n${'-- text\n'.repeat(2.5 * MIB)}`,
    ),
    word: 'nobounds',
  };
  yield { name: 'nested multiparts of 24 MB', raw: nestedMultiparts('twentyfour', 24 * MIB), word: 'twentyfour' };
}

function* wrongCharsets(): Generator<HostileMessage> {
  const charsets = ['utf-7', 'utf-16', 'utf-32be', 'iso-2022-jp', 'gb18030', 'big5', 'x-nobody', '', '"\\"', 'cp00858', 'us-ascii'];
  for (const [n, charset] of charsets.entries())
    yield {
      name: `octets of every kind as ${charset || 'no charset'}`,
      raw: inBytes(`charset${n}ed`, [type(`text/plain; charset=${charset}`)], Buffer.from([...Array(256).keys(), 0x1b, 0x24, 0x42, 0x21])),
      word: `charset${n}ed`,
    };
  yield {
    name: 'encoded words in charsets that do not fit',
    raw: text('=?utf-8?B?/////w==?= wrongword =?x-nobody?Q?=FF=FE?= =?iso-2022-jp?B?GyRC?= =?utf-8?X?a?=', [], 'text'),
    word: 'wrongword',
  };
}

function* strangeOctets(): Generator<HostileMessage> {
  yield { name: 'a megabyte of NULs', raw: inBytes('nullbody', [], Buffer.alloc(MIB)), word: 'nullbody' };
  yield {
    name: 'NULs in its header section',
    raw: Buffer.from('Sub\0ject: a\0b\r\nSubject: nulled\0x nullhead\r\n\0\r\nFrom: \0@\0\r\n\r\ntext'),
    word: 'nullhead',
  };
  yield {
    name: 'a NUL in its boundary',
    raw: text('nullbound', [type('multipart/mixed; boundary="x\0y"')], lines('--x\0y', '', 'text', '--x\0y--')),
    word: 'nullbound',
  };
  yield {
    name: 'raw UTF-8 in its header fields',
    raw: Buffer.from(head('größe rawutf').replace('Mallory', 'Mälløry 😀') + 'text'),
    word: 'rawutf',
  };
  yield {
    name: 'raw Latin-1 in its header fields',
    raw: Buffer.from(head('gr\xf6\xdfe rawlatin').replace('Mallory', 'M\xe4ll\xf8ry') + 'text', 'latin1'),
    word: 'rawlatin',
  };
  yield {
    name: 'raw octets in its address',
    raw: Buffer.from(head('rawaddress').replace('mallory@', '\xff\xfe\x80@') + 'text', 'latin1'),
    word: 'rawaddress',
  };
  yield { name: 'lone carriage returns', raw: Buffer.from('Subject: lonely\rFrom: a@b.test\r\rtext\r'.repeat(3)) };
  yield {
    name: 'a date before all time',
    raw: Buffer.from(head('ancient').replace(/Date: .*/, 'Date: Mon, 1 Jan -99999 99:99:99 +9999') + 'text'),
    word: 'ancient',
  };
  yield {
    name: 'a date after all time',
    raw: Buffer.from(head('future').replace(/Date: .*/, 'Date: Fri, 31 Dec 275760 23:59:59 +0000') + 'text'),
    word: 'future',
  };
  yield {
    name: 'directions turned around in its names',
    raw: Buffer.from(head('bidi \u202egnp.exe').replace('Mallory', '\u202eecilA\u202c\u0000') + 'text'),
    word: 'bidi',
  };
}

function* costlyBodies(): Generator<HostileMessage> {
  const html = (subject: string, body: string): HostileMessage => ({
    name: `HTML: ${subject}`,
    raw: text(subject, [type('text/html')], body),
    word: subject,
  });
  yield html('divs', '<div>'.repeat(300_000));
  yield html('tables', '<table><tr><td>'.repeat(100_000));
  yield html('opentags', '<a b="'.repeat(300_000));
  yield html('opencomment', '<!--'.repeat(300_000));
  yield html('entities', '&amp'.repeat(500_000));
  yield html('attributes', `<p ${'a=b '.repeat(500_000)}>`);
  yield html('styles', `<style>${'{'.repeat(500_000)}</style>${'<script>'.repeat(100_000)}`);
  yield { name: 'one line of 10 MB', raw: inBytes('oneline', [], Buffer.alloc(10 * MIB, 'long')), word: 'oneline' };
  yield { name: '10 MB of empty lines', raw: inBytes('emptylines', [], Buffer.alloc(10 * MIB, '\r\n')), word: 'emptylines' };
  yield { name: 'two million short lines', raw: inBytes('shortlines', [], Buffer.alloc(8 * MIB, 'ab\r\n')), word: 'shortlines' };
  yield { name: 'a million quote marks', raw: text('quotes', [], `${'>'.repeat(1_000_000)}\r\n`), word: 'quotes' };
  yield {
    name: '500,000 different words',
    raw: text('vocabulary', [], Array.from({ length: 500_000 }, (_, n) => n.toString(36)).join(' ')),
    word: 'vocabulary',
  };
  yield { name: 'a word of a megabyte', raw: text('giantword', [], 'w'.repeat(MIB)), word: 'giantword' };
  yield { name: 'half a megabyte of combining marks', raw: Buffer.from(head('zalgo') + `a${'\u0301'.repeat(250_000)}`), word: 'zalgo' };
  yield {
    name: 'a payload of 20 MB that is none',
    raw: text(
      'fakepayload',
      [type('multipart/mixed; boundary=x')],
      lines('--x', type('application/json; name=qumail_payload.json'), '', `{"a":${'['.repeat(20 * MIB)}`, '--x--'),
    ),
  };
  yield {
    name: 'OpenPGP that is none',
    raw: text(
      'fakepgp',
      [type('multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x')],
      lines(
        '--x',
        type('application/pgp-encrypted'),
        '',
        'Version: 1',
        '--x',
        type('application/octet-stream'),
        '',
        '-----BEGIN PGP MESSAGE-----',
        '',
        '/'.repeat(MIB),
        '--x--',
      ),
    ),
  };
}
