import assert from 'node:assert/strict';
import type { ErrorCode, KeyBudgetLink, QuMailEvent } from '../../../src/core/api.ts';
import type { KmeFaults } from '../../../src/core/lab/kmeFaults.ts';
import { noFaults } from '../../../src/core/lab/kmeFaults.ts';
import { FORM } from '../../faults/seeded.ts';
import { ALICE, BOB, CAROL } from '../../world/kmeWorld.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('key managers as they are, for two people who write to each other', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({
      kme: {
        kmes: ['KME-A', 'KME-B', 'KME-A2', 'KME-B2'],
        saes: [
          { saeId: ALICE, kmeId: 'KME-A', alsoAt: ['KME-A2'] },
          { saeId: BOB, kmeId: 'KME-B', alsoAt: ['KME-B2'] },
          { saeId: CAROL, kmeId: 'KME-B' },
        ],
        maxKeySize: 1024,
      },
    });
    [alice, bob] = await world.pair('alice', 'bob');
    carol = await world.person('carol');
    await carol.signInWithPassword();
  });
  after(() => world?.dispose());

  const kme = () => world.kme.pair;
  afterEach(() => {
    for (const id of ['KME-A', 'KME-B', 'KME-A2', 'KME-B2']) Object.assign(kme().faults(id), noFaults());
  });

  const mail = (subject: string, level = 'L2') => ({ To: bob.email, Subject: subject, Security: level });
  async function arrives(subject: string, level: 'L1' | 'L2' = 'L2'): Promise<void> {
    await alice.send(mail(subject, level), `${subject}\n`);
    const message = await bob.receives(subject);
    assert.equal(message.text.trim(), subject);
    assert.equal(message.security.level, level);
  }
  const bits = (person: Person) => kme().deliveries.filter(({ saeId }) => saeId === person.saeId).length;

  /** Deviations that the two do not notice, at either key manager. */
  const survived: readonly [string, Partial<KmeFaults>][] = [
    ['spell the container `Keys`', { containerMember: 'Keys' }],
    ['close every connection', { connection: 'close' }],
    ['give one key in a request', { keysPerRequest: 'one' }],
    ['give two keys where more were asked for', { shortBatch: 2 }],
    ['are busy twice', { unavailable: 2 }],
    ['say 429 twice', { unavailable: 2, unavailableStatus: 429 }],
    ['tell a stock of one key', { stockTold: 1 }],
    ['tell a stock of nothing', { stockTold: 0 }],
    ['tell a stock beyond all measure', { stockTold: 9_007_199_254_740_991 }],
    ['answer late', { delayMs: 40 }],
    ['keep what they gave', { keepCollected: 9 }],
  ];
  for (const [index, [what, faults]] of survived.entries()) {
    // Each at one of the two levels; `npm run faults` takes both.
    const levels = FORM === 'long' ? (['L1', 'L2'] as const) : ([index % 2 === 0 ? 'L1' : 'L2'] as const);
    it(`mail at ${levels.join(' and ')} goes through key managers that ${what}`, async () => {
      for (const id of ['KME-A', 'KME-B']) Object.assign(kme().faults(id), faults);
      for (const level of levels) await arrives(`${level} ${what}`, level);
    });
  }

  const refused: readonly [string, Partial<KmeFaults>, ErrorCode][] = [
    ['loses its answer', { dropAfterCommit: 1 }, 'kme.unreachable'],
    ['has no way to the other one', { peer: 'down' }, 'kme.unavailable'],
    ['gives nothing', { shortBatch: 0 }, 'kme.exhausted'],
    ['derives IDs from keys', { betrayal: 'id-from-key' }, 'key.betrayed'],
    ['derives keys from IDs', { betrayal: 'key-from-id' }, 'key.betrayed'],
    ['understands no POST', { verbs: 'get' }, 'kme.bad-request'],
  ];
  for (const [what, faults, code] of refused)
    it(`sending says ${code} when the key manager ${what}; the draft goes when it does no more`, async () => {
      Object.assign(kme().faults('KME-A'), faults);
      const draft = await alice.draft(mail(`after it ${what}`), 'kept\n');
      const alarms: QuMailEvent[] = [];
      const listening = alice.engine.onEvent((event) => event.kind === 'key-alarm' && alarms.push(event));
      await assert.rejects(alice.engine.sendDraft(draft), { code });
      listening.dispose();
      assert.equal(alarms.length, code === 'key.betrayed' ? 1 : 0);
      assert.deepEqual(await alice.engine.listOutbox(), []);
      Object.assign(kme().faults('KME-A'), noFaults());
      await alice.engine.sendDraft(draft);
      await bob.receives(`after it ${what}`);
    });

  it('opening says that the key may be lost when the answer that had it never came', async () => {
    await bob.engine[Symbol.asyncDispose]();
    await alice.send(mail('lost on its way'), 'nobody will read this\n');
    kme().faults('KME-B').dropAfterCommit = 1;
    await bob.reopen();
    await until(async () => (await bob.list()).some(({ failure }) => failure?.code === 'kme.key-may-be-lost'));
  });

  it('one that understands GET only serves both ways once its profile says so', async () => {
    for (const id of ['KME-A', 'KME-B']) kme().faults(id).verbs = 'get';
    for (const person of [alice, bob]) await person.engine.setKeyManagerProfile({ accountId: person.account.id, profile: 'get-only' });
    await arrives('by GET', 'L1');
    await arrives('by GET too');
    for (const person of [alice, bob]) await person.engine.setKeyManagerProfile({ accountId: person.account.id, profile: 'etsi' });
  });

  it('one that wants the master in every entry gives its keys once its profile says so', async () => {
    kme().faults('KME-B').masterInKeyIds = 'wanted';
    await bob.engine.setKeyManagerProfile({ accountId: bob.account.id, profile: 'master-in-key-ids' });
    await arrives('with master');
    await bob.engine.setKeyManagerProfile({ accountId: bob.account.id, profile: 'etsi' });
    await assert.rejects(bob.engine.setKeyManagerProfile({ accountId: bob.account.id, profile: 'x' as 'etsi' }), {
      code: 'account.bad-settings',
    });
  });

  describe('with standbys', () => {
    before(async () => {
      for (const [person, kmeId] of [
        [alice, 'KME-A2'],
        [bob, 'KME-B2'],
      ] as const) {
        const manager = await person.engine.addStandbyKeyManager({ accountId: person.account.id, url: kme().url(kmeId), kmeId });
        assert.deepEqual(manager.standbys, [{ url: kme().url(kmeId), kmeId }]);
      }
    });

    it('mail goes on while the first key manager of either side is down', async () => {
      await kme().stop('KME-A');
      try {
        await assertServed('KME-A2', () => alice.send(mail('without A'), 'goes on\n'));
      } finally {
        await kme().start('KME-A');
      }
      await bob.receives('without A');
    });

    it('a key that is not at the first is fetched from the other, once', async () => {
      kme().faults('KME-B').notHere = 1;
      const before = bits(bob);
      await assertServed('KME-B2', () => arrives('kept elsewhere'));
      assert.equal(bits(bob), before + 1);
    });

    it('a lost answer is not made good by asking the other for more: those keys are gone, and it is said', async () => {
      kme().faults('KME-A').dropAfterCommit = 1;
      const before = bits(alice);
      await assert.rejects(alice.send(mail('gone'), 'x\n'), { code: 'kme.unreachable' });
      assert.equal(bits(alice), before + 1);
    });

    it('a first key manager with another identity is no failure to work around', async () => {
      await kme().show('KME-A', 'wrong-id');
      try {
        await assert.rejects(alice.send(mail('who is this'), 'x\n'), { code: 'kme.identity' });
      } finally {
        await kme().show('KME-A', 'right');
      }
    });

    it('one that serves another SAE, or is somebody else, is not taken for a standby', async () => {
      const { id: accountId } = alice.account;
      await assert.rejects(alice.engine.addStandbyKeyManager({ accountId, url: kme().url('KME-B'), kmeId: 'KME-B' }), {
        code: 'kme.unauthorised',
      });
      await assert.rejects(alice.engine.addStandbyKeyManager({ accountId, url: kme().url('KME-A2'), kmeId: 'KME-A' }), {
        code: 'kme.identity',
      });
      await assert.rejects(alice.engine.addStandbyKeyManager({ accountId, url: kme().url('KME-A'), kmeId: 'KME-A' }), {
        code: 'account.bad-settings',
      });
    });

    after(async () => {
      for (const [person, kmeId] of [
        [alice, 'KME-A2'],
        [bob, 'KME-B2'],
      ] as const)
        assert.deepEqual(
          (await person.engine.removeStandbyKeyManager({ accountId: person.account.id, url: kme().url(kmeId) })).standbys,
          [],
        );
    });

    async function assertServed(kmeId: string, work: () => Promise<unknown>): Promise<void> {
      const before = kme().deliveries.filter((delivery) => delivery.kmeId === kmeId).length;
      await work();
      assert.ok(kme().deliveries.filter((delivery) => delivery.kmeId === kmeId).length > before, kmeId);
    }
  });

  describe('asked before the need', () => {
    it('sending at L2 no longer waits for a key manager that takes 50 ms, and no key is used twice', async () => {
      kme().faults('KME-A').delayMs = 50;
      const { id: accountId } = alice.account;
      const timed = async (label: string): Promise<number> => {
        const times: number[] = [];
        for (let i = 0; i < 6; i++) {
          let keysAt = 0;
          const draft = await alice.draft(mail(`${label} ${i}`), 'quick\n');
          const listening = alice.engine.onEvent((event) => {
            if (event.kind !== 'send-progress') return;
            if (event.step === 'keys') keysAt = performance.now();
            else if (event.step === 'sealing') times.push(performance.now() - keysAt);
          });
          await alice.engine.sendDraft(draft);
          listening.dispose();
        }
        return times.toSorted((a, b) => a - b)[3]!;
      };
      const waited = await timed('waits');
      await alice.engine.setKeyManagerProfile({ accountId, profile: 'prefetching' });
      const pooled = await timed('pooled');
      await alice.engine.setKeyManagerProfile({ accountId, profile: 'etsi' });
      assert.ok(pooled < waited / 3, `${pooled.toFixed(0)} ms with a pool, ${waited.toFixed(0)} ms without`);
      const ids = (await Promise.all(Array.from({ length: 6 }, (_, i) => bob.receives(`pooled ${i}`)))).flatMap(
        ({ security }) => security.keyIds,
      );
      assert.equal(new Set(ids).size, 6);
    });
  });

  describe('put to the test', () => {
    it('one that keeps to the standard gets a clean table, for a handful of keys that are used for nothing', async () => {
      const before = bits(alice);
      const report = await alice.engine.testKeyManager({ accountId: alice.account.id });
      assert.deepEqual(
        report.checks.filter(({ outcome }) => outcome !== 'ok').map(({ id, outcome }) => [id, outcome]),
        // Certificates of this world name the KME ID as common name, and Alice has one contact with a link.
        [
          ['tls-identity', 'deviates'],
          ['multicast', 'not-tested'],
        ],
      );
      assert.equal(report.checks.length, 16);
      assert.equal(report.spent.keys, bits(alice) - before);
      assert.ok(report.spent.keys <= 7);
      assert.deepEqual([report.kmeId, report.peerSaeId, report.profile, report.suggested], ['KME-A', BOB, 'etsi', 'etsi']);
    });

    const tables: readonly [Partial<KmeFaults>, Record<string, string>, string][] = [
      [{ containerMember: 'Keys' }, { 'container-member': 'deviates' }, 'etsi'],
      [{ keysPerRequest: 'one' }, { number: 'refused' }, 'one-key-per-request'],
      [{ verbs: 'get' }, { post: 'refused', 'post-empty': 'refused', get: 'ok' }, 'get-only'],
      [{ getParameters: 'ignored' }, { get: 'ok', post: 'ok' }, 'etsi'],
      [{ betrayal: 'id-from-key' }, { 'key-ids-random': 'deviates' }, 'etsi'],
      [{ redelivery: 1 }, { redelivery: 'deviates' }, 'cautious'],
      [{ notFoundStatus: 404 }, { 'not-found-text': 'deviates' }, 'etsi'],
      [{ masterInKeyIds: 'wanted' }, { 'not-found-text': 'deviates' }, 'master-in-key-ids'],
      [{ stockTold: 999_999 }, { 'status-counts': 'deviates' }, 'etsi'],
      [{ multicast: 'off' }, { multicast: 'refused' }, 'etsi'],
    ];
    for (const [faults, wanted, suggested] of tables)
      it(`tells ${JSON.stringify(faults)} and suggests ${suggested}`, async () => {
        Object.assign(kme().faults('KME-A'), faults);
        const report = await alice.engine.testKeyManager({ accountId: alice.account.id, peerSaeId: BOB });
        const found = Object.fromEntries(report.checks.map(({ id, outcome }) => [id, outcome]));
        for (const [id, outcome] of Object.entries(wanted)) assert.equal(found[id], outcome, id);
        assert.equal(report.suggested, suggested);
      });

    it('one that cannot be talked to fails by name, not with a table of time-outs', async () => {
      await kme().stop('KME-A');
      await assert.rejects(alice.engine.testKeyManager({ accountId: alice.account.id }), { code: 'kme.unreachable' });
      await kme().start('KME-A');
      await kme().show('KME-A', 'wrong-id');
      await assert.rejects(alice.engine.testKeyManager({ accountId: alice.account.id }), { code: 'kme.identity' });
      await kme().show('KME-A', 'right');
    });
  });

  describe('and their budget', () => {
    const linkTo = async (person: Person): Promise<KeyBudgetLink> => {
      const { links } = await alice.engine.getKeyBudget({ accountId: alice.account.id });
      return links.find(({ address }) => address === person.email)!;
    };

    it('tells stock and what is used of it', async () => {
      kme().setStock('KME-A', 'KME-B', 256 * 1000);
      const before = await linkTo(bob);
      assert.equal(before.stockBits, 256 * 1000);
      assert.ok(before.spentPerSecond > 0);
      assert.equal(before.low, 'no');
    });

    it('says what a draft costs, and warns where it does not fit, before a key is asked for', async () => {
      kme().setStock('KME-A', 'KME-B', 256 * 10);
      await linkTo(bob);
      const asked = bits(alice);
      const fitting = await alice.engine.checkDraft(await alice.draft(mail('short'), 'hello\n'));
      assert.deepEqual(fitting.budget, { costBits: 256, fits: 'yes', stockBits: 2560 });
      const tooLong = await alice.engine.checkDraft(await alice.draft(mail('long', 'L1'), `${'word '.repeat(500)}\n`));
      assert.equal(tooLong.budget?.fits, 'no');
      const warning = tooLong.problems.find(({ code }) => code === 'kme.exhausted');
      assert.equal(warning?.severity, 'warning');
      assert.equal(warning?.details['gotBits'], 2560);
      assert.equal(bits(alice), asked);
    });

    it('raises the low-water alarm once, and again only after the stock had risen', async () => {
      const alarms: QuMailEvent[] = [];
      const listening = alice.engine.onEvent((event) => event.kind === 'key-budget' && alarms.push(event));
      for (const stock of [256 * 1000, 256 * 20, 256 * 10, 256 * 1000, 256 * 5]) {
        kme().setStock('KME-A', 'KME-B', stock);
        await linkTo(bob);
      }
      listening.dispose();
      assert.deepEqual(
        alarms,
        Array.from({ length: 2 }, () => ({ kind: 'key-budget', accountId: alice.account.id, address: bob.email })),
      );
      kme().setStock('KME-A', 'KME-B', 256 * 5000);
    });

    it('keeps a contact to its share, and says how much is left of it', async () => {
      const { id: accountId } = alice.account;
      const used = await (async () => {
        await alice.engine.setKeyQuota({ accountId, address: bob.email, bits: 10_000_000, seconds: 3600 });
        return (await linkTo(bob)).quota!.usedBits;
      })();
      await alice.engine.setKeyQuota({ accountId, address: bob.email, bits: used + 300, seconds: 3600 });
      await arrives('within the share');
      const asked = bits(alice);
      await assert.rejects(alice.send(mail('beyond the share'), 'x\n'), (error: { code: string; details: Record<string, unknown> }) => {
        assert.equal(error.code, 'key.quota-exceeded');
        assert.equal(error.details['leftBits'], 44);
        return true;
      });
      assert.equal(bits(alice), asked);
      await alice.engine.setKeyQuota({ accountId, address: bob.email });
      await arrives('without a share');
      await assert.rejects(alice.engine.setKeyQuota({ accountId, address: bob.email, bits: -1, seconds: 1 }), {
        code: 'engine.bad-request',
      });
      await assert.rejects(alice.engine.setKeyQuota({ accountId, address: bob.email, bits: 1 }), { code: 'engine.bad-request' });
      await assert.rejects(alice.engine.setKeyQuota({ accountId, address: 'no@body.test', bits: 1, seconds: 1 }), {
        code: 'contact.missing',
      });
    });
  });

  it('two people behind one SAE each get a key of their own, since it delivers each key once', async () => {
    const { url, kmeId, saeId, caPem } = await world.kme.profile(BOB);
    const { certPem, keyPem } = await kme().client(BOB);
    await carol.engine.connectKeyManager({
      accountId: carol.account.id,
      url,
      kmeId,
      saeId,
      caPem,
      client: { kind: 'pem', certPem, keyPem },
    });
    await carol.knows(alice);
    await alice.engine.saveContact({ accountId: alice.account.id, address: carol.email, name: 'Carol', saeId: BOB, minimumLevel: 'L4' });
    for (const level of ['L1', 'L2'] as const) {
      await alice.send({ To: `${bob.email}, ${carol.email}`, Subject: `one SAE ${level}`, Security: level }, 'to both\n');
      const [toBob, toCarol] = [await bob.receives(`one SAE ${level}`), await carol.receives(`one SAE ${level}`)];
      assert.equal(toBob.text, toCarol.text);
      assert.ok(!toBob.security.keyIds.some((keyId) => toCarol.security.keyIds.includes(keyId)));
    }
  });

  it('queues nothing when the own SAE is another one by the time the keys are there', async () => {
    kme().faults('KME-A').delayMs = 200;
    const draft = await alice.draft(mail('another self'), 'x\n');
    const sending = assert.rejects(alice.engine.sendDraft(draft), (error: { code: string }) =>
      /^(?:seal\.no-link|engine\.stopped|kme\.)/.test(error.code),
    );
    await new Promise<void>((resolve) => {
      const listening = alice.engine.onEvent((event) => {
        if (event.kind !== 'send-progress' || event.step !== 'keys') return;
        listening.dispose();
        resolve();
      });
    });
    const { url, kmeId, saeId, caPem } = await world.kme.profile(CAROL);
    const { certPem, keyPem } = await kme().client(CAROL);
    await alice.engine.connectKeyManager({
      accountId: alice.account.id,
      url,
      kmeId,
      saeId,
      caPem,
      client: { kind: 'pem', certPem, keyPem },
    });
    await sending;
    assert.deepEqual(await alice.engine.listOutbox(), []);
    await alice.connectKeyManager();
  });

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
