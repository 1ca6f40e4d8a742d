import type { MuteRule } from './actions.ts';
import type { ErrorCode, ErrorDetails } from './errors.ts';
import type { MessageSummary } from './model.ts';

/** A part of a text, UTF-16 units, `to` exclusive. */
export interface Mark {
  readonly from: number;
  readonly to: number;
}

/** Text with the parts in it that were looked for. Plain text, to be shown as such. */
export interface MarkedText {
  readonly text: string;
  readonly marks: readonly Mark[];
}

export interface SearchRequest {
  readonly query: string;
  readonly accountId?: string;
  /** A path of that account. */
  readonly folder?: string;
  /** At most 500. */
  readonly limit: number;
  /** `next` of the answer before, for the same query in the same order. */
  readonly before?: number;
  /** `mail` (unless a folder is named): without Junk and Trash. */
  readonly scope?: 'mail' | 'everywhere';
  /** `best`: what fits best and is new, of the newest 200 that match. `newest`: by date; also what a query without text comes in. */
  readonly order?: 'best' | 'newest';
}

export interface SearchHit extends MessageSummary {
  /** Where the message says what was looked for, or how it begins. Absent where its text is not here. */
  readonly snippet?: MarkedText;
  readonly subjectMarks: readonly Mark[];
}

/** Of how many messages the whole text can be found here, of those the server holds where the query looks, so "12,400 of 20,000". */
export interface SearchCoverage {
  readonly indexed: number;
  readonly total: number;
}

export interface SearchPage {
  readonly messages: readonly SearchHit[];
  readonly coverage: SearchCoverage;
  /** True while sealed mail is still being taken into the index in memory, after a start. */
  readonly sealedPending: boolean;
  /** Pass as `before` to get the next page; undefined when this is the last one. */
  readonly next?: number;
}

/** What is wrong with a query; UTF-16 columns, `to` exclusive. */
export interface SearchProblem {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly from: number;
  readonly to: number;
}

export type SuggestionKind = 'operator' | 'state' | 'attachment' | 'level' | 'date' | 'size' | 'folder' | 'account' | 'person' | 'tag';

/** What may stand at the cursor: `text` in place of what is between `from` and `to`. */
export interface QuerySuggestion {
  readonly kind: SuggestionKind;
  readonly text: string;
  /** What it is about, where the text alone does not tell: a display name. */
  readonly detail?: string;
  readonly from: number;
  readonly to: number;
}

/** A query somebody keeps, with how many messages match it now (counted up to 10,000). */
export interface SavedSearch {
  readonly id: string;
  readonly name: string;
  readonly query: string;
  /** Absent: in all accounts. */
  readonly accountId?: string;
  readonly total: number;
  readonly unread: number;
}

/** One conversation, as a row of a list. */
export interface ThreadSummary {
  readonly threadId: number;
  /** The newest message of it in the folder that is listed; one that came back from being snoozed counts from then. */
  readonly newest: MessageSummary;
  /** Messages over all folders but Junk and Trash, each counted once. */
  readonly count: number;
  readonly unread: number;
  /** Who wrote, the first to write first, at most ten. */
  readonly participants: readonly { readonly name: string; readonly address: string }[];
}

/** A conversation whose later messages are put out of the way as they come. */
export interface MutedThread {
  /** The newest message of it that is here, one outside of Junk and Trash before others. */
  readonly newest: MessageSummary;
  readonly rule: MuteRule;
  /** All of its messages that are here. */
  readonly messageIds: readonly number[];
}

export interface ThreadPage {
  readonly threads: readonly ThreadSummary[];
  readonly next?: number;
}

export interface ServerSearchPage {
  /** The newest of each folder first. */
  readonly messages: readonly SearchHit[];
  /** False where more was found than is answered. */
  readonly complete: boolean;
}
