import type { ActionReceipt, MessageSummary } from '../../src/core/api.ts';
import { refused, tried, type Scene } from './historyScene.ts';
import type { Step } from './historySteps.ts';
import { pick } from './seeded.ts';

const MINUTE = 60_000;
const TARGETS = { archive: 'Archive', junk: 'Junk', 'not-junk': 'INBOX' } as const;
const LISTED = 200;
const SUBJECT = /^message (\d+)$/;

/** What the person does through the engine in a history. */
export class HistoryPerson {
  readonly #scene: Scene;
  readonly #receipts: { readonly id: string; readonly tags: readonly number[] }[] = [];
  readonly #undone = new Set<string>();
  /** Until when, by tag; milliseconds of the engine's clock. */
  readonly snoozed = new Map<number, number>();
  /** Texts as they were saved last; undefined once deleted. */
  readonly drafts = new Map<string, string | undefined>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Some of what is listed or snoozed, beginning with the nth. */
  async pick(at: number, count: number): Promise<{ tag: number; row: MessageSummary }[]> {
    const rows: { tag: number; row: MessageSummary }[] = [];
    for (const { message } of await this.#scene.engine.listSnoozed()) {
      const tag = Number(SUBJECT.exec(message.subject)?.[1]);
      if (tag > 0) rows.push({ tag, row: message });
    }
    for (const { path, selectable } of await this.#scene.engine.listFolders({ accountId: this.#scene.accountId })) {
      if (!selectable || path === 'Drafts') continue;
      const page = await tried(this.#scene.engine.getEmailList({ accountId: this.#scene.accountId, folder: path, limit: LISTED }));
      for (const row of page?.messages ?? []) {
        const tag = Number(SUBJECT.exec(row.subject)?.[1]);
        if (tag > 0) rows.push({ tag, row });
      }
    }
    const first = rows.length === 0 ? 0 : at % rows.length;
    const chosen = [...rows.slice(first), ...rows.slice(0, first)].slice(0, count);
    this.#scene.note('chosen', chosen.map(({ tag, row }) => `${tag} in ${row.folder}`).join(', '));
    return chosen;
  }

  async act(step: Extract<Step, { count: number; do: 'flag' | 'move' | 'archive' | 'delete' | 'junk' | 'not-junk' }>): Promise<void> {
    const chosen = await this.pick(step.at, step.count);
    if (chosen.length === 0) return;
    const messageIds = chosen.map(({ row }) => row.id);
    const tags = chosen.map(({ tag }) => tag);
    if (step.do === 'flag') {
      const [add, remove] = step.to === 'set' ? [[step.flag], []] : [[], [step.flag]];
      const receipt = await this.#receipt(this.#scene.engine.setFlags({ messageIds, add, remove }), tags);
      if (receipt) for (const tag of tags) this.#scene.model.flag(receipt.actionId, tag, step.flag, step.to);
      return;
    }
    if (step.do === 'delete') return this.#delete(chosen);
    const { do: how } = step;
    const target = step.do === 'move' ? await this.#target(step.to) : TARGETS[step.do];
    const receipt = await this.#receipt(this.#move(how, messageIds, target), tags);
    if (!receipt) return;
    const there = (await this.#scene.server.folders()).includes(target);
    // What lies there already is left as it is.
    for (const { tag, row } of chosen)
      if (row.folder !== target || this.#scene.line === 'accept')
        this.#scene.model.move(receipt.actionId, tag, target, there ? 'there' : 'perhaps not there');
    this.#endSnooze(chosen.filter(({ row }) => row.folder !== target && receipt.messageIds.includes(row.id)));
  }

  /** What is moved is snoozed no longer. */
  #endSnooze(moved: readonly { tag: number }[]): void {
    for (const { tag } of moved) this.snoozed.delete(tag);
  }

  /** To Trash; what lies there already is removed for good. */
  async #delete(chosen: readonly { tag: number; row: MessageSummary }[]): Promise<void> {
    const there = chosen.filter(({ row }) => row.folder === 'Trash');
    const moved = chosen.filter(({ row }) => row.folder !== 'Trash');
    const of = (some: typeof chosen) => ({ messageIds: some.map(({ row }) => row.id) });
    const tagsOf = (some: typeof chosen): number[] => some.map(({ tag }) => tag);
    if (moved.length > 0) {
      const receipt = await this.#receipt(this.#scene.engine.deleteMessages(of(moved)), tagsOf(moved));
      for (const { tag } of receipt ? moved : []) this.#scene.model.move(receipt!.actionId, tag, 'Trash', 'there');
      this.#endSnooze(moved.filter(({ row }) => receipt?.messageIds.includes(row.id)));
    }
    if (there.length > 0) {
      const receipt = await this.#receipt(this.#scene.engine.removeForGood(of(there)), tagsOf(there));
      for (const { tag } of receipt ? there : []) this.#scene.model.remove(receipt!.actionId, tag);
      if (receipt) this.#endSnooze(there);
    }
  }

  async #target(at: number): Promise<string> {
    const folders = (await this.#scene.engine.listFolders({ accountId: this.#scene.accountId })).filter(
      ({ path, selectable }) => selectable && path !== 'Drafts' && path !== 'Sent',
    );
    return pick(folders, at)?.path ?? 'INBOX';
  }

