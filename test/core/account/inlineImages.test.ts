import assert from 'node:assert/strict';
import { withInlineImages } from '../../../src/core/account/inlineImages.ts';
import type { ReadAttachment } from '../../../src/core/mail/readMime.ts';

describe('pictures inside a mail', () => {
  const picture = (contentId: string, mimeType = 'image/png', length = 3): ReadAttachment => ({
    name: 'p.png',
    mimeType,
    content: Buffer.alloc(length, 1),
    contentId,
    inline: true,
  });

  it('are shown where the mail refers to them, and not listed again', () => {
    const { html, shown } = withInlineImages('<p><img src="cid:logo%40x"></p>', [picture('<other>'), picture('<logo@x>')]);
    assert.equal(html, '<p><img src="data:image/png;base64,AQEB"></p>');
    assert.deepEqual([...shown], [1]);
  });

  it('stay attachments when nothing refers to them, when they are no plain picture, and when they are too large', () => {
    for (const attachments of [[picture('<a>')], [picture('<logo>', 'image/svg+xml')], [picture('<logo>', 'image/png', 9 * 1024 * 1024)]]) {
      assert.deepEqual(withInlineImages('<img src="cid:logo">', attachments), { html: '<img src="cid:logo">', shown: new Set() });
    }
  });

  it('appear once, however often the mail refers to them', () => {
    const { html } = withInlineImages('<img src="cid:a">'.repeat(100), [picture('<a>', 'image/png', 1024 * 1024)]);
    assert.ok(html.length < 2 * 1024 * 1024);
  });
});
