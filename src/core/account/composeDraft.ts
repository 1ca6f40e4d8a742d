import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, resolve } from 'node:path';
import type { DraftCheck, DraftProblem } from '../base/model.ts';
import { QuMailError, type ErrorCode, type ErrorDetails } from '../base/errors.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import type { CipherManager } from '../crypto/cipherManager.ts';
import { noRecipientIssue, parseDraft, type ParsedDraft, type Ranged } from '../mail/draft.ts';
import { mimeTypeOf } from '../mail/mimeTypes.ts';
import { stillQuotes } from '../mail/quoting.ts';
import { newMessageId, type OutgoingAttachment, type OutgoingMessage } from '../mail/writeMime.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { DraftRecord } from '../store/drafts.ts';
import { draftBudget } from './draftBudget.ts';
import type { KeyLinks } from './keyLinks.ts';
import { spendsKeys } from './keyingPlan.ts';
import { isAtLeast, possibleLevels, startLevel, strongerOf } from './levels.ts';
import { levelsKnownOf, recipientProblem, shareLost } from './recipientLevels.ts';
import type { SealingTrust } from './sealingTrust.ts';

/** One file, and everything attached together, before encoding. Most mail servers take no more once it is base64. */
const MAX_ATTACHED_BYTES = 25 * 1024 * 1024;
/** Header fields, MIME structure and padding of a small message: what the cost shown before sending adds to the text. */
const TYPICAL_OVERHEAD = 900;

export interface ComposeDeps {
  readonly contacts: ContactStore;
  readonly links: KeyLinks;
  readonly cipher: CipherManager;
  readonly trust: Pick<SealingTrust, 'usable' | 'expired' | 'minimumOf'>;
  readonly clock: Clock;
  readonly random: Random;
}

/** A draft that passed every check: what `sealMessage` needs of it. */
export interface ReadyMessage {
  readonly level: SecurityLevel;
  readonly protection?: 'openpgp';
  readonly message: OutgoingMessage;
  readonly bcc: readonly Address[];
}

/** Everything wrong with the text of a draft as it stands. Touches the file system (attachments), never the network or a key. */
export async function checkDraft(
  draft: DraftRecord,
  text: string,
  self: Address,
  preferred: 'best' | SecurityLevel,
  deps: ComposeDeps,
): Promise<DraftCheck> {
  const parsed = parseDraft(text);
  const problems: DraftProblem[] = parsed.problems.map((issue) => ({ ...issue, severity: 'error' }));
  const recipients = recipientsOf(parsed);
  const known = recipients.map(({ value }) => levelsKnownOf(draft.accountId, value.address, deps));
  // An open line follows the recipients until it was sent at once; from then on nothing but the person lowers it.
  const level = parsed.level?.value ?? strongerOf(startLevel(known, preferred), draft.promisedLevel ?? 'L4');
  const levelAt = parsed.level ?? { line: 0, from: 0, to: 0 };

  for (const [index, recipient] of recipients.entries()) {
    const found = recipientProblem(draft.accountId, known[index]!, { level, protection: parsed.protection }, deps);
    if (found) problems.push(problem(found.code, found.details, recipient));
    const lost = shareLost(draft.accountId, known[index]!, level, deps);
    if (lost) problems.push({ ...problem(lost.code, lost.details, recipient), severity: 'warning' });
  }
  // What came encrypted by classic OpenPGP may go back the same way.
  const asItCame = parsed.protection !== undefined && parsed.protection === draft.quoted?.protection;
  if (draft.minimumLevel !== undefined && !isAtLeast(level, draft.minimumLevel) && !asItCame && stillQuotes(parsed, draft.quoted)) {
    problems.push(problem('seal.quotes-sealed', { minimum: draft.minimumLevel }, levelAt));
  }
  // The server would send it in the account's own name, and the person would never know.
  if (parsed.from && parsed.from.value.address !== self.address)
    problems.push(problem('draft.other-sender', { address: parsed.from.value.address, account: self.address }, parsed.from));
  const files = await Promise.all(parsed.attach.map((file) => attachmentProblem(file)));
  problems.push(...files.flatMap((file) => file.problems));
  const attachedBytes = files.reduce((sum, file) => sum + file.size, 0);
  if (attachedBytes > MAX_ATTACHED_BYTES) {
    problems.push(problem('draft.too-large', { limit: MAX_ATTACHED_BYTES, size: attachedBytes }, parsed.attach.at(-1) ?? levelAt));
  }
  const cost = keyCost(
    level,
    Buffer.byteLength(parsed.body) + Math.ceil((attachedBytes * 4) / 3) + TYPICAL_OVERHEAD,
    recipients.length,
    deps.cipher,
  );
  if (cost instanceof QuMailError) problems.push(problem(cost.code, cost.details, levelAt));
  const keys = draftBudget(
    draft.accountId,
    recipients.map(({ value }) => value.address),
    typeof cost === 'number' ? cost : 0,
    deps.links,
  );
  if (keys.short)
    problems.push({ ...problem(keys.short.code, keys.short.details, recipients[keys.short.recipient]!), severity: 'warning' });
  const openPgp = parsed.protection
    ? 'chosen'
    : known.length > 0 && known.every(({ certificate }) => certificate && certificate !== 'expired')
      ? 'possible'
      : undefined;
  return {
    problems,
    level,
    possible: possibleLevels(known),
    keyCost: typeof cost === 'number' ? cost : 0,
    ...(keys.budget && { budget: keys.budget }),
    ...(openPgp && { openPgp }),
  };
}

