import type { Socket } from 'node:net';
import type { ImapCommandLine } from './mailHostGrammar.ts';

const MAX_LINE = 64 * 1024;

/** Octets of literals a command may carry at this moment: little before log-in, a message after it. */
type LiteralLimit = () => number;

/**
 * Cuts what a client sends into command lines with their literals (RFC 9051 4.3), and asks for synchronizing literals.
 * Calls `onTooLarge` once and stops when a line or a literal passes its limit.
 */
export function readCommandLines(
  socket: Socket,
  limit: LiteralLimit,
  onLine: (line: ImapCommandLine) => void,
  onTooLarge: () => void,
): void {
  let pending: Buffer[] = [];
  let pendingLength = 0;
  let literalLeft = 0;
  let texts: string[] = [];
  let literals: Buffer[] = [];
  let lineLength = 0;
  let literalTotal = 0;
  let stopped = false;

  const stop = (): void => {
    stopped = true;
    pending = [];
    onTooLarge();
  };
  const takeLine = (text: string): void => {
    lineLength += text.length;
    if (lineLength > MAX_LINE) return stop();
    texts.push(text);
    const literal = /\{(\d{1,12})(\+?)\}$/.exec(text);
    if (!literal) {
      const line = { texts, literals };
      texts = [];
      literals = [];
      lineLength = 0;
      literalTotal = 0;
      return onLine(line);
    }
    literalLeft = Number(literal[1]);
    literalTotal += literalLeft;
    if (literalTotal > limit()) return stop();
    if (literal[2] === '') socket.write('+ ready\r\n');
    if (literalLeft === 0) literals.push(Buffer.alloc(0));
  };

  /** Takes what belongs to the literal or line under way and returns the rest. */
  const take = (bytes: Buffer): Buffer => {
    const lf = literalLeft > 0 ? -1 : bytes.indexOf(0x0a);
    const part = literalLeft > 0 ? bytes.subarray(0, literalLeft) : lf < 0 ? bytes : bytes.subarray(0, lf + 1);
    pending.push(part);
    if (literalLeft > 0) {
      literalLeft -= part.length;
      if (literalLeft === 0) literals.push(flush());
    } else {
      pendingLength += part.length;
      if (pendingLength > MAX_LINE) stop();
      else if (lf >= 0)
        takeLine(
          flush()
            .toString('latin1')
            .replace(/\r?\n$/, ''),
        );
    }
    return stopped ? Buffer.alloc(0) : bytes.subarray(part.length);
  };
  const flush = (): Buffer => {
    const bytes = Buffer.concat(pending);
    pending = [];
    pendingLength = 0;
    return bytes;
  };

  socket.on('data', (chunk: Buffer) => {
    for (let rest = stopped ? Buffer.alloc(0) : chunk; rest.length > 0;) rest = take(rest);
  });
}
