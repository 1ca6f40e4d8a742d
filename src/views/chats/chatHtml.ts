export interface ChatShell {
  readonly cspSource: string;
  readonly nonce: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly language: string;
  readonly title: string;
}

/** The policy of a chat's page: its own script and style, and pictures that were handed to it as octets. Nothing from any network. */
function chatPolicy({ cspSource, nonce }: Pick<ChatShell, 'cspSource' | 'nonce'>): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    'img-src blob:',
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** The empty page of a chat; everything in it comes later, by message, and as text. */
export function chatShell(shell: ChatShell): string {
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(shell.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(chatPolicy(shell))}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeAttribute(shell.title)}</title>
<link rel="stylesheet" href="${escapeAttribute(shell.styleUri)}">
</head>
<body>
<main id="chat"></main>
<script nonce="${escapeAttribute(shell.nonce)}" src="${escapeAttribute(shell.scriptUri)}"></script>
</body>
</html>`;
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
