import type { MuteRule, QuMailRequests } from '../../core/api.ts';

type Snoozing = Pick<QuMailRequests, 'snoozeMessages' | 'unsnoozeMessages' | 'listSnoozed'>;
type Muting = Pick<QuMailRequests, 'muteThread' | 'unmuteThread' | 'isMuted'>;

/** What takes back something that is not in the engine's journal: only this computer knows of it. */
export type TakeBack = () => Promise<unknown>;

/** Snoozes; taken back, each is snoozed until when it was before, or not at all. */
export async function snooze(api: () => Snoozing, messageIds: readonly number[], until: number): Promise<TakeBack> {
  const before = await snoozedUntil(api(), messageIds);
  await api().snoozeMessages({ messageIds, until });
  return async () => {
    const fresh = messageIds.filter((id) => !before.has(id));
    if (fresh.length > 0) await api().unsnoozeMessages({ messageIds: fresh });
    await snoozeAgain(api(), before);
  };
}

/** Brings back; taken back, each is snoozed until the time it had. */
export async function unsnooze(api: () => Snoozing, messageIds: readonly number[]): Promise<TakeBack> {
  const before = await snoozedUntil(api(), messageIds);
  await api().unsnoozeMessages({ messageIds });
  return () => snoozeAgain(api(), before);
}

/** Mutes by a rule, or ends that; taken back, it is as it was. */
export async function mute(api: () => Muting, messageId: number, rule: MuteRule | 'off'): Promise<TakeBack> {
  const before = await api().isMuted({ messageId });
  const apply = (to: MuteRule | 'off'): Promise<void> =>
    to === 'off' ? api().unmuteThread({ messageId }) : api().muteThread({ messageId, rule: to });
  await apply(rule);
  return () => apply(before.rule ?? 'off');
}

async function snoozedUntil(api: Snoozing, messageIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const wanted = new Set(messageIds);
  const known = await api.listSnoozed();
  return new Map(known.flatMap(({ message, until }) => (wanted.has(message.id) ? [[message.id, until]] : [])));
}

/** Whose time is over meanwhile has come back by itself. */
async function snoozeAgain(api: Snoozing, times: ReadonlyMap<number, number>): Promise<void> {
  for (const [id, until] of times) if (until > Date.now()) await api.snoozeMessages({ messageIds: [id], until });
}
