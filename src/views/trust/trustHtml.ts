import { escapeHtml } from '../escapeHtml.ts';
import { qrSvg } from './qrSvg.ts';
import type { TrustPage } from './trustPage.ts';

export interface TrustShell {
  readonly nonce: string;
  readonly scriptUri: string;
  readonly language: string;
  readonly generation: number;
}

/** The panel's page as a whole document; its script reads codes from pictures and passes clicks on, nothing else. */
export function trustHtml(page: TrustPage, { nonce, scriptUri, language, generation }: TrustShell): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; form-action 'none'; base-uri 'none'`;
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body data-generation="${generation}">
<main>
<h1>${escapeHtml(page.title)}</h1>
<p>${escapeHtml(page.lead)}</p>
${page.mark ? `<p class="mark" role="status"><strong class="${page.mark.tone}">${escapeHtml(page.mark.words)}</strong> ${escapeHtml(page.mark.meaning)}</p>` : ''}
${page.number ? numberHtml(page.number, page.compare) : ''}
<nav>${page.buttons.map(({ action, label, primary }) => `<button type="button" data-action="${action}"${primary === 'yes' ? ' class="primary"' : ''}>${escapeHtml(label)}</button>`).join('')}</nav>
<div class="columns">
<section aria-labelledby="code"><h2 id="code">${escapeHtml(page.code.heading)}</h2>
<p class="dim">${escapeHtml(page.code.hint)}</p>
<figure>${qrSvg(page.code.text, escapeHtml(page.code.label))}</figure>
</section>
<section id="scan" aria-labelledby="theirs"><h2 id="theirs">${escapeHtml(page.scan.heading)}</h2>
<p class="dim">${escapeHtml(page.scan.hint)}</p>
<label>${escapeHtml(page.scan.picture)}<input id="picture" type="file" accept="image/*"></label>
<label>${escapeHtml(page.scan.paste)}<textarea id="text" rows="3" maxlength="4096" spellcheck="false"></textarea></label>
<button type="button" id="use">${escapeHtml(page.scan.use)}</button>
</section>
</div>
<dl>${page.facts.map(({ label, groups }) => `<dt>${escapeHtml(label)}</dt><dd>${groups.map((group) => `<code>${escapeHtml(group)}</code>`).join(' ')}</dd>`).join('')}</dl>
</main>
<script nonce="${nonce}" src="${escapeHtml(scriptUri)}"></script>
</body>
</html>`;
}

function numberHtml({ heading, hint, groups, typed }: NonNullable<TrustPage['number']>, compare: TrustPage['compare']): string {
  return `<section aria-labelledby="number"><h2 id="number">${escapeHtml(heading)}</h2>
<p class="dim">${escapeHtml(hint)}</p>
<ol class="digits">${groups.map((group) => `<li><span>${escapeHtml(group)}</span></li>`).join('')}</ol>
<label>${escapeHtml(typed)}<input id="typed" type="text" inputmode="numeric" autocomplete="off" spellcheck="false" maxlength="200"></label>
<p id="compared" role="status" data-same="${escapeHtml(compare.same)}" data-differs="${escapeHtml(compare.differs)}"></p>
</section>`;
}

const STYLE = `
body { color: var(--vscode-editor-foreground); background: var(--vscode-editor-background); padding: 0 24px 24px; line-height: 1.5;
  font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); }
main { max-width: 860px; }
h1 { font-size: 1.5em; font-weight: 600; margin: 16px 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.1em; font-weight: 600; margin: 0; }
p { margin: 4px 0 12px; }
.dim, dt { color: var(--vscode-descriptionForeground); }
.good { color: var(--vscode-charts-green); }
.good::before { content: '\\25CF\\00A0'; }
.bad { color: var(--vscode-errorForeground); }
.bad::before { content: '\\25B2\\00A0'; }
button:disabled { opacity: 0.4; cursor: default; }
section { border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, transparent)); border-radius: 6px; padding: 16px; margin-bottom: 16px;
  background: var(--vscode-editorWidget-background); color: var(--vscode-editorWidget-foreground); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 0 16px; }
.digits { display: grid; grid-template-columns: repeat(4, max-content); gap: 6px 32px; list-style: none; margin: 8px 0 16px; padding: 0;
  font-family: var(--vscode-editor-font-family); font-size: 1.5em; letter-spacing: 0.06em; }
.digits .same { color: var(--vscode-charts-green); text-decoration: underline; }
.digits .other { color: var(--vscode-errorForeground); text-decoration: underline wavy; }
@media (max-width: 480px) { .digits { grid-template-columns: repeat(2, max-content); } }
figure { margin: 8px 0 0; }
figure svg { display: block; width: min(260px, 100%); border-radius: 4px; }
label { display: block; margin-bottom: 12px; }
input, textarea { display: block; box-sizing: border-box; width: 100%; margin-top: 4px; padding: 4px 6px; border-radius: 2px; font: inherit;
  color: var(--vscode-input-foreground); background: var(--vscode-input-background); border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, transparent)); }
input[type=text], textarea { font-family: var(--vscode-editor-font-family); }
input:focus-visible, textarea:focus-visible, button:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 1px; }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 16px; }
button { padding: 4px 14px; border-radius: 4px; font: inherit; cursor: pointer; color: var(--vscode-button-secondaryForeground);
  background: var(--vscode-button-secondaryBackground); border: 1px solid var(--vscode-contrastBorder, var(--vscode-button-secondaryBorder, var(--vscode-input-border, transparent))); }
button:hover { background: var(--vscode-button-secondaryHoverBackground); }
button.primary, input::file-selector-button { color: var(--vscode-button-foreground); background: var(--vscode-button-background); }
button.primary:hover { background: var(--vscode-button-hoverBackground); }
input::file-selector-button { font: inherit; padding: 2px 10px; margin-right: 8px; border-radius: 4px; cursor: pointer;
  border: 1px solid var(--vscode-contrastBorder, transparent); }
#scan.over { outline: 2px dashed var(--vscode-focusBorder); }
#compared { min-height: 1.5em; margin: 0; }
dl { display: grid; grid-template-columns: minmax(8em, max-content) 1fr; gap: 8px 24px; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font-family: var(--vscode-editor-font-family); color: inherit; background: none; }
`;
