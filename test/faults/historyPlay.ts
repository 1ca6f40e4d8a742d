import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { QuMailError, type ActionReceipt, type LogSink, type MessageSummary, type QuMailApi } from '../../src/core/api.ts';
import { startCuttingProxy, type CuttingProxy } from '../world/cuttingProxy.ts';
import type { MailWorld } from '../world/mailWorld.ts';
import type { EngineProcess, EngineProgram } from './engineProcess.ts';
import { HistoryModel, type Found } from './historyModel.ts';
import { HistoryServer } from './historyServer.ts';
import type { Step } from './historySteps.ts';
import { storeFaults } from './historyStore.ts';

/** Where a history is played. */
export interface HistoryPlace {
  readonly world: MailWorld;
  readonly program: EngineProgram;
  readonly user: { readonly email: string; readonly password: string };
  /** Whether its server has MOVE. */
  readonly moves: 'whole' | 'by copies';
  /** What the engine notes, for a history that is looked at alone. */
  readonly log?: LogSink;
}

const MINUTE = 60_000;
/** Folders that come and go; the rest every account has. */
const OWN = ['Work', 'Play'];
const KEPT = ['INBOX', 'Archive', 'Trash', 'Junk'];
const TARGETS = { archive: 'Archive', junk: 'Junk', 'not-junk': 'INBOX' } as const;
const LISTED = 200;
const SUBJECT = /^message (\d+)$/;
/** After it two sides that are left in peace must agree. */
const PATIENCE_MS = 45_000;

/**
 * Plays a history; at its end, and wherever it settles, the server is what both sides' steps say, the store is what the server is, and nothing
 * waits to be told.
 */
export async function playHistory(steps: readonly Step[], place: HistoryPlace): Promise<void> {
  const play = await Play.start(place);
  try {
    for (const step of steps) {
      play.note('step', JSON.stringify(step));
      await play.take(step);
    }
    await play.settle();
  } finally {
    await play.end();
  }
}

class Play {
  readonly #place: HistoryPlace;
  readonly #dir = mkdtempSync(join(tmpdir(), 'qumail-history-'));
  readonly #secrets = new Map<string, string>();
  readonly #model: HistoryModel;
  readonly #server: HistoryServer;
  readonly #imap: CuttingProxy;
  #process!: EngineProcess;
  #accountId = '';
  #ahead = 0;
  #line: 'accept' | 'refuse' = 'accept';
  #lastTag = 0;
  #lastFolder = 0;
  readonly #receipts: { readonly id: string; readonly tags: readonly number[] }[] = [];
  readonly #undone = new Set<string>();
  readonly #snoozed = new Map<number, number>();
  readonly #muted: number[] = [];
  readonly #drafts = new Map<string, string | undefined>();

  private constructor(place: HistoryPlace, server: HistoryServer, imap: CuttingProxy) {
    this.#place = place;
    this.#model = new HistoryModel(place.moves);
    this.#server = server;
    this.#imap = imap;
  }

