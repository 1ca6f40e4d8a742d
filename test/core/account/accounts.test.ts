import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LAB_ORGANIZATION, startKmePair } from '../../../src/core/lab/kmePair.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('accounts', function () {
  this.timeout(60_000);
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
  });

  after(() => world?.dispose());

  const native = (change: { password?: string; host?: string; port?: number; email?: string } = {}) => ({
    provider: 'qumail_native' as const,
    email: change.email ?? 'carol@example.test',
    displayName: 'Carol',
    password: change.password ?? 'carol-password',
    servers: {
      imap: { host: change.host ?? '127.0.0.1', port: change.port ?? world.servers.imap.port, security: 'tls' as const },
      smtp: world.servers.smtp,
    },
  });

  it('names a wrong password and stores nothing', async () => {
    const secrets = bob.secrets.size;
    await assert.rejects(bob.engine.addAccount(native({ password: 'wrong' })), { code: 'auth.wrong-password' });
    assert.equal((await bob.engine.listAccounts()).length, 1);
    assert.equal(bob.secrets.size, secrets);
  });

  it('names an unknown host, a closed port and malformed settings', async () => {
    await assert.rejects(bob.engine.addAccount(native({ host: 'no-such-host.invalid' })), { code: 'net.host-unknown' });
    await assert.rejects(bob.engine.addAccount(native({ port: 1 })), { code: 'net.refused' });
    await assert.rejects(bob.engine.addAccount(native({ host: 'bad host' })), { code: 'account.bad-settings' });
    await assert.rejects(bob.engine.addAccount(native({ email: 'no-at-sign' })), { code: 'account.bad-settings' });
  });

  it('refuses a mail host whose certificate nobody vouches for', async () => {
    const carol = await world.person('carol');
    await carol.engine[Symbol.asyncDispose]();
    await carol.open({ certificateAuthorities: {} });
    await assert.rejects(carol.signInWithPassword(), { code: 'net.certificate' });
  });

  it('refuses a second account of the same address', async () => {
    await assert.rejects(bob.signInWithPassword(), { code: 'account.exists' });
  });

  it('reconnects by itself after every connection was cut', async () => {
    world.imapProxy.faultNow({ how: 'reset' });
    await bob.list();
    assert.equal((await bob.engine.listAccounts())[0]?.state, 'online');
  });

  it('names a folder that vanished on the server, and forgets it', async () => {
    await world.mail.doveadm(['mailbox', 'create', '-u', bob.email, 'Short lived']);
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.ok((await bob.engine.listFolders({ accountId: bob.account.id })).some(({ path }) => path === 'Short lived'));
    await world.mail.doveadm(['mailbox', 'delete', '-u', bob.email, 'Short lived']);
    await assert.rejects(bob.engine.fetchMail({ accountId: bob.account.id, folder: 'Short lived' }), { code: 'imap.mailbox-missing' });
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.ok(!(await bob.engine.listFolders({ accountId: bob.account.id })).some(({ path }) => path === 'Short lived'));
  });

  it('counts unread mail, and again when a message was read', async () => {
    await alice.send({ To: bob.email, Subject: 'unread', Security: 'L4' }, 'one\n');
    const message = await bob.receives('unread');
    const unread = async (): Promise<number> =>
      (await bob.engine.listFolders({ accountId: bob.account.id })).find(({ specialUse }) => specialUse === 'inbox')!.unread;
    while ((await unread()) !== 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await bob.engine.setFlags({ messageIds: [message.summary.id], add: ['seen'], remove: [] });
    assert.equal(await unread(), 0);
  });

  it('asks to sign in again when the grant was revoked, and comes back after it', async () => {
    await world.oidc.revokeAll(alice.email);
    world.imapProxy.faultNow({ how: 'reset' });
    await assert.rejects(
      alice.list(),
      (error: { code?: string }) => error.code === 'auth.sign-in-again' || error.code === 'auth.token-refused',
    );
    assert.equal((await alice.engine.listAccounts())[0]?.state, 'needs-sign-in');
    await alice.engine.signInAgain({ accountId: alice.account.id });
    await alice.list();
    assert.equal((await alice.engine.listAccounts())[0]?.state, 'online');
  });

  it('gives a token for the Accounts menu that the mail host accepts', async () => {
    const { accessToken, expiresAt } = await alice.engine.getAccessToken({ accountId: alice.account.id });
    assert.ok(await world.oidc.isActive(accessToken));
    assert.ok(expiresAt > Date.now() + 5 * 60_000);
  });

  it('never lets a real account use a key manager of the lab', async () => {
    const lab = await startKmePair({
      kmes: ['KME-A', 'KME-B'],
      saes: [
        { saeId: alice.saeId, kmeId: 'KME-A' },
        { saeId: bob.saeId, kmeId: 'KME-B' },
      ],
    });
    try {
      assert.equal(lab.organization, LAB_ORGANIZATION);
      const { certPem, keyPem } = await lab.client(bob.saeId);
      const request = { accountId: bob.account.id, url: lab.url('KME-B'), kmeId: 'KME-B', saeId: bob.saeId, caPem: lab.caPem };
      await assert.rejects(bob.engine.connectKeyManager({ ...request, client: { kind: 'pem', certPem, keyPem } }), {
        code: 'kme.simulated',
      });
      assert.deepEqual(await bob.engine.listKeyManagers(), []);
    } finally {
      lab.dispose();
    }
  });

  it('forgets everything at sign-out', async () => {
    await bob.connectKeyManager();
    await bob.knows(alice);
    await bob.engine.signOut({ accountId: bob.account.id });
    assert.deepEqual(await bob.engine.listAccounts(), []);
    assert.deepEqual(
      [...bob.secrets.keys()].filter((name) => !name.startsWith('qumail.epoch.')),
      [],
    );
    await bob.engine[Symbol.asyncDispose]();
    const entries = readdirSync(bob.storageDir, { withFileTypes: true });
    for (const file of entries.filter((entry) => entry.isFile()).map(({ name }) => name)) {
      const bytes = readFileSync(join(bob.storageDir, file));
      for (const trace of [bob.email, alice.email]) assert.ok(!bytes.includes(trace), `${trace} in ${file}`);
    }
    await bob.open();
  });
});
