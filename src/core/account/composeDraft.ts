import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DraftCheck, DraftProblem } from '../base/model.ts';
import { QuMailError, type ErrorCode, type ErrorDetails } from '../base/errors.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import type { CipherManager } from '../crypto/cipherManager.ts';
import { parseDraft, type ParsedDraft, type Ranged } from '../mail/draft.ts';
import { mimeTypeOf } from '../mail/mimeTypes.ts';
import { newMessageId, type OutgoingAttachment, type OutgoingMessage } from '../mail/writeMime.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { DraftRecord } from '../store/drafts.ts';
import type { KeyLinks } from './keyLinks.ts';
import { spendsKeys } from './keyingPlan.ts';
import { isAtLeast, possibleLevels, startLevel, type RecipientLevels } from './levels.ts';

/** One file, and everything attached together, before encoding. Most mail servers take no more once it is base64. */
const MAX_ATTACHED_BYTES = 25 * 1024 * 1024;
/** Header fields, MIME structure and padding of a small message: what the cost shown before sending adds to the text. */
const TYPICAL_OVERHEAD = 900;

export interface ComposeDeps {
  readonly contacts: ContactStore;
  readonly links: KeyLinks;
  readonly cipher: CipherManager;
  readonly clock: Clock;
  readonly random: Random;
}

/** A draft that passed every check: what `sealMessage` needs of it. */
export interface ReadyMessage {
  readonly level: SecurityLevel;
  readonly message: OutgoingMessage;
  readonly bcc: readonly Address[];
}

/** What is known about a recipient's levels from contacts and configuration alone. */
export function levelsKnownOf(accountId: string, address: string, deps: Pick<ComposeDeps, 'contacts' | 'links'>): RecipientLevels {
  const contact = deps.contacts.get(accountId, address);
  return {
    address,
    minimumLevel: contact?.minimumLevel ?? 'L4',
    hasLink: contact?.saeId !== undefined && deps.links.isConfigured(accountId),
  };
}

/** Everything wrong with a draft as it stands. Touches the file system (attachments), never the network or a key. */
export async function checkDraft(
  draft: DraftRecord,
  text: string,
  preferred: 'best' | SecurityLevel,
  deps: ComposeDeps,
): Promise<DraftCheck> {
  const parsed = parseDraft(text);
  const problems: DraftProblem[] = parsed.problems.map((issue) => ({ ...issue, severity: 'error' }));
  const recipients = recipientsOf(parsed);
  const known = recipients.map(({ value }) => levelsKnownOf(draft.accountId, value.address, deps));
  const level = parsed.level?.value ?? startLevel(known, preferred);
  const levelAt = parsed.level ?? { line: 0, from: 0, to: 0 };

  if (recipients.length === 0) problems.push(problem('draft.no-recipient', {}, { line: 0, from: 0, to: 0 }));
  if (level === 'L3') problems.push(problem('seal.level-unsupported', { level }, levelAt));
  for (const recipient of recipients) problems.push(...recipientProblems(draft.accountId, recipient, level, deps));
  if (draft.minimumLevel !== undefined && quotes(parsed.body) && !isAtLeast(level, draft.minimumLevel)) {
    problems.push(problem('seal.below-minimum', { minimum: draft.minimumLevel }, levelAt));
  }
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
  return { problems, level, possible: possibleLevels(known), keyCost: typeof cost === 'number' ? cost : 0 };
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
  const check = await checkDraft(draft, text, preferred, deps);
  const blocking = check.problems.find(({ severity }) => severity === 'error');
  if (blocking) throw new QuMailError(blocking.code, blocking.details);
  const parsed = parseDraft(text);
  const attachments = await Promise.all(parsed.attach.map(({ value }) => readAttachment(value)));
  const from = parsed.from?.value.address === self.address ? parsed.from.value : self;
  return {
    level: check.level,
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

function recipientProblems(accountId: string, recipient: Ranged<Address>, level: SecurityLevel, deps: ComposeDeps): DraftProblem[] {
  const { address } = recipient.value;
  const { minimumLevel, hasLink } = levelsKnownOf(accountId, address, deps);
  if (spendsKeys(level) && !hasLink) {
    if (!deps.links.isConfigured(accountId)) return [problem('kme.not-configured', { address }, recipient)];
    const code = deps.contacts.get(accountId, address) ? 'seal.no-link' : 'seal.no-contact';
    return [problem(code, { address }, recipient)];
  }
  return isAtLeast(level, minimumLevel) ? [] : [problem('seal.below-minimum', { address, minimum: minimumLevel }, recipient)];
}

async function attachmentProblem(file: Ranged<string>): Promise<{ size: number; problems: DraftProblem[] }> {
  const { size, failure } = await sizeOf(file.value);
  return { size, problems: failure ? [problem(failure.code, failure.details, file)] : [] };
}

async function sizeOf(path: string): Promise<{ size: number; failure?: QuMailError }> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return { size: 0, failure: new QuMailError('draft.file-missing', { path }) };
  if (info.size > MAX_ATTACHED_BYTES)
    return { size: 0, failure: new QuMailError('draft.file-too-large', { path, limit: MAX_ATTACHED_BYTES, size: info.size }) };
  return { size: info.size };
}

async function readAttachment(path: string): Promise<OutgoingAttachment> {
  const content = await readFile(path).catch((error: unknown) => {
    throw new QuMailError('draft.file-missing', { path }, { cause: error });
  });
  return { name: basename(path), mimeType: mimeTypeOf(path), content };
}

function quotes(body: string): boolean {
  return /^>/m.test(body);
}

function distinct(addresses: readonly Ranged<Address>[]): readonly Address[] {
  return [...new Map(addresses.map(({ value }) => [value.address, value])).values()];
}

function problem(code: ErrorCode, details: ErrorDetails, at: { line: number; from: number; to: number }): DraftProblem {
  return { code, details, severity: 'error', line: at.line, from: at.from, to: at.to };
}
