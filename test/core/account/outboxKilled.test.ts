import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QuMailEvent, SendResult } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { folderSecrets } from '../store/vaultFixture.ts';

interface Told {
  readonly ready?: true;
  readonly event?: QuMailEvent;
  readonly result?: SendResult;
  readonly code?: string;
}
/** Only the message itself goes to the server in pieces larger than this, no handshake does. */
const MESSAGE = 4000;
const LONG = 'a line of a long message\n'.repeat(200);
type ToSend = { draftId: string; text: string; sendAt?: number };

describe('a window that is killed', function () {
  this.timeout(60_000);
  const secretsDir = mkdtempSync(join(tmpdir(), 'qumail-secrets-'));
  const children = new Set<ChildProcess>();
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
  });

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    world.imapProxy.admit('accept');
  });

  after(async () => {
    await world?.dispose();
    rmSync(secretsDir, { recursive: true, force: true });
  });

  /** A second window over Alice's folder, in a process of its own. */
  async function window(): Promise<{
    child: ChildProcess;
    told: (wanted: (told: Told) => boolean) => Promise<Told>;
    kill: () => Promise<void>;
  }> {
    const secrets = folderSecrets(secretsDir);
    for (const [name, value] of alice.secrets) await secrets.set(name, value);
    const settings = JSON.stringify({ certificateAuthorities: { '127.0.0.1': world.kme.pair.caPem }, fetchInterval: 3600 });
    const file = fileURLToPath(import.meta.resolve('./outboxChild.ts'));
    const child = fork(file, [alice.storageDir, secretsDir, settings], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    children.add(child);
    const heard: Told[] = [];
    child.on('message', (message) => heard.push(message as Told));
    const told = async (wanted: (told: Told) => boolean): Promise<Told> => {
      for (;;) {
        const found = heard.find(wanted);
        if (found) return found;
        await once(child, 'message');
      }
    };
    const kill = async (): Promise<void> => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      children.delete(child);
      for (const name of secrets.names()) alice.secrets.set(name, (await secrets.get(name)) ?? '');
    };
    await told(({ ready }) => ready === true);
    return { child, told, kill };
  }

  /** Alice's draft, with her own engine closed so that the other window is alone. */
  async function draftFor(subject: string): Promise<ToSend> {
    const draft = await alice.draft({ To: bob.email, Subject: subject, Security: 'L2' }, `about ${subject}\n${LONG}`);
    await alice.engine.saveDraft(draft);
    await alice.engine[Symbol.asyncDispose]();
    return draft;
  }

  async function copies(subject: string): Promise<{ bob: number; sent: number }> {
    const count = async (person: Person, folder: string): Promise<number> =>
      (await person.list(folder, 200)).filter((message) => message.subject === subject).length;
    return { bob: await count(bob, 'INBOX'), sent: await count(alice, 'Sent') };
  }

  async function theOnlyEntry() {
    const [entry, ...more] = await alice.engine.listOutbox();
    assert.ok(entry && more.length === 0);
    return entry;
  }

  it('after the message was queued: the next one sends the same bytes when it is due', async () => {
    const draft = await draftFor('queued');
    const { child, told, kill } = await window();
    child.send({ ...draft, sendAt: Date.now() + 6000 });
    const { result } = await told((each) => each.result !== undefined);
    await kill();
    await alice.open();
    assert.deepEqual((await bob.receives('queued')).security.keyIds, result?.keyIds);
    await alice.receives('queued', 'Sent');
    assert.deepEqual(await copies('queued'), { bob: 1, sent: 1 });
    await assert.rejects(alice.engine.loadDraft(draft), { code: 'draft.missing' });
  });

  it('while it was sending: nobody knows how far it came, and nothing goes without the person', async () => {
    const draft = await draftFor('sending');
    const { child, kill } = await window();
    world.smtpProxy.faultNext({ how: 'stall' });
    child.send(draft);
    await world.smtpProxy.untilStalled();
    await kill();
    await alice.open();
    const { id, state } = await theOnlyEntry();
    assert.equal(state, 'acceptance-unknown');
    assert.equal((await alice.engine.loadDraft(draft)).text, draft.text);
    await alice.engine.settleOutbox({ outboxId: id, as: 'resend' });
    await bob.receives('sending');
    assert.deepEqual(await copies('sending'), { bob: 1, sent: 1 });
  });

  it('after the server took the message and before it said so: the person knows better and it is not sent twice', async () => {
    const draft = await draftFor('before 250');
    const { child, kill } = await window();
    const stop = world.smtpProxy.observe('to-server', (chunk) => {
      if (chunk.length > MESSAGE) world.smtpProxy.faultNow({ how: 'stall', direction: 'to-client', afterBytes: 40 });
    });
    child.send(draft);
    await bob.receives('before 250');
    stop();
    await kill();
    await alice.open();
    const { id, state } = await theOnlyEntry();
    assert.equal(state, 'acceptance-unknown');
    await alice.engine.settleOutbox({ outboxId: id, as: 'sent' });
    await alice.receives('before 250', 'Sent');
    assert.deepEqual(await copies('before 250'), { bob: 1, sent: 1 });
    await assert.rejects(alice.engine.loadDraft(draft), { code: 'draft.missing' });
  });

  it('after 250 and before the copy was filed: it is not sent again, and filed once', async () => {
    const draft = await draftFor('after 250');
    const { child, told, kill } = await window();
    const stop = world.smtpProxy.observe('to-server', (chunk) => {
      if (chunk.length < MESSAGE) return;
      world.imapProxy.faultNow({ how: 'reset' });
      world.imapProxy.admit('refuse');
    });
    child.send(draft);
    await told(({ event }) => event?.kind === 'sent');
    stop();
    await kill();
    world.imapProxy.admit('accept');
    await alice.open();
    assert.deepEqual(await alice.engine.listOutbox(), []);
    await assert.rejects(alice.engine.loadDraft(draft), { code: 'draft.missing' });
    await alice.receives('after 250', 'Sent');
    await bob.list();
    assert.deepEqual(await copies('after 250'), { bob: 1, sent: 1 });
  });

  it('leaves what it scheduled to a window that lives; two that live send it once', async () => {
    const draft = await alice.draft({ To: bob.email, Subject: 'two windows', Security: 'L2' }, 'once\n');
    await alice.engine.sendDraft({ ...draft, sendAt: Date.now() + 4000 });
    const { told, kill } = await window();
    const sentHere = new Promise<void>((resolve) => alice.engine.onEvent((event) => event.kind === 'sent' && resolve()));
    await Promise.race([sentHere, told(({ event }) => event?.kind === 'sent')]);
    await bob.receives('two windows');
    await alice.receives('two windows', 'Sent');
    assert.deepEqual(await copies('two windows'), { bob: 1, sent: 1 });
    assert.deepEqual(await alice.engine.listOutbox(), []);
    await kill();
  });
});
