import type { MailFlag } from '../base/types.ts';

/** One message of an mbox, or the news that one was too large to be taken in. */
export type MboxItem =
  | {
      readonly kind: 'message';
      readonly raw: Buffer;
      /** From the From_ line, milliseconds since the epoch; undefined where it does not tell. */
      readonly date?: number;
      readonly flags: readonly MailFlag[];
    }
  | { readonly kind: 'too-large'; readonly octets: number };

const LF = 0x0a;
const CR = 0x0d;
const FROM_ = Buffer.from('From ', 'latin1');
/** The sender in the From_ line of a message whose last line has no end: one is added, and taken away again. */
const CUT = 'no-final-newline@qumail.invalid';
const PLAIN = 'MAILER-DAEMON';
/** A separator line is short. */
const MAX_SEPARATOR = 1000;

const STATUS: Readonly<Record<string, MailFlag>> = { R: 'seen', F: 'flagged', A: 'answered', T: 'draft' };

/** The separator before a message. `date` in milliseconds since the epoch, written as ctime in UTC (RFC 4155). */
function mboxSeparator(raw: Buffer, date: number): string {
  const [day, dayOfMonth, month, year, time] = new Date(date).toUTCString().replace(',', '').split(' ');
  const sender = raw.length > 0 && raw.at(-1) === LF ? PLAIN : CUT;
  return `From ${sender} ${day} ${month} ${dayOfMonth?.replace(/^0/, ' ')} ${time} ${year}\n`;
}

/**
 * One message as an mbox holds it (mboxrd: every body line that begins with any number of `>` and `From ` gets one more `>`), separator and final
 * empty line included. Flags go before the header as `Status` and `X-Status`, which `readMbox` takes off again: what comes back is the
 * message octet for octet.
 */
export function* writeMbox(raw: Buffer, o: { readonly date: number; readonly flags: readonly MailFlag[] }): Generator<Buffer> {
  yield Buffer.from(mboxSeparator(raw, o.date) + statusOf(o.flags), 'latin1');
  let from = 0;
  for (let at = 0; at >= 0 && at < raw.length; at = nextLine(raw, at)) {
    if (!isQuotable(raw, at)) continue;
    yield raw.subarray(from, at);
    yield Buffer.from('>');
    from = at;
  }
  yield raw.subarray(from);
  yield Buffer.from(raw.length > 0 && raw.at(-1) === LF ? '\n' : '\n\n');
}

/**
 * Reads an mbox (mboxrd, and mboxo as far as it can be told) from chunks of any size. Never holds more than one message and a chunk: what grows
 * beyond `maxMessage` octets is passed over and reported. A message begins at a line `From ` at the start or after an empty line; what stands
 * before the first one is no mail and is left out.
 */
export async function* readMbox(chunks: AsyncIterable<Uint8Array>, o: { readonly maxMessage: number }): AsyncGenerator<MboxItem> {
  let current: Assembly | undefined;
  let line: Buffer[] = [];
  let lineLength = 0;
  let afterEmpty = true;
  let lineIsLong = false;

  const take = (end: Buffer): MboxItem | undefined => {
    const whole = lineIsLong ? end : Buffer.concat([...line, end]);
    const continued = lineIsLong;
    line = [];
    lineLength = 0;
    lineIsLong = false;
    if (!continued && afterEmpty && isSeparator(whole)) {
      const done = current?.finish();
      current = new Assembly(whole, o.maxMessage);
      afterEmpty = false;
      return done;
    }
    current?.add(whole, continued);
    afterEmpty = !continued && (whole.length === 1 || (whole.length === 2 && whole[0] === CR));
    return undefined;
  };

  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length;) {
      const lf = bytes.indexOf(LF, at);
      if (lf >= 0) {
        const done = take(bytes.subarray(at, lf + 1));
        if (done) yield done;
        at = lf + 1;
        continue;
      }
      const rest = Buffer.from(bytes.subarray(at));
      at = bytes.length;
      // A long line cannot be a separator: it goes on at once instead of piling up.
      if (lineIsLong) current?.add(rest, true);
      else {
        line.push(rest);
        lineLength += rest.length;
        if (lineLength > MAX_SEPARATOR) {
          current?.add(Buffer.concat(line), false);
          line = [];
          lineLength = 0;
          lineIsLong = true;
        }
      }
    }
  }
  if (lineLength > 0) {
    const done = take(Buffer.alloc(0));
    if (done) yield done;
  }
  const last = current?.finish();
  if (last) yield last;
}

