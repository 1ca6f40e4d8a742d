import * as v from 'valibot';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { chatEntrySection, chatPictureSection, chatSection, type ChatSectionStores, disappearingEnvelopes } from './backupChats.ts';
import { type BackupSection, BackupText, parsedBlob, parsedData, readable } from './backupSection.ts';
import { keyManagerSection, mutedSection, savedSearchSection, type SettingStores, snoozeSection } from './backupSettings.ts';
import { type CertificateStore, type TrustState, TrustStateSchema } from './certificates.ts';
import { DraftContentSchema, type DraftRecord, type DraftStore } from './drafts.ts';
import type { OwnCertificateStore } from './ownCertificateStore.ts';
import type { SealedMailRecord, SealedMailStore } from './sealedMail.ts';
import { Statements } from './statements.ts';

export interface SectionStores extends ChatSectionStores, SettingStores {
  readonly certificates: CertificateStore;
  readonly ownCertificates: OwnCertificateStore;
  readonly drafts: DraftStore;
  readonly sealedMail: SealedMailStore;
  /** Enters a restored message into the key ledger, in the transaction of its record. */
  readonly remember: (record: SealedMailRecord) => void;
  readonly transaction: (run: () => void) => void;
}

/** Everything of an account that a backup holds, in the order in which it is restored. */
export function backupSections(stores: SectionStores): readonly BackupSection[] {
  return [
    contactSection(stores),
    certificateSection(stores),
    ownCertificateSection(stores),
    keyManagerSection(stores),
    mailSection(stores),
    draftSection(stores),
    chatSection(stores),
    chatPictureSection(stores),
    chatEntrySection(stores),
    savedSearchSection(stores),
    snoozeSection(stores),
    mutedSection(stores),
  ];
}

const ContactData = v.object({
  address: BackupText,
  name: BackupText,
  saeId: v.exactOptional(BackupText),
  minimumLevel: v.picklist(SECURITY_LEVELS),
});

/** A contact that is here stays; what it lacks is taken from the backup, and its minimum level is never lowered. */
function contactSection({ contacts }: SectionStores): BackupSection {
  return {
    kind: 'contacts',
    version: 1,
    *records(accountId) {
      for (const { address, name, saeId, minimumLevel } of contacts.list(accountId))
        yield { data: { address, name, ...(saeId !== undefined && { saeId }), minimumLevel }, blobs: [] };
    },
    restore(accountId, { data }) {
      const old = parsedData(ContactData, data);
      const here = contacts.get(accountId, old.address);
      if (!here) {
        contacts.put({ accountId, ...old });
        return 'added';
      }
      const saeId = here.saeId ?? old.saeId;
      const minimumLevel = stronger(here.minimumLevel, old.minimumLevel);
      contacts.put({ ...here, ...(saeId !== undefined && { saeId }), minimumLevel });
      return here.saeId !== undefined && old.saeId !== undefined && here.saeId !== old.saeId ? { conflict: old.address } : 'kept';
    },
  };
}

function stronger(a: SecurityLevel, b: SecurityLevel): SecurityLevel {
  return SECURITY_LEVELS.indexOf(a) <= SECURITY_LEVELS.indexOf(b) ? a : b;
}

const CertificateData = v.object({ address: BackupText, state: TrustStateSchema, pinned: v.boolean(), changed: v.boolean() });

/** What is pinned here is never overwritten: where the backup pinned another certificate, the person is told. */
function certificateSection({ certificates }: SectionStores): BackupSection {
  return {
    kind: 'certificates',
    version: 1,
    *records(accountId) {
      for (const [address, state] of certificates.list(accountId)) {
        const pinned = certificates.certificate(accountId, address);
        const changed = certificates.changedCertificate(accountId, address);
        const blobs = [pinned, changed].filter((octets) => octets !== undefined);
        yield { data: { address, state, pinned: pinned !== undefined, changed: changed !== undefined }, blobs };
      }
    },
    restore(accountId, { data, blobs }) {
      const { address, state, pinned, changed } = parsedData(CertificateData, data);
      if (blobs.length !== Number(pinned) + Number(changed)) throw new QuMailError('backup.malformed');
      const here = readable(() => certificates.get(accountId, address));
      if (here) return here.pin.fingerprint === state.pin.fingerprint ? 'kept' : { conflict: address };
      const octets = { pinned: pinned ? blobs[0] : undefined, changed: changed ? blobs.at(-1) : undefined };
      certificates.put(accountId, address, state as TrustState, octets);
      // Written or refused as a whole: the octets must be those that the state names.
      if (pinned) certificates.certificate(accountId, address);
      return 'added';
    },
  };
}

