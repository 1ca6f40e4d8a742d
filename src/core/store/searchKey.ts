/** 2^27: below it the message's id, above it its minute. Together 53 bits, which a JavaScript number holds exactly. */
const ID_SPAN = 134_217_728;
const MAX_MINUTE = 67_108_863;

/** SQL for the message id in a rowid of the index. */
export const ID_OF_KEY = `(s.rowid & ${ID_SPAN - 1})`;

/** The rowid of a message in the index: its minute since 1970 (until 2097, clamped), then its id, so that keys sort by time. */
export function searchKey(message: { readonly id: number; readonly date: number }): number {
  return firstKeyAt(message.date) + (message.id % ID_SPAN);
}

/** The highest rowid that any message has. */
export const LAST_KEY = MAX_MINUTE * ID_SPAN + ID_SPAN - 1;

/** The lowest key of the minute that `date` lies in. */
export function firstKeyAt(date: number): number {
  return Math.min(Math.max(Math.trunc(date / 60_000), 0), MAX_MINUTE) * ID_SPAN;
}

/** The highest key of the minute that `date` lies in. */
export function lastKeyAt(date: number): number {
  return firstKeyAt(date) + ID_SPAN - 1;
}

export function idOfKey(key: number): number {
  return key % ID_SPAN;
}
