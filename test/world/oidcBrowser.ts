import * as http from 'node:http';
import * as https from 'node:https';
import type { OpenBrowser } from '../../src/core/base/ports.ts';

export interface Page {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/**
 * A person at a browser, over plain HTTP: follows redirects, keeps cookies, types the name, presses Continue. Any host name of the
 * provider leads to 127.0.0.1, as `--host-resolver-rules` makes it in a real browser.
 */
export class OidcBrowser {
  readonly #caPem: string;
  readonly #origins: readonly string[];

  constructor(caPem: string, origins: readonly string[]) {
    this.#caPem = caPem;
    this.#origins = origins;
  }

  /** Signs in and consents (or presses Cancel) and returns the address the provider sends the browser to, not yet visited. */
  async signInAs(authorizationUrl: string, email: string, answer: 'allow' | 'deny' = 'allow'): Promise<string> {
    const cookies = new Map<string, string>();
    let next: { url: string; form?: Record<string, string> } = { url: authorizationUrl };
    for (let step = 0; step < 20; step++) {
      const { url, form } = next;
      const page = await this.#ask(url, cookies, form);
      const location = page.headers.location;
      if (location !== undefined) {
        next = { url: new URL(location, url).href };
        if (!this.#origins.includes(new URL(next.url).origin)) return next.url;
        continue;
      }
      const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1];
      const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1];
      if (action === undefined || prompt === undefined)
        throw new Error(`no form at ${new URL(url).pathname}: ${page.status} ${page.text.slice(0, 300)}`);
      const cancel = /<a href="([^"]+\/abort)"/.exec(page.text)?.[1];
      if (answer === 'deny' && prompt === 'consent' && cancel !== undefined) next = { url: new URL(cancel, url).href };
      else next = { url: new URL(action, url).href, form: prompt === 'login' ? { prompt, login: email, password: 'any' } : { prompt } };
    }
    throw new Error('the sign-in pages go round in circles');
  }

  /**
   * An OpenBrowser port that signs in as `email` and then visits the redirect (through `change`, which may spoil it).
   * `landing` tells what the person finally sees.
   */
  person(
    email: string,
    o: { answer?: 'allow' | 'deny'; change?: (redirect: URL) => URL } = {},
  ): { openBrowser: OpenBrowser; landing: () => Promise<Page>; visited: string[] } {
    let landing: Promise<Page> | undefined;
    const visited: string[] = [];
    const openBrowser: OpenBrowser = (url) => {
      visited.push(url);
      landing = this.signInAs(url, email, o.answer).then((redirect) => {
        const target = o.change ? o.change(new URL(redirect)).href : redirect;
        visited.push(target);
        return visit(target);
      });
      // Who looks at the landing page sees the failure; who does not must not be stopped by it.
      landing.catch(() => {});
      return Promise.resolve(true);
    };
    return { openBrowser, visited, landing: () => landing ?? Promise.reject(new Error('no browser was opened')) };
  }

  async #ask(url: string, cookies: Map<string, string>, form?: Record<string, string>): Promise<Page> {
    const body = form && new URLSearchParams(form).toString();
    const page = await request(
      url,
      {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(Buffer.byteLength(body)) }),
        },
        ca: this.#caPem,
      },
      body,
    );
    for (const cookie of page.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name === undefined) continue;
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    return page;
  }
}

/** Loads one page over plain HTTP, as the browser does with the loopback redirect. */
export function visit(url: string, options: http.RequestOptions = {}): Promise<Page> {
  return request(url, options);
}

function request(url: string, options: https.RequestOptions, body?: string): Promise<Page> {
  const { protocol, hostname } = new URL(url);
  const toLoopback: https.RequestOptions = hostname.endsWith('.test')
    ? { lookup: (_host, o, done) => (o.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) }
    : {};
  return new Promise((resolve, reject) => {
    const outgoing = (protocol === 'https:' ? https : http).request(url, { agent: false, ...toLoopback, ...options }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject).end(body);
  });
}
