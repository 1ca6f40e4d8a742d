import * as vscode from 'vscode';
import type { OutboxEntry } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import type { Outbox } from './outbox.ts';
import { thisMoment } from './outboxItems.ts';
import { actionLabel, entryDetail, outboxActions, stateText, type OutboxAction } from './outboxText.ts';

/** Where the actions lead to: the composer, and the folder view. */
export interface OutboxPlaces {
  openDraft(draftId: string): Promise<void>;
  /** Shows the folder of sent mail, freshly fetched. */
  openSent(accountId: string): Promise<void>;
}

/** What a person does about messages in the outbox. Never rejects: a failure is shown. */
export class OutboxActions {
  readonly #context: ViewContext;
  readonly #outbox: Outbox;
  readonly #places: OutboxPlaces;

  constructor(context: ViewContext, outbox: Outbox, places: OutboxPlaces) {
    this.#context = context;
    this.#outbox = outbox;
    this.#places = places;
  }

  /** The whole outbox as a list; taking an entry shows what can be done about it. */
  async showAll(): Promise<void> {
    await this.#outbox.refresh();
    const { entries } = this.#outbox;
    if (entries.length === 0) return void vscode.window.showInformationMessage(vscode.l10n.t('The outbox is empty: everything was sent.'));
    const items = entries.map((entry) => ({
      label: withoutIcons(entry.subject) || vscode.l10n.t('(no subject)'),
      description: `${entry.level} · ${entry.to.join(', ')}`,
      detail: stateText(entry, thisMoment(), vscode.l10n),
      entry,
    }));
    const picked = await pickOne(items, { placeHolder: vscode.l10n.t('Outbox'), matchOnDescription: true });
    if (picked) await this.open(picked.entry);
  }

  /** Says what became of an entry, with a button for everything that can be done about it. */
  async open(entry: OutboxEntry): Promise<void> {
    const buttons = outboxActions(entry).map((action) => ({ title: actionLabel(action, entry.state, vscode.l10n), action }));
    const options = { modal: true, detail: `${entry.to.join(', ')}\n\n${entryDetail(entry, thisMoment(), vscode.l10n)}` };
    const pressed = await vscode.window.showInformationMessage(entry.subject || vscode.l10n.t('(no subject)'), options, ...buttons);
    if (pressed) await this.act(pressed.action, entry);
  }

  async act(action: OutboxAction, entry: OutboxEntry): Promise<void> {
    const acts: Record<OutboxAction, () => Promise<unknown>> = {
      undo: () => this.undo(entry),
      retry: () => this.#retry(entry),
      discard: () => this.#discard(entry),
      'check-sent': () => this.#places.openSent(entry.accountId),
      'send-again': () => this.#sendAgain(entry),
      arrived: () => this.#settle(entry, 'sent'),
    };
    await acts[action]();
  }

  /** Takes a message back that has not left, and opens its draft. */
  async undo({ id, accountId }: Pick<OutboxEntry, 'id' | 'accountId'>): Promise<void> {
    const draft = await this.#context.run(vscode.l10n.t('Taking the message back'), () => this.#context.api.undoSend({ outboxId: id }), {
      place: 'silent',
      failure: { accountId },
    });
    if (draft) await this.#places.openDraft(draft.id);
  }

  /** Takes back the message held last; for the key that people press in a fright. */
  async undoLast(): Promise<void> {
    await this.#outbox.refresh();
    const held = this.#outbox.entries.filter(({ state }) => state === 'held').at(-1);
    if (held) await this.undo(held);
    else void vscode.window.showInformationMessage(vscode.l10n.t('Nothing is held back: there is no sending to undo.'));
  }

  async #retry(entry: OutboxEntry): Promise<void> {
    await this.#context.run(
      vscode.l10n.t('Sending "{0}"', entry.subject),
      (signal) => this.#context.api.retryOutbox({ outboxId: entry.id }, { signal }),
      { failure: { accountId: entry.accountId, retry: () => this.#retry(entry) } },
    );
  }

  async #discard(entry: OutboxEntry): Promise<void> {
    const discard = vscode.l10n.t('Discard');
    const unknown = vscode.l10n.t('It may have arrived all the same. QuMail stops asking about it.');
    const unsent = outboxActions(entry).includes('undo')
      ? vscode.l10n.t('It is not sent, and its draft is deleted. To go on writing, choose Back to Draft instead.')
      : vscode.l10n.t('It is not sent.');
    const detail = entry.state === 'acceptance-unknown' ? unknown : unsent;
    const question = vscode.l10n.t('Discard "{0}"?', entry.subject || vscode.l10n.t('(no subject)'));
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, discard)) !== discard) return;
    await this.#context.run(vscode.l10n.t('Discarding'), () => this.#context.api.discardOutbox({ outboxId: entry.id }), {
      place: 'silent',
      failure: { accountId: entry.accountId },
    });
  }

  /** Only after the person was told that this may be the second copy. */
  async #sendAgain(entry: OutboxEntry): Promise<void> {
    const again = vscode.l10n.t('Send Again');
    const detail = vscode.l10n.t('If the first one arrived, the recipients get the same message twice.');
    const question = vscode.l10n.t('Send "{0}" again?', entry.subject || vscode.l10n.t('(no subject)'));
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, again)) === again) await this.#settle(entry, 'resend');
  }

  async #settle(entry: OutboxEntry, as: 'sent' | 'resend'): Promise<void> {
    const title = as === 'sent' ? vscode.l10n.t('Settling') : vscode.l10n.t('Sending "{0}"', entry.subject);
    await this.#context.run(title, (signal) => this.#context.api.settleOutbox({ outboxId: entry.id, as }, { signal }), {
      place: as === 'sent' ? 'silent' : 'notification',
      failure: { accountId: entry.accountId },
    });
  }
}
