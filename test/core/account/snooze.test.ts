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
    const snoozed = new SnoozedStore({ db: client.vault });
    const start = (store: SnoozedStore, shown: ShownMail): SnoozeService => {
      const { messages } = client;
      const service = new SnoozeService({
        ...{ snoozed: store, messages, shown, clock, markUnread: async () => {}, emit: () => {} },
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
