import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chatOf, lineOf } from '../chat/chatWorld.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { findSecrets, hoardSecrets, placesIn, secretsIn, type Place, type Secret } from '../../world/secretSearch.ts';

const PASSPHRASE = 'correct horse battery staple';

describe('the search for secrets', () => {
  it('finds each in every usual spelling, wherever it begins', () => {
    const value = randomBytes(32);
    const long = randomBytes(100_000);
    const secrets: Secret[] = [
      { name: 'key', value },
      { name: 'pad', value: long },
      { name: 'text', value: 'line one\nline "two"' },
    ];
    const padded = (before: number): Buffer => Buffer.concat([randomBytes(before), value, randomBytes(5)]);
    const hiding: [string, string | Buffer][] = [
      ['octets', padded(3)],
      ['hexadecimal', value.toString('hex')],
      ['hexadecimal', value.toString('hex').toUpperCase()],
      ...[0, 1, 2, 7].map((n): [string, string] => ['base64', padded(n).toString('base64')]),
      ...[0, 1, 2, 7].map((n): [string, string] => ['base64url', padded(n).toString('base64url')]),
      ['an array of numbers', JSON.stringify({ data: [...padded(2)] })],
      ['JSON', JSON.stringify({ text: 'line one\nline "two"' })],
      ['octets', long.subarray(50_000, 65_000)],
    ];
    for (const [spelling, bytes] of hiding) {
      const found = findSecrets(secrets, [{ name: 'here', bytes: Buffer.from(bytes as string) }]);
      assert.ok(
        found.some((line) => line.includes(`as ${spelling}`)),
        spelling,
      );
    }
    assert.deepEqual(findSecrets(secrets, [{ name: 'here', bytes: randomBytes(200_000) }]), []);
  });
});

describe('a whole run', function () {
  this.timeout(90_000);
  const folder = mkdtempSync(join(tmpdir(), 'qumail-run-'));
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let hoard: ReturnType<typeof hoardSecrets>;
  const used: Secret[] = [
    { name: 'password', value: 'alice-password' },
    { name: 'password', value: 'bob-password' },
    { name: 'passphrase', value: PASSPHRASE },
  ];

  before(async function () {
    needMailWorld(this);
    hoard = hoardSecrets();
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
  });

  after(async () => {
    hoard?.stop();
    await world?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Subject and body of a message that must not stand anywhere. */
  async function exchange(level: string): Promise<void> {
    const texts = [`subject ${level} ${randomBytes(9).toString('hex')}`, `body ${level} ${randomBytes(9).toString('hex')}`];
    used.push(...texts.map((value) => ({ name: `text at ${level}`, value })));
    const file = join(folder, `name-${randomBytes(6).toString('hex')}.bin`);
    const content = randomBytes(3000);
    writeFileSync(file, content);
    used.push({ name: `attachment at ${level}`, value: content }, { name: `file name at ${level}`, value: file.split('/').at(-1)! });
    await alice.send({ To: bob.email, Subject: texts[0]!, Security: level, Attach: file }, `${texts[1]}\n`);
    const message = await bob.receives(texts[0]!);
    assert.equal(message.security.seal, 'opened');
    assert.equal(message.text.trim(), texts[1]);
    const answer = `answer ${level} ${randomBytes(9).toString('hex')}`;
    used.push({ name: `answer at ${level}`, value: answer });
    await bob.send({ To: alice.email, Subject: answer, Security: level }, 'short\n');
    await alice.receives(answer);
  }

  async function places(): Promise<Place[]> {
    const people = [alice, bob].flatMap((person) => [
      ...placesIn(person.storageDir, person.name),
      { name: `log of ${person.name}`, bytes: Buffer.from(JSON.stringify(person.log)) },
    ]);
    const mail = await Promise.all(
      [alice, bob].map(async ({ email }) => {
        const all = await Promise.all(['INBOX', 'Sent'].map((box) => world.mail.storedMessages(email, box)));
        return { name: `mailbox of ${email}`, bytes: Buffer.concat(all.flat()) };
      }),
    );
    return [...people, ...mail, { name: 'log of the mail servers', bytes: Buffer.from(world.mail.logs()) }, hoard.output()];
  }

  const all = (): Secret[] => [...used, ...hoard.secrets, ...secretsIn(alice.secrets), ...secretsIn(bob.secrets)];

  it('at L1, L2, L3 and with a pad uses many secrets and leaves none of them anywhere', async () => {
    for (const level of ['L1', 'L2', 'L3']) await exchange(level);
    const stick = join(folder, 'for-bob.pad');
    await alice.engine.createPad({ accountId: alice.account.id, address: bob.email, path: stick, octets: 64 * 1024 });
    used.push({ name: 'pad', value: readFileSync(stick).subarray(-60_000) });
    await bob.engine.importPad({ accountId: bob.account.id, address: alice.email, path: stick });
    for (const person of [alice, bob]) await person.engine.disconnectKeyManager({ accountId: person.account.id });
    await exchange('L1');
    const said = ['group', 'line', 'search'].map((what) => `${what} ${randomBytes(9).toString('hex')}`);
    used.push(...said.map((value) => ({ name: 'chat', value })));
    const chat = await alice.engine.startChat({ accountId: alice.account.id, members: [bob.email], name: said[0]!, minimumLevel: 'L3' });
    await alice.engine.sendChatMessage({ chatId: chat.id, text: said[1]! });
    await lineOf(bob, (await chatOf(bob, said[0])).id, said[1]!);
    await alice.engine.saveSearch({ name: 'x', query: `"${said[2]}"` });
    const secrets = all();
    for (const name of [
      'key ',
      'text at',
      'attachment at',
      'session key of',
      'secret key of',
      'post-quantum share',
      'chat',
      'qumail.epoch',
      'pad',
      'password',
    ])
      assert.ok(
        secrets.some((secret) => secret.name.startsWith(name)),
        name,
      );
    assert.deepEqual(findSecrets(secrets, await places()), []);
  });

  it('nor does a backup of it, or a passphrase', async () => {
    const secrets = all();
    const phrase = (await alice.engine.newRecoveryPhrase()).join(' ');
    const path = join(folder, 'backup');
    await alice.engine.createBackup({ path, phrase });
    await alice.engine.restoreBackup({ path, phrase });
    await alice.engine.exportAudit({ path: join(folder, 'audit.jsonl') });
    await alice.engine.setPassphrase({ passphrase: PASSPHRASE });
    await alice.reopen();
    await alice.engine.unlock({ passphrase: PASSPHRASE });
    const files = ['backup', 'audit.jsonl'].map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
    assert.deepEqual(findSecrets([...secrets, ...all(), { name: 'phrase', value: phrase }], [...(await places()), ...files]), []);
  });
});