const OwnCertificateData = v.object({
  fingerprint: BackupText,
  createdAt: v.number(),
  rotatedAt: v.number(),
  version: v.number(),
});

/** The account's own certificate with its secret keys. One that is here stays; another one is named, since its mail cannot be opened. */
function ownCertificateSection({ ownCertificates }: SectionStores): BackupSection {
  return {
    kind: 'own-certificates',
    version: 1,
    *records(accountId) {
      const own = ownCertificates.get(accountId);
      const secret = own && ownCertificates.secretOf(accountId);
      if (!own || !secret) return;
      const { fingerprint, createdAt, rotatedAt, version } = own;
      yield { data: { fingerprint, createdAt, rotatedAt, version }, blobs: [own.certificate, secret] };
    },
    restore(accountId, { data, blobs }) {
      const own = parsedData(OwnCertificateData, data);
      const [certificate, secret] = blobs;
      if (!certificate || !secret) throw new QuMailError('backup.malformed');
      const here = ownCertificates.get(accountId);
      if (!here) {
        ownCertificates.add({ accountId, ...own, certificate }, secret);
        return 'added';
      }
      const secretHere = readable(() => ownCertificates.secretOf(accountId));
      wipe(secretHere);
      if (secretHere && here.fingerprint !== own.fingerprint) return { conflict: own.fingerprint };
      // Of the same certificate the one rotated last has the newest subkey; one without its secret is of no use.
      if (secretHere && here.rotatedAt >= own.rotatedAt) return 'kept';
      ownCertificates.replace({ accountId, ...own, certificate, version: here.version + 1 }, secret);
      return 'added';
    },
  };
}

const MailData = v.object({
  envelopeId: BackupText,
  rfcMessageId: BackupText,
  own: v.picklist(['received', 'sent']),
  report: v.looseObject({}),
  sessionKey: v.boolean(),
});

/** Opened sealed mail, sealed anew under the epoch here; nothing of chat messages that disappear. */
function mailSection({ db, storage, sealedMail, remember, transaction }: SectionStores): BackupSection {
  const sql = new Statements(db);
  const idsOf = (accountId: string): string[] =>
    sql
      .all('SELECT envelope_id FROM sealed_mail WHERE account_id = ? ORDER BY envelope_id', accountId)
      .map((row) => row.text('envelope_id'));
  return {
    kind: 'mail',
    version: 1,
    *records(accountId) {
      const disappearing = disappearingEnvelopes({ db, storage }, accountId);
      for (const id of idsOf(accountId)) {
        if (disappearing.has(id)) continue;
        const record = readable(() => sealedMail.getByEnvelope(accountId, id));
        if (!record) continue;
        const { envelopeId, rfcMessageId, own, report, plaintext } = record;
        const sessionKey = readable(() => sealedMail.sessionKeyOf(accountId, id));
        const data = { envelopeId, rfcMessageId, own, report, sessionKey: sessionKey !== undefined };
        yield { data, blobs: [plaintext, ...(sessionKey ? [sessionKey] : [])] };
      }
    },
    restore(accountId, { data, blobs }) {
      const { sessionKey: hasSessionKey, ...mail } = parsedData(MailData, data);
      const [plaintext, sessionKey] = blobs;
      if (!plaintext || blobs.length !== 1 + Number(hasSessionKey)) throw new QuMailError('backup.malformed');
      if (readable(() => sealedMail.reportByEnvelope(accountId, mail.envelopeId))) return 'kept';
      const record = { accountId, ...mail, plaintext, ...(sessionKey && { sessionKey }) };
      transaction(() => {
        sealedMail.put(record);
        remember(record);
      });
      return 'added';
    },
  };
}

const DraftData = v.object({ id: BackupText, updatedAt: v.number() });

/** Drafts without what they answered here: the row they name is another one elsewhere. */
function draftSection({ drafts, transaction }: SectionStores): BackupSection {
  return {
    kind: 'drafts',
    version: 1,
    *records(accountId) {
      for (const draft of drafts.list()) {
        if (draft.accountId !== accountId) continue;
        const { id, accountId: _, sourceMessageId: __, updatedAt, ...content } = draft;
        yield { data: { id, updatedAt }, blobs: [Buffer.from(JSON.stringify(content), 'utf8')] };
      }
    },
    restore(accountId, { data, blobs }) {
      const { id, updatedAt } = parsedData(DraftData, data);
      const text = parsedBlob(DraftContentSchema, blobs[0]);
      if (readable(() => drafts.get(id))) return 'kept';
      transaction(() => {
        drafts.delete(id);
        drafts.create({ ...text, id, accountId, updatedAt } as DraftRecord);
      });
      return 'added';
    },
  };
}
