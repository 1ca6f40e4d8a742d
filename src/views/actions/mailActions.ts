import * as vscode from 'vscode';
import { QuMailError, type ActionPurpose, type ActionReceipt, type MadeRole, type PendingAction, type QuMailApi } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import { present, sentenceOf } from '../present.ts';
import type { ViewContext } from '../viewContext.ts';
import { doneText, pendingState, pendingTitle, questionText } from './actionText.ts';
import { deleteMessages, type LeftBehind } from './deletion.ts';
import type { PendingActions } from './pendingActions.ts';
import type { TakeBack } from './ownUndo.ts';
import type { DonePurpose, RecentActions } from './recentActions.ts';

/** How long the status bar says what was done. */
const SAY_MS = 6000;

/** What was done to which messages. */
export interface Performed {
  readonly purpose: DonePurpose;
  readonly messageIds: readonly number[];
}

/** Doing things to messages and taking them back. What is done shows at once; the server hears of it when it can. */
export class MailActions implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #recent: RecentActions;
  readonly #pending: PendingActions;
  readonly #performed = new vscode.EventEmitter<Performed>();
  /** Something was done to messages here: what shows them need not wait for the engine's word. */
  readonly onDidPerform = this.#performed.event;

  constructor(context: ViewContext, recent: RecentActions, pending: PendingActions) {
    this.#context = context;
    this.#recent = recent;
    this.#pending = pending;
  }

  /** Does something to messages and says so quietly, with the way to take it back. Never rejects: a failure is shown. */
  async perform<R extends ActionReceipt>(
    purpose: ActionPurpose,
    messageIds: readonly number[],
    request: (api: QuMailApi) => Promise<R>,
  ): Promise<R | undefined> {
    if (messageIds.length === 0) return undefined;
    const receipt = await this.#context.run(vscode.l10n.t('Working'), () => request(this.#context.api), {
      place: 'view',
      failure: { retry: () => this.perform(purpose, messageIds, request) },
    });
    if (receipt && receipt.messageIds.length > 0) this.#note(receipt, purpose);
    else if (receipt && purpose !== 'delete')
      vscode.window.setStatusBarMessage(vscode.l10n.t('There was nothing to do: it is so already.'), SAY_MS);
    return receipt;
  }

  /** Does what only this computer knows of: snoozing, muting. It is taken back in its turn as everything else. Never rejects: a failure is shown. */
  async performOwn(
    purpose: Exclude<DonePurpose, ActionPurpose>,
    messageIds: readonly number[],
    work: (api: () => QuMailApi) => Promise<TakeBack>,
  ): Promise<void> {
    if (messageIds.length === 0) return;
    const takeBack = await this.#context.run(vscode.l10n.t('Working'), () => work(() => this.#context.api), { place: 'view' });
    if (!takeBack) return;
    this.#recent.addOwn(purpose, messageIds, takeBack);
    this.#performed.fire({ purpose, messageIds });
    this.#say(purpose, messageIds.length, 'undoable');
  }

  /** Moves messages to Trash; of what cannot go there it is asked whether it is to be removed for ever. Never rejects. */
  async delete(messageIds: readonly number[]): Promise<void> {
    await deleteMessages(messageIds, {
      perform: (purpose, ids, request) => this.perform(purpose, ids, request),
      ask: (left) => askAboutLeft(left),
      createTrash: async (accountId) => ((await this.createFolder(accountId, 'trash')) ? 'made' : 'failed'),
    });
  }

  /** Makes the folder that an account lacks; undefined where that failed, which was shown. */
  async createFolder(accountId: string, role: MadeRole): Promise<string | undefined> {
    const request = (signal: AbortSignal): Promise<{ path: string }> => this.#context.api.createRoleFolder({ accountId, role }, { signal });
    const made = await this.#context.run(vscode.l10n.t('Creating the folder'), request, {
      place: 'view',
      viewId: 'qumail.mail',
      failure: { accountId },
    });
    return made?.path;
  }

  dispose(): void {
    this.#performed.dispose();
  }

  #note(receipt: ActionReceipt, purpose: ActionPurpose): void {
    const { messageIds } = receipt;
    this.#recent.add(receipt, purpose);
    this.#performed.fire({ purpose, messageIds });
    if (purpose !== 'flags') this.#say(purpose, messageIds.length, receipt.undoable ? 'undoable' : 'final');
  }

  #say(purpose: DonePurpose, count: number, back: 'undoable' | 'final'): void {
    const undo = back === 'undoable' ? ` · ${vscode.l10n.t('"Undo Last Mail Action" takes it back')}` : '';
    vscode.window.setStatusBarMessage(`$(check) ${doneText(purpose, count, vscode.l10n)}${undo}`, SAY_MS);
  }

  /** Takes back what was done last in this window. */
  async undo(): Promise<void> {
    const last = this.#recent.last;
    if (!last) return void vscode.window.setStatusBarMessage(vscode.l10n.t('There is nothing to take back.'), SAY_MS);
    try {
      await (last.takeBack ? last.takeBack() : this.#context.api.undoAction({ actionId: last.actionId }));
      const done = doneText(last.purpose, last.messageIds.length, vscode.l10n);
      vscode.window.setStatusBarMessage(`$(discard) ${vscode.l10n.t('Taken back: {0}', done)}`, SAY_MS);
      this.#recent.forget(last.actionId);
    } catch (error) {
      const { code } = QuMailError.from(error);
      // What can never be taken back must not stand in the way of what was done before it.
      if (last.takeBack || code === 'action.missing' || code === 'action.final') this.#recent.forget(last.actionId);
      await this.#context.showFailure(error);
    }
  }

  /** What waits for a server or was refused, each to be taken back or put away. */
  async showPending(): Promise<void> {
    await this.#pending.refresh();
    const actions = this.#pending.actions;
    if (actions.length === 0) return void vscode.window.setStatusBarMessage(vscode.l10n.t('The servers have heard of everything.'), SAY_MS);
    const emails = new Map(this.#context.accounts.map(({ id, email }) => [id, email]));
    const items = actions.map((action) => ({
      label: `$(${pendingIcon(action)}) ${pendingTitle(action, vscode.l10n)}`,
      description: [pendingState(action, vscode.l10n), emails.get(action.accountId)].filter(Boolean).join(' · '),
      detail: action.failure ? sentenceOf(action.failure, vscode.l10n) : '',
      action,
    }));
    const picked = await pickOne(items, {
      title: vscode.l10n.t('Changes the servers have not heard of'),
      placeHolder: vscode.l10n.t('Pick one to take it back or put it away'),
    });
    if (picked) await this.settle(picked.action);
  }

  /** Asks what becomes of one pending action. */
  async settle(action: PendingAction): Promise<void> {
    const over = action.state === 'failed' || action.state === 'dropped';
    const button = over ? vscode.l10n.t('Put Away') : vscode.l10n.t('Take Back');
    const reason = action.failure ? present(action.failure, vscode.l10n).sentence : '';
    const back = action.state === 'failed' ? vscode.l10n.t('The messages are back where they were.') : '';
    const detail = [pendingState(action, vscode.l10n), reason, back].filter(Boolean).join('\n');
    const title = pendingTitle(action, vscode.l10n);
    if ((await vscode.window.showInformationMessage(title, { modal: true, detail }, button)) !== button) return;
    await this.#context.run(vscode.l10n.t('Taking back'), () => this.#context.api.undoAction({ actionId: action.id }), {
      place: 'view',
      viewId: 'qumail.mail',
    });
    this.#recent.forget(action.id);
    await this.#pending.refresh();
  }
}

/** Says for how long, before anything is removed for good. */
async function askAboutLeft({ why, messages }: LeftBehind): Promise<'for-ever' | 'create-folder' | undefined> {
  const { question, detail } = questionText({ why, messages }, vscode.l10n);
  const forEver = vscode.l10n.t('Delete For Ever');
  const create = vscode.l10n.t('Create Folder');
  const buttons = why === 'no-trash' ? [create, forEver] : [forEver];
  const pressed = await vscode.window.showWarningMessage(question, { modal: true, detail }, ...buttons);
  return pressed === forEver ? 'for-ever' : pressed === create ? 'create-folder' : undefined;
}

/** Codicon of a pending action. */
export function pendingIcon({ state }: Pick<PendingAction, 'state'>): string {
  return state === 'failed' || state === 'dropped' ? 'warning' : state === 'running' ? 'sync' : 'clock';
}
