import type { CallOptions } from '../api.ts';
import { QuMailError } from '../base/errors.ts';
import type { Contact } from '../base/model.ts';
import type { Clock, HttpFetch } from '../base/ports.ts';
import type { LearnedCertificate, TrustRequests } from '../base/requests/trustRequests.ts';
import type { ExportedCard, ExportedCertificate, OwnCertificateInfo, SafetyNumber } from '../base/trust.ts';
import { decodeSignedCard } from '../crypto/contactCard.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import { safetyNumber } from '../crypto/safetyNumber.ts';
import { normalizeAddress } from '../mail/address.ts';
import type { ContactStore } from '../store/contacts.ts';
import { discoverKey } from './discoverKeys.ts';
import { summaryOf, type Found } from './examineEvidence.ts';
import type { OwnCards, OwnCertificatePort } from './ownCards.ts';
import { decodeCardQr, decodeVerifyQr, encodeCardQr, encodeVerifyQr } from './qrTexts.ts';
import type { TrustBook } from './trustBook.ts';

export interface TrustServiceDeps {
  readonly book: TrustBook;
  readonly cards: OwnCards;
  readonly own: OwnCertificatePort;
  readonly pgp: Pick<PgpEngine, 'inspect' | 'armor' | 'dearmor'>;
  readonly contacts: ContactStore;
  readonly fetch: HttpFetch;
  readonly clock: Clock;
  readonly world: 'real' | 'lab';
  /** The account's own address, normalised. @throws QuMailError `account.missing` */
  readonly addressOf: (accountId: string) => string;
  /** A contact as it is shown; undefined where there is none. */
  readonly contactOf: (accountId: string, address: string) => Contact | undefined;
}

type Request<K extends keyof TrustRequests> = Parameters<TrustRequests[K]>[0];

/** What of a file is looked at at all; the engine's own limits are smaller. */
const MAX_FILE = 1024 * 1024;

/** Verification, contact cards, discovery, certificates in and out. */
export class TrustService implements TrustRequests {
  readonly #deps: TrustServiceDeps;

  constructor(deps: TrustServiceDeps) {
    this.#deps = deps;
  }

  async getSafetyNumber(request: Request<'getSafetyNumber'>): Promise<SafetyNumber> {
    const { accountId, of = 'pinned' } = request;
    const address = addressIn(request.address);
    const self = this.#deps.addressOf(accountId);
    const known = this.#deps.book.known(accountId, address);
    if (!known) throw new QuMailError('trust.no-certificate', { address });
    const proposed = this.#deps.book.proposedFingerprint(accountId, address);
    if (of === 'changed' && proposed === undefined) throw new QuMailError('trust.no-change');
    const fingerprint = of === 'changed' && proposed !== undefined ? proposed : known.certificate.fingerprint;
    const own = await this.#deps.own.get(accountId);
    return {
      digits: safetyNumber({ address: self, fingerprint: own.fingerprint }, { address, fingerprint }),
      qr: encodeVerifyQr({ addr: self, fingerprint: own.fingerprint, peerAddr: address, peerFingerprint: fingerprint }),
      ownFingerprint: own.fingerprint,
      fingerprint,
      mark: known.certificate.mark,
    };
  }

  async verifyContact(request: Request<'verifyContact'>): Promise<Contact> {
    const { accountId, proof } = request;
    const address = addressIn(request.address);
    this.#deps.book.requireResolved(accountId, address);
    const { digits, fingerprint, ownFingerprint } = await this.getSafetyNumber({ accountId, address });
    if ('digits' in proof) {
      if (proof.digits.replace(/\s+/g, '') !== digits) throw new QuMailError('trust.mismatch');
    } else {
      const qr = decodeVerifyQr(proof.qr);
      if (!isSameMailbox(qr.addr, address)) throw new QuMailError('qr.other-person', { address: qr.addr });
      const self = this.#deps.addressOf(accountId);
      if (!isSameMailbox(qr.peerAddr, self)) throw new QuMailError('qr.other-person', { address: qr.peerAddr });
      if (qr.fingerprint !== fingerprint) throw new QuMailError('trust.mismatch', { whose: 'theirs' });
      if (qr.peerFingerprint !== ownFingerprint) throw new QuMailError('trust.mismatch', { whose: 'own' });
    }
    this.#deps.book.verify(accountId, address, fingerprint);
    return this.#ensureContact(accountId, address, '');
  }

  async resolveKeyChange(request: Request<'resolveKeyChange'>): Promise<Contact> {
    const { accountId, changeId, decision } = request;
    const address = addressIn(request.address);
    this.#deps.book.resolve(accountId, address, changeId, decision);
    return this.#ensureContact(accountId, address, '');
  }

  async exportCard({ accountId }: Request<'exportCard'>): Promise<ExportedCard> {
    const { file, card } = await this.#deps.cards.file(accountId);
    const fileName = `${card.addr.replace(/[^A-Za-z0-9._@-]+/g, '_')}.qumailcard`;
    return { file: new Uint8Array(file), fileName, qr: encodeCardQr(card) };
  }

