import { emptyPage, pagePolicy, type PageShell } from '../emptyPage.ts';

/** The empty page of a chat. Pictures are octets that were handed to it; nothing comes from any network. */
export function chatShell(shell: PageShell): string {
  return emptyPage(shell, { root: 'chat', policy: pagePolicy(shell, { styles: shell.cspSource, images: 'blob:' }) });
}
