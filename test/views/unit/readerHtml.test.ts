import assert from 'node:assert/strict';
import type { Message } from '../../../src/core/api.ts';
import { readerWords } from '../../../src/views/reader/readerWords.ts';
import { plain as english } from './plainLocaliser.ts';
import { HOSTILE_HTML, mail, SEALED_L2 } from './readerMails.ts';
import { ReaderPage } from './readerPage.ts';
import type { ThemeName } from './readerThemes.ts';

/** Runs in the page: this file is compiled without the DOM. */
interface Scope {
  readonly pwned?: unknown;
  readonly document: { readonly body: { readonly scrollHeight: number } };
}

describe('the reader page in a real Chromium', function () {
  this.timeout(30_000);
  let reader: ReaderPage;

  before(async function () {
    reader = await ReaderPage.open(this);
  });
  after(() => reader?.dispose());

  const html = (markup: string, change: Parameters<typeof mail>[0] = {}): Message => mail({ html: markup, ...change });
  const pwned = (): Promise<unknown> => reader.page.evaluate(() => (globalThis as unknown as Scope).pwned);

  it('lets no hostile mail run a script, reach a server or leave its frame', async () => {
    for (const hostile of HOSTILE_HTML) {
      await reader.show(html(`<p>before <b>bold</b></p>${hostile}<p>after</p>`));
      assert.equal(await pwned(), undefined, `ran: ${hostile}`);
      assert.deepEqual(reader.requests, [], `loaded: ${hostile}`);
      assert.equal(reader.page.url(), 'https://reader.test/', `left: ${hostile}`);
      assert.deepEqual(await reader.asked(), [], `asked by itself: ${hostile}`);
    }
  });

  it('survives all of it in one mail, every link clicked, with only links reported', async () => {
    // What swallows the rest of a document, or lies over it, had its turn above.
    await reader.show(html(HOSTILE_HTML.filter((part) => !/<style|<math|<frameset|position: fixed/.test(part)).join('\n')));
    const frame = reader.mailFrame();
    for (const link of await frame.locator('a, area, button, [data-link]').all()) await link.dispatchEvent('click');
    await reader.settle();
    assert.equal(await pwned(), undefined);
    assert.deepEqual(reader.requests, []);
    const asked = await reader.asked();
    assert.deepEqual(
      asked.map((request) => (request.kind === 'open-link' ? request.url : request.kind)),
      ['https://evil.test/ping'],
    );
  });

  it('keeps no element in the frame that could load, submit or navigate', async () => {
    await reader.show(html(HOSTILE_HTML.join('\n')));
    const found = await reader
      .mailFrame()
      .locator(
        'script, form, input, button, textarea, select, object, embed, iframe, link, svg, math, video, audio, source, base, area, template, [href], [src^="http"], [srcset], [background], [action], [onerror], [onload], [target]',
      )
      .count();
    assert.equal(found, 0);
  });

  it('has two more walls behind the sanitiser: what slips through neither loads nor runs', async () => {
    const slipped = [
      '<img src="https://evil.test/slipped.png" onload="top.pwned=1" onerror="top.pwned=1"><div style="background:url(https://evil.test/css.png)">x</div>',
      '<iframe src="https://evil.test/f"></iframe><object data="https://evil.test/o"></object><svg onload="top.pwned=1"></svg>',
      '<link rel="stylesheet" href="https://evil.test/s.css"><style>@import url(https://evil.test/i.css)</style>',
      '<form action="https://evil.test/form"><button id="go">x</button></form>',
      '<a id="go" href="https://evil.test/self">x</a>',
      '<a id="go" target="_top" href="https://evil.test/top">x</a>',
      '<a id="go" target="_blank" href="https://evil.test/blank">x</a>',
      '<a id="go" href="javascript:top.pwned=1">x</a>',
    ];
    for (const markup of slipped) {
      await reader.show(html('<p>x</p>'));
      await reader.page.evaluate((text) => {
        interface Inside {
          readonly body: { innerHTML: string };
          getElementById(id: string): { click(): void } | null;
        }
        const { document } = globalThis as unknown as { document: { querySelector(s: string): { contentDocument: Inside } } };
        const inside = document.querySelector('iframe').contentDocument;
        inside.body.innerHTML = text;
        inside.getElementById('go')?.click();
      }, markup);
      await reader.settle();
      assert.equal(await pwned(), undefined, markup);
      assert.deepEqual(reader.requests, [], markup);
      assert.equal(reader.page.url(), 'https://reader.test/', markup);
      assert.equal(reader.page.context().pages().length, 1, markup);
    }
  });

  it('says that remote content was blocked and asks the host when the person wants it', async () => {
    await reader.show(html('<p>Spring sale <img src="https://shop.test/big.png" width="300" height="80" alt="Sale"></p>'));
    const strip = reader.page.locator('.strip');
    assert.match(await strip.innerText(), /Remote content was blocked/);
    await strip.getByRole('button', { name: 'Load for this message' }).click();
    assert.deepEqual(
      (await reader.asked()).map((request) => request.kind),
      ['load-remote'],
    );
    assert.deepEqual(reader.requests, []);
  });

  it('shows no strip where nothing remote was there', async () => {
    await reader.show(html('<p>Just words and <a href="https://example.org/">a link</a></p>'));
    assert.equal(await reader.page.locator('.strip').count(), 0);
  });

  it('loads plain images over https, and nothing else, once the host allowed it', async () => {
    await reader.show(
      html(
        `<img src="http://shop.test/a.png" width="40"><img src="https://shop.test/track.png" width="1" height="1">${HOSTILE_HTML.filter((part) => !/<ima?ge? /.test(part)).join('')}`,
      ),
      'allowed',
    );
    await reader.mailFrame().locator('img[src]').first().waitFor();
    await reader.settle();
    assert.equal(await pwned(), undefined);
    assert.deepEqual(new Set(reader.requests.filter((url) => !/favicon/.test(url))), new Set(['https://shop.test/a.png']));
    assert.match(await reader.page.locator('.strip').innerText(), /Remote images are shown/);
  });

  it('shows pictures that are part of the HTML without asking', async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await reader.show(html(`<img id="p" src="data:image/png;base64,${pixel}" width="20" height="20">`));
    const width = await reader
      .mailFrame()
      .locator('#p')
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
    assert.equal(width, 1);
    assert.equal(await reader.page.locator('.strip').count(), 0);
  });

  it('reports a clicked link with its true target and the words that stood for it, by mouse and by keyboard', async () => {
    await reader.show(html('<p>Please <a href="https://evil.test/login?u=1">https://bank.example/</a></p>'));
    const link = reader.mailFrame().locator('[data-link]');
    assert.equal(await link.getAttribute('href'), null);
    assert.equal(await link.getAttribute('title'), 'https://evil.test/login?u=1');
    await link.hover();
    assert.equal(await reader.page.locator('.target.shown').innerText(), 'https://evil.test/login?u=1');
    await link.click();
    await link.press('Enter');
    const expected = { kind: 'open-link', url: 'https://evil.test/login?u=1', text: 'https://bank.example/' };
    assert.deepEqual(
      (await reader.asked()).map(({ ...request }) => {
        delete (request as { generation?: number }).generation;
        return request;
      }),
      [expected, expected],
    );
    assert.deepEqual(reader.requests, []);
  });

  it('jumps to places inside the mail without asking anyone', async () => {
    await reader.show(html(`<a href="#end">to the end</a><div style="height: 3000px"></div><p id="end">the end</p>`));
    await reader.mailFrame().locator('[data-link]').click();
    assert.deepEqual(await reader.asked(), []);
    assert.ok(await reader.mailFrame().locator('#end').isVisible());
  });

  it('gives the frame the height of its content, even where the mail asks for the height of the window', async () => {
    await reader.show(
      html('<div style="height: 1200px; background: #fee">tall</div><div style="min-height: 100vh">as high as the window</div>'),
    );
    const height = await reader.page
      .locator('iframe.mail')
      .evaluate((frame) => (frame as unknown as { clientHeight: number }).clientHeight);
    assert.ok(height > 1200 && height < 1400, String(height));
  });

  it('hands keys pressed inside the mail on to VS Code', async () => {
    await reader.show(html('<p>x <a href="https://example.org/">link</a></p>'));
    await reader.page.evaluate(() => {
      const scope = globalThis as unknown as {
        heard: string[];
        addEventListener(name: string, run: (event: { key: string; ctrlKey: boolean }) => void): void;
      };
      scope.heard = [];
      scope.addEventListener('keydown', (event) => scope.heard.push(`${event.ctrlKey ? 'ctrl+' : ''}${event.key}`));
    });
    await reader.mailFrame().locator('[data-link]').press('Control+p');
    const heard = await reader.page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    assert.ok(heard.includes('ctrl+p'), heard.join());
  });

  it('puts plain text on the page as text, addresses in it as links', async () => {
    await reader.show(
      mail({ text: 'Look: <img src=x onerror="top.pwned=1"> (https://example.org/a_(b)).\n> quoted by bob@example.net\n' }),
    );
    assert.equal(await reader.page.locator('.text img').count(), 0);
    const links = await reader.page.locator('.text a').allInnerTexts();
    assert.deepEqual(links, ['https://example.org/a_(b)', 'bob@example.net']);
    assert.equal(await reader.page.locator('.quote').innerText(), 'quoted by bob@example.net');
    await reader.page.locator('.text a').nth(1).press('Enter');
    const [request] = await reader.asked();
    assert.equal(request?.kind === 'open-link' ? request.url : undefined, 'mailto:bob@example.net');
  });

  it('shows hostile names, subjects, addresses and file names as the text they are', async () => {
    const evil = '<img src=x onerror=top.pwned=1>"\'';
    await reader.show(
      mail({
        subject: evil,
        from: { name: evil, address: `${evil}@example.org` },
        attachments: [{ index: 0, name: evil, mimeType: 'text/plain', size: 3 }],
        security: { ...SEALED_L2, senderSaeId: evil, keyIds: [evil], suite: evil },
      }),
    );
    assert.equal(await pwned(), undefined);
    assert.equal(await reader.page.locator('h1').innerText(), evil);
    assert.equal(await reader.page.locator('#reader img').count(), 0);
  });

  it('shows the address of the sender beside any name, also one that looks like another address', async () => {
    await reader.show(mail({ from: { name: 'ceo@bank.example', address: 'mallory@evil.test' } }));
    assert.match(await reader.page.locator('.sender').innerText(), /mallory@evil\.test/);
  });

  it('switches between formatted and plain text and remembers it', async () => {
    await reader.show(html('<p><b>formatted</b></p>', { text: 'plain' }));
    await reader.page.getByRole('radio', { name: 'Text' }).click();
    assert.equal(await reader.page.locator('.text').innerText(), 'plain');
    await reader.page.getByRole('radio', { name: 'Text' }).press('ArrowLeft');
    assert.equal(await reader.page.locator('iframe.mail').count(), 1);
  });

  it('asks for what its buttons say, naming the generation it was made in', async () => {
    await reader.show(
      mail({
        security: SEALED_L2,
        attachments: [
          { index: 3, name: 'a.pdf', mimeType: 'application/pdf', size: 1 },
          { index: 4, name: 'b.exe', mimeType: 'application/octet-stream', size: 1 },
        ],
      }),
    );
    for (const name of ['Reply', 'Reply All', 'Forward', 'Delete', 'Move to…', 'Mark as Unread', 'View Source', 'Save a.pdf', 'Save All'])
      await reader.page.getByRole('button', { name, exact: true }).click();
    await reader.page.getByRole('button', { name: 'Open b.exe' }).click();
    await reader.page.getByText('Details').click();
    await reader.page.getByRole('button', { name: 'Copy Key IDs' }).click();
    const asked = await reader.asked();
    assert.deepEqual(
      asked.map((request) =>
        request.kind === 'action' ? request.action : 'index' in request ? `${request.kind} ${request.index}` : request.kind,
      ),
      [
        'reply',
        'reply-all',
        'forward',
        'delete',
        'move',
        'mark-unread',
        'view-source',
        'save-attachment 3',
        'save-all',
        'open-attachment 4',
        'copy-key-ids',
      ],
    );
    assert.equal(new Set(asked.map((request) => ('generation' in request ? request.generation : -1))).size, 1);
  });

  describe('looks right in every theme', () => {
    const themes: readonly ThemeName[] = ['light', 'dark', 'high-contrast', 'high-contrast-light'];
    const keep = async (name: string): Promise<void> => {
      for (const theme of themes) await reader.screenshot(name, theme);
    };

    it('a sealed message with attachments', async () => {
      await reader.show(
        mail({
          security: { ...SEALED_L2, simulated: true },
          cc: [
            { name: '', address: 'team@example.org' },
            { name: 'Chandra Rao', address: 'chandra@example.org' },
          ],
          text: '',
          html: '<p>Hello Bob,</p><p>the second link has been <strong>stable for nine days</strong>. Key rate and error rate are in the table; the raw data is attached.</p><ul><li>mean key rate 1.8 kbit/s</li><li>QBER 2.1&nbsp;%, see <a href="https://example.org/qber">the notes</a></li></ul><pre><code>kme status --link b\nstored 4096 keys</code></pre><blockquote><p>Can we move to the new link this week?</p></blockquote><p>Alice</p>',
          attachments: [
            { index: 0, name: 'measurements-2026-03.csv', mimeType: 'text/csv', size: 184_320 },
            { index: 1, name: 'link-b.pdf', mimeType: 'application/pdf', size: 2_400_000 },
            { index: 2, name: 'setup.exe', mimeType: 'application/octet-stream', size: 900_000 },
          ],
        }),
      );
      await reader.page.getByText('Details').click();
      await keep('sealed');
    });

    it('an ordinary newsletter with blocked images', async () => {
      await reader.show(
        mail({
          subject: 'Spring catalogue',
          from: { name: 'Garden Shop', address: 'news@mail.garden.test' },
          html: '<body bgcolor="#f2efe6"><table width="600" align="center" cellpadding="16" bgcolor="#ffffff" role="presentation"><tr><td><h2 style="color:#2a6b3c;margin:0">Spring is here</h2><img src="https://garden.test/hero.png" width="560" height="120" alt="Tulips in a field"><p style="color:#333">Everything for the balcony, <a href="https://garden.test/sale" style="color:#2a6b3c">now in the shop</a>.</p></td></tr></table></body>',
        }),
      );
      await keep('newsletter');
    });

    it('a plain text with quotes', async () => {
      await reader.show(
        mail({
          text: 'Hi,\n\nsee https://example.org/patch and tell bob@example.net.\n\nOn Monday Bob wrote:\n> I think the patch is fine.\n>> diff --git a/x b/x\n>> +one\n> Ship it.\n\nThanks\n-- \nAlice\n',
          security: {
            ...SEALED_L2,
            level: 'L1',
            suite: 'QM1-OTP-P1305',
            keyIds: ['a', 'b'].map((x) => `${x}c490419-7d60-487f-adc1-4ddcc177c139`),
          },
        }),
      );
      await keep('text');
    });

    it('a message that was tampered with', async () => {
      await reader.show(
        mail({
          text: '',
          subject: 'QuMail Secure Message',
          security: { ...SEALED_L2, seal: 'failed', failure: { code: 'open.tampered', details: {} } },
        }),
      );
      assert.match(await reader.page.getByRole('alert').innerText(), /changed after it was sealed/);
      await keep('tampered');
    });

    it('a message whose key cannot be fetched now', async () => {
      await reader.show(
        mail({
          text: '',
          subject: 'QuMail Secure Message',
          security: { ...SEALED_L2, seal: 'unopened', failure: { code: 'kme.unreachable', details: { host: 'kme-b.example.org' } } },
        }),
      );
      await reader.page.getByRole('button', { name: 'Try Again' }).click();
      assert.deepEqual(
        (await reader.asked()).map((request) => request.kind),
        ['retry'],
      );
      await keep('unreachable');
    });

    it('waiting', async () => {
      await reader.load({ kind: 'loading', generation: 1, messageId: 7, world: 'real', words: readerWords(english) });
      assert.match(await reader.page.getByRole('status').innerText(), /Opening/);
      await reader.screenshot('loading', 'dark');
    });
  });
});
