import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { ActionService } from '../../../src/core/account/actions/actionService.ts';
import { LocalView } from '../../../src/core/account/actions/localView.ts';
import { Replay, type ReplayAccount } from '../../../src/core/account/actions/replay.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { Log } from '../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import type { MailFlag } from '../../../src/core/base/types.ts';
import { ActionStore } from '../../../src/core/store/actions.ts';
import { ACTION_MIGRATIONS } from '../../../src/core/store/actionsSchema.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore } from '../../../src/core/store/messages.ts';
import { migrate } from '../../../src/core/store/migrate.ts';
import { ShownMail } from '../../../src/core/store/shownMail.ts';
import { SnoozedStore } from '../../../src/core/store/snoozed.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { ModelImap, type ModelOptions } from './modelImap.ts';

export const A = 'account';
export const FOLDERS = ['INBOX', 'Trash', 'One', 'Two'] as const;

function database(migrations: Parameters<typeof migrate>[1]): DatabaseSync {
  const db = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  migrate(db, migrations);
  return db;
}

/** One client over one model server; `restart` is a window that died and came back over the same databases. */
export class Client {
  readonly server: ModelImap;
  readonly vault = database([...VAULT_MIGRATIONS, ...ACTION_MIGRATIONS]);
  readonly cache = database(MAIL_MIGRATIONS);
  readonly messages = new MessageStore({ db: this.cache });
  readonly journal = new ActionStore({ db: this.vault });
  readonly shown = new ShownMail({ db: this.cache });
  readonly snoozed = new SnoozedStore({ db: this.vault });
  readonly failures: string[] = [];
  state: ReplayAccount['state'] = 'offline';
  replay!: Replay;
  actions!: ActionService;
  view!: LocalView;

  constructor(server: ModelImap) {
    this.server = server;
    this.vault
      .prepare(
        "INSERT INTO accounts (id, email, display_name, provider, user_id, servers, created_at, last_login) VALUES (?, 'a@b.test', '', 'oidc', '', '{}', 0, 0)",
      )
      .run(A);
    this.restart();
  }

  restart(): void {
    this.replay?.dispose();
    const { journal, messages, shown } = this;
    this.view = new LocalView({ journal, messages, shown, snoozed: this.snoozed });
    const account: ReplayAccount = {
      ...{ handler: { actions: this.server } },
      state: 'online',
      syncFolder: async (path) => this.sync(path),
      syncFolders: async () => this.syncFolders(),
      noteFailure: (error) => {
        this.failures.push(QuMailError.from(error).code);
        this.state = 'offline';
      },
    };
    this.replay = new Replay({
      journal,
      view: this.view,
      shown,
      lock: { run: (_name, _ttl, task) => task({ note: undefined, leave: () => {} }) },
      clock: systemClock,
      log: new Log(() => {}, 'test'),
      emit: () => {},
      accountOf: () => ({ ...account, state: this.state }),
    });
    this.actions = new ActionService({
      journal,
      messages,
      shown,
      view: this.view,
      replay: this.replay,
      clock: systemClock,
      random: systemRandom,
      emit: () => {},
    });
    this.view.showAll(A);
  }

  syncFolders(): void {
    const known = this.messages.listFolders(A).map(({ path }) => path);
    for (const path of this.server.folders.keys())
      this.messages.upsertFolder({
        accountId: A,
        path,
        name: path,
        delimiter: '',
        ...(path === 'Trash' && { specialUse: 'trash' as const }),
        selectable: true,
        unread: 0,
        total: 0,
      });
    this.messages.removeFolders(
      A,
      known.filter((path) => !this.server.folders.has(path)),
    );
  }

  /** What account/syncFolder does, without a wire. */
  sync(path: string): void {
    const folder = this.server.folders.get(path);
    if (!folder) return;
    const since = this.messages.cursor(A, path);
    if (since && since.uidValidity !== folder.uidValidity) this.messages.resetFolder(A, path);
    const from = since?.uidValidity === folder.uidValidity ? since.uidNext : 1;
    const known = this.messages.knownUids(A, path, 1000);
    const added = [...folder.messages].filter(([uid]) => uid >= from);
    this.messages.insertMessages(
      A,
      path,
      added.map(([uid, { rfcMessageId, size, flags }]) => ({
        uid,
        rfcMessageId,
        size,
        flags: [...flags],
        from: { name: '', address: '' },
        to: [],
        subject: '',
        date: uid,
        hasAttachments: false,
        preview: '',
        seal: 'plain',
        level: 'L4',
        inReplyTo: '',
        references: [],
      })),
    );
    this.messages.updateFlags(
      A,
      path,
      [...folder.messages].map(([uid, { flags }]) => ({ uid, flags: [...flags] })),
    );
    this.messages.removeUids(
      A,
      path,
      known.filter((uid) => !folder.messages.has(uid)),
    );
    this.messages.setCursor(A, path, { uidValidity: folder.uidValidity, uidNext: folder.uidNext });
  }

