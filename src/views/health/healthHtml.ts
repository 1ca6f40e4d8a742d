import { escapeHtml } from '../escapeHtml.ts';
import type { HealthError, HealthFact, HealthPage, HealthSection, Toned } from './healthPage.ts';

/** A button of the page: a command link, the only thing a page without scripts can do. */
export interface HealthButton {
  readonly label: string;
  readonly command: string;
}

/** The page as a whole document: no script, nothing from the network, every word of data escaped. */
export function healthHtml(page: HealthPage, buttons: readonly HealthButton[], nonce: string): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'`;
  const links = buttons
    .map(({ label, command }) => `<a class="button" href="command:${escapeHtml(command)}">${escapeHtml(label)}</a>`)
    .join('');
  const sections = page.sections.length === 0 ? `<p>${escapeHtml(page.empty)}</p>` : page.sections.map(sectionHtml).join('');
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(page.title)}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(page.title)}</h1><span class="dim">${escapeHtml(page.asOf)}</span><nav>${links}</nav></header>
<main>${sections}</main>
</body>
</html>`;
}

function sectionHtml({ title, state, facts, errorsTitle, errors, noErrors }: HealthSection): string {
  const trouble =
    errors.length === 0 ? `<p class="dim">${escapeHtml(noErrors)}</p>` : `<table><tbody>${errors.map(errorHtml).join('')}</tbody></table>`;
  return `<section>
<h2>${escapeHtml(title)} ${toned(state)}</h2>
<dl>${facts.map(factHtml).join('')}</dl>
<h3>${escapeHtml(errorsTitle)}</h3>
${trouble}
</section>`;
}

function factHtml({ label, values }: HealthFact): string {
  return `<dt>${escapeHtml(label)}</dt><dd>${values.map((value) => `<div>${toned(value)}</div>`).join('')}</dd>`;
}

function errorHtml({ time, code, sentence }: HealthError): string {
  return `<tr><td class="dim">${escapeHtml(time)}</td><td><code>${escapeHtml(code)}</code></td><td>${escapeHtml(sentence)}</td></tr>`;
}

function toned({ text, tone }: Toned): string {
  return tone === 'plain' ? escapeHtml(text) : `<span class="${tone}">${escapeHtml(text)}</span>`;
}

const STYLE = `
body { color: var(--vscode-editor-foreground); background: var(--vscode-editor-background); padding: 0 24px 24px; line-height: 1.5;
  font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; margin: 16px 0; }
header nav { margin-left: auto; }
h1 { font-size: 1.5em; font-weight: 600; margin: 0; }
h2 { font-size: 1.15em; font-weight: 600; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 span { font-weight: 400; font-size: 0.9em; margin-left: 8px; }
h3 { font-size: 1em; font-weight: 600; margin: 12px 0 4px; }
section { border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, transparent)); border-radius: 6px;
  background: var(--vscode-editorWidget-background); color: var(--vscode-editorWidget-foreground); padding: 16px; margin-bottom: 16px; max-width: 960px; }
dl { display: grid; grid-template-columns: minmax(8em, max-content) 1fr; gap: 2px 24px; margin: 0; }
dt, .dim { color: var(--vscode-descriptionForeground); }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; }
td { padding: 2px 16px 2px 0; vertical-align: top; }
td:first-child { white-space: nowrap; }
code { font-family: var(--vscode-editor-font-family); }
p { margin: 0; }
.good { color: var(--vscode-charts-green); }
.good::before { content: '\\25CF\\00A0'; }
.bad { color: var(--vscode-errorForeground); }
.bad::before { content: '\\25B2\\00A0'; }
a.button { display: inline-block; padding: 4px 12px; border-radius: 4px; text-decoration: none; margin-left: 8px;
  color: var(--vscode-button-foreground); background: var(--vscode-button-background);
  border: 1px solid var(--vscode-contrastBorder, transparent); }
a.button:hover { background: var(--vscode-button-hoverBackground); }
a.button:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
`;
