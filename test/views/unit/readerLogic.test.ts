import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ERROR_CODES, type Folder, type MailFlag, type MessageSummary } from '../../../src/core/api.ts';
import { distinctNames, guardOf, iconOf, safeFileName } from '../../../src/views/reader/attachmentGuard.ts';
import { claimedHost, judgeLink } from '../../../src/views/reader/linkTarget.ts';
import { readerPolicy, readerShell } from '../../../src/views/reader/readerHtml.ts';
import { readerModel } from '../../../src/views/reader/readerModel.ts';
import { READER_WORDS } from '../../../src/views/reader/readerProtocol.ts';
import { MAX_URL, parseReaderRequest } from '../../../src/views/reader/readerRequests.ts';
import { readerWords } from '../../../src/views/reader/readerWords.ts';
import { readingState } from '../../../src/views/reader/readingState.ts';
import { linkify, quoteBlocks } from '../../../src/views/reader/webview/linkify.ts';
import { mail, SEALED_L2 } from './readerMails.ts';
import { plain as english } from './plainLocaliser.ts';

const locale = { l10n: english, language: 'en', timeZone: 'UTC' } as const;

describe('what the reader page may ask for', () => {
  it('takes every request it is made for', () => {
    const requests = [
      { kind: 'ready' },
      { kind: 'action', generation: 1, action: 'reply-all' },
      { kind: 'open-link', generation: 1, url: 'https://example.org/', text: 'x' },
      { kind: 'save-attachment', generation: 1, index: 0 },
      { kind: 'open-attachment', generation: 1, index: 2 },
      ...['save-all', 'load-remote', 'copy-key-ids', 'retry', 'next-step'].map((kind) => ({ kind, generation: 0 })),
    ];
    for (const request of requests) assert.deepEqual(parseReaderRequest(request), request);
  });

  it('drops what is unknown, oversized, of the wrong type, or carries more than it should', () => {
    const bad: unknown[] = [
      undefined,
      null,
      'ready',
      [],
      { kind: 'run', command: 'workbench.action.quit' },
      { kind: 'ready', extra: 1 },
      { kind: 'action', generation: 1, action: 'sign-out' },
      { kind: 'action', generation: '1', action: 'reply' },
      { kind: 'action', action: 'reply' },
      { kind: 'open-link', generation: 1, url: '', text: '' },
      { kind: 'open-link', generation: 1, url: 'a'.repeat(MAX_URL + 1), text: '' },
      { kind: 'open-link', generation: 1, url: 'https://a.b', text: 'x'.repeat(301) },
      { kind: 'save-attachment', generation: 1, index: -1 },
      { kind: 'save-attachment', generation: 1, index: 1.5 },
      { kind: 'save-attachment', generation: 1, index: 1e9 },
    ];
    for (const value of bad) assert.equal(parseReaderRequest(value), undefined, JSON.stringify(value)?.slice(0, 80));
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseReaderRequest(value);
      }),
    );
  });
});

