import assert from 'node:assert/strict';
import type { Account } from '../../../src/core/api.ts';
import { TroubleMemory } from '../../../src/views/accounts/storeTroubles.ts';

describe('what keeps mail from being kept on this computer', () => {
  const account = (id: string, code?: 'store.full' | 'store.mail-damaged' | 'net.refused'): Pick<Account, 'id' | 'failure'> => ({
    id,
    ...(code && { failure: { code, details: {} } }),
  });

  it('is told of once for all accounts, and again only after it was gone', () => {
    const memory = new TroubleMemory();
    const told = (...accounts: Pick<Account, 'id' | 'failure'>[]): string[] =>
      memory.toTell(accounts).map(({ accountId, failure }) => `${accountId} ${failure.code}`);
    assert.deepEqual(told(account('a'), account('b')), []);
    assert.deepEqual(told(account('a', 'store.full'), account('b')), ['a store.full']);
    assert.deepEqual(told(account('a', 'store.full'), account('b', 'store.full')), []);
    assert.deepEqual(told(account('a', 'store.full'), account('b', 'store.mail-damaged')), ['b store.mail-damaged']);
    assert.deepEqual(told(account('a', 'net.refused'), account('b')), []);
    assert.deepEqual(told(account('a', 'store.full'), account('b')), ['a store.full']);
  });
});
