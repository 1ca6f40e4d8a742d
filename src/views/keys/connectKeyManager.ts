import * as vscode from 'vscode';
import type { Account, ConnectKeyManagerRequest } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { runWizard } from '../wizard/wizard.ts';
import type { Answers, Step } from '../wizard/steps.ts';

/** Asks for everything a key manager needs and connects it; the engine checks all of it before it stores anything. */
export async function connectKeyManager(context: ViewContext, account: Account, given: Answers = {}): Promise<void> {
  const known = (await context.api.listKeyManagers()).find(({ accountId }) => accountId === account.id);
  const start = known ? { url: known.url, kmeId: known.kmeId, saeId: known.saeId, ...given } : given;
  const answers = await runWizard(vscode.l10n.t('Connect Key Manager'), keyManagerSteps(), start);
  if (!answers) return;
  const connected = await context.run(
    vscode.l10n.t('Connecting the key manager'),
    async (signal) => context.api.connectKeyManager(await requestOf(account.id, answers), { signal }),
    { failure: { accountId: account.id, retry: () => connectKeyManager(context, account, answers) } },
  );
  if (connected) await vscode.commands.executeCommand('qumail.keys.focus');
}

function keyManagerSteps(): readonly Step[] {
  const required = (text: string): string | undefined => (text === '' ? vscode.l10n.t('This is needed to go on.') : undefined);
  const pem = (answers: Answers): boolean => answers['client'] === 'pem';
  const pkcs12 = (answers: Answers): boolean => answers['client'] === 'pkcs12';
  const pemFiles = { [vscode.l10n.t('Certificates and keys')]: ['pem', 'crt', 'cer', 'key'] };
  return [
    {
      kind: 'text',
      key: 'url',
      prompt: vscode.l10n.t('Address of the key manager (ETSI GS QKD 014)'),
      placeholder: 'https://kme.example.org:8443',
      check: (text) =>
        URL.canParse(text) && new URL(text).protocol === 'https:' ? undefined : vscode.l10n.t('This must be an https address.'),
    },
    {
      kind: 'text',
      key: 'kmeId',
      prompt: vscode.l10n.t('KME ID, the name that the certificate of the key manager carries'),
      check: required,
    },
    { kind: 'text', key: 'saeId', prompt: vscode.l10n.t('Your own SAE ID, as registered at the key manager'), check: required },
    {
      kind: 'pick',
      key: 'client',
      prompt: vscode.l10n.t('How did you get your client certificate?'),
      choices: [
        { value: 'pem', label: 'PEM', detail: vscode.l10n.t('A certificate file and a private key file') },
        { value: 'pkcs12', label: 'PKCS#12', detail: vscode.l10n.t('One .p12 or .pfx file with a passphrase') },
      ],
    },
    { kind: 'file', key: 'certificate', when: pem, prompt: vscode.l10n.t('Client certificate (PEM)'), filters: pemFiles },
    {
      kind: 'file',
      key: 'privateKey',
      when: pem,
      prompt: vscode.l10n.t('Private key (PEM). It is copied into the secret storage.'),
      filters: pemFiles,
    },
    {
      kind: 'text',
      key: 'keyPassphrase',
      when: pem,
      secret: 'secret',
      prompt: vscode.l10n.t('Passphrase of the private key. Leave empty if there is none.'),
    },
    {
      kind: 'file',
      key: 'keyStore',
      when: pkcs12,
      prompt: vscode.l10n.t('PKCS#12 file. It is copied into the secret storage.'),
      filters: { 'PKCS#12': ['p12', 'pfx'] },
    },
    { kind: 'text', key: 'storePassphrase', when: pkcs12, secret: 'secret', prompt: vscode.l10n.t('Passphrase of the PKCS#12 file') },
    {
      kind: 'file',
      key: 'authority',
      prompt: vscode.l10n.t('Certificate of the authority that signed the key manager (PEM)'),
      filters: pemFiles,
    },
  ];
}

async function requestOf(accountId: string, answers: Answers): Promise<ConnectKeyManagerRequest> {
  const { url = '', kmeId = '', saeId = '', keyPassphrase = '', storePassphrase = '' } = answers;
  const read = async (key: string): Promise<Buffer> => Buffer.from(await vscode.workspace.fs.readFile(vscode.Uri.file(answers[key] ?? '')));
  const caPem = (await read('authority')).toString('utf8');
  const base = { accountId, url: new URL(url).origin, kmeId, saeId, caPem };
  if (answers['client'] === 'pkcs12') {
    return { ...base, client: { kind: 'pkcs12', pfxBase64: (await read('keyStore')).toString('base64'), passphrase: storePassphrase } };
  }
  const certPem = (await read('certificate')).toString('utf8');
  const keyPem = (await read('privateKey')).toString('utf8');
  return { ...base, client: { kind: 'pem', certPem, keyPem, ...(keyPassphrase === '' ? {} : { passphrase: keyPassphrase }) } };
}
