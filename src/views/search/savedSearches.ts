import * as vscode from 'vscode';
import type { Failure, SavedSearch } from '../../core/api.ts';
import { askText, pickOne } from '../box.ts';
import { takeStep } from '../failures.ts';
import { hitRow } from '../messages/listRows.ts';
import type { MessageTree } from '../messages/messageTree.ts';
import { present } from '../present.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { askServers } from './askServers.ts';
import { defaultName } from './searchRows.ts';

const MAX_NAME = 100;

/** Keeping searches, and looking where the offline copy does not reach. */
export class SavedSearches {
  readonly #context: ViewContext;
  readonly #messages: MessageTree;

  constructor(context: ViewContext, messages: MessageTree) {
    this.#context = context;
    this.#messages = messages;
  }

  open({ query, name, accountId }: SavedSearch): Promise<void> {
    return this.#messages.show({ kind: 'search', query, name, ...(accountId === undefined ? {} : { accountId }) });
  }

  async list(query: string): Promise<void> {
    await this.#messages.show({ kind: 'search', query });
    await vscode.commands.executeCommand('qumail.messages.focus');
  }

  /** Keeps a query under a name; its row appears in the Mail view. */
  async save(query: string): Promise<void> {
    const [problem] = await this.#context.api.checkQuery({ query });
    if (problem) return this.#context.showFailure(problem);
    const name = await askName(vscode.l10n.t('Save this search as'), defaultName(query));
    if (name === undefined) return;
    const saved = await this.#context.run(vscode.l10n.t('Saving'), () => this.#context.api.saveSearch({ name, query }), { place: 'view' });
    if (saved) await this.open(saved);
  }

  async rename(id: string | undefined): Promise<void> {
    const search = await this.#pick(id, vscode.l10n.t('Rename which search?'));
    const name = search && (await askName(vscode.l10n.t('New name of the search'), search.name));
    if (!search || name === undefined) return;
    const { query, accountId } = search;
    const request = { id: search.id, name, query, ...(accountId === undefined ? {} : { accountId }) };
    await this.#context.run(vscode.l10n.t('Saving'), () => this.#context.api.saveSearch(request), { place: 'view' });
  }

  /** A search is made again in a moment, so nothing is asked. */
  async delete(id: string | undefined): Promise<void> {
    const search = await this.#pick(id, vscode.l10n.t('Delete which search?'));
    if (!search) return;
    const run = async (): Promise<true> => {
      await this.#context.api.deleteSearch({ id: search.id });
      return true;
    };
    if (await this.#context.run(vscode.l10n.t('Deleting'), run, { place: 'view' }))
      vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('The search "{0}" was deleted. No mail was.', search.name)}`, 5000);
  }

  /** Asks the servers as well, and puts what they find behind what was found here. */
  async onServer(query?: string): Promise<void> {
    const source = this.#messages.source;
    const wanted = query ?? (source?.kind === 'search' ? source.query : undefined);
    if (wanted === undefined) return;
    if (source?.kind !== 'search' || source.query !== wanted) await this.#messages.show({ kind: 'search', query: wanted });
    const list = this.#messages.pages;
    const only = this.#messages.source;
    const accountId = only?.kind === 'search' ? only.accountId : undefined;
    const accounts = this.#context.accounts.flatMap(({ id }) => (accountId === undefined || id === accountId ? [id] : []));
    const title = vscode.l10n.t('Searching on the server');
    const found = await this.#context.run(title, (signal) => askServers(this.#context.api, wanted, accounts, signal));
    for (const { accountId: failed, failure } of found?.failed ?? [])
      void this.#tellUnsearched(failed, failure, () => this.onServer(wanted));
    if (!found || !list || list !== this.#messages.pages) return;
    await list.load();
    const before = list.rows.length;
    list.add(found.messages.map(hitRow));
    this.#messages.refresh();
    const more = list.rows.length - before;
    const text =
      more === 1 ? vscode.l10n.t('The server found 1 more message.') : vscode.l10n.t('The server found {0} more messages.', more);
    const rest = found.complete ? '' : ` ${vscode.l10n.t('There are more; a narrower search shows them.')}`;
    vscode.window.setStatusBarMessage(`$(cloud) ${text}${rest}`, 8000);
  }

  /** The others were searched: what is missing is named, and what helps. */
  async #tellUnsearched(accountId: string, failure: Failure, retry: () => unknown): Promise<void> {
    const email = this.#context.accounts.find(({ id }) => id === accountId)?.email ?? '';
    const { sentence, step, button } = present(failure, vscode.l10n);
    const text = vscode.l10n.t('The server of {0} was not searched. {1}', email, sentence);
    const pressed = await vscode.window.showWarningMessage(text, ...(button === undefined ? [] : [button]));
    if (pressed !== undefined && step) await takeStep(step, failure, { accountId, retry });
  }

  async #pick(id: string | undefined, placeHolder: string): Promise<SavedSearch | undefined> {
    const searches = await this.#context.api.listSavedSearches();
    const named = searches.find((search) => search.id === id);
    if (named) return named;
    if (searches.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('There are no saved searches.'));
      return undefined;
    }
    const items = searches.map((search) => ({
      label: `$(bookmark) ${withoutIcons(search.name)}`,
      description: withoutIcons(search.query),
      search,
    }));
    return (await pickOne(items, { placeHolder }))?.search;
  }
}

async function askName(prompt: string, value: string): Promise<string | undefined> {
  const name = await askText({
    prompt,
    value,
    check: (text) => (text.trim() === '' || text.length > MAX_NAME ? vscode.l10n.t('A name of 1 to {0} characters', MAX_NAME) : undefined),
  });
  return name?.trim();
}
