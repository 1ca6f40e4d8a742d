import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/api.ts';
import type { AccountSyncState, Draft, MessageSummary, SearchHit, SearchPage, ThreadSummary } from '../../../src/core/api.ts';
import { doneText, pendingState, pendingSummary, pendingTitle } from '../../../src/views/actions/actionText.ts';
import { RecentActions } from '../../../src/views/actions/recentActions.ts';
import { snoozeTimes } from '../../../src/views/actions/snoozeTimes.ts';
import { draftIdIn, messageIdsIn, queryIn, searchIdIn } from '../../../src/views/commands/commandArguments.ts';
import { versionIn, versionPlace, VERSION_SCHEME } from '../../../src/views/drafts/versionUri.ts';
import { FillProgress } from '../../../src/views/mail/fillProgress.ts';
import { draftRows, NO_EXTRAS, rootNodes, type MailNode } from '../../../src/views/mail/mailNodes.ts';
import { storageLines, syncChoices } from '../../../src/views/mail/storageText.ts';
import { hitRow, rowReader, rowRenewer } from '../../../src/views/messages/listRows.ts';
import { isTouchedBy, listSourceIn } from '../../../src/views/messages/listSource.ts';
import { listTitle } from '../../../src/views/messages/listTitle.ts';
import { MessagePages } from '../../../src/views/messages/messagePages.ts';
import { foundLabel, marksOf, participantsLabel, recipientsOf, rowContext } from '../../../src/views/messages/rowText.ts';
import { ThreadCache } from '../../../src/views/messages/threadCache.ts';
import {
  exportedText,
  fileName,
  halfImportedText,
  importedBefore,
  importedText,
  progressText,
} from '../../../src/views/transfer/transferText.ts';
import { plain } from './plainLocaliser.ts';

const message = (id: number, folder = 'INBOX'): MessageSummary => ({ id, accountId: 'a', folder, flags: [] }) as unknown as MessageSummary;
const thread = (threadId: number, count: number): ThreadSummary => ({
  threadId,
  newest: message(threadId),
  count,
  unread: 0,
  participants: [],
});
type Api = Parameters<typeof rowReader>[2] extends () => infer Requests ? Requests : never;
const api =
  (requests: Partial<Api>): (() => Api) =>
  () =>
    requests as Api;

