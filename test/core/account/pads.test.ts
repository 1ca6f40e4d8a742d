import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../../src/core/api.ts';
import type { DeliveredKey } from '../../../src/core/keys/kmeClient.ts';
import { movableClock, rawBytes, removeTempFolders, tempFolder } from '../store/vaultFixture.ts';
import { openPadWorld, type PadWorld } from './padWorld.ts';

const OCTETS = 512 * 1024;

describe('a pad exchanged in person', () => {
  let alice: PadWorld;
  let bob: PadWorld;
  let stick: string;
  const clock = movableClock('2026-03-01T12:00:00Z');

  beforeEach(async () => {
    clock.set('2026-03-01T12:00:00Z');
    alice = await openPadWorld(tempFolder(), 'alice', clock);
    bob = await openPadWorld(tempFolder(), 'bob', clock);
    stick = join(tempFolder(), 'for-bob.pad');
  });
  afterEach(() => {
    alice.close();
    bob.close();
  });
  after(removeTempFolders);

  const make = (change: object = {}) =>
    alice.service.createPad({ accountId: 'alice', address: bob.email, path: stick, octets: OCTETS, ...change });
  const take = (world: PadWorld, path = stick, address = world === bob ? alice.email : bob.email) =>
    world.service.importPad({ accountId: world.accountId, address, path });
  const fails = (work: Promise<unknown>, code: ErrorCode, details?: object) => assert.rejects(work, details ? { code, details } : { code });

  async function handOver(): Promise<void> {
    await make();
    await take(bob);
  }

  /** Takes keys at one side and fetches them at the other; the bytes that both have. */
  async function spend(from: PadWorld, to: PadWorld, bits: number, envelopeId = 'e'): Promise<Buffer> {
    const source = from.sources.sourceFor(from.accountId, to.email)!;
    const keys = await source.take({ bits, others: [] });
    const keyIds = keys.map(({ keyId }) => keyId);
    const other = to.sources.sourceOfKeys(to.accountId, from.email, keyIds)!;
    await other.fetch({ keyIds, envelopeId });
    const held = to.ledger.heldKeys({ accountId: to.accountId, peerSaeId: other.peerId, keyIds })!;
    assert.deepEqual(held, keys);
    return Buffer.concat(keys.map(({ bytes }) => bytes));
  }

  it('gives both sides the same keys, RESERVED here and FETCHED there, and no byte twice', async () => {
    await handOver();
    const spent: Buffer[] = [];
    for (const bits of [256, 8 * 3000, 8 * 65_536, 256, 8 * 70_000]) {
      spent.push(await spend(alice, bob, bits, `to-${bits}`));
      spent.push(await spend(bob, alice, bits, `back-${bits}`));
    }
    const blocks = spent.flatMap((bytes) =>
      Array.from({ length: bytes.length / 32 }, (_, i) => bytes.toString('hex', i * 32, i * 32 + 32)),
    );
    assert.equal(new Set(blocks).size, blocks.length);
    const [mine] = await alice.service.listPads({ accountId: 'alice' });
    const [theirs] = await bob.service.listPads({ accountId: 'bob' });
    assert.equal(mine!.name, theirs!.name);
    assert.deepEqual([mine!.role, theirs!.role], ['maker', 'guest']);
    assert.equal(mine!.bits - mine!.leftBits, theirs!.readBits);
    assert.equal(theirs!.bits - theirs!.leftBits, mine!.readBits);
  });

  it('leaves a row in the audit log for every key, on both sides, and none for what failed', async () => {
    await handOver();
    await spend(alice, bob, 256, 'one');
    await spend(bob, alice, 8 * 3000, 'two');
    const source = alice.sources.sourceFor('alice', bob.email)!;
    await fails(source.take({ bits: OCTETS * 8, others: [] }), 'pad.exhausted');
    for (const [world, peer] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      assert.deepEqual(
        world.audit.rows().map(({ ownSaeId, peerSaeId, method, bits, outcome }) => [ownSaeId, peerSaeId, method, bits, outcome]),
        [
          ['pad', `pad:${peer.email}`, world === alice ? 'enc_keys' : 'dec_keys', 256, 'delivered'],
          ['pad', `pad:${peer.email}`, world === alice ? 'dec_keys' : 'enc_keys', 24_064, 'delivered'],
        ],
      );
      assert.deepEqual(world.audit.verify(), { entries: 2, intact: true });
    }
    assert.deepEqual(
      alice.audit.rows().map(({ keyId }) => keyId),
      bob.audit.rows().map(({ keyId }) => keyId),
    );
  });

  it('can be read in any order, and skipped parts stay readable', async () => {
    await handOver();
    const source = alice.sources.sourceFor('alice', bob.email)!;
    const sent: DeliveredKey[] = [];
    for (let i = 0; i < 20; i++) sent.push(...(await source.take({ bits: 8 * 12_000, others: [] })));
    const order = sent.map((_, i) => (i * 7) % sent.length);
    for (const at of order) {
      const keyIds = [sent[at]!.keyId];
      await bob.sources.sourceOfKeys('bob', alice.email, keyIds)!.fetch({ keyIds, envelopeId: `e${at}` });
      const held = bob.ledger.heldKeys({ accountId: 'bob', peerSaeId: `pad:${alice.email}`, keyIds })!;
      assert.deepEqual(held[0]!.bytes, sent[at]!.bytes);
    }
  });

  it('says when it is used up, how much was left, and spends nothing then', async () => {
    await make({ octets: 8192 });
    const source = alice.sources.sourceFor('alice', bob.email)!;
    await source.take({ bits: 4000 * 8, others: [] });
    await fails(source.take({ bits: 100 * 8, others: [] }), 'pad.exhausted', { wantedBits: 800, gotBits: 96 * 8 });
    assert.equal((await source.capacity()).stockBits, 96 * 8);
    await source.take({ bits: 96 * 8, others: [] });
    // The next one made for this contact takes its place.
    await make({ octets: 8192, path: `${stick}2` });
    const next = await alice.sources.sourceFor('alice', bob.email)!.take({ bits: 100 * 8, others: [] });
    assert.equal(next[0]!.bytes.length, 128);
  });

  it('gives a key once: not again in another message, not under another name', async () => {
    await handOver();
    const keys = await alice.sources.sourceFor('alice', bob.email)!.take({ bits: 256, others: [] });
    const keyIds = keys.map(({ keyId }) => keyId);
    const source = bob.sources.sourceOfKeys('bob', alice.email, keyIds)!;
    await source.fetch({ keyIds, envelopeId: 'e' });
    await fails(source.fetch({ keyIds, envelopeId: 'f' }), 'key.reused');
  });

  it('is nobody else’s: key IDs of it mean nothing for another contact, and nothing without it', async () => {
    await handOver();
    const [key] = await alice.sources.sourceFor('alice', bob.email)!.take({ bits: 256, others: [] });
    assert.equal(bob.sources.sourceOfKeys('bob', 'carol@example.org', [key!.keyId]), undefined);
    assert.equal(alice.sources.sourceOfKeys('alice', bob.email, [key!.keyId]), undefined);
    assert.equal(bob.sources.sourceOfKeys('bob', alice.email, [key!.keyId, '00000000-0000-4000-8000-000000000000']), undefined);
  });

  describe('as a file', () => {
    it('is erased by the import, and both sides keep it sealed', async () => {
      await make();
      assert.equal(statSync(stick).mode & 0o777, 0o600);
      const raw = readFileSync(stick);
      await take(bob);
      assert.ok(!existsSync(stick));
      for (const { folder, padFolder } of [alice, bob]) {
        const kept = Buffer.concat([rawBytes(padFolder), readFileSync(join(folder, 'vault.db'))]);
        for (let at = 300; at < raw.length - 64; at += 40_000) assert.ok(!kept.includes(raw.subarray(at, at + 32)));
      }
    });

    it('is refused twice, from the wrong contact, to the wrong person, and to who made it', async () => {
      await make();
      const copy = `${stick}.copy`;
      copyFileSync(stick, copy);
      await fails(take(alice), 'pad.own-file');
      await fails(take(bob, stick, 'carol@example.org'), 'pad.wrong-contact', { expected: 'carol@example.org', found: alice.email });
      const carol = await openPadWorld(tempFolder(), 'carol', clock);
      await fails(take(carol, stick, alice.email), 'pad.wrong-contact', { expected: carol.email, found: bob.email });
      carol.close();
      assert.ok(existsSync(stick), 'what was refused is left alone');
      const { name } = await take(bob);
      await fails(take(bob, copy), 'pad.already-imported', { name });
      await bob.service.discardPad({ accountId: 'bob', name });
      await fails(take(bob, copy), 'pad.already-imported', { name });
      assert.deepEqual(readdirSync(bob.padFolder), []);
    });

    const harms: readonly [string, ErrorCode, string, (raw: Buffer) => Buffer][] = [
      ['cut', 'pad.damaged', 'cut', (raw) => raw.subarray(0, raw.length - 1000)],
      ['cut in its header', 'pad.damaged', 'cut', (raw) => raw.subarray(0, 40)],
      ['doubled', 'pad.damaged', 'longer', (raw) => Buffer.concat([raw, raw])],
      ['longer by one octet', 'pad.damaged', 'longer', (raw) => Buffer.concat([raw, Buffer.of(0)])],
      ['altered in one octet', 'pad.damaged', 'altered', (raw) => ((raw[raw.length >> 1] = raw[raw.length >> 1]! ^ 1), raw)],
      ['altered in its MAC', 'pad.damaged', 'altered', (raw) => ((raw[raw.length - 1] = raw[raw.length - 1]! ^ 1), raw)],
      ['no pad at all', 'pad.malformed', 'no-pad', () => Buffer.from('PK\u0003\u0004 something else entirely')],
      ['empty', 'pad.malformed', 'no-pad', () => Buffer.alloc(0)],
    ];
    for (const [what, code, reason, harm] of harms)
      it(`is refused when it is ${what}; nothing is kept, and the file is left alone`, async () => {
        await make();
        writeFileSync(stick, harm(readFileSync(stick)));
        await fails(take(bob), code, { reason });
        assert.ok(existsSync(stick));
        assert.deepEqual(readdirSync(bob.padFolder), []);
        assert.deepEqual(await bob.service.listPads({ accountId: 'bob' }), []);
      });

    it('is refused when its two directions are the same octets', async () => {
      await make();
      const raw = readFileSync(stick);
      const start = raw.length - 32 - OCTETS;
      raw.copy(raw, start + OCTETS / 2, start, start + OCTETS / 2);
      writeFileSync(stick, raw);
      await fails(take(bob), 'pad.bad-randomness', { test: 'repeated-block' });
    });

    it('is made of a hardware generator’s file, which must be long enough and random', async () => {
      const random = join(tempFolder(), 'random.bin');
      const bytes = randomBytes(OCTETS);
      writeFileSync(random, bytes);
      await make({ randomPath: random });
      assert.ok(readFileSync(stick).includes(bytes.subarray(1000, 1032)));
      assert.deepEqual(readFileSync(random), bytes);
      await take(bob);
      await spend(alice, bob, 8000);

      truncateSync(random, OCTETS - 1);
      await fails(make({ randomPath: random }), 'pad.too-short', { wantedOctets: OCTETS, gotOctets: OCTETS - 1 });
      writeFileSync(random, Buffer.alloc(OCTETS));
      await fails(make({ randomPath: random }), 'pad.bad-randomness');
      assert.ok(!existsSync(stick), 'nothing is left of a pad that failed');
      assert.equal(readdirSync(alice.padFolder).length, 1);
    });

    it('is never written over what is there, nor made too small, for oneself, or at no place', async () => {
      writeFileSync(stick, 'something dear');
      await fails(make(), 'file.unwritable');
      assert.equal(readFileSync(stick, 'utf8'), 'something dear');
      await fails(make({ octets: 4096 }), 'pad.too-short');
      await fails(make({ octets: Number.NaN }), 'pad.too-short');
      await fails(make({ octets: 2 ** 40 }), 'engine.bad-request');
      await fails(make({ address: alice.email }), 'engine.bad-request');
      await fails(make({ address: 'no address' }), 'draft.bad-address');
      await fails(make({ path: 'relative.pad' }), 'engine.bad-request');
      await fails(take(bob, '/nowhere/at/all.pad'), 'file.unreadable');
      await fails(take(bob, '/'), 'file.unreadable');
    });

    it('is not there after a cancelled import or creation', async () => {
      const gone = AbortSignal.abort();
      const request = { accountId: 'alice', address: bob.email, path: stick, octets: OCTETS };
      await fails(alice.service.createPad(request, { signal: gone }), 'engine.cancelled');
      assert.ok(!existsSync(stick));
      await make();
      await fails(bob.service.importPad({ accountId: 'bob', address: alice.email, path: stick }, { signal: gone }), 'engine.cancelled');
      assert.ok(existsSync(stick));
      assert.deepEqual(readdirSync(bob.padFolder), []);
    });
  });

  it('forgets what was used: yesterday’s database and files cannot open it, once yesterday’s epoch keys are gone', async () => {
    await handOver();
    const spent = await spend(alice, bob, 8 * 1000);
    // Whoever steals everything that lies on the disk today ...
    const stolen = { db: readFileSync(join(alice.folder, 'vault.db')), wal: readFileSync(join(alice.folder, 'vault.db-wal')) };
    for (const day of ['2026-03-02', '2026-03-03', '2026-03-04']) {
      clock.set(`${day}T12:00:00Z`);
      await alice.storage.ensureEpoch();
      alice.store.reseal();
      alice.ledger.abandonStale(clock.now());
      await alice.storage.retireEpochs(() => [...alice.ledger.sealedRecords(), ...alice.store.sealedRecords()]);
    }
    // ... and the secrets of the day after tomorrow, has no key to what was used, or to anything of that day.
    const secrets = readdirSync(`${alice.folder}-secrets`).filter((name) => name.startsWith('qumail.epoch.'));
    const thief = tempFolder();
    writeFileSync(join(thief, 'vault.db'), stolen.db);
    writeFileSync(join(thief, 'vault.db-wal'), stolen.wal);
    for (const name of secrets) {
      copyFileSync(join(`${alice.folder}-secrets`, name), join(mkdirs(`${thief}-secrets`), name));
    }
    const open = await openPadWorld(thief, 'alice', clock);
    try {
      const [pad] = open.store.list();
      assert.throws(() => open.store.state(pad!), { code: 'store.secret-missing' });
    } finally {
      open.close();
    }
    // The pad itself goes on, with other octets.
    const more = await spend(alice, bob, 8 * 1000, 'later');
    assert.ok(!more.equals(spent));
  });

  it('loses nothing that was not used when the process dies in between', async () => {
    await handOver();
    const before = await spend(alice, bob, 8 * 1000);
    alice.close();
    alice = await openPadWorld(alice.folder, 'alice', clock);
    const after = await spend(alice, bob, 8 * 1000, 'after');
    assert.ok(!after.equals(before));
  });

  it('is one pad for two windows, who never take the same octets', async () => {
    await handOver();
    const second = await openPadWorld(alice.folder, 'alice', clock);
    try {
      const windows = [alice, second];
      const keys = [];
      for (let i = 0; i < 12; i++)
        keys.push(...(await windows[i % 2]!.sources.sourceFor('alice', bob.email)!.take({ bits: 8 * 9000, others: [] })));
      assert.equal(new Set(keys.map(({ bytes }) => bytes.toString('hex'))).size, keys.length);
      assert.equal(new Set(keys.map(({ keyId }) => keyId)).size, keys.length);
    } finally {
      second.close();
    }
  });
});

function mkdirs(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
