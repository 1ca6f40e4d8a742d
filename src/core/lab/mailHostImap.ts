import type { Socket } from 'node:net';
import type { Disposable } from '../base/lifetime.ts';
import { decodeMailboxName, encodeMailboxName, imapString, parseImapWords, textOf } from './mailHostGrammar.ts';
import type { ImapCommandLine, ImapNode } from './mailHostGrammar.ts';
import { runSelected, SELECTED_COMMANDS } from './mailHostSelected.ts';
import type { ImapAnswer } from './mailHostSelected.ts';
import { SelectedMailbox } from './mailHostSession.ts';
import type { LabMailbox, LabUser } from './mailHostStore.ts';
import { readCommandLines } from './mailHostWire.ts';

const MAX_MESSAGE = 64 * 1024 * 1024;
const MAX_LOGIN = 16 * 1024;
const MAX_FAILURES = 5;
/** RFC 9051 5.4 asks for 30 minutes at least. */
const IDLE_TIMEOUT_MS = 31 * 60 * 1000;
const CAPABILITIES = 'IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN ID NAMESPACE ENABLE IDLE UNSELECT UIDPLUS MOVE SPECIAL-USE';

const ok = (text: string): ImapAnswer => ({ status: 'OK', text });
const no = (text: string): ImapAnswer => ({ status: 'NO', text });
const bad = (text = 'Malformed command'): ImapAnswer => ({ status: 'BAD', text });

/** One client of the lab's IMAP4rev1 server: what ImapFlow and curious people with `openssl s_client` need of RFC 3501, no more. */
export class ImapConnection implements Disposable {
  readonly #socket: Socket;
  readonly #authenticate: (user: string, password: string) => LabUser | undefined;
  #user: LabUser | undefined;
  #selected: SelectedMailbox | undefined;
  #failures = 0;
  /** The tag of the command whose continuation line is awaited, and what takes that line. */
  #continuation: ((line: ImapCommandLine) => void) | undefined;
  #idling = false;

  constructor(socket: Socket, authenticate: (user: string, password: string) => LabUser | undefined) {
    this.#socket = socket;
    this.#authenticate = authenticate;
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_TIMEOUT_MS, () => this.#bye('Too long silent'));
    socket.on('error', () => this.dispose());
    socket.on('close', () => this.dispose());
    readCommandLines(
      socket,
      () => (this.#user ? MAX_MESSAGE : MAX_LOGIN),
      (line) => this.#onLine(line),
      () => this.#bye('Command too large'),
    );
    this.#send(`* OK [CAPABILITY ${CAPABILITIES}] QuMail Lab SIMULATED`);
  }

  dispose(): void {
    this.#selected?.dispose();
    this.#selected = undefined;
    this.#socket.destroy();
  }

  #send(line: string | Buffer): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(typeof line === 'string' ? Buffer.from(`${line}\r\n`) : line);
  }

