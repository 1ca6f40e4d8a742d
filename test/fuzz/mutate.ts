import type { Dice } from '../faults/seeded.ts';

/** Octets of one input, at most: what a parser does with more is that of its limits, which have tests of their own. */
export const LARGEST = 4 * 1_048_576;

const ODD = [
  '\0',
  '\r\n',
  '\n',
  '\r',
  '"',
  '\\',
  '\ufeff',
  '\ud7ff',
  '\uffff',
  '-',
  '=',
  '%',
  '&',
  '<',
  '>',
  '{',
  '[',
  '(',
  ',',
  ';',
  ':',
  ' ',
  '\t',
  '\u202e',
  'é',
];
const NUMBERS = [
  '0',
  '-0',
  '-1',
  '1e999',
  '255',
  '256',
  '65535',
  '65536',
  '2147483648',
  '4294967296',
  '9007199254740993',
  'NaN',
  'null',
  'true',
];
const BYTES = [0x00, 0x01, 0x7f, 0x80, 0xbf, 0xc0, 0xe2, 0xf0, 0xfe, 0xff];

/**
 * One input: a sample with one to eight changes of every kind that damages something: bits, cuts, doublings, pieces of other samples, odd
 * octets, numbers at their limits, words the parser knows, and now and then much of one thing.
 */
export function mutated(dice: Dice, samples: readonly Buffer[], words: readonly string[]): Buffer {
  let octets: Buffer = Buffer.from(dice.pick(samples));
  const changes = 1 + dice.below(dice.below(4) === 0 ? 8 : 3);
  for (let i = 0; i < changes; i += 1) octets = changed(dice, octets, samples, words);
  return octets.byteLength > LARGEST ? octets.subarray(0, LARGEST) : octets;
}

function changed(dice: Dice, octets: Buffer, samples: readonly Buffer[], words: readonly string[]): Buffer {
  const at = dice.below(octets.byteLength + 1);
  const until = Math.min(octets.byteLength, at + 1 + dice.below(dice.below(3) === 0 ? octets.byteLength + 1 : 16));
  const put = (piece: Uint8Array | string, over = at): Buffer =>
    Buffer.concat([octets.subarray(0, at), Buffer.from(piece as string), octets.subarray(over)]);
  switch (dice.below(12)) {
    case 0:
      if (at < octets.byteLength) octets[at] = octets[at]! ^ (1 << dice.below(8));
      return octets;
    case 1:
      if (at < octets.byteLength) octets[at] = dice.pick(BYTES);
      return octets;
    case 2:
      return put('', until);
    case 3:
      return octets.subarray(0, at);
    case 4:
      return put(octets.subarray(at, until));
    case 5: {
      const other = dice.pick(samples);
      const from = dice.below(other.byteLength + 1);
      return put(other.subarray(from, from + 1 + dice.below(200)), dice.below(2) === 0 ? at : until);
    }
    case 6:
      return put(dice.pick(ODD));
    case 7:
      return put(dice.pick(NUMBERS), dice.below(2) === 0 ? at : until);
    case 8:
    case 9:
      return words.length > 0 ? put(dice.pick(words), dice.below(2) === 0 ? at : until) : put(dice.pick(ODD));
    case 10: {
      const random = Buffer.from(Array.from({ length: 1 + dice.below(24) }, () => dice.below(256)));
      return put(random, dice.below(2) === 0 ? at : until);
    }
    default:
      return put(repeated(dice, octets.subarray(at, Math.min(until, at + 64)), words));
  }
}

/** Much of one thing: mostly some, seldom a lot. */
function repeated(dice: Dice, piece: Uint8Array, words: readonly string[]): Buffer {
  const unit = dice.below(2) === 0 && words.length > 0 ? Buffer.from(dice.pick(words)) : Buffer.from(piece);
  if (unit.byteLength === 0) return unit;
  const size = dice.below(2000) === 0 ? 262_144 : dice.below(50) === 0 ? 8192 : 64;
  return Buffer.concat(Array.from({ length: Math.ceil(dice.below(size) / unit.byteLength) }, () => unit));
}
