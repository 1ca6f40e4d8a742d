import assert from 'node:assert/strict';
import fc from 'fast-check';
import { autocryptOf, readAutocrypt } from '../../../src/core/account/autocrypt.ts';
import { readMessage } from '../../../src/core/mail/readMime.ts';

const keydata = Buffer.from('a certificate').toString('base64');
const valid = `addr=bob@other.org; prefer-encrypt=mutual; keydata=${keydata}`;
const header = (value: string, name = 'Autocrypt') => ({ name, value });
const from = header('Bob <bob@other.org>', 'From');

describe('an Autocrypt header', () => {
  it('is read with its folded key data', () => {
    const folded = `addr=bob@other.org; _more=x; keydata=\r\n ${keydata.slice(0, 7)}\r\n ${keydata.slice(7)}`;
    assert.deepEqual(readAutocrypt(folded), {
      addr: 'bob@other.org',
      preferEncrypt: 'nopreference',
      keydata: Buffer.from('a certificate'),
    });
    assert.equal(readAutocrypt(valid)?.preferEncrypt, 'mutual');
  });

  it('is ignored where an attribute is missing, stands twice, is malformed, or critical and unknown', () => {
    for (const value of [
      '',
      'addr=bob@other.org',
      `keydata=${keydata}`,
      `addr=bob; keydata=${keydata}`,
      `addr=bob@other.org; keydata=${keydata}; keydata=${keydata}`,
      'addr=bob@other.org; keydata=%%%',
      `addr=bob@other.org; future=1; keydata=${keydata}`,
      `addr=bob@other.org; keydata=${'A'.repeat(40_000)}`,
    ]) {
      assert.equal(readAutocrypt(value), undefined, value.slice(0, 60));
    }
  });

  it('speaks for its From address alone, and only where it is the only one that does', () => {
    assert.ok(autocryptOf([from, header(valid)], 'bob@other.org'));
    assert.ok(
      autocryptOf([from, header(valid.replace('bob@', 'carol@')), header(valid)], 'bob@other.org'),
      'one for somebody else is ignored',
    );
    assert.equal(autocryptOf([from, header(valid)], 'carol@other.org'), undefined);
    assert.equal(autocryptOf([from, header(valid), header(valid)], 'bob@other.org'), undefined);
    assert.equal(autocryptOf([from, from, header(valid)], 'bob@other.org'), undefined);
    assert.equal(autocryptOf([from], 'bob@other.org'), undefined);
  });

  it('comes out of a whole message', async () => {
    const raw = `From: Bob <bob@other.org>\r\nTo: a@b.org\r\nAutocrypt: addr=bob@other.org; keydata=\r\n ${keydata}\r\n\r\nhello\r\n`;
    const { headers, from: author } = await readMessage(Buffer.from(raw));
    assert.equal(String(autocryptOf(headers, author.address)?.keydata), 'a certificate');
  });

  it('never fails, whatever is in it', () => {
    const piece = fc.constantFrom('addr=', 'keydata=', ';', '=', 'bob@other.org', keydata, ' ', '_x=1', '\r\n', 'é', '\0');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => void readAutocrypt(pieces.join(''))),
      { numRuns: 2000 },
    );
  });
});
