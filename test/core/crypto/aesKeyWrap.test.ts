import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureAesKeyWrap, type KeyWrapping, worksAesKeyWrap } from '../../../src/core/crypto/aesKeyWrap.ts';

type Subtle = typeof globalThis.crypto.subtle;

/** A WebCrypto whose named methods are replaced, the rest being the real one. */
function subtleWith(broken: Partial<Record<keyof KeyWrapping, () => Promise<never>>>): KeyWrapping {
  const { subtle } = globalThis.crypto;
  const method = <K extends keyof KeyWrapping>(name: K): KeyWrapping[K] =>
    (broken[name] as KeyWrapping[K] | undefined) ?? (((...args: unknown[]) => Reflect.apply(subtle[name], subtle, args)) as KeyWrapping[K]);
  return { importKey: method('importKey'), wrapKey: method('wrapKey'), unwrapKey: method('unwrapKey'), exportKey: method('exportKey') };
}

const operationError = async (): Promise<never> => {
  throw new DOMException('failed', 'OperationError');
};

describe('AES key wrap of the runtime', () => {
  it('is left alone where it works', async () => {
    const subtle = subtleWith({});
    const { importKey } = subtle;
    assert.equal(await worksAesKeyWrap(subtle), true);
    assert.equal(await ensureAesKeyWrap(subtle), 'works');
    assert.equal(subtle.importKey, importKey);
  });

  for (const name of ['wrapKey', 'unwrapKey'] as const) {
    it(`is said to be unsupported where ${name} refuses, and all else is as before`, async () => {
      const subtle = subtleWith({ [name]: operationError });
      assert.equal(await ensureAesKeyWrap(subtle), 'replaced');
      const bytes = new Uint8Array(32);
      for (const algorithm of ['AES-KW', 'aes-kw', { name: 'AES-KW' }]) {
        await assert.rejects(subtle.importKey('raw', bytes, algorithm, false, ['wrapKey']), { name: 'NotSupportedError' });
      }
      const aes = await subtle.importKey('raw', bytes, { name: 'AES-GCM' }, false, ['encrypt']);
      assert.equal(aes.algorithm.name, 'AES-GCM');
      await assert.rejects(subtle.importKey('raw', new Uint8Array(3), 'AES-GCM', false, ['encrypt']));
    });
  }

  it('is not trusted where it gives a wrong answer', async () => {
    const wrong = subtleWith({ wrapKey: (async () => new ArrayBuffer(40)) as never });
    assert.equal(await worksAesKeyWrap(wrong), false);
  });

  it('once broken as in Electron, does not keep a message from being sealed and opened', function () {
    this.timeout(20_000);
    // A process of its own: the library takes hold of WebCrypto when it is loaded.
    const answer = execFileSync(process.execPath, ['--input-type=module', '-e', BROKEN], {
      cwd: join(import.meta.dirname, '../../..'),
      encoding: 'utf8',
    });
    assert.deepEqual(JSON.parse(answer), { text: 'sealed all the same', refused: true, tried: 1 });
  });

  it('of a real WebCrypto object is replaced without touching its siblings', async () => {
    const own: Subtle = Object.create(globalThis.crypto.subtle) as Subtle;
    Object.defineProperty(own, 'importKey', { value: operationError, configurable: true });
    assert.equal(await ensureAesKeyWrap(own), 'replaced');
    assert.equal(await worksAesKeyWrap(globalThis.crypto.subtle), true);
  });
});

const BROKEN = `
const { subtle } = globalThis.crypto;
const { wrapKey, unwrapKey } = subtle;
let tried = 0;
for (const name of ['wrapKey', 'unwrapKey']) {
  Object.defineProperty(subtle, name, { value: async () => { tried++; throw new DOMException('failed', 'OperationError'); } });
}
const { OpenPgpEngine } = await import('./src/core/crypto/openPgpEngine.ts');
const { systemRandom } = await import('./src/core/base/systemPorts.ts');
const pgp = new OpenPgpEngine({ random: systemRandom });
const now = Date.now();
const bob = await pgp.generate({ addresses: ['bob@example.org'], name: 'Bob', now });
const { message } = await pgp.seal({ plaintext: Buffer.from('sealed all the same'), certificates: [bob.certificate], now, profile: 'pq' });
const { plaintext } = await pgp.open({ message, secretKeys: [bob.secretKey], verifyWith: [], now });
const refused = await subtle.importKey('raw', new Uint8Array(32), 'AES-KW', false, ['wrapKey']).then(() => false, (e) => e.name === 'NotSupportedError');
console.log(JSON.stringify({ text: plaintext.toString(), refused, tried }));
`;
