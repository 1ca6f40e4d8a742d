import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError, type ErrorCode } from '../../../src/core/base/errors.ts';
import { readAutoconfig } from '../../../src/core/transport/autoconfig.ts';
import { mailHost } from '../../../src/core/transport/mailHost.ts';
import { readXml } from '../../../src/core/transport/xml.ts';

const MAILBOX = { email: 'ana@example.org', local: 'ana', domain: 'example.org' };
const imap = (o: Record<string, string> = {}): string =>
  server('incomingServer', 'imap', { hostname: 'imap.example.org', port: '993', ...o });
const smtp = (o: Record<string, string> = {}): string =>
  server('outgoingServer', 'smtp', { hostname: 'smtp.example.org', port: '465', ...o });
const server = (element: string, type: string, o: Record<string, string>): string => {
  const all = { socketType: 'SSL', username: '%EMAILADDRESS%', authentication: 'password-cleartext', ...o };
  return `<${element} type="${type}">${Object.entries(all)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')}</${element}>`;
};
const document = (...servers: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n<clientConfig version="1.1"><emailProvider id="example.org">` +
  `<domain>example.org</domain><displayName>Example &amp; Sons</displayName>${servers.join('')}</emailProvider></clientConfig>\n`;
const read = (text: string) => readAutoconfig(Buffer.from(text), MAILBOX);
function refuses(run: () => unknown, code: ErrorCode, reason?: string): void {
  assert.throws(run, (error) => QuMailError.is(error, code) && (reason === undefined || error.details['reason'] === reason));
}

describe('a Thunderbird autoconfig document', () => {
  it('names the servers, the provider and the way of signing in', () => {
    assert.deepEqual(read(document(server('incomingServer', 'pop3', { hostname: 'pop.example.org', port: '995' }), imap(), smtp())), {
      found: {
        servers: {
          imap: { host: 'imap.example.org', port: 993, security: 'tls' },
          smtp: { host: 'smtp.example.org', port: 465, security: 'tls' },
        },
        displayName: 'Example & Sons',
        passwordKind: 'password',
      },
      refused: [],
    });
  });

  it('prefers TLS from the first byte to STARTTLS, whatever stands first', () => {
    const starttls = { socketType: 'STARTTLS', port: '143' };
    const { found } = read(document(imap(starttls), imap(), smtp({ socketType: 'STARTTLS', port: '587' })));
    assert.equal(found?.servers.imap.security, 'tls');
    assert.deepEqual(found?.servers.smtp, { host: 'smtp.example.org', port: 587, security: 'starttls' });
  });

  it('fills the placeholders, and tells a log-in name that is not the address', () => {
    const named = imap({ hostname: 'imap.%EMAILDOMAIN%', username: '%EMAILLOCALPART%' });
    const { found } = read(document(named, smtp()));
    assert.equal(found?.servers.imap.host, 'imap.example.org');
    assert.equal(found?.servers.userName, 'ana');
    assert.equal(read(document(imap(), smtp())).found?.servers.userName, undefined);
  });

  it('tells the preferred way of signing in where several are offered', () => {
    const both = imap({ authentication: 'OAuth2</authentication><authentication>password-cleartext' });
    assert.equal(read(document(both, smtp())).found?.passwordKind, 'oauth2');
  });

  const REFUSED: readonly (readonly [string, string, string])[] = [
    ['a plain socket', imap({ socketType: 'plain', port: '143' }), 'plain-socket'],
    ['no socket type', imap({ socketType: '' }), 'plain-socket'],
    ['a socket type named like a property of every object', imap({ socketType: 'constructor' }), 'plain-socket'],
    ['an IPv4 literal', imap({ hostname: '192.0.2.1' }), 'bad-host'],
    ['an IPv4 literal in hexadecimal', imap({ hostname: '0xc0000201' }), 'bad-host'],
    ['an IPv6 literal', imap({ hostname: '[2001:db8::1]' }), 'bad-host'],
    ['a foreign scheme', imap({ hostname: 'http://imap.example.org' }), 'bad-host'],
    ['a control character in the host', imap({ hostname: 'imap.exa&#1;mple.org' }), 'bad-host'],
    ['a line end in the host', imap({ hostname: 'imap.example.org\r\nX: y' }), 'bad-host'],
    ['a path in the host', imap({ hostname: 'imap.example.org/x' }), 'bad-host'],
    ['a host without a domain', imap({ hostname: 'localhost' }), 'bad-host'],
    ['a bidirectional override in the host', imap({ hostname: 'imap\u202e.example.org' }), 'bad-host'],
    ['port 0', imap({ port: '0' }), 'bad-port'],
    ['a port above 65535', imap({ port: '65536' }), 'bad-port'],
    ['a port in hexadecimal', imap({ port: '0x3e1' }), 'bad-port'],
    ['a control character in the log-in name', imap({ username: 'ana&#10;b' }), 'bad-user'],
  ];
  for (const [name, incoming, reason] of REFUSED) {
    it(`does not offer a server with ${name}`, () => {
      assert.deepEqual(read(document(incoming, smtp())), { found: undefined, refused: [reason] });
      assert.ok(read(document(incoming, imap(), smtp())).found, 'the next one counts');
    });
  }

  it('is nothing without both IMAP and SMTP', () => {
    for (const text of [document(imap()), document(smtp()), '<clientConfig/>', '<html><p>hotel network</p></html>'])
      assert.equal(read(text).found, undefined);
  });
});

describe('an XML document from outside', () => {
  const BAD: readonly (readonly [string, string | Buffer, string])[] = [
    ['a document type', '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', 'xml-syntax'],
    ['an entity of its own', '<x>&a;</x>', 'xml-entity'],
    ['a lone ampersand', '<x>a & b</x>', 'xml-entity'],
    ['a reference to NUL', '<x>&#0;</x>', 'xml-entity'],
    ['a reference to a surrogate', '<x>&#xD800;</x>', 'xml-entity'],
    ['a processing instruction', '<x><?php evil ?></x>', 'xml-syntax'],
    ['an element that is not closed', '<x><y></x>', 'xml-nesting'],
    ['an element closed twice', '<x></x></x>', 'xml-nesting'],
    ['two roots', '<x/><y/>', 'xml-nesting'],
    ['no root', ' ', 'xml-nesting'],
    ['text outside', 'hello<x/>', 'xml-syntax'],
    ['an attribute given twice', '<x a="1" a="2"/>', 'xml-syntax'],
    ['a cut end', '<x><y', 'xml-syntax'],
    ['17 levels', `${'<x>'.repeat(17)}${'</x>'.repeat(17)}`, 'xml-limit'],
    ['2,001 elements', `<x>${'<y/>'.repeat(2000)}</x>`, 'xml-limit'],
    ['bytes that are no UTF-8', Buffer.from([0x3c, 0x78, 0x3e, 0xff, 0x3c, 0x2f, 0x78, 0x3e]), 'xml-encoding'],
  ];
  for (const [name, text, reason] of BAD) {
    it(`is refused whole for ${name}`, () => refuses(() => readXml(Buffer.from(text)), 'net.protocol', reason));
  }

  it('is refused above 64 KiB', () => refuses(() => readXml(Buffer.alloc(64 * 1024 + 1, 0x20)), 'net.too-large'));

  it('is read with its attributes, CDATA, comments and references', () => {
    const root = readXml(
      Buffer.from(`\ufeff<?xml version="1.0"?><a b='&#x41;&lt;' c = "">one<!-- - --><![CDATA[<two> &]]>&#51;<d/></a> <!--x-->`),
    );
    assert.deepEqual(
      [root.name, [...root.attributes], root.text, root.children.map(({ name }) => name)],
      [
        'a',
        [
          ['b', 'A<'],
          ['c', ''],
        ],
        'one<two> &3',
        ['d'],
      ],
    );
  });

  it('never makes the reader hang, crash or throw anything but a named failure', function () {
    this.timeout(10_000);
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '<a>',
      '</a>',
      '<a b="',
      '"',
      "'",
      '&',
      '&amp;',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      'x',
      ' ',
      '<?xml ',
      '?>',
      '-',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 400 }), (pieces) => {
        try {
          readXml(Buffer.from(pieces.join('')));
        } catch (error) {
          assert.ok(QuMailError.is(error));
        }
      }),
      { numRuns: 500 },
    );
    const began = performance.now();
    for (const hostile of [
      '<a '.repeat(20_000),
      `<a ${'b="" '.repeat(12_000)}`,
      '<!--'.repeat(16_000),
      '<![CDATA['.repeat(7000),
      `<!--${'-'.repeat(60_000)}`,
    ]) {
      assert.throws(() => readXml(Buffer.from(hostile)));
    }
    assert.ok(performance.now() - began < 2000);
  });
});

describe('a host name that somebody else proposed', () => {
  it('is spelled in lower-case A-labels', () => {
    assert.equal(mailHost(' IMAP.Example.ORG. '), 'imap.example.org');
    assert.equal(mailHost('imap.bücher.example'), 'imap.xn--bcher-kva.example');
  });

  for (const host of [
    '',
    '.',
    'a',
    '1.2.3.4',
    '0x7f.1',
    '2130706433',
    '::1',
    'a..b',
    '-a.b',
    'a-.b',
    'a_b.c',
    'a b.c',
    'a\0.b',
    'a.b:993',
    'a@b.c',
    `${'a'.repeat(64)}.b`,
    '１２７.0.0.1',
  ])
    it(`is refused: ${JSON.stringify(host)}`, () => assert.equal(mailHost(host), undefined));
});
