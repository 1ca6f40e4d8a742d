import type { SecurityLevel } from './types.ts';

/** What the person configures; machine-scoped, so no workspace can redirect mail or keys. */
export interface EngineSettings {
  readonly googleClientId: string;
  readonly yahooClientId: string;
  /** PEM bundles trusted in addition to the system's, by host name. */
  readonly certificateAuthorities: Readonly<Record<string, string>>;
  /** Seconds between looks for new mail where the server cannot push. */
  readonly fetchInterval: number;
  /** How a sign-in comes back: a loopback listener, or the editor's own URI handler at `uriRedirect`. */
  readonly signInRedirect: 'loopback' | 'uri';
  readonly uriRedirect: string;
  /** Level a new message starts at, 'best' for the best that all recipients support. */
  readonly startLevel: 'best' | SecurityLevel;
  /** How long a message is held before it goes, in seconds, so that sending can be undone; 0 for not at all. */
  readonly undoSendSeconds: number;
  /** What all offline mail may take on this machine, in MiB; 0 for headers alone. */
  readonly offlineBudgetMiB: number;
}

export const DEFAULT_SETTINGS: EngineSettings = {
  googleClientId: '',
  yahooClientId: '',
  certificateAuthorities: {},
  fetchInterval: 60,
  signInRedirect: 'loopback',
  uriRedirect: '',
  startLevel: 'best',
  undoSendSeconds: 0,
  offlineBudgetMiB: 4096,
};
