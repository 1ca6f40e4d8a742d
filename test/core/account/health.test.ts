import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('how the accounts are doing', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    alice = await world.person('alice');
    bob = await world.person('bob');
    await alice.signInWithBrowser();
    await bob.signInWithPassword();
    await alice.send({ To: bob.email, Subject: 'the secret subject', Security: 'L4' }, 'the secret text\n');
    await bob.receives('the secret subject');
  });

  after(() => world?.dispose());

  it('is told with token age, connections, last sync and an empty outbox when all is well', async () => {
    const started = Date.now() - 60_000;
    const [health] = await alice.engine.getAccountHealth();
    assert.ok(health);
    assert.deepEqual([health.email, health.provider, health.state, health.outbox, health.errors], [alice.email, 'oidc', 'online', [], []]);
    assert.equal(health.token?.state, 'valid');
    assert.ok(health.token.obtainedAt! > started && health.token.expiresAt! > Date.now());
    assert.ok(health.lastSync! > started);
    const kinds = health.connections.map(({ kind }) => kind);
    assert.ok(kinds.includes('imap-work') && kinds.includes('imap-watch') && kinds.includes('smtp'), kinds.join());
    for (const { since, lastUsed } of health.connections) assert.ok(since > started && lastUsed >= since);
  });

  it('has no token for an account with a password', async () => {
    const [health] = await bob.engine.getAccountHealth();
    assert.equal(health?.token, undefined);
    assert.equal(health?.state, 'online');
  });

  it('counts what waits and names the last errors with code, time and status', async () => {
    const before = Date.now();
    for (const to of ['deferred@other.test', 'rejected@other.test']) {
      const draft = await alice.draft({ To: to, Subject: 'the secret subject', Security: 'L4' }, 'the secret text\n');
      await assert.rejects(alice.engine.sendDraft(draft));
    }
    const [health] = await alice.engine.getAccountHealth();
    assert.deepEqual(health?.outbox, [
      { state: 'waiting', count: 1 },
      { state: 'rejected', count: 1 },
    ]);
    const sending = health.errors.filter(({ where }) => where === 'outbox');
    assert.deepEqual(
      sending.map(({ code, status }) => [code, status]),
      [
        ['smtp.deferred', 450],
        ['smtp.recipient-rejected', 550],
      ],
    );
    for (const { at } of sending) assert.ok(at >= before && at <= Date.now());
  });

  it('tells no secret, no subject and no text', async () => {
    for (const person of [alice, bob]) {
      const told = JSON.stringify(await person.engine.getAccountHealth());
      const secrets = [...person.secrets.values()].flatMap((value) => value.match(/[A-Za-z0-9+/_=.-]{20,}/g) ?? [value]);
      assert.ok(secrets.length > 0);
      const { accessToken } =
        person === alice ? await alice.engine.getAccessToken({ accountId: alice.account.id }) : { accessToken: 'bob-password' };
      for (const secret of [...secrets, accessToken, 'the secret']) assert.ok(!told.includes(secret), secret.slice(0, 4));
    }
  });
});
