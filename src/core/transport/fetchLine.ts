/** What an answer to a FETCH of flags, arrival, size and source holds (RFC 9051 section 7.5.2). */
export interface FetchLine {
  readonly uid: number;
  readonly flags?: readonly string[];
  readonly internalDate?: string;
  readonly size?: number;
  readonly source?: Buffer;
}

const BEGIN = /^\* \d{1,10} FETCH \(/i;
const ITEM =
  /(UID|RFC822\.SIZE) (\d{1,10})|FLAGS \(([^()"{}\\]*(?:\\[^()"{}\\]+)*)\)|INTERNALDATE "([^"\\]{1,40})"|MODSEQ \(\d{1,20}\)|BODY\[\] \{(\d{1,10})\}\r\n/iy;
const SPACE = 0x20;
const CLOSE = 0x29;
/** An answer with more text than this, literals not counted, holds something else. */
const LONGEST = 1000;

/**
 * Reads an answer as nearly every server writes it: `line` without its last line break and without its literals. undefined for every other one,
 * which is left to the library: so many answers come while mail is taken in that its general way takes a sixth of the whole time.
 */
export function readFetchLine(line: Buffer, literals: readonly Buffer[]): FetchLine | undefined {
  if (line.length > LONGEST || line.length < 12 || literals.length > 1 || line[0] !== 0x2a || line[line.length - 1] !== CLOSE)
    return undefined;
  const text = line.toString('latin1');
  const begin = BEGIN.exec(text);
  if (!begin) return undefined;
  const found: { -readonly [K in keyof FetchLine]: FetchLine[K] } = { uid: 0 };
  for (let at = begin[0].length; ;) {
    ITEM.lastIndex = at;
    const item = ITEM.exec(text);
    if (!item) return undefined;
    const [, name, number, flags, date, octets] = item;
    if (name !== undefined) found[name.length === 3 ? 'uid' : 'size'] = Number(number);
    else if (flags !== undefined) found.flags = flags === '' ? [] : flags.split(' ');
    else if (date !== undefined) found.internalDate = date;
    else if (octets !== undefined) {
      const source = literals[0];
      if (source?.length !== Number(octets)) return undefined;
      found.source = source;
    }
    at = ITEM.lastIndex;
    const next = text.charCodeAt(at);
    if (next === CLOSE && at === text.length - 1) break;
    if (next !== SPACE) return undefined;
    at += 1;
  }
  return found.uid > 0 && (found.source === undefined) === (literals.length === 0) ? found : undefined;
}