  static async start(place: HistoryPlace): Promise<Play> {
    const { world, user } = place;
    const server = await new HistoryServer(world.imap, user, world.caPem).open();
    const play = new Play(place, server, await startCuttingProxy(world.imap));
    for (const folder of [...OWN, 'Archive']) await server.create(folder);
    for (let n = 0; n < 6; n++) await play.#arrive(n < 4 ? 'INBOX' : OWN[n - 4]!);
    play.#open();
    const imap = { ...world.imap, port: play.#imap.port };
    const account = await play.#engine.addAccount({
      provider: 'qumail_native',
      displayName: 'History',
      servers: { imap, smtp: world.smtp },
      ...user,
    });
    play.#accountId = account.id;
    await play.settle();
    return play;
  }

  async end(): Promise<void> {
    await this.#process?.kill();
    await this.#server.close();
    await this.#imap.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** For a history that is looked at alone. */
  note(event: string, what: string): void {
    this.#place.log?.({ level: 'info', event, facts: { what } });
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'arrive':
        for (let n = 0; n < step.count; n++) await this.#arrive(pick(await this.#folders(), step.at + n)!, step.reply);
        return;
      case 'server-flag':
      case 'server-expunge':
      case 'server-move':
        return this.#changeMessage(step);
      case 'server-create':
        return this.#server.create(`Folder ${++this.#lastFolder}`);
      case 'server-delete':
      case 'server-rename':
      case 'server-recreate':
      case 'server-renumber':
        return this.#changeFolder(step);
      case 'flag':
      case 'move':
      case 'archive':
      case 'delete':
      case 'junk':
      case 'not-junk':
        return this.#act(step);
      case 'undo':
        return this.#undo(step.at);
      case 'snooze':
        return this.#snooze(step.at);
      case 'mute':
        return this.#mute(step.at);
      case 'draft':
      case 'draft-edit':
      case 'draft-delete':
        return this.#write(step);
      case 'offline':
        this.#line = 'refuse';
        this.#imap.admit('refuse');
        return this.#imap.faultNow({ how: 'reset' });
      case 'online':
        this.#online();
        return this.#look();
      case 'look':
        return this.#look();
      case 'settle':
        return this.settle();
      case 'cut':
        this.#imap.faultNow({ how: 'cut', direction: step.octets % 2 ? 'to-server' : 'to-client', afterBytes: step.octets });
        return this.#look();
      case 'reload':
        await this.#process.close();
        return this.#open();
      case 'crash':
        await this.#process.kill();
        return this.#open();
      case 'crash-soon':
        return this.#crashIn(step.ms);
      case 'leap':
        return this.#leap(step.minutes * MINUTE);
    }
  }

  /** Leaves both sides in peace until all was told and taken in, and looks whether it is as it must be. */
  async settle(): Promise<void> {
    this.#online();
    this.#imap.faultNow({ how: 'cut' });
    const end = Date.now() + PATIENCE_MS;
    for (let faults = ['not looked yet']; faults.length > 0;) {
      if (Date.now() > end) {
        if (this.#place.log) await this.#dump();
        assert.fail(faults.slice(0, 8).join('; '));
      }
      // Typing comes to rest, and what waits for a time of its own waits no longer.
      this.#leap(6000);
      await this.#look('every folder');
      faults = await this.#faults();
      if (faults.length > 0) await new Promise((resolve) => setTimeout(resolve, 40));
    }
    this.#model.settle(await this.#found());
  }

  async #faults(): Promise<string[]> {
    const pending = await this.#engine.listPendingActions();
    const waiting = pending.filter(({ state }) => state === 'waiting' || state === 'running');
    if (waiting.length > 0) return [`${waiting.length} actions wait`];
    const mute = pending.filter(({ state, failure, vanished }) => (state === 'failed' ? failure === undefined : vanished === 0));
    if (mute.length > 0) return mute.map(({ purpose, state }) => `${purpose} is ${state} without a reason`);
    if ((await this.#engine.getSyncState({ accountId: this.#accountId })).active) return ['it is still filling'];
    const told = this.#model.faults(await this.#found());
    if (told.length > 0) return told;
    const stored = await storeFaults(join(this.#dir, 'mail.db'), this.#server, new Set(this.#snoozed.keys()));
    return stored.length > 0 ? stored : this.#draftFaults();
  }

  async #dump(): Promise<void> {
    for (const [file, sql] of [
      ['mail.db', 'SELECT id, path, uid_validity, uid_next, highest_modseq, filled, filled_uid, total FROM folders'],
      ['mail.db', 'SELECT id, folder_id, uid, rfc_message_id, size, flags, hidden, body_state FROM messages'],
      ['mail.db', 'SELECT * FROM awaited'],
      ['vault.db', 'SELECT seq, purpose, verb, target, change, state, failure, tried, target_validity, target_uid_next FROM actions'],
      ['vault.db', 'SELECT seq, folder, uid_validity, uid, rfc_message_id, from_folder, flags, message_id, outcome FROM action_messages'],
    ] as const) {
      const db = new DatabaseSync(join(this.#dir, file), { readOnly: true });
      for (const row of db.prepare(sql).all()) this.note('row', JSON.stringify(row));
      db.close();
    }
    this.note('server', await this.#place.world.doveadm(['fetch', '-u', this.#place.user.email, 'mailbox uid modseq flags', 'all']));
  }

  async #draftFaults(): Promise<string[]> {
    const here = new Map((await this.#engine.listDrafts()).map(({ id, text }) => [id, text]));
    const wrong = [...this.#drafts]
      .filter(([id, text]) => text !== undefined && here.get(id) !== text)
      .map(([id]) => `draft ${id} is not as saved`);
    const copies = (await this.#server.list('Drafts')).length;
    const wanted = [...this.#drafts.values()].filter((text) => text !== undefined).length;
    return copies === wanted ? wrong : [...wrong, `${copies} copies of ${wanted} drafts, ${here.size} here`];
  }

  async #found(): Promise<Found> {
    const found = new Map<number, { folder: string; flags: readonly ('seen' | 'flagged' | 'answered')[] }[]>();
    for (const folder of await this.#server.folders())
      for (const { rfcMessageId, flags } of await this.#server.list(folder)) {
        const tag = tagOf(rfcMessageId);
        if (tag !== undefined) found.set(tag, [...(found.get(tag) ?? []), { folder, flags }]);
      }
    return found;
  }

  get #engine(): QuMailApi {
    return this.#process.engine;
  }

  #open(): void {
    this.#process = this.#place.program.start({
      storageDir: this.#dir,
      secrets: this.#secrets,
      settings: { certificateAuthorities: { '127.0.0.1': this.#place.world.caPem }, fetchInterval: 3600 },
      ...(this.#place.log && { log: this.#place.log }),
      ahead: this.#ahead,
    });
  }

  #online(): void {
    this.#line = 'accept';
    this.#imap.admit('accept');
  }

  /** What a look fails with, the next one must make good. */
  async #look(what: 'the inbox' | 'every folder' = 'the inbox'): Promise<void> {
    const accountId = this.#accountId;
    await tried(this.#engine.fetchMail({ accountId }));
    if (what === 'the inbox') return;
    for (const { path, selectable } of await this.#engine.listFolders({ accountId }))
      if (selectable) await tried(this.#engine.fetchMail({ accountId, folder: path }));
  }

  // ---- the server's side ---------------------------------------------------------------------------------------

  async #folders(): Promise<string[]> {
    return (await this.#server.folders()).filter((path) => path !== 'Drafts' && path !== 'Sent').toSorted();
  }

  async #arrive(folder: string, reply: 'muted' | 'none' = 'none'): Promise<void> {
    const tag = ++this.#lastTag;
    const to = reply === 'muted' ? this.#muted.at(-1) : undefined;
    const head = [`From: bob@other.test`, `To: ${this.#place.user.email}`, `Subject: message ${tag}`, `Message-ID: <${tag}@history.test>`];
    if (to !== undefined) head.push(`In-Reply-To: <${to}@history.test>`);
    await this.#server.append(folder, `${head.join('\r\n')}\r\n\r\n${'text '.repeat(tag % 50)}\r\n`);
    this.#model.arrived(tag, folder, to === undefined ? 'nothing' : 'muted thread');
  }

  async #changeMessage(step: Extract<Step, { do: 'server-flag' | 'server-expunge' | 'server-move' }>): Promise<void> {
    const folders = await this.#folders();
    // The nth folder with something in it, from there on.
    for (let n = 0; n < folders.length; n++) {
      const path = folders[(step.at + n) % folders.length]!;
      const each = pick(await this.#server.list(path), step.at);
      const tag = each && tagOf(each.rfcMessageId);
      if (!each || tag === undefined) continue;
      this.note('chosen', `${tag} in ${path}`);
      if (step.do === 'server-flag') {
        await this.#server.flag(path, each.uid, step.flag, step.to);
        this.#model.serverFlag(tag, step.flag, step.to);
      } else if (step.do === 'server-expunge') {
        await this.#server.expunge(path, each.uid);
        this.#model.serverExpunge(tag, this.#line === 'refuse' ? 'is away' : 'may be telling');
      } else {
        const to = pick(folders, step.to)!;
        if (to === path) return;
        await this.#server.move(path, each.uid, to);
        this.#model.serverMove(tag, to);
      }
      return;
    }
  }

  async #changeFolder(step: Extract<Step, { do: `server-${'delete' | 'rename' | 'recreate' | 'renumber'}` }>): Promise<void> {
    const path = pick(
      (await this.#folders()).filter((each) => !KEPT.includes(each)),
      step.at,
    );
    if (path === undefined) return;
    this.note('chosen', path);
    if (step.do === 'server-rename') {
      const to = `Folder ${++this.#lastFolder}`;
      await this.#server.rename(path, to);
      return this.#model.serverRename(path, to);
    }
    if (step.do === 'server-renumber') {
      await this.#server.leave(path);
      const validity = (await this.#server.uidValidity(path)) + 1000 + step.at;
      await this.#place.world.doveadm(['mailbox', 'update', '-u', this.#place.user.email, '--uid-validity', String(validity), path]);
      return this.#model.serverRenumber(path);
    }
    const there = new Set((await this.#server.list(path)).flatMap(({ rfcMessageId }) => tagOf(rfcMessageId) ?? []));
    await this.#server.delete(path);
    this.#model.serverDelete(path, there);
    if (step.do === 'server-delete') return;
    await this.#server.create(path);
    await this.#arrive(path);
  }

  // ---- the person's side ---------------------------------------------------------------------------------------

  /** Some of what is listed, beginning with the nth. */
  async #pick(at: number, count: number): Promise<{ tag: number; row: MessageSummary }[]> {
    const rows: { tag: number; row: MessageSummary }[] = [];
    for (const { path, selectable } of await this.#engine.listFolders({ accountId: this.#accountId })) {
      if (!selectable || path === 'Drafts') continue;
      const page = await tried(this.#engine.getEmailList({ accountId: this.#accountId, folder: path, limit: LISTED }));
      for (const row of page?.messages ?? []) {
        const tag = Number(SUBJECT.exec(row.subject)?.[1]);
        if (tag > 0) rows.push({ tag, row });
      }
    }
    const first = rows.length === 0 ? 0 : at % rows.length;
    const chosen = [...rows.slice(first), ...rows.slice(0, first)].slice(0, count);
    this.note('chosen', chosen.map(({ tag, row }) => `${tag} in ${row.folder}`).join(', '));
    return chosen;
  }

  async #act(step: Extract<Step, { count: number; do: 'flag' | 'move' | 'archive' | 'delete' | 'junk' | 'not-junk' }>): Promise<void> {
    const chosen = await this.#pick(step.at, step.count);
    if (chosen.length === 0) return;
    const messageIds = chosen.map(({ row }) => row.id);
    const tags = chosen.map(({ tag }) => tag);
    if (step.do === 'flag') {
      const [add, remove] = step.to === 'set' ? [[step.flag], []] : [[], [step.flag]];
      const receipt = await this.#receipt(this.#engine.setFlags({ messageIds, add, remove }), tags);
      if (receipt) for (const tag of tags) this.#model.flag(receipt.actionId, tag, step.flag, step.to);
      return;
    }
    if (step.do === 'delete') {
      const receipt = await this.#receipt(this.#engine.deleteMessages({ messageIds }), tags);
      for (const { tag, row } of receipt ? chosen : []) {
        if (row.folder === 'Trash') this.#model.remove(receipt!.actionId, tag);
        else this.#model.move(receipt!.actionId, tag, 'Trash', 'there');
      }
      return;
    }
    const { do: how } = step;
    const target = step.do === 'move' ? await this.#target(step.to) : TARGETS[step.do];
    const receipt = await this.#receipt(this.#move(how, messageIds, target), tags);
    if (!receipt) return;
    const there = (await this.#server.folders()).includes(target);
    // What lies there already is left as it is.
    for (const { tag, row } of chosen)
      if (row.folder !== target || this.#line === 'accept')
        this.#model.move(receipt.actionId, tag, target, there ? 'there' : 'perhaps not there');
  }

  async #target(at: number): Promise<string> {
    const folders = (await this.#engine.listFolders({ accountId: this.#accountId })).filter(
      ({ path, selectable }) => selectable && path !== 'Drafts' && path !== 'Sent',
    );
    return pick(folders, at)?.path ?? 'INBOX';
  }

  #move(how: 'move' | 'archive' | 'junk' | 'not-junk', messageIds: readonly number[], folder: string): Promise<ActionReceipt> {
    if (how === 'archive') return this.#engine.archiveMessages({ messageIds });
    if (how === 'junk') return this.#engine.markJunk({ messageIds });
    if (how === 'not-junk') return this.#engine.markNotJunk({ messageIds });
    return this.#engine.moveMessages({ messageIds, folder });
  }

  /** Notes what was taken; undefined where the engine had a reason not to, of which nothing comes. */
  async #receipt(request: Promise<ActionReceipt>, tags: readonly number[]): Promise<ActionReceipt | undefined> {
    const receipt = await refused(request, ['message.missing', 'action.no-folder']);
    if (receipt) this.#receipts.push({ id: receipt.actionId, tags });
    return receipt;
  }

  async #undo(at: number): Promise<void> {
    const taken = pick(this.#receipts, at);
    if (!taken || this.#undone.has(taken.id)) return;
    this.note('chosen', taken.tags.join(', '));
    const receipt = await refused(this.#engine.undoAction({ actionId: taken.id }), ['action.final', 'action.missing']);
    if (!receipt) return;
    this.#undone.add(taken.id);
    this.#model.undo(taken.id, taken.tags);
  }

  async #snooze(at: number): Promise<void> {
    const [chosen] = await this.#pick(at, 1);
    if (!chosen) return;
    const until = Date.now() + this.#ahead + 30 * MINUTE;
    const done = await refused(
      this.#engine.snoozeMessages({ messageIds: [chosen.row.id], until }).then(() => true),
      ['message.missing'],
    );
    if (done) this.#snoozed.set(chosen.tag, until);
  }

  async #mute(at: number): Promise<void> {
    const [chosen] = await this.#pick(at, 1);
    if (!chosen) return;
    const done = await refused(
      this.#engine.muteThread({ messageId: chosen.row.id }).then(() => true),
      ['message.missing'],
    );
    if (!done) return;
    this.#muted.push(chosen.tag);
    this.#model.muted(chosen.tag);
  }

  async #write(step: Extract<Step, { do: 'draft' | 'draft-edit' | 'draft-delete' }>): Promise<void> {
    const known = pick(
      [...this.#drafts].filter(([, text]) => text !== undefined),
      step.at,
    )?.[0];
    if (step.do !== 'draft' && known === undefined) return;
    const draftId =
      step.do === 'draft' ? (await this.#engine.createDraft({ accountId: this.#accountId, source: { kind: 'new' } })).id : known!;
    if (step.do === 'draft-delete') {
      await this.#engine.deleteDraft({ draftId });
      this.#drafts.set(draftId, undefined);
      return;
    }
    const text = `To: bob@other.test\nSubject: draft\nSecurity: L4\n\nwritten at ${step.at}, ${this.#drafts.size}\n`;
    await this.#engine.saveDraft({ draftId, text });
    this.#drafts.set(draftId, text);
  }

  // ---- the line and the window ---------------------------------------------------------------------------------

  /** Killed in the middle of whatever it does, a request of the person among it. */
  async #crashIn(ms: number): Promise<void> {
    const [chosen] = await this.#pick(ms, 1);
    void this.#look().catch(() => {});
    const moving = chosen && this.#engine.moveMessages({ messageIds: [chosen.row.id], folder: 'Archive' });
    moving?.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.#process.kill();
    if (chosen) this.#model.maybeMoved(chosen.tag);
    this.#open();
  }

  #leap(ms: number): void {
    this.#ahead += ms;
    this.#process.leap(ms);
    for (const [tag, until] of this.#snoozed) {
      if (until > Date.now() + this.#ahead) continue;
      this.#snoozed.delete(tag);
      if (this.#model.has(tag)) this.#model.surfaces(tag);
    }
  }
}

function tagOf(rfcMessageId: string): number | undefined {
  const tag = /^<(\d+)@history\.test>$/.exec(rfcMessageId)?.[1];
  return tag === undefined ? undefined : Number(tag);
}

function pick<T>(from: readonly T[], at: number): T | undefined {
  return from.length === 0 ? undefined : from[at % from.length];
}

/** Whatever a line that is cut makes of it. */
async function tried<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    const { code } = QuMailError.from(error);
    if (!/^(net|imap)\./.test(code) && code !== 'engine.cancelled') throw error;
    return undefined;
  }
}

async function refused<T>(request: Promise<T>, codes: readonly string[]): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (!codes.includes(QuMailError.from(error).code)) throw error;
    return undefined;
  }
}
