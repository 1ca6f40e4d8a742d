import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where Postfix asks: before it answers RCPT, so before DATA; and after the last octet of the message, before the answer to it. */
export type Moment = 'RCPT' | 'END-OF-MESSAGE';

/** What Postfix shall do: `DUNNO` for its own will, or a reply such as `451 4.7.1 later`. */
export type Verdict = string;

interface Rule {
  readonly at: Moment;
  readonly sender: string;
  left: number;
  readonly decide: () => Verdict | Promise<Verdict>;
}

/** A Postfix policy server (SMTPD_POLICY_README): real SMTP replies on demand, and the exact moments around DATA for a proxy to strike. */
export class PolicyServer {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #rules: Rule[] = [];
  #busy = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<PolicyServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PolicyServer(server);
  }

  /** Questions that wait for an answer now. */
  get busy(): number {
    return this.#busy;
  }

  /** The next `times` questions of this moment about mail from `sender` are answered by `decide`. */
  next(at: Moment, sender: string, decide: Rule['decide'], times = 1): void {
    this.#rules.push({ at, sender, left: times, decide });
  }

  /** Forgets what was not asked for. */
  clear(): void {
    this.#rules.length = 0;
  }

  dispose(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const question = new Map(
          text
            .slice(0, end)
            .split('\n')
            .map((line) => splitOnce(line)),
        );
        text = text.slice(end + 2);
        void this.#answer(question).then((verdict) => socket.write(`action=${verdict}\n\n`));
      }
    });
  }

  async #answer(question: ReadonlyMap<string, string>): Promise<Verdict> {
    const rule = this.#rules.find(({ at, sender }) => at === question.get('protocol_state') && sender === question.get('sender'));
    if (!rule) return 'DUNNO';
    rule.left -= 1;
    if (rule.left <= 0) this.#rules.splice(this.#rules.indexOf(rule), 1);
    this.#busy += 1;
    try {
      return await rule.decide();
    } finally {
      this.#busy -= 1;
    }
  }
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}