  #bye(text: string): void {
    this.#send(`* BYE ${text}`);
    this.#socket.destroySoon();
  }

  #onLine(line: ImapCommandLine): void {
    const continuation = this.#continuation;
    if (continuation) {
      this.#continuation = undefined;
      return continuation(line);
    }
    const words = parseImapWords(line);
    const tag = textOf(words?.[0]);
    let name = textOf(words?.[1])?.toUpperCase();
    if (!words || tag === undefined || !/^[A-Za-z0-9.]{1,50}$/.test(tag) || name === undefined)
      return this.#send('* BAD Malformed command');
    let rest = words.slice(2);
    if (name === 'UID') {
      name = `UID ${textOf(rest[0])?.toUpperCase()}`;
      rest = rest.slice(1);
    }
    const answer = this.#run(tag, name, rest);
    if (answer) this.#finish(tag, name, answer);
  }

  #finish(tag: string, name: string, answer: ImapAnswer): void {
    // Sequence numbers in these commands' answers would otherwise lie (RFC 9051 7.5.1).
    this.#selected?.catchUp(/^(?:FETCH|STORE|SEARCH)$/.test(name) ? 'without-expunges' : 'with-expunges');
    this.#send(`${tag} ${answer.status} ${answer.text}`);
    if (name === 'LOGOUT') this.#socket.destroySoon();
  }

  /** Undefined: the command answers later. */
  #run(tag: string, name: string, words: ImapNode[]): ImapAnswer | undefined {
    switch (name) {
      case 'CAPABILITY':
        this.#send(`* CAPABILITY ${CAPABILITIES}`);
        return ok('Done');
      case 'NOOP':
      case 'CHECK':
        return ok('Done');
      case 'ID':
        this.#send('* ID ("name" "QuMail Lab SIMULATED")');
        return ok('Done');
      case 'LOGOUT':
        this.#send('* BYE See you');
        return ok('Done');
      case 'LOGIN':
        return this.#logIn(textOf(words[0]), textOf(words[1]));
      case 'AUTHENTICATE':
        return this.#authenticatePlain(tag, words);
      default:
        if (!this.#user) return bad('Log in first');
        return this.#runAuthenticated(tag, name, words, this.#user);
    }
  }

  #logIn(user: string | undefined, password: string | undefined): ImapAnswer {
    if (this.#user) return bad('Already logged in');
    this.#user = this.#authenticate(user ?? '', password ?? '');
    if (this.#user) return ok(`[CAPABILITY ${CAPABILITIES}] Logged in`);
    if (++this.#failures >= MAX_FAILURES) this.#bye('Too many failures');
    return no('[AUTHENTICATIONFAILED] Wrong user or password');
  }

  /** SASL PLAIN (RFC 4616) with or without initial response (RFC 4959). */
  #authenticatePlain(tag: string, words: ImapNode[]): ImapAnswer | undefined {
    if (textOf(words[0])?.toUpperCase() !== 'PLAIN') return no('[CANNOT] PLAIN only');
    const finish = (response: string): ImapAnswer => {
      const [, user, password] = Buffer.from(response, 'base64').toString('utf8').split('\0');
      return response === '*' ? bad('Cancelled') : this.#logIn(user, password);
    };
    const initial = textOf(words[1]);
    if (initial !== undefined) return finish(initial);
    this.#send('+ ');
    this.#continuation = (line) => this.#finish(tag, 'AUTHENTICATE', finish(line.texts.join('').trim()));
    return undefined;
  }

  #runAuthenticated(tag: string, name: string, words: ImapNode[], user: LabUser): ImapAnswer | undefined {
    const path = decodeMailboxName(textOf(words[0]) ?? '');
    switch (name) {
      case 'NAMESPACE':
        this.#send('* NAMESPACE (("" "/")) NIL NIL');
        return ok('Done');
      case 'ENABLE':
        this.#send('* ENABLED');
        return ok('Done');
      case 'LIST':
      case 'LSUB':
        return this.#list(name, words, user);
      case 'STATUS':
        return this.#status(user.mailbox(path), words[1]);
      case 'SELECT':
      case 'EXAMINE':
        return this.#select(user.mailbox(path), name === 'SELECT' ? 'read-write' : 'read-only');
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return ok('Done');
      case 'CREATE':
        // RFC 5530: clients that only need the folder to be there go on.
        if (user.mailbox(path.replace(/\/$/, ''))) return no('[ALREADYEXISTS] Mailbox exists');
        return user.create(path) ? ok('Created') : no('[CANNOT] Not created');
      case 'DELETE':
        return user.remove(path) ? ok('Deleted') : no('[CANNOT] Not deleted');
      case 'APPEND':
        return append(user.mailbox(path), words.slice(1));
      case 'IDLE':
        return this.#idle(tag);
      case 'CLOSE':
      case 'UNSELECT':
        return this.#close(name);
      default:
        if (!SELECTED_COMMANDS.has(name)) return bad('Unknown command');
        if (!this.#selected) return bad('Select a mailbox first');
        return runSelected(name, words, this.#selected, user, (line) => this.#send(line));
    }
  }

  #list(name: 'LIST' | 'LSUB', words: ImapNode[], user: LabUser): ImapAnswer {
    // LIST (options) "" pattern RETURN (…): selection and return options ask for what is shown anyway (RFC 6154).
    const [reference, pattern] = words.filter((w) => w.kind !== 'list').map((w) => decodeMailboxName(textOf(w) ?? ''));
    if (pattern === undefined) return bad();
    if (pattern === '') {
      this.#send(`* ${name} (\\Noselect) "/" ""`);
      return ok('Done');
    }
    const match = listPattern(`${reference ?? ''}${pattern}`);
    if (!match) return bad('Too many wildcards');
    for (const { path, specialUse } of user.mailboxes) {
      if (!match.test(path)) continue;
      const use = specialUse && specialUse !== 'inbox' ? ` \\${specialUse.charAt(0).toUpperCase()}${specialUse.slice(1)}` : '';
      this.#send(`* ${name} (\\HasNoChildren${use}) "/" ${imapString(encodeMailboxName(path)).toString()}`);
    }
    return ok('Done');
  }

  #status(mailbox: LabMailbox | undefined, node: ImapNode | undefined): ImapAnswer {
    if (!mailbox) return no('[NONEXISTENT] No such mailbox');
    if (node?.kind !== 'list') return bad();
    const values: Readonly<Record<string, number>> = {
      MESSAGES: mailbox.messages.length,
      RECENT: 0,
      UIDNEXT: mailbox.uidNext,
      UIDVALIDITY: mailbox.uidValidity,
      UNSEEN: mailbox.messages.filter((m) => !m.flags.has('\\Seen')).length,
    };
    const shown = node.items.flatMap((item) => {
      const key = (textOf(item) ?? '').toUpperCase();
      return values[key] === undefined ? [] : [`${key} ${values[key]}`];
    });
    this.#send(`* STATUS ${imapString(encodeMailboxName(mailbox.path)).toString()} (${shown.join(' ')})`);
    return ok('Done');
  }

  #select(mailbox: LabMailbox | undefined, access: 'read-write' | 'read-only'): ImapAnswer {
    this.#selected?.dispose();
    this.#selected = undefined;
    if (!mailbox) return no('[NONEXISTENT] No such mailbox');
    this.#selected = new SelectedMailbox(
      mailbox,
      access,
      (line) => this.#send(line),
      () => {
        if (this.#idling) this.#selected?.catchUp('with-expunges');
      },
    );
    this.#send('* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)');
    this.#send(`* OK [PERMANENTFLAGS (${access === 'read-only' ? '' : '\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*'})] Flags`);
    this.#send(`* ${this.#selected.count} EXISTS`);
    this.#send('* 0 RECENT');
    this.#send(`* OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs`);
    this.#send(`* OK [UIDNEXT ${mailbox.uidNext}] Next`);
    return ok(`[${access === 'read-only' ? 'READ-ONLY' : 'READ-WRITE'}] Selected`);
  }

  #close(name: 'CLOSE' | 'UNSELECT'): ImapAnswer {
    const selected = this.#selected;
    if (!selected) return bad('Select a mailbox first');
    this.#selected = undefined;
    selected.dispose();
    if (name === 'CLOSE' && selected.access === 'read-write') {
      selected.mailbox.expunge(new Set(selected.mailbox.messages.filter((m) => m.flags.has('\\Deleted')).map((m) => m.uid)));
    }
    return ok('Closed');
  }

  #idle(tag: string): undefined {
    this.#idling = true;
    this.#send('+ idling');
    this.#selected?.catchUp('with-expunges');
    this.#continuation = (line) => {
      this.#idling = false;
      this.#finish(tag, 'IDLE', line.texts.join('').trim().toUpperCase() === 'DONE' ? ok('Done') : bad('DONE expected'));
    };
  }
}