describe('where a link in a mail leads', () => {
  it('goes to web and mail addresses only', () => {
    const refused = [
      'javascript:alert(1)',
      'command:workbench.action.quit',
      'vscode://ext/x',
      'file:///etc/passwd',
      'data:text/html,x',
      'ftp://a.b/',
      'blob:x',
      '//a.b',
      '/x',
      '',
      'https://',
      ' ',
    ];
    for (const url of refused) assert.equal(judgeLink(url, 'x').kind, 'refused', url);
    assert.deepEqual(judgeLink('https://Example.ORG/a?b#c', 'here'), {
      kind: 'open',
      url: 'https://example.org/a?b#c',
      where: 'example.org',
    });
    assert.deepEqual(judgeLink('mailto:bob@example.org?subject=x', 'bob'), {
      kind: 'open',
      url: 'mailto:bob@example.org?subject=x',
      where: 'bob@example.org',
    });
  });

  const suspicionOf = (url: string, text: string): string | undefined => {
    const target = judgeLink(url, text);
    return target.kind === 'open' ? target.suspicion?.kind : 'refused';
  };

  it('is suspicious where the text names another site', () => {
    for (const text of [
      'https://bank.example',
      'bank.example',
      'www.bank.example/login',
      'HTTPS://BANK.EXAMPLE/x',
      ' bank.example ',
      'b\u00adank.example',
      'ｂank.example',
      'bank\u200b.example',
    ]) {
      assert.equal(suspicionOf('https://evil.test/', text), 'text-names-other-host', text);
    }
    assert.equal(suspicionOf('https://bank.example.evil.test/', 'https://bank.example/'), 'text-names-other-host');
    assert.equal(suspicionOf('https://evilbank.example/', 'bank.example'), 'text-names-other-host');
  });

  it('is not suspicious where the text is words, or the same site', () => {
    for (const text of [
      'the notes',
      'Click here.',
      'e.g. this',
      '',
      'v1.2.3',
      'www.example.org',
      'https://example.org/other',
      'docs.example.org',
      '50% off, today',
    ]) {
      assert.equal(suspicionOf('https://example.org/x', text), undefined, text);
    }
  });

  it('is suspicious where a user name stands for the site, or letters look alike', () => {
    assert.equal(suspicionOf('https://bank.example@evil.test/', 'x'), 'user-info');
    assert.equal(suspicionOf('https://pаypal.example/', 'pay'), 'look-alike');
    const target = judgeLink('https://pаypal.example/', 'pay');
    assert.match(target.kind === 'open' ? target.where : '', /^xn--/);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (url, text) => void judgeLink(url, text)));
    fc.assert(fc.property(fc.webUrl(), (url) => judgeLink(url, url).kind === 'open'));
    fc.assert(fc.property(fc.string(), (text) => void claimedHost(text)));
  });
});

describe('file names from mails', () => {
  it('never leave their folder and never hide their type', () => {
    const names: [string, string][] = [
      ['../../.bashrc', '_.._.bashrc'],
      ['C:\\Windows\\system32\\x.dll', 'C__Windows_system32_x.dll'],
      ['a/b\\c:d*e?f"g<h>i|j', 'a_b_c_d_e_f_g_h_i_j'],
      ['invoice\u202efdp.exe', 'invoicefdp.exe'],
      ['report.pdf.exe ', 'report.pdf.exe'],
      ['x\u0000y.txt', 'xy.txt'],
      ['...', 'attachment'],
      ['', 'attachment'],
      ['CON', '_CON'],
      ['com1.txt', '_com1.txt'],
    ];
    for (const [name, safe] of names) assert.equal(safeFileName(name), safe);
  });

  it('are bounded, keeping the end, and are the same when made safe twice', () => {
    const long = safeFileName(`${'x'.repeat(500)}.pdf`);
    assert.ok(long.length <= 120 && long.endsWith('.pdf'));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const safe = safeFileName(name);
        assert.ok(safe.length > 0 && safe.length <= 121);
        assert.doesNotMatch(safe, /[\\/:\p{Cc}\p{Cf}]|^\.|[. ]$/u);
        assert.equal(safeFileName(safe), safe);
      }),
    );
  });

  it('differ where they are saved together', () => {
    assert.deepEqual(distinctNames(['a.txt', 'A.txt', 'a.txt', 'b', 'b']), ['a.txt', 'A (2).txt', 'a (3).txt', 'b', 'b (2)']);
  });

  it('are guarded by what they end in once they are safe', () => {
    for (const name of ['x.exe', 'x.pdf.js', 'x.HTML', 'x.svg', 'x.lnk', 'x.docm', 'x.exe.', 'x\u202egpj.exe', 'a.desktop', 'x.sh'])
      assert.equal(guardOf(name), 'dangerous', name);
    for (const name of ['x.pdf', 'x.PNG', 'x.txt', 'x.csv', 'x.patch']) assert.equal(guardOf(name), 'free', name);
    for (const name of ['x', 'x.unknown', 'x.docx', 'x.zip']) assert.equal(guardOf(name), 'ask', name);
    assert.equal(iconOf('a.pdf', 'application/pdf'), 'file-pdf');
  });
});

