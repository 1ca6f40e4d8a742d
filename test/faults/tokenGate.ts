import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands between Dovecot and the sign-in server's introspection: tokens can die early, and the whole can be out of order. */
export class TokenGate {
  readonly url: string;
  /** `broken` answers 500: the mail host cannot know whether a token is good, and says so. */
  state: 'open' | 'broken' = 'open';
  readonly #server: Server;
  readonly #behind: string;
  readonly #dead = new Set<string>();

  private constructor(server: Server, behind: string) {
    this.#server = server;
    this.#behind = behind;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
  }

  /** `behind`: the RFC 7662 endpoint that knows. */
  static async start(behind: string): Promise<TokenGate> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gate = new TokenGate(server, behind);
    server.on('request', (request, response) => {
      void (async () => {
        let form = '';
        for await (const chunk of request) form += String(chunk);
        const { status, body } = await gate.#answer(form);
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      })();
    });
    return gate;
  }

  /** From now on the mail host refuses this access token, whatever life it had left. */
  kill(accessToken: string): void {
    this.#dead.add(accessToken);
  }

  dispose(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(form: string): Promise<{ status: number; body: string }> {
    if (this.state === 'broken') return { status: 500, body: '{}' };
    if (this.#dead.has(new URLSearchParams(form).get('token') ?? '')) return { status: 200, body: '{"active":false}' };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(this.#behind, { method: 'POST', headers, body: form });
    return { status: answer.status, body: await answer.text() };
  }
}
