import type { ChatLevel, ChatReach } from '../base/chat.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import { inParallel } from '../base/inParallel.ts';
import type { Log } from '../base/log.ts';
import type { Address } from '../base/types.ts';
import type { OutgoingAttachment } from '../mail/writeMime.ts';
import type { ChatErasures } from '../store/chatErasures.ts';
import type { AccountService } from './accountService.ts';
import type { ChatLetter } from './chatLetter.ts';
import { UNFILED } from './outboxFiling.ts';
import type { OutboxRunner } from './outboxRunner.ts';
import type { OwnCopies } from './ownCopies.ts';
import { sharersOf } from './keySource.ts';
import { isAtLeast } from './levels.ts';
import { partsOf } from './readMessage.ts';
import type { SealDeps, SealJob } from './sealJob.ts';
import { sealMessage } from './sealMessage.ts';
import { readReport } from './sealReport.ts';
import { POST_QUANTUM_SUITE } from './sealingTrust.ts';
import { TrailingFlight } from './trailingFlight.ts';

export interface ChatPostDeps extends SealDeps {
  readonly accounts: Pick<AccountService, 'addressOf' | 'all'>;
  readonly runner: OutboxRunner;
  readonly erasures: ChatErasures;
  readonly copies: Pick<OwnCopies, 'due' | 'copyOf'>;
  readonly log: Log;
  /** Removes a message from the server's folders. */
  readonly eraseOnServer: (accountId: string, rfcMessageId: string) => Promise<void>;
}

/** Links asked at the same time. */
const AT_ONCE = 4;
/** Held until every part of a message is sealed: all of it goes, or nothing. */
const UNTIL_COMPLETE = 10 * 365 * 86_400_000;

/** Chat messages through the same sealing, outbox and stores as all mail. */
export class ChatMail {
  readonly #deps: ChatPostDeps;
  readonly #erasing = new TrailingFlight<void>();

  constructor(deps: ChatPostDeps) {
    this.#deps = deps;
  }

