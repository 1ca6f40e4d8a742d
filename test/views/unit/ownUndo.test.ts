import assert from 'node:assert/strict';
import type { MuteRule, SnoozedMessage } from '../../../src/core/api.ts';
import { doneText } from '../../../src/views/actions/actionText.ts';
import { mute, snooze, unsnooze } from '../../../src/views/actions/ownUndo.ts';
import { RecentActions } from '../../../src/views/actions/recentActions.ts';
import { plain } from './plainLocaliser.ts';

/** An engine as far as snoozing and muting go. */
class Engine {
  readonly until = new Map<number, number>();
  readonly rules = new Map<number, MuteRule>();

  async snoozeMessages({ messageIds, until }: { messageIds: readonly number[]; until: number }): Promise<void> {
    for (const id of messageIds) this.until.set(id, until);
  }

  async unsnoozeMessages({ messageIds }: { messageIds: readonly number[] }): Promise<void> {
    for (const id of messageIds) this.until.delete(id);
  }

  async listSnoozed(): Promise<readonly SnoozedMessage[]> {
    return [...this.until].map(([id, until]) => ({ message: { id }, until }) as SnoozedMessage);
  }

  async muteThread({ messageId, rule }: { messageId: number; rule?: MuteRule }): Promise<void> {
    this.rules.set(messageId, rule ?? 'archive');
  }

  async unmuteThread({ messageId }: { messageId: number }): Promise<void> {
    this.rules.delete(messageId);
  }

  async isMuted({ messageId }: { messageId: number }): Promise<{ muted: boolean; rule?: MuteRule }> {
    const rule = this.rules.get(messageId);
    return rule ? { muted: true, rule } : { muted: false };
  }
}

describe('views/what only this computer knows of', () => {
  const soon = Date.now() + 3_600_000;
  let engine: Engine;
  const api = (): Engine => engine;
  const times = (): unknown => Object.fromEntries(engine.until);
  beforeEach(() => {
    engine = new Engine();
  });

  it('a snooze is taken back to the time that was there before, or to none', async () => {
    engine.until.set(2, soon);
    const takeBack = await snooze(api, [1, 2], soon + 1000);
    assert.deepEqual(times(), { 1: soon + 1000, 2: soon + 1000 });
    await takeBack();
    assert.deepEqual(times(), { 2: soon });
  });

  it('bringing back is taken back, except for what would be here by now', async () => {
    engine.until.set(1, soon).set(2, Date.now() - 1);
    const takeBack = await unsnooze(api, [1, 2]);
    assert.deepEqual(times(), {});
    await takeBack();
    assert.deepEqual(times(), { 1: soon });
  });

  it('muting is taken back to the rule that was there before, or to none', async () => {
    const first = await mute(api, 1, 'archive');
    const second = await mute(api, 1, 'read');
    const third = await mute(api, 1, 'off');
    const seen: unknown[] = [];
    for (const takeBack of [third, second, first]) {
      await takeBack();
      seen.push(engine.rules.get(1));
    }
    assert.deepEqual(seen, ['read', 'archive', undefined]);
  });

  it('is taken back in its turn among what the engine journals', async () => {
    const recent = new RecentActions();
    recent.add({ actionId: 'archived', messageIds: [1], undoable: true }, 'archive');
    recent.addOwn('snooze', [2], await snooze(api, [2], soon));
    const { last } = recent;
    assert.equal(last?.purpose, 'snooze');
    await last?.takeBack?.();
    assert.deepEqual(times(), {});
    recent.forget(last!.actionId);
    assert.deepEqual([recent.last?.actionId, recent.last?.takeBack], ['archived', undefined]);
  });

  it('is called by its name', () => {
    for (const purpose of ['snooze', 'unsnooze', 'mute', 'unmute'] as const) assert.match(doneText(purpose, 1, plain), /^[A-Z][a-z ]+/);
  });
});
