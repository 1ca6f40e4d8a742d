import assert from 'node:assert/strict';
import decodeQR from 'qr/decode.js';
import encodeQR from 'qr';
import type { Contact, KeyChange, SafetyNumber, TrustMark } from '../../../src/core/api.ts';
import { qrSvg } from '../../../src/views/trust/qrSvg.ts';
import { trustHtml } from '../../../src/views/trust/trustHtml.ts';
import { cardPage, safetyPage } from '../../../src/views/trust/trustPage.ts';
import { parseTrustRequest } from '../../../src/views/trust/trustRequests.ts';
import { changeDetail, inGroups, markLook, markOf, proofOf } from '../../../src/views/trust/trustWords.ts';
import { plain } from './plainLocaliser.ts';

const DIGITS = '012345678901234567890123456789012345678901234567890123456789';
const FINGERPRINT = 'AB'.repeat(32);
const safety: SafetyNumber = {
  digits: DIGITS,
  qr: 'qumail:verify:xyz',
  ownFingerprint: 'CD'.repeat(32),
  fingerprint: FINGERPRINT,
  mark: 'first-use',
};
const bob: Contact = { accountId: 'a', address: 'bob@b.example', name: 'Bob', minimumLevel: 'L4', startLevel: 'L3' };
const shell = { nonce: 'n0nce', scriptUri: 'https://host/trust.js', language: 'en', generation: 3 };
const change: KeyChange = {
  id: 'x',
  effect: 'blocks',
  fields: ['fingerprint', 'saeId'],
  before: { fingerprint: FINGERPRINT },
  after: { fingerprint: 'EF'.repeat(32), saeId: 'sae-new' },
  source: 'card',
  under: 'L3',
  at: 1,
};

describe('views/trust', () => {
  it('shows each mark with words of its own, and a change before anything that was known', () => {
    const marks: (TrustMark | 'none')[] = ['verified', 'qkd', 'first-use', 'unverified', 'changed', 'revoked', 'none'];
    assert.equal(new Set(marks.map((mark) => markLook(mark, plain).words)).size, marks.length);
    const certificate = { fingerprint: FINGERPRINT, mark: 'verified', source: 'card', learnedAt: 1 } as const;
    assert.equal(markOf({ certificate }), 'verified');
    assert.equal(markOf({ certificate, keyChange: change }), 'changed');
    assert.equal(markOf({ certificate, keyChange: { ...change, effect: 'notice' } }), 'verified', 'a weak source unsettles nothing');
    assert.equal(markOf({}), 'none');
  });

  it('tells a change field by field, before and after, in groups that can be read aloud', () => {
    const text = changeDetail(change, plain);
    assert.match(text, /Certificate\n {2}before: ABAB( ABAB){15}\n {2}now: EFEF( EFEF){15}\n/);
    assert.match(text, /SAE ID\n {2}before: none\n {2}now: sae-new\n/);
    assert.match(text, /sealed at L3/);
  });

  it('takes sixty digits however they are spaced as a number, and anything else as the text of a code', () => {
    assert.deepEqual(proofOf(` ${inGroups(DIGITS, 5).join(' ')}\n`), { digits: DIGITS });
    assert.deepEqual(proofOf(inGroups(DIGITS, 5).join('-')), { digits: DIGITS });
    assert.deepEqual(proofOf('qumail:verify:xyz '), { qr: 'qumail:verify:xyz' });
    assert.deepEqual(proofOf(DIGITS.slice(1)), { qr: DIGITS.slice(1) });
    assert.equal(proofOf('  '), undefined);
    assert.equal(proofOf('x'.repeat(5000)), undefined);
  });

  it('shows the number in twelve groups of five, with two answers to choose from', () => {
    const page = safetyPage(bob, safety, 'pinned', plain);
    assert.equal(page.number?.groups.length, 12);
    assert.ok(page.number?.groups.every((group) => /^\d{5}$/.test(group)));
    assert.deepEqual(
      page.buttons.map(({ label }) => label),
      ['They Match', 'They Differ'],
    );
    const html = trustHtml(page, shell);
    assert.equal(html.match(/<li><span>\d{5}<\/span><\/li>/g)?.length, 12);
    assert.match(html, /role="img" aria-label="QR code of your safety number with Bob"/);
  });

  it('draws no word as markup and lets nothing in but its own script and style', () => {
    const evil = '"><img src=x onerror=alert(1)>';
    const html = trustHtml(safetyPage({ name: evil, address: 'e@e.example' }, safety, 'changed', plain), shell);
    assert.doesNotMatch(html, /<img|onerror=alert\(1\)>"/);
    assert.match(html, /default-src 'none'; style-src 'nonce-n0nce'; script-src 'nonce-n0nce'; form-action 'none'; base-uri 'none'/);
    assert.doesNotMatch(html.replace(/ style-src[^;]*;/, ''), / style=/);
  });

  it('draws the code of a card so that a scanner reads it back', () => {
    const text = `qumail:card:${'A'.repeat(160)}`;
    const page = cardPage(
      { email: 'a@a.example' },
      { file: new Uint8Array(), fileName: 'a', qr: text },
      { fingerprint: FINGERPRINT, version: 6, addresses: [], createdAt: 1, postQuantum: true, algorithms: [] },
      plain,
    );
    assert.equal(page.number, undefined);
    const svg = qrSvg(page.code.text, 'x');
    const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
    const scale = 4;
    const data = new Uint8ClampedArray((size * scale) ** 2 * 4).fill(255);
    for (const [, x, y] of svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
      for (let dy = 0; dy < scale; dy++) {
        for (let dx = 0; dx < scale; dx++) {
          const at = ((Number(y) * scale + dy) * size * scale + Number(x) * scale + dx) * 4;
          data.fill(0, at, at + 3);
        }
      }
    }
    assert.equal(decodeQR({ data, width: size * scale, height: size * scale }), text);
    assert.ok(encodeQR(text, 'raw').length > 20);
  });

  it('takes the requests of its own page and no others', () => {
    assert.deepEqual(parseTrustRequest({ kind: 'action', generation: 1, action: 'match' }), {
      kind: 'action',
      generation: 1,
      action: 'match',
    });
    for (const foreign of [
      undefined,
      'match',
      { kind: 'action', generation: 1, action: 'verify' },
      { kind: 'text', generation: 1, text: 'x'.repeat(5000) },
      { kind: 'text', generation: -1, text: 'x' },
      { kind: 'no-code', generation: 1, more: 1 },
    ])
      assert.equal(parseTrustRequest(foreign), undefined);
  });
});
