import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import { showBox } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { runWizard } from '../wizard/wizard.ts';

/** Characters; the engine has the last word. */
const LEAST = 8;

/** Sets the first passphrase, or another one in place of the present one. */
export async function setPassphrase(context: ViewContext): Promise<void> {
  const { passphrase } = await context.api.getVaultState();
  const answers = await runWizard(vscode.l10n.t('Set Passphrase'), [
    {
      kind: 'text',
      key: 'current',
      secret: 'secret',
      when: () => passphrase === 'set',
      prompt: vscode.l10n.t('The present passphrase'),
    },
    {
      kind: 'text',
      key: 'next',
      secret: 'secret',
      prompt: vscode.l10n.t(
        'The new passphrase. QuMail asks for it at every start; nobody can bring it back, so a few unrelated words are best.',
      ),
      check: (text) => (text.length >= LEAST ? undefined : vscode.l10n.t('Use at least {0} characters.', LEAST)),
    },
    {
      kind: 'text',
      key: 'again',
      secret: 'secret',
      prompt: vscode.l10n.t('The same once more'),
      check: (text, given) => (text === given['next'] ? undefined : vscode.l10n.t('This is not the same.')),
    },
  ]);
  if (!answers) return;
  const current = answers['current'];
  const request = { passphrase: answers['next'] ?? '', ...(passphrase === 'set' && current !== undefined ? { current } : {}) };
  const state = await context.run(vscode.l10n.t('Setting the passphrase'), () => context.api.setPassphrase(request), {
    failure: { retry: () => setPassphrase(context) },
  });
  if (state) vscode.window.setStatusBarMessage(`$(lock) ${vscode.l10n.t('Your mail and keys are protected with the passphrase')}`, 5000);
}

export async function removePassphrase(context: ViewContext): Promise<void> {
  const answers = await runWizard(vscode.l10n.t('Remove Passphrase'), [
    {
      kind: 'text',
      key: 'current',
      secret: 'secret',
      prompt: vscode.l10n.t('The present passphrase. Without it, only the secret storage of this computer protects your keys.'),
    },
  ]);
  if (!answers) return;
  const state = await context.run(
    vscode.l10n.t('Removing the passphrase'),
    () => context.api.removePassphrase({ current: answers['current'] ?? '' }),
    {
      failure: { retry: () => removePassphrase(context) },
    },
  );
  if (state) vscode.window.setStatusBarMessage(`$(unlock) ${vscode.l10n.t('The passphrase is removed')}`, 5000);
}

/** Asks for the passphrase until it is the right one, or the person leaves. */
export async function unlock(context: ViewContext): Promise<void> {
  if (!(await context.api.getVaultState()).locked) return;
  const box = vscode.window.createInputBox();
  box.title = vscode.l10n.t('Unlock QuMail');
  box.prompt = vscode.l10n.t('Your passphrase');
  box.password = true;
  box.ignoreFocusOut = true;
  try {
    await new Promise<void>((resolve) => {
      box.onDidChangeValue(() => (box.validationMessage = undefined));
      box.onDidHide(() => resolve());
      box.onDidAccept(async () => {
        box.busy = true;
        box.enabled = false;
        try {
          await context.api.unlock({ passphrase: box.value });
          resolve();
        } catch (error) {
          if (QuMailError.is(error, 'vault.wrong-passphrase')) box.validationMessage = vscode.l10n.t('This is not the passphrase.');
          else {
            await context.showFailure(error);
            resolve();
          }
        } finally {
          box.busy = false;
          box.enabled = true;
        }
      });
      showBox(box);
    });
  } finally {
    box.dispose();
  }
}