/** A LIST pattern (RFC 9051 6.3.9) as a regular expression; undefined beyond three wildcards, which could cost much and say nothing. */
function listPattern(pattern: string): RegExp | undefined {
  const words = pattern.split(/([*%]+)/);
  if (pattern.length > 500 || words.length > 7) return undefined;
  const escaped = words.map((w) =>
    w.startsWith('*') || w.includes('*') ? '.*' : w.startsWith('%') ? '[^/]*' : w.replace(/[^\w\s/]/gu, String.raw`\$&`),
  );
  return new RegExp(`^${escaped.join('')}$`, 'i');
}

/** APPEND mailbox [(flags)] [date] message, with APPENDUID (RFC 4315). */
function append(mailbox: LabMailbox | undefined, words: ImapNode[]): ImapAnswer {
  if (!mailbox) return no('[TRYCREATE] No such mailbox');
  const message = words.at(-1);
  if (message?.kind !== 'string') return bad();
  const flags = words[0]?.kind === 'list' ? words[0].items.map((f) => textOf(f) ?? '') : [];
  const date = words.length > 1 ? textOf(words.at(-2)) : undefined;
  const when = date === undefined ? Number.NaN : Date.parse(date.replaceAll('-', ' ').replace(/ (\d{4})$/, ' -$1'));
  const uid = mailbox.append(message.bytes, flags, Number.isNaN(when) ? new Date() : new Date(when));
  return uid === undefined ? no('[OVERQUOTA] Full') : ok(`[APPENDUID ${mailbox.uidValidity} ${uid}] Appended`);
}
