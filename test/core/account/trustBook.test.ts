import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Found } from '../../../src/core/account/examineEvidence.ts';
import { planLearning, type Evidence } from '../../../src/core/account/trustPlan.ts';
import { TRUST_SOURCES } from '../../../src/core/base/trust.ts';
import { decodeSignedCard } from '../../../src/core/crypto/contactCard.ts';
import { loadPgpLibrary } from '../../../src/core/crypto/pgpLibrary.ts';
import type { TrustState } from '../../../src/core/store/certificates.ts';
import { foreignKey } from '../crypto/pgpWorld.ts';
import { removeTempFolders } from '../store/vaultFixture.ts';
import { cardFile, certificateFor, openTrustWorld, pgp, START, type TrustWorld } from './trustWorld.ts';

const BOB = 'bob@other.org';
const ME = 'alice';

describe('the trust book', () => {
  let world: TrustWorld;
  const found = (what: Partial<Found>): Found => ({ accountId: ME, address: BOB, source: 'card', under: 'L2', at: START, ...what });
  const card = async (change: Parameters<typeof cardFile>[1] = {}, how: Parameters<typeof cardFile>[2] = {}): Promise<Buffer> =>
    cardFile(BOB, change, how);
  const markOf = (): string | undefined => world.book.known(ME, BOB)?.certificate.mark;

  before(() => Promise.all([certificateFor(BOB), certificateFor(BOB, 2), certificateFor('alice@example.org')]));
  beforeEach(async () => {
    world = await openTrustWorld();
  });
  afterEach(() => world.close());
  after(removeTempFolders);

  it('pins the first card that came in sealed mail, and seals to its certificate', async () => {
    assert.equal(await world.book.learn(found({ card: await card({ suites: ['QM1-PGP9980', 'QM1-CB256+PQ'] }) })), 'new');
    const usable = world.book.usable(ME, BOB);
    const bob = await certificateFor(BOB);
    assert.equal(usable?.fingerprint, bob.fingerprint);
    assert.ok(usable?.certificate.equals(bob.certificate));
    assert.deepEqual(usable?.suites, ['QM1-PGP9980', 'QM1-CB256+PQ']);
    assert.equal(usable?.mark, 'first-use');
    assert.equal(world.book.certificatesOf(ME, BOB).length, 1);
  });

  it('marks a card that came under L1 as confirmed by QKD, and keeps the mark', async () => {
    await world.book.learn(found({ card: await card(), under: 'L1' }));
    assert.equal(markOf(), 'qkd');
    await world.book.learn(found({ card: await card(), under: 'L2' }));
    assert.equal(markOf(), 'qkd');
  });

  it('does not take for confirmed by QKD what others say of a contact under L1', async () => {
    const { certificate } = await certificateFor(BOB);
    assert.equal(await world.book.learn(found({ certificate, source: 'introduction', under: 'L1' })), 'new');
    assert.equal(markOf(), 'unverified');
    const second = await certificateFor(BOB, 2);
    assert.equal(await world.book.learn(found({ certificate: second.certificate, source: 'introduction', under: 'L1' })), 'refused');
    assert.ok(world.book.usable(ME, BOB)?.certificate.equals(certificate));
  });

  it('confirms by QKD what came another way, once its fingerprint comes under L1', async () => {
    const { certificate, fingerprint } = await certificateFor(BOB);
    await world.book.learn(found({ certificate, source: 'wkd', under: 'none' }));
    assert.equal(markOf(), 'unverified');
    assert.equal(await world.book.learn(found({ fingerprint, source: 'signature', under: 'L1' })), 'same');
    assert.equal(markOf(), 'qkd');
  });

  it('remembers a fingerprint that came before its certificate, and takes no other', async () => {
    const { certificate, fingerprint } = await certificateFor(BOB);
    assert.equal(await world.book.learn(found({ fingerprint, source: 'signature', under: 'L1' })), 'new');
    assert.equal(world.book.usable(ME, BOB), undefined);
    const other = await certificateFor(BOB, 2);
    assert.equal(await world.book.learn(found({ certificate: other.certificate, source: 'autocrypt', under: 'none' })), 'refused');
    assert.equal(world.book.usable(ME, BOB), undefined);
    assert.equal(await world.book.learn(found({ certificate, source: 'wkd', under: 'none' })), 'same');
    assert.equal(world.book.usable(ME, BOB)?.fingerprint, fingerprint);
    assert.equal(markOf(), 'qkd');
  });

  it('blocks sending when another certificate comes, and keeps using neither until the person decides', async () => {
    await world.book.learn(found({ card: await card() }));
    const second = await certificateFor(BOB, 2);
    assert.equal(await world.book.learn(found({ card: await card({ issuedAt: START + 1 }, { edition: 2 }) })), 'changed');
    assert.throws(() => world.book.usable(ME, BOB), {
      code: 'seal.key-changed',
      details: { address: BOB, fingerprint: second.fingerprint },
    });
    assert.equal(markOf(), 'changed');
    const first = await certificateFor(BOB);
    assert.ok(world.book.certificatesOf(ME, BOB)[0]?.equals(first.certificate), 'signatures are verified with what is pinned');
    assert.equal(world.book.certificatesOf(ME, BOB).length, 1);
  });

  it('takes the new certificate once the change is accepted, without the marks of the old one', async () => {
    await world.book.learn(found({ card: await card(), under: 'L1' }));
    const first = await certificateFor(BOB);
    world.book.verify(ME, BOB, first.fingerprint);
    assert.equal(markOf(), 'verified');
    await world.book.learn(found({ card: await card({ issuedAt: START + 1 }, { edition: 2 }) }));
    const change = world.book.known(ME, BOB)?.change;
    assert.deepEqual(change?.fields, ['fingerprint']);
    world.book.resolve(ME, BOB, change!.id, 'accept');
    const second = await certificateFor(BOB, 2);
    assert.ok(world.book.usable(ME, BOB)?.certificate.equals(second.certificate));
    assert.equal(markOf(), 'first-use');
  });

  it('goes on with the old certificate once the change is turned down, and does not ask again', async () => {
    await world.book.learn(found({ card: await card() }));
    const again = await card({ issuedAt: START + 1 }, { edition: 2 });
    await world.book.learn(found({ card: again }));
    world.book.resolve(ME, BOB, world.book.known(ME, BOB)!.change!.id, 'reject');
    const first = await certificateFor(BOB);
    assert.ok(world.book.usable(ME, BOB)?.certificate.equals(first.certificate));
    assert.equal(await world.book.learn(found({ card: again })), 'refused');
    assert.ok(world.book.usable(ME, BOB));
  });

  it('does not let a decision about one change accept another that took its place', async () => {
    await world.book.learn(found({ card: await card() }));
    await world.book.learn(found({ card: await card({ issuedAt: START + 1 }, { edition: 2 }) }));
    const shown = world.book.known(ME, BOB)!.change!.id;
    await certificateFor(BOB, 3);
    await world.book.learn(found({ card: await card({ issuedAt: START + 2 }, { edition: 3 }) }));
    assert.throws(() => world.book.resolve(ME, BOB, shown, 'accept'), { code: 'trust.no-change' });
    assert.throws(() => world.book.usable(ME, BOB), { code: 'seal.key-changed' });
  });

  for (const [field, first, second] of [
    ['saeId', 'sae-bob', 'sae-mallory'],
    ['kmeId', 'kme-bob', 'kme-mallory'],
  ] as const) {
    it(`blocks when a card with the same certificate states another ${field}`, async () => {
      await world.book.learn(found({ card: await card({ [field]: first }) }));
      assert.equal(await world.book.learn(found({ card: await card({ [field]: second, issuedAt: START + 1 }) })), 'changed');
      const change = world.book.known(ME, BOB)?.change;
      assert.deepEqual([change?.fields, change?.before, change?.after], [[field], { [field]: first }, { [field]: second }]);
      assert.throws(() => world.book.usable(ME, BOB), { code: 'seal.key-changed' });
      world.book.resolve(ME, BOB, change!.id, 'accept');
      assert.equal(world.book.known(ME, BOB)?.certificate[field], second);
      assert.ok(world.book.usable(ME, BOB));
    });
  }

  it('holds the SAE ID that the person entered against what a card states', async () => {
    world.contacts.put({ accountId: ME, address: BOB, name: 'Bob', saeId: 'sae-bob', minimumLevel: 'L4' });
    assert.equal(await world.book.learn(found({ card: await card({ saeId: 'sae-mallory' }), under: 'L3' })), 'changed');
    assert.equal(world.contacts.get(ME, BOB)?.saeId, 'sae-bob');
    const change = world.book.known(ME, BOB)!.change!;
    assert.deepEqual([change.before, change.after], [{ saeId: 'sae-bob' }, { saeId: 'sae-mallory' }]);
    world.book.resolve(ME, BOB, change.id, 'accept');
    assert.equal(world.contacts.get(ME, BOB)?.saeId, 'sae-mallory');
  });

  it('raises the minimum level to what a card asks for, and never lowers it', async () => {
    world.contacts.put({ accountId: ME, address: BOB, name: 'Bob', minimumLevel: 'L4' });
    await world.book.learn(found({ card: await card({ minimumLevel: 'L2', saeId: 'sae-bob' }) }));
    assert.deepEqual([world.contacts.get(ME, BOB)?.minimumLevel, world.contacts.get(ME, BOB)?.saeId], ['L2', 'sae-bob']);
    await world.book.learn(found({ card: await card({ minimumLevel: 'L4', saeId: 'sae-bob', issuedAt: START + 1 }) }));
    assert.equal(world.contacts.get(ME, BOB)?.minimumLevel, 'L2');
  });

  it('does not raise it again from a card it has already, once the person lowered it', async () => {
    world.contacts.put({ accountId: ME, address: BOB, name: 'Bob', minimumLevel: 'L4' });
    const same = await card({ minimumLevel: 'L2' });
    await world.book.learn(found({ card: same }));
    world.contacts.put({ accountId: ME, address: BOB, name: 'Bob', minimumLevel: 'L4' });
    assert.equal(await world.book.learn(found({ card: same })), 'same');
    assert.equal(world.contacts.get(ME, BOB)?.minimumLevel, 'L4');
  });

  describe('refuses', () => {
    const refused = async (what: Partial<Found>, code: string): Promise<void> => {
      const before = world.book.known(ME, BOB);
      await assert.rejects(world.book.take(found(what)), { code });
      assert.equal(await world.book.learn(found(what)), 'refused');
      assert.deepEqual(world.book.known(ME, BOB), before);
      assert.ok(
        world.logged.some((line) => line.includes(code)),
        'the log names the code',
      );
    };

    it('a card whose signature somebody else made', async () => {
      await refused({ card: await card({}, { signer: await certificateFor(BOB, 2) }) }, 'card.forged');
    });

    it('a card with the certificate of somebody who signed it but is not named in it', async () => {
      const { fingerprint } = await certificateFor(BOB, 2);
      await refused({ card: await card({ fingerprint }) }, 'card.forged');
    });

    it('an old card after a newer one, even with the very same certificate', async () => {
      await world.book.learn(found({ card: await card({ saeId: 'sae-2', issuedAt: START + 10 }) }));
      await refused({ card: await card({ saeId: 'sae-1', issuedAt: START + 9 }) }, 'card.replayed');
      await refused({ card: await card({ saeId: 'sae-1', issuedAt: START + 10 }) }, 'card.replayed');
      await refused({ card: await card({ issuedAt: START }, { edition: 2 }) }, 'card.replayed');
    });

    it('a card of another address', async () => {
      await refused({ card: await cardFile('carol@other.org') }, 'cert.address-mismatch');
      await refused({ card: await card({ addr: 'carol@other.org' }) }, 'card.other-address');
    });

    it('a card in ordinary mail', async () => {
      await refused({ card: await card(), under: 'none' }, 'card.not-sealed');
    });

    it('an expired card, and one from the day after tomorrow', async () => {
      await refused({ card: await card({ expiresAt: START - 1 }) }, 'card.expired');
      await refused({ card: await card({ issuedAt: START + 2 * 86_400_000 }) }, 'card.malformed');
    });

    it('a card without its certificate from somebody unknown', async () => {
      await refused({ card: await card({}, { without: 'certificate' }) }, 'card.no-certificate');
    });

    it('a certificate that came in a header of ordinary mail and contradicts what is pinned, without blocking anything', async () => {
      await world.book.learn(found({ card: await card() }));
      const { certificate } = await certificateFor(BOB, 2);
      assert.equal(await world.book.learn(found({ certificate, source: 'autocrypt', under: 'none' })), 'refused');
      const first = await certificateFor(BOB);
      assert.equal(world.book.usable(ME, BOB)?.fingerprint, first.fingerprint);
      assert.equal(markOf(), 'first-use');
      assert.equal(world.book.known(ME, BOB)?.change?.effect, 'notice', 'the person can see it');
    });

    it('what is no certificate, or one for another address', async () => {
      await refused({ certificate: Buffer.from('not a certificate'), source: 'wkd', under: 'none' }, 'cert.malformed');
      const carol = await certificateFor('carol@other.org');
      await refused({ certificate: carol.certificate, source: 'autocrypt', under: 'none' }, 'cert.address-mismatch');
    });
  });

  it('refuses certificates that are expired, weak, or cannot be sealed to, whoever brings them', async () => {
    const user = { userIDs: [{ name: 'Bob', email: BOB }] };
    const hostile = [
      [await foreignKey({ ...user, keyExpirationTime: 60 }), 'cert.expired'],
      [await foreignKey({ ...user, type: 'rsa', rsaBits: 1024 }, { minRSABits: 1024 }), 'cert.weak'],
      [await foreignKey({ ...user, subkeys: [{ sign: true }] }), 'cert.no-encryption'],
    ] as const;
    for (const [{ certificate }, code] of hostile) {
      for (const source of ['wkd', 'autocrypt', 'file'] as const) {
        await assert.rejects(world.book.take(found({ certificate, source, under: 'none' })), { code });
      }
    }
    assert.equal(world.book.known(ME, BOB), undefined);
  });

  it('pins one of two certificates that come at the same moment, and asks about the other', async () => {
    const [first, second] = [await certificateFor(BOB), await certificateFor(BOB, 2)];
    const outcomes = await Promise.all(
      [first, second].map(({ certificate }) => world.book.learn(found({ certificate, source: 'wkd', under: 'none' }))),
    );
    assert.deepEqual(outcomes.toSorted(), ['changed', 'new']);
    assert.throws(() => world.book.usable(ME, BOB), { code: 'seal.key-changed' });
  });

  it('blocks when the web key directory says something else than what is pinned', async () => {
    await world.book.learn(found({ card: await card() }));
    const { certificate } = await certificateFor(BOB, 2);
    assert.equal(await world.book.learn(found({ certificate, source: 'wkd', under: 'none' })), 'changed');
    assert.throws(() => world.book.usable(ME, BOB), { code: 'seal.key-changed' });
  });

  it('checks a card without certificate against the one that is pinned', async () => {
    await world.book.learn(found({ card: await card() }));
    assert.equal(
      await world.book.learn(found({ card: await card({ saeId: 'sae-bob', issuedAt: START + 1 }, { without: 'certificate' }) })),
      'same',
    );
    assert.equal(world.book.known(ME, BOB)?.certificate.saeId, 'sae-bob');
  });

  it('takes a certificate with a renewed subkey, and not the old state of it again', async () => {
    const first = await certificateFor(BOB);
    const later = START + 31 * 86_400_000;
    const renewed = await pgp.rotateSubkey({ secretKey: first.secretKey, now: later, dropBefore: 0 });
    await world.book.learn(found({ certificate: first.certificate, source: 'wkd', under: 'none' }));
    world.clock.set(later);
    assert.equal(await world.book.learn(found({ certificate: renewed.certificate, source: 'wkd', under: 'none', at: later })), 'same');
    assert.ok(world.book.usable(ME, BOB)?.certificate.equals(renewed.certificate));
    assert.equal(await world.book.learn(found({ certificate: first.certificate, source: 'wkd', under: 'none', at: later })), 'same');
    assert.ok(world.book.usable(ME, BOB)?.certificate.equals(renewed.certificate));
  });

  it('keeps that an Autocrypt header asked for encryption, also where the certificate was known before', async () => {
    const { certificate } = await certificateFor(BOB);
    const header = { certificate, source: 'autocrypt', under: 'none' } as const;
    assert.equal(await world.book.learn(found({ ...header, prefersEncryption: false })), 'new');
    assert.equal(world.book.known(ME, BOB)?.certificate.prefersEncryption, undefined);
    assert.equal(await world.book.learn(found({ ...header, prefersEncryption: true })), 'same');
    assert.equal(world.book.known(ME, BOB)?.certificate.prefersEncryption, true);
  });

  it('does not seal to a certificate whose subkey has expired', async () => {
    await world.book.learn(found({ card: await card() }));
    assert.equal(world.book.expired(ME, BOB), undefined);
    world.clock.set(START + 365 * 86_400_000);
    assert.equal(world.book.usable(ME, BOB), undefined);
    const expired = world.book.expired(ME, BOB);
    assert.deepEqual([expired?.suites, expired?.at], [['QM1-PGP9980'], START + 55 * 86_400_000]);
  });

  it('stops sealing to a certificate once its owner’s revocation comes, from wherever, until there is another', async () => {
    const library = await loadPgpLibrary();
    const { secretKey } = await certificateFor(BOB);
    const key = await library.readPrivateKey({ binaryKey: new Uint8Array(secretKey) });
    const { publicKey } = await library.revokeKey({ key, date: new Date(START), format: 'binary' });
    const certificate = Buffer.from(publicKey);
    await world.book.learn(found({ card: await card() }));
    assert.equal(await world.book.learn(found({ certificate, source: 'autocrypt', under: 'none' })), 'refused');
    assert.throws(() => world.book.usable(ME, BOB), { code: 'seal.key-changed' });
    assert.equal(markOf(), 'revoked');
    assert.equal(await world.book.learn(found({ card: await card() })), 'same');
    assert.equal(markOf(), 'revoked', 'the old card does not bring it back');
    await world.book.learn(found({ card: await card({ issuedAt: START + 1 }, { edition: 2 }) }));
    world.book.resolve(ME, BOB, world.book.known(ME, BOB)!.change!.id, 'accept');
    assert.ok(world.book.usable(ME, BOB));
  });

  it('writes and tells nothing where nothing new came', async () => {
    const { certificate, fingerprint } = await certificateFor(BOB);
    const whole = await card();
    await world.book.learn(found({ card: whole }));
    const told = world.told();
    for (const again of [{ card: whole }, { certificate, source: 'wkd', under: 'none' }, { fingerprint, source: 'signature' }] as const) {
      assert.equal(await world.book.learn(found(again)), 'same');
    }
    assert.equal(world.told(), told);
  });

  it('starts anew after it was told to forget', async () => {
    await world.book.learn(found({ card: await card() }));
    world.book.forget(ME, BOB);
    assert.equal(world.book.known(ME, BOB), undefined);
    assert.equal(await world.book.learn(found({ card: await card({}, { edition: 2 }) })), 'new');
  });

  it('finds an address in whatever case it is written', async () => {
    await world.book.learn(found({ card: await card() }));
    assert.ok(world.book.usable(ME, 'BOB@other.org'));
    assert.ok(world.book.knownAll(ME).get(BOB));
  });

  it('refuses a pin that was altered in the file', async () => {
    await world.book.learn(found({ card: await card() }));
    world.vault.db.exec("UPDATE contact_trust SET certificate = x'00'");
    assert.throws(() => world.book.usable(ME, BOB), { code: 'store.corrupt' });
    world.vault.db.exec("UPDATE contact_trust SET address = 'carol@other.org'");
    assert.throws(() => world.book.known(ME, 'carol@other.org'), { code: 'store.corrupt' });
  });

  describe('the own card', () => {
    it('goes to everybody once, with the certificate, and counts as sent only when the message was queued', async () => {
      const first = await world.book.outgoingCard(ME, [BOB, 'carol@other.org'], 'L2');
      const signed = decodeSignedCard(first!.attachments[0]!.content);
      assert.equal(signed.card.addr, 'alice@example.org');
      assert.ok(signed.certificate);
      assert.ok(await world.book.outgoingCard(ME, [BOB], 'L2'), 'the message may not have gone');
      first!.sent();
      assert.equal(await world.book.outgoingCard(ME, [BOB], 'L3'), undefined);
      assert.ok(await world.book.outgoingCard(ME, [BOB, 'dave@other.org'], 'L2'));
    });

    it('goes again when something in it is different, and always with a later time', async () => {
      const first = await world.book.outgoingCard(ME, [BOB], 'L2');
      first!.sent();
      Object.assign(world.facts, { saeId: 'sae-alice' });
      world.clock.set(START - 86_400_000);
      const second = await world.book.outgoingCard(ME, [BOB], 'L2');
      const times = [first, second].map((each) => decodeSignedCard(each!.attachments[0]!.content).card.issuedAt);
      assert.ok(times[1]! > times[0]!);
      second!.sent();
      world.own.edition = 2;
      assert.ok(await world.book.outgoingCard(ME, [BOB], 'L2'), 'another certificate');
    });

    it('costs no pad: at L1 the fingerprint in the header speaks for it', async () => {
      assert.equal(await world.book.outgoingCard(ME, [BOB], 'L1'), undefined);
    });

    it('is taken by the other side', async () => {
      const other = await openTrustWorld();
      const { attachments } = (await world.book.outgoingCard(ME, [BOB], 'L3'))!;
      const came = { accountId: ME, address: 'alice@example.org', source: 'card', under: 'L3', at: START } as const;
      assert.equal(await other.book.learn({ ...came, card: Buffer.from(attachments[0]!.content) }), 'new');
      other.close();
    });
  });
});

