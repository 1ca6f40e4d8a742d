import * as v from 'valibot';
import { fromBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Address } from '../base/types.ts';
import { openOwnCopy, ownCopyKey, sealOwnCopy } from '../crypto/ownCopy.ts';
import { CHAT_FOLDER } from '../mail/chatMessageId.ts';
import { COPY_PART, copyIdOf, writeCopyMessage } from '../mail/copyMessage.ts';
import type { ReadMessage } from '../mail/readMime.ts';
import type { DueCopy, OwnCopyStore } from '../store/ownCopyStore.ts';
import type { SealedMailRecord, SealedMailStore } from '../store/sealedMail.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { OwnCertificates } from './ownCertificates.ts';
import { partsOf } from './readMessage.ts';
import { readReport, SealReportSchema, type SealReport } from './sealReport.ts';
import { TrailingFlight } from './trailingFlight.ts';

/** Octets of a message that are copied; what is larger stays on the device that opened it. */
const MAX_COPIED = 40 * 1_048_576;

const Stub = v.object({
  v: v.literal(1),
  messageId: v.pipe(v.string(), v.maxLength(250)),
  own: v.picklist(['received', 'sent']),
  from: v.pipe(v.string(), v.maxLength(320)),
  /** Milliseconds since the epoch, from the Date field. */
  at: v.pipe(v.number(), v.safeInteger()),
});
const Whole = v.object({
  ...Stub.entries,
  envelopeId: v.pipe(v.string(), v.maxLength(64)),
  length: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  report: SealReportSchema,
});
const Facts = v.union([Whole, Stub]);

/** What another own device said there is, and cannot be read here. */
export type ToldOf = Omit<v.InferOutput<typeof Stub>, 'v'>;

/** What another own device handed on. */
export type TakenCopy =
  | { readonly kind: 'mail'; readonly record: SealedMailRecord; readonly parts: ReadMessage; readonly report: SealReport }
  | { readonly kind: 'told'; readonly of: ToldOf }
  /** Known here, or erased since. */
  | { readonly kind: 'known' };

export interface OwnCopiesDeps {
  readonly store: OwnCopyStore;
  readonly sealedMail: SealedMailStore;
  readonly own: Pick<OwnCertificates, 'withSecret' | 'peek'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly addressOf: (accountId: string) => Address;
  /** The account's way to its server; undefined where that is out of reach. */
  readonly handlerOf: (accountId: string) => Pick<EmailHandler, 'append' | 'ensureFolder' | 'findByMessageId'> | undefined;
  /** True while an own message may not have left yet. */
  readonly isOnItsWay: (accountId: string, messageId: string) => boolean;
  /** True for what has a line of its own in a chat. */
  readonly isLine: (parts: ReadMessage) => boolean;
  /** False where this payload was here before. */
  readonly isNew: (mail: { accountId: string; envelopeId: string; payloadSha256: Buffer; keyIds: readonly string[] }) => boolean;
  /** Enters a message into the key ledger, in the transaction of its record. */
  readonly remember: (record: SealedMailRecord) => void;
  readonly transaction: (run: () => void) => void;
}

/**
 * Chat messages for the own other devices, because key managers and pads deliver a key once (PROTOCOL 11): whichever device opened or sent one
 * leaves a copy in the chats' folder, sealed under a key that the own devices share and nobody else has. Only where the
 * own certificate is known to be on another device; of L1 no octet, only that there was something.
 */
export class OwnCopies {
  readonly #deps: OwnCopiesDeps;
  readonly #flights = new TrailingFlight<void>();

  constructor(deps: OwnCopiesDeps) {
    this.#deps = deps;
  }

  /** Notes that the other devices lack a message, where there are any and they do. Joins the caller's transaction. */
  due(accountId: string, level: string, messageId: string, envelopeId: string): void {
    const since = this.#deps.store.sharedSince(accountId);
    if (since === undefined) return;
    // At L3 the certificate opens it there, unless it was sealed to a subkey that only this device has.
    if (level === 'L3' && (this.#deps.own.peek(accountId)?.rotatedAt ?? 0) <= since) return;
    this.#deps.store.addDue(accountId, messageId, envelopeId);
  }

  /** Leaves what is due on the server, as far as it is within reach. Never throws. */
  flush(accountId: string): Promise<void> {
    return this.#flights.run(accountId, async () => {
      try {
        await this.#makeDue(accountId);
      } catch (error) {
        this.#deps.log.warn('copy-not-made', { code: QuMailError.from(error).code });
      }
    });
  }

  /** The Message-ID of the copy, where the own devices tell each other of messages. */
  copyOf(accountId: string, messageId: string): string | undefined {
    return this.#deps.store.sharedSince(accountId) === undefined ? undefined : copyIdOf(messageId);
  }

  /** True where this device made the copy of a message, or has taken it in. */
  isKnown(accountId: string, messageId: string): boolean {
    return this.#deps.store.isKnown(accountId, messageId);
  }