  syncAll(): void {
    this.syncFolders();
    for (const path of this.server.folders.keys()) this.sync(path);
  }

  list(path: string) {
    return this.messages.page(A, path, 1000);
  }

  /** The nth of all listed messages. */
  pick(n: number) {
    const all = this.messages.listFolders(A).flatMap(({ path }) => this.list(path));
    return all.length === 0 ? undefined : all[n % all.length];
  }
}

type Step =
  | { readonly do: 'deliver' | 'twin'; readonly folder: number }
  | { readonly do: 'server-flag' | 'server-expunge' | 'server-move'; readonly folder: number; readonly n: number }
  | { readonly do: 'renumber'; readonly folder: number }
  | { readonly do: 'flag'; readonly n: number; readonly add: MailFlag; readonly remove: MailFlag }
  | { readonly do: 'move'; readonly n: number; readonly folder: number }
  | { readonly do: 'delete' | 'unshown'; readonly n: number }
  | { readonly do: 'undo'; readonly n: number }
  | { readonly do: 'online'; readonly faults: ('none' | 'before' | 'after')[]; readonly unmoved: number }
  | { readonly do: 'sync' | 'restart' | 'delete-folder' };

const folder = fc.nat(3);
const n = fc.nat(20);
const flag = fc.constantFrom<MailFlag>('seen', 'flagged', 'answered');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('deliver' as const, 'twin' as const), folder }),
  fc.record({ do: fc.constantFrom('server-flag' as const, 'server-expunge' as const, 'server-move' as const), folder, n }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('flag' as const), n, add: flag, remove: flag }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('move' as const), n, folder }) },
  fc.record({ do: fc.constantFrom('delete' as const, 'unshown' as const), n }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('undo' as const), n }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('online' as const),
      faults: fc.array(fc.constantFrom<'none' | 'before' | 'after'>('none', 'none', 'before', 'after'), { maxLength: 8 }),
      unmoved: fc.nat(2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('sync' as const, 'restart' as const) }) },
  fc.record({ do: fc.constant('renumber' as const), folder }),
  fc.record({ do: fc.constant('delete-folder' as const) }),
);

/** What may happen between a person and a server. */
export const history = fc.array(step, { minLength: 1, maxLength: 25 });

/** Servers that tell more and less of what became of a move. */
export const SERVERS: readonly ModelOptions[] = [
  { move: true, uidplus: true },
  { move: true, uidplus: false },
  { move: false, uidplus: true },
  { move: false, uidplus: false },
];

