import * as vscode from 'vscode';
import type { ActionPurpose, ActionReceipt, MailFlag, QuMailApi } from '../../core/api.ts';
import { pickSnooze } from '../actions/pickSnooze.ts';
import { messageIdsOf, targetIds } from '../actions/actionTargets.ts';
import { mute, snooze, unsnooze } from '../actions/ownUndo.ts';
import { pickOne } from '../box.ts';
import type { CommandId } from '../commandIds.ts';
import type { Composer } from '../composer/composer.ts';
import type { MailViews } from './mailCommands.ts';
import type { CommandHandler, CommandHandlers } from './registerCommands.ts';

type ActionCommandId = Extract<
  CommandId,
  | 'qumail.markRead'
  | 'qumail.markUnread'
  | 'qumail.flag'
  | 'qumail.unflag'
  | 'qumail.archive'
  | 'qumail.markJunk'
  | 'qumail.markNotJunk'
  | 'qumail.snooze'
  | 'qumail.unsnooze'
  | 'qumail.muteThread'
  | 'qumail.unsubscribe'
  | 'qumail.undoAction'
  | 'qumail.pendingActions'
>;

/** Commands that do something to messages. All of them work without a connection; what can be taken back, `undoAction` takes back. */
export function actionCommands(views: MailViews, composer: Composer): Pick<CommandHandlers, ActionCommandId> {
  const { messages, reader, actions } = views;
  const acting =
    (purpose: ActionPurpose, request: (api: QuMailApi, messageIds: readonly number[]) => Promise<ActionReceipt>): CommandHandler =>
    async (...args) => {
      const messageIds = await targetIds(args, messages, reader);
      await actions.perform(purpose, messageIds, (api) => request(api, messageIds));
    };
  const flags = (change: 'add' | 'remove', flag: MailFlag): CommandHandler =>
    acting('flags', (api, messageIds) =>
      api.setFlags({ messageIds, add: change === 'add' ? [flag] : [], remove: change === 'remove' ? [flag] : [] }),
    );
  return {
    'qumail.markRead': flags('add', 'seen'),
    'qumail.markUnread': flags('remove', 'seen'),
    'qumail.flag': flags('add', 'flagged'),
    'qumail.unflag': flags('remove', 'flagged'),
    'qumail.archive': acting('archive', (api, messageIds) => api.archiveMessages({ messageIds })),
    'qumail.markJunk': acting('junk', (api, messageIds) => api.markJunk({ messageIds })),
    'qumail.markNotJunk': acting('not-junk', (api, messageIds) => api.markNotJunk({ messageIds })),
    'qumail.undoAction': () => actions.undo(),
    'qumail.pendingActions': () => actions.showPending(),
    async 'qumail.snooze'(...args) {
      const messageIds = await targetIds(args, messages, reader);
      const until = messageIds.length === 0 ? undefined : await pickSnooze(messageIds.length);
      if (until !== undefined) await actions.performOwn('snooze', messageIds, (api) => snooze(api, messageIds, until));
    },
    async 'qumail.unsnooze'(...args) {
      const messageIds = await targetIds(args, messages, reader);
      await actions.performOwn('unsnooze', messageIds, (api) => unsnooze(api, messageIds));
    },
    async 'qumail.muteThread'(...args) {
      const [messageId] = messageIdsOf(args, messages, reader);
      if (messageId !== undefined) await muteOrUnmute(messageId, views);
    },
    async 'qumail.unsubscribe'(...args) {
      const [messageId] = messageIdsOf(args, messages, reader);
      if (messageId !== undefined) await unsubscribe(messageId, views, composer);
    },
  };
}

async function muteOrUnmute(messageId: number, { context, actions }: MailViews): Promise<void> {
  const { muted } = await context.api.isMuted({ messageId });
  const rules = [
    { label: `$(mute) ${vscode.l10n.t('Mark later messages read and archive them')}`, rule: 'archive' as const },
    { label: `$(mail-read) ${vscode.l10n.t('Only mark later messages read')}`, rule: 'read' as const },
  ];
  const unmute = [{ label: `$(unmute) ${vscode.l10n.t('Not any more: show later messages as usual')}`, rule: 'off' as const }];
  const picked = await pickOne([...(muted ? unmute : []), ...rules], {
    title: muted ? vscode.l10n.t('This conversation is muted') : vscode.l10n.t('Mute this conversation'),
    placeHolder: vscode.l10n.t('What happens to messages that come later?'),
  });
  if (!picked) return;
  const { rule } = picked;
  await actions.performOwn(rule === 'off' ? 'unmute' : 'mute', [messageId], (api) => mute(api, messageId, rule));
}

/** Says first what is about to happen: a request leaves this machine, and the sender learns that the address is read. */
async function unsubscribe(messageId: number, { context, messages }: MailViews, composer: Composer): Promise<void> {
  const from = messages.find(messageId)?.from.address;
  const question =
    from === undefined ? vscode.l10n.t('Unsubscribe from this list?') : vscode.l10n.t('Unsubscribe from the list of {0}?', from);
  const detail = vscode.l10n.t(
    'QuMail asks the server that the message names to take you off the list, without cookies and without opening a page. The sender learns that your address is in use. Where the list takes messages only, one is written for you to look at and send.',
  );
  const yes = vscode.l10n.t('Unsubscribe');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
  const result = await context.run(vscode.l10n.t('Unsubscribing'), (signal) => context.api.unsubscribe({ messageId }, { signal }));
  if (result?.state === 'draft') await composer.openDraft(result.draftId);
  else if (result)
    void vscode.window.showInformationMessage(vscode.l10n.t('{0} took the request. Mail under way may still arrive.', result.host));
}