describe('views/what the Messages view lists', () => {
  it('is a folder, a role, a search or what was snoozed, and nothing that is foreign', () => {
    assert.deepEqual(listSourceIn({ kind: 'unified', role: 'inbox' }), { kind: 'unified', role: 'inbox' });
    assert.deepEqual(listSourceIn({ kind: 'unified', folder: { role: 'sent', unread: 1 } }), { kind: 'unified', role: 'sent' });
    assert.deepEqual(listSourceIn({ kind: 'search', search: { query: 'x', name: 'n', id: '1' } }), {
      kind: 'search',
      query: 'x',
      name: 'n',
    });
    assert.deepEqual(listSourceIn({ kind: 'snoozed', count: 2 }), { kind: 'snoozed' });
    assert.deepEqual(listSourceIn({ kind: 'muted', count: 2 }), { kind: 'muted' });
    for (const foreign of [null, 'x', {}, { kind: 'unified', role: 'root' }, { kind: 'search', query: ' ' }, { kind: 'folder' }])
      assert.equal(listSourceIn(foreign), undefined);
  });

  it('is read anew for changes in its own folder or account, and any for what spans all', () => {
    const change = { accountId: 'a', folder: 'INBOX' };
    assert.equal(isTouchedBy({ kind: 'folder', accountId: 'a', path: 'INBOX' }, change), true);
    assert.equal(isTouchedBy({ kind: 'folder', accountId: 'a', path: 'Sent' }, change), false);
    assert.equal(isTouchedBy({ kind: 'unified', role: 'inbox' }, change), true);
    assert.equal(isTouchedBy({ kind: 'search', query: 'x', accountId: 'b' }, change), false);
  });

  it('shows a conversation of one as a message, and pages through conversations', async () => {
    const asked: unknown[] = [];
    const pages = new MessagePages(
      rowReader(
        { kind: 'folder', accountId: 'a', path: 'INBOX' },
        'threads',
        api({
          async getThreadList(request) {
            asked.push(request.before);
            return request.before === undefined
              ? { threads: [thread(5, 1), thread(4, 3)], next: 4 }
              : { threads: [thread(4, 3), thread(2, 2)] };
          },
        }),
      ),
    );
    await pages.load();
    await pages.loadMore();
    assert.deepEqual(asked, [undefined, 4]);
    assert.deepEqual(
      pages.rows.map((row) => [row.kind, row.kind === 'thread' ? row.thread.threadId : row.message.id]),
      [
        ['message', 5],
        ['thread', 4],
        ['thread', 2],
      ],
    );
  });

  it('puts what the server found behind what was found here, once each, and keeps of it what lies where it was found', async () => {
    const hit = (id: number): SearchHit => ({ ...message(id), subjectMarks: [] });
    const page: SearchPage = { messages: [hit(1)], coverage: { indexed: 3, total: 9 }, sealedPending: false };
    // 8 was deleted since, 9 is gone from the server.
    const now = [{ ...message(7), flags: ['seen'] as const }, message(8, 'Trash')];
    const pages = new MessagePages(
      rowReader({ kind: 'search', query: 'x' }, 'threads', api({ search: async () => page })),
      rowRenewer(() => ({ listMessages: async () => now })),
    );
    await pages.load();
    pages.add([hit(1), hit(7), hit(8), hit(9)].map(hitRow));
    assert.deepEqual(
      pages.messages.map(({ id }) => id),
      [1, 7, 8, 9],
    );
    await pages.reload();
    assert.deepEqual(
      pages.messages.map(({ id, flags }) => [id, flags.join()]),
      [
        [1, ''],
        [7, 'seen'],
      ],
    );
    assert.deepEqual(pages.coverage, { indexed: 3, total: 9 });
  });

  it('has the conversations of all inboxes where conversations are wanted, and their messages where not', async () => {
    const requests = api({
      getUnifiedThreadList: async ({ role }) => ({ threads: role === 'inbox' ? [thread(5, 2), thread(4, 1)] : [] }),
      getUnifiedList: async () => ({ messages: [message(5), message(4)] }),
    });
    const kinds = async (layout: 'threads' | 'messages'): Promise<string[]> =>
      (await rowReader({ kind: 'unified', role: 'inbox' }, layout, requests)(10)).rows.map(({ kind }) => kind);
    assert.deepEqual(await kinds('threads'), ['thread', 'message']);
    assert.deepEqual(await kinds('messages'), ['message', 'message']);
  });

  it('names the people a draft is for, and nobody where its head names none', () => {
    assert.equal(
      recipientsOf('From: A <a@a.example>\nTo: Bob <bob@b.example>, <c@c.example>\nSubject: x\n\nTo: nobody'),
      'Bob, c@c.example',
    );
    assert.equal(recipientsOf('To:\nSubject: x\n\nTo: in the text'), '');
    assert.equal(recipientsOf(''), '');
  });

  it('has one row for each conversation that is muted, its newest message', async () => {
    const requests = api({ listMuted: async () => [{ newest: message(5), rule: 'read', messageIds: [3, 5] }] });
    const { rows } = await rowReader({ kind: 'muted' }, 'threads', requests)(10);
    assert.deepEqual(rows, [{ kind: 'message', message: message(5) }]);
  });

  it('is named beside the view, with how much of the mail was searched', () => {
    const facts = { accounts: [{ id: 'a', email: 'a@a.example' }], world: 'real', locale: 'en', l10n: plain } as const;
    const coverage = { indexed: 12_400, total: 20_000 };
    assert.deepEqual(listTitle({ kind: 'search', query: 'bob' }, '', { ...facts, coverage }), {
      description: 'Search: bob',
      message: '12,400 of 20,000 messages searched by text',
    });
    assert.equal(listTitle({ kind: 'search', query: 'b' }, '', { ...facts, coverage: { indexed: 5, total: 5 } }).message, undefined);
    assert.equal(listTitle({ kind: 'folder', accountId: 'a', path: 'x' }, 'Inbox', facts).description, 'Inbox · a@a.example');
    assert.equal(listTitle(undefined, '', { ...facts, world: 'lab' }).description, 'SIMULATED');
  });
});

describe('views/conversations', () => {
  it('stand for their messages in the folder they are listed in', async () => {
    const cache = new ThreadCache(() => ({ getThread: async () => [message(1), message(2, 'Sent'), message(3)] }));
    assert.deepEqual(await cache.idsOf(thread(3, 3)), [1, 3]);
    assert.equal(cache.find(2)?.folder, 'Sent');
  });

  it('stand for their newest message where the others cannot be had, and ask again later', async () => {
    let fails = true;
    const cache = new ThreadCache(() => ({
      getThread: async () => {
        if (fails) throw new Error('offline');
        return [message(1), message(3)];
      },
    }));
    assert.deepEqual(await cache.idsOf(thread(3, 2)), [3]);
    fails = false;
    assert.deepEqual(await cache.idsOf(thread(3, 2)), [1, 3]);
  });

  it('name three people and count the rest', () => {
    const people = ['Ada', '', 'Cy', 'Di', 'Ed'].map((name, n) => ({ name, address: `${n}@x.example` }));
    assert.equal(participantsLabel(people), 'Ada, 1@x.example, Cy +2');
    assert.equal(participantsLabel(people.slice(0, 2)), 'Ada, 1@x.example');
  });
});

