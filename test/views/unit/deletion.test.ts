import assert from 'node:assert/strict';
import type { ActionReceipt } from '../../../src/core/api.ts';
import { questionText } from '../../../src/views/actions/actionText.ts';
import { deleteMessages, type DeletionParts, type LeftBehind } from '../../../src/views/actions/deletion.ts';
import { A, Client } from '../../core/account/actionsHistories.ts';
import { ModelImap } from '../../core/account/modelImap.ts';
import { plain } from './plainLocaliser.ts';

type Answer = Awaited<ReturnType<DeletionParts['ask']>>;

/** The Delete key over the engine's own journal, and a person who gives these answers. */
function person(folders: readonly string[], answers: readonly Answer[]) {
  const server = new ModelImap({ move: true, uidplus: true });
  for (const name of folders) server.create(name);
  server.deliver('INBOX', { tag: 0, rfcMessageId: '<0@x>', size: 100, flags: new Set() });
  const client = new Client(server);
  client.syncAll();
  const asked: LeftBehind[] = [];
  const receipts: ActionReceipt[] = [];
  const left = [...answers];
  const parts: DeletionParts = {
    async perform(_purpose, _messageIds, request) {
      const receipt = await request(client.actions);
      receipts.push(receipt);
      return receipt;
    },
    async ask(about) {
      asked.push(about);
      return left.shift();
    },
    async createTrash() {
      server.create('Trash');
      client.syncAll();
      return 'made';
    },
  };
  const { id } = client.list('INBOX')[0]!;
  const stored = async (): Promise<Record<string, number>> => {
    client.state = 'online';
    await client.replay.run(A);
    client.state = 'offline';
    return Object.fromEntries([...server.folders].map(([name, { messages }]) => [name, messages.size]));
  };
  return { client, asked, receipts, stored, press: () => deleteMessages([id], parts) };
}

describe('views/the Delete key', () => {
  it('pressed once asks nothing, and what it did can be taken back', async () => {
    const { client, asked, receipts, press, stored } = person(['INBOX', 'Trash'], []);
    await press();
    assert.deepEqual([asked, await stored()], [[], { INBOX: 0, Trash: 1 }]);
    await client.actions.undoAction(receipts[0]!);
    assert.deepEqual(await stored(), { INBOX: 1, Trash: 0 });
  });

  it('pressed twice asks, and leaves in Trash what nobody said yes about', async () => {
    const { asked, press, stored } = person(['INBOX', 'Trash'], [undefined]);
    await press();
    await press();
    assert.deepEqual([asked, await stored()], [[{ why: 'in-trash', messages: 1 }], { INBOX: 0, Trash: 1 }]);
  });

  it('pressed twice removes for good only after an explicit yes', async () => {
    const { press, stored } = person(['INBOX', 'Trash'], ['for-ever']);
    await press();
    await press();
    assert.deepEqual(await stored(), { INBOX: 0, Trash: 0 });
  });

  it('asks where there is no Trash, and leaves the message where it is', async () => {
    const { asked, press, stored } = person(['INBOX'], [undefined]);
    await press();
    assert.deepEqual([asked, await stored()], [[{ why: 'no-trash', messages: 1 }], { INBOX: 1 }]);
  });

  it('moves to the Trash that was made for it', async () => {
    const { press, stored } = person(['INBOX'], ['create-folder']);
    await press();
    assert.deepEqual(await stored(), { INBOX: 0, Trash: 1 });
  });

  it('says "for ever" in every question', () => {
    for (const why of ['in-trash', 'no-trash'] as const)
      for (const messages of [1, 3]) assert.match(questionText({ why, messages }, plain).question, /for ever\?$/);
  });
});
