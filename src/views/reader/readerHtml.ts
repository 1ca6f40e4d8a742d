import { emptyPage, pagePolicy, type PageShell } from '../emptyPage.ts';

/** What the page may load from elsewhere: nothing, or images over https once the person asked for them. */
export type RemoteContent = 'blocked' | 'allowed';

export interface ReaderShell extends PageShell {
  readonly remote: RemoteContent;
}

/**
 * The policy of the reader's page. The frame that holds the mail is a `srcdoc` document and inherits it, so this is the
 * outermost limit of what any mail can do, whatever the sanitiser misses, and only the host can widen it by building the
 * page again. `style-src 'unsafe-inline'` is there for the mail's own style attributes (an inherited policy cannot be
 * looser inside than outside); styles alone can load nothing, because images, fonts and frames are closed, and the page
 * itself builds its content with textContent only.
 */
export function readerPolicy(shell: Pick<ReaderShell, 'cspSource' | 'nonce' | 'remote'>): string {
  const images = shell.remote === 'allowed' ? 'data: https:' : 'data:';
  return pagePolicy(shell, { styles: `${shell.cspSource} 'unsafe-inline'`, images });
}

/** The empty page of the reader; everything in it comes later, by message. */
export function readerShell(shell: ReaderShell): string {
  return emptyPage(shell, { root: 'reader', policy: readerPolicy(shell) });
}