  /**
   * Takes a copy in: what it holds is in the sealed store afterwards, as if it had been opened here.
   * @returns undefined for what no own device made
   */
  async take(accountId: string, mail: { readonly rfcMessageId: string; readonly parts: ReadMessage }): Promise<TakenCopy | undefined> {
    const sealed = mail.parts.attachments.find(({ name }) => name === COPY_PART)?.content;
    const opened = sealed && (await this.#open(accountId, mail.rfcMessageId, sealed));
    if (!opened) return undefined;
    const { facts, rest } = opened;
    const { messageId } = facts;
    if (copyIdOf(messageId) !== mail.rfcMessageId) return undefined;
    if (!('report' in facts)) {
      if (this.isKnown(accountId, messageId)) return { kind: 'known' };
      const { v: _, ...of } = facts;
      return { kind: 'told', of };
    }
    const { report, envelopeId, own } = facts;
    const plaintext = Buffer.from(rest.subarray(0, facts.length));
    wipe(rest);
    const payloadSha256 = fromBase64url(report.payloadSha256);
    // A one-time pad stays where it was used, whatever another version of this program thinks of that.
    if (plaintext.byteLength !== facts.length || !payloadSha256 || report.level === 'L1') return undefined;
    const record = { accountId, rfcMessageId: messageId, envelopeId, plaintext, report, own };
    if (!this.#deps.sealedMail.reportByEnvelope(accountId, envelopeId)) {
      const isNew = this.#deps.isNew({ accountId, envelopeId, payloadSha256, keyIds: report.keyIds });
      // What was erased here does not come back by a copy.
      if (!isNew || this.isKnown(accountId, messageId)) return { kind: 'known' };
      this.#deps.transaction(() => {
        this.#deps.sealedMail.put(record);
        this.#deps.remember(record);
      });
    }
    return { kind: 'mail', record, parts: await partsOf({ plaintext, report }), report };
  }

  /** What a copy told of is with the chats. */
  settle(accountId: string, messageId: string): void {
    this.#deps.store.settle(accountId, messageId);
  }

  async #open(
    accountId: string,
    messageId: string,
    sealed: Buffer,
  ): Promise<{ facts: v.InferOutput<typeof Facts>; rest: Buffer } | undefined> {
    try {
      return await this.#withKey(accountId, (key) => {
        const { facts, rest } = openOwnCopy({ key, messageId, sealed });
        const parsed = v.safeParse(Facts, JSON.parse(facts));
        return parsed.success ? { facts: parsed.output, rest } : undefined;
      });
    } catch (error) {
      if (error instanceof SyntaxError || (QuMailError.is(error) && error.code.startsWith('open.'))) return undefined;
      throw error;
    }
  }

  async #makeDue(accountId: string): Promise<void> {
    const { store, handlerOf, isOnItsWay } = this.#deps;
    for (const due of store.due(accountId)) {
      const handler = handlerOf(accountId);
      if (!handler) return;
      if (isOnItsWay(accountId, due.messageId)) continue;
      await this.#make(accountId, due, handler);
      store.settle(accountId, due.messageId);
    }
  }

  async #make(
    accountId: string,
    { messageId, envelopeId, tried }: DueCopy,
    handler: NonNullable<ReturnType<OwnCopiesDeps['handlerOf']>>,
  ): Promise<void> {
    const { sealedMail, store, random, addressOf } = this.#deps;
    const stored = sealedMail.getByEnvelope(accountId, envelopeId);
    if (!stored || stored.plaintext.byteLength > MAX_COPIED) return wipe(stored?.plaintext);
    const report = readReport(stored.report);
    try {
      const parts = await partsOf({ plaintext: stored.plaintext, report });
      const whole = report.level !== 'L1';
      if (!whole && !this.#deps.isLine(parts)) return;
      const at = parts.date ?? this.#deps.clock.now();
      const stub = { v: 1, messageId, own: stored.own, from: parts.from.address, at };
      const facts = JSON.stringify(whole ? { ...stub, envelopeId, length: stored.plaintext.byteLength, report } : stub);
      const entity = whole ? stored.plaintext : Buffer.alloc(0);
      const sealed = await this.#withKey(accountId, (key) => sealOwnCopy({ key, messageId: copyIdOf(messageId), facts, entity }, random));
      const boundary = `qumail-${random.bytes(16).toString('hex')}`;
      const mime = writeCopyMessage({ from: addressOf(accountId), of: messageId, date: new Date(at), boundary, sealed });
      const folder = await handler.ensureFolder(CHAT_FOLDER);
      if (tried && (await handler.findByMessageId(folder, copyIdOf(messageId))).length > 0) return;
      store.setTried(accountId, messageId);
      await handler.append(folder, mime, ['seen']);
    } finally {
      wipe(stored.plaintext);
    }
  }

  #withKey<T>(accountId: string, use: (key: Buffer) => T): Promise<T> {
    return this.#deps.own.withSecret(accountId, async (secretKey) => {
      if (!secretKey) throw new QuMailError('open.no-secret-key');
      const key = ownCopyKey(secretKey);
      try {
        return use(key);
      } finally {
        wipe(key);
      }
    });
  }
}
