import assert from 'node:assert/strict';
import { A, Client, FOLDERS } from './actionsHistories.ts';
import { ModelImap } from './modelImap.ts';

const MANY = 10_000;
/** What a request may have to wait for another is 50 ms; the process these tests share has its garbage collected as well. */
const PATIENCE_MS = 100;

/**
 * How long the thread was kept at worst while `work` ran. Where other programs take the processor away it is late though nobody kept it: what
 * counts of each wait is the processor time that this very thread used in it.
 */
async function longestWait(work: () => Promise<unknown>): Promise<number> {
  let worst = 0;
  let [at, used] = [performance.now(), threadMs()];
  let running = true;
  const tick = (): void => {
    const [now, usedNow] = [performance.now(), threadMs()];
    worst = Math.max(worst, Math.min(now - at, usedNow - used));
    [at, used] = [now, usedNow];
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  running = false;
  return worst;
}

/** Processor time of this thread, in milliseconds. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

describe('10,000 messages in one request', function () {
  this.timeout(60_000);
  let client: Client;

  before(() => {
    const server = new ModelImap({ move: true, uidplus: true });
    for (const name of FOLDERS) server.create(name);
    for (let tag = 0; tag < MANY; tag++) server.deliver('INBOX', { tag, rfcMessageId: `<${tag}@x>`, size: 100 + tag, flags: new Set() });
    client = new Client(server);
    client.syncAll();
  });
  after(() => client.replay.dispose());

  it('are marked, moved, told to the server and moved back without keeping other requests waiting', async () => {
    const messageIds = client.messages.page(A, 'INBOX', MANY).map(({ id }) => id);
    assert.equal(messageIds.length, MANY);
    const waits: Record<string, number> = {};
    let actionId = '';
    waits['flag'] = await longestWait(() => client.actions.setFlags({ messageIds, add: ['seen'], remove: [] }));
    assert.equal(client.messages.countUnread(A, 'INBOX'), 0);
    waits['move'] = await longestWait(async () => ({ actionId } = await client.actions.moveMessages({ messageIds, folder: 'One' })));
    assert.equal(client.messages.page(A, 'One', MANY).length, MANY);
    waits['counts'] = await longestWait(async () => client.actions.countsPending(A));
    waits['pending'] = await longestWait(() => client.actions.listPendingActions());
    client.state = 'online';
    // The look that follows is the model's own, which takes all 10,000 in one step.
    const sync = client.sync.bind(client);
    client.sync = () => {};
    waits['replay'] = await longestWait(() => client.replay.run(A));
    assert.deepEqual(client.journal.open(A), []);
    assert.equal(client.server.folders.get('One')?.messages.size, MANY);
    waits['undo'] = await longestWait(() => client.actions.undoAction({ actionId }));
    await client.replay.run(A);
    client.sync = sync;
    client.syncAll();
    assert.equal(client.server.folders.get('INBOX')?.messages.size, MANY);
    assert.equal(client.messages.page(A, 'INBOX', MANY).length, MANY);
    const shown = Object.entries(waits).map(([name, ms]) => `${name} ${Math.round(ms)} ms`);
    console.log(`longest waits with 10,000 messages: ${shown.join(', ')}`);
    for (const [name, ms] of Object.entries(waits)) assert.ok(ms < PATIENCE_MS, `${name}: ${ms} ms`);
  });
});