describe('what becomes of evidence', () => {
  const fingerprint = fc.constantFrom('A', 'B', 'C').map((letter) => letter.repeat(64));
  const id = fc.option(fc.constantFrom('x', 'y'), { nil: undefined });
  const evidence: fc.Arbitrary<Evidence> = fc
    .record({
      fingerprint,
      source: fc.constantFrom(...TRUST_SOURCES),
      under: fc.constantFrom('L1', 'L2', 'L3', 'none' as const),
      at: fc.nat(100),
      saeId: id,
      kmeId: id,
      issuedAt: fc.option(fc.nat(20), { nil: undefined }),
      whole: fc.boolean(),
    })
    .map(({ saeId, kmeId, issuedAt, whole, ...rest }) => ({
      ...rest,
      ...(saeId !== undefined && { saeId }),
      ...(kmeId !== undefined && { kmeId }),
      ...(whole && {
        certificateSha256: rest.fingerprint,
        facts: { version: 6 as const, addresses: [], createdAt: 0, postQuantum: true, algorithms: [] },
      }),
      ...(issuedAt !== undefined && {
        card: { issuedAt, digest: `${rest.fingerprint[0]}${issuedAt}${saeId}${kmeId}`, minimumLevel: 'L4' as const, suites: [] },
      }),
    }));

  it('never replaces a pinned certificate, SAE ID or KME ID, in whatever order it comes', () => {
    fc.assert(
      fc.property(fc.array(evidence, { maxLength: 30 }), id, (pieces, knownSaeId) => {
        let state: TrustState | undefined;
        pieces.forEach((piece, i) => {
          const { state: next, outcome } = planLearning(state, knownSaeId, piece, String(i));
          if (state) {
            assert.equal(next?.pin.fingerprint, state.pin.fingerprint);
            for (const name of ['saeId', 'kmeId', 'certificateSha256'] as const) {
              if (state.pin[name] !== undefined) assert.equal(next?.pin[name], state.pin[name], name);
            }
            if (state.change?.effect === 'blocks') assert.equal(next?.change?.effect, 'blocks', 'only the person ends a block');
          }
          if (next?.pin.saeId !== undefined && knownSaeId !== undefined) assert.equal(next.pin.saeId, knownSaeId);
          if (next?.pin.facts) assert.equal(next.pin.certificateSha256, next.pin.fingerprint, 'facts of the very certificate');
          if (outcome === 'changed') assert.equal(next?.change?.effect, 'blocks');
          state = next;
        });
      }),
      { numRuns: 2000 },
    );
  });
});
