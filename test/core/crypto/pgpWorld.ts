import type { PrivateKey, PublicKey } from '@protontech/openpgp';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import type { GeneratedCertificate } from '../../../src/core/crypto/pgpEngine.ts';
import { loadPgpLibrary, type PgpLibrary } from '../../../src/core/crypto/pgpLibrary.ts';

export const pgp = new OpenPgpEngine({ random: systemRandom });
/** A moment that all of these tests share: 2026-01-02T03:04:05Z. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
export const DAY = 86_400_000;

const made = new Map<string, Promise<GeneratedCertificate>>();

/** The certificate of `<name>@example.org`, made once for each test file. */
export function certificateOf(name: string): Promise<GeneratedCertificate> {
  let certificate = made.get(name);
  if (!certificate) {
    certificate = pgp.generate({ addresses: [`${name}@example.org`], name, now: NOW });
    made.set(name, certificate);
  }
  return certificate;
}

/** A certificate and key as another program makes them, straight from the library. */
export async function foreignKey(options: Partial<Parameters<PgpLibrary['generateKey']>[0]>, config: object = {}) {
  const library = await loadPgpLibrary();
  const { privateKey, publicKey } = await library.generateKey({
    type: 'ecc',
    curve: 'curve25519Legacy',
    userIDs: [{ name: 'Friend', email: 'friend@example.org' }],
    date: new Date(NOW),
    ...options,
    format: 'object',
    config: { v6Keys: false, aeadProtect: false, ...config },
  } as never);
  const pair = { privateKey, publicKey } as unknown as {
    privateKey: PrivateKey;
    publicKey: PublicKey;
  };
  return { ...pair, secretKey: Buffer.from(pair.privateKey.write()), certificate: Buffer.from(pair.publicKey.write()) };
}
