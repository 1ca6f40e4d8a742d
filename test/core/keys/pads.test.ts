import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { decodePadHeader, encodePadHeader, PAD_PREFIX_LENGTH, padHeaderLength } from '../../../src/core/keys/padFile.ts';
import { PadHealth } from '../../../src/core/keys/padHealth.ts';
import { PadKeyIds, padName } from '../../../src/core/keys/padKeyId.ts';
import { PadTree } from '../../../src/core/keys/padTree.ts';

describe('the tree of chunk keys', () => {
  const root = (): Buffer => Buffer.alloc(32, 7);

  it('gives each key once, in whatever order, and the same as when all are listed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.infiniteStream(fc.nat()), (leaves, picks) => {
        const listed = [...collect(PadTree.plant(root(), leaves), leaves)];
        let tree = PadTree.plant(root(), leaves);
        const order = Array.from({ length: leaves }, (_, i) => i);
        for (let i = order.length - 1; i > 0; i--) {
          const j = picks.next().value! % (i + 1);
          [order[i], order[j]] = [order[j]!, order[i]!];
        }
        for (const leaf of order) {
          assert.equal(tree.take(leaf)?.toString('hex'), listed[leaf]);
          assert.equal(tree.take(leaf), undefined);
          tree = PadTree.decode(tree.encode());
        }
      }),
      { numRuns: 40 },
    );
  });

  function* collect(tree: PadTree, leaves: number): Generator<string> {
    for (const key of tree.keys(leaves)) yield key.toString('hex');
  }

  it('stays small while it is used in order, for the largest pad there is', () => {
    const tree = PadTree.plant(root(), 2 ** 18);
    for (let leaf = 0; leaf < 3000; leaf++) tree.take(leaf);
    assert.ok(tree.encode().length < 800, `${tree.encode().length} octets`);
  });

  it('holds nothing from which a key that was taken could be computed', () => {
    const tree = PadTree.plant(root(), 8);
    const taken = tree.take(5)!;
    const rest = tree.encode();
    const others = [...collect(PadTree.plant(root(), 8), 8)];
    assert.ok(!rest.includes(taken));
    // Only keys of subtrees without leaf 5 are left: 0-3, 4, 6-7.
    assert.equal(rest.length, 1 + 3 * 37);
    assert.equal(others[5], taken.toString('hex'));
  });
});

describe('key IDs of a pad', () => {
  const secret = randomBytes(32);
  const ids = new PadKeyIds(secret);

  it('look like random UUIDs and lead back to their range, in their direction only', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff_ffff),
        fc.integer({ min: 1, max: 0xffff }),
        fc.constantFrom('forth' as const, 'back' as const),
        (first, blocks, direction) => {
          const id = ids.idOf({ direction, first, blocks });
          assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          assert.deepEqual(ids.rangeOf(id, direction), { direction, first, blocks });
          assert.equal(ids.rangeOf(id, direction === 'forth' ? 'back' : 'forth'), undefined);
        },
      ),
    );
  });

  it('are not taken from anyone who does not have the pad', () => {
    const id = ids.idOf({ direction: 'forth', first: 3, blocks: 4 });
    assert.equal(new PadKeyIds(randomBytes(32)).rangeOf(id, 'forth'), undefined);
    for (let at = 0; at < id.length; at++) {
      if (id[at] === '-') continue;
      const other = id.slice(0, at) + (id[at] === '0' ? '1' : '0') + id.slice(at + 1);
      if (other !== id) assert.equal(ids.rangeOf(other, 'forth'), undefined, String(at));
    }
    for (const strange of ['', 'x', id.toUpperCase(), `${id}0`, 'key-17']) assert.equal(ids.rangeOf(strange, 'forth'), undefined);
  });

  it('and the name of a pad tell nothing of its secret', () => {
    assert.equal(padName(secret).length, 16);
    assert.ok(!ids.idOf({ direction: 'forth', first: 0, blocks: 1 }).replaceAll('-', '').includes(padName(secret)));
  });
});

describe('random octets for a pad', () => {
  const look = (...pieces: Buffer[]): void => {
    const health = new PadHealth();
    for (const piece of pieces) health.look(piece);
  };

  it('pass when they are random, whatever their number', () => {
    for (const length of [32, 4096, 65_536, 65_536 * 8 + 17]) look(randomBytes(length));
  });

  const bad: readonly [string, string, () => Buffer[]][] = [
    ['zeros', 'repetition-count', () => [Buffer.alloc(65_536)]],
    ['a run across two pieces', 'repetition-count', () => [Buffer.concat([randomBytes(100), Buffer.alloc(5, 1)]), Buffer.alloc(5, 1)]],
    ['hexadecimal text', 'chi-square', () => [Buffer.from(randomBytes(32_768).toString('hex'))]],
    ['a counter', 'chi-square', () => [Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i % 2 ? i >> 1 : i >> 9) & 0xff))]],
    [
      'a generator that starts again',
      'repeated-block',
      () => {
        const once = randomBytes(65_536);
        return [once, randomBytes(65_536), once];
      },
    ],
  ];
  for (const [what, test, make] of bad)
    it(`are refused when they are ${what}`, () => assert.throws(() => look(...make()), { code: 'pad.bad-randomness', details: { test } }));
});

describe('the header of a pad file', () => {
  const header = { secret: randomBytes(32), from: 'alice@example.test', to: 'bob@other.test', octets: 8192 };

  it('is read as it was written', () => {
    const file = encodePadHeader(header);
    const length = padHeaderLength(file.subarray(0, PAD_PREFIX_LENGTH));
    assert.deepEqual(decodePadHeader(file.subarray(PAD_PREFIX_LENGTH, PAD_PREFIX_LENGTH + length)), header);
  });

  it('is refused with a reason when it is anything else', () => {
    for (const prefix of [Buffer.alloc(0), Buffer.from('hello, this is no pad')])
      assert.throws(() => padHeaderLength(prefix), { code: 'pad.malformed', details: { reason: 'no-pad' } });
    assert.throws(() => padHeaderLength(Buffer.concat([Buffer.from('QuMail pad\n'), Buffer.of(0xff, 0xff)])), { code: 'pad.malformed' });
    const good = { v: 1, pad: header.secret.toString('base64url'), from: header.from, to: header.to, octets: 8192 };
    const decode = (value: unknown) => () => decodePadHeader(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
    assert.doesNotThrow(decode(good));
    for (const value of [
      '',
      '{',
      'null',
      '[]',
      { ...good, octets: 33 },
      { ...good, octets: -32 },
      { ...good, octets: 1e18 },
      { ...good, pad: 'x' },
      { ...good, from: 'x'.repeat(400) },
    ])
      assert.throws(decode(value), { code: 'pad.malformed', details: { reason: 'header' } });
    assert.throws(decode({ ...good, v: 2 }), { code: 'pad.malformed', details: { reason: 'newer' } });
  });
});
