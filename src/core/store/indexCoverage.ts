import type { DatabaseSync } from 'node:sqlite';
import type { SearchCoverage } from '../base/search.ts';
import { INDEXED } from './messageRow.ts';
import { HIDDEN } from './messageWriting.ts';
import { Statements, type Row } from './statements.ts';

/** As the partial indexes of search/5 name it: what searches look for in ordinary mail. */
const SEARCHED = `seal = 'plain' AND hidden < ${HIDDEN.removing}`;
const APART = `seal <> 'plain' OR hidden >= ${HIDDEN.removing}`;

/** What is known of each folder. `placeless` and `away`: on the way into it and out of it, which the server has not heard yet. */
const FOLDERS = `SELECT f.id, f.account_id, f.special_use, f.total,
  (SELECT count(*) FROM messages m WHERE m.folder_id = f.id) AS known,
  (SELECT count(*) FROM messages m WHERE m.folder_id = f.id AND m.uid < 0) AS placeless,
  (SELECT count(*) FROM awaited a WHERE a.folder_id = f.id AND a.uid_validity = f.uid_validity AND a.away = 1) AS away,
  (SELECT count(*) FROM messages WHERE folder_id = f.id AND (${APART})) AS apart,
  (SELECT count(*) FROM messages WHERE folder_id = f.id AND indexed <> ${INDEXED.body} AND ${SEARCHED}) AS unfound,
  (SELECT m.gm_msgid IS NOT NULL FROM messages m WHERE m.folder_id = f.id ORDER BY m.uid DESC LIMIT 1) AS gmail
  FROM folders f WHERE f.id IN (SELECT value FROM json_each(?))`;
/** Read in the order of the index, so that each message is counted once without remembering any. */
const FOUND_OF_GMAIL = `SELECT count(DISTINCT gm_msgid) AS n FROM messages INDEXED BY messages_found_of_gmail
  WHERE gm_msgid IS NOT NULL AND indexed = ${INDEXED.body} AND ${SEARCHED} AND +folder_id IN (SELECT value FROM json_each(?))`;

interface FolderFacts extends SearchCoverage {
  readonly id: number;
  readonly accountId: string;
  readonly specialUse: string;
  readonly gmail: boolean;
}

/** How much of the mail that a search looks through can be found by its text, against what the server holds. */
export class IndexCoverage {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  /**
   * Of these folders: the messages that the server says they hold, and those whose text is in the index. Left out of both is what a search
   * does not find among ordinary mail: sealed mail, which counts apart, chats, and what is being removed. One message in several folders of Gmail counts
   * once, as it is found once.
   */
  of(folderIds: readonly number[]): SearchCoverage {
    const accounts = Map.groupBy(this.#sql.all(FOLDERS, JSON.stringify(folderIds)).map(factsOf), ({ accountId }) => accountId);
    return sum([...accounts.values()].map((folders) => this.#ofAccount(folders)));
  }

  #ofAccount(folders: readonly FolderFacts[]): SearchCoverage {
    // Flagged is a search of the server's: what it lists lies in other folders too.
    const counted = folders.length === 1 ? folders : folders.filter(({ specialUse }) => specialUse !== 'flagged');
    if (!counted.some(({ specialUse }) => specialUse === 'all') || !counted.some(({ gmail }) => gmail)) return sum(counted);
    // Gmail's All Mail holds everything but these two.
    const { indexed, total } = sum(counted.filter(({ specialUse }) => ['all', 'junk', 'trash'].includes(specialUse)));
    if (indexed === total) return { indexed, total };
    // It is filled late: until then most of what is found lies in other folders.
    const found = this.#sql.get(FOUND_OF_GMAIL, JSON.stringify(counted.map(({ id }) => id)))!.integer('n');
    return { indexed: Math.min(found, total), total };
  }
}

function factsOf(row: Row): FolderFacts {
  const known = row.integer('known');
  const unlisted = Math.max(0, row.integer('total') - (known - row.integer('placeless')) - row.integer('away'));
  const searched = known - row.integer('apart');
  return {
    id: row.integer('id'),
    accountId: row.text('account_id'),
    specialUse: row.has('special_use') ? row.text('special_use') : '',
    gmail: row.has('gmail') && row.integer('gmail') === 1,
    indexed: searched - row.integer('unfound'),
    total: searched + unlisted,
  };
}

function sum(parts: readonly SearchCoverage[]): SearchCoverage {
  return {
    indexed: parts.reduce((n, { indexed }) => n + indexed, 0),
    total: parts.reduce((n, { total }) => n + total, 0),
  };
}
