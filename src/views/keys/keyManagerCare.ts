import * as vscode from 'vscode';
import { QuMailError, type Account, type Contact, type KeyManager, type KmeProfileName } from '../../core/api.ts';
import { askText, pickOne } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { runWizard } from '../wizard/wizard.ts';
import { bitsWords, parseSize } from './budgetWords.ts';
import { profileMeaning } from './conformancePage.ts';
import type { ConformancePanel } from './conformancePanel.ts';

const PROFILES: readonly KmeProfileName[] = ['etsi', 'prefetching', 'one-key-per-request', 'master-in-key-ids', 'get-only', 'cautious'];

/** Tests an account's key manager and shows the table. */
export async function testKeyManager(context: ViewContext, panel: ConformancePanel, account: Account): Promise<void> {
  const report = await context.run(
    vscode.l10n.t('Testing the key manager'),
    (signal) => context.api.testKeyManager({ accountId: account.id }, { signal }),
    { failure: { accountId: account.id, retry: () => testKeyManager(context, panel, account) } },
  );
  if (report) panel.show(report);
}

/** Chooses how a key manager is asked; `given` comes from the test's own suggestion. */
export async function chooseProfile(context: ViewContext, account: Account, given: unknown): Promise<void> {
  const known = (await context.api.listKeyManagers()).find(({ accountId }) => accountId === account.id);
  if (!known) return context.showFailure(new QuMailError('kme.not-configured'), { accountId: account.id });
  const items = PROFILES.map((profile) => ({
    label: profile,
    description: profile === known.profile ? vscode.l10n.t('in use') : '',
    detail: profileMeaning(profile, vscode.l10n),
    profile,
  }));
  const placeHolder = vscode.l10n.t('How is this key manager to be asked?');
  const profile = PROFILES.find((one) => one === given) ?? (await pickOne(items, { placeHolder }))?.profile;
  if (profile === undefined) return;
  await context.api.setKeyManagerProfile({ accountId: account.id, profile });
  vscode.window.setStatusBarMessage(`$(server) ${vscode.l10n.t('Profile "{0}" is in use', profile)}`, 5000);
}

/** Adds another key manager of the same SAE. */
export async function addStandby(context: ViewContext, account: Account): Promise<void> {
  const https = (text: string): string | undefined =>
    URL.canParse(text) && new URL(text).protocol === 'https:' ? undefined : vscode.l10n.t('This must be an https address.');
  const answers = await runWizard(vscode.l10n.t('Add Standby Key Manager'), [
    {
      kind: 'text',
      key: 'url',
      prompt: vscode.l10n.t('Address of another key manager of the same network, asked where the first one cannot help'),
      placeholder: 'https://kme2.example.org:8443',
      check: https,
    },
    {
      kind: 'text',
      key: 'kmeId',
      prompt: vscode.l10n.t('KME ID, the name that the certificate of the key manager carries'),
      check: (text) => (text === '' ? vscode.l10n.t('This is needed to go on.') : undefined),
    },
    {
      kind: 'pick',
      key: 'authority',
      prompt: vscode.l10n.t('Who signed its certificate?'),
      choices: [
        { value: 'same', label: vscode.l10n.t('The same authority as for the first key manager') },
        { value: 'other', label: vscode.l10n.t('Another authority') },
      ],
    },
    {
      kind: 'file',
      key: 'ca',
      when: (given) => given['authority'] === 'other',
      prompt: vscode.l10n.t('Certificate of the authority that signed the key manager (PEM)'),
      filters: { [vscode.l10n.t('Certificates and keys')]: ['pem', 'crt', 'cer'] },
    },
  ]);
  if (!answers) return;
  const { url = '', kmeId = '', ca = '' } = answers;
  const caPem = ca === '' ? undefined : Buffer.from(await vscode.workspace.fs.readFile(vscode.Uri.file(ca))).toString('utf8');
  const request = { accountId: account.id, url: new URL(url).origin, kmeId, ...(caPem === undefined ? {} : { caPem }) };
  await context.run(vscode.l10n.t('Connecting the key manager'), (signal) => context.api.addStandbyKeyManager(request, { signal }), {
    failure: { accountId: account.id },
  });
}

/** Removes the standby named, or the one picked. */
export async function removeStandby(context: ViewContext, account: Account, named: string | undefined): Promise<void> {
  const known: KeyManager | undefined = (await context.api.listKeyManagers()).find(({ accountId }) => accountId === account.id);
  const standbys = known?.standbys ?? [];
  if (standbys.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no standby key manager.'));
    return;
  }
  const items = standbys.map(({ url, kmeId }) => ({ label: url, description: `KME ${kmeId}` }));
  const placeHolder = vscode.l10n.t('Remove which standby key manager?');
  const chosen = items.find(({ label }) => label === named) ?? (await pickOne(items, { placeHolder }));
  if (chosen) await context.api.removeStandbyKeyManager({ accountId: account.id, url: chosen.label });
}

/** Sets a contact's share of the keys, or takes the limit away. */
export async function setQuota(context: ViewContext, { accountId, address, name }: Contact): Promise<void> {
  const span = (seconds: number, label: string): vscode.QuickPickItem & { seconds: number } => ({ label, seconds });
  const spans = [
    span(0, vscode.l10n.t('No limit')),
    span(3600, vscode.l10n.t('A limit for each hour')),
    span(86_400, vscode.l10n.t('A limit for each day')),
    span(604_800, vscode.l10n.t('A limit for each week')),
  ];
  const placeHolder = vscode.l10n.t('How much key may mail to {0} use?', name || address);
  const chosen = await pickOne(spans, { placeHolder });
  if (!chosen) return;
  if (chosen.seconds === 0) return context.api.setKeyQuota({ accountId, address });
  const size = await askText({
    prompt: vscode.l10n.t('The limit, for example "64 kB". An L2 message takes 32 bytes; an L1 message as much as it is long.'),
    value: '64 kB',
    check: (text) => (parseSize(text) === undefined ? vscode.l10n.t('Write a size like 64 kB or 2 MB.') : undefined),
  });
  const octets = size === undefined ? undefined : parseSize(size);
  if (octets === undefined) return;
  await context.api.setKeyQuota({ accountId, address, bits: octets * 8, seconds: chosen.seconds });
  vscode.window.setStatusBarMessage(vscode.l10n.t('Limit of {0} set', bitsWords(octets * 8)), 5000);
}
