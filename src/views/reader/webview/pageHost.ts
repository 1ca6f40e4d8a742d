/** What VS Code gives to the script of a panel's page: a way to its host, and a state that survives hiding the panel and reloading the window. */
export interface PageHost<State> {
  postMessage(message: unknown): void;
  getState(): State | undefined;
  setState(state: State): void;
}

declare function acquireVsCodeApi(): PageHost<unknown>;

/** VS Code gives it once for each load of a page. */
export function pageHost<State>(): PageHost<State> {
  return acquireVsCodeApi() as PageHost<State>;
}
