import type { FlagChange } from '../../store/actionRow.ts';
import type { Identified, MessageIdentity } from '../../transport/imapIdentity.ts';

/** What replay asks of a server (transport/imapActions). */
export interface ReplayTools {
  marks(folder: string, signal?: AbortSignal): Promise<{ readonly uidValidity: number; readonly uidNext: number }>;
  identify(folder: string, uidValidity: number, of: Identified, signal?: AbortSignal): Promise<readonly MessageIdentity[]>;
  find(folder: string, rfcMessageId: string, signal?: AbortSignal): Promise<readonly number[]>;
  setFlags(folder: string, uidValidity: number, uids: readonly number[], wanted: FlagChange, signal?: AbortSignal): Promise<void>;
  move(
    folder: string,
    uidValidity: number,
    uids: readonly number[],
    target: string,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<number, number>>;
  remove(folder: string, uidValidity: number, uids: readonly number[], signal?: AbortSignal): Promise<void>;
}
