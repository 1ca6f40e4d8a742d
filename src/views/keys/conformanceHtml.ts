import { escapeHtml } from '../escapeHtml.ts';
import type { ConformancePage } from './conformancePage.ts';

/** The table as a whole document: no script, nothing from the network, every word escaped. Its button is a command link. */
export function conformanceHtml(page: ConformancePage, command: string, nonce: string): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'`;
  const { suggestion } = page;
  const rows = page.rows.map(
    ({ what, outcome, tone, facts }) =>
      `<tr><th scope="row">${escapeHtml(what)}</th><td class="${tone}">${escapeHtml(outcome)}</td><td><code>${escapeHtml(facts)}</code></td></tr>`,
  );
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(page.title)}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(page.title)}</h1>
<p class="dim">${escapeHtml(page.about)}</p>
<table><thead><tr>${page.columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>
<p>${escapeHtml(page.summary)}</p>
${suggestion ? `<p>${escapeHtml(suggestion.words)}</p><p><a class="button" href="${escapeHtml(command)}">${escapeHtml(suggestion.button)}</a></p>` : ''}
</body>
</html>`;
}

const STYLE = `
body { color: var(--vscode-editor-foreground); background: var(--vscode-editor-background); padding: 0 24px 24px; line-height: 1.5;
  font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); }
h1 { font-size: 1.5em; font-weight: 600; margin: 16px 0 4px; overflow-wrap: anywhere; }
p { margin: 4px 0 12px; }
.dim { color: var(--vscode-descriptionForeground); }
table { border-collapse: collapse; width: 100%; max-width: 960px; margin-bottom: 12px; }
th, td { text-align: left; vertical-align: top; padding: 5px 16px 5px 0; font-weight: 400;
  border-bottom: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, transparent)); }
thead th { color: var(--vscode-descriptionForeground); }
td code { font-family: var(--vscode-editor-font-family); color: var(--vscode-descriptionForeground); background: none; overflow-wrap: anywhere; }
.good { color: var(--vscode-charts-green); }
.good::before { content: '\\25CF\\00A0'; }
.bad { color: var(--vscode-editorWarning-foreground); }
.bad::before { content: '\\25B2\\00A0'; }
a.button { display: inline-block; padding: 4px 12px; border-radius: 4px; text-decoration: none; color: var(--vscode-button-foreground);
  background: var(--vscode-button-background); border: 1px solid var(--vscode-contrastBorder, transparent); }
a.button:hover { background: var(--vscode-button-hoverBackground); }
a.button:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
`;
