import type { UnsubscribeResult } from '../base/actions.ts';
import { QuMailError } from '../base/errors.ts';
import type { HttpFetch } from '../base/ports.ts';
import type { ActionRequests } from '../base/requests/actionRequests.ts';
import { readHeaderSection } from '../mail/headerSection.ts';
import { unsubscribeOffer } from '../mail/unsubscribe.ts';

export interface UnsubscribeDeps {
  readonly fetch: HttpFetch;
  /** The source of a message as the server holds it, and whose it is. */
  readonly source: (messageId: number, signal: AbortSignal | undefined) => Promise<{ accountId: string; raw: Buffer }>;
  readonly createDraft: (o: { accountId: string; to: string; subject: string }) => Promise<{ id: string }>;
}

const TIMEOUT_MS = 15_000;
const MAX_ANSWER = 256 * 1024;

/** Leaves a mailing list, when a person asks for it and at no other time. */
export class UnsubscribeService implements Pick<ActionRequests, 'unsubscribe'> {
  readonly #deps: UnsubscribeDeps;

  constructor(deps: UnsubscribeDeps) {
    this.#deps = deps;
  }

  async unsubscribe(request: { messageId: number }, options: { signal?: AbortSignal } = {}): Promise<UnsubscribeResult> {
    const { accountId, raw } = await this.#deps.source(request.messageId, options.signal);
    const { oneClick, mailto } = unsubscribeOffer(readHeaderSection(raw).fields);
    if (oneClick) return this.#post(oneClick, options.signal);
    if (!mailto) throw new QuMailError('unsubscribe.none');
    const draft = await this.#deps.createDraft({ accountId, to: mailto.address, subject: mailto.subject });
    return { state: 'draft', draftId: draft.id };
  }

  /** RFC 8058 section 3.2: no cookies, no credentials, no redirects. */
  async #post(url: URL, signal: AbortSignal | undefined): Promise<UnsubscribeResult> {
    const { status } = await this.#deps.fetch({
      method: 'POST',
      url: url.href,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER,
      ...(signal && { signal }),
    });
    if (status < 200 || status >= 300) throw new QuMailError('unsubscribe.refused', { host: url.host, status });
    return { state: 'done', host: url.host };
  }
}
