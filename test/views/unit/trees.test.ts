import assert from 'node:assert/strict';
import type { Account, Contact, Folder, KeyLink, MessagePage, MessageSummary, SpecialUse } from '../../../src/core/api.ts';
import { accountIdIn, addressIn, folderIn, messageIdsIn } from '../../../src/views/commands/commandArguments.ts';
import { keyNodes } from '../../../src/views/keys/keyNodes.ts';
import { nestFolders, unreadInInboxes, type FolderBranch } from '../../../src/views/mail/folderNesting.ts';
import { rowReader, type ReadRows } from '../../../src/views/messages/listRows.ts';
import { MessagePages } from '../../../src/views/messages/messagePages.ts';

function folder(path: string, name = path, specialUse?: SpecialUse, unread = 0): Folder {
  return { accountId: 'a', path, name, unread, total: unread, selectable: true, ...(specialUse ? { specialUse } : {}) };
}

const outline = (branches: readonly FolderBranch[]): unknown[] =>
  branches.map(({ folder: { path }, children }) => (children.length ? [path, ...outline(children)] : path));

describe('views/folders', () => {
  it('nests by path whatever the delimiter, and puts the usual folders first', () => {
    const folders = [
      folder('Zoo'),
      folder('Work.Plans.2026', '2026'),
      folder('Work.Plans', 'Plans'),
      folder('Work'),
      folder('Trash', 'Trash', 'trash'),
      folder('INBOX', 'INBOX', 'inbox'),
      folder('Sent', 'Sent', 'sent'),
    ];
    assert.deepEqual(outline(nestFolders(folders)), ['INBOX', 'Sent', 'Trash', ['Work', ['Work.Plans', 'Work.Plans.2026']], 'Zoo']);
  });

  it('loses no folder whose parent was not listed', () => {
    assert.deepEqual(outline(nestFolders([folder('[Gmail]/Spam', 'Spam', 'junk'), folder('INBOX', 'INBOX', 'inbox')])), [
      'INBOX',
      '[Gmail]/Spam',
    ]);
  });

  it('counts a message once, however many folders show it', () => {
    assert.equal(unreadInInboxes([folder('INBOX', 'INBOX', 'inbox', 3), folder('[Gmail]/All Mail', 'All Mail', 'all', 3)]), 3);
  });
});

/** A server-side folder of `count` messages, newest first, ids descending. */
function pagedFolder(ids: () => readonly number[]): { getEmailList(request: { limit: number; before?: number }): Promise<MessagePage> } {
  return {
    async getEmailList({ limit, before }) {
      const rest = ids().filter((id) => before === undefined || id < before);
      const messages = rest.slice(0, limit).map((id) => ({ id }) as MessageSummary);
      const last = messages.at(-1);
      return { messages, ...(rest.length > limit && last ? { next: last.id } : {}) };
    },
  };
}

describe('views/message pages', () => {
  let ids: number[] = [];
  const reading = (api: object): ReadRows =>
    rowReader(
      { kind: 'folder', accountId: 'a', path: 'INBOX' },
      'messages',
      () => api as Parameters<typeof rowReader>[2] extends () => infer Api ? Api : never,
    );
  const pages = (): MessagePages => new MessagePages(reading(pagedFolder(() => ids)));
  const shown = (list: MessagePages): number[] => list.messages.map(({ id }) => id);
  beforeEach(() => {
    ids = Array.from({ length: 120 }, (_, index) => 120 - index);
  });

  it('loads fifty, then more, until there are no more', async () => {
    const list = pages();
    await list.load();
    assert.equal(list.messages.length, 50);
    await list.loadMore();
    await list.loadMore();
    assert.deepEqual(shown(list), ids);
    assert.equal(list.hasMore, false);
    await list.loadMore();
    assert.equal(list.messages.length, 120);
  });

  it('keeps the place of the reader when new mail arrives', async () => {
    const list = pages();
    await list.load();
    await list.loadMore();
    ids = [121, ...ids];
    await list.reload();
    assert.deepEqual(shown(list), ids.slice(0, 100));
    await list.loadMore();
    assert.deepEqual(shown(list), ids);
  });

  it('shows no message twice when one arrives between two pages', async () => {
    const list = pages();
    await list.load();
    ids = [122, 121, ...ids];
    await list.loadMore();
    assert.equal(new Set(shown(list)).size, list.messages.length);
  });

  it('tries again after a first page that failed', async () => {
    let failing = true;
    const list = new MessagePages(
      reading({
        getEmailList: async (request: { limit: number }) => {
          if (failing) throw new Error('offline');
          return pagedFolder(() => ids).getEmailList(request);
        },
      }),
    );
    await assert.rejects(list.load());
    failing = false;
    await list.load();
    assert.equal(list.messages.length, 50);
  });
});

