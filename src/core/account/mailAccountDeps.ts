import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { MessageStore } from '../store/messages.ts';
import type { OfflineStore } from '../store/offline.ts';
import type { WindowLock } from '../store/windowLock.ts';
import type { FolderJournal } from './sync/folderList.ts';
import type { SyncDeps } from './syncFolder.ts';

/** What a running account needs besides its own connections. */
export interface MailAccountDeps extends SyncDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly messages: MessageStore;
  readonly offline: OfflineStore;
  readonly lock: Pick<WindowLock, 'hold'>;
  /** Octets that all offline mail may take on this machine. */
  readonly budget: () => number;
  readonly journal?: FolderJournal;
  /** Milliseconds between looks where the server does not push. */
  readonly interval: () => number;
  readonly changed: {
    state(): void;
    folders(): void;
    messages(folder: string): void;
    activity(busy: 'busy' | 'idle'): void;
    progress(step: { folder?: string; done: number; total: number }): void;
    ended(): void;
  };
}
