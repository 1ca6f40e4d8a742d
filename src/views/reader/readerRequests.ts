import * as v from 'valibot';
import { READER_ACTIONS } from './readerProtocol.ts';
import type { ReaderRequest } from './readerProtocol.ts';

/** Longest link target and link text the page may report, in UTF-16 units. */
export const MAX_URL = 8192;
const MAX_LINK_TEXT = 300;
const MAX_ATTACHMENTS = 10_000;

const generation = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const index = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MAX_ATTACHMENTS));

const requestSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('ready') }),
  v.strictObject({ kind: v.literal('action'), generation, action: v.picklist(READER_ACTIONS) }),
  v.strictObject({
    kind: v.literal('open-link'),
    generation,
    url: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_URL)),
    text: v.pipe(v.string(), v.maxLength(MAX_LINK_TEXT)),
  }),
  v.strictObject({ kind: v.picklist(['save-attachment', 'open-attachment']), generation, index }),
  v.strictObject({ kind: v.picklist(['save-all', 'load-remote', 'copy-key-ids', 'retry', 'next-step']), generation }),
]);

/** A message from the page as a typed request, or undefined when it is anything else: the page is not trusted. */
export function parseReaderRequest(value: unknown): ReaderRequest | undefined {
  const result = v.safeParse(requestSchema, value);
  return result.success ? result.output : undefined;
}
