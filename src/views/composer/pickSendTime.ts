import * as vscode from 'vscode';
import { askText, pickOne } from '../box.ts';
import { parseSendTime, sendTimes } from '../outbox/sendTimes.ts';

/** Asks when to send: one of the usual times, or one that is typed. Milliseconds since the epoch; undefined where the person gave up. */
export async function pickSendTime(): Promise<number | undefined> {
  const now = Date.now();
  const items = [
    ...sendTimes(now, vscode.env.language, vscode.l10n).map(({ at, label, description }) => ({
      label: `$(clock) ${label}`,
      description,
      at: at as number | undefined,
    })),
    { label: `$(calendar) ${vscode.l10n.t('Another time…')}`, description: '', at: undefined },
  ];
  const picked = await pickOne(items, {
    title: vscode.l10n.t('Send Later'),
    placeHolder: vscode.l10n.t('Sealed now, sent then. VS Code must be running at that time, or it goes when it next is.'),
  });
  return picked && (picked.at ?? askTime());
}

async function askTime(): Promise<number | undefined> {
  const text = await askText({
    title: vscode.l10n.t('Send Later'),
    prompt: vscode.l10n.t('When? Write 14:30, or 2026-11-24 14:30.'),
    check: (value) =>
      value === '' || parseSendTime(value, Date.now()) !== undefined
        ? undefined
        : vscode.l10n.t('This is no time to come. Write 14:30, or a date and a time.'),
  });
  return text === undefined ? undefined : parseSendTime(text, Date.now());
}