/** Plays a history; in the end the store is what the server is, nothing is lost and nothing doubled. */
export async function play(steps: readonly Step[], options: ModelOptions): Promise<void> {
  const server = new ModelImap(options);
  for (const name of FOLDERS) server.create(name);
  let tag = 0;
  const fate = new Map<number, 'alive' | 'may-be-gone'>();
  const deliver = (name: string, twinOf?: number): void => {
    const id = twinOf ?? tag;
    fate.set(tag, 'alive');
    if (server.folders.has(name)) server.deliver(name, { tag, rfcMessageId: `<${id}@x>`, size: 100 + id, flags: new Set() });
    else fate.set(tag, 'may-be-gone');
    tag += 1;
  };
  for (let i = 0; i < 6; i++) deliver('INBOX');
  const client = new Client(server);
  client.syncAll();
  const receipts: string[] = [];
  const tagsIn = (name: string): { uid: number; tag: number }[] =>
    [...(server.folders.get(name)?.messages ?? [])].map(([uid, message]) => ({ uid, tag: message.tag }));

  for (const each of steps) {
    const name = 'folder' in each ? FOLDERS[each.folder]! : 'Two';
    const row = 'n' in each ? client.pick(each.n) : undefined;
    const idOf = (id: string): number[] => [...fate.keys()].filter((known) => `<${known}@x>` === id);
    if (each.do === 'deliver') deliver(name);
    else if (each.do === 'server-flag' || each.do === 'server-expunge' || each.do === 'server-move') {
      const all = tagsIn(name);
      const hit = all[each.n % Math.max(1, all.length)];
      const messages = server.folders.get(name)?.messages;
      const message = hit && messages?.get(hit.uid);
      if (!hit || !message) continue;
      if (each.do === 'server-flag') message.flags = new Set(['answered']);
      else {
        messages!.delete(hit.uid);
        if (each.do === 'server-expunge') fate.set(message.tag, 'may-be-gone');
        else server.deliver('Trash', message);
      }
    } else if (each.do === 'renumber') server.renumber(name);
    else if (each.do === 'delete-folder') {
      // Messages that lie there go with it, those on their way there do not.
      for (const { tag: gone } of tagsIn('Two')) fate.set(gone, 'may-be-gone');
      server.folders.delete('Two');
    } else if (each.do === 'flag' && row) {
      receipts.push((await client.actions.setFlags({ messageIds: [row.id], add: [each.add], remove: [each.remove] })).actionId);
    } else if (each.do === 'move' && row)
      await client.actions.moveMessages({ messageIds: [row.id], folder: name }).then(
        ({ actionId }) => receipts.push(actionId),
        (error: unknown) =>
          assert.ok(QuMailError.is(error, 'imap.mailbox-missing') && !client.messages.listFolders(A).some(({ path }) => path === name)),
      );
    else if (each.do === 'delete' && row) {
      if (row.folder === 'Trash') for (const gone of idOf(row.rfcMessageId)) fate.set(gone, 'may-be-gone');
      const { actionId, inTrash } = await client.actions.deleteMessages({ messageIds: [row.id] });
      assert.deepEqual(inTrash, row.folder === 'Trash' ? [row.id] : []);
      receipts.push(inTrash.length === 0 ? actionId : (await client.actions.removeForGood({ messageIds: inTrash })).actionId);
    } else if (each.do === 'undo' && receipts.length > 0) {
      await client.actions.undoAction({ actionId: receipts[each.n % receipts.length]! }).catch((error: unknown) => {
        if (!QuMailError.is(error, 'action.final') && !QuMailError.is(error, 'action.missing')) throw error;
      });
    } else if (each.do === 'online') {
      server.faults.push(...each.faults);
      server.unmoved = each.unmoved;
      client.state = 'online';
      await client.replay.run(A);
      server.faults.length = 0;
      server.unmoved = 0;
      client.state = 'offline';
      // The process may have died wherever the line did.
      if (each.faults.length % 2 === 1) client.restart();
    } else if (each.do === 'sync') client.syncAll();
    else if (each.do === 'restart') client.restart();
    const doubles = FOLDERS.flatMap((path) => client.list(path).map(({ rfcMessageId }) => `${path} ${rfcMessageId}`));
    assert.equal(new Set(doubles).size, doubles.length, `listed twice after ${JSON.stringify(each)}`);
  }

  // In the end there is a connection, and nothing fails.
  for (let round = 0; round < 4; round++) {
    client.state = 'online';
    client.syncAll();
    await client.replay.run(A);
  }
  client.syncAll();
  assert.deepEqual(client.journal.open(A), [], 'everything was told');
  for (const name of server.folders.keys()) {
    const here = client.messages.knownUids(A, name, 1000).map((uid) => {
      const { rfcMessageId, flags } = client.messages.byUid(A, name, uid)!;
      return `${uid} ${rfcMessageId} ${flags.toSorted().join(' ')}`;
    });
    const there = [...server.folders.get(name)!.messages].map(
      ([uid, { rfcMessageId, flags }]) => `${uid} ${rfcMessageId} ${[...flags].toSorted().join(' ')}`,
    );
    assert.deepEqual(here.toSorted(), there.toSorted(), `${name} here is ${name} there`);
    assert.equal(client.list(name).length, there.length, `all of ${name} is listed`);
  }
  assert.deepEqual(client.shown.placeless(A), [], 'every row has its place');
  const seen = [...server.folders.values()].flatMap(({ messages }) => [...messages.values()].map((message) => message.tag));
  for (const [known, state] of fate) {
    const copies = seen.filter((each) => each === known).length;
    assert.ok(copies <= 1, `message ${known} is there ${copies} times`);
    if (state === 'alive') assert.equal(copies, 1, `message ${known} is lost`);
  }
  client.replay.dispose();
}
