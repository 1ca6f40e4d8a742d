import * as v from 'valibot';
import { CHAT_COMMANDS, MAX_FILES, MAX_FILES_OCTETS, MAX_TEXT, type PageAsk } from './chatProtocol.ts';

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(998));
const text = v.pipe(v.string(), v.maxLength(MAX_TEXT));
const index = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(10_000));
const upload = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(255)),
  mimeType: v.pipe(v.string(), v.maxLength(127)),
  content: v.instance(Uint8Array),
});
const files = v.pipe(
  v.array(upload),
  v.maxLength(MAX_FILES),
  v.check((all) => all.reduce((sum, { content }) => sum + content.byteLength, 0) <= MAX_FILES_OCTETS),
);

/** Octets of a group's picture: the engine's own limit. */
const MAX_SQUARED = 256 * 1024;

const schema = v.variant('kind', [
  v.strictObject({ kind: v.picklist(['ready', 'older']) }),
  v.strictObject({ kind: v.literal('send'), ref: index, text, files, replyTo: v.exactOptional(id) }),
  v.strictObject({ kind: v.literal('edit'), id, text }),
  v.strictObject({ kind: v.picklist(['take-back', 'retry', 'discard', 'jump']), id }),
  v.strictObject({ kind: v.literal('react'), id, emoji: v.pipe(v.string(), v.maxLength(32)) }),
  v.strictObject({ kind: v.literal('seen'), first: id, last: id }),
  v.strictObject({ kind: v.literal('draft'), text }),
  v.strictObject({ kind: v.picklist(['picture', 'save-file', 'open-file']), id, index }),
  v.strictObject({
    kind: v.literal('open-link'),
    url: v.pipe(v.string(), v.minLength(1), v.maxLength(8192)),
    text: v.pipe(v.string(), v.maxLength(300)),
  }),
  v.strictObject({ kind: v.literal('search'), text: v.pipe(v.string(), v.maxLength(500)) }),
  v.strictObject({ kind: v.literal('copy'), text }),
  v.strictObject({
    kind: v.literal('squared'),
    ref: index,
    content: v.exactOptional(
      v.pipe(
        v.instance(Uint8Array),
        v.check((octets) => octets.byteLength <= MAX_SQUARED),
      ),
    ),
  }),
  v.strictObject({ kind: v.literal('command'), command: v.picklist(CHAT_COMMANDS) }),
]);

/** A message from the page as a typed request, or undefined when it is anything else: the page is not trusted. */
export function parsePageAsk(value: unknown): PageAsk | undefined {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : undefined;
}