  #move(how: 'move' | 'archive' | 'junk' | 'not-junk', messageIds: readonly number[], folder: string): Promise<ActionReceipt> {
    if (how === 'archive') return this.#scene.engine.archiveMessages({ messageIds });
    if (how === 'junk') return this.#scene.engine.markJunk({ messageIds });
    if (how === 'not-junk') return this.#scene.engine.markNotJunk({ messageIds });
    return this.#scene.engine.moveMessages({ messageIds, folder });
  }

  /** Notes what was taken; undefined where the engine had a reason not to, of which nothing comes. */
  async #receipt(request: Promise<ActionReceipt>, tags: readonly number[]): Promise<ActionReceipt | undefined> {
    const receipt = await refused(request, ['message.missing', 'action.no-folder', 'imap.mailbox-missing']);
    if (receipt) this.#receipts.push({ id: receipt.actionId, tags });
    return receipt;
  }

  async undo(at: number): Promise<void> {
    const taken = pick(this.#receipts, at);
    if (!taken || this.#undone.has(taken.id)) return;
    this.#scene.note('chosen', taken.tags.join(', '));
    const receipt = await refused(this.#scene.engine.undoAction({ actionId: taken.id }), ['action.final', 'action.missing']);
    if (!receipt) return;
    this.#undone.add(taken.id);
    this.#scene.model.undo(taken.id, taken.tags);
  }

  async snooze(at: number): Promise<void> {
    const [chosen] = await this.pick(at, 1);
    if (!chosen) return;
    const until = this.#scene.now() + 30 * MINUTE;
    const done = await refused(
      this.#scene.engine.snoozeMessages({ messageIds: [chosen.row.id], until }).then(() => true),
      ['message.missing'],
    );
    if (done) this.snoozed.set(chosen.tag, until);
  }

  async mute(at: number): Promise<void> {
    const [chosen] = await this.pick(at, 1);
    if (!chosen) return;
    const done = await refused(
      this.#scene.engine.muteThread({ messageId: chosen.row.id }).then(() => true),
      ['message.missing'],
    );
    if (!done) return;
    this.#scene.muted.push(chosen.tag);
    this.#scene.model.muted(chosen.tag);
  }

  async write(step: Extract<Step, { do: 'draft' | 'draft-edit' | 'draft-delete' }>): Promise<void> {
    const known = pick(
      [...this.drafts].filter(([, text]) => text !== undefined),
      step.at,
    )?.[0];
    if (step.do !== 'draft' && known === undefined) return;
    const draftId =
      step.do === 'draft'
        ? (await this.#scene.engine.createDraft({ accountId: this.#scene.accountId, source: { kind: 'new' } })).id
        : known!;
    if (step.do === 'draft-delete') {
      await this.#scene.engine.deleteDraft({ draftId });
      this.drafts.set(draftId, undefined);
      return;
    }
    const text = `To: bob@other.test\nSubject: draft\nSecurity: L4\n\nwritten at ${step.at}, ${this.drafts.size}\n`;
    await this.#scene.engine.saveDraft({ draftId, text });
    this.drafts.set(draftId, text);
  }

  /** Time has passed: what was snoozed until now comes back. */
  timePassed(): void {
    for (const [tag, until] of this.snoozed) {
      if (until > this.#scene.now()) continue;
      this.snoozed.delete(tag);
      if (this.#scene.model.has(tag)) this.#scene.model.surfaces(tag);
    }
  }
}
