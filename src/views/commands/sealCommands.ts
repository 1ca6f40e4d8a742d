import * as vscode from 'vscode';
import type { CommandId } from '../commandIds.ts';
import type { Composer } from '../composer/composer.ts';
import { messageReport } from '../reader/protection.ts';
import type { ReaderPanel } from '../reader/readerPanel.ts';
import type { ViewContext } from '../viewContext.ts';
import { messageIdsIn } from './commandArguments.ts';
import type { CommandHandlers } from './registerCommands.ts';

type SealCommandId = Extract<CommandId, 'qumail.askToSealAgain' | 'qumail.reportMessage'>;

/** What is done about a message that stays shut. */
export function sealCommands(
  context: ViewContext,
  { composer, reader, version }: { readonly composer: Composer; readonly reader: ReaderPanel; readonly version: string },
): Pick<CommandHandlers, SealCommandId> {
  const messageOf = (argument: unknown): number | undefined => messageIdsIn([argument])[0] ?? reader.current;
  return {
    async 'qumail.askToSealAgain'(argument) {
      const messageId = messageOf(argument);
      if (messageId === undefined) return;
      const draft = await context.api.askToSealAgain({ messageId });
      await composer.openDraft(draft.id);
    },
    async 'qumail.reportMessage'(argument) {
      const messageId = messageOf(argument);
      if (messageId === undefined) return;
      const { security, summary, rfcMessageId } = await context.api.openMessage({ messageId });
      await vscode.env.clipboard.writeText(messageReport(security, { date: summary.date, rfcMessageId, version }));
      vscode.window.setStatusBarMessage(`$(copy) ${vscode.l10n.t('Report copied: codes and key IDs, nothing of the message')}`, 6000);
    },
  };
}
