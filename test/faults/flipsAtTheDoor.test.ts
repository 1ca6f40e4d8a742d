import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSealed, type OpenDeps } from '../../src/core/account/openMessage.ts';
import { createHttpsFetch } from '../../src/core/base/httpsFetch.ts';
import { QuMailError } from '../../src/core/base/errors.ts';
import { DisposableStore } from '../../src/core/base/lifetime.ts';
import { Log } from '../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../src/core/base/systemPorts.ts';
import { CoreKeys } from '../../src/core/coreKeys.ts';
import { openStores } from '../../src/core/coreStores.ts';
import { buildTrust } from '../../src/core/coreTrust.ts';
import { CipherManager } from '../../src/core/crypto/cipherManager.ts';
import { needMailWorld } from '../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../world/peopleWorld.ts';
import { FORM } from './seeded.ts';

/** Of each message; its keys are tried 1,024 times, and have to be left for the true one. */
const FLIPS = FORM === 'long' ? 900 : 40;

describe('a sealed message of which anything at all was changed', function () {
  this.timeout(FORM === 'long' ? 3_600_000 : 60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  const owned = new DisposableStore();
  const files = mkdtempSync(join(tmpdir(), 'qumail-flips-'));
  const caught = new Map<string, Buffer>();
  let deps: OpenDeps;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    // Each learns the other's card; then Bob's engine stops, so that nothing of his is opened before it was changed.
    await alice.send({ To: bob.email, Subject: 'hello', Security: 'L2' }, 'x\n');
    await bob.receives('hello');
    await bob.send({ To: alice.email, Subject: 'hello back', Security: 'L2' }, 'x\n');
    await alice.receives('hello back');
    await bob.engine[Symbol.asyncDispose]();
    writeFileSync(join(files, 'long.bin'), randomBytes(100_000));
    await intercept('L1', { Security: 'L1' });
    await intercept('L2 with a share', { Security: 'L2' });
    await intercept('L2 in two parts', { Security: 'L2', Attach: join(files, 'long.bin') });
    await intercept('L3', { Security: 'L3' });
    await intercept('L3 in two parts', { Security: 'L3', Attach: join(files, 'long.bin') });
    deps = await bobsDeps();
  });

  after(async () => {
    owned.dispose();
    await world?.dispose();
    rmSync(files, { recursive: true, force: true });
  });

  async function intercept(name: string, headers: Record<string, string>): Promise<void> {
    await world.mail.doveadm(['expunge', '-u', bob.email, 'mailbox', 'INBOX', 'ALL']);
    await alice.send({ To: bob.email, Subject: `subject of ${name}`, ...headers }, `body of ${name}\n`);
    for (;;) {
      const [raw] = await world.mail.storedMessages(bob.email);
      if (raw) return void caught.set(name, raw);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What Bob's engine opens mail with, over his own folder. */
  async function bobsDeps(): Promise<OpenDeps> {
    const ports = { clock: systemClock, random: systemRandom };
    const secrets = {
      get: async (key: string) => bob.secrets.get(key),
      set: async (key: string, value: string) => void bob.secrets.set(key, value),
      delete: async (key: string) => void bob.secrets.delete(key),
    };
    const log = new Log(() => {}, 'test');
    const emit = (): void => {};
    const stores = await openStores({ storageDir: bob.storageDir, secrets }, ports, owned);
    const keys = owned.add(new CoreKeys({ stores, ...ports, log, world: 'real', emit }));
    const fetch = createHttpsFetch({ authorities: () => undefined });
    const trust = buildTrust({ stores, ...ports, log, fetch, world: 'real', emit, contactOf: () => undefined }, owned);
    const { contacts, sealedMail, ledger } = stores;
    const cipher = new CipherManager(ports);
    return {
      links: keys.links,
      ledger,
      cipher,
      contacts,
      sealedMail,
      clock: systemClock,
      pgp: trust.pgp,
      own: trust.own,
      trust: trust.book,
    };
  }

  const open = (raw: Buffer) => openSealed({ accountId: bob.account.id, self: bob.email, rfcMessageId: '<m@example.test>', raw }, deps);

  const refused = async (raw: Buffer, what: string): Promise<string> => {
    const outcome = await open(raw).then(
      (opened) => (opened ? 'opened' : 'plain'),
      (error: unknown) => QuMailError.from(error).code,
    );
    // A changed key ID is one that the key manager does not know.
    assert.match(outcome, /^(?:open|kme)\./, `${what}: ${outcome}`);
    return outcome;
  };

  /** The parts of the container, decoded, and the message with other octets in their place. */
  function container(raw: Buffer): { names: string[]; octets(name: string): Buffer; replaced(name: string, octets: Buffer): Buffer } {
    const text = raw.toString('latin1');
    const found = [...text.matchAll(/filename="?(qumail_payload\.[a-z]+)"?[\s\S]*?\r?\n\r?\n([A-Za-z0-9+/=\r\n]+)/g)];
    const base64 = new Map(found.map(([, name, body]) => [name!, body!]));
    return {
      names: [...base64.keys()],
      octets: (name) => Buffer.from(base64.get(name)!, 'base64'),
      replaced: (name, octets) => {
        const encoded = octets.toString('base64').replace(/.{76}/g, '$&\r\n');
        return Buffer.from(
          text.replace(base64.get(name)!, () => `${encoded}\r\n`),
          'latin1',
        );
      },
    };
  }

  const withHeader = (raw: Buffer, change: (header: Record<string, unknown>) => void): Buffer => {
    const { octets, replaced } = container(raw);
    const payload = JSON.parse(octets('qumail_payload.json').toString()) as { protected: string };
    const header = JSON.parse(Buffer.from(payload.protected, 'base64url').toString()) as Record<string, unknown>;
    change(header);
    const changed = { ...payload, protected: Buffer.from(JSON.stringify(header)).toString('base64url') };
    return replaced('qumail_payload.json', Buffer.from(JSON.stringify(changed)));
  };

  for (const name of ['L1', 'L2 with a share', 'L2 in two parts', 'L3', 'L3 in two parts']) {
    it(`is refused at ${name}, ${FLIPS} bits each on its own, and the true one still opens with the same keys`, async () => {
      const raw = caught.get(name)!;
      const { names, octets, replaced } = container(raw);
      assert.equal(names.length, name.includes('two parts') ? 2 : 1);
      const codes = new Map<string, number>();
      for (let flip = 0; flip < FLIPS; flip++) {
        const part = names[flip % names.length]!;
        const changed = octets(part);
        // Half of them where it hurts most: in the first octets, which are structure, header and session keys.
        const at = flip % 4 < 2 ? randomInt(Math.min(4096, changed.length)) : randomInt(changed.length);
        changed[at]! ^= 1 << randomInt(8);
        const code = await refused(replaced(part, changed), `${name}: ${part} octet ${at}`);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      assert.ok(codes.size > 1);

      const reversed = (member: string) => withHeader(raw, (header) => (header[member] = (header[member] as unknown[]).toReversed()));
      const rewritten: [string, Buffer][] = [
        ['members in another order', withHeader(raw, (header) => Object.assign(header, { id: undefined }, { id: header['id'] }))],
        ['another time', withHeader(raw, (header) => (header['ts'] = '2020-01-01T00:00:00Z'))],
        ['another id', withHeader(raw, (header) => (header['id'] = Buffer.alloc(16, 7).toString('base64url')))],
        ['another sender', withHeader(raw, (header) => Object.assign(header['from'] as object, { addr: 'carol@example.test' }))],
        ['one more recipient', withHeader(raw, (header) => (header['to'] as unknown[]).push({ addr: 'carol@example.test' }))],
        ['recipients reversed', withHeader(reversed('to'), (header) => (header['to'] as unknown[]).push({ addr: 'x@example.test' }))],
      ];
      for (const [what, changed] of rewritten) if (!changed.equals(raw)) await refused(changed, `${name}: ${what}`);

      const opened = await open(raw);
      assert.match(opened?.plaintext.toString() ?? '', new RegExp(`^Subject: subject of ${name}\\r$`, 'm'));
      assert.equal(opened?.report.level, name.slice(0, 2));
    });
  }

  it('does not open with the body of another message of the same sender, whatever header is put before it', async () => {
    for (const [one, other] of [
      ['L1', 'L2 with a share'],
      ['L3', 'L2 with a share'],
      ['L2 with a share', 'L3'],
    ] as const) {
      const body = (name: string) =>
        JSON.parse(container(caught.get(name)!).octets('qumail_payload.json').toString()) as { protected: string; body: string };
      const mixed = { qumail: 1, protected: body(one).protected, body: body(other).body };
      await refused(
        container(caught.get(one)!).replaced('qumail_payload.json', Buffer.from(JSON.stringify(mixed))),
        `${one} with the body of ${other}`,
      );
    }
  });

  it('asked for every key once', () => {
    const asked = new Map<string, number>();
    for (const { keyId, saeId } of world.kme.pair.deliveries) {
      if (saeId === bob.saeId) asked.set(keyId, (asked.get(keyId) ?? 0) + 1);
    }
    assert.ok([...asked.values()].every((count) => count === 1));
  });
});
