import { decodeText, fieldValue, readHeaderSection } from '../mail/headerSection.ts';
import { parseSequenceSet, textOf } from './mailHostGrammar.ts';
import type { ImapNode } from './mailHostGrammar.ts';
import type { StoredMessage } from './mailHostStore.ts';

type SearchTest = (message: StoredMessage, sequence: number) => boolean;

const FLAG_KEYS: Readonly<Record<string, string>> = {
  SEEN: '\\Seen',
  FLAGGED: '\\Flagged',
  ANSWERED: '\\Answered',
  DELETED: '\\Deleted',
  DRAFT: '\\Draft',
};

/** What a sequence set's `*` stands for. */
interface SearchBounds {
  readonly lastUid: number;
  readonly lastSequence: number;
}

/** A SEARCH program (RFC 9051 6.4.4) as a test; undefined when a key is not known or malformed. Keys are all required. */
export function parseSearch(nodes: readonly ImapNode[], bounds: SearchBounds): SearchTest | undefined {
  const words = [...nodes];
  if (textOf(words[0])?.toUpperCase() === 'CHARSET') words.splice(0, 2);
  const tests: SearchTest[] = [];
  while (words.length > 0) {
    const test = takeKey(words, bounds);
    if (!test) return undefined;
    tests.push(test);
  }
  return (m, n) => tests.every((test) => test(m, n));
}

function takeKey(words: ImapNode[], bounds: SearchBounds): SearchTest | undefined {
  const node = words.shift();
  if (!node) return undefined;
  if (node.kind === 'list') return parseSearch(node.items, bounds);
  const key = (textOf(node) ?? '').toUpperCase();
  const argument = (): string => textOf(words.shift()) ?? '';
  const flag = FLAG_KEYS[key.replace(/^UN/, '')];
  if (flag) return (m) => m.flags.has(flag) !== key.startsWith('UN');
  switch (key) {
    case 'ALL':
    case 'OLD':
      return () => true;
    case 'NEW':
    case 'RECENT':
      return () => false;
    case 'NOT': {
      const test = takeKey(words, bounds);
      return test && ((m, n) => !test(m, n));
    }
    case 'OR': {
      const [a, b] = [takeKey(words, bounds), takeKey(words, bounds)];
      return a && b && ((m, n) => a(m, n) || b(m, n));
    }
    case 'UID': {
      const test = parseSequenceSet(argument(), bounds.lastUid);
      return test && ((m) => test(m.uid));
    }
    case 'KEYWORD':
    case 'UNKEYWORD': {
      const keyword = argument().toLowerCase();
      return (m) => [...m.flags].some((f) => f.toLowerCase() === keyword) === (key === 'KEYWORD');
    }
    case 'LARGER':
    case 'SMALLER': {
      const size = Number(argument());
      return (m) => (key === 'LARGER' ? m.raw.length > size : m.raw.length < size);
    }
    case 'FROM':
    case 'TO':
    case 'CC':
    case 'BCC':
    case 'SUBJECT':
      return headerTest(key, argument());
    case 'HEADER':
      return headerTest(argument(), argument());
    case 'BODY':
    case 'TEXT': {
      const wanted = argument().toLowerCase();
      return (m) =>
        m.raw
          .toString('utf8', key === 'BODY' ? readHeaderSection(m.raw).bodyOffset : 0)
          .toLowerCase()
          .includes(wanted);
    }
    case 'SINCE':
    case 'BEFORE':
    case 'ON':
      return dateTest(key, argument(), (m) => m.internalDate.getTime());
    case 'SENTSINCE':
    case 'SENTBEFORE':
    case 'SENTON':
      return dateTest(key.slice(4), argument(), (m) => Date.parse(fieldValue(readHeaderSection(m.raw).fields, 'Date') ?? ''));
    default: {
      const test = parseSequenceSet(key, bounds.lastSequence);
      return test && ((_, n) => test(n));
    }
  }
}

function headerTest(name: string, wanted: string): SearchTest {
  const lower = wanted.toLowerCase();
  return (m) => {
    const value = fieldValue(readHeaderSection(m.raw).fields, name);
    return value !== undefined && decodeText(value).toLowerCase().includes(lower);
  };
}

/** Dates without time and zone, compared by day (RFC 9051 6.4.4). */
function dateTest(how: string, text: string, of: (m: StoredMessage) => number): SearchTest | undefined {
  const day = Date.parse(`${text} UTC`);
  if (Number.isNaN(day)) return undefined;
  const dayOf = (m: StoredMessage): number => Math.floor(of(m) / 86_400_000) * 86_400_000;
  if (how === 'SINCE') return (m) => dayOf(m) >= day;
  return how === 'BEFORE' ? (m) => dayOf(m) < day : (m) => dayOf(m) === day;
}