describe('views/keys', () => {
  const account = { id: 'a', email: 'me@a.example' } as Account;
  const contact = (address: string, saeId?: string): Contact => ({
    accountId: 'a',
    address,
    name: '',
    minimumLevel: 'L4',
    startLevel: 'L2',
    ...(saeId ? { saeId } : {}),
  });
  const link = (peerSaeId: string): KeyLink => ({ peerSaeId, peerAddress: '', storedKeyCount: 9 });

  it('invites to connect and to add where there is nothing yet', () => {
    assert.deepEqual(
      keyNodes({ account, keyManager: undefined, status: undefined, contacts: [] }).map(({ kind }) => kind),
      ['no-key-manager', 'no-contacts'],
    );
  });

  it('shows the stock beside the contact it is shared with, and other links under the key manager', () => {
    const keyManager = {
      accountId: 'a',
      url: 'https://kme.example',
      kmeId: 'k',
      saeId: 'me',
      state: 'connected',
      simulated: false,
      profile: 'etsi',
      standbys: [],
    } as const;
    const contacts = [contact('z@z.example'), contact('b@b.example', 'bob')];
    const [manager, first, second] = keyNodes({
      account,
      keyManager,
      status: { keyManager, links: [link('bob'), link('stranger')] },
      contacts,
    });
    assert.ok(manager?.kind === 'key-manager');
    assert.deepEqual(
      manager.children.map((node) => (node.kind === 'link' ? node.link.peerSaeId : node.kind)),
      ['own-sae', 'stranger'],
    );
    assert.ok(first?.kind === 'contact' && first.link?.storedKeyCount === 9 && first.contact.address === 'b@b.example');
    assert.ok(second?.kind === 'contact' && second.link === undefined);
  });
});

describe('views/command arguments', () => {
  const row = (id: number): object => ({ kind: 'message', message: { id } });

  it('takes one row, several selected rows, ids and the reader’s message', () => {
    assert.deepEqual(messageIdsIn([row(1)]), [1]);
    assert.deepEqual(messageIdsIn([row(1), [row(1), row(2), { kind: 'more' }]]), [1, 2]);
    assert.deepEqual(messageIdsIn([7]), [7]);
    assert.deepEqual(messageIdsIn([[7, 8]]), [7, 8]);
    assert.deepEqual(messageIdsIn([{ messageId: 9 }]), [9]);
  });

  it('takes nothing out of what is foreign', () => {
    for (const foreign of [undefined, null, 0, -1, '7', {}, Number.NaN, 1.5, { message: { id: '1' } }, () => 1])
      assert.deepEqual(messageIdsIn([foreign]), []);
    assert.equal(accountIdIn({ accountId: 5 }), undefined);
    assert.equal(folderIn({ accountId: 'a' }), undefined);
    assert.equal(addressIn('x'), undefined);
  });

  it('finds account, folder and address in rows', () => {
    assert.equal(accountIdIn({ kind: 'account', account: { id: 'a' } }), 'a');
    assert.equal(accountIdIn({ kind: 'folder', folder: { accountId: 'b' } }), 'b');
    assert.deepEqual(folderIn({ kind: 'folder', folder: { accountId: 'b', path: 'INBOX', name: 'x' } }), { accountId: 'b', path: 'INBOX' });
    assert.equal(addressIn({ kind: 'contact', contact: { address: 'b@b.example' } }), 'b@b.example');
  });
});
