import * as vscode from 'vscode';
import type { LogSink, OpenBrowser, Secrets } from '../core/api.ts';

/** VS Code's SecretStorage as the engine's Secrets port. */
export function secretsOf(storage: vscode.SecretStorage): Secrets {
  return {
    get: async (key) => storage.get(key),
    set: async (key, value) => storage.store(key, value),
    delete: async (key) => storage.delete(key),
  };
}

/** Secrets that live as long as the lab does. */
export function memorySecrets(): Secrets {
  const values = new Map<string, string>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}

/**
 * Opens a page in the person's browser. VS Code hands a string to the system as it is, but writes a Uri anew and un-escapes what is
 * nested in its query, which breaks `redirect_uri` (microsoft/vscode#85930). Hence the string in the Uri's place.
 */
export const openInBrowser: OpenBrowser = async (url) => vscode.env.openExternal(url as unknown as vscode.Uri);

/** Log entries as lines of the output channel: the event, then its facts. */
export function logTo(channel: vscode.LogOutputChannel): LogSink {
  return ({ level, event, facts }) => {
    const text = Object.entries(facts).reduce(
      (line, [name, value]) => (value === undefined ? line : `${line} ${name}=${JSON.stringify(value)}`),
      event,
    );
    channel[level](text);
  };
}
