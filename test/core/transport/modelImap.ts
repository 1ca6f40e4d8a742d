import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { ServerAddress } from '../../../src/core/base/types.ts';
import { issueServer } from '../../world/pki.ts';

export interface ModelMessage {
  readonly uid: number;
  readonly raw: Buffer;
  readonly flags: Set<string>;
  modseq: number;
  gmail?: { readonly id: string; readonly thread: string; readonly labels: readonly string[] };
}

export interface ModelFolder {
  path: string;
  uidValidity: number;
  uidNext: number;
  modseq: number;
  attributes: string;
  /** RFC 8474; a renamed folder keeps it. */
  mailboxId: string;
  messages: ModelMessage[];
}

/** Where a server departs from the truth. */
export interface Lies {
  /** What RFC822.SIZE says of a message. */
  size?: (message: ModelMessage) => number;
  /** Sent before the answer to a FETCH of sources: lines as they are. */
  beforeSources?: (folder: ModelFolder) => string[];
  /** Called when a FETCH of sources begins; may change the folder. */
  onSources?: (folder: ModelFolder) => void;
  /** Sent before the answer to any FETCH, which asks for `items`: lines as they are. */
  beforeFetch?: (folder: ModelFolder, items: string) => string[];
  /** UIDs whose source is never handed out. */
  withheld?: ReadonlySet<number>;
  /** UIDs of which nothing but flags and size is ever handed out. */
  headless?: ReadonlySet<number>;
  /** UIDs for which a FETCH of more than flags and size is refused; with the rest, or instead of it. */
  refused?: { readonly uids: ReadonlySet<number>; readonly how: 'afterwards' | 'at-once'; readonly code?: string };
  /** UIDs that SEARCH names besides those that are there. */
  found?: (folder: ModelFolder) => number[];
  /** Mailboxes that LIST leaves out. */
  unlisted?: (path: string) => boolean;
  /** Sent among the mailboxes of a LIST: lines as they are. */
  listed?: () => string[];
  /** A literal that says another length than it has. */
  literal?: (message: ModelMessage) => number;
}

/** Sockets are cut once this many octets were sent in all. */
interface Cut {
  after: number;
}

/**
 * An IMAP server in memory that is told what to hold and how to lie, over real TLS: RFC 9051 as far as QuMail speaks it, CONDSTORE, Gmail's
 * extension where wanted. For what Dovecot cannot be made to do, and for histories by the thousand.
 */
export class ModelImap {
  readonly folders = new Map<string, ModelFolder>();
  readonly lies: Lies = {};
  /** Every command line that came, without its tag. */
  readonly commands: string[] = [];
  cut: Cut | undefined;
  readonly #capabilities: string;
  readonly #sockets = new Set<TLSSocket>();
  #server: ReturnType<typeof createServer> | undefined;
  #validity = 1000;

  constructor(
    o: { readonly gmail?: 'gmail'; readonly condstore?: 'condstore'; readonly utf8?: 'utf8'; readonly objectId?: 'objectid' } = {},
  ) {
    const more = [
      ...(o.gmail ? ['X-GM-EXT-1'] : []),
      ...(o.condstore ? ['CONDSTORE', 'ENABLE'] : []),
      ...(o.utf8 ? ['UTF8=ACCEPT', 'ENABLE'] : []),
      ...(o.objectId ? ['OBJECTID'] : []),
    ].join(' ');
    this.#capabilities = `IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE UIDPLUS MOVE SASL-IR AUTH=PLAIN ${more}`.trim();
    this.create('INBOX');
  }

