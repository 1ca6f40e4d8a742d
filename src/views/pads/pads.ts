import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Contact, Pad } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import { parseSize } from '../keys/budgetWords.ts';
import { sizeLabel } from '../labels.ts';
import type { ViewContext } from '../viewContext.ts';
import { runWizard } from '../wizard/wizard.ts';
import { padText } from './padText.ts';

/** Of both directions together, octets. */
const LEAST = 8192;
const MOST = 16 * 1024 ** 3;

/** Makes a pad for a contact: how large, where, of what randomness; says what the file is worth before it is made. */
export async function createPad(context: ViewContext, contact: Contact): Promise<void> {
  const { accountId, address } = contact;
  const name = contact.name || address;
  const size = (text: string): string | undefined => {
    const octets = parseSize(text);
    return octets !== undefined && octets >= LEAST && octets <= MOST
      ? undefined
      : vscode.l10n.t('Write a size from 8 KiB to 16 GiB, like 10 MB.');
  };
  const answers = await runWizard(vscode.l10n.t('Make Pad for {0}', name), [
    {
      kind: 'text',
      key: 'size',
      prompt: vscode.l10n.t('Size of the pad. Half of it is for each direction; each byte serves one byte of L1 mail, once.'),
      suggest: () => '10 MB',
      check: size,
    },
    {
      kind: 'pick',
      key: 'from',
      prompt: vscode.l10n.t('Where do its random bytes come from?'),
      choices: [
        { value: 'system', label: vscode.l10n.t('This computer'), detail: vscode.l10n.t('The random generator of the operating system') },
        {
          value: 'file',
          label: vscode.l10n.t('A hardware generator'),
          detail: vscode.l10n.t('A file of random bytes that it wrote; used together with nothing else, so erase it afterwards'),
        },
      ],
    },
  ]);
  const octets = answers && parseSize(answers['size'] ?? '');
  if (!answers || octets === undefined) return;
  const random = answers['from'] === 'file' ? await pickFile(vscode.l10n.t('Use These Bytes')) : undefined;
  if (answers['from'] === 'file' && !random) return;
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(homedir(), `${address.replace(/[^\w.@-]+/g, '_')}.qumailpad`)),
    saveLabel: vscode.l10n.t('Make Pad'),
    title: vscode.l10n.t('Where to put the pad: best straight onto the stick that you hand over'),
  });
  if (!target) return;
  const detail = vscode.l10n.t(
    'Hand the file to {0} in person and let it be imported there; importing erases it. Whoever copies it on the way can read what it seals. It cannot be made again and is in no backup.',
    name,
  );
  const make = vscode.l10n.t('Make Pad');
  const question = vscode.l10n.t('Make a pad of {0} for {1}?', sizeLabel(octets), name);
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, make)) !== make) return;
  const request = { accountId, address, path: target.fsPath, octets, ...(random ? { randomPath: random.fsPath } : {}) };
  const pad = await withProgress(context, vscode.l10n.t('Making the pad'), accountId, (signal) =>
    context.api.createPad(request, { signal }),
  );
  if (pad)
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The pad is made. Hand {0} to {1}, then erase every copy.', target.fsPath, name),
    );
}

/** Imports a pad that a contact made. The file is erased then. */
export async function importPad(context: ViewContext, contact: Contact): Promise<void> {
  const { accountId, address } = contact;
  const file = await pickFile(vscode.l10n.t('Import Pad'));
  if (!file) return;
  const detail = vscode.l10n.t('The file is erased after it was imported: a pad that exists twice is no secret.');
  const take = vscode.l10n.t('Import and Erase');
  const question = vscode.l10n.t('Import this pad of {0}?', contact.name || address);
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, take)) !== take) return;
  const request = { accountId, address, path: file.fsPath };
  const pad = await withProgress(context, vscode.l10n.t('Importing the pad'), accountId, (signal) =>
    context.api.importPad(request, { signal }),
  );
  if (pad)
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The pad is here: {0} for writing to {1}.', sizeLabel(pad.leftBits / 8), contact.name || address),
    );
}

/** All pads of an account, to look at; a ready one can be discarded from here. */
export async function showPads(context: ViewContext, accountId: string, address?: string): Promise<void> {
  const pads = (await context.api.listPads({ accountId })).filter((pad) => address === undefined || pad.address === address);
  if (pads.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('There are no pads. Make one, hand it over in person, and L1 works without a quantum link.'),
    );
    return;
  }
  const items = pads.map((pad) => ({
    ...padText(pad, (time) => new Date(time).toLocaleDateString(vscode.env.language), vscode.l10n),
    pad,
  }));
  const placeHolder = vscode.l10n.t('Pads; choose one to discard what is left of it');
  const chosen = await pickOne(items, { placeHolder, matchOnDescription: true });
  if (chosen?.pad.state === 'ready') await discardPad(context, chosen.pad);
}

export async function discardPad(context: ViewContext, pad: Pick<Pad, 'accountId' | 'name' | 'address'>): Promise<void> {
  const discard = vscode.l10n.t('Discard');
  const detail = vscode.l10n.t(
    'What is left is destroyed. Mail that {0} sealed with it and that was not opened yet stays shut, and the pad can never be imported again.',
    pad.address,
  );
  if (
    (await vscode.window.showWarningMessage(
      vscode.l10n.t('Discard the pad shared with {0}?', pad.address),
      { modal: true, detail },
      discard,
    )) !== discard
  )
    return;
  await context.api.discardPad({ accountId: pad.accountId, name: pad.name });
}

async function pickFile(openLabel: string): Promise<vscode.Uri | undefined> {
  return (await vscode.window.showOpenDialog({ openLabel, canSelectMany: false }))?.[0];
}

/** A pad can be large: its progress comes as events. */
function withProgress(
  context: ViewContext,
  title: string,
  accountId: string,
  task: (signal: AbortSignal) => Promise<Pad>,
): Promise<Pad | undefined> {
  return context.run(
    title,
    async (signal, report) => {
      const listening = context.onEvent((event) => {
        if (event.kind === 'pad-progress' && event.accountId === accountId && event.total > 0)
          report(vscode.l10n.t('{0} of {1}', sizeLabel(event.done), sizeLabel(event.total)));
      });
      try {
        return await task(signal);
      } finally {
        listening.dispose();
      }
    },
    { failure: { accountId } },
  );
}
