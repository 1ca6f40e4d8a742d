import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { SECURITY_LEVELS } from '../../core/api.ts';
import type { DraftCheck } from '../../core/api.ts';
import { levelName, levelLabel } from '../labels.ts';
import type { ViewContext } from '../viewContext.ts';
import { addressText } from './addressText.ts';
import { isDraft } from './draftChecker.ts';
import { lastAddress, missingHeaders, placeAt } from './draftLines.ts';
import type { HeaderLine, HeaderName } from './draftLines.ts';
import { levelValue, whatLevelTakes, whatOpenPgpTakes, whyNotLevel } from './levels.ts';

/** Characters after which suggestions come by themselves. */
export const TRIGGERS = [':', ' ', ',', '/', '@'] as const;

/** Suggests header names, addresses, levels and files, in the header of a draft only. */
export class DraftCompletion implements vscode.CompletionItemProvider {
  readonly #context: ViewContext;
  readonly #accountOf: (uri: vscode.Uri) => Promise<string | undefined>;
  readonly #check: (document: vscode.TextDocument) => DraftCheck | undefined;

  constructor(
    context: ViewContext,
    accountOf: (uri: vscode.Uri) => Promise<string | undefined>,
    check: (document: vscode.TextDocument) => DraftCheck | undefined,
  ) {
    this.#context = context;
    this.#accountOf = accountOf;
    this.#check = check;
  }

  async provideCompletionItems(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.CompletionItem[]> {
    if (!isDraft(document)) return [];
    const lines = document.getText().split(/\r?\n/);
    const place = placeAt(lines, position.line, position.character);
    if (place.kind === 'body') return [];
    if (place.kind === 'name') return headerNames(lines, position);
    const { header } = place;
    if (position.character < header.valueFrom) return [];
    switch (header.name) {
      case 'From':
        return this.#ownAddresses(document, header);
      case 'To':
      case 'Cc':
      case 'Bcc':
        return this.#contacts(document, header, position);
      case 'Security':
        return this.#levels(document, header);
      case 'Attach':
        return files(header, position);
      case 'Subject':
        return [];
    }
  }

  /** A draft goes out from its own account; another one's address would only be refused. */
  async #ownAddresses(document: vscode.TextDocument, header: HeaderLine): Promise<vscode.CompletionItem[]> {
    const accountId = await this.#accountOf(document.uri);
    return this.#context.accounts
      .filter(({ id }) => id === accountId)
      .map(({ displayName, email }) => {
        const item = new vscode.CompletionItem({ label: displayName || email, description: email }, vscode.CompletionItemKind.User);
        return within(item, restOfLine(document, header), addressText({ name: displayName, address: email }), `${displayName} ${email}`);
      });
  }

