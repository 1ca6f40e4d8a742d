import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { wipe } from '../base/bytes.ts';
import type { DraftCopy } from '../store/draftCopies.ts';
import { DraftContentSchema, type DraftRecord } from '../store/drafts.ts';
import type { LocalVersion } from './draftPlan.ts';

/** Versions that a version remembers to be made from. */
export const MAX_ANCESTORS = 100;
/** Copies are padded to a multiple of this, so that their size says little about what is typed. */
const PADDING = 1024;

const id = v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/));
const CopySchema = v.object({
  v: v.literal(1),
  name: id,
  revision: id,
  ancestors: v.pipe(v.array(id), v.maxLength(MAX_ANCESTORS)),
  updatedAt: v.pipe(v.number(), v.minValue(0)),
  content: DraftContentSchema,
});
export type OpenedCopy = v.InferOutput<typeof CopySchema>;

/** What was sealed, checked; undefined where it does not fit. */
export function readCopy(plaintext: Buffer): OpenedCopy | undefined {
  let value: unknown;
  try {
    value = JSON.parse(plaintext.toString('utf8').trimEnd());
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(CopySchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** Tells one text from another. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** A draft of this device, as the plan sees it; `gone`: UIDs whose messages are there no more. */
export function localOf(
  copy: DraftCopy,
  draft: DraftRecord | undefined,
  seen: { readonly uidValidity: number; readonly gone: ReadonlySet<number> },
): LocalVersion {
  const digest = draft ? digestOf(draft.text) : '';
  const wasThere = copy.uid !== undefined && copy.uidValidity === seen.uidValidity;
  return {
    exists: draft !== undefined,
    revision: copy.revision,
    ancestors: copy.ancestors,
    agreed: copy.digest,
    dirty: draft !== undefined && digest !== copy.digest,
    updatedAt: draft?.updatedAt ?? 0,
    digest,
    copy: !wasThere ? 'unseen' : seen.gone.has(copy.uid) ? 'gone' : 'there',
  };
}

/**
 * The name of the draft that a version becomes when it loses its own to another one. Two computers that find the same conflict at the same
 * time give it the same name, and so do not keep it twice.
 */
export function nameOfLoser(revision: string): string {
  const hex = createHash('sha256').update(`conflict ${revision}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** What of a draft means something on another computer. */
export function contentOf(draft: DraftRecord): OpenedCopy['content'] {
  // The row of what it answers is this device's own.
  const { id: _, accountId: __, updatedAt: ___, sourceMessageId: ____, references, quoted, ...rest } = draft;
  return { ...rest, references: [...references], ...(quoted && { quoted: { ...quoted } }) };
}

/** The octets that are sealed, padded; the caller wipes them. */
export function writeCopy(copy: OpenedCopy): Buffer {
  const json = Buffer.from(JSON.stringify(copy), 'utf8');
  const padded = Buffer.alloc(Math.ceil(json.length / PADDING) * PADDING, 0x20);
  json.copy(padded);
  wipe(json);
  return padded;
}
