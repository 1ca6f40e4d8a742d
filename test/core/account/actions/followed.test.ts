import assert from 'node:assert/strict';
import type { MessageSummary } from '../../../../src/core/api.ts';
import { HistoryServer } from '../../../faults/historyServer.ts';
import { needMailWorld } from '../../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../../world/peopleWorld.ts';

describe('what waits to be told to a server', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let server: HistoryServer;
  let count = 0;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    server = await new HistoryServer(world.mail.imap, { email: 'alice@example.test', password: 'alice-password' }, world.mail.caPem).open();
    alice = await world.person('alice');
    await alice.signInWithPassword();
  });
  after(async () => {
    await server?.close();
    await world?.dispose();
  });

  async function arrives(folder: string): Promise<MessageSummary> {
    const subject = `number ${++count}`;
    await server.append(
      folder,
      `From: bob@other.test\r\nSubject: ${subject}\r\nMessage-ID: <${count}@followed.test>\r\n\r\ntext ${count}\r\n`,
    );
    return (await alice.list(folder)).find((each) => each.subject === subject)!;
  }
  const shown = async (folder: string): Promise<readonly MessageSummary[]> =>
    (await alice.engine.getEmailList({ accountId: alice.account.id, folder, limit: 100 })).messages;
  async function offline(): Promise<void> {
    world.imapProxy.admit('refuse');
    world.imapProxy.faultNow({ how: 'reset' });
    await assert.rejects(alice.engine.fetchMail({ accountId: alice.account.id }));
  }
  async function online(): Promise<void> {
    world.imapProxy.admit('accept');
    await alice.engine.fetchMail({ accountId: alice.account.id });
    await alice.settled();
  }

  it('is told under the new name of a folder that was renamed meanwhile: flags, moves out of it, moves into it', async () => {
    await server.create('Projects');
    const [stays, leaves, comes] = [await arrives('Projects'), await arrives('Projects'), await arrives('INBOX')];
    await offline();
    const accountId = alice.account.id;
    await alice.engine.setFlags({ messageIds: [stays.id], add: ['flagged'], remove: [] });
    await alice.engine.moveMessages({ messageIds: [leaves.id], folder: 'INBOX' });
    const { actionId } = await alice.engine.moveMessages({ messageIds: [comes.id], folder: 'Projects' });
    await alice.engine.snoozeMessages({ messageIds: [stays.id], until: Date.now() + 3_600_000 });
    await server.rename('Projects', 'Vorhaben');
    await online();
    assert.deepEqual(await alice.engine.listPendingActions(), []);
    assert.deepEqual(
      (await server.list('Vorhaben')).map(({ rfcMessageId, flags }) => [rfcMessageId, flags.join()]),
      [
        ['<1@followed.test>', 'flagged'],
        ['<3@followed.test>', ''],
      ],
    );
    assert.deepEqual(
      (await server.list('INBOX')).map(({ rfcMessageId }) => rfcMessageId),
      ['<2@followed.test>'],
    );
    assert.deepEqual(
      (await alice.engine.listSnoozed()).map(({ message }) => [message.id, message.folder]),
      [[stays.id, 'Vorhaben']],
    );
    assert.deepEqual(
      (await shown('Vorhaben')).map(({ id }) => id),
      [comes.id],
      'it kept its row',
    );
    assert.ok(!(await alice.engine.listFolders({ accountId })).some(({ path }) => path === 'Projects'));
    await alice.engine.undoAction({ actionId });
    await alice.settled();
    assert.equal((await server.list('INBOX')).length, 2, 'and is undone as any other');
  });

  it('is told under the new name also where nothing is listed in the folder any more', async () => {
    await server.create('Last');
    const { id } = await arrives('Last');
    await offline();
    await alice.engine.deleteMessages({ messageIds: [id] });
    await alice.engine.removeForGood({ messageIds: [id] });
    await server.rename('Last', 'Letzter');
    await online();
    assert.deepEqual(await alice.engine.listPendingActions(), []);
    for (const folder of ['Letzter', 'Trash']) assert.deepEqual(await server.list(folder), []);
  });

  it('is forgotten with its flags where it is taken back first, also at a server that tells only what changed', async () => {
    const { id } = await arrives('INBOX');
    await offline();
    const { actionId } = await alice.engine.setFlags({ messageIds: [id], add: ['flagged', 'seen'], remove: [] });
    assert.deepEqual((await shown('INBOX')).find((each) => each.id === id)?.flags, ['seen', 'flagged']);
    await alice.engine.undoAction({ actionId });
    assert.deepEqual((await shown('INBOX')).find((each) => each.id === id)?.flags, []);
    await online();
    await alice.list();
    assert.deepEqual((await shown('INBOX')).find((each) => each.id === id)?.flags, []);
  });

  it('is listed at its new place with the flags that another program gave it before the move', async () => {
    await server.create('Read');
    const message = await arrives('INBOX');
    await offline();
    await alice.engine.moveMessages({ messageIds: [message.id], folder: 'Read' });
    const { uid } = (await server.list('INBOX')).at(-1)!;
    await server.flag('INBOX', uid, 'seen', 'set');
    await online();
    await alice.list('Read');
    assert.deepEqual(
      (await shown('Read')).map(({ id, flags }) => [id, flags.join()]),
      [[message.id, 'seen']],
    );
  });
});
