import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { QuMailApi } from '../../src/core/api.ts';
import { startCuttingProxy, type CuttingProxy } from '../world/cuttingProxy.ts';
import type { EngineProcess } from './engineProcess.ts';
import { HistoryModel, type Found } from './historyModel.ts';
import { Others } from './historyOthers.ts';
import { HistoryPerson } from './historyPerson.ts';
import { tagOf, tried, type HistoryPlace, type Scene } from './historyScene.ts';
import { HistoryServer } from './historyServer.ts';
import type { Step } from './historySteps.ts';
import { storeFaults } from './historyStore.ts';
import { pick } from './seeded.ts';

const MINUTE = 60_000;
/** Folders that come and go; the rest every account has. */
const OWN = ['Work', 'Play'];
/** After it two sides that are left in peace must agree. */
const PATIENCE_MS = 45_000;
const FILLING_MS = 15_000;

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

class Play implements Scene {
  readonly place: HistoryPlace;
  readonly #dir = mkdtempSync(join(tmpdir(), 'qumail-history-'));
  readonly #secrets = new Map<string, string>();
  readonly model: HistoryModel;
  readonly server: HistoryServer;
  readonly #imap: CuttingProxy;
  #process!: EngineProcess;
  accountId = '';
  #ahead = 0;
  line: 'accept' | 'refuse' = 'accept';
  readonly muted: number[] = [];
  readonly #others = new Others(this);
  readonly #person = new HistoryPerson(this);

  private constructor(place: HistoryPlace, server: HistoryServer, imap: CuttingProxy) {
    this.place = place;
    this.model = new HistoryModel(place.moves);
    this.server = server;
    this.#imap = imap;
  }

  static async start(place: HistoryPlace): Promise<Play> {
    const { world, user } = place;
    const server = await new HistoryServer(world.imap, user, world.caPem).open();
    const play = new Play(place, server, await startCuttingProxy(world.imap));
    for (const folder of [...OWN, 'Archive']) await server.create(folder);
    for (let n = 0; n < 6; n++) await play.#others.arrive(n < 4 ? 'INBOX' : OWN[n - 4]!);
    play.#open();
    const imap = { ...world.imap, port: play.#imap.port };
    const account = await play.engine.addAccount({
      provider: 'qumail_native',
      displayName: 'History',
      servers: { imap, smtp: world.smtp },
      ...user,
    });
    play.accountId = account.id;
    await play.settle();
    return play;
  }

  async end(): Promise<void> {
    await this.#process?.kill();
    await this.server.close();
    await this.#imap.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  now(): number {
    return Date.now() + this.#ahead;
  }

  note(event: string, what: string): void {
    this.place.log?.({ level: 'info', event, facts: { what } });
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'arrive':
        for (let n = 0; n < step.count; n++) await this.#others.arrive(pick(await this.#others.folders(), step.at + n)!, step.reply);
        return;
      case 'server-flag':
      case 'server-expunge':
      case 'server-move':
        return this.#others.changeMessage(step);
      case 'server-create':
        return this.#others.create();
      case 'server-delete':
      case 'server-rename':
      case 'server-recreate':
      case 'server-renumber':
        return this.#others.changeFolder(step);
      case 'flag':
      case 'move':
      case 'archive':
      case 'delete':
      case 'junk':
      case 'not-junk':
        return this.#person.act(step);
      case 'undo':
        return this.#person.undo(step.at);
      case 'snooze':
        return this.#person.snooze(step.at);
      case 'mute':
        return this.#person.mute(step.at);
      case 'draft':
      case 'draft-edit':
      case 'draft-delete':
        return this.#person.write(step);
      case 'offline':
        this.line = 'refuse';
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
        if (this.place.log) await this.#dump();
        assert.fail(faults.slice(0, 8).join('; '));
      }
      // Typing comes to rest, and what waits for a time of its own waits no longer.
      this.#leap(6000);
      await this.#look('every folder');
      faults = await this.#faults();
      if (faults.length > 0) await new Promise((resolve) => setTimeout(resolve, 40));
    }
    this.model.settle(await this.#found());
  }

