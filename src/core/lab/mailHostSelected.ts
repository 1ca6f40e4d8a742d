import { decodeMailboxName, parseSequenceSet, textOf } from './mailHostGrammar.ts';
import type { ImapNode } from './mailHostGrammar.ts';
import { parseFetchItems } from './mailHostFetch.ts';
import { parseSearch } from './mailHostSearch.ts';
import type { SelectedMailbox } from './mailHostSession.ts';
import type { LabUser, StoredMessage } from './mailHostStore.ts';

export const SELECTED_COMMANDS: ReadonlySet<string> = new Set(
  ['FETCH', 'STORE', 'SEARCH', 'COPY', 'MOVE', 'EXPUNGE'].flatMap((name) => [name, `UID ${name}`]),
);

/** A tagged answer to a command, with its response code in the text. */
export interface ImapAnswer {
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly text: string;
}

type Send = (line: string | Buffer) => void;
interface Entry {
  readonly sequence: number;
  readonly message: StoredMessage;
}

const done = (text = 'Done'): ImapAnswer => ({ status: 'OK', text });
const bad: ImapAnswer = { status: 'BAD', text: 'Malformed command' };
const readOnly: ImapAnswer = { status: 'NO', text: '[READ-ONLY] Mailbox is read-only' };

/** Runs a command of the selected state, by sequence number or by UID. */
export function runSelected(name: string, words: readonly ImapNode[], selected: SelectedMailbox, user: LabUser, send: Send): ImapAnswer {
  const byUid = name.startsWith('UID ');
  const command = byUid ? name.slice(4) : name;
  if (command === 'SEARCH') return search(words, selected, byUid ? 'uid' : 'sequence', send);
  if (command === 'EXPUNGE' && !byUid) return expunge(selected, selected.entries());
  const inSet = parseSequenceSet(textOf(words[0]) ?? '', byUid ? selected.lastUid : selected.count);
  if (!inSet) return bad;
  const entries = selected.entries().filter((e) => inSet(byUid ? e.message.uid : e.sequence));
  switch (command) {
    case 'FETCH':
      return fetch(words[1], entries, selected, byUid ? 'uid' : 'sequence', send);
    case 'STORE':
      return store(words, entries, selected, byUid ? 'uid' : 'sequence', send);
    case 'EXPUNGE':
      return expunge(selected, entries);
    default:
      return copy(command === 'MOVE' ? 'move' : 'copy', words[1], entries, selected, user, send);
  }
}

function fetch(
  node: ImapNode | undefined,
  entries: readonly Entry[],
  selected: SelectedMailbox,
  by: 'uid' | 'sequence',
  send: Send,
): ImapAnswer {
  const items = parseFetchItems(node);
  if (!items) return bad;
  const shown =
    by === 'uid' && !items.some((i) => i.name === 'UID') ? [...(parseFetchItems({ kind: 'atom', text: 'UID' }) ?? []), ...items] : items;
  const marksSeen = selected.access === 'read-write' && items.some((i) => i.setsSeen);
  for (const { sequence, message } of entries) {
    if (marksSeen && !message.flags.has('\\Seen')) selected.mailbox.setFlags([message], 'add', ['\\Seen']);
    const parts: Buffer[] = [Buffer.from(`* ${sequence} FETCH (`)];
    for (const [i, item] of shown.entries()) parts.push(Buffer.from(`${i === 0 ? '' : ' '}${item.name} `), item.read(message));
    parts.push(Buffer.from(')\r\n'));
    send(Buffer.concat(parts));
  }
  return done();
}

function store(
  words: readonly ImapNode[],
  entries: readonly Entry[],
  selected: SelectedMailbox,
  by: 'uid' | 'sequence',
  send: Send,
): ImapAnswer {
  if (selected.access === 'read-only') return readOnly;
  const action = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(textOf(words[1]) ?? '');
  if (!action) return bad;
  const flags = words
    .slice(2)
    .flatMap((w) => (w.kind === 'list' ? w.items : [w]))
    .map((f) => textOf(f) ?? '');
  if (flags.some((f) => !/^\\?[^\s()"\\]{1,60}$/.test(f))) return bad;
  const how = action[1] === '+' ? 'add' : action[1] === '-' ? 'remove' : 'replace';
  selected.muted = true;
  selected.mailbox.setFlags(
    entries.map((e) => e.message),
    how,
    flags,
  );
  selected.muted = false;
  if (action[2]) return done();
  for (const { sequence, message } of entries) {
    send(`* ${sequence} FETCH (${by === 'uid' ? `UID ${message.uid} ` : ''}FLAGS (${[...message.flags].join(' ')}))`);
  }
  return done();
}

function search(words: readonly ImapNode[], selected: SelectedMailbox, by: 'uid' | 'sequence', send: Send): ImapAnswer {
  const test = parseSearch(words, { lastUid: selected.lastUid, lastSequence: selected.count });
  if (!test) return bad;
  const found = selected.entries().filter((e) => test(e.message, e.sequence));
  send(['* SEARCH', ...found.map((e) => String(by === 'uid' ? e.message.uid : e.sequence))].join(' '));
  return done();
}

/** Removes those of `entries` that are marked \Deleted; the client is told as the command ends. */
function expunge(selected: SelectedMailbox, entries: readonly Entry[]): ImapAnswer {
  if (selected.access === 'read-only') return readOnly;
  selected.mailbox.expunge(new Set(entries.filter((e) => e.message.flags.has('\\Deleted')).map((e) => e.message.uid)));
  return done();
}

/** COPY and MOVE (RFC 6851) with COPYUID (RFC 4315). */
function copy(
  how: 'copy' | 'move',
  node: ImapNode | undefined,
  entries: readonly Entry[],
  selected: SelectedMailbox,
  user: LabUser,
  send: Send,
): ImapAnswer {
  const target = user.mailbox(decodeMailboxName(textOf(node) ?? ''));
  if (!target) return { status: 'NO', text: '[TRYCREATE] No such mailbox' };
  if (how === 'move' && selected.access === 'read-only') return readOnly;
  const pairs: [number, number][] = [];
  for (const { message } of entries) {
    const uid = target.append(message.raw, message.flags, message.internalDate);
    if (uid === undefined) return { status: 'NO', text: '[OVERQUOTA] Full' };
    pairs.push([message.uid, uid]);
  }
  if (pairs.length === 0) return done();
  const code = `[COPYUID ${target.uidValidity} ${pairs.map((p) => p[0]).join(',')} ${pairs.map((p) => p[1]).join(',')}]`;
  if (how === 'copy') return done(`${code} Copied`);
  // RFC 6851 4.3: the code comes before the EXPUNGE answers.
  send(`* OK ${code} Moved`);
  selected.mailbox.expunge(new Set(pairs.map((p) => p[0])));
  return done();
}
