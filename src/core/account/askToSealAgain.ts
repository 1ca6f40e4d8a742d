import { QuMailError, type ErrorCode } from '../base/errors.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { SecurityLevel } from '../base/types.ts';
import { askAgainText, type AskReason } from '../mail/askAgain.ts';
import { writeDraftText } from '../mail/draft.ts';
import type { DraftRecord, DraftStore } from '../store/drafts.ts';
import type { MessageStore } from '../store/messages.ts';
import type { AccountService } from './accountService.ts';
import { startLevel } from './levels.ts';
import { levelsKnownOf, type RecipientDeps } from './recipientLevels.ts';
import { readFailure } from './stored.ts';

export interface AskAgainDeps extends RecipientDeps {
  readonly messages: MessageStore;
  readonly drafts: DraftStore;
  readonly accounts: Pick<AccountService, 'addressOf'>;
  readonly startLevel: () => 'best' | SecurityLevel;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The way out of a message that cannot be opened (F44): a draft that asks its sender to seal it again, to be looked at and sent.
 *
 * @throws QuMailError `message.missing`, `draft.no-recipient`
 */
export function askToSealAgain(messageId: number, deps: AskAgainDeps): DraftRecord {
  const row = deps.messages.get(messageId);
  if (!row) throw new QuMailError('message.missing');
  if (row.from.address === '') throw new QuMailError('draft.no-recipient');
  const { accountId, from, rfcMessageId } = row;
  const { subject, body } = askAgainText(row.date, reasonOf(readFailure(row.failureJson)?.code));
  const level = startLevel([levelsKnownOf(accountId, from.address, deps)], deps.startLevel());
  const record = {
    id: deps.random.uuid(),
    accountId,
    text: writeDraftText({ from: deps.accounts.addressOf(accountId), to: [from], cc: [], bcc: [], subject, level, attach: [], body }),
    inReplyTo: rfcMessageId,
    references: rfcMessageId === '' ? [] : [rfcMessageId],
    sourceMessageId: messageId,
    updatedAt: deps.clock.now(),
  };
  deps.drafts.create(record);
  return record;
}

function reasonOf(code: ErrorCode | undefined): AskReason {
  if (code === undefined) return 'unknown';
  if (code.startsWith('kme.') || code.startsWith('key.') || code.startsWith('pad.') || code === 'open.subkey-gone') return 'key';
  if (code === 'open.not-for-you' || code === 'open.no-secret-key') return 'not-for-me';
  return /^open\.(?:tampered|truncated|malformed|duplicate-member|part-missing|part-mismatch|limit)$/.test(code) ? 'damaged' : 'unknown';
}
