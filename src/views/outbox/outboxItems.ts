import * as vscode from 'vscode';
import type { OutboxEntry } from '../../core/api.ts';
import { levelLabel } from '../labels.ts';
import { entryDetail, outboxIcon, outboxSummary, stateText, type Moment } from './outboxText.ts';

/** Now, in the language of the interface. */
export function thisMoment(): Moment {
  return { now: Date.now(), locale: vscode.env.language };
}

/** The row above the entries; it is there only while there are any. */
export function outboxItem(entries: readonly OutboxEntry[]): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Outbox'), vscode.TreeItemCollapsibleState.Expanded);
  const stuck = entries.some(({ state }) => state === 'rejected' || state === 'acceptance-unknown');
  item.id = 'outbox';
  item.description = outboxSummary(entries, vscode.l10n);
  item.iconPath = new vscode.ThemeIcon('arrow-circle-up', stuck ? new vscode.ThemeColor('list.warningForeground') : undefined);
  item.contextValue = 'outbox';
  item.tooltip = vscode.l10n.t('What has not been sent yet');
  return item;
}

/** One message that waits: its subject, and what becomes of it. */
export function outboxEntryItem(entry: OutboxEntry): vscode.TreeItem {
  const moment = thisMoment();
  const subject = entry.subject || vscode.l10n.t('(no subject)');
  const item = new vscode.TreeItem(subject);
  const icon = outboxIcon(entry.state);
  item.id = `outbox:${entry.id}`;
  item.description = stateText(entry, moment, vscode.l10n);
  item.iconPath = new vscode.ThemeIcon(icon.id, icon.color === undefined ? undefined : new vscode.ThemeColor(icon.color));
  item.tooltip = [subject, entry.to.join(', '), levelLabel(entry.level, vscode.l10n), entryDetail(entry, moment, vscode.l10n)].join('\n');
  item.accessibilityInformation = { label: `${subject}, ${item.description}` };
  item.contextValue = `outbox.${entry.state}${entry.draftId === undefined ? '' : '.draft'}`;
  item.command = { command: 'qumail.openOutboxEntry', title: vscode.l10n.t('Open'), arguments: [entry.id] };
  return item;
}
