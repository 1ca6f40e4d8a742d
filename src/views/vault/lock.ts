import * as vscode from 'vscode';
import { DRAFT_SCHEME } from '../composer/draftUri.ts';
import { closeTabs } from '../composer/draftTabs.ts';
import type { Worlds } from '../worlds.ts';

/**
 * Locks QuMail in this window, for those who set a passphrase: drafts are saved and closed, and a new engine takes the place of the one that
 * knows the keys. It asks for the passphrase before it tells anything again.
 */
export async function lock(worlds: Worlds): Promise<void> {
  const { locked, passphrase } = await worlds.api.getVaultState();
  if (locked || passphrase !== 'set') return;
  const drafts = vscode.workspace.textDocuments.filter(({ uri, isDirty }) => isDirty && uri.scheme === DRAFT_SCHEME);
  const saved = await Promise.all(drafts.map((draft) => draft.save()));
  // What could not be saved is not thrown away for that; saying so is the file system's.
  if (saved.includes(false)) return;
  await closeTabs();
  await worlds.restart();
}
