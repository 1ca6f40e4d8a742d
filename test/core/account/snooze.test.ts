import assert from 'node:assert/strict';
import { SnoozeService } from '../../../src/core/account/snoozeService.ts';
import { ShownMail } from '../../../src/core/store/shownMail.ts';
import { SnoozedStore } from '../../../src/core/store/snoozed.ts';
import type { SealedMailStore } from '../../../src/core/store/sealedMail.ts';
import { FOLDERS, A, Client } from './actionsHistories.ts';
import { ModelImap } from './modelImap.ts';
import { manualClock } from '../transport/manualClock.ts';

describe('a snoozed message', () => {
  function snoozing() {
    const server = new ModelImap({ move: true, uidplus: true });
    for (const name of FOLDERS) server.create(name);
    server.deliver('INBOX', { tag: 0, rfcMessageId: '<0@x>', size: 100, flags: new Set() });
    const client = new Client(server);
    client.syncAll();
    const clock = manualClock();
    const { snoozed } = client;
    const start = (store: SnoozedStore, shown: ShownMail, markUnread: (ids: readonly number[]) => void = () => {}): SnoozeService => {
      const { messages } = client;
      const service = new SnoozeService({
        ...{ snoozed: store, messages, shown, clock, markUnread: async (ids: readonly number[]) => markUnread(ids), emit: () => {} },
        // No message here is sealed.
        sealedMail: {} as SealedMailStore,
      });
      service.start();
      return service;
    };
    return { client, clock, snoozed, start, id: client.list('INBOX')[0]!.id };
  }

  it('comes back though the process ended when its time came', async () => {
    const { client, clock, snoozed, start, id } = snoozing();
    const first = start(snoozed, client.shown);
    await first.snoozeMessages({ messageIds: [id], until: clock.now() + 60_000 });
    assert.equal(client.list('INBOX').length, 0);
    first.dispose();
    clock.advance(61_000);
    // Of what is written then, the second is not written any more.
    let written = 0;
    const write = (): void => assert.equal(++written, 1, 'killed');
    class DyingStore extends SnoozedStore {
      override end(record: number): boolean {
        write();
        return super.end(record);
      }
    }
    class DyingList extends ShownMail {
      override surface(row: number, at: number): boolean {
        write();
        return super.surface(row, at);
      }
    }
    assert.throws(() => start(new DyingStore({ db: client.vault }), new DyingList({ db: client.cache })), /killed/);
    start(snoozed, client.shown).dispose();
    assert.deepEqual(
      client.list('INBOX').map((row) => row.id),
      [id],
    );
    assert.deepEqual(snoozed.list(), []);
  });

  for (const [name, act] of [
    ['moved', (client, messageIds) => client.actions.moveMessages({ messageIds, folder: 'One' })],
    ['deleted', (client, messageIds) => client.actions.deleteMessages({ messageIds })],
  ] satisfies [string, (client: Client, messageIds: number[]) => Promise<unknown>][])
    it(`that is ${name} is listed where it went, and does not come back`, async () => {
      const { client, clock, snoozed, start, id } = snoozing();
      const unread: number[] = [];
      const service = start(snoozed, client.shown, (ids) => unread.push(...ids));
      await service.snoozeMessages({ messageIds: [id], until: clock.now() + 60_000 });
      assert.equal(service.countsHidden(A).length, 1);
      await act(client, [id]);
      const folder = name === 'moved' ? 'One' : 'Trash';
      assert.deepEqual(
        client.list(folder).map((row) => row.id),
        [id],
      );
      assert.deepEqual([await service.listSnoozed(), service.countsHidden(A)], [[], []]);
      client.restart();
      client.state = 'online';
      await client.replay.run(A);
      client.syncAll();
      clock.advance(61_000);
      assert.deepEqual([client.list(folder).length, client.list('INBOX').length, unread], [1, 0, []]);
      service.dispose();
    });

  it('that is removed for good is snoozed no longer, also where that is taken back', async () => {
    const { client, clock, snoozed, start, id } = snoozing();
    const service = start(snoozed, client.shown);
    await service.snoozeMessages({ messageIds: [id], until: clock.now() + 60_000 });
    const receipt = await client.actions.removeForGood({ messageIds: [id] });
    assert.deepEqual(snoozed.list(), []);
    await client.actions.undoAction(receipt);
    assert.equal(client.list('INBOX').length, 1);
    service.dispose();
  });

  it('stays snoozed while it is only marked', async () => {
    const { client, clock, snoozed, start, id } = snoozing();
    const service = start(snoozed, client.shown);
    await service.snoozeMessages({ messageIds: [id], until: clock.now() + 60_000 });
    assert.deepEqual(service.countsHidden(A), [{ path: 'INBOX', unread: -1, total: -1 }]);
    await client.actions.setFlags({ messageIds: [id], add: ['seen'], remove: [] });
    client.restart();
    client.syncAll();
    assert.deepEqual([client.list('INBOX').length, snoozed.list().length], [0, 1]);
    assert.deepEqual(service.countsHidden(A), [{ path: 'INBOX', unread: -0, total: -1 }]);
    service.dispose();
  });

  it('comes back though it was not here when its time came', async () => {
    const { client, clock, snoozed, start, id } = snoozing();
    const service = start(snoozed, client.shown);
    await service.snoozeMessages({ messageIds: [id], until: clock.now() + 60_000 });
    client.cache.exec('PRAGMA foreign_keys = OFF; UPDATE messages SET folder_id = -folder_id');
    clock.advance(61_000);
    client.cache.exec('UPDATE messages SET folder_id = -folder_id');
    service.arrived(A);
    assert.equal(client.list('INBOX').length, 1);
    assert.deepEqual(snoozed.list(), []);
    service.dispose();
  });
});
