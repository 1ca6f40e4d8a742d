import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { decodeContainer, decodeProblem, decodeStatus, keyIdsBody, keyRequestBody, pathOf } from '../../../src/core/keys/etsi014.ts';

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const badAnswer = (error: unknown): boolean => QuMailError.is(error, 'kme.bad-answer');

describe('the ETSI GS QKD 014 codec', () => {
  it('writes SAE IDs into the path as opaque, percent-encoded strings', () => {
    assert.equal(pathOf('enc_keys', 'a/b ?#é'), '/api/v1/keys/a%2Fb%20%3F%23%C3%A9/enc_keys');
  });

  it('writes requests as the standard spells them, without members it does not need', () => {
    assert.deepEqual(JSON.parse(keyRequestBody({ number: 2, size: 256 }).toString()), { number: 2, size: 256 });
    assert.deepEqual(JSON.parse(keyRequestBody({ number: 1, size: 8, additionalSlaveSaeIds: ['C'] }).toString()), {
      number: 1,
      size: 8,
      additional_slave_SAE_IDs: ['C'],
    });
    assert.deepEqual(JSON.parse(keyIdsBody(['x', 'y'], 'M', 'plain').toString()), { key_IDs: [{ key_ID: 'x' }, { key_ID: 'y' }] });
    assert.deepEqual(JSON.parse(keyIdsBody(['x'], 'M', 'with-master').toString()), {
      key_IDs: [{ key_ID: 'x', master_SAE_ID: 'M' }],
    });
  });

  it('reads a status, taking numbers in quotes and IDs as numbers, and leaving out what makes no sense', () => {
    const status = decodeStatus(
      bytes({
        source_KME_ID: 17,
        target_KME_ID: 'B',
        key_size: '256',
        stored_key_count: -3,
        max_key_count: 1e300,
        max_key_per_request: 1.5,
        max_key_size: 1024,
        min_key_size: null,
        max_SAE_ID_count: 0,
        status_extension: { any: ['thing'] },
        more: 1,
      }),
    );
    assert.deepEqual(status, { sourceKmeId: '17', targetKmeId: 'B', keySize: 256, maxKeySize: 1024, maxSaeIdCount: 0 });
    assert.deepEqual(decodeStatus(bytes({})), {});
  });

  it('refuses a status that is not an object', () => {
    for (const text of ['[]', '"x"', 'null', '<html>', '']) assert.throws(() => decodeStatus(bytes(text)), badAnswer, text);
  });

  it('reads a container, under `keys` or `Keys`, with IDs as strings or numbers and extensions beside', () => {
    const key = randomBytes(32);
    for (const member of ['keys', 'Keys']) {
      const [got] = decodeContainer(
        bytes({
          [member]: [{ key_ID: 5, key: key.toString('base64'), key_ID_extension: {}, key_extension: null }],
          key_container_extension: {},
        }),
      );
      assert.deepEqual(got, { keyId: '5', bytes: key });
    }
    assert.deepEqual(decodeContainer(bytes({ keys: [] })), []);
  });

  it('refuses a container that is not one', () => {
    const key = 'AAEC';
    for (const value of [
      {},
      [],
      { keys: {} },
      { keys: [{ key }] },
      { keys: [{ key_ID: 'a' }] },
      { keys: [{ key_ID: 'a', key: 0 }] },
      { keys: [{ key_ID: 'a', key: { key } }] },
      { keys: [{ key_ID: '', key }] },
      { keys: [{ key_ID: 'x'.repeat(129), key }] },
      { keys: [{ key_ID: 'a\nb', key }] },
      { keys: [{ key_ID: ['a'], key }] },
      {
        keys: [
          { key_ID: 'a', key },
          { key_ID: 'b', key: 0 },
        ],
      },
      { keys: [], key },
      { keys: [{ key_ID: 'a', key }], Keys: [{ key_ID: 'b', key }] },
    ]) {
      assert.throws(() => decodeContainer(bytes(value)), badAnswer, JSON.stringify(value));
    }
  });

  it('reads the sentence of an error object whatever its member is called, and nothing from what is not JSON', () => {
    assert.equal(decodeProblem(bytes({ message: 'size shall be a multiple of 8', details: [{}] })), 'size shall be a multiple of 8');
    assert.equal(decodeProblem(bytes({ detail: 'Not found.' })), 'Not found.');
    assert.equal(decodeProblem(bytes({ title: 'Bad' })), 'Bad');
    assert.equal(decodeProblem(Buffer.alloc(0)), '');
    assert.equal(decodeProblem(bytes('<html></html>')), undefined);
  });

  it('shows nothing of an error text that could be a key, and no control characters', () => {
    const said = decodeProblem(bytes({ message: `bad \u0000key\u202e ${randomBytes(32).toString('base64')} !` }));
    assert.equal(said, 'bad  key  … !');
    assert.equal(decodeProblem(bytes({ message: 'x y '.repeat(1000) }))?.length, 200);
  });

  it('decodes or refuses any JSON, by name', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        for (const decode of [decodeStatus, decodeContainer]) {
          try {
            decode(Buffer.from(text));
          } catch (error) {
            assert.ok(badAnswer(error), text);
          }
        }
        decodeProblem(Buffer.from(text));
      }),
    );
  });
});