  async #contacts(document: vscode.TextDocument, header: HeaderLine, position: vscode.Position): Promise<vscode.CompletionItem[]> {
    const accountId = await this.#accountOf(document.uri);
    if (accountId === undefined) return [];
    const contacts = await this.#context.api.listContacts({ accountId });
    const typed = lastAddress(document.lineAt(header.line).text.slice(header.valueFrom, position.character));
    const range = new vscode.Range(header.line, header.valueFrom + typed.from, header.line, position.character);
    const known = new Set(contacts.map(({ address }) => address));
    const items = contacts.map((contact) => {
      const item = new vscode.CompletionItem(
        { label: contact.name || contact.address, description: contact.address, detail: ` ${contact.startLevel}` },
        vscode.CompletionItemKind.User,
      );
      item.detail = levelLabel(contact.startLevel, vscode.l10n);
      // Those whose mail can be sealed come first.
      item.sortText = `${contact.startLevel} ${contact.name || contact.address}`;
      return within(item, range, addressText(contact), `${contact.name} ${contact.address}`);
    });
    const self = this.#context.accounts.filter(({ email }) => !known.has(email));
    for (const { displayName, email } of self) {
      const item = new vscode.CompletionItem({ label: displayName || email, description: email }, vscode.CompletionItemKind.User);
      item.detail = vscode.l10n.t('Your own address');
      item.sortText = `M ${email}`;
      items.push(within(item, range, addressText({ name: displayName, address: email }), `${displayName} ${email}`));
    }
    return items;
  }

  #levels(document: vscode.TextDocument, header: HeaderLine): vscode.CompletionItem[] {
    const check = this.#check(document);
    const possible = check?.possible ?? SECURITY_LEVELS;
    const levels = SECURITY_LEVELS.map((level) => {
      const usable = possible.includes(level);
      const item = new vscode.CompletionItem(
        { label: level, description: levelName(level, vscode.l10n) },
        vscode.CompletionItemKind.EnumMember,
      );
      item.documentation = usable ? whatLevelTakes(level, vscode.l10n) : whyNotLevel(level, vscode.l10n);
      if (!usable) item.tags = [vscode.CompletionItemTag.Deprecated];
      item.sortText = level;
      return within(item, restOfLine(document, header), levelValue(level), levelValue(level));
    });
    if (!check?.openPgp) return levels;
    const pgp = new vscode.CompletionItem(
      { label: 'PGP', description: vscode.l10n.t('not post-quantum') },
      vscode.CompletionItemKind.EnumMember,
    );
    pgp.documentation = whatOpenPgpTakes(vscode.l10n);
    pgp.sortText = 'M';
    return [...levels, within(pgp, restOfLine(document, header), levelValue('openpgp'), levelValue('openpgp'))];
  }
}

const AFTER_NAME: readonly HeaderName[] = ['From', 'To', 'Cc', 'Bcc', 'Security', 'Attach'];

function headerNames(lines: readonly string[], position: vscode.Position): vscode.CompletionItem[] {
  const typed = (lines[position.line] ?? '').slice(0, position.character);
  if (!/^[A-Za-z]*$/.test(typed)) return [];
  const range = new vscode.Range(position.line, 0, position.line, position.character);
  return missingHeaders(lines).map((name, order) => {
    const item = within(new vscode.CompletionItem(`${name}:`, vscode.CompletionItemKind.Field), range, `${name}: `, name);
    item.sortText = String(order);
    if (AFTER_NAME.includes(name)) item.command = { command: 'editor.action.triggerSuggest', title: '' };
    return item;
  });
}

/** Files beside what has been typed so far; relative paths are taken from the home folder. */
async function files(header: HeaderLine, position: vscode.Position): Promise<vscode.CompletionItem[]> {
  const typed = header.value.slice(0, position.character - header.valueFrom).replace(/^~(?=[/\\]|$)/, homedir());
  const folder = typed === '' ? homedir() : /[/\\]$/.test(typed) ? typed : dirname(typed);
  const base = isAbsolute(folder) ? folder : resolve(homedir(), folder);
  const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.file(base)).then(
    (found) => found,
    () => [],
  );
  const range = new vscode.Range(header.line, header.valueFrom, header.line, header.valueFrom + header.value.length);
  return entries
    .filter(([name]) => !name.startsWith('.'))
    .slice(0, 500)
    .map(([name, type]) => {
      const isFolder = (type & vscode.FileType.Directory) !== 0;
      const item = new vscode.CompletionItem(name, isFolder ? vscode.CompletionItemKind.Folder : vscode.CompletionItemKind.File);
      const path = join(base, name) + (isFolder ? '/' : '');
      if (isFolder) item.command = { command: 'editor.action.triggerSuggest', title: '' };
      return within(item, range, path, typed === '' ? name : path);
    });
}

function restOfLine(document: vscode.TextDocument, header: HeaderLine): vscode.Range {
  return new vscode.Range(header.line, header.valueFrom, header.line, document.lineAt(header.line).text.length);
}

function within(item: vscode.CompletionItem, range: vscode.Range, text: string, filter: string): vscode.CompletionItem {
  item.range = range;
  item.insertText = text;
  item.filterText = filter;
  return item;
}