  async #faults(): Promise<string[]> {
    const pending = await this.engine.listPendingActions();
    const waiting = pending.filter(({ state }) => state === 'waiting' || state === 'running');
    if (waiting.length > 0) return [`${waiting.length} actions wait`];
    const mute = pending.filter(({ state, failure, vanished }) => (state === 'failed' ? failure === undefined : vanished === 0));
    if (mute.length > 0) return mute.map(({ purpose, state }) => `${purpose} is ${state} without a reason`);
    // Each look begins to fill anew, so it is left alone until it has.
    const filling = async (): Promise<boolean> => (await this.engine.getSyncState({ accountId: this.accountId })).active;
    for (const end = Date.now() + FILLING_MS; await filling(); await new Promise((resolve) => setTimeout(resolve, 20)))
      if (Date.now() > end) return ['it is still filling'];
    const told = this.model.faults(await this.#found());
    if (told.length > 0) return told;
    const stored = await storeFaults(join(this.#dir, 'mail.db'), this.server, new Set(this.#person.snoozed.keys()));
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
    this.note('server', await this.place.world.doveadm(['fetch', '-u', this.place.user.email, 'mailbox uid modseq flags', 'all']));
  }

  async #draftFaults(): Promise<string[]> {
    const here = new Map((await this.engine.listDrafts()).map(({ id, text }) => [id, text]));
    const wrong = [...this.#person.drafts]
      .filter(([id, text]) => text !== undefined && here.get(id) !== text)
      .map(([id]) => `draft ${id} is not as saved`);
    const copies = (await this.server.list('Drafts')).length;
    const wanted = [...this.#person.drafts.values()].filter((text) => text !== undefined).length;
    return copies === wanted ? wrong : [...wrong, `${copies} copies of ${wanted} drafts, ${here.size} here`];
  }

  async #found(): Promise<Found> {
    const found = new Map<number, { folder: string; flags: readonly ('seen' | 'flagged' | 'answered')[] }[]>();
    for (const folder of await this.server.folders())
      for (const { rfcMessageId, flags } of await this.server.list(folder)) {
        const tag = tagOf(rfcMessageId);
        if (tag !== undefined) found.set(tag, [...(found.get(tag) ?? []), { folder, flags }]);
      }
    return found;
  }

  get engine(): QuMailApi {
    return this.#process.engine;
  }

  #open(): void {
    this.#process = this.place.program.start({
      storageDir: this.#dir,
      secrets: this.#secrets,
      settings: { certificateAuthorities: { '127.0.0.1': this.place.world.caPem }, fetchInterval: 3600 },
      ...(this.place.log && { log: this.place.log }),
      ahead: this.#ahead,
    });
  }

  #online(): void {
    this.line = 'accept';
    this.#imap.admit('accept');
  }

  /** What a look fails with, the next one must make good. */
  async #look(what: 'the inbox' | 'every folder' = 'the inbox'): Promise<void> {
    const accountId = this.accountId;
    await tried(this.engine.fetchMail({ accountId }));
    if (what === 'the inbox') return;
    for (const { path, selectable } of await this.engine.listFolders({ accountId }))
      if (selectable) await tried(this.engine.fetchMail({ accountId, folder: path }));
  }

  /** Killed in the middle of whatever it does, a request of the person among it. */
  async #crashIn(ms: number): Promise<void> {
    const [chosen] = await this.#person.pick(ms, 1);
    void this.#look().catch(() => {});
    const moving = chosen && this.engine.moveMessages({ messageIds: [chosen.row.id], folder: 'Archive' });
    moving?.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.#process.kill();
    if (chosen) this.model.maybeMoved(chosen.tag);
    this.#open();
  }

  #leap(ms: number): void {
    this.#ahead += ms;
    this.#process.leap(ms);
    this.#person.timePassed();
  }
}
