import type { TrustAction, TrustRequest } from '../trustProtocol.ts';
import { readCode } from './readCode.ts';

declare function acquireVsCodeApi(): { postMessage(message: TrustRequest): void };

const vscode = acquireVsCodeApi();
const generation = Number(document.body.dataset['generation']);
const byId = <T extends HTMLElement>(id: string): T | null => document.getElementById(id) as T | null;

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-action]')) {
  button.addEventListener('click', () =>
    vscode.postMessage({ kind: 'action', generation, action: button.dataset['action'] as TrustAction }),
  );
}

/** Marks each group as it is typed, and says the result once all digits are there. */
const typed = byId<HTMLInputElement>('typed');
typed?.addEventListener('input', () => {
  const digits = typed.value.replace(/\D/g, '');
  const groups = [...document.querySelectorAll<HTMLElement>('.digits span')];
  let same = 0;
  groups.forEach((group, index) => {
    const own = digits.slice(index * 5, index * 5 + 5);
    const complete = own.length === 5;
    const equal = own === group.textContent;
    if (complete && equal) same++;
    group.classList.toggle('same', complete && equal);
    group.classList.toggle('other', complete && !equal);
  });
  const compared = byId('compared');
  if (!compared) return;
  const differs = groups.some((group) => group.classList.contains('other')) || digits.length > groups.length * 5;
  // Numbers that were seen to differ are not to be called the same by a slip of the hand.
  const match = document.querySelector<HTMLButtonElement>('button[data-action="match"]');
  if (match) match.disabled = differs;
  compared.className = differs ? 'bad' : 'good';
  compared.textContent = differs ? (compared.dataset['differs'] ?? '') : same === groups.length ? (compared.dataset['same'] ?? '') : '';
  if (compared.textContent === '') compared.className = '';
});

async function take(picture: Blob): Promise<void> {
  const text = await readCode(picture).catch(() => undefined);
  if (text === undefined) vscode.postMessage({ kind: 'no-code', generation });
  else vscode.postMessage({ kind: 'text', generation, text });
}

const picture = byId<HTMLInputElement>('picture');
picture?.addEventListener('change', () => {
  const file = picture.files?.[0];
  if (file) void take(file);
});

const text = byId<HTMLTextAreaElement>('text');
byId('use')?.addEventListener('click', () => {
  if (text && text.value.trim() !== '') vscode.postMessage({ kind: 'text', generation, text: text.value });
  else text?.focus();
});

document.addEventListener('paste', (event) => {
  const image = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
  if (!image) return;
  event.preventDefault();
  void take(image);
});

const scan = byId('scan');
for (const kind of ['dragover', 'dragleave', 'drop'] as const) {
  scan?.addEventListener(kind, (event) => {
    event.preventDefault();
    scan.classList.toggle('over', kind === 'dragover');
    const file = kind === 'drop' ? event.dataTransfer?.files[0] : undefined;
    if (file) void take(file);
  });
}

vscode.postMessage({ kind: 'ready' });
