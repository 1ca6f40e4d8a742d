import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { safetyNumber, type SafetyParty } from '../../../src/core/crypto/safetyNumber.ts';

const alice: SafetyParty = { address: 'alice@example.org', fingerprint: '0123456789ABCDEF'.repeat(4) };
const bob: SafetyParty = { address: 'bob@example.org', fingerprint: 'FEDCBA9876543210'.repeat(4) };

/** PROTOCOL 10 read literally, with other tools than the implementation's: WebCrypto, big integers, one step a line. */
async function byTheBook(a: SafetyParty, b: SafetyParty): Promise<string> {
  const halves: string[] = [];
  for (const { address, fingerprint } of [a, b]) {
    const octets = fingerprint.match(/../g)!.map((hex) => Number.parseInt(hex, 16));
    const start = [...new TextEncoder().encode('QuMail-Safety-v1'), 0, octets.length, ...octets, ...new TextEncoder().encode(address)];
    let h = new Uint8Array(await webcrypto.subtle.digest('SHA-512', Uint8Array.from(start)));
    for (let i = 2; i <= 5200; i++) h = new Uint8Array(await webcrypto.subtle.digest('SHA-512', Uint8Array.from([...h, ...octets])));
    let digits = '';
    for (const group of [0, 5, 10, 15, 20, 25]) {
      let value = 0n;
      for (const octet of h.slice(group, group + 5)) value = value * 256n + BigInt(octet);
      digits += (value % 100000n).toString().padStart(5, '0');
    }
    halves.push(digits);
  }
  return halves[0]! < halves[1]! ? halves[0]! + halves[1]! : halves[1]! + halves[0]!;
}

describe('the safety number', () => {
  it('is what PROTOCOL 10 says, and its vector', async () => {
    const number = safetyNumber(alice, bob);
    assert.equal(number, await byTheBook(alice, bob));
    assert.equal(number, '038552160745464619890615754590664386419184798420984996652195');
  });

  it('is the same on both sides, and in whatever case an address is written', () => {
    assert.equal(safetyNumber(bob, alice), safetyNumber(alice, bob));
    assert.equal(safetyNumber({ ...alice, address: 'Alice@Example.org' }, bob), safetyNumber(alice, bob));
  });

  it('is another one for every other certificate and address', () => {
    const digit = fc.nat(63);
    fc.assert(
      fc.property(digit, fc.constantFrom('0', '1', '8', 'F'), (at, hex) => {
        const fingerprint = alice.fingerprint.slice(0, at) + hex + alice.fingerprint.slice(at + 1);
        const other = safetyNumber({ ...alice, fingerprint }, bob);
        assert.match(other, /^[0-9]{60}$/);
        assert.equal(other === safetyNumber(alice, bob), fingerprint === alice.fingerprint);
      }),
      { numRuns: 8 },
    );
    assert.notEqual(safetyNumber({ ...alice, address: 'alice@example.net' }, bob), safetyNumber(alice, bob));
    assert.notEqual(
      safetyNumber({ ...alice, fingerprint: bob.fingerprint }, { ...bob, fingerprint: alice.fingerprint }),
      safetyNumber(alice, bob),
    );
  });

  it('takes certificates of version 4 as well', async () => {
    const old = { address: 'bob@example.org', fingerprint: '0123456789ABCDEF01230123456789ABCDEF0123' };
    assert.equal(safetyNumber(alice, old), await byTheBook(alice, old));
  });
});
