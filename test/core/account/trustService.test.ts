import assert from 'node:assert/strict';
import { TrustService } from '../../../src/core/account/trustService.ts';
import type { Contact } from '../../../src/core/base/model.ts';
import { wkdHash } from '../../../src/core/account/wkd.ts';
import { startPages, type Page, type Pages } from '../transport/discoveryWorld.ts';
import { removeTempFolders } from '../store/vaultFixture.ts';
import { cardFile, certificateFor, openTrustWorld, pgp, START, type TrustWorld } from './trustWorld.ts';

const BOB = 'bob@other.org';
const accountId = 'alice';
const address = BOB;
const PLACE = `openpgpkey.other.org/.well-known/openpgpkey/other.org/hu/${wkdHash('bob')}`;

describe('requests of trust', () => {
  let world: TrustWorld;
  let pages: Pages | undefined;
  const published: Record<string, Page> = {};
  let service: TrustService;

  before(() => Promise.all([certificateFor(BOB), certificateFor(BOB, 2)]));
  beforeEach(async () => {
    world = await openTrustWorld();
    service = serviceIn('real');
  });
  afterEach(async () => {
    world.close();
    await pages?.close();
    pages = undefined;
  });
  after(removeTempFolders);

  function serviceIn(kind: 'real' | 'lab'): TrustService {
    return new TrustService({
      book: world.book,
      cards: world.cards,
      own: { get: () => certificateFor('alice@example.org'), withSecret: (_, use) => use(undefined) },
      pgp,
      contacts: world.contacts,
      fetch: (request) => pages!.fetch(request),
      clock: world.clock,
      world: kind,
      addressOf: () => 'alice@example.org',
      contactOf: (id, of) => {
        const record = world.contacts.get(id, of);
        const known = world.book.known(id, of);
        return record && ({ ...record, startLevel: 'L4', ...(known && { certificate: known.certificate }) } satisfies Contact);
      },
    });
  }
  const publish = async (page: Page): Promise<void> => {
    await pages?.close();
    pages = await startPages({ ...published, [PLACE]: page });
  };
  const discover = () => service.discoverCertificate({ accountId, address });

  it('finds a certificate in the web key directory, and marks it as the server’s word', async () => {
    const bob = await certificateFor(BOB);
    await publish({ body: bob.certificate });
    const { outcome, contact } = await discover();
    assert.deepEqual(
      [outcome, contact.certificate?.fingerprint, contact.certificate?.mark, contact.certificate?.source],
      ['new', bob.fingerprint, 'unverified', 'wkd'],
    );
    assert.equal((await discover()).outcome, 'same');
  });

  it('blocks when the directory hands out another certificate than the one that is pinned', async () => {
    await world.book.learn({ accountId, address, card: await cardFile(BOB), source: 'card', under: 'L2', at: START });
    await publish({ body: (await certificateFor(BOB, 2)).certificate });
    const { outcome, contact } = await discover();
    assert.deepEqual([outcome, contact.certificate?.mark], ['changed', 'changed']);
    assert.throws(() => world.book.usable(accountId, BOB), { code: 'seal.key-changed' });
    assert.equal(world.book.certificatesOf(accountId, BOB).length, 1);
  });

  it('takes from the directory only the certificate of which a QR code told the fingerprint', async () => {
    const { fingerprint } = await certificateFor(BOB);
    await service.importCard({ accountId, content: `qumail-card:v=1&a=${encodeURIComponent(BOB)}&f=${fingerprint}`, name: 'Bob' });
    await publish({ body: (await certificateFor(BOB, 2)).certificate });
    assert.equal((await discover()).outcome, 'changed');
    const change = world.book.known(accountId, BOB)?.change;
    await service.resolveKeyChange({ accountId, address, changeId: change!.id, decision: 'reject' });
    await publish({ body: (await certificateFor(BOB)).certificate });
    assert.deepEqual([(await discover()).outcome, world.book.usable(accountId, BOB)?.mark], ['same', 'first-use']);
  });

  it('refuses by name what the directory holds instead of a usable certificate', async () => {
    const carol = await certificateFor('carol@other.org');
    const { privateKeyLike, twoCertificates } = {
      privateKeyLike: (await certificateFor(BOB)).secretKey,
      twoCertificates: Buffer.concat([(await certificateFor(BOB)).certificate, (await certificateFor(BOB, 2)).certificate]),
    };
    for (const [body, code] of [
      [carol.certificate, 'cert.address-mismatch'],
      [Buffer.from('<html>not found</html>'), 'cert.malformed'],
      [privateKeyLike, 'cert.malformed'],
      [twoCertificates, 'cert.malformed'],
      [(await certificateFor(BOB)).certificate.subarray(0, 5000), 'cert.malformed'],
      [Buffer.alloc(512 * 1024, 0x99), 'cert.too-large'],
    ] as const) {
      await publish({ body: Buffer.from(body) });
      await assert.rejects(discover(), { code }, code);
      assert.equal(world.book.known(accountId, BOB), undefined);
      assert.equal(world.contacts.get(accountId, BOB), undefined, 'nobody becomes a contact by it');
    }
  });

  it('asks nobody in the lab, nor for an address that has no domain', async () => {
    await publish({ body: 'x' });
    await assert.rejects(serviceIn('lab').discoverCertificate({ accountId, address }), { code: 'wkd.not-found' });
    await assert.rejects(service.discoverCertificate({ accountId, address: 'bob@[192.0.2.1]' }), { code: 'wkd.refused' });
    await assert.rejects(service.discoverCertificate({ accountId, address: 'bob' }), { code: 'draft.bad-address' });
    assert.deepEqual(pages?.asked, []);
  });

  it('imports what it exported, armored and binary', async () => {
    const bob = await certificateFor(BOB);
    await service.importCertificate({ accountId, address, content: new Uint8Array(bob.certificate) });
    const { text, fileName, fingerprint } = await service.exportCertificate({ accountId, address });
    assert.match(text, /^-----BEGIN PGP PUBLIC KEY BLOCK-----/);
    assert.deepEqual([fileName, fingerprint], ['bob@other.org.asc', bob.fingerprint]);
    assert.equal((await service.importCertificate({ accountId, address, content: text })).outcome, 'same');
    assert.equal((await service.importCertificate({ accountId, address, content: Buffer.from(text) })).outcome, 'same');
    assert.ok(world.book.usable(accountId, BOB)?.certificate.equals(bob.certificate));
  });

  it('refuses a secret key, a message and noise where a certificate is to be imported, and keeps nothing of them', async () => {
    const { secretKey } = await certificateFor(BOB);
    for (const content of [
      await pgp.armor('secret-key', secretKey),
      await pgp.armor('message', Buffer.from('x')),
      'words',
      '',
      Buffer.alloc(2 ** 21),
    ]) {
      await assert.rejects(service.importCertificate({ accountId, address, content }), (error: { code: string }) =>
        error.code.startsWith('cert.'),
      );
    }
    assert.equal(world.book.known(accountId, BOB), undefined);
    assert.deepEqual(world.contacts.list(accountId), []);
  });

  it('imports a card and makes the contact as the card states it', async () => {
    const content = new Uint8Array(await cardFile(BOB, { saeId: 'sae-bob', minimumLevel: 'L2' }));
    const { contact } = await service.importCard({ accountId, content, name: ' Bob ' });
    assert.deepEqual([contact.name, contact.saeId, contact.minimumLevel, contact.address], ['Bob', 'sae-bob', 'L2', BOB]);
  });

  it('refuses a card that is cut, altered, forged, old, or one’s own', async () => {
    await service.importCard({ accountId, content: await cardFile(BOB, { issuedAt: START + 5 }) });
    const file = await cardFile(BOB, { issuedAt: START + 6 });
    const text = file.toString();
    const refused = async (content: Uint8Array, code: RegExp): Promise<void> => {
      await assert.rejects(service.importCard({ accountId, content }), (error: { code: string }) => code.test(error.code));
    };
    await refused(file.subarray(0, -1), /^card\.malformed$/);
    await refused(Buffer.from(text.replace('"card":"', '"card":"","card":"')), /^card\.malformed$/);
    await refused(await cardFile(BOB, { issuedAt: START + 4 }), /^card\.replayed$/);
    await refused(await cardFile(BOB, { issuedAt: START + 6 }, { signer: await certificateFor(BOB, 2) }), /^card\.forged$/);
    await refused(await cardFile('alice@example.org'), /^card\.other-address$/);
    assert.equal(world.book.known(accountId, BOB)?.change, undefined);
  });

  it('does not verify while nothing is known, and not by a number of another certificate', async () => {
    const proof = { digits: '0'.repeat(60) };
    await assert.rejects(service.verifyContact({ accountId, address, proof }), { code: 'trust.no-certificate' });
    await assert.rejects(service.getSafetyNumber({ accountId, address }), { code: 'trust.no-certificate' });
    await service.importCard({ accountId, content: await cardFile(BOB) });
    await assert.rejects(service.verifyContact({ accountId, address, proof }), { code: 'trust.mismatch' });
    await assert.rejects(service.getSafetyNumber({ accountId, address, of: 'changed' }), { code: 'trust.no-change' });
  });
});