  async importCard({ accountId, content, name = '' }: Request<'importCard'>): Promise<LearnedCertificate> {
    const self = this.#deps.addressOf(accountId);
    const { address, ...what } = typeof content === 'string' ? fromQr(content) : fromFile(content);
    if (isSameMailbox(address, self)) throw new QuMailError('card.other-address', { address });
    return this.#take({ accountId, address, ...what, source: 'file', under: 'none', at: this.#deps.clock.now() }, name);
  }

  async discoverCertificate(request: Request<'discoverCertificate'>, options: CallOptions = {}): Promise<LearnedCertificate> {
    const { accountId } = request;
    const address = addressIn(request.address);
    this.#deps.addressOf(accountId);
    // The lab talks to nothing but this machine.
    if (this.#deps.world === 'lab') throw new QuMailError('wkd.not-found', { domain: address.slice(address.lastIndexOf('@') + 1) });
    const certificate = await discoverKey(address, this.#deps, options.signal);
    return this.#take({ accountId, address, certificate, source: 'wkd', under: 'none', at: this.#deps.clock.now() }, '');
  }

  async getOwnCertificate({ accountId }: Request<'getOwnCertificate'>): Promise<OwnCertificateInfo> {
    this.#deps.addressOf(accountId);
    const { certificate } = await this.#deps.own.get(accountId);
    const facts = await this.#deps.pgp.inspect(certificate, { now: this.#deps.clock.now() });
    return { fingerprint: facts.fingerprint, ...summaryOf(facts) };
  }

  async exportCertificate({ accountId, address }: Request<'exportCertificate'>): Promise<ExportedCertificate> {
    const self = this.#deps.addressOf(accountId);
    const of = address === undefined ? self : addressIn(address);
    const certificate =
      address === undefined ? (await this.#deps.own.get(accountId)).certificate : this.#deps.book.certificate(accountId, of);
    const fingerprint =
      address === undefined
        ? (await this.#deps.own.get(accountId)).fingerprint
        : (this.#deps.book.known(accountId, of)?.certificate.fingerprint ?? '');
    const text = await this.#deps.pgp.armor('certificate', certificate);
    return { fingerprint, text, fileName: `${of.replace(/[^A-Za-z0-9._@-]+/g, '_')}.asc` };
  }

  async importCertificate(request: Request<'importCertificate'>): Promise<LearnedCertificate> {
    const { accountId, content } = request;
    const address = addressIn(request.address);
    this.#deps.addressOf(accountId);
    const certificate = await this.#certificateIn(content);
    return this.#take({ accountId, address, certificate, source: 'file', under: 'none', at: this.#deps.clock.now() }, '');
  }

  async forgetCertificate(request: Request<'forgetCertificate'>): Promise<void> {
    this.#deps.book.forget(request.accountId, addressIn(request.address));
  }

  async #certificateIn(content: Uint8Array | string): Promise<Buffer> {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content);
    if (bytes.length > MAX_FILE) throw new QuMailError('cert.too-large', { what: 'file', limit: MAX_FILE, size: bytes.length });
    // The first octet of binary packets has its high bit set (RFC 9580 section 4.2); armor is ASCII.
    if ((bytes[0] ?? 0) >= 0x80) return bytes;
    const block = await this.#deps.pgp.dearmor(bytes.toString('latin1')).catch((cause: unknown) => {
      throw new QuMailError('cert.malformed', {}, { cause });
    });
    // A secret key is never taken for a certificate: whoever hands one over made a mistake and has to hear of it.
    if (block.kind !== 'certificate') throw new QuMailError('cert.malformed', { what: block.kind });
    return block.bytes;
  }

  async #take(found: Found, name: string): Promise<LearnedCertificate> {
    const outcome = await this.#deps.book.take(found);
    if (outcome === 'refused') throw new QuMailError('trust.weaker');
    return { outcome, contact: this.#ensureContact(found.accountId, found.address, name) };
  }

  /** The contact, made where there is none yet: what the person brings or decides is about somebody they know. */
  #ensureContact(accountId: string, address: string, name: string): Contact {
    const { book, contacts, contactOf } = this.#deps;
    const known = book.known(accountId, address)?.certificate;
    const record = contacts.get(accountId, address) ?? {
      accountId,
      address,
      name: name.trim(),
      minimumLevel: book.minimumOf(accountId, address),
    };
    const saeId = record.saeId ?? known?.saeId;
    contacts.put({ ...record, name: record.name === '' ? name.trim() : record.name, ...(saeId !== undefined && { saeId }) });
    const contact = contactOf(accountId, address);
    if (!contact) throw new QuMailError('contact.missing');
    return contact;
  }
}

function fromFile(content: Uint8Array): Pick<Found, 'address' | 'card'> {
  const card = decodeSignedCard(content);
  return { address: card.card.addr, card };
}

function fromQr(text: string): Pick<Found, 'address' | 'fingerprint' | 'saeId' | 'kmeId'> {
  const { addr, ...rest } = decodeCardQr(text);
  return { address: addr, ...rest };
}

function addressIn(text: string): string {
  const address = normalizeAddress(text);
  if (address === undefined) throw new QuMailError('draft.bad-address', { address: text.slice(0, 254) });
  return address;
}

/** As contacts are found: whatever the case. */
function isSameMailbox(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
