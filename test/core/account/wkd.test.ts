import assert from 'node:assert/strict';
import { discoverKey } from '../../../src/core/account/discoverKeys.ts';
import { wkdHash, wkdPlaces } from '../../../src/core/account/wkd.ts';
import { startPages, type Page, type Pages } from '../transport/discoveryWorld.ts';

/** The sample of draft-koch-openpgp-webkey-service, section 3.1. */
const JOE = 'Joe.Doe@example.org';
const HASH = 'iy9q119eutrkn8s1mk4r39qejnbu3n5q';
const ADVANCED = `openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/${HASH}`;
const DIRECT = `example.org/.well-known/openpgpkey/hu/${HASH}`;

describe('the web key directory', () => {
  let pages: Pages | undefined;
  const ask = async (content: Readonly<Record<string, Page>>, signal?: AbortSignal): Promise<Buffer> => {
    await pages?.close();
    pages = await startPages(content);
    return discoverKey(JOE, pages, signal);
  };
  afterEach(async () => {
    await pages?.close();
    pages = undefined;
  });

  it('is asked at the places of the draft', () => {
    assert.deepEqual(wkdPlaces(JOE), {
      domain: 'example.org',
      advanced: `https://${ADVANCED}?l=Joe.Doe`,
      direct: `https://${DIRECT}?l=Joe.Doe`,
    });
    assert.equal(wkdHash('JOE.DOE'), HASH);
    assert.match(wkdPlaces('a b?&#/%@example.org'.replace(' ', '+'))?.direct ?? '', /\?l=a%2Bb%3F%26%23%2F%25$/);
  });

  it('is not asked where the domain is no name of the public DNS', () => {
    for (const domain of [
      '[192.0.2.1]',
      '[IPv6:2001:db8::1]',
      '192.0.2.1',
      '0x7f.1',
      'localhost',
      'mail.localhost',
      'intranet',
      'printer.local',
      'host.internal',
      'abc.onion',
      'router.home.arpa',
      'example.org:8443',
      'example.org/x',
      'exa mple.org',
      '',
    ]) {
      assert.equal(wkdPlaces(`bob@${domain}`), undefined, domain);
    }
  });

  it('answers with the certificate, by the advanced method', async () => {
    assert.equal(String(await ask({ [ADVANCED]: { body: 'certificate' } })), 'certificate');
    assert.deepEqual(pages?.asked, [`https://${ADVANCED}?l=Joe.Doe`]);
  });

  it('is asked by the direct method only where the host of the advanced one does not exist', async () => {
    assert.equal(String(await ask({ [DIRECT]: { body: 'certificate' } })), 'certificate');
    await assert.rejects(ask({ [ADVANCED]: { status: 404 }, [DIRECT]: { body: 'certificate' } }), { code: 'wkd.not-found' });
  });

  it('says so where there is nothing', async () => {
    await assert.rejects(ask({}), { code: 'wkd.not-found', details: { domain: 'example.org' } });
    await assert.rejects(ask({ [ADVANCED]: { body: '' } }), { code: 'wkd.not-found' });
  });

  it('sends nobody elsewhere', async () => {
    const content = {
      [ADVANCED]: { status: 302, headers: { location: 'https://evil.example.net/key' } },
      'evil.example.net/key': { body: 'x' },
    };
    await assert.rejects(ask(content), { code: 'wkd.not-found', details: { domain: 'example.org', status: 302 } });
    assert.equal(pages?.asked.length, 1);
  });

  it('is cut off beyond a mebibyte', async () => {
    await assert.rejects(ask({ [ADVANCED]: { body: Buffer.alloc(1024 * 1024 + 1, 0x99) } }), { code: 'net.too-large' });
  });

  it('can be cancelled while it is silent', async () => {
    const cancel = new AbortController();
    const asking = ask({ [ADVANCED]: 'silent' }, cancel.signal);
    setTimeout(() => cancel.abort(), 50);
    await assert.rejects(asking, { code: 'engine.cancelled' });
  });

  it('counts for nothing with a certificate of another host', async () => {
    pages = await startPages({ [ADVANCED]: { body: 'certificate' } });
    const { fetch } = pages;
    // The same server under an address that its TLS certificate does not name.
    const elsewhere = {
      fetch: (request: Parameters<typeof fetch>[0]) => fetch({ ...request, url: request.url.replace('https:', 'http:') }),
    };
    await assert.rejects(discoverKey(JOE, elsewhere), { code: 'net.tls-required' });
  });
});
