import assert from 'node:assert/strict';
import { netErrorCode } from '../../../src/core/base/netErrors.ts';

const coded = (code: string, extra: object = {}): Error => Object.assign(new Error(code), { code, ...extra });

describe('base/netErrors', () => {
  const table = {
    'net.host-unknown': ['ENOTFOUND', 'EAI_AGAIN'],
    'net.refused': ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'],
    'net.timeout': ['ETIMEDOUT'],
    'net.cut': ['ECONNRESET', 'EPIPE'],
    'net.certificate': [
      'CERT_HAS_EXPIRED',
      'CERT_NOT_YET_VALID',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    'net.protocol': ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'HPE_INVALID_CONSTANT'],
  };
  for (const [expected, codes] of Object.entries(table)) {
    it(`names ${codes.join(', ')} ${expected}`, () => {
      for (const code of codes) assert.equal(netErrorCode(coded(code)), expected, code);
    });
  }

  it('looks through a cause and through the attempts of an AggregateError', () => {
    assert.equal(netErrorCode(new Error('outer', { cause: coded('ECONNRESET') })), 'net.cut');
    assert.equal(netErrorCode(new AggregateError([new Error('a'), coded('ECONNREFUSED')])), 'net.refused');
  });

  it('says nothing about other errors, odd values and circles', () => {
    const circle = new Error('circle');
    circle.cause = circle;
    for (const other of [undefined, null, 'ECONNRESET', 7, new Error('x'), coded('toString'), coded('ENOENT'), { code: 42 }, circle]) {
      assert.equal(netErrorCode(other), undefined);
    }
  });
});
