import assert from 'node:assert/strict';
import { QuMailError, type QuMailApi } from '../../../src/core/api.ts';
import { stoppable } from '../../../src/views/stoppable.ts';

/** As much of an engine as these tests ask; one request is never answered, as by a thread that died. */
function engine(): QuMailApi {
  const api: Partial<QuMailApi> = {
    listDrafts: async () => [],
    listAccounts: () => new Promise(() => {}),
    listFolders: () => Promise.reject(new QuMailError('account.missing')),
    onEvent: () => ({ dispose: () => {} }),
  };
  return api as QuMailApi;
}

const stopped = { code: 'engine.stopped' };

describe('views/stoppable', () => {
  it('passes answers and failures through while the engine lives', async () => {
    const { api } = stoppable(engine());
    assert.deepEqual(await api.listDrafts(), []);
    await assert.rejects(api.listFolders({ accountId: 'a' }), { code: 'account.missing' });
    assert.equal(typeof api.onEvent(() => {}).dispose, 'function');
  });

  it('rejects what a dead engine still owed, and whatever it is asked afterwards', async () => {
    const { api, stop } = stoppable(engine());
    const owed = api.listAccounts();
    stop();
    await assert.rejects(owed, stopped);
    await assert.rejects(api.listDrafts(), stopped);
  });

  it('can be waited on: it is not taken for a promise itself', async () => {
    const { api } = stoppable(engine());
    assert.equal(await Promise.resolve(api), api);
  });
});
