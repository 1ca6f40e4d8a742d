/** Longest sequence set in one command; servers accept lines of 8,000 octets (RFC 7162 section 4), and some no more. */
const MAX_SET_LENGTH = 4000;

/** UIDs as IMAP sequence sets (`1:5,9`), as few as the line length allows, ascending. Duplicates are merged. */
export function uidSets(uids: readonly number[]): string[] {
  const sorted = [...new Set(uids)].sort((a, b) => a - b);
  const sets: string[] = [];
  let current = '';
  for (let at = 0; at < sorted.length;) {
    const first = sorted[at]!;
    let last = first;
    for (at++; at < sorted.length && sorted[at] === last + 1; at++) last = sorted[at]!;
    const range = first === last ? String(first) : `${first}:${last}`;
    if (current.length + range.length + 1 > MAX_SET_LENGTH) {
      sets.push(current);
      current = '';
    }
    current = current === '' ? range : `${current},${range}`;
  }
  if (current !== '') sets.push(current);
  return sets;
}

/** Calls whether a UID is in a sequence set that a server sent, e.g. in ESEARCH ALL. Malformed ranges contain nothing. */
export function uidSetContains(set: string): (uid: number) => boolean {
  const ranges = set.split(',').flatMap((part) => {
    const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(part);
    if (!match) return [];
    const [a, b] = [Number(match[1]), Number(match[2] ?? match[1])];
    return [{ low: Math.min(a, b), high: Math.max(a, b) }];
  });
  ranges.sort((a, b) => a.low - b.low);
  return (uid) => {
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = ranges[middle]!;
      if (uid < range.low) high = middle - 1;
      else if (uid > range.high) low = middle + 1;
      else return true;
    }
    return false;
  };
}
