interface Counted {
  readonly id: string;
  readonly name: string;
  readonly unread: number;
}

/** Chats with more unread messages than were known before; none where nothing was known yet. */
export function newlyUnread<T extends Counted>(known: ReadonlyMap<string, number> | undefined, chats: readonly T[]): readonly T[] {
  return known ? chats.filter(({ id, unread }) => unread > (known.get(id) ?? 0)) : [];
}
