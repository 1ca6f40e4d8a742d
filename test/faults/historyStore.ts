import { DatabaseSync } from 'node:sqlite';
import { flagsOf } from '../../src/core/store/messageRow.ts';
import { HIDDEN } from '../../src/core/store/messageWriting.ts';
import type { HistoryServer } from './historyServer.ts';

interface Row {
  readonly path: string;
  readonly uid: number;
  readonly rfc_message_id: string;
  readonly size: number;
  readonly flags: number;
  readonly hidden: number;
  readonly octets: number | null;
}

/** In what mail.db differs from the server: folders, UIDs, flags, sources, and what is kept from being listed. Empty where in nothing. */
export async function storeFaults(file: string, server: HistoryServer, snoozed: ReadonlySet<number>): Promise<string[]> {
  const paths = (await server.folders()).toSorted();
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const known = db
      .prepare('SELECT path FROM folders ORDER BY path')
      .all()
      .map((row) => String(row['path']));
    if (known.toSorted().join('\n') !== paths.join('\n')) return [`folders ${known.join(', ')}, not ${paths.join(', ')}`];
    const select = `SELECT f.path, m.uid, m.rfc_message_id, m.size, m.flags, m.hidden, length(b.raw) AS octets
      FROM messages m JOIN folders f ON f.id = m.folder_id LEFT JOIN bodies b ON b.message_id = m.id`;
    const rows = db.prepare(select).all() as unknown as Row[];
    const faults: string[] = [];
    for (const path of paths) {
      const here = new Map(rows.filter((row) => row.path === path).map((row) => [row.uid, row]));
      for (const there of await server.list(path)) {
        const row = here.get(there.uid);
        here.delete(there.uid);
        const name = `${path} ${there.uid} ${there.rfcMessageId}`;
        if (!row) faults.push(`${name} is not stored`);
        else if (row.rfc_message_id !== there.rfcMessageId || row.size !== there.size)
          faults.push(`${name} is stored as ${row.rfc_message_id}`);
        else if (
          flagsOf(row.flags)
            .filter((flag) => flag !== 'draft')
            .join() !== there.flags.join()
        )
          faults.push(`${name} has ${there.flags.join()}, stored ${flagsOf(row.flags).join()}`);
        else if (path !== 'Trash' && path !== 'Junk' && row.octets !== there.size)
          faults.push(`${name} is stored with ${row.octets} octets`);
        else if (row.hidden !== HIDDEN.no && !(row.hidden === HIDDEN.snoozed && isOf(row.rfc_message_id, snoozed)))
          faults.push(`${name} is hidden (${row.hidden})`);
      }
      for (const row of here.values()) faults.push(`${path} ${row.uid} ${row.rfc_message_id} is stored and not there`);
    }
    const awaited = db.prepare('SELECT count(*) AS n FROM awaited').get()?.['n'];
    if (awaited !== 0) faults.push(`${String(awaited)} messages are still awaited`);
    return faults;
  } finally {
    db.close();
  }
}

function isOf(rfcMessageId: string, tags: ReadonlySet<number>): boolean {
  return [...tags].some((tag) => rfcMessageId === `<${tag}@history.test>`);
}
