import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { QuMailError, type QuerySuggestion, type SearchHit, type SearchPage } from '../../../src/core/api.ts';
import { asTyped } from '../../../src/views/search/asTyped.ts';
import { askServers } from '../../../src/views/search/askServers.ts';
import { entered, outcomeOf } from '../../../src/views/search/enterKey.ts';
import { LiveSearch, type SearchState } from '../../../src/views/search/liveSearch.ts';
import { completed, searchRows } from '../../../src/views/search/searchRows.ts';
import { plain } from './plainLocaliser.ts';

const hit = (id: number, text = ''): SearchHit => ({
  id,
  accountId: 'a',
  folder: 'INBOX',
  from: { name: 'Bob', address: 'bob@b.example' },
  to: [],
  subject: `Subject ${id}`,
  date: Date.UTC(2026, 8, 1),
  size: 1,
  flags: [],
  hasAttachments: false,
  preview: '',
  level: 'L4',
  seal: 'plain',
  subjectMarks: [],
  ...(text ? { snippet: { text, marks: [{ from: 0, to: 4 }] } } : {}),
});
const page = (...messages: SearchHit[]): SearchPage => ({ messages, coverage: { indexed: 5, total: 10 }, sealedPending: false });
const operator = (text: string, from: number, to: number): QuerySuggestion => ({ kind: 'operator', text, from, to });

/** A search box whose answers the test gives when it likes. */
class Bench {
  readonly states: SearchState[] = [];
  readonly asked: { readonly query: string; readonly signal: AbortSignal | undefined; readonly answer: (page: SearchPage) => void }[] = [];
  readonly #changes = new EventEmitter();
  problems: readonly { code: 'search.stray'; details: { what: string }; from: number; to: number }[] = [];
  suggestions: readonly QuerySuggestion[] = [];
  failure: QuMailError | undefined;
  readonly search = new LiveSearch(
    () => ({
      checkQuery: async () => this.problems,
      completeQuery: async () => this.suggestions,
      search: ({ query }, options) => {
        if (this.failure) return Promise.reject(this.failure);
        const { promise, resolve } = Promise.withResolvers<SearchPage>();
        this.asked.push({ query, signal: options?.signal, answer: resolve });
        this.#changes.emit('asked');
        return promise;
      },
    }),
    (state) => {
      this.states.push(state);
      if (!state.busy) this.#changes.emit('settled');
    },
    1,
  );