describe('views/rows of found messages', () => {
  it('mark what was found in subject and text', () => {
    const { label, highlights } = foundLabel('Ripe fruit', [{ from: 5, to: 10 }], { text: 'the kumquat', marks: [{ from: 4, to: 11 }] });
    assert.equal(label, 'Ripe fruit — the kumquat');
    assert.deepEqual(
      highlights.map(([from, to]) => label.slice(from, to)),
      ['fruit', 'kumquat'],
    );
  });

  it('cut a long text in front, so that the first mark can be seen', () => {
    const text = `${'word '.repeat(40)}kumquat and more`;
    const at = text.indexOf('kumquat');
    const { label, highlights } = foundLabel('S', [], { text, marks: [{ from: at, to: at + 7 }] });
    assert.ok(label.indexOf('kumquat') < 40, label);
    assert.deepEqual(
      highlights.map(([from, to]) => label.slice(from, to)),
      ['kumquat'],
    );
  });

  it('mark the same text wherever marks are, and never outside the label', () => {
    const marked = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }).chain((text) =>
      fc
        .uniqueArray(fc.nat(text.length), { maxLength: 8 })
        .map((cuts) => cuts.toSorted((a, b) => a - b))
        .map((cuts) => ({
          text,
          marks: cuts.flatMap((from, n) => (n % 2 === 0 && cuts[n + 1] !== undefined ? [{ from, to: cuts[n + 1] as number }] : [])),
        })),
    );
    fc.assert(
      fc.property(fc.string(), marked, (subject, snippet) => {
        const { label, highlights } = foundLabel(subject, [], snippet);
        for (const [from, to] of highlights) assert.ok(from >= 0 && from < to && to <= label.length);
        const said =
          snippet.text.trim() === '' ? [] : snippet.marks.map(({ from, to }) => snippet.text.slice(from, to).replaceAll(/\s/g, ' '));
        assert.deepEqual(
          highlights.map(([from, to]) => label.slice(from, to)),
          said,
        );
      }),
    );
  });

  it('say to menus what they are, and show what waits for the server', () => {
    assert.equal(rowContext('thread', { unread: true, flagged: true, junk: false, snoozed: false }), 'thread.unread.flagged');
    assert.equal(rowContext('message', { unread: false, flagged: false, junk: true, snoozed: false }), 'message.read.junk');
    assert.equal(marksOf({ flags: ['flagged', 'answered'], hasAttachments: true }, 'waiting'), '⟳★↩📎 ');
    assert.equal(marksOf({ flags: [], hasAttachments: false }, 'told'), '');
    assert.equal(marksOf({ flags: ['flagged'], hasAttachments: false }, 'told', 'muted'), '🔇★ ');
  });
});

describe('views/what was done to messages', () => {
  it('is taken back in the opposite order, except what cannot be', () => {
    const recent = new RecentActions();
    recent.add({ actionId: '1', messageIds: [1], undoable: true }, 'archive');
    recent.add({ actionId: '2', messageIds: [2], undoable: true }, 'move');
    recent.add({ actionId: '3', messageIds: [3], undoable: false }, 'delete');
    assert.equal(recent.last?.actionId, '2');
    recent.forget('2');
    assert.equal(recent.last?.actionId, '1');
    recent.forget('1');
    assert.equal(recent.last, undefined);
  });

  it('is marked on its messages until the server has heard of it', () => {
    const recent = new RecentActions();
    recent.add({ actionId: '1', messageIds: [1, 2], undoable: true }, 'archive');
    assert.equal(recent.noteWaiting(['1', 'of another window']), true);
    assert.equal(recent.noteWaiting(['1']), false);
    assert.deepEqual([recent.isWaiting(1), recent.isWaiting(2), recent.isWaiting(3)], [true, true, false]);
    assert.equal(recent.noteWaiting([]), true);
    assert.equal(recent.isWaiting(1), false);
  });

  it('is said in words, one or many, and a refusal comes before what only waits', () => {
    assert.equal(doneText('archive', 1, plain), 'Archived 1 message');
    assert.equal(doneText('junk', 3, plain), 'Moved 3 messages to Junk');
    assert.equal(pendingTitle({ purpose: 'move', messages: 2, target: 'Work' }, plain), 'Move 2 to Work');
    assert.equal(pendingState({ state: 'dropped', vanished: 2 }, plain), '2 were gone from the server');
    assert.deepEqual(pendingSummary([{ state: 'waiting' }, { state: 'running' }], plain), { text: '2 waiting', troubled: false });
    assert.deepEqual(pendingSummary([{ state: 'waiting' }, { state: 'failed' }], plain), { text: '1 not done', troubled: true });
  });

  it('snoozes to times to come, each once, on any day and hour', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(2026, 0, 1), max: new Date(2027, 11, 31), noInvalidDate: true }), (date) => {
        const times = snoozeTimes(date.getTime(), 'en', plain);
        // On a Sunday evening only tomorrow, which is next week, and the weekend are left.
        assert.ok(times.length >= 2);
        assert.ok(times.every(({ at }) => at > date.getTime() && at < date.getTime() + 8 * 86_400_000));
        assert.equal(new Set(times.map(({ at }) => at)).size, times.length);
        const today = times.find(({ label }) => label === 'Later today');
        if (today) assert.equal(new Date(today.at).getDate(), date.getDate());
      }),
    );
  });
});

