import { setTimeout as delay } from 'node:timers/promises';
import type { TextDocument } from 'vscode';

/** How often a draft is saved before it is sent, and how long another save may be under way in between, in milliseconds. */
const TRIES = 8;
const BETWEEN_MS = 125;

/**
 * Saves a draft that is about to be sent; whether it is saved. VS Code answers `false` as well when another save got in between, and calls a
 * document dirty for a moment after it was saved: only what could not be kept is a failure at once.
 * @param failed whether the engine could not keep what it was given last
 */
export async function saveDraft(
  document: Pick<TextDocument, 'isDirty' | 'save'>,
  failed: () => boolean,
  wait: (ms: number) => Promise<unknown> = delay,
): Promise<boolean> {
  for (let tries = 0; document.isDirty && tries < TRIES; tries++) {
    if (await document.save()) return true;
    if (failed()) return false;
    await wait(BETWEEN_MS);
  }
  return !document.isDirty;
}
