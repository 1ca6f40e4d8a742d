/** Where QuMail runs, as far as it decides how a sign-in can come back. */
export interface SignInSite {
  /** VS Code's own window, or a page in a browser. */
  readonly window: 'desktop' | 'browser';
  /** Whether this extension host runs on the machine of the person's browser, or at the other end of a remote connection. */
  readonly host: 'local' | 'remote';
  readonly trust: 'trusted' | 'restricted';
}

/**
 * `loopback`: a listener on 127.0.0.1 of the extension host. `uri`: VS Code's URI handler. `host`: a session of VS Code's own provider.
 * `password` and `command` open no browser at all.
 */
export type SignInFlow = 'loopback' | 'uri' | 'host' | 'password' | 'command';

interface Capabilities {
  readonly flow: SignInFlow;
  /** Works where this extension host is not on the machine of the browser. */
  readonly remoteHost: 'yes' | 'no';
  /** Works where the window itself is a page in a browser. */
  readonly browserWindow: 'yes' | 'no';
  /** May run while the workspace is not trusted. */
  readonly restricted: 'yes' | 'no';
}

/** What each flow can do, the ones that trouble a person least first. */
const FLOWS: readonly Capabilities[] = [
  { flow: 'loopback', remoteHost: 'no', browserWindow: 'no', restricted: 'yes' },
  { flow: 'uri', remoteHost: 'yes', browserWindow: 'yes', restricted: 'yes' },
  { flow: 'host', remoteHost: 'yes', browserWindow: 'yes', restricted: 'yes' },
  { flow: 'password', remoteHost: 'yes', browserWindow: 'yes', restricted: 'yes' },
  // It starts a program: not while VS Code holds back whatever a stranger's folder might have prepared.
  { flow: 'command', remoteHost: 'yes', browserWindow: 'yes', restricted: 'no' },
];

/** The flows that work at `site`, the best one first. */
export function signInFlows(site: SignInSite): readonly SignInFlow[] {
  return FLOWS.filter(
    (flow) =>
      (site.host === 'local' || flow.remoteHost === 'yes') &&
      (site.window === 'desktop' || flow.browserWindow === 'yes') &&
      (site.trust === 'trusted' || flow.restricted === 'yes'),
  ).map(({ flow }) => flow);
}

/** How the browser comes back after an OAuth sign-in: what the person chose in the settings, else the best that works. */
export function redirectFlow(site: SignInSite, choice: string): 'loopback' | 'uri' {
  if (choice === 'loopback' || choice === 'uri') return choice;
  return signInFlows(site).find((flow) => flow === 'loopback' || flow === 'uri') ?? 'uri';
}
