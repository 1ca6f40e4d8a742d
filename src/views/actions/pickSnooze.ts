import * as vscode from 'vscode';
import { askText, pickOne } from '../box.ts';
import { parseSendTime } from '../outbox/sendTimes.ts';
import { snoozeTimes } from './snoozeTimes.ts';

/** Asks until when: one of the usual times, or one that is typed. Milliseconds since the epoch; undefined where the person gave up. */
export async function pickSnooze(count: number): Promise<number | undefined> {
  const title = count === 1 ? vscode.l10n.t('Snooze this message') : vscode.l10n.t('Snooze {0} messages', count);
  const items = [
    ...snoozeTimes(Date.now(), vscode.env.language, vscode.l10n).map(({ at, label, description }) => ({
      label: `$(clock) ${label}`,
      description,
      at: at as number | undefined,
    })),
    { label: `$(calendar) ${vscode.l10n.t('Another time…')}`, description: '', at: undefined },
  ];
  const placeHolder = vscode.l10n.t('Until when? It comes back unread and on top, on this machine.');
  const picked = await pickOne(items, { title, placeHolder });
  return picked && (picked.at ?? askTime(title));
}

async function askTime(title: string): Promise<number | undefined> {
  const text = await askText({
    title,
    prompt: vscode.l10n.t('When? Write 14:30, or 2026-11-24 14:30.'),
    check: (value) =>
      value === '' || parseSendTime(value, Date.now()) !== undefined
        ? undefined
        : vscode.l10n.t('This is no time to come. Write 14:30, or a date and a time.'),
  });
  return text === undefined ? undefined : parseSendTime(text, Date.now());
}
