import type { Event, LogOutputChannel, Uri } from 'vscode';
import type { Account, QuMailApi, QuMailEvent } from '../core/api.ts';

/** The real world, or the demo lab in which everything is SIMULATED. They never meet. */
export type WorldName = 'real' | 'lab';

/** What the failed work was about, so that the next-step button can act on it. */
export interface FailureContext {
  readonly accountId?: string;
  readonly messageId?: number;
  readonly contact?: string;
  readonly draftUri?: Uri;
  /** Offered as "Try Again" where trying again can help. */
  readonly retry?: () => unknown;
}

/** Where `run` shows that work is under way: sign-in and send use a cancellable notification, the rest is quiet. */
export interface RunOptions {
  readonly place?: 'notification' | 'view' | 'silent';
  /** The view whose progress bar runs where `place` is `view`; `qumail.messages` unless told. */
  readonly viewId?: string;
  readonly failure?: FailureContext;
}

export type RunTask<T> = (signal: AbortSignal, report: (message: string) => void) => Promise<T>;

/** What every view, panel and command works with. The parts that name no world follow the current one. */
export interface ViewContext {
  readonly extensionUri: Uri;
  /** A folder of QuMail's own on this machine, shared by all windows; it may not exist yet. */
  readonly storageUri: Uri;
  readonly log: LogOutputChannel;
  readonly world: WorldName;
  /** The engine of the current world; the first use starts it. Do not keep it: the world may change. */
  readonly api: QuMailApi;
  /** Accounts of the current world as last listed; an `accounts` event follows every change. */
  readonly accounts: readonly Account[];
  /** Whether there are accounts, known without starting the engine; `accounts` may not be listed yet. */
  readonly hasAccounts: boolean;
  /** Lists the accounts anew. */
  reloadAccounts(): Promise<void>;
  /** Events of the current world's engine. */
  readonly onEvent: Event<QuMailEvent>;
  /** The current world changed: everything on show belongs to the other one and must go. */
  readonly onDidChangeWorld: Event<WorldName>;
  /** Says what happened and offers the next step (present.ts). Cancellation is silent. Never rejects. */
  showFailure(error: unknown, context?: FailureContext): Promise<void>;
  /** Runs `task` with progress; its failure is shown, then undefined comes back. Cancelling aborts the signal. Never rejects. */
  run<T>(title: string, task: RunTask<T>, options?: RunOptions): Promise<T | undefined>;
}
