import * as vscode from 'vscode';
import type { SavedSearch } from '../../core/api.ts';
import { showBox } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { asTyped } from './asTyped.ts';
import { entered, outcomeOf, type SearchOutcomes } from './enterKey.ts';
import { LiveSearch } from './liveSearch.ts';
import { completed, searchRows, type SearchRow } from './searchRows.ts';

interface Row extends vscode.QuickPickItem {
  readonly act?: SearchRow['act'];
}

/** The search box: results as one types, completion of operators, mistakes in words. What it offers is the engine's; it decides nothing. */
export class SearchBox implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #outcomes: SearchOutcomes;
  #open: vscode.QuickPick<Row> | undefined;

  constructor(context: ViewContext, outcomes: SearchOutcomes) {
    this.#context = context;
    this.#outcomes = outcomes;
  }

  /** @param query what the box starts with */
  async show(query = ''): Promise<void> {
    const saved = await this.#context.api.listSavedSearches().catch((): readonly SavedSearch[] => []);
    this.#open?.hide();
    const box = vscode.window.createQuickPick<Row>();
    this.#open = box;
    const list: vscode.QuickInputButton = {
      iconPath: new vscode.ThemeIcon('list-flat'),
      tooltip: vscode.l10n.t('Show all results as a list'),
    };
    const save: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('bookmark'), tooltip: vscode.l10n.t('Save this search') };
    box.title = vscode.l10n.t('Search Mail');
    box.placeholder = vscode.l10n.t('Words, "a phrase", from:ada has:attachment after:30d');
    box.buttons = [list, save];
    box.matchOnDescription = true;
    box.matchOnDetail = true;
    // The order is the engine's. Not in the typings yet; where it is missing, VS Code sorts what matches by itself.
    (box as unknown as { sortByLabel: boolean }).sortByLabel = false;
    const facts = { now: Date.now(), locale: vscode.env.language, saved, l10n: vscode.l10n };
    const search = new LiveSearch(
      () => this.#context.api,
      (state) => {
        box.busy = state.busy;
        // While the answer is on its way the old rows stay.
        if (!state.busy) box.items = searchRows(state, facts).map(itemOf);
      },
    );
    const leave = (then: () => unknown): void => {
      box.hide();
      void Promise.resolve(then()).catch((error: unknown) => this.#context.showFailure(error));
    };
    box.onDidChangeValue((value) => search.type(value));
    box.onDidTriggerButton((button) => {
      const typed = box.value.trim();
      if (typed !== '') leave(() => (button === save ? this.#outcomes.save(asTyped(typed)) : this.#outcomes.list(asTyped(typed))));
    });
    box.onDidAccept(async () => {
      const typed = box.value.trim();
      const act = await entered(search, box.selectedItems[0]?.act);
      const outcome = outcomeOf(act, typed, this.#outcomes);
      if (outcome) return leave(outcome);
      if (act.kind !== 'complete') return;
      box.value = completed(box.value, act.suggestion);
      search.type(box.value);
    });
    box.onDidHide(() => {
      search.dispose();
      box.dispose();
      if (this.#open === box) this.#open = undefined;
    });
    box.value = query;
    search.type(query);
    showBox(box);
  }

  dispose(): void {
    this.#open?.hide();
  }
}

function itemOf(row: SearchRow): Row {
  if (row.act.kind === 'separator') return { label: row.label, kind: vscode.QuickPickItemKind.Separator };
  const { id, color } = row.icon ?? { id: 'blank' };
  return {
    label: withoutIcons(row.label),
    ...(row.description === undefined ? {} : { description: withoutIcons(row.description) }),
    ...(row.detail === undefined ? {} : { detail: row.detail }),
    iconPath: color ? new vscode.ThemeIcon(id, new vscode.ThemeColor(color)) : new vscode.ThemeIcon(id),
    // What was found matches in its own way, which is not that of the box.
    alwaysShow: true,
    act: row.act,
  };
}
