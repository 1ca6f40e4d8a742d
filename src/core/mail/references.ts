/** Threads grow without end; this many ids are kept, the first and the latest (RFC 5322 3.6.4 asks for no more). */
const MAX_REFERENCES = 100;

/** The Message-IDs of a thread as a References field carries them on. */
export function keptReferences(ids: readonly string[]): readonly string[] {
  return ids.length > MAX_REFERENCES ? [...ids.slice(0, 1), ...ids.slice(1 - MAX_REFERENCES)] : ids;
}