/**
 * The draft as a message. Refuses with the first error of the check, so that a draft with a problem never costs a key.
 *
 * @throws QuMailError `draft.*` or `seal.*`
 */
export async function readyMessage(
  draft: DraftRecord,
  text: string,
  self: Address,
  preferred: 'best' | SecurityLevel,
  deps: ComposeDeps,
): Promise<ReadyMessage> {
  const check = await checkDraft(draft, text, self, preferred, deps);
  const parsed = parseDraft(text);
  // Nobody to write to yet is no mistake of the text; it is one of sending.
  const blocking = check.problems.find(({ severity }) => severity === 'error') ?? noRecipientIssue(parsed);
  if (blocking) throw new QuMailError(blocking.code, blocking.details);
  const attachments = await readAttachments(parsed.attach.map(({ value }) => value));
  const from = parsed.from?.value ?? self;
  return {
    level: check.level,
    ...(parsed.protection && { protection: parsed.protection }),
    bcc: distinct(parsed.bcc).filter(({ address }) => ![...parsed.to, ...parsed.cc].some(({ value }) => value.address === address)),
    message: {
      from: from.name === '' ? { ...from, name: self.name } : from,
      to: distinct(parsed.to),
      cc: distinct(parsed.cc).filter(({ address }) => !parsed.to.some(({ value }) => value.address === address)),
      subject: parsed.subject,
      date: new Date(deps.clock.now()),
      messageId: newMessageId(deps.random, self.address),
      ...(draft.inReplyTo !== '' && { inReplyTo: draft.inReplyTo }),
      references: draft.references,
      markdown: parsed.body,
      // A pad is spent by the octet, so L1 carries the text once.
      body: check.level === 'L1' ? 'text' : 'text+html',
      attachments,
    },
  };
}

/** Octets of key a message of `length` octets costs at `level`, or why it cannot be written at that level. */
function keyCost(level: SecurityLevel, length: number, recipients: number, cipher: CipherManager): number | QuMailError {
  if (!spendsKeys(level) || recipients === 0) return 0;
  try {
    const how = level === 'L2' && recipients > 1 ? 'wrapped' : 'direct';
    return (cipher.needOf(level, how, length).bits / 8) * recipients;
  } catch (error) {
    return QuMailError.from(error);
  }
}

function recipientsOf(parsed: ParsedDraft): readonly Ranged<Address>[] {
  return [...parsed.to, ...parsed.cc, ...parsed.bcc];
}

async function attachmentProblem(file: Ranged<string>): Promise<{ size: number; problems: DraftProblem[] }> {
  const { size, failure } = await sizeOf(file.value);
  return { size, problems: failure ? [problem(failure.code, failure.details, file)] : [] };
}

async function sizeOf(written: string): Promise<{ size: number; failure?: QuMailError }> {
  const path = fullPath(written);
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return { size: 0, failure: new QuMailError('draft.file-missing', { path }) };
  if (info.size > MAX_ATTACHED_BYTES)
    return { size: 0, failure: new QuMailError('draft.file-too-large', { path, limit: MAX_ATTACHED_BYTES, size: info.size }) };
  return { size: info.size };
}

/** One after the other within the limit for all: between the check and now a file may have grown, or become something else. */
async function readAttachments(written: readonly string[]): Promise<OutgoingAttachment[]> {
  const attachments: OutgoingAttachment[] = [];
  let room = MAX_ATTACHED_BYTES;
  for (const path of written.map(fullPath)) {
    const content = await readBounded(path, room);
    room -= content.length;
    attachments.push({ name: basename(path), mimeType: mimeTypeOf(path), content });
  }
  return attachments;
}

/** Reads a regular file of at most `limit` octets; the very file that was looked at, whatever its name stands for meanwhile. */
async function readBounded(path: string, limit: number): Promise<Buffer> {
  try {
    // Without waiting for the other end of what has become a pipe.
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const info = await file.stat();
    if (!info.isFile()) throw new QuMailError('draft.file-missing', { path });
    const content = Buffer.alloc(Math.min(info.size, limit) + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < content.length; length += read) {
      read = (await file.read(content, length, content.length - length)).bytesRead;
    }
    if (length > limit) throw new QuMailError('draft.file-too-large', { path, limit, size: Math.max(info.size, length) });
    // It grew while it was read: half a file is worse than none.
    if (length > info.size) throw new QuMailError('draft.file-missing', { path });
    return content.subarray(0, length);
  } catch (error) {
    throw QuMailError.from(error, 'draft.file-missing', { path });
  }
}

/** A path as it is written in a draft: `~` and relative ones start at the home folder, as completion offers them. */
function fullPath(written: string): string {
  return resolve(homedir(), written.replace(/^~(?=[/\\]|$)/, homedir()));
}

function distinct(addresses: readonly Ranged<Address>[]): readonly Address[] {
  return [...new Map(addresses.map(({ value }) => [value.address, value])).values()];
}

function problem(code: ErrorCode, details: ErrorDetails, at: { line: number; from: number; to: number }): DraftProblem {
  return { code, details, severity: 'error', line: at.line, from: at.from, to: at.to };
}
