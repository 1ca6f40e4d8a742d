import * as vscode from 'vscode';
import { PageWatch } from './pageWatch.ts';

export interface LivePanelOptions {
  readonly viewType: string;
  readonly panel: vscode.WebviewPanelOptions;
  /** Gives the webview its page, which says by message when it is there; the owner then calls `ready`. */
  readonly load: (webview: vscode.Webview) => void;
  readonly onMessage: (message: unknown) => void;
  readonly onDidChangeViewState?: () => void;
  readonly onDidClose: () => void;
  /** The page stays empty, whatever was tried. */
  readonly onEmpty: () => void;
}

/** A panel whose page comes up: where VS Code leaves it empty, another panel takes its place. */
export class LivePanel implements vscode.Disposable {
  readonly #options: LivePanelOptions;
  readonly #watch: PageWatch;
  #panel: vscode.WebviewPanel;

  /** @param restored the panel that VS Code kept over a reload of the window; a new one in the active group when left out */
  constructor(options: LivePanelOptions, title: string, restored?: vscode.WebviewPanel) {
    this.#options = options;
    this.#watch = new PageWatch({ anew: () => this.#replace(), givenUp: options.onEmpty });
    this.#panel = this.#adopt(restored ?? this.#create(title, { viewColumn: vscode.ViewColumn.Active }));
  }

  get visible(): boolean {
    return this.#panel.visible;
  }

  get active(): boolean {
    return this.#panel.active;
  }

  set title(title: string) {
    this.#panel.title = title;
  }

  /** A codicon. */
  set icon(icon: string) {
    this.#panel.iconPath = new vscode.ThemeIcon(icon);
  }

  /** Brings it to the front; one that stayed empty is tried once more. */
  reveal(): void {
    if (this.#watch.gaveUp) this.#replace();
    this.#panel.reveal();
  }

  /** Sends to the page. One that is not there does not get it. */
  post(message: unknown): void {
    void this.#panel.webview.postMessage(message);
  }

  /** Loads the page anew. */
  load(): void {
    if (this.#watch.gaveUp) this.#replace();
    else this.#load();
  }

  #load(): void {
    this.#options.load(this.#panel.webview);
    this.#watch.begin(this.#panel);
  }

  /** The page says that it is there. */
  ready(): void {
    this.#watch.ready();
  }

  /** Closes it. */
  dispose(): void {
    this.#panel.dispose();
  }

  #create(title: string, where: { readonly viewColumn: vscode.ViewColumn; readonly preserveFocus?: boolean }): vscode.WebviewPanel {
    const { viewType, panel } = this.#options;
    return vscode.window.createWebviewPanel(viewType, title, where, panel);
  }

  #adopt(panel: vscode.WebviewPanel): vscode.WebviewPanel {
    const { onMessage, onDidChangeViewState, onDidClose } = this.#options;
    const subscriptions = [
      panel.webview.onDidReceiveMessage(onMessage),
      ...(onDidChangeViewState ? [panel.onDidChangeViewState(onDidChangeViewState)] : []),
    ];
    panel.onDidDispose(() => {
      for (const subscription of subscriptions) subscription.dispose();
      // One that another has taken the place of goes unnoticed.
      if (panel !== this.#panel) return;
      this.#watch.dispose();
      onDidClose();
    });
    this.#panel = panel;
    this.#load();
    return panel;
  }

  #replace(): void {
    const empty = this.#panel;
    const { title, iconPath, viewColumn = vscode.ViewColumn.Active } = empty;
    const another = this.#create(title, { viewColumn, preserveFocus: true });
    if (iconPath) another.iconPath = iconPath;
    this.#adopt(another);
    empty.dispose();
  }
}
