import * as vscode from 'vscode';
import { QuMailError, type Failure } from '../core/api.ts';
import { present, type NextStep } from './present.ts';
import type { CommandId } from './commandIds.ts';
import type { FailureContext } from './viewContext.ts';

/** Failures that are an answer to the person's own "stop". */
const SILENT: readonly string[] = ['engine.cancelled', 'auth.cancelled'];

/** Says what happened, with one button for the next step. Returns once it is on show; the button works whenever it is pressed. */
export function showFailure(error: unknown, context: FailureContext, log: vscode.LogOutputChannel): void {
  const failure = asFailure(error, log);
  if (SILENT.includes(failure.code)) return;
  log.warn(`shown ${failure.code}`);
  const { sentence, step, button } = present(failure, vscode.l10n);
  const usable = step !== undefined && button !== undefined && (step !== 'retry' || context.retry !== undefined);
  void vscode.window.showErrorMessage(sentence, ...(usable ? [button] : [])).then((pressed) => {
    if (pressed !== undefined && step) void takeStep(step, failure, context);
  });
}

/** Any thrown value as data; what the engine did not name is logged by its type, never by its text. */
function asFailure(error: unknown, log: vscode.LogOutputChannel): Failure {
  const named = QuMailError.from(error);
  if (named.code === 'engine.internal' && named.cause instanceof Error) {
    const frames = (named.cause.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
    log.error(`unexpected ${named.cause.name}\n${frames.slice(0, 6).join('\n')}`);
  }
  return { code: named.code, details: named.details };
}

/** Carries out the next step that `present` offered for a failure. */
export async function takeStep(step: NextStep, failure: Failure, context: FailureContext): Promise<void> {
  const run = (command: CommandId, ...args: unknown[]): Thenable<unknown> => vscode.commands.executeCommand(command, ...args);
  const settings = (id: string): Thenable<unknown> => vscode.commands.executeCommand('workbench.action.openSettings', id);
  const address =
    context.contact ?? textOf(failure.details['address']) ?? textOf(failure.details['recipient']) ?? firstOf(failure.details['addresses']);
  const steps: Record<NextStep, () => unknown> = {
    // Without an account it was the first sign-in that failed: its own wizard still knows what was typed.
    'sign-in-again': () => (context.accountId === undefined && context.retry ? context.retry() : run('qumail.signIn', context.accountId)),
    'client-id': () => settings('qumail clientId'),
    'certificate-authorities': () => settings('qumail.certificateAuthorities'),
    'key-manager': () => run('qumail.connectKeyManager', context.accountId),
    'key-manager-status': () => run('qumail.keyManagerStatus', context.accountId),
    contact: () => run('qumail.saveContact', { accountId: context.accountId, address }),
    'key-change': () => run('qumail.reviewKeyChange', { accountId: context.accountId, address }),
    'verify-contact': () => run('qumail.verifyContact', { accountId: context.accountId, address }),
    certificate: () => run('qumail.discoverCertificate', { accountId: context.accountId, address }),
    'ask-again': () => run('qumail.askToSealAgain', context.messageId),
    report: () => run('qumail.reportMessage', context.messageId),
    update: () => vscode.commands.executeCommand('workbench.extensions.action.checkForUpdates'),
    pad: () => run('qumail.importPad', { accountId: context.accountId, address }),
    unlock: () => run('qumail.unlock'),
    passphrase: () => run('qumail.setPassphrase'),
    level: () => run('qumail.chooseSecurityLevel', context.draftUri),
    fetch: () => run('qumail.fetchMail'),
    outbox: () => run('qumail.showOutbox'),
    retry: () => context.retry?.(),
    restart: () => run('qumail.restartEngine'),
    reload: () => vscode.commands.executeCommand('workbench.action.reloadWindow'),
    log: () => run('qumail.showLog'),
    // Then carries on with what the folder was missing for.
    'create-folder': async () => {
      const made = await run('qumail.createFolder', { accountId: failure.details['accountId'], role: failure.details['role'] });
      if (made === true) await context.retry?.();
    },
  };
  await steps[step]();
}

function textOf(value: string | number | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function firstOf(value: string | number | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : textOf(value);
}