  /**
   * Per address how it is reached at `level`, or at L3 where `floor` allows that, or why not. Asks each link what it can do; spends nothing.
   */
  async reach(
    accountId: string,
    addresses: readonly string[],
    level: ChatLevel,
    floor: ChatLevel,
    signal?: AbortSignal,
  ): Promise<readonly ChatReach[]> {
    const wanted = { level, floor, others: addresses.length - 1 };
    return inParallel(addresses, AT_ONCE, (address) => this.#reachOf(accountId, address, wanted, signal));
  }

  /** @throws QuMailError `seal.*`, `kme.*`, `pad.*`; nothing is in the outbox then */
  async send(letter: ChatLetter): Promise<void> {
    const { accountId, level, floor, to, signal } = letter;
    const linked = level === 'L3' ? [] : to.filter(({ address }) => this.#deps.links.hasSource(accountId, address));
    const others = to.filter((recipient) => !linked.includes(recipient));
    if (others.length > 0 && level !== 'L3' && floor !== 'L3') {
      throw new QuMailError('seal.no-link', { address: others[0]!.address });
    }
    const parts = [
      ...(linked.length > 0 ? [{ level, to: linked }] : []),
      ...(others.length > 0 ? [{ level: 'L3' as const, to: others }] : []),
    ];
    const ids: number[] = [];
    try {
      for (const [index, part] of parts.entries()) {
        throwIfCancelled(signal);
        const last = index === parts.length - 1;
        ids.push(...(await sealMessage(this.#job(letter, part, last ? { release: [...ids] } : 'hold'), this.#deps)));
      }
    } catch (error) {
      for (const id of ids) this.#deps.outbox.delete(id, ['held']);
      throw error;
    }
    this.#deps.runner.send(ids, accountId, undefined).catch(() => {
      // The entry stays in the outbox in a named state, and the chat shows it.
    });
  }

  /** Why nothing can be handed to the mail server now; undefined where it can. What is sealed now would not be for the members of later. */
  outOfReach(accountId: string): QuMailError | 'not-yet' | undefined {
    const account = this.#deps.accounts.all().find(({ id }) => id === accountId);
    if (!account) return new QuMailError('account.missing');
    if (account.state === 'connecting') return 'not-yet';
    if (account.state === 'online') return undefined;
    return account.failure ?? new QuMailError('net.refused');
  }

  /** Sends what waits of a message again as the identical bytes; false where nothing does. */
  async resend(accountId: string, messageId: string, signal?: AbortSignal): Promise<boolean> {
    const waiting = this.#deps.outbox.list().filter((row) => row.accountId === accountId && row.rfcMessageId === messageId);
    const ids = waiting.filter(({ state }) => state !== 'accepted' && state !== 'filed').map(({ id }) => id);
    if (ids.length === 0) return false;
    await this.#deps.runner.send(ids, accountId, signal);
    return true;
  }

  /** @throws QuMailError `attachment.missing` */
  async file(accountId: string, envelopeId: string, index: number): Promise<OutgoingAttachment> {
    const stored = this.#deps.sealedMail.getByEnvelope(accountId, envelopeId);
    const found = stored && (await partsOf({ plaintext: stored.plaintext, report: readReport(stored.report) })).attachments[index];
    if (!found) throw new QuMailError('attachment.missing');
    return { name: found.name, mimeType: found.mimeType, content: found.content };
  }

  /** Erases a message here at once, and on the server now or as soon as it is within reach. */
  async erase(accountId: string, envelopeId: string): Promise<void> {
    const { sealedMail, erasures } = this.#deps;
    const stored = sealedMail.getByEnvelope(accountId, envelopeId);
    if (!stored) return;
    erasures.add(accountId, stored.rfcMessageId);
    const copy = this.#deps.copies.copyOf(accountId, stored.rfcMessageId);
    if (copy !== undefined) erasures.add(accountId, copy);
    sealedMail.delete(accountId, envelopeId);
    await this.eraseWaiting();
  }

  /** Erases on servers what could not be erased there before. */
  eraseWaiting(): Promise<void> {
    const { erasures, eraseOnServer, log } = this.#deps;
    return this.#erasing.run('erase', async () => {
      for (const { accountId, messageId } of erasures.list()) {
        if (this.outOfReach(accountId)) continue;
        try {
          await eraseOnServer(accountId, messageId);
          erasures.remove(accountId, messageId);
        } catch (error) {
          log.warn('chat-not-erased', { code: QuMailError.from(error).code });
        }
      }
    });
  }

  #job(letter: ChatLetter, part: { level: ChatLevel; to: readonly Address[] }, then: 'hold' | { release: readonly number[] }): SealJob {
    const { accountId, messageId, subject, text, files, inReplyTo, headers, at, queued, signal } = letter;
    const { outbox, clock } = this.#deps;
    const hold = then === 'hold';
    return {
      accountId,
      level: part.level,
      message: {
        from: this.#deps.accounts.addressOf(accountId),
        to: part.to,
        cc: [],
        subject,
        date: new Date(at),
        messageId,
        ...(inReplyTo !== undefined && { inReplyTo }),
        references: inReplyTo === undefined ? [] : [inReplyTo],
        markdown: text,
        body: 'text',
        attachments: files,
        chatFields: headers,
      },
      bcc: [],
      groupId: `${messageId}:${part.level}${hold ? UNFILED : ''}`,
      queue: {
        state: hold ? 'held' : 'queued',
        ...(hold && { notBefore: clock.now() + UNTIL_COMPLETE }),
        admit: () => {},
        queued: (envelopeId) => {
          if (then === 'hold') return;
          for (const id of then.release) {
            // Another window that opened meanwhile took the first half for one that a crash left.
            if (!outbox.change(id, ['held'], { state: 'queued', now: clock.now() })) throw new QuMailError('engine.stopped');
          }
          this.#deps.copies.due(accountId, part.level, messageId, envelopeId);
          const sealed = this.#deps.sealedMail.reportByEnvelope(accountId, envelopeId);
          queued(envelopeId, sealed && readReport(sealed).suite);
        },
      },
      progress: () => {},
      ...(signal && { signal }),
    };
  }

  async #reachOf(
    accountId: string,
    address: string,
    wanted: { level: ChatLevel; floor: ChatLevel; others: number },
    signal: AbortSignal | undefined,
  ): Promise<ChatReach> {
    const { contacts, trust, links } = this.#deps;
    try {
      const certificate = trust.usable(accountId, address);
      const minimum = contacts.get(accountId, address)?.minimumLevel ?? trust.minimumOf(accountId, address);
      const source = wanted.level === 'L3' ? undefined : links.sourceFor(accountId, address);
      if (source && isAtLeast(wanted.level, minimum)) {
        const maxSharers = await sharersOf(source, signal);
        const keyed = source.kind === 'pad' ? 'pad' : maxSharers >= wanted.others && wanted.others > 0 ? 'multicast' : 'pairwise';
        return { address, reachable: true, keyed };
      }
      if (wanted.level !== 'L3' && wanted.floor !== 'L3') throw new QuMailError('seal.no-link', { address });
      if (!isAtLeast('L3', minimum)) throw new QuMailError('seal.below-minimum', { address, minimum });
      if (!certificate) throw new QuMailError('seal.no-certificate', { addresses: [address] });
      const opens = certificate.postQuantum && certificate.suites.includes(POST_QUANTUM_SUITE);
      if (!opens) throw new QuMailError('seal.not-post-quantum', { addresses: [address] });
      return { address, reachable: true, keyed: 'post-quantum' };
    } catch (error) {
      const { code, details } = QuMailError.from(error);
      if (code === 'engine.cancelled') throw error;
      return { address, reachable: false, failure: { code, details } };
    }
  }
}
