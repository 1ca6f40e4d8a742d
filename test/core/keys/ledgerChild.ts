/**
 * One process of ledgerProcesses.test.ts: `node ledgerChild.ts FILE TASK ARGUMENT`. It answers on stdout, or kills itself without warning.
 */
import { createHash } from 'node:crypto';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemClock } from '../../../src/core/base/systemPorts.ts';
import { KeyLedger } from '../../../src/core/keys/keyLedger.ts';
import { openLedgerDatabase, TestSealer } from './ledgerWorld.ts';

export const ACCOUNT = 'account-1';
export const PEER = 'SAE-BOB';
/** Where a process can be made to die. Those in capitals are inside a transaction, before it commits. */
export const KILL_POINTS = ['RESERVING', 'reserved', 'USING', 'used', 'FETCHING', 'fetched', 'CONSUMING', 'consumed', 'end'] as const;
export type KillPoint = (typeof KILL_POINTS)[number];

/** The same key in every process that asks for this number. */
export function keyNumber(n: number): { keyId: string; bytes: Buffer } {
  return { keyId: `key-${n}`, bytes: createHash('sha256').update(`bytes of ${n}`).digest() };
}

function lifeOfTwoKeys(ledger: KeyLedger, insertNote: (text: string) => void, killAt: KillPoint): void {
  const reach = (point: KillPoint): void => {
    if (point === killAt) process.kill(process.pid, 'SIGKILL');
  };
  const inside = (point: KillPoint, run: () => void): void =>
    ledger.transaction(() => {
      run();
      insertNote(point);
      reach(point);
    });
  const sent = keyNumber(1);
  const received = keyNumber(2);
  const hash = Buffer.alloc(32, 1);
  inside('RESERVING', () => ledger.reserve({ accountId: ACCOUNT, peerSaeIds: [PEER], keys: [sent] }));
  reach('reserved');
  inside('USING', () => ledger.markUsed({ accountId: ACCOUNT, keyIds: [sent.keyId], messageId: '<m>', mimeSha256: hash }));
  reach('used');
  inside('FETCHING', () => ledger.recordFetched({ accountId: ACCOUNT, peerSaeId: PEER, envelopeId: 'e', keys: [received] }));
  reach('fetched');
  inside('CONSUMING', () =>
    ledger.consume({ accountId: ACCOUNT, peerSaeId: PEER, keyIds: [received.keyId], envelopeId: 'e', payloadSha256: hash }),
  );
  reach('consumed');
}

/** Tries `step` with keys 0 .. count-1 and tells which of them it won. */
function race(count: number, step: (key: { keyId: string; bytes: Buffer }) => void): number[] {
  const won: number[] = [];
  for (let n = 0; n < count; n++) {
    try {
      step(keyNumber(n));
      won.push(n);
    } catch (error) {
      if (!QuMailError.is(error, 'key.reused') && !QuMailError.is(error, 'key.not-held')) throw error;
    }
  }
  return won;
}

function main(file: string, task: string, argument: string): void {
  const db = openLedgerDatabase(file);
  const ledger = new KeyLedger({ db, sealer: new TestSealer(Buffer.alloc(32, 7)), clock: systemClock });
  if (task === 'live') {
    lifeOfTwoKeys(ledger, (text) => void db.prepare('INSERT INTO notes (text) VALUES (?)').run(text), argument as KillPoint);
    return;
  }
  const won = race(Number(argument), (key) => {
    if (task === 'reserve') ledger.reserve({ accountId: ACCOUNT, peerSaeIds: [PEER], keys: [key] });
    else if (task === 'use') ledger.markUsed({ accountId: ACCOUNT, keyIds: [key.keyId], messageId: '<m>', mimeSha256: Buffer.alloc(32) });
    else
      ledger.consume({ accountId: ACCOUNT, peerSaeId: PEER, keyIds: [key.keyId], envelopeId: key.keyId, payloadSha256: Buffer.alloc(32) });
  });
  process.stdout.write(JSON.stringify(won));
  db.close();
}

if (process.argv[1]?.endsWith('ledgerChild.ts')) main(process.argv[2]!, process.argv[3]!, process.argv[4]!);