describe('views/the Mail view', () => {
  const account = (id: string): MailNode => ({ kind: 'account', account: { id } }) as MailNode;
  const kinds = (nodes: readonly MailNode[]): string[] => nodes.map(({ kind }) => kind);
  const inbox = { role: 'inbox', unread: 1, total: 2 } as const;
  const draft = (id: string, updatedAt: number, conflictOf?: string): Draft =>
    ({ id, updatedAt, ...(conflictOf === undefined ? {} : { conflictOf }) }) as Draft;

  it('is quiet where there is nothing', () => {
    assert.deepEqual(kinds(rootNodes({ accounts: [account('a')], world: 'real', outbox: undefined, pending: 'no' }, NO_EXTRAS)), [
      'account',
    ]);
  });

  it('joins inboxes only where there are several accounts', () => {
    const extras = { ...NO_EXTRAS, unified: [inbox] };
    const nodes = (...ids: string[]): string[] =>
      kinds(rootNodes({ accounts: ids.map(account), world: 'real', outbox: undefined, pending: 'no' }, extras));
    assert.deepEqual(nodes('a'), ['account']);
    assert.deepEqual(nodes('a', 'b'), ['unified', 'account', 'account']);
  });

  it('has what was kept, put off, begun and not told below the accounts', () => {
    const search = { id: '1', name: 'n', query: 'q', total: 1, unread: 0 };
    const extras = {
      unified: [inbox],
      searches: [search],
      snoozed: 2,
      muted: [{ newest: message(1), rule: 'read' as const, messageIds: [1] }],
      drafts: [draft('d', 1)],
    };
    const nodes = rootNodes({ accounts: [account('a')], world: 'lab', outbox: { kind: 'outbox' }, pending: 'yes' }, extras);
    assert.deepEqual(kinds(nodes), ['simulated', 'account', 'searches', 'snoozed', 'muted', 'drafts', 'outbox', 'pending']);
  });

  it('shows the copy of a draft below the draft, and one without a draft by itself', () => {
    const rows = draftRows([draft('old', 1), draft('copy', 9, 'old'), draft('new', 5), draft('orphan', 3, 'gone')]);
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['new', 'orphan', 'old', 'copy'],
    );
  });

  it('tells how much room mail takes and how a folder may be kept', () => {
    const folder = { path: 'INBOX', sync: 'headers', chosen: false, known: 2000, stored: 150, sealed: 0 } as const;
    const state: AccountSyncState = {
      accountId: 'a',
      active: false,
      holder: 'elsewhere',
      filling: 'stopped',
      folders: [folder],
      quota: { used: 5e8, limit: 1e9 },
      disk: { used: 6e7, budget: 4e9 },
    };
    const [total, account] = storageLines([{ email: 'a@a.example', state }], 'en', plain);
    assert.equal(total?.label, '60 MB of 4.0 GB used');
    assert.equal(account?.description, '150 of 2,000 messages are here');
    assert.equal(
      account?.detail,
      'stopped: "Fetch Mail" goes on with it · 500 MB of 1.0 GB on the server · another window keeps it up to date',
    );
    assert.deepEqual(
      syncChoices(folder, 'en', plain).map(({ sync, current }) => [sync, current]),
      [
        ['all', false],
        ['headers', true],
        ['off', false],
      ],
    );
    assert.deepEqual(storageLines([], 'en', plain), []);
  });
});