describe('plain text as the reader shows it', () => {
  const links = (text: string): (string | undefined)[] => linkify(text).flatMap((segment) => ('url' in segment ? [segment.url] : []));

  it('finds addresses and leaves the punctuation around them', () => {
    assert.deepEqual(links('See https://a.example/x?y=1#z, (http://b.example/) and https://c.example/a_(b).'), [
      'https://a.example/x?y=1#z',
      'http://b.example/',
      'https://c.example/a_(b)',
    ]);
    assert.deepEqual(links('Ask bob@example.org. Or <carol+x@mail.example.org>!'), [
      'mailto:bob@example.org',
      'mailto:carol+x@mail.example.org',
    ]);
    assert.deepEqual(links('nothing: https:// a@b x.y @ z, javascript:alert(1) ftp://x.y'), []);
  });

  it('puts together to the same text, in linear time', () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) =>
          linkify(text)
            .map((segment) => segment.text)
            .join('') === text,
      ),
    );
    const started = performance.now();
    for (const hostile of [
      'a'.repeat(200_000),
      'a@'.repeat(100_000),
      'a.'.repeat(100_000),
      'https://'.repeat(30_000),
      '(((('.repeat(50_000),
      'a@a.'.repeat(60_000),
      `http://a${')'.repeat(1_990)} `.repeat(100),
      `http://a${'].'.repeat(990)} `.repeat(100),
    ])
      linkify(hostile);
    assert.ok(performance.now() - started < 1500);
  });

  it('makes no page of a million elements out of marks', () => {
    const text = 'a\n> b\n'.repeat(100_000);
    const blocks = quoteBlocks(text);
    assert.ok(blocks.length <= 5_001);
    assert.equal(blocks.at(-1)?.text, 'a\n> b\n'.repeat(97_500));
  });

  it('sets quotes apart by depth', () => {
    assert.deepEqual(quoteBlocks('a\r\n> b\n>> c\n> > d\ne'), [
      { depth: 0, text: 'a' },
      { depth: 1, text: 'b' },
      { depth: 2, text: 'c\nd' },
      { depth: 0, text: 'e' },
    ]);
  });
});

describe('a message in the words of the reader', () => {
  it('says who sealed it, at what level and with which keys', () => {
    const { banner } = readerModel(mail({ security: SEALED_L2 }), locale);
    assert.equal(banner.tone, 'sealed');
    assert.equal(banner.title, 'L2 · Quantum-aided AES');
    assert.match(banner.sentence, /alice@example\.org \(SAE alice-sae\)/);
    assert.deepEqual(banner.keyIds, SEALED_L2.keyIds);
    assert.equal(banner.simulated, false);
  });

  it('marks the lab as simulated', () => {
    assert.equal(readerModel(mail({ security: { ...SEALED_L2, simulated: true } }), locale).banner.simulated, true);
  });

  it('never shows a message with any failure as verified', () => {
    for (const code of ERROR_CODES) {
      for (const seal of ['opened', 'unopened', 'failed'] as const) {
        const { banner } = readerModel(mail({ security: { ...SEALED_L2, seal, failure: { code, details: {} } } }), locale);
        assert.notEqual(banner.tone, 'sealed', `${seal} ${code}`);
        assert.doesNotMatch(banner.sentence, /^Verified/);
      }
    }
    assert.equal(readerModel(mail({ security: { ...SEALED_L2, seal: 'plain', level: 'L4' } }), locale).banner.tone, 'plain');
    assert.equal(readerModel(mail({ security: { ...SEALED_L2, level: 'L4' } }), locale).banner.tone, 'plain');
  });

  it('puts the cause and the next step in the place of a body that is not there', () => {
    const shown = readerModel(
      mail({
        text: '',
        security: { ...SEALED_L2, seal: 'unopened', failure: { code: 'open.sender-unknown', details: { address: 'alice@example.org' } } },
      }),
      locale,
    );
    assert.match(shown.failure?.sentence ?? '', /alice@example\.org/);
    assert.equal(shown.failure?.button, 'Edit Contact');
    assert.notEqual(shown.failure?.step, '');
    assert.equal(shown.banner.tone, 'waiting');
    assert.equal(
      readerModel(mail({ security: { ...SEALED_L2, failure: { code: 'open.headers-differ', details: {} } } }), locale).failure,
      undefined,
    );
  });

  it('names where replies go only when it is elsewhere', () => {
    assert.deepEqual(readerModel(mail({ replyTo: [{ name: 'x', address: 'Alice@example.org' }] }), locale).replyTo, []);
    assert.equal(readerModel(mail({ replyTo: [{ name: '', address: 'mallory@evil.test' }] }), locale).replyTo.length, 1);
  });

  it('tells dates for people and machines, and impossible ones not at all', () => {
    assert.deepEqual(readerModel(mail(), locale).date, { long: 'Mon, Mar 2, 2026, 09:41 AM', iso: '2026-03-02T09:41:00.000Z' });
    for (const date of [NaN, Infinity, 9e15]) {
      const message = mail();
      assert.deepEqual(readerModel({ ...message, summary: { ...message.summary, date } }, locale).date, { long: '', iso: '' });
    }
  });

  it('has every word the page needs', () => {
    const words = readerWords(english);
    for (const word of READER_WORDS) assert.ok(words[word], word);
  });
});

