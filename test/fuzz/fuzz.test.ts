import assert from 'node:assert/strict';
import { QuMailError } from '../../src/core/base/errors.ts';
import { SEED } from '../faults/seeded.ts';
import { allParsers } from './allParsers.ts';
import { fuzz } from './fuzz.ts';
import { texts, type Parser } from './parser.ts';

/** Of each parser, in milliseconds; `npm run fuzz` takes a million inputs of each. */
const SHARE = 120;

describe('fuzzing', () => {
  const parser: Parser = { name: 'test', samples: texts('0123456789'), words: [], codes: /^open\./, parse: () => 'taken' };

  it('notices what throws without a name, or with a name of another place, and hands out the input that did it', async () => {
    const nameless = await fuzz(
      {
        ...parser,
        parse: (octets) => {
          if (!octets.includes('5')) throw new TypeError('no five');
        },
      },
      { seed: 1, inputs: 10_000 },
    );
    assert.match(nameless.failure?.reason ?? '', /no five/);
    assert.ok(nameless.failure && !nameless.failure.octets.includes('5'));
    const misplaced = await fuzz(
      {
        ...parser,
        parse: () => {
          throw new QuMailError('kme.bad-answer');
        },
      },
      { seed: 1, inputs: 100 },
    );
    assert.equal(misplaced.failure?.number, 0);
  });

  it('tries a score of inputs even where the time is over before the first', async () => {
    const { inputs } = await fuzz(parser, { seed: 1, inputs: 10_000, forMs: -1 });
    assert.equal(inputs, 20);
  });

  it('gives the same inputs for the same seed, and others for another', async () => {
    const inputs = async (seed: number): Promise<string[]> => {
      const seen: string[] = [];
      await fuzz({ ...parser, parse: (octets) => seen.push(octets.toString('hex')) }, { seed, inputs: 50 });
      return seen;
    };
    assert.deepEqual(await inputs(3), await inputs(3));
    assert.notDeepEqual(await inputs(3), await inputs(4));
  });
});

describe(`every parser of foreign bytes (short form, seed ${SEED})`, function () {
  this.timeout(20_000);

  it('refuses by name or takes in whatever comes, without crash or hang', async () => {
    const parsers = await allParsers();
    assert.ok(parsers.length >= 30);
    let all = 0;
    for (const parser of parsers) {
      const { inputs, failure } = await fuzz(parser, { seed: SEED, inputs: 20_000, forMs: SHARE });
      const input = failure?.octets.toString('base64').slice(0, 2000);
      assert.equal(failure?.reason, undefined, `${parser.name}, input ${failure?.number}: ${failure?.reason}\n${input}`);
      assert.ok(inputs >= 20, `${parser.name}: ${inputs} inputs`);
      all += inputs;
    }
    console.log(`  ${all} inputs for ${parsers.length} parsers`);
  });
});
