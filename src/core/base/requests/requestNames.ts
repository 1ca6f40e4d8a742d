export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The names of an interface's requests; the compiler sees to it that none is missing and none too many. */
export function namesOf<T>(names: Record<keyof T & string, 1>): readonly (keyof T & string)[] {
  return Object.keys(names) as (keyof T & string)[];
}
