import { open, rename, rm } from 'node:fs/promises';
import type { AuditExport, AuditReport } from '../base/backup.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { CallOptions } from '../base/requests/requestNames.ts';
import { auditLine, type KeyAudit } from '../keys/audit.ts';

/** What a person may do with the key audit: verify it here, and take it elsewhere to be verified there. */
export class AuditService {
  readonly #audit: KeyAudit;

  constructor(deps: { audit: KeyAudit }) {
    this.#audit = deps.audit;
  }

  async verifyAudit(): Promise<AuditReport> {
    return this.#audit.verify();
  }

  /**
   * JSON lines: `{"qumailAudit":1,"hash":"sha256"}`, then `{"id","row","hash"}` for each entry, then `{"entries","head"}`.
   *
   * @throws QuMailError `file.unwritable` (details: path); a file that was there stays then
   */
  async exportAudit({ path }: { path: string }, { signal }: CallOptions = {}): Promise<AuditExport> {
    const part = `${path}.part`;
    try {
      const file = await open(part, 'w', 0o600);
      try {
        await file.write('{"qumailAudit":1,"hash":"sha256"}\n');
        const end = await this.#writeRows((text) => file.write(text), signal);
        await file.write(`${JSON.stringify(end)}\n`);
        await file.sync();
        await file.close();
        await rename(part, path);
        return { path, ...end };
      } catch (error) {
        await file.close().catch(() => {});
        await rm(part, { force: true });
        throw error;
      }
    } catch (error) {
      throw QuMailError.from(error, 'file.unwritable', { path });
    }
  }

  async #writeRows(write: (text: string) => Promise<unknown>, signal: AbortSignal | undefined): Promise<Omit<AuditExport, 'path'>> {
    let entries = 0;
    let head = Buffer.alloc(32).toString('base64url');
    for (let after = 0; ;) {
      throwIfCancelled(signal);
      const rows = this.#audit.rows(after);
      const last = rows.at(-1);
      if (!last) return { entries, head };
      await write(rows.map(auditLine).join(''));
      entries += rows.length;
      head = last.hash;
      after = last.id;
    }
  }
}
