import assert from 'node:assert/strict';
import fc from 'fast-check';
import { missingUids, needsLook, planFill, planFolderList } from '../../../../src/core/account/sync/syncPlan.ts';

describe('account/sync/syncPlan', () => {
  const fact = fc.record({ uid: fc.integer({ min: 1, max: 5000 }), size: fc.integer({ min: 0, max: 3000 }) });
  const limits = fc.record({
    octets: fc.integer({ min: 1, max: 8000 }),
    messages: fc.integer({ min: 1, max: 50 }),
    largest: fc.integer({ min: 0, max: 3000 }),
  });

  it('fetches everything that is not too large exactly once, the newest first, in commands within their bounds', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fact, { selector: ({ uid }) => uid, maxLength: 200 }), limits, (facts, bounds) => {
        const { batches, tooLarge } = planFill(facts, bounds);
        const sizes = new Map(facts.map(({ uid, size }) => [uid, size]));
        const fetched = batches.flat();
        assert.deepEqual(
          fetched,
          facts
            .filter(({ size }) => size <= bounds.largest)
            .map(({ uid }) => uid)
            .toSorted((a, b) => b - a),
        );
        assert.deepEqual(new Set([...fetched, ...tooLarge]), new Set(sizes.keys()));
        for (const batch of batches) {
          const octets = batch.reduce((sum, uid) => sum + sizes.get(uid)!, 0);
          assert.ok(batch.length > 0 && batch.length <= bounds.messages && (octets <= bounds.octets || batch.length === 1));
        }
        // Few commands: no two neighbours would have fitted into one.
        for (const [index, batch] of batches.slice(1).entries()) {
          const before = batches[index]!;
          const joined = before.reduce((sum, uid) => sum + sizes.get(uid)!, 0) + sizes.get(batch[0]!)!;
          assert.ok(before.length === bounds.messages || joined > bounds.octets);
        }
      }),
    );
  });

  it('asks for what the store lacks and nothing else', () => {
    const uids = fc.uniqueArray(fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(uids, uids, (onServer, settled) => {
        const missing = missingUids(onServer, new Set(settled));
        assert.deepEqual(
          missing.toSorted((a, b) => a - b),
          onServer.filter((uid) => !settled.includes(uid)).toSorted((a, b) => a - b),
        );
        assert.ok(missing.every((uid, index) => index === 0 || missing[index - 1]! > uid));
      }),
    );
  });

  it('looks into every folder that a model of IMAP changed, and into none that it left alone', () => {
    const change = fc.constantFrom('arrive', 'expunge', 'flag', 'renumber', 'nothing');
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.boolean(), fc.integer({ min: 0, max: 5 }), (changes, condstore, held) => {
        const model = { uidValidity: 7, uidNext: 100, modseq: 50n, total: held };
        const cursor = { uidValidity: 7, uidNext: 100, ...(condstore && { highestModseq: 50n }) };
        let changed: 'no' | 'flags' | 'yes' = 'no';
        for (const each of changes) {
          if (each === 'arrive') Object.assign(model, { uidNext: model.uidNext + 1, total: model.total + 1, modseq: model.modseq + 1n });
          else if (each === 'expunge' && model.total > 0) Object.assign(model, { total: model.total - 1, modseq: model.modseq + 1n });
          else if (each === 'flag' && model.total > 0) Object.assign(model, { modseq: model.modseq + 1n });
          else if (each === 'renumber') Object.assign(model, { uidValidity: model.uidValidity + 1, uidNext: model.total + 1, modseq: 1n });
          else continue;
          if (each !== 'flag') changed = 'yes';
          else if (changed === 'no') changed = 'flags';
        }
        const listed = {
          path: 'A',
          selectable: true,
          total: model.total,
          uidValidity: model.uidValidity,
          uidNext: model.uidNext,
          ...(condstore && { highestModseq: model.modseq }),
        };
        const need = needsLook({ path: 'A', cursor }, listed, held);
        if (changed === 'no') assert.equal(need, condstore ? 'no' : 'perhaps');
        else if (changed === 'flags') assert.equal(need, condstore ? 'yes' : 'perhaps');
        else assert.equal(need, 'yes');
        assert.equal(needsLook(undefined, listed, 0), 'yes');
      }),
    );
  });

  it('takes a vanished and a new folder for one where that is unmistakable, and loses no path otherwise', () => {
    const folder = fc.record({
      path: fc.constantFrom('A', 'B', 'C', 'D', 'E'),
      uidValidity: fc.integer({ min: 1, max: 3 }),
      uidNext: fc.nat({ max: 9 }),
    });
    const folders = fc.uniqueArray(folder, { selector: ({ path }) => path });
    fc.assert(
      fc.property(folders, folders, (before, listed) => {
        const stored = before.map(({ path, uidValidity, uidNext }) => ({ path, cursor: { uidValidity, uidNext } }));
        const { renamed, gone } = planFolderList(
          stored,
          listed.map((each) => ({ ...each, selectable: true })),
        );
        const present = new Set(listed.map(({ path }) => path));
        const lost = before.filter(({ path }) => !present.has(path)).map(({ path }) => path);
        assert.deepEqual([...gone, ...renamed.map(({ from }) => from)].toSorted(), lost.toSorted());
        assert.equal(new Set(renamed.map(({ to }) => to)).size, renamed.length);
        for (const { from, to } of renamed) {
          const [a, b] = [before.find(({ path }) => path === from)!, listed.find(({ path }) => path === to)!];
          assert.ok(a.uidValidity === b.uidValidity && b.uidNext >= a.uidNext && !before.some(({ path }) => path === to));
        }
      }),
    );
  });

  it('believes a MAILBOXID and nothing else where there is one, unless two folders have the same', () => {
    const cursor = { uidValidity: 7, uidNext: 5, mailboxId: 'F1' };
    const listed = (path: string, mailboxId: string | undefined, uidValidity = 7) => ({
      path,
      selectable: true,
      uidValidity,
      uidNext: 9,
      ...(mailboxId !== undefined && { mailboxId }),
    });
    const from = (...folders: ReturnType<typeof listed>[]) => planFolderList([{ path: 'A', cursor }], folders);
    const renamed = { renamed: [{ from: 'A', to: 'B', by: 'mailbox-id' }], gone: [] };
    assert.deepEqual(from(listed('B', 'F1'), listed('C', 'F2')), renamed, 'of two whose UIDs fit, the one with its id');
    assert.deepEqual(from(listed('B', 'F1', 8)), renamed, 'also where UIDVALIDITY changed with the name');
    assert.deepEqual(from(listed('B', 'F2')), { renamed: [], gone: ['A'] }, 'not one with another id whose UIDs fit');
    assert.deepEqual(from(listed('B', 'F1'), listed('C', 'F1')), { renamed: [], gone: ['A'] }, 'not where two claim it');
    assert.deepEqual(from(listed('B', undefined)).renamed, [{ from: 'A', to: 'B', by: 'uids' }], 'by UIDs where no ids are told');
  });
});
