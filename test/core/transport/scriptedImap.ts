import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { ServerAddress } from '../../../src/core/base/types.ts';
import { issueServer } from '../../world/pki.ts';

/** A session as the server sees it. */
export interface ScriptedSession {
  /** Password or access token it was opened with. */
  readonly shown: string;
  /** True between the continuation of IDLE and DONE. */
  readonly idling: boolean;
  say(line: string): void;
  end(): void;
}

export interface ScriptedImap {
  readonly address: ServerAddress;
  /** Sessions opened so far, in order; those refused at the door included. */
  readonly sessions: readonly ScriptedSession[];
  /** Resolves with the session once the `count`th one since the start has begun to idle. */
  untilIdling(count: number): Promise<ScriptedSession>;
  /** Said instead of the greeting, and the connection closed, while set. */
  greeting: string | undefined;
  /** What a command is answered with instead of OK, e.g. `NO [EXPIRED] token expired`; undefined for OK. */
  answer: (command: string, session: ScriptedSession) => string | undefined;
  close(): Promise<void>;
}

/**
 * As much IMAP as it takes to hold an empty INBOX in IDLE and to list it, saying what a test wants at the moment it wants it. For what
 * Dovecot cannot be made to say; everything else is tested against Dovecot.
 */
export async function startScriptedImap(): Promise<ScriptedImap> {
  const { certPem, keyPem } = await issueServer();
  const sessions: (ScriptedSession & { shown: string; idling: boolean })[] = [];
  const sockets = new Set<TLSSocket>();
  const waiting: { count: number; resolve: (session: ScriptedSession) => void }[] = [];
  let idles = 0;
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => {
    sockets.add(socket);
    const session = { shown: '', idling: false, say: (line: string) => void socket.write(`${line}\r\n`), end: () => void socket.end() };
    sessions.push(session);
    socket.on('error', () => {});
    session.say(imap.greeting ?? '* OK [CAPABILITY IMAP4rev1 IDLE SASL-IR AUTH=PLAIN AUTH=XOAUTH2] ready');
    if (imap.greeting !== undefined) return session.end();
    let idleTag = '';
    let buffered = '';
    const serve = (line: string): void => {
      if (session.idling) {
        session.idling = false;
        session.say(`${idleTag} OK done`);
        return;
      }
      const [tag = '', command = '', ...rest] = line.split(' ');
      if (command === 'AUTHENTICATE') session.shown = shownIn(rest[1] ?? '');
      const other = imap.answer(command, session);
      if (other !== undefined) return session.say(`${tag} ${other}`);
      if (command === 'CAPABILITY') session.say('* CAPABILITY IMAP4rev1 IDLE');
      if (command === 'LIST') session.say('* LIST (\\HasNoChildren) "/" INBOX');
      if (command === 'STATUS') session.say('* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1 UNSEEN 0)');
      if (command === 'SELECT' || command === 'EXAMINE') session.say('* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 1] x');
      if (command !== 'IDLE') return session.say(`${tag} OK done`);
      idleTag = tag;
      session.idling = true;
      session.say('+ idling');
      idles++;
      for (const waiter of waiting) if (waiter.count === idles) waiter.resolve(session);
    };
    socket.on('data', (chunk: Buffer) => {
      buffered += chunk.toString('latin1');
      for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
        const line = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        serve(line);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const imap: ScriptedImap = {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port, security: 'tls' },
    sessions,
    untilIdling: (count) => new Promise((resolve) => waiting.push({ count, resolve })),
    greeting: undefined,
    answer: () => undefined,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return imap;
}

function shownIn(initial: string): string {
  const text = Buffer.from(initial, 'base64').toString('latin1');
  return /Bearer ([^\x01]*)/.exec(text)?.[1] ?? text.split('\0')[2] ?? '';
}
