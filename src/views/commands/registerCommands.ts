import * as vscode from 'vscode';
import { COMMAND_IDS, type CommandId } from '../commandIds.ts';
import type { ViewContext } from '../viewContext.ts';

export type CommandHandler = (...args: unknown[]) => unknown;

/** One handler for every command there is: a command without one fails to compile. */
export type CommandHandlers = Readonly<Record<CommandId, CommandHandler>>;

/** Registers all commands. What a handler throws is shown, since nobody else would see it. */
export function registerCommands(context: ViewContext, handlers: CommandHandlers): vscode.Disposable {
  const registrations = COMMAND_IDS.map((id) =>
    vscode.commands.registerCommand(id, async (...args: unknown[]) => {
      try {
        return await handlers[id](...args);
      } catch (error) {
        await context.showFailure(error);
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registrations);
}