  /** The next search that reaches the engine. */
  asking(): Promise<unknown> {
    return once(this.#changes, 'asked');
  }

  settled(): Promise<unknown> {
    return once(this.#changes, 'settled');
  }
}

describe('views/search as one types', () => {
  it('asks once for what is typed without a pause, and shows the answer', async () => {
    const bench = new Bench();
    const asking = bench.asking();
    for (const query of ['k', 'ku', 'kum']) bench.search.type(query);
    await asking;
    assert.deepEqual(
      bench.asked.map(({ query }) => query),
      ['kum*'],
    );
    const settled = bench.settled();
    bench.asked[0]?.answer(page(hit(1)));
    await settled;
    assert.deepEqual(
      bench.search.state.hits.map(({ id }) => id),
      [1],
    );
  });

  it('cancels what is under way for an earlier query and drops its answer', async () => {
    const bench = new Bench();
    const first = bench.asking();
    bench.search.type('one');
    await first;
    const second = bench.asking();
    bench.search.type('two');
    assert.equal(bench.asked[0]?.signal?.aborted, true);
    await second;
    const settled = bench.settled();
    bench.asked[1]?.answer(page(hit(2)));
    bench.asked[0]?.answer(page(hit(1)));
    await settled;
    assert.ok(bench.states.every(({ hits }) => !hits.some(({ id }) => id === 1)));
  });

  it('keeps what was found on show while the next answer is on its way', async () => {
    const bench = new Bench();
    const asking = bench.asking();
    bench.search.type('one');
    await asking;
    const settled = bench.settled();
    bench.asked[0]?.answer(page(hit(1)));
    await settled;
    bench.search.type('one t');
    assert.deepEqual([bench.search.state.busy, bench.search.state.hits.length], [true, 1]);
    bench.search.dispose();
  });

  it('does not search for what has mistakes, and says which', async () => {
    const bench = new Bench();
    bench.problems = [{ code: 'search.stray', details: { what: '(' }, from: 0, to: 1 }];
    const settled = bench.settled();
    bench.search.type('(');
    await settled;
    assert.equal(bench.asked.length, 0);
    assert.equal(bench.search.state.problems.length, 1);
  });

  it('tells a failure that is not the query’s', async () => {
    const bench = new Bench();
    bench.failure = new QuMailError('engine.internal');
    const settled = bench.settled();
    bench.search.type('x');
    await settled;
    assert.ok(bench.search.state.failure);
  });
});

describe('views/Enter in the search box', () => {
  const stale = { kind: 'open', messageId: 1 } as const;

  it('does what the chosen row says once the rows answer what was typed', async () => {
    const bench = new Bench();
    const asking = bench.asking();
    bench.search.type('kumquat');
    await asking;
    const settled = bench.settled();
    bench.asked[0]?.answer(page(hit(1)));
    await settled;
    assert.deepEqual(await entered(bench.search, stale), stale);
    assert.deepEqual(await entered(bench.search, undefined), { kind: 'nothing' });
  });

  it('opens no hit of an earlier text, but lists what the typed one finds', async () => {
    const bench = new Bench();
    const first = bench.asking();
    bench.search.type('kum');
    await first;
    const settled = bench.settled();
    bench.asked[0]?.answer(page(hit(1)));
    await settled;
    const second = bench.asking();
    bench.search.type('kumquat');
    const act = entered(bench.search, stale);
    await second;
    bench.asked[1]?.answer(page(hit(2)));
    assert.deepEqual(await act, { kind: 'list' });
  });

  it('takes no suggestion for what was typed before', async () => {
    const bench = new Bench();
    const asking = bench.asking();
    bench.search.type('kumquat');
    const act = entered(bench.search, { kind: 'complete', suggestion: operator('from:', 0, 0) });
    await asking;
    bench.asked[0]?.answer(page());
    assert.deepEqual(await act, { kind: 'list' });
  });

  it('leaves the box as it is where what was typed has mistakes, or is typed on', async () => {
    const bench = new Bench();
    bench.problems = [{ code: 'search.stray', details: { what: '(' }, from: 0, to: 1 }];
    bench.search.type('(');
    assert.deepEqual(await entered(bench.search, stale), { kind: 'nothing' });
    bench.problems = [];
    bench.search.type('kum');
    const act = entered(bench.search, stale);
    bench.search.type('kumquat');
    assert.deepEqual(await act, { kind: 'nothing' });
    const closed = entered(bench.search, stale);
    bench.search.dispose();
    assert.deepEqual(await closed, { kind: 'nothing' });
    bench.search.type(' ');
    assert.deepEqual(await entered(bench.search, stale), { kind: 'nothing' });
  });

  it('lists and asks servers for the query whose hits were shown', () => {
    const outcomes = {
      open: (id: number) => `open ${id}`,
      list: (query: string) => `list ${query}`,
      server: (query: string) => `server ${query}`,
      save: () => assert.fail(),
      openSaved: ({ id }: { id: string }) => `saved ${id}`,
    };
    const search = { id: '1', name: 'Fruit', query: 'kumquat', total: 3, unread: 1 };
    for (const [act, done] of [
      [{ kind: 'server' }, 'server quart*'],
      [{ kind: 'list' }, 'list quart*'],
      [stale, 'open 1'],
      [{ kind: 'saved', search }, 'saved 1'],
      [{ kind: 'nothing' }, undefined],
    ] as const)
      assert.equal(outcomeOf(act, 'quart', outcomes)?.(), done);
  });
});

describe('views/search on several servers', () => {
  const signal = new AbortController().signal;
  const dated = (id: number, date: number): SearchHit => ({ ...hit(id), date });
  const servers = (answers: Readonly<Record<string, readonly SearchHit[] | QuMailError>>) => ({
    searchServer: async ({ accountId }: { accountId: string }) => {
      const answer = answers[accountId];
      if (answer === undefined || answer instanceof QuMailError) throw answer ?? new Error(accountId);
      return { messages: answer, complete: true };
    },
  });

  it('shows what came, the newest first, and says which account failed', async () => {
    const api = servers({ alice: [dated(1, 10), dated(2, 30)], bob: new QuMailError('net.refused'), carol: [dated(3, 20)] });
    const { messages, complete, failed } = await askServers(api, 'x', ['alice', 'bob', 'carol'], signal);
    assert.deepEqual([messages.map(({ id }) => id), complete], [[2, 3, 1], true]);
    assert.deepEqual(
      failed.map(({ accountId, failure }) => [accountId, failure.code]),
      [['bob', 'net.refused']],
    );
  });

  it('fails where every account did, or the person cancelled', async () => {
    const offline = new QuMailError('net.refused');
    await assert.rejects(askServers(servers({ alice: offline, bob: offline }), 'x', ['alice', 'bob'], signal), { code: 'net.refused' });
    const api = servers({ alice: [hit(1)], bob: new QuMailError('engine.cancelled') });
    await assert.rejects(askServers(api, 'x', ['alice', 'bob'], signal), { code: 'engine.cancelled' });
  });
});

describe('views/a query that is being typed', () => {
  it('takes its last word for the beginning of one', () => {
    for (const [typed, asked] of [
      ['kumq', 'kumq*'],
      ['ripe kumq', 'ripe kumq*'],
      ['-kumq', '-kumq*'],
      ['subject:kumq', 'subject:kumq*'],
      ['(a kumq', '(a kumq*'],
      ['कुंजी', 'कुंजी*'],
    ] as const)
      assert.equal(asTyped(typed), asked);
  });

  it('leaves alone what is whole, quoted, an operator’s, or has no beginning to go by', () => {
    for (const typed of [
      'kumquat ',
      '"ripe kumq',
      '"ripe kumquat"',
      'from:bob',
      'level:L2',
      'a',
      'one OR',
      '量子鍵',
      'ရန်ကုန်',
      'ភ្នំពេញ',
      'kumq*',
      '',
      'x@example.org',
    ])
      assert.equal(asTyped(typed), typed);
  });
});

describe('views/rows of the search box', () => {
  const facts = { now: Date.UTC(2026, 8, 2), locale: 'en', saved: [], l10n: plain };
  const state: SearchState = { query: 'word', busy: false, hits: [], sealedPending: false, problems: [], suggestions: [] };
  const acts = (of: SearchState, more: Partial<typeof facts> = {}): string[] =>
    searchRows(of, { ...facts, ...more }).map(({ act }) => act.kind);

  it('are what was found first, then where else to look, then how to narrow it down', () => {
    const found = {
      ...state,
      hits: [hit(1, 'word and more')],
      coverage: { indexed: 5, total: 10 },
      suggestions: [operator('from:', 0, 4)],
    };
    assert.deepEqual(acts(found), ['separator', 'open', 'separator', 'list', 'server', 'separator', 'complete']);
    const rows = searchRows(found, facts);
    assert.equal(rows[0]?.label, '5 of 10 messages searched by text');
    assert.equal(rows[1]?.detail, '‹word› and more');
  });

  it('complete a value before anything else', () => {
    const value: QuerySuggestion = { kind: 'level', text: 'L2', from: 6, to: 6 };
    const problem = { code: 'search.value-missing', details: { name: 'level' }, from: 0, to: 6 } as const;
    assert.deepEqual(acts({ ...state, query: 'level:', suggestions: [value], problems: [problem] }), ['complete', 'nothing']);
  });

  it('are the saved searches while nothing has been typed', () => {
    const saved = [{ id: '1', name: 'Fruit', query: 'kumquat', total: 3, unread: 1 }];
    const rows = searchRows({ ...state, query: '', suggestions: [operator('from:', 0, 0)] }, { ...facts, saved });
    assert.deepEqual(
      rows.map(({ label }) => label),
      ['saved searches', 'Fruit', 'narrow it down', 'from:'],
    );
    assert.equal(rows[1]?.description, 'kumquat · 1 unread');
  });

  it('say that nothing was found, and offer the server', () => {
    assert.deepEqual(acts(state), ['nothing', 'separator', 'server']);
  });

  it('draw no icon out of a message’s own text', () => {
    const rows = searchRows({ ...state, hits: [hit(1, 'word $(error) x')] }, facts);
    assert.equal(rows[1]?.detail, '‹word› $ (error) x');
  });

  it('put a value in its place with a space behind it, and an operator without', () => {
    assert.equal(completed('bob lev', operator('level:', 4, 7)), 'bob level:');
    assert.equal(completed('level: bob', { kind: 'level', text: 'L2', from: 6, to: 6 }), 'level:L2 bob');
    assert.equal(completed('level:', { kind: 'level', text: 'L2', from: 6, to: 6 }), 'level:L2 ');
  });
});
