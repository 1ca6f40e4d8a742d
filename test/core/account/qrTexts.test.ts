import assert from 'node:assert/strict';
import encodeQR from 'qr';
import decodeQR from 'qr/decode.js';
import { decodeCardQr, decodeVerifyQr, encodeCardQr, encodeVerifyQr } from '../../../src/core/account/qrTexts.ts';

const card = { addr: 'bob@other.org', fingerprint: 'AB'.repeat(32), saeId: 'sae bob'.replace(' ', '/'), kmeId: 'kme&b=1' };
const verify = { addr: 'bob@other.org', fingerprint: 'AB'.repeat(32), peerAddr: 'élise+x@example.org', peerFingerprint: 'CD'.repeat(32) };

describe('texts of QR codes', () => {
  it('are read as they were written, whatever signs an address or an ID holds', () => {
    assert.deepEqual(decodeCardQr(encodeCardQr(card)), card);
    assert.deepEqual(decodeCardQr(encodeCardQr({ addr: card.addr, fingerprint: card.fingerprint })), {
      addr: card.addr,
      fingerprint: card.fingerprint,
    });
    assert.deepEqual(decodeVerifyQr(encodeVerifyQr(verify)), verify);
  });

  it('fit a code that a camera reads', () => {
    const scale = 4;
    const raw = encodeQR(encodeVerifyQr(verify), 'raw', { ecc: 'medium', border: 4, scale });
    assert.ok(raw.length / scale < 100);
    const data = new Uint8ClampedArray(raw.length * raw.length * 4).fill(255);
    raw.forEach((row, y) => row.forEach((dark, x) => data.fill(dark ? 0 : 255, (y * raw.length + x) * 4, (y * raw.length + x) * 4 + 3)));
    assert.deepEqual(decodeVerifyQr(decodeQR({ width: raw.length, height: raw.length, data })), verify);
  });

  it('are refused by name where they belong to something else', () => {
    for (const [text, scheme] of [
      ['https://example.org/?v=1', 'https'],
      ['WIFI:S:net;T:WPA;P:secret;;', 'wifi'],
      ['otpauth://totp/x', 'otpauth'],
      ['OPENPGP4FPR:ABABABABABABABABABABABABABABABABABABABAB', 'openpgp4fpr'],
      [encodeVerifyQr(verify), 'qumail-verify'],
      ['just words', 'text'],
      ['', 'text'],
      ['\u0000:x', 'text'],
    ] as const) {
      assert.throws(() => decodeCardQr(text), { code: 'qr.other-protocol', details: { scheme } });
    }
    assert.throws(() => decodeVerifyQr(encodeCardQr(card)), { code: 'qr.other-protocol', details: { scheme: 'qumail-card' } });
  });

  it('are refused where a member is missing, stands twice, is malformed, or of another version', () => {
    const good = encodeVerifyQr(verify);
    for (const [text, what] of [
      [good.replace('v=1', 'v=2'), 'v'],
      [good.replace(/&g=\w+/, ''), 'g'],
      [`${good}&f=${'00'.repeat(32)}`, 'f'],
      [good.replace('AB'.repeat(32), 'AB'.repeat(31)), 'f'],
      [good.replace('AB'.repeat(32), 'ab'.repeat(32)), 'f'],
      [good.replace('a=bob%40other.org', 'a=bob'), 'a'],
      [`${good}&x=${'y'.repeat(3000)}`, 'length'],
    ] as const) {
      assert.throws(() => decodeVerifyQr(text), { code: 'qr.malformed', details: { what } }, what);
    }
    assert.throws(() => decodeCardQr(encodeCardQr({ ...card, saeId: 'with\nline' })), { code: 'qr.malformed' });
  });
});