  get address(): ServerAddress {
    return { host: '127.0.0.1', port: (this.#server!.address() as AddressInfo).port, security: 'tls' };
  }

  async start(): Promise<void> {
    const { certPem, keyPem } = await issueServer();
    this.#server = createServer({ cert: certPem, key: keyPem }, (socket) => this.#serve(socket));
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    this.dropAll();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  // ---- what happens on the server ----

  create(path: string, attributes = ''): ModelFolder {
    const uidValidity = ++this.#validity;
    const folder: ModelFolder = { path, uidValidity, uidNext: 1, modseq: 1, attributes, mailboxId: `F${uidValidity}`, messages: [] };
    this.folders.set(path, folder);
    return folder;
  }

  add(path: string, raw: Buffer, o: { flags?: readonly string[]; gmail?: ModelMessage['gmail'] } = {}): ModelMessage {
    const folder = this.folders.get(path)!;
    const message: ModelMessage = {
      uid: folder.uidNext++,
      raw,
      flags: new Set(o.flags),
      modseq: ++folder.modseq,
      ...(o.gmail && { gmail: o.gmail }),
    };
    folder.messages.push(message);
    return message;
  }

  setFlag(path: string, uid: number, flag: string, to: 'on' | 'off'): void {
    const folder = this.folders.get(path)!;
    const message = folder.messages.find((each) => each.uid === uid);
    if (!message) return;
    if (to === 'on') message.flags.add(flag);
    else message.flags.delete(flag);
    message.modseq = ++folder.modseq;
  }

  /** What X-GM-LABELS says of a Gmail message in this folder. */
  setLabels(path: string, uid: number, labels: readonly string[]): void {
    const folder = this.folders.get(path)!;
    const message = folder.messages.find((each) => each.uid === uid);
    if (!message?.gmail) return;
    message.gmail = { ...message.gmail, labels };
    message.modseq = ++folder.modseq;
  }

  expunge(path: string, uid: number): void {
    const folder = this.folders.get(path)!;
    folder.messages = folder.messages.filter((each) => each.uid !== uid);
    folder.modseq++;
  }

  rename(from: string, to: string): void {
    const folder = this.folders.get(from)!;
    this.folders.delete(from);
    folder.path = to;
    this.folders.set(to, folder);
  }

  /** New UIDs for everything: RFC 9051 section 2.3.1.1. */
  renumber(path: string): void {
    const folder = this.folders.get(path)!;
    folder.uidValidity = ++this.#validity;
    folder.messages = folder.messages.map((message, index) => ({ ...message, uid: index + 1 }));
    folder.uidNext = folder.messages.length + 1;
    // Sessions that have it selected would go on with the old UIDs.
    this.dropAll();
  }

  // ---- one session ----

  #serve(socket: TLSSocket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    const session = { selected: undefined as ModelFolder | undefined, known: 0 };
    const send = (data: string | Buffer): void => {
      if (socket.destroyed) return;
      if (this.cut) {
        this.cut.after -= data.length;
        if (this.cut.after <= 0) {
          this.cut = undefined;
          socket.destroy();
          return;
        }
      }
      socket.write(data);
    };
    send(`* OK [CAPABILITY ${this.#capabilities}] ready\r\n`);
    let buffered = '';
    socket.on('data', (chunk: Buffer) => {
      buffered += chunk.toString('latin1');
      for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
        const line = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        const space = line.indexOf(' ');
        const tag = line.slice(0, space);
        const command = line.slice(space + 1);
        this.commands.push(command);
        const answer = this.#answer(command, session, send);
        send(`${tag} ${answer}\r\n`);
        if (command === 'LOGOUT') socket.end();
      }
    });
  }

  #answer(command: string, session: { selected: ModelFolder | undefined; known: number }, send: (data: string | Buffer) => void): string {
    const upper = command.toUpperCase();
    const selected = session.selected;
    if (selected && session.known !== selected.messages.length) {
      // Sequence numbers are not used by QuMail beyond EXISTS: a shrunken folder is told as it is.
      for (let gone = session.known - selected.messages.length; gone > 0; gone--) send('* 1 EXPUNGE\r\n');
      send(`* ${selected.messages.length} EXISTS\r\n`);
      session.known = selected.messages.length;
    }
    if (upper.startsWith('CAPABILITY')) send(`* CAPABILITY ${this.#capabilities}\r\n`);
    if (upper.startsWith('ENABLE')) send(`* ENABLED ${command.slice(7)}\r\n`);
    if (upper.startsWith('AUTHENTICATE') || upper.startsWith('LOGIN')) return `OK [CAPABILITY ${this.#capabilities}] in`;
    if (upper.startsWith('LIST')) this.#list(upper, send);
    if (upper.startsWith('STATUS')) {
      const folder = this.#named(command);
      if (!folder) return 'NO [NONEXISTENT] none';
      send(`* STATUS ${quoted(folder.path)} ${statusOf(folder)}\r\n`);
    }
    if (upper.startsWith('SELECT') || upper.startsWith('EXAMINE')) {
      const folder = this.#named(command);
      session.selected = folder;
      if (!folder) return 'NO [NONEXISTENT] none';
      session.known = folder.messages.length;
      send(`* FLAGS (\\Seen \\Flagged \\Answered \\Deleted \\Draft)\r\n* ${folder.messages.length} EXISTS\r\n`);
      send(`* OK [UIDVALIDITY ${folder.uidValidity}] x\r\n* OK [UIDNEXT ${folder.uidNext}] x\r\n`);
      if (this.#capabilities.includes('OBJECTID')) send(`* OK [MAILBOXID (${folder.mailboxId})] x\r\n`);
      if (this.#capabilities.includes('CONDSTORE')) send(`* OK [HIGHESTMODSEQ ${folder.modseq}] x\r\n`);
      return 'OK [READ-WRITE] selected';
    }
    if (upper.startsWith('UID SEARCH') && selected) {
      const found = this.#search(command.slice(11), selected);
      send(`* SEARCH${found.map((uid) => ` ${uid}`).join('')}\r\n`);
    }
    if (/^(UID )?FETCH/.test(upper) && selected) return this.#fetch(command, selected, send);
    return 'OK done';
  }

  #named(command: string): ModelFolder | undefined {
    const name = /^\w+ (?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(command);
    const path = (name?.[1]?.replace(/\\(.)/g, '$1') ?? name?.[2] ?? '').replace(/^inbox$/i, 'INBOX');
    // Commands are read octet by octet; with UTF8=ACCEPT (RFC 6855) names come as UTF-8.
    return this.folders.get(path) ?? this.folders.get(Buffer.from(path, 'latin1').toString());
  }

  #list(command: string, send: (data: string) => void): void {
    if (command.startsWith('LIST "" ""')) return send('* LIST (\\Noselect) "/" ""\r\n');
    const parts: string[] = [];
    for (const folder of this.folders.values()) {
      if (this.lies.unlisted?.(folder.path)) continue;
      parts.push(`* LIST (\\HasNoChildren${folder.attributes && ` ${folder.attributes}`}) "/" ${quoted(folder.path)}\r\n`);
      if (command.includes('STATUS')) parts.push(`* STATUS ${quoted(folder.path)} ${statusOf(folder)}\r\n`);
    }
    send([...parts, ...(this.lies.listed?.() ?? []).map((line) => `${line}\r\n`)].join(''));
  }

  #search(query: string, folder: ModelFolder): number[] {
    const raw = /X-GM-RAW "?rfc822msgid:([^"]+)"?/.exec(query);
    if (raw) return folder.messages.filter(({ raw: source }) => source.includes(`<${raw[1]}>`)).map(({ uid }) => uid);
    const header = /HEADER "?MESSAGE-ID"? "?(<[^"]+>)"?/i.exec(query);
    if (header) return folder.messages.filter(({ raw: source }) => source.includes(header[1]!)).map(({ uid }) => uid);
    const set = /UID ([\d:,*]+)/.exec(query);
    const within = set ? inSet(set[1]!, folder) : () => true;
    return [...folder.messages.map(({ uid }) => uid), ...(this.lies.found?.(folder) ?? [])].filter(within);
  }

  #fetch(command: string, folder: ModelFolder, send: (data: string | Buffer) => void): string {
    const [, byUid, set = '', items = ''] = /^(UID )?FETCH (\S+) (.*)$/i.exec(command) ?? [];
    const since = /CHANGEDSINCE (\d+)/.exec(items);
    const sources = items.includes('BODY.PEEK[]');
    if (sources) this.lies.onSources?.(folder);
    if (sources) for (const line of this.lies.beforeSources?.(folder) ?? []) send(`${line}\r\n`);
    for (const line of this.lies.beforeFetch?.(folder, items) ?? []) send(`${line}\r\n`);
    const content = sources || items.includes('ENVELOPE');
    const wanted = byUid ? inSet(set, folder) : undefined;
    const numbers = byUid ? undefined : inSet(set, { ...folder, messages: folder.messages.map((m, i) => ({ ...m, uid: i + 1 })) });
    const { refused } = this.lies;
    const asked = folder.messages.filter(({ uid }, index) => (wanted ? wanted(uid) : numbers!(index + 1)));
    const isAsked = new Set(asked);
    const refusal =
      content && asked.some(({ uid }) => refused?.uids.has(uid))
        ? `NO ${refused?.code ?? ''} Some messages could not be FETCHed`
        : undefined;
    if (refusal && refused?.how === 'at-once') return refusal;
    for (const [index, message] of folder.messages.entries()) {
      if (!isAsked.has(message) || (content && refused?.uids.has(message.uid))) continue;
      if (content && this.lies.headless?.has(message.uid)) continue;
      if (since && message.modseq <= Number(since[1])) continue;
      if (sources && this.lies.withheld?.has(message.uid)) continue;
      const parts = [`UID ${message.uid}`];
      if (items.includes('FLAGS')) parts.push(`FLAGS (${[...message.flags].join(' ')})`);
      if (items.includes('RFC822.SIZE')) parts.push(`RFC822.SIZE ${this.lies.size?.(message) ?? message.raw.length}`);
      if (items.includes('INTERNALDATE')) parts.push('INTERNALDATE "01-Jan-2026 10:00:00 +0000"');
      if (items.includes('MODSEQ')) parts.push(`MODSEQ (${message.modseq})`);
      if (message.gmail) {
        if (items.includes('X-GM-MSGID')) parts.push(`X-GM-MSGID ${message.gmail.id}`);
        if (items.includes('X-GM-THRID')) parts.push(`X-GM-THRID ${message.gmail.thread}`);
        if (items.includes('X-GM-LABELS')) parts.push(`X-GM-LABELS (${message.gmail.labels.map(quoted).join(' ')})`);
      }
      if (items.includes('ENVELOPE')) parts.push(envelopeOf(message.raw));
      if (items.includes('BODYSTRUCTURE')) parts.push(`BODYSTRUCTURE ${message.raw.includes('qumail_payload.json') ? SEALED : PLAIN}`);
      if (items.includes('HEADER.FIELDS')) parts.push('BODY[HEADER.FIELDS (REFERENCES)] {2}\r\n\r\n');
      if (!sources) {
        send(`* ${index + 1} FETCH (${parts.join(' ')})\r\n`);
        continue;
      }
      const length = this.lies.literal?.(message) ?? message.raw.length;
      send(`* ${index + 1} FETCH (${parts.join(' ')} BODY[] {${length}}\r\n`);
      send(message.raw);
      send(')\r\n');
    }
    return refusal ?? 'OK done';
  }
}