/** A message that is being read. */
class Assembly {
  readonly #parts: Buffer[] = [];
  readonly #separator: string;
  readonly #max: number;
  #octets = 0;
  #flags: MailFlag[] = [];
  /** Until the first line that is neither Status nor X-Status. */
  #atTop = true;

  constructor(separator: Buffer, max: number) {
    this.#separator = separator.toString('latin1');
    this.#max = max;
  }

  add(line: Buffer, continued: boolean): void {
    if (this.#atTop && !continued && this.#octets === 0) {
      const status = /^(?:X-)?Status: ([A-Z]{0,10})\n$/.exec(line.length < 40 ? line.toString('latin1') : '');
      if (status) {
        this.#flags.push(...[...status[1]!].flatMap((letter) => STATUS[letter] ?? []));
        return;
      }
      this.#atTop = false;
    }
    const unquoted = !continued && line[0] === 0x3e && isQuotable(line, 1) ? line.subarray(1) : line;
    this.#octets += unquoted.length;
    if (this.#octets <= this.#max) this.#parts.push(Buffer.from(unquoted));
    else this.#parts.length = 0;
  }

  finish(): MboxItem | undefined {
    if (this.#octets > this.#max) return { kind: 'too-large', octets: this.#octets };
    let raw = Buffer.concat(this.#parts);
    // The empty line that ends every message of an mbox, where it has one.
    if (raw.length >= 2 && raw.at(-1) === LF && raw.at(-2) === LF) raw = raw.subarray(0, -1);
    else if (raw.length >= 4 && raw.subarray(-4).equals(Buffer.from('\r\n\r\n'))) raw = raw.subarray(0, -2);
    else if (raw.length === 1 && raw[0] === LF) raw = raw.subarray(0, 0);
    if (this.#separator.startsWith(`From ${CUT} `) && raw.at(-1) === LF) raw = raw.subarray(0, -1);
    if (raw.length === 0) return undefined;
    const date = separatorDate(this.#separator);
    return { kind: 'message', raw, ...(date !== undefined && { date }), flags: [...new Set(this.#flags)] };
  }
}

function statusOf(flags: readonly MailFlag[]): string {
  const extra = [flags.includes('answered') && 'A', flags.includes('flagged') && 'F', flags.includes('draft') && 'T']
    .filter(Boolean)
    .join('');
  return `Status: ${flags.includes('seen') ? 'RO' : 'O'}\n${extra === '' ? '' : `X-Status: ${extra}\n`}`;
}

function isSeparator(line: Buffer): boolean {
  return line.length <= MAX_SEPARATOR && line.length > FROM_.length && line.subarray(0, FROM_.length).equals(FROM_);
}

/** Whether `>*From ` stands at `at`. */
function isQuotable(bytes: Buffer, at: number): boolean {
  let start = at;
  while (bytes[start] === 0x3e) start += 1;
  return bytes.subarray(start, start + FROM_.length).equals(FROM_);
}

function nextLine(bytes: Buffer, at: number): number {
  const lf = bytes.indexOf(LF, at);
  return lf < 0 ? -1 : lf + 1;
}

function separatorDate(line: string): number | undefined {
  // ctime: Sat Jan  3 01:05:34 1996, at times with a zone.
  const match = /([A-Z][a-z]{2})\s+(\d{1,2}) (\d{2}:\d{2}(?::\d{2})?)(?: [A-Z]{1,5}| [+-]\d{4})? (\d{4})\s*$/.exec(line);
  const time = match ? Date.parse(`${match[2]} ${match[1]} ${match[4]} ${match[3]} UTC`) : NaN;
  return Number.isFinite(time) && time >= 0 ? time : undefined;
}
