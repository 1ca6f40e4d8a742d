import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { UnsubscribeService } from '../../../src/core/account/unsubscribe.ts';
import { createHttpsFetch } from '../../../src/core/base/httpsFetch.ts';
import { readHeaderSection } from '../../../src/core/mail/headerSection.ts';
import { unsubscribeOffer } from '../../../src/core/mail/unsubscribe.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';

const LIST = 'List-Unsubscribe: <https://lists.example.org/u?id=7>, <mailto:leave@lists.example.org?subject=leave%207>';
const POST = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click';
const DKIM =
  'DKIM-Signature: v=1; a=rsa-sha256; d=lists.example.org; s=x;\r\n\th=From:Subject:List-Unsubscribe:\r\n\t List-Unsubscribe-Post; bh=x; b=x';
const passed = (domain: string): string => `Authentication-Results: mx.example.test; dkim=pass header.d=${domain} header.s=x; spf=none`;
const offer = (...lines: string[]) => unsubscribeOffer(readHeaderSection(Buffer.from(`${lines.join('\r\n')}\r\n\r\nbody\r\n`)).fields);

describe('leaving a mailing list', () => {
  it('takes one click only where the list offers it over https and a signature covers the offer', () => {
    assert.equal(offer(LIST, POST, DKIM).oneClick?.href, 'https://lists.example.org/u?id=7');
    assert.equal(offer(passed('lists.example.org'), LIST, POST, DKIM).oneClick?.hostname, 'lists.example.org');
    for (const [why, ...lines] of [
      ['no signature', LIST, POST],
      ['no post', LIST, DKIM],
      ['not covered', LIST, POST, DKIM.replace(/\r\n\t List-Unsubscribe-Post/, '')],
      ['another domain passed', passed('evil.example'), LIST, POST, DKIM],
      ['it failed', passed('lists.example.org').replace('dkim=pass', 'dkim=fail'), LIST, POST, DKIM],
      ['http', LIST.replace('https:', 'http:'), POST, DKIM],
      ['an address', LIST.replace('lists.example.org/u', '192.168.1.1/u'), POST, DKIM],
      ['a bare name', LIST.replace('lists.example.org/u', 'router/u'), POST, DKIM],
      ['a local name', LIST.replace('lists.example.org/u', 'printer.local/u'), POST, DKIM],
      ['credentials', LIST.replace('https://', 'https://me:you@'), POST, DKIM],
    ] as const)
      assert.equal(offer(...lines).oneClick, undefined, why);
  });

  it('believes the receiving server and not what came with the message', () => {
    const forged = `Received: from a by b; x\r\nReceived: from evil by c; x\r\n${passed('lists.example.org')}`;
    const failed = passed('lists.example.org').replace('dkim=pass', 'dkim=fail');
    assert.equal(offer(failed, forged, LIST, POST, DKIM).oneClick, undefined);
  });

  it('falls back on an address', () => {
    assert.deepEqual(offer(LIST).mailto, { address: 'leave@lists.example.org', subject: 'leave 7' });
    assert.deepEqual(offer('List-Unsubscribe: <mailto:not an address>, <javascript:x>'), {});
    assert.deepEqual(offer('Subject: none'), {});
  });

  it('posts once, without following where it is sent, and says what came of it', async () => {
    const asked: { method?: string | undefined; url?: string | undefined; body: string; headers: string[] }[] = [];
    let status = 200;
    const { certPem, keyPem } = await issueServer();
    const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push({ method: request.method, url: request.url, body, headers: Object.keys(request.headers) });
        response.writeHead(status, { location: 'https://elsewhere.example/' }).end('bye');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const caPem = await testCaPem();
    const fetch = createHttpsFetch({ authorities: () => caPem });
    const drafts: object[] = [];
    const service = new UnsubscribeService({
      // The list's name leads to the server here; what is asked of it is what would go to the list.
      fetch: (request) => fetch({ ...request, url: request.url.replace('lists.example.org', `localhost:${port}`) }),
      source: async (id) => ({
        accountId: 'a',
        raw: Buffer.from(`${(id === 1 ? [LIST, POST, DKIM] : id === 2 ? [LIST] : ['Subject: x']).join('\r\n')}\r\n\r\n`),
      }),
      createDraft: async (o) => (drafts.push(o), { id: 'draft' }),
    });
    try {
      assert.deepEqual(await service.unsubscribe({ messageId: 1 }), { state: 'done', host: 'lists.example.org' });
      assert.deepEqual(
        [asked.length, asked[0]?.method, asked[0]?.url, asked[0]?.body],
        [1, 'POST', '/u?id=7', 'List-Unsubscribe=One-Click'],
      );
      assert.ok(!asked[0]!.headers.includes('cookie') && !asked[0]!.headers.includes('referer'));
      status = 302;
      await assert.rejects(service.unsubscribe({ messageId: 1 }), {
        code: 'unsubscribe.refused',
        details: { host: 'lists.example.org', status: 302 },
      });
      assert.equal(asked.length, 2);
      assert.deepEqual(await service.unsubscribe({ messageId: 2 }), { state: 'draft', draftId: 'draft' });
      assert.deepEqual(drafts, [{ accountId: 'a', to: 'leave@lists.example.org', subject: 'leave 7' }]);
      await assert.rejects(service.unsubscribe({ messageId: 3 }), { code: 'unsubscribe.none' });
      assert.equal(asked.length, 2);
    } finally {
      server.close();
    }
  });
});
