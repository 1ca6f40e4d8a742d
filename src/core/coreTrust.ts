import { OwnCards, type OwnFacts } from './account/ownCards.ts';
import { OwnCertificates } from './account/ownCertificates.ts';
import { COMBINED_SUITE, POST_QUANTUM_SUITE } from './account/sealingTrust.ts';
import { TrustBook } from './account/trustBook.ts';
import { TrustService } from './account/trustService.ts';
import { QuMailError } from './base/errors.ts';
import type { DisposableStore } from './base/lifetime.ts';
import type { Log } from './base/log.ts';
import type { QuMailEvent } from './base/events.ts';
import type { Contact } from './base/model.ts';
import type { Clock, HttpFetch, Random } from './base/ports.ts';
import type { TrustRequests } from './base/requests/trustRequests.ts';
import type { CoreStores } from './coreStores.ts';
import { OpenPgpEngine } from './crypto/openPgpEngine.ts';
import type { PgpEngine } from './crypto/pgpEngine.ts';
import type { AccountRecord } from './store/accounts.ts';

/** What a program with a key manager opens besides L3 (PROTOCOL 2). */
const QUANTUM_SUITES = ['QM1-OTP-P1305', 'QM1-CB256', COMBINED_SUITE];

export interface CoreTrustOptions {
  readonly stores: Pick<CoreStores, 'accounts' | 'certificates' | 'contacts' | 'managers' | 'ownCertificates' | 'storage'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: HttpFetch;
  readonly world: 'real' | 'lab';
  readonly emit: (event: QuMailEvent) => void;
  /** A contact as it is shown. */
  readonly contactOf: (accountId: string, address: string) => Contact | undefined;
}

/** Certificates, one's own and others', and what rests on them. */
export interface CoreTrust {
  readonly pgp: PgpEngine;
  readonly own: OwnCertificates;
  readonly book: TrustBook;
  readonly requests: TrustRequests;
}

/** Builds the area of trust; `owned` takes what has to be closed. */
export function buildTrust(options: CoreTrustOptions, owned: DisposableStore): CoreTrust {
  const { stores, clock, random, fetch, world, contactOf } = options;
  const log = options.log.scoped('trust');
  const account = (accountId: string): AccountRecord => {
    const record = stores.accounts.get(accountId);
    if (!record) throw new QuMailError('account.missing');
    return record;
  };
  const pgp = new OpenPgpEngine({ random });
  const own = owned.add(
    new OwnCertificates({
      store: stores.ownCertificates,
      refresh: () => stores.storage.ensureEpoch(),
      pgp,
      clock,
      log,
      accounts: () => stores.accounts.list().map(({ id, email, displayName }) => ({ id, address: { name: displayName, address: email } })),
    }),
  );
  const factsOf = (accountId: string): OwnFacts => {
    const manager = stores.managers.get(accountId);
    return {
      addr: account(accountId).email,
      ...(manager && { saeId: manager.saeId, kmeId: manager.kmeId }),
      minimumLevel: 'L4',
      suites: manager ? [...QUANTUM_SUITES, POST_QUANTUM_SUITE] : [POST_QUANTUM_SUITE],
    };
  };
  const store = stores.certificates;
  const cards = new OwnCards({ store, pgp, own, clock, factsOf });
  const changed = (accountId: string): void => options.emit({ kind: 'contacts', accountId });
  const book = new TrustBook({ store, contacts: stores.contacts, pgp, cards, clock, random, log, changed });
  const requests = new TrustService({
    book,
    cards,
    own,
    pgp,
    contacts: stores.contacts,
    fetch,
    clock,
    world,
    addressOf: (accountId) => account(accountId).email,
    contactOf,
  });
  return { pgp, own, book, requests };
}
