import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { TroubleMemory } from './storeTroubles.ts';

/** Says that mail cannot be kept on this computer, with what helps: nothing else would, for it is fetched and stored unasked. */
export class StoreAlarms implements vscode.Disposable {
  readonly #memory = new TroubleMemory();
  readonly #subscription: vscode.Disposable;

  constructor(context: ViewContext) {
    this.#subscription = context.onEvent((event) => {
      if (event.kind !== 'accounts') return;
      for (const { accountId, failure } of this.#memory.toTell(context.accounts)) {
        const retry = (): unknown => vscode.commands.executeCommand('qumail.fetchMail');
        void context.showFailure(new QuMailError(failure.code, failure.details), { accountId, retry });
      }
    });
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}
