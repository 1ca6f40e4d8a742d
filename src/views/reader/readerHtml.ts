/** What the page may load from elsewhere: nothing, or images over https once the person asked for them. */
export type RemoteContent = 'blocked' | 'allowed';

export interface ReaderShell {
  readonly cspSource: string;
  readonly nonce: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly language: string;
  readonly title: string;
  readonly remote: RemoteContent;
}

/**
 * The policy of the reader's page. The frame that holds the mail is a `srcdoc` document and inherits it, so this is the
 * outermost limit of what any mail can do, whatever the sanitiser misses, and only the host can widen it by building the
 * page again. `style-src 'unsafe-inline'` is there for the mail's own style attributes (an inherited policy cannot be
 * looser inside than outside); styles alone can load nothing, because images, fonts and frames are closed, and the page
 * itself builds its content with textContent only.
 */
export function readerPolicy({ cspSource, nonce, remote }: Pick<ReaderShell, 'cspSource' | 'nonce' | 'remote'>): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'unsafe-inline'`,
    `font-src ${cspSource}`,
    remote === 'allowed' ? 'img-src data: https:' : 'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** The empty page of the reader; everything in it comes later, by message. */
export function readerShell(shell: ReaderShell): string {
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(shell.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(readerPolicy(shell))}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeAttribute(shell.title)}</title>
<link rel="stylesheet" href="${escapeAttribute(shell.styleUri)}">
</head>
<body>
<main id="reader"></main>
<script nonce="${escapeAttribute(shell.nonce)}" src="${escapeAttribute(shell.scriptUri)}"></script>
</body>
</html>`;
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
