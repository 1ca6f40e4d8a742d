import * as vscode from 'vscode';
import type { Worlds } from '../worlds.ts';
import { redirectText } from './redirectText.ts';

/** Where the browser comes back to when a loopback listener cannot be reached. Only the sign-in that waits for it accepts it. */
export function registerRedirectHandler(worlds: Worlds): vscode.Disposable {
  return vscode.window.registerUriHandler({
    async handleUri(uri) {
      if (uri.path !== '/callback' || !worlds.real.isStarted) return;
      await worlds.run(vscode.l10n.t('Signing in'), () => worlds.real.api.deliverRedirect({ uri: redirectText(uri) }), { place: 'silent' });
    },
  });
}
