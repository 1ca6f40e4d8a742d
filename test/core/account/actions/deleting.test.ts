import assert from 'node:assert/strict';
import { A, Client, FOLDERS } from '../actionsHistories.ts';
import { ModelImap } from '../modelImap.ts';

/** A client with one message in a folder, and what deleting it needs to know. */
function world(folders: readonly string[] = FOLDERS, folder = 'INBOX') {
  const server = new ModelImap({ move: true, uidplus: true });
  for (const name of folders) server.create(name);
  server.deliver(folder, { tag: 0, rfcMessageId: '<0@x>', size: 100, flags: new Set() });
  const client = new Client(server);
  client.syncAll();
  const tell = async (): Promise<void> => {
    client.state = 'online';
    await client.replay.run(A);
    client.state = 'offline';
    client.syncAll();
  };
  const stored = (name: string): number => server.folders.get(name)?.messages.size ?? 0;
  return { server, client, tell, stored, id: client.list(folder)[0]!.id };
}

describe('deleting', () => {
  it('asked for twice moves to Trash once, removes nothing, and can be undone', async () => {
    const { client, tell, stored, id } = world();
    const first = await client.actions.deleteMessages({ messageIds: [id] });
    assert.deepEqual([first.messageIds, first.inTrash, first.undoable], [[id], [], true]);
    // Before the server heard of it, and after.
    for (const then of [async () => {}, tell]) {
      await then();
      const again = await client.actions.deleteMessages({ messageIds: [id] });
      assert.deepEqual([again.messageIds, again.inTrash, again.undoable], [[], [id], false]);
    }
    assert.deepEqual([stored('INBOX'), stored('Trash')], [0, 1]);
    await client.actions.undoAction(first);
    await tell();
    assert.deepEqual([stored('INBOX'), stored('Trash')], [1, 0]);
  });

  it('moves of several what can be moved, and names the others', async () => {
    const { server, client, tell, stored, id } = world();
    server.deliver('Trash', { tag: 1, rfcMessageId: '<1@x>', size: 100, flags: new Set() });
    client.syncAll();
    const thrown = client.list('Trash')[0]!.id;
    const receipt = await client.actions.deleteMessages({ messageIds: [thrown, id] });
    assert.deepEqual([receipt.messageIds, receipt.inTrash], [[id], [thrown]]);
    await tell();
    assert.equal(stored('Trash'), 2);
  });

  it('removes nothing where there is no Trash', async () => {
    const { client, tell, stored, id } = world(['INBOX', 'One']);
    const receipt = await client.actions.deleteMessages({ messageIds: [id] });
    assert.deepEqual([receipt.messageIds, receipt.noTrash], [[], [{ accountId: A, messageIds: [id] }]]);
    await tell();
    assert.equal(stored('INBOX'), 1);
    assert.deepEqual(await client.actions.listPendingActions(), []);
  });

  it('for good is a request of its own, works anywhere, and is final', async () => {
    const { client, tell, stored, id } = world();
    const receipt = await client.actions.removeForGood({ messageIds: [id] });
    assert.equal(receipt.undoable, false);
    await tell();
    assert.deepEqual([stored('INBOX'), stored('Trash')], [0, 0]);
    await assert.rejects(client.actions.undoAction(receipt), { code: 'action.final' });
  });
});

describe('moving', () => {
  it('to a folder that the account does not list is refused, and makes no such folder here', async () => {
    const { client, id } = world();
    await assert.rejects(client.actions.moveMessages({ messageIds: [id], folder: 'Bobs' }), { code: 'imap.mailbox-missing' });
    assert.deepEqual(
      client.messages.listFolders(A).map(({ path }) => path),
      [...FOLDERS].toSorted(),
    );
    assert.equal(client.list('INBOX').length, 1);
  });

  it('to a folder of another account is refused, though this one has a folder of that name', async () => {
    const { client, id } = world();
    const request = { messageIds: [id], folder: 'Trash', accountId: 'another' };
    await assert.rejects(client.actions.moveMessages(request), { code: 'action.other-account' });
    assert.equal(client.list('INBOX').length, 1);
  });

  it('to where a message is already does nothing, says so, and leaves nothing to be undone', async () => {
    const { client, id } = world();
    const receipt = await client.actions.moveMessages({ messageIds: [id], folder: 'INBOX' });
    assert.deepEqual([receipt.messageIds, receipt.undoable], [[], false]);
    assert.deepEqual(await client.actions.listPendingActions(), []);
  });
});
