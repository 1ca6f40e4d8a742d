import {
  QuMailError,
  type QuMailRequests,
  type QuerySuggestion,
  type SearchCoverage,
  type SearchHit,
  type SearchProblem,
} from '../../core/api.ts';
import { asTyped } from './asTyped.ts';

/** What is known about the query that is being typed. */
export interface SearchState {
  readonly query: string;
  readonly busy: boolean;
  readonly hits: readonly SearchHit[];
  readonly coverage?: SearchCoverage;
  readonly sealedPending: boolean;
  readonly problems: readonly SearchProblem[];
  readonly suggestions: readonly QuerySuggestion[];
  /** Of a search that failed for another reason than the query. */
  readonly failure?: QuMailError;
}

type Requests = Pick<QuMailRequests, 'search' | 'checkQuery' | 'completeQuery'>;

const NOTHING: SearchState = { query: '', busy: false, hits: [], sealedPending: false, problems: [], suggestions: [] };
const LIMIT = 30;

/**
 * Search as one types: the last query wins, what is still under way for an earlier one is cancelled and its answer dropped. What was found
 * before stays on show until the new answer is there, so that the list does not flicker.
 */
export class LiveSearch {
  readonly #api: () => Requests;
  readonly #show: (state: SearchState) => void;
  readonly #delayMs: number;
  #state = NOTHING;
  #running: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #answer: PromiseWithResolvers<SearchState | undefined> | undefined;

  /** @param delayMs quiet time after a keystroke before anything is asked */
  constructor(api: () => Requests, show: (state: SearchState) => void, delayMs = 80) {
    this.#api = api;
    this.#show = show;
    this.#delayMs = delayMs;
  }

  get state(): SearchState {
    return this.#state;
  }

  type(query: string): void {
    this.#stop();
    const running = new AbortController();
    this.#running = running;
    this.#tell({ ...this.#state, query, busy: true });
    this.#timer = setTimeout(() => void this.#run(query, running.signal), this.#delayMs);
  }

  /** What answers the query that was typed last; undefined where something else is typed, or the box closed, before it is there. */
  answered(): Promise<SearchState | undefined> {
    if (!this.#state.busy) return Promise.resolve(this.#state);
    this.#answer ??= Promise.withResolvers();
    return this.#answer.promise;
  }

  dispose(): void {
    this.#stop();
  }

  #stop(): void {
    this.#answer?.resolve(undefined);
    this.#answer = undefined;
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = undefined;
  }

  async #run(query: string, signal: AbortSignal): Promise<void> {
    const api = this.#api();
    try {
      const [suggestions, problems] = await Promise.all([
        api.completeQuery({ text: query, at: query.length }),
        query.trim() === '' ? [] : api.checkQuery({ query }),
      ]);
      if (signal.aborted) return;
      if (query.trim() === '') return this.#tell({ ...NOTHING, suggestions });
      if (problems.length > 0) return this.#tell({ ...NOTHING, query, suggestions, problems });
      const page = await api.search({ query: asTyped(query), limit: LIMIT }, { signal });
      if (signal.aborted) return;
      this.#tell({ ...NOTHING, query, suggestions, hits: page.messages, coverage: page.coverage, sealedPending: page.sealedPending });
    } catch (error) {
      if (!signal.aborted) this.#tell({ ...NOTHING, query, failure: QuMailError.from(error) });
    }
  }

  #tell(state: SearchState): void {
    this.#state = state;
    this.#show(state);
    if (state.busy) return;
    this.#answer?.resolve(state);
    this.#answer = undefined;
  }
}