const PLAIN = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 1 NIL NIL NIL NIL)';
const PAYLOAD =
  '("APPLICATION" "OCTET-STREAM" ("NAME" "qumail_payload.json") NIL NIL "BASE64" 10 NIL ("ATTACHMENT" ("FILENAME" "qumail_payload.json")) NIL NIL)';
const SEALED = `(${PLAIN}${PAYLOAD} "MIXED" ("BOUNDARY" "b") NIL NIL NIL)`;

function statusOf(folder: ModelFolder): string {
  const unseen = folder.messages.filter(({ flags }) => !flags.has('\\Seen')).length;
  return `(MESSAGES ${folder.messages.length} UNSEEN ${unseen} UIDNEXT ${folder.uidNext} UIDVALIDITY ${folder.uidValidity} HIGHESTMODSEQ ${folder.modseq})`;
}

function inSet(set: string, folder: ModelFolder): (uid: number) => boolean {
  const last = Math.max(0, ...folder.messages.map(({ uid }) => uid));
  const ranges = set.split(',').map((part) => {
    const [a = 0, b = a] = part.split(':').map((text) => (text === '*' ? last : Number(text)));
    return [Math.min(a, b), Math.max(a, b)] as const;
  });
  return (uid) => ranges.some(([low, high]) => uid >= low && uid <= high);
}

function envelopeOf(raw: Buffer): string {
  const head = raw.toString('latin1').split('\r\n\r\n')[0] ?? '';
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'mi').exec(head)?.[1]?.trim();
  const text = (value: string | undefined): string => (value === undefined ? 'NIL' : quoted(value));
  const address = (value: string | undefined): string => {
    const [local, host] = (value ?? '').replace(/^.*<|>$/g, '').split('@');
    return host === undefined ? 'NIL' : `((NIL NIL ${quoted(local!)} ${quoted(host)}))`;
  };
  const from = address(field('From'));
  return `ENVELOPE (${text(field('Date'))} ${text(field('Subject'))} ${from} ${from} ${from} ${address(field('To'))} NIL NIL ${text(field('In-Reply-To'))} ${text(field('Message-ID'))})`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
