import assert from 'node:assert/strict';
import type { ConnectKeyManagerRequest } from '../../../src/core/api.ts';
import { KeyManagerService, type KeyManagerServiceDeps } from '../../../src/core/account/keyManagerService.ts';

describe('what a key manager may be', () => {
  const request: ConnectKeyManagerRequest = {
    accountId: 'a',
    url: 'https://kme.example:8443',
    kmeId: 'KME-1',
    saeId: 'SAE-1',
    caPem: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
    client: { kind: 'pem', certPem: '', keyPem: '' },
  };

  /** Everything that passes the door is refused by the links, which know no such server. */
  const connect = (world: 'real' | 'lab', change: Partial<ConnectKeyManagerRequest>): Promise<unknown> => {
    const refuse = async (): Promise<never> => {
      throw new Error('passed');
    };
    const deps = { world, accounts: { get: () => ({}) }, links: { connect: refuse }, emit: () => {} } as unknown as KeyManagerServiceDeps;
    return new KeyManagerService(deps).connectKeyManager({ ...request, ...change });
  };
  const refuses = (change: Partial<ConnectKeyManagerRequest>, field: string) =>
    assert.rejects(connect('real', change), { code: 'account.bad-settings', details: { field } });

  it('is a bare https address', async () => {
    await assert.rejects(connect('real', {}), { message: 'passed' });
    for (const url of [
      'http://kme.example',
      'https://u:p@kme.example',
      'https://kme.example/x',
      'https://kme.example/?a',
      'file:///x',
      'kme',
    ])
      await refuses({ url }, 'url');
  });

  it('of the lab is on this machine', async () => {
    for (const url of ['https://kme.example', 'https://127.0.0.1.example', 'https://localhost.example', 'https://0x7f000002'])
      await assert.rejects(connect('lab', { url }), { code: 'lab.only' });
    for (const url of ['https://127.0.0.1:9000', 'https://localhost', 'https://[::1]:1'])
      await assert.rejects(connect('lab', { url }), { message: 'passed' });
  });

  it('is told an SAE ID that can travel in an address and a header', async () => {
    for (const saeId of ['two words', 'SAE\u0000', 'SÄE', 'x'.repeat(129)]) await refuses({ saeId }, 'saeId');
  });

  it('brings certificates, never a private key into the database', async () => {
    await refuses({ caPem: `${request.caPem}-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n` }, 'caPem');
  });
});
