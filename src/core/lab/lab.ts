import type { LabUser, LabWorld } from '../base/lab.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import { systemRandom } from '../base/systemPorts.ts';
import { createAuthority } from './certificates.ts';
import { LAB_ORGANIZATION, startKmePair } from './kmePair.ts';
import { startMailHost } from './mailHost.ts';

const PEOPLE = [
  { email: 'alice@lab.example', displayName: 'Alice (SIMULATED)', saeId: 'lab-sae-alice', kmeId: 'lab-kme-alice' },
  { email: 'bob@lab.example', displayName: 'Bob (SIMULATED)', saeId: 'lab-sae-bob', kmeId: 'lab-kme-bob' },
  { email: 'carol@lab.example', displayName: 'Carol (SIMULATED)', saeId: 'lab-sae-carol', kmeId: 'lab-kme-carol' },
  { email: 'dave@lab.example', displayName: 'Dave (SIMULATED)', saeId: 'lab-sae-dave', kmeId: 'lab-kme-dave' },
] as const;

export interface Lab extends Disposable {
  readonly world: LabWorld;
}

/**
 * Starts the demo world on loopback: a mail host with four mailboxes, and for each a key manager with links to the others.
 * Real TLS, IMAP, SMTP and ETSI GS QKD 014; the quantum link alone is SIMULATED, by the system's random numbers.
 * Everything lives in memory, under a certificate authority made for this one run.
 */
export async function startLab(): Promise<Lab> {
  const owned = new DisposableStore();
  try {
    const authority = await createAuthority({ commonName: 'QuMail Lab CA SIMULATED', organization: LAB_ORGANIZATION });
    const tls = await authority.issue({ commonName: 'localhost', dnsNames: ['localhost'], ips: ['127.0.0.1'], usage: 'server' });
    const users = PEOPLE.map((person) => ({ ...person, password: systemRandom.bytes(12).toString('hex') }));
    const mail = owned.add(await startMailHost({ users, tls }));
    const kmes = owned.add(
      await startKmePair({ kmes: PEOPLE.map(({ kmeId }) => kmeId), saes: PEOPLE, authority, rate: 4096, stock: 4096 }),
    );
    const labUsers = await Promise.all(
      users.map(async (user): Promise<LabUser> => {
        const client = await kmes.client(user.saeId);
        return { ...user, kmeUrl: kmes.url(user.kmeId), clientCertPem: client.certPem, clientKeyPem: client.keyPem };
      }),
    );
    const world = { servers: { imap: mail.imap, smtp: mail.smtp }, caPem: authority.caPem, users: labUsers };
    return { world, dispose: () => owned.dispose() };
  } catch (error) {
    owned.dispose();
    throw error;
  }
}
