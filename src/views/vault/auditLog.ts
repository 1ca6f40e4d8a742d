import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ViewContext } from '../viewContext.ts';

/** Walks the whole chain and says whether it is intact. */
export async function verifyAudit(context: ViewContext): Promise<void> {
  const report = await context.run(vscode.l10n.t('Verifying the audit log'), (signal) => context.api.verifyAudit({}, { signal }));
  if (!report) return;
  if (report.intact) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The audit log is intact: {0} entries, each bound to the one before.', report.entries),
    );
    return;
  }
  const save = vscode.l10n.t('Export Audit Log');
  const words = vscode.l10n.t(
    'The audit log was altered or damaged at entry {0} of {1}. Export it and compare it with an earlier copy.',
    report.brokenAt ?? '?',
    report.entries,
  );
  if ((await vscode.window.showErrorMessage(words, save)) === save) await exportAudit(context);
}

export async function exportAudit(context: ViewContext): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(homedir(), `qumail-audit-${new Date().toISOString().slice(0, 10)}.jsonl`)),
    saveLabel: vscode.l10n.t('Export Audit Log'),
  });
  if (!target) return;
  const result = await context.run(vscode.l10n.t('Exporting the audit log'), (signal) =>
    context.api.exportAudit({ path: target.fsPath }, { signal }),
  );
  if (!result) return;
  const copy = vscode.l10n.t('Copy Hash');
  const words = vscode.l10n.t(
    '{0} entries exported, without any key. Note the last hash elsewhere, and you can tell later that nothing was taken back.',
    result.entries,
  );
  if ((await vscode.window.showInformationMessage(words, copy)) === copy) await vscode.env.clipboard.writeText(result.head);
}
