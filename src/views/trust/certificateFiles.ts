import { join } from 'node:path';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { QuMailError, type Account, type Contact, type LearnedCertificate } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { markLook, markOf } from './trustWords.ts';

/** Octets; no card and no certificate is larger. */
const MAX_FILE = 1_048_576;

/** Says what came of something that was imported or found, and leads on to what helps. */
export async function takeLearned(context: ViewContext, { outcome, contact }: LearnedCertificate): Promise<void> {
  const name = contact.name || contact.address;
  const argument = { accountId: contact.accountId, address: contact.address };
  context.log.debug(`certificate ${outcome}`);
  if (outcome === 'changed') {
    await vscode.commands.executeCommand('qumail.reviewKeyChange', argument);
    return;
  }
  const verify = vscode.l10n.t('Verify Contact');
  const words =
    outcome === 'same'
      ? vscode.l10n.t('The certificate of {0} is known already: {1}.', name, markLook(markOf(contact), vscode.l10n).words)
      : vscode.l10n.t('The certificate of {0} is here. You can seal mail for them at L3.', name);
  const usable = contact.certificate?.facts !== undefined && contact.certificate.mark !== 'verified';
  void vscode.window.showInformationMessage(words, ...(usable ? [verify] : [])).then((pressed) => {
    if (pressed === verify) void vscode.commands.executeCommand('qumail.verifyContact', argument);
  });
}

/** Asks the key directory of the contact's domain. */
export async function discoverCertificate(context: ViewContext, accountId: string, address: string): Promise<void> {
  const found = await context.run(
    vscode.l10n.t('Looking for the certificate of {0}', address),
    (signal) => context.api.discoverCertificate({ accountId, address }, { signal }),
    { failure: { accountId, contact: address, retry: () => discoverCertificate(context, accountId, address) } },
  );
  if (found) await takeLearned(context, found);
}

export async function exportCard(context: ViewContext, account: Account): Promise<void> {
  const { file, fileName } = await context.api.exportCard({ accountId: account.id });
  await saveAs(fileName, file, vscode.l10n.t('Save Card'));
}

export async function importCard(context: ViewContext, account: Account): Promise<void> {
  const content = await readFile(vscode.l10n.t('Import Card'), { [vscode.l10n.t('Contact cards')]: ['qumailcard', 'json'] });
  if (content) await takeLearned(context, await context.api.importCard({ accountId: account.id, content }));
}

/** The own certificate, or that of `contact`. */
export async function exportCertificate(context: ViewContext, accountId: string, contact: Contact | undefined): Promise<void> {
  const { text, fileName } = await context.api.exportCertificate({ accountId, ...(contact ? { address: contact.address } : {}) });
  await saveAs(fileName, Buffer.from(text), vscode.l10n.t('Save Certificate'));
}

export async function importCertificate(context: ViewContext, { accountId, address }: Contact): Promise<void> {
  const content = await readFile(vscode.l10n.t('Import Certificate'), { OpenPGP: ['asc', 'pgp', 'gpg', 'key'] });
  if (content) await takeLearned(context, await context.api.importCertificate({ accountId, address, content }));
}

export async function forgetCertificate(context: ViewContext, contact: Contact): Promise<void> {
  const forget = vscode.l10n.t('Forget');
  const question = vscode.l10n.t('Forget the certificate of {0}?', contact.name || contact.address);
  const detail = vscode.l10n.t(
    'Its verification goes with it. The next certificate that comes for this address is taken as if it were the first; a false one would be, too.',
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, forget)) !== forget) return;
  await context.api.forgetCertificate({ accountId: contact.accountId, address: contact.address });
}

async function saveAs(fileName: string, content: Uint8Array, saveLabel: string): Promise<void> {
  const uri = await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.file(join(homedir(), fileName)), saveLabel });
  if (!uri) return;
  await vscode.workspace.fs.writeFile(uri, content);
  vscode.window.setStatusBarMessage(`$(save) ${vscode.l10n.t('Saved to {0}', uri.fsPath)}`, 5000);
}

async function readFile(openLabel: string, filters: Record<string, string[]>): Promise<Uint8Array | undefined> {
  const [uri] = (await vscode.window.showOpenDialog({ openLabel, filters: { ...filters, [vscode.l10n.t('All files')]: ['*'] } })) ?? [];
  if (!uri) return undefined;
  if ((await vscode.workspace.fs.stat(uri)).size > MAX_FILE) throw new QuMailError('cert.too-large', { what: 'file', limit: MAX_FILE });
  return vscode.workspace.fs.readFile(uri);
}
