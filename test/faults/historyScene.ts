import { QuMailError, type LogSink, type QuMailApi } from '../../src/core/api.ts';
import type { MailWorld } from '../world/mailWorld.ts';
import type { EngineProgram } from './engineProcess.ts';
import type { HistoryModel } from './historyModel.ts';
import type { HistoryServer } from './historyServer.ts';

/** Where a history is played. */
export interface HistoryPlace {
  readonly world: MailWorld;
  readonly program: EngineProgram;
  readonly user: { readonly email: string; readonly password: string };
  /** Whether its server has MOVE. */
  readonly moves: 'whole' | 'by copies';
  /** What the engine notes, for a history that is looked at alone. */
  readonly log?: LogSink;
}

/** What both sides of a history see of it. */
export interface Scene {
  readonly place: HistoryPlace;
  readonly model: HistoryModel;
  readonly server: HistoryServer;
  readonly engine: QuMailApi;
  readonly accountId: string;
  /** Whether the engine's connections are let through. */
  readonly line: 'accept' | 'refuse';
  /** Tags of threads that were muted, in their order. */
  readonly muted: number[];
  /** By the engine's clock, milliseconds. */
  now(): number;
  /** For a history that is looked at alone. */
  note(event: string, what: string): void;
}

/** The number of a message of a history, by its Message-ID. */
export function tagOf(rfcMessageId: string): number | undefined {
  const tag = /^<(\d+)@history\.test>$/.exec(rfcMessageId)?.[1];
  return tag === undefined ? undefined : Number(tag);
}

/** Whatever a line that is cut makes of it. */
export async function tried<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    const { code } = QuMailError.from(error);
    if (!/^(net|imap)\./.test(code) && code !== 'engine.cancelled') throw error;
    return undefined;
  }
}

/** Undefined where the engine had one of these reasons not to. */
export async function refused<T>(request: Promise<T>, codes: readonly string[]): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (!codes.includes(QuMailError.from(error).code)) throw error;
    return undefined;
  }
}
