import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditService } from '../../../src/core/account/auditService.ts';
import { KeyAudit, type AuditEntry } from '../../../src/core/keys/audit.ts';
import { startLedgerWorld, type LedgerWorld } from '../keys/ledgerWorld.ts';

/** What SECURITY.md tells others to do with an export, and nothing of QuMail's own: the number of entries, or what is wrong. */
function verifyElsewhere(text: string): number | string {
  const [first, ...lines] = text.trimEnd().split('\n');
  const end = JSON.parse(lines.pop() ?? '{}') as { entries?: number; head?: string };
  if (first !== '{"qumailAudit":1,"hash":"sha256"}' || end.head === undefined) return 'not whole';
  let hash = Buffer.alloc(32);
  for (const line of lines) {
    const entry = JSON.parse(line) as { id: number; row: string; hash: string };
    hash = createHash('sha256').update(hash).update(entry.row).digest() as Buffer<ArrayBuffer>;
    if (hash.toString('base64url') !== entry.hash) return `broken at ${entry.id}`;
  }
  return lines.length === end.entries && hash.toString('base64url') === end.head ? lines.length : 'the end does not fit';
}

describe('the key audit, verified and exported', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qumail-audit-'));
  const path = join(folder, 'audit.jsonl');
  let world: LedgerWorld;
  let audit: KeyAudit;
  let service: AuditService;

  const entry = (n: number): AuditEntry => ({
    at: 1_800_000_000_000 + n,
    ownSaeId: 'SAE "Älice"',
    peerSaeId: 'SAE\u2028BOB',
    method: n % 2 === 0 ? 'enc_keys' : 'dec_keys',
    keyId: `key-${n}`,
    bits: 256,
    status: 200,
    latencyMs: n,
    outcome: 'delivered',
  });

  beforeEach(() => {
    world = startLedgerWorld();
    audit = new KeyAudit({ db: world.db, sealer: world.sealer });
    service = new AuditService({ audit });
  });
  afterEach(() => world.dispose());
  after(() => rmSync(folder, { recursive: true }));

  it('an export of many pages can be verified with twenty lines of other code, and is for its owner only', async () => {
    for (let n = 0; n < 2500; n += 500) audit.append(...Array.from({ length: 500 }, (_, i) => entry(n + i)));
    const exported = await service.exportAudit({ path });
    assert.deepEqual(exported, { path, entries: 2500, head: audit.head() });
    assert.equal(verifyElsewhere(readFileSync(path, 'utf8')), 2500);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('an empty log is exported and verified as such', async () => {
    assert.deepEqual(await service.verifyAudit(), { entries: 0, intact: true });
    await service.exportAudit({ path });
    assert.equal(verifyElsewhere(readFileSync(path, 'utf8')), 0);
  });

  it('whatever is changed in an export shows there', async () => {
    audit.append(...Array.from({ length: 5 }, (_, n) => entry(n)));
    await service.exportAudit({ path });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 7);
    for (let at = 0; at < lines.length; at++) {
      assert.notEqual(verifyElsewhere(`${lines.toSpliced(at, 1).join('\n')}\n`), 5, `line ${at} left out`);
      const digits = lines[at]!.replace(/\d/, (digit) => String((Number(digit) + 1) % 10));
      if (at > 0 && !digits.startsWith('{"id"')) assert.notEqual(verifyElsewhere(lines.with(at, digits).join('\n')), 5);
    }
    const row = lines.with(2, lines[2]!.replace('key-1', 'key-9'));
    assert.equal(verifyElsewhere(row.join('\n')), 'broken at 2');
  });

  it('rows missing at the end show here, whatever is done to what remains', () => {
    audit.append(...Array.from({ length: 5 }, (_, n) => entry(n)));
    world.db.exec('DELETE FROM key_audit WHERE id > 3');
    assert.deepEqual(audit.verify(), { entries: 3, intact: false, brokenAt: 4 });
    audit.append(entry(9));
    assert.deepEqual(audit.verify().intact, false, 'what is appended later does not mend it');
    world.db.exec('DELETE FROM key_audit');
    assert.deepEqual(audit.verify(), { entries: 0, intact: false, brokenAt: 1 });
  });

  it('a chain written anew by someone without the keyring does not fit its sealed head', () => {
    audit.append(entry(1), entry(2));
    const head = world.db.prepare('SELECT sealed FROM key_audit_head').get()!['sealed'] as Uint8Array;
    world.db.exec('DELETE FROM key_audit; DELETE FROM key_audit_head');
    new KeyAudit({ db: world.db, sealer: world.sealer }).append(entry(1));
    world.db.prepare('UPDATE key_audit_head SET sealed = ?').run(head);
    assert.equal(audit.verify().intact, false);
    world.db.exec('DELETE FROM key_audit_head');
    assert.equal(audit.verify().intact, false, 'no head at all');
    audit.append(entry(3));
    assert.equal(audit.verify().intact, false, 'a new head does not vouch for older rows');
  });

  it('a place that cannot be written to is named, and a file that was there stays', async () => {
    await assert.rejects(service.exportAudit({ path: join(folder, 'missing', 'audit.jsonl') }), { code: 'file.unwritable' });
    writeFileSync(path, 'older');
    audit.append(entry(1));
    const controller = new AbortController();
    controller.abort();
    await assert.rejects(service.exportAudit({ path }, { signal: controller.signal }), { code: 'engine.cancelled' });
    assert.equal(readFileSync(path, 'utf8'), 'older');
  });
});
