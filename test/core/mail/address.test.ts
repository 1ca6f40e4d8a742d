import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatAddress, normalizeAddress, parseAddressList, scanAddressList } from '../../../src/core/mail/address.ts';

const atom = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]{1,10}$/);
const domain = fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,3}$/);
const addressText = fc.tuple(fc.array(atom, { minLength: 1, maxLength: 3 }), domain).map(([l, d]) => `${l.join('.')}@${d}`);
const displayName = fc.string({ unit: 'grapheme', maxLength: 30 }).map((s) =>
  s
    .replace(/[\p{C}\u2028\u2029]/gu, '')
    .trim()
    .normalize('NFC'),
);

describe('normalizeAddress', () => {
  for (const [text, normal] of [
    ['Bob@Example.ORG', 'Bob@example.org'],
    ['  bob@example.org ', 'bob@example.org'],
    ['"bob"@example.org', 'bob@example.org'],
    ['"b ob"@example.org', '"b ob"@example.org'],
    [String.raw`"b\"ob"@example.org`, String.raw`"b\"ob"@example.org`],
    ['a..b@docomo.example', '"a..b"@docomo.example'],
    ['x@[127.0.0.1]', 'x@[127.0.0.1]'],
    ['x@[IPv6:::1]', 'x@[ipv6:::1]'],
    ['user@localhost', 'user@localhost'],
    ['u\u0308ser@J\u00f5geva.EE', '\u00fcser@xn--jgeva-dua.ee'],
    ['x@XN--JGEVA-DUA.ee', 'x@xn--jgeva-dua.ee'],
    ['राम@भारत.example', 'राम@xn--h2brj9c.example'],
    ['x@0x7f.1', 'x@0x7f.1'],
  ] as const) {
    it(`spells ${JSON.stringify(text)} as ${normal}`, () => assert.equal(normalizeAddress(text), normal));
  }

  for (const text of [
    '',
    '@',
    'bob',
    'bob@',
    '@example.org',
    'bob example.org',
    'b ob@example.org',
    'bob@exa mple.org',
    'bob@example..org',
    'bob@.org',
    'bob@org.',
    'a@b@c.org',
    'bob@example.org\r\nBcc: eve@example.org',
    'bob\0@example.org',
    'bob@example.org\u202e',
    '"unclosed@example.org',
    '""@example.org',
    'bob@[1.2.3]',
    'bob@exa,mple.org',
    '<bob@example.org>',
    `${'a'.repeat(65)}@example.org`,
    `a@${'b'.repeat(63)}.`.repeat(1) + 'c'.repeat(250),
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 50))}`, () => assert.equal(normalizeAddress(text), undefined));
  }

  it('is the same when applied twice, and never yields a line break', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          addressText,
          fc.tuple(fc.string(), domain).map(([l, d]) => `"${l}"@${d}`),
        ),
        (text) => {
          const once = normalizeAddress(text);
          if (once === undefined) return;
          assert.equal(normalizeAddress(once), once);
          assert.doesNotMatch(once, /[\r\n\0]/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('parseAddressList', () => {
  it('reads names, quotes, comments, groups and semicolons', () => {
    const text = `Alice <alice@x.org>, "Doe, John" <j@x.org>; carol@x.org (Carol), Team: dave@x.org, "E\\"ve" <eve@x.org>;, <frank@x.org>`;
    assert.deepEqual(parseAddressList(text), {
      addresses: [
        { name: 'Alice', address: 'alice@x.org' },
        { name: 'Doe, John', address: 'j@x.org' },
        { name: 'Carol', address: 'carol@x.org' },
        { name: '', address: 'dave@x.org' },
        { name: 'E"ve', address: 'eve@x.org' },
        { name: '', address: 'frank@x.org' },
      ],
      bad: [],
    });
  });

  it('tells exactly where the malformed entries stand', () => {
    const text = ' bob , alice@x.org, two words@x.org , Eve <eve@x.org> x, "open <o@x.org>';
    const { addresses, bad } = parseAddressList(text);
    assert.deepEqual(addresses, [{ name: '', address: 'alice@x.org' }]);
    assert.deepEqual(
      bad.map((b) => b.text),
      ['bob', 'two words@x.org', 'Eve <eve@x.org> x', '"open <o@x.org>'],
    );
    for (const b of bad) assert.equal(text.slice(b.from, b.to), b.text);
  });

  it('reads back what formatAddress wrote, whatever the name', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name: displayName, address: addressText }, { noNullPrototype: true }), { maxLength: 6 }), (list) => {
        const { addresses, bad } = parseAddressList(list.map(formatAddress).join(', '));
        assert.deepEqual(bad, []);
        assert.deepEqual(addresses, list);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, and every range is inside the text', () => {
    const tricky = fc.array(fc.constantFrom('"', '\\', '(', ')', '<', '>', ',', ';', ':', '@', ' ', '\r\n', 'a', 'b.c', 'é'), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          tricky.map((t) => t.join('')),
        ),
        (text) => {
          for (const e of scanAddressList(text)) assert.equal(text.slice(e.from, e.to), e.text);
        },
      ),
      { numRuns: 2000 },
    );
  });

  for (const unit of ['(', '"', '<', 'a@b,', '\\', 'x:', '<"', '@', '((a)', ' ', '."']) {
    it(`takes linear time on a megabyte of ${JSON.stringify(unit)}`, function () {
      this.timeout(4000);
      parseAddressList(unit.repeat(1_000_000 / unit.length));
    });
  }
});

describe('formatAddress', () => {
  it('quotes only where RFC 5322 wants it', () => {
    assert.equal(formatAddress({ name: 'Bob Builder', address: 'b@x.org' }), 'Bob Builder <b@x.org>');
    assert.equal(formatAddress({ name: 'Jürgen Groß', address: 'b@x.org' }), 'Jürgen Groß <b@x.org>');
    assert.equal(formatAddress({ name: 'Doe, "J" \\', address: 'b@x.org' }), String.raw`"Doe, \"J\" \\" <b@x.org>`);
    assert.equal(formatAddress({ name: '', address: 'b@x.org' }), 'b@x.org');
  });

  it('never writes a line break or a direction override', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, address) => {
        assert.doesNotMatch(formatAddress({ name, address }), /[\r\n\0\u2028\u2029\u202e]/);
      }),
    );
  });
});
