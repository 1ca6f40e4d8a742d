import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { QuMailError } from '../../../src/core/base/errors.ts';
import type { KeyState } from '../../../src/core/keys/keyLedger.ts';
import { ACCOUNT, KILL_POINTS, keyNumber, PEER, type KillPoint } from './ledgerChild.ts';
import { startLedgerWorld, type LedgerWorld } from './ledgerWorld.ts';

const script = fileURLToPath(new URL('ledgerChild.ts', import.meta.url));

function child(world: LedgerWorld, task: string, argument: string | number): Promise<{ out: string; signal: string | undefined }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, world.file, task, String(argument)], (error, out, stderr) => {
      if (error && error.signal === null) reject(new Error(stderr));
      else resolve({ out, signal: error?.signal ?? undefined });
    });
  });
}

describe('the key ledger across processes', () => {
  let world: LedgerWorld;
  beforeEach(() => {
    world = startLedgerWorld();
    world.time.now = Date.now(); // as in the children
    world.db.exec('CREATE TABLE notes (text TEXT NOT NULL) STRICT');
  });
  afterEach(() => world.dispose());

  const sent = keyNumber(1);
  const received = keyNumber(2);
  const peerKeys = { accountId: ACCOUNT, peerSaeId: PEER };

  describe('a process killed with SIGKILL', () => {
    /** What a second process finds: the states of the key that was to be sent and of the one received. */
    const table: Record<KillPoint, [KeyState | undefined, KeyState | undefined]> = {
      RESERVING: [undefined, undefined],
      reserved: ['RESERVED', undefined],
      USING: ['RESERVED', undefined],
      used: ['USED', undefined],
      FETCHING: ['USED', undefined],
      fetched: ['USED', 'FETCHED'],
      CONSUMING: ['USED', 'FETCHED'],
      consumed: ['USED', 'CONSUMED'],
      end: ['USED', 'CONSUMED'],
    };

    for (const point of KILL_POINTS) {
      it(`at "${point}" leaves the last durable step, whole, and a way on`, async () => {
        const { signal } = await child(world, 'live', point);
        assert.equal(signal, point === 'end' ? undefined : 'SIGKILL');
        const [ofSent, ofReceived] = table[point];
        assert.deepEqual([world.ledger.stateOf(ACCOUNT, sent.keyId), world.ledger.stateOf(ACCOUNT, received.keyId)], [ofSent, ofReceived]);
        // The rows that the caller wrote in the same transactions are there exactly as far as the ledger's own.
        const notes = world.db
          .prepare('SELECT text FROM notes')
          .all()
          .map((row) => String(row['text']));
        const done = [
          ofSent !== undefined && 'RESERVING',
          ofSent === 'USED' && 'USING',
          ofReceived !== undefined && 'FETCHING',
          ofReceived === 'CONSUMED' && 'CONSUMING',
        ];
        assert.deepEqual(
          notes,
          done.filter((note) => note !== false),
        );
        goOn(ofSent, ofReceived);
      }).timeout(20_000);
    }

    function goOn(ofSent: KeyState | undefined, ofReceived: KeyState | undefined): void {
      const reserve = (): void => world.ledger.reserve({ accountId: ACCOUNT, peerSaeIds: [PEER], keys: [sent] });
      // A key that may have left the machine is never sealed with again; one left reserved is given up.
      if (ofSent !== undefined) assert.throws(reserve, (e) => QuMailError.is(e, 'key.reused'));
      assert.equal(world.ledger.abandonStale(Date.now() + 1), ofSent === 'RESERVED' ? 1 : 0);
      // A key that was delivered is still there for its message, byte for byte, until that has been opened.
      const held = world.ledger.heldKeys({ ...peerKeys, keyIds: [received.keyId] });
      assert.deepEqual(held, ofReceived === 'FETCHED' ? [received] : undefined);
      const payload = { envelopeId: 'e', payloadSha256: Buffer.alloc(32, 1) };
      assert.equal(
        world.ledger.seen({ accountId: ACCOUNT, ...payload, keyIds: [received.keyId] }),
        ofReceived === 'CONSUMED' ? 'duplicate' : 'new',
      );
      if (ofReceived === 'FETCHED') world.ledger.consume({ ...peerKeys, keyIds: [received.keyId], ...payload });
    }
  });

  it('two processes that are handed the same keys never reserve or use one twice', async () => {
    const count = 60;
    for (const task of ['reserve', 'use']) {
      const won = (await Promise.all([child(world, task, count), child(world, task, count)])).map(({ out }) => JSON.parse(out) as number[]);
      const all = won.flat();
      assert.equal(new Set(all).size, all.length, `${task}: somebody won twice`);
      assert.equal(all.length, count, `${task}: somebody was left out`);
    }
  }).timeout(30_000);

  it('two processes that open the same mail never both consume its key', async () => {
    const count = 60;
    for (let n = 0; n < count; n++) world.ledger.recordFetched({ ...peerKeys, envelopeId: `key-${n}`, keys: [keyNumber(n)] });
    const won = (await Promise.all([child(world, 'consume', count), child(world, 'consume', count)])).flatMap(
      ({ out }) => JSON.parse(out) as number[],
    );
    assert.deepEqual(
      won.sort((a, b) => a - b),
      Array.from({ length: count }, (_, n) => n),
    );
  }).timeout(30_000);
});