describe('views/how far an offline copy is', () => {
  const step = (done: number, total: number) => ({ kind: 'sync-progress', accountId: 'a', done, total }) as const;

  it('is a number that is drawn twice a second, until the engine says that it ended, wherever it stood', () => {
    const fills = new FillProgress();
    assert.equal(fills.heard(step(1, 500), 0), 'a');
    assert.equal(fills.heard(step(200, 500), 100), undefined);
    assert.equal(fills.heard(step(300, 500), 600), 'a');
    assert.deepEqual(fills.of('a'), { done: 300, total: 500 });
    assert.equal(fills.heard(step(499, 500), 700), undefined);
    assert.equal(fills.heard({ kind: 'sync-ended', accountId: 'a' }, 701), 'a');
    assert.deepEqual([fills.of('a'), fills.accountIds], [undefined, []]);
    assert.equal(fills.heard({ kind: 'sync-ended', accountId: 'a' }, 702), undefined);
    assert.equal(fills.heard(step(1, 500), 703), 'a');
  });

  it('goes on where one folder is done and the next begins, and is not shown for a few', () => {
    const fills = new FillProgress();
    assert.equal(fills.heard(step(49, 49), 0), undefined);
    assert.deepEqual(fills.accountIds, []);
    fills.heard(step(100, 100), 0);
    assert.deepEqual(fills.accountIds, ['a']);
  });
});

describe('views/mail in files', () => {
  it('is told in words, what could not be done included', () => {
    assert.equal(importedText({ imported: 1, refused: 0, present: 0 }, 'Work', plain), '1 message was filed in Work.');
    assert.match(importedText({ imported: 7, refused: 2, present: 3 }, 'Work', plain), /^7 messages.*3 were there already.*2 were not/);
    assert.match(exportedText({ exported: 3, missing: 1, path: '/x' }, plain), /^3 messages.*1 could not/);
    assert.match(exportedText({ exported: 3, missing: 90, path: '/x', offline: true }, plain), /^3 messages.*90 are not on this machine/);
    const before = importedBefore(new QuMailError('engine.cancelled', { imported: 7, refused: 0, present: 1, path: '/x' }));
    assert.match(
      halfImportedText(before, 'Work', 0.409, 'en', plain),
      /^7 messages were filed in Work. 1 was there already. It ended at 40 %. Import the same again/,
    );
    assert.deepEqual(importedBefore(new QuMailError('net.cut')), { imported: 0, refused: 0, present: 0 });
    assert.equal(progressText(50, 200, 'en'), '25 %');
    assert.equal(progressText(1200, 0, 'en'), '1,200');
  });

  it('has names that every system takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (name) => {
        const file = fileName(name, 'mail');
        assert.ok(file.length > 0 && file.length <= 80);
        assert.doesNotMatch(file, /[\p{Cc}/\\:*?"<>|]|^\.|[. ]$/u);
      }),
    );
    assert.equal(fileName('Re: plans/2026', 'mail'), 'Re plans 2026');
    assert.equal(fileName('NUL', 'mail'), 'mail');
  });
});

describe('views/arguments of the store’s commands', () => {
  it('name drafts, searches, conversations and versions, and nothing else does', () => {
    assert.equal(draftIdIn({ kind: 'draft', draft: { id: 'd' } }), 'd');
    assert.equal(searchIdIn({ kind: 'search', search: { id: 's', query: 'q' } }), 's');
    assert.equal(queryIn({ kind: 'search', search: { query: 'q' } }), 'q');
    assert.deepEqual(messageIdsIn([{ kind: 'thread', thread: { threadId: 4, newest: { id: 9 } } }]), [9]);
    for (const foreign of [undefined, null, 7, {}, { draft: 1 }, { search: { id: 1 } }]) {
      assert.equal(draftIdIn(foreign), undefined);
      assert.equal(searchIdIn(foreign), undefined);
      assert.equal(queryIn(foreign), undefined);
    }
  });

  it('find a version by its address, and refuse any other address', () => {
    const place = { draftId: 'abc-1', versionId: 12 };
    assert.deepEqual(versionIn({ scheme: VERSION_SCHEME, ...versionPlace(place) }), place);
    for (const path of ['/', '/x.qumail', '/1', '/1.qumail/2', '/99999999999999999.qumail'])
      assert.equal(versionIn({ scheme: VERSION_SCHEME, authority: 'abc', path }), undefined);
    assert.equal(versionIn({ scheme: 'file', authority: 'abc', path: '/1.qumail' }), undefined);
  });
});
