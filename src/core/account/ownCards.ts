import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { SecurityLevel } from '../base/types.ts';
import {
  CARD_ATTACHMENT,
  CARD_MIME_TYPE,
  encodeCard,
  encodeSignedCard,
  signedOctets,
  type ContactCard,
  type SignedCard,
} from '../crypto/contactCard.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import type { OutgoingAttachment } from '../mail/writeMime.ts';
import { sha256Of, type CertificateStore } from '../store/certificates.ts';

/** The own certificate of an account (OwnCertificates). */
export interface OwnCertificatePort {
  get(accountId: string): Promise<{ readonly certificate: Buffer; readonly fingerprint: string }>;
  /** The unprotected transferable secret key is wiped after use. */
  withSecret<T>(accountId: string, use: (secretKey: Buffer | undefined) => Promise<T>): Promise<T>;
}

/** What an account states about itself besides its certificate. */
export interface OwnFacts {
  readonly addr: string;
  readonly saeId?: string;
  readonly kmeId?: string;
  readonly minimumLevel: SecurityLevel;
  readonly suites: readonly string[];
}

export interface OwnCardsDeps {
  readonly store: CertificateStore;
  readonly pgp: Pick<PgpEngine, 'sign'>;
  readonly own: OwnCertificatePort;
  readonly clock: Clock;
  /** @throws QuMailError `account.missing` */
  readonly factsOf: (accountId: string) => OwnFacts;
}

/** What goes along inside a sealed message. */
export interface OutgoingCard {
  readonly attachments: readonly OutgoingAttachment[];
  /** To be called in the transaction that queues the message: from then on its recipients are held to know the card. */
  readonly sent: () => void;
}

/** The own contact cards: signed anew whenever something in them is different, sent once to everybody. */
export class OwnCards {
  readonly #deps: OwnCardsDeps;

  constructor(deps: OwnCardsDeps) {
    this.#deps = deps;
  }

  /** The own card as it is now, signed, with the certificate. */
  async current(accountId: string): Promise<SignedCard & { readonly certificate: Buffer; readonly state: string }> {
    const { store, own, clock, factsOf, pgp } = this.#deps;
    const { certificate, fingerprint } = await own.get(accountId);
    const facts = { ...factsOf(accountId), fingerprint };
    const state = sha256Of(Buffer.concat([encodeCard({ ...facts, issuedAt: 0 }), certificate]));
    const kept = store.ownCard(accountId);
    if (kept?.state === state) {
      const card: ContactCard = { ...facts, issuedAt: kept.issuedAt };
      return { card, octets: kept.card, signature: kept.signature, certificate, state };
    }
    // Later than the last one even where the clock was set back, or nobody would take it.
    const card: ContactCard = { ...facts, issuedAt: Math.max(clock.now(), (kept?.issuedAt ?? 0) + 1) };
    const octets = encodeCard(card);
    const signature = await own.withSecret(accountId, async (secretKey) => {
      if (!secretKey) throw new QuMailError('store.corrupt', { what: 'own certificate' });
      return pgp.sign({ data: signedOctets(octets), secretKey, now: card.issuedAt, detached: true });
    });
    store.putOwnCard(accountId, { state, issuedAt: card.issuedAt, card: octets, signature });
    return { card, octets, signature, certificate, state };
  }

  /** The card with its certificate, as a file. */
  async file(accountId: string): Promise<{ readonly file: Buffer; readonly card: ContactCard }> {
    const signed = await this.current(accountId);
    return { file: encodeSignedCard(signed), card: signed.card };
  }

  /**
   * The own card for those who do not have it yet; undefined where all of them do. At L1 there is none: a card costs 25 KB of pad, and the
   * fingerprint in the header, under the same tag, confirms whatever card comes or came another way.
   */
  async outgoing(accountId: string, addresses: readonly string[], level: SecurityLevel | undefined): Promise<OutgoingCard | undefined> {
    if (level === 'L1' || level === 'L4') return undefined;
    const { store } = this.#deps;
    const signed = await this.current(accountId);
    const without = addresses.filter((address) => store.cardSentTo(accountId, address) !== signed.state);
    if (without.length === 0) return undefined;
    return {
      attachments: [{ name: CARD_ATTACHMENT, mimeType: CARD_MIME_TYPE, content: encodeSignedCard(signed) }],
      sent: () => {
        for (const address of without) store.noteCardSent(accountId, address, signed.state);
      },
    };
  }
}
