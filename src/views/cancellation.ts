import type * as vscode from 'vscode';
import { QuMailError } from '../core/api.ts';

/** Does `work` with a signal that VS Code's token aborts, as `engine.cancelled`. */
export async function cancelledBy<T>(token: vscode.CancellationToken, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onCancel = token.onCancellationRequested(() => controller.abort(new QuMailError('engine.cancelled')));
  try {
    return await work(controller.signal);
  } finally {
    onCancel.dispose();
  }
}
