import { escapeHtml } from './escapeHtml.ts';

/** What the page of a panel is loaded with. */
export interface PageShell {
  readonly cspSource: string;
  readonly nonce: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly language: string;
  readonly title: string;
}

/** Where a page's styles and images may come from besides the nothing that everything else may, as CSP source lists. */
export interface PageSources {
  readonly styles: string;
  readonly images: string;
}

/** The policy of a page: its own script by nonce, the fonts of the extension, what `sources` names, and nothing else from anywhere. */
export function pagePolicy({ cspSource, nonce }: Pick<PageShell, 'cspSource' | 'nonce'>, { styles, images }: PageSources): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${styles}`,
    `font-src ${cspSource}`,
    `img-src ${images}`,
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** An empty document with one element, `root`, that the page's script fills: everything in it comes later, by message, and as text. */
export function emptyPage(shell: PageShell, { root, policy }: { readonly root: string; readonly policy: string }): string {
  return `<!DOCTYPE html>
<html lang="${escapeHtml(shell.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(shell.title)}</title>
<link rel="stylesheet" href="${escapeHtml(shell.styleUri)}">
</head>
<body>
<main id="${escapeHtml(root)}"></main>
<script nonce="${escapeHtml(shell.nonce)}" src="${escapeHtml(shell.scriptUri)}"></script>
</body>
</html>`;
}
