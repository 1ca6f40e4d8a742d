import * as v from 'valibot';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';

/**
 * Inside a backup, one record after the other: u32be(|json|) ‖ json ‖ blobs. What is secret or large is a blob, so that it is never a
 * string. `kind` and `v` name what `data` is; a reader that does not know them refuses the file as newer, rather than lose something.
 */
export interface BackupRecord {
  readonly kind: string;
  readonly v: number;
  /** Id of the account it belongs to, as in the backup's own accounts; '' for none. */
  readonly account: string;
  readonly data: unknown;
  readonly blobs: readonly Buffer[];
}

const MAX_JSON = 16 * 1_048_576;
const MAX_BLOB = 256 * 1_048_576;

const EnvelopeSchema = v.strictObject({
  kind: v.pipe(v.string(), v.maxLength(64)),
  v: v.pipe(v.number(), v.integer(), v.minValue(1)),
  account: v.pipe(v.string(), v.maxLength(256)),
  data: v.unknown(),
  blobs: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_BLOB))), v.maxLength(8)),
});

/** The octets of a record; its blobs are copied. */
export function writeRecord({ blobs, ...rest }: BackupRecord): Buffer {
  const json = Buffer.from(JSON.stringify({ ...rest, blobs: blobs.map(({ length }) => length) }), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, ...blobs]);
}

/**
 * Reads records out of verified chunks. Chunks are wiped; so is what a consumer does not take of a record's blobs, by the consumer.
 *
 * @throws QuMailError `backup.malformed` where records do not fit the form, and what `chunks` throws
 */
export async function* readRecords(chunks: AsyncGenerator<Buffer>): AsyncGenerator<BackupRecord> {
  const source = new Gathering(chunks);
  for (;;) {
    const head = await source.take(4, 'or-nothing');
    if (!head) return;
    const length = head.readUInt32BE();
    if (length > MAX_JSON) throw new QuMailError('backup.malformed');
    const { blobs: lengths, ...rest } = parseEnvelope(await source.take(length, 'all'));
    const blobs: Buffer[] = [];
    for (const each of lengths) blobs.push(await source.take(each, 'all'));
    yield { ...rest, blobs };
  }
}

function parseEnvelope(json: Buffer): v.InferOutput<typeof EnvelopeSchema> {
  try {
    return v.parse(EnvelopeSchema, JSON.parse(json.toString('utf8')));
  } catch {
    throw new QuMailError('backup.malformed');
  }
}

/** Octets on demand out of a stream of chunks. */
class Gathering {
  readonly #chunks: AsyncGenerator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncGenerator<Buffer>) {
    this.#chunks = chunks;
  }

  take(length: number, how: 'all'): Promise<Buffer>;
  take(length: number, how: 'or-nothing'): Promise<Buffer | undefined>;
  async take(length: number, how: 'all' | 'or-nothing'): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done) {
          wipe(...parts);
          if (how === 'or-nothing' && missing === length) return undefined;
          throw new QuMailError('backup.malformed');
        }
        this.#rest = next.value;
        continue;
      }
      const part = this.#rest.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    const taken = Buffer.concat(parts);
    wipe(...parts);
    return taken;
  }
}