describe('the policy of the reader page', () => {
  const base = { cspSource: 'https://csp.example', nonce: 'n', scriptUri: 's', styleUri: 't', language: 'en', title: 'QuMail' } as const;

  it('opens images to https only when asked, and nothing else ever', () => {
    const directives = (remote: 'blocked' | 'allowed'): Map<string, string> =>
      new Map(
        readerPolicy({ ...base, remote })
          .split('; ')
          .map((directive) => [directive.slice(0, directive.indexOf(' ')), directive.slice(directive.indexOf(' ') + 1)]),
      );
    const blocked = directives('blocked');
    assert.equal(blocked.get('default-src'), "'none'");
    assert.equal(blocked.get('img-src'), 'data:');
    assert.equal(blocked.get('script-src'), "'nonce-n'");
    for (const name of ['connect-src', 'frame-src', 'media-src', 'object-src', 'child-src', 'worker-src'])
      assert.ok(!blocked.has(name), name);
    const allowed = directives('allowed');
    assert.equal(allowed.get('img-src'), 'data: https:');
    allowed.delete('img-src');
    blocked.delete('img-src');
    assert.deepEqual(allowed, blocked);
  });

  it('lets nothing out of its attributes', () => {
    assert.doesNotMatch(readerShell({ ...base, title: '"><script>', language: '"><img>', remote: 'blocked' }), /<script>|<img>/);
  });
});

describe('views/what the menus of the reader know', () => {
  const opened = { id: 7, accountId: 'a', folder: 'INBOX', flags: [] as MailFlag[] };
  const asked = (o: { now?: Partial<typeof opened>; snoozed?: 'yes' }) =>
    readingState(
      {
        listFolders: async () => [{ path: 'INBOX' }, { path: 'Spam', specialUse: 'junk' }] as unknown as Folder[],
        listMessages: async () => (o.now ? [{ ...opened, ...o.now } as unknown as MessageSummary] : []),
        listSnoozed: async () => (o.snoozed ? [{ message: opened as unknown as MessageSummary, until: 1 }] : []),
      },
      opened,
    );

  it('is how the message is now, not how it was when it was opened', async () => {
    assert.equal(await asked({ now: {} }), 'message.unread');
    assert.equal(await asked({ now: { flags: ['seen', 'flagged'] } }), 'message.read.flagged');
    assert.equal(await asked({ now: { folder: 'Spam', flags: ['seen'] } }), 'message.read.junk');
    assert.equal(await asked({ snoozed: 'yes' }), 'message.unread.snoozed');
  });
});
