import { Log } from '../../../src/core/base/log.ts';
import type { Clock } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OwnCards, type OwnFacts } from '../../../src/core/account/ownCards.ts';
import { TrustBook } from '../../../src/core/account/trustBook.ts';
import { encodeCard, encodeSignedCard, signedOctets, type ContactCard } from '../../../src/core/crypto/contactCard.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import type { GeneratedCertificate } from '../../../src/core/crypto/pgpEngine.ts';
import { CertificateStore } from '../../../src/core/store/certificates.ts';
import { ContactStore } from '../../../src/core/store/contacts.ts';
import { migrate } from '../../../src/core/store/migrate.ts';
import { TRUST_MIGRATIONS } from '../../../src/core/store/trustSchema.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { addAccount, openVault, tempFolder, type Vault } from '../store/vaultFixture.ts';

export const pgp = new OpenPgpEngine({ random: systemRandom });
export const START = Date.parse('2026-06-01T00:00:00Z');

const made = new Map<string, Promise<GeneratedCertificate>>();

/** A certificate for this address; another `edition` is another certificate of the same address. Made once per process. */
export function certificateFor(address: string, edition = 1): Promise<GeneratedCertificate> {
  const name = `${address} ${edition}`;
  const generated = made.get(name) ?? pgp.generate({ addresses: [address], name: '', now: START });
  made.set(name, generated);
  return generated;
}

/** A card file of `address`, signed by its certificate; `change` overrides what the card says. */
export async function cardFile(
  address: string,
  change: Partial<ContactCard> = {},
  how: { edition?: number; without?: 'certificate'; signer?: GeneratedCertificate } = {},
): Promise<Buffer> {
  const own = await certificateFor(address, how.edition);
  const card: ContactCard = {
    addr: address,
    fingerprint: own.fingerprint,
    minimumLevel: 'L4',
    suites: ['QM1-PGP9980'],
    issuedAt: START,
    ...change,
  };
  const octets = encodeCard(card);
  const secretKey = (how.signer ?? own).secretKey;
  const signature = await pgp.sign({ data: signedOctets(octets), secretKey, now: START, detached: true });
  return encodeSignedCard({ octets, signature, ...(how.without ? {} : { certificate: own.certificate }) });
}

export interface TrustWorld {
  readonly vault: Vault;
  readonly contacts: ContactStore;
  readonly store: CertificateStore;
  readonly book: TrustBook;
  readonly cards: OwnCards;
  readonly clock: Clock & { set(now: number): void };
  readonly facts: { -readonly [K in keyof OwnFacts]: OwnFacts[K] };
  /** Edition of the own certificate. */
  readonly own: { edition: number };
  readonly logged: string[];
  /** How often the book said that something changed. */
  told(): number;
  close(): void;
}

/** The trust book of the account `alice` (alice@example.org) over a vault of its own. */
export async function openTrustWorld(): Promise<TrustWorld> {
  const vault = await openVault(tempFolder());
  migrate(vault.db, [...VAULT_MIGRATIONS, ...TRUST_MIGRATIONS]);
  addAccount(vault.db, 'alice');
  let now = START;
  const clock = { ...systemClock, now: () => now, set: (to: number) => void (now = to) };
  const logged: string[] = [];
  let told = 0;
  const log = new Log((entry) => logged.push(JSON.stringify(entry)), 'test');
  const contacts = new ContactStore({ db: vault.db });
  const store = new CertificateStore({ db: vault.db, sealer: vault.storage });
  const facts = { addr: 'alice@example.org', minimumLevel: 'L4' as const, suites: ['QM1-PGP9980'] };
  const own = { edition: 1 };
  const cards = new OwnCards({
    store,
    pgp,
    clock,
    factsOf: () => facts,
    own: {
      get: () => certificateFor('alice@example.org', own.edition),
      withSecret: async (_, use) => use((await certificateFor('alice@example.org', own.edition)).secretKey),
    },
  });
  const book = new TrustBook({ store, contacts, pgp, cards, clock, random: systemRandom, log, changed: () => told++ });
  return { vault, contacts, store, book, cards, clock, facts, own, logged, told: () => told, close: () => vault.close() };
}
