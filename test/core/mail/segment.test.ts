import assert from 'node:assert/strict';
import fc from 'fast-check';
import { foldText } from '../../../src/core/mail/foldText.ts';
import { segmentTerm, segmentText } from '../../../src/core/mail/segment.ts';

describe('mail/segment', () => {
  it('leaves alone what the tokenizer does itself', () => {
    assert.equal(segmentText('Plain text, naïve Zürich Привет'), 'Plain text, naïve Zürich Привет');
    assert.deepEqual(segmentTerm('naïve'), { words: 'naïve', open: 'closed' });
  });

  it('writes scripts without spaces as pairs, each run closed by its last character', () => {
    assert.equal(segmentText('東京都 is').replace(/ +/g, ' ').trim(), '東京 京都 都 is');
    assert.deepEqual(segmentTerm('東京都'), { words: '東京 京都', open: 'closed' });
    assert.deepEqual(segmentTerm('京'), { words: '京', open: 'open' });
  });

  it('finds nothing to look for in signs alone', () => {
    for (const text of ['-', '...', '', '。', '—']) assert.equal(segmentTerm(text), undefined);
  });

  it('writes a term so that its words stand side by side in every text that holds it', () => {
    const character = fc.constantFrom(...'東京都タワー한국어สวัสดีວຽງຈັນភ្នំពេញရန်ကုန်日本 a1é');
    const text = fc.array(character, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        text,
        text.filter((term) => term.trim() !== '' && !/[a1é]/.test(term)),
        text,
        (before, term, after) => {
          const words = segmentText(`${before}${term}${after}`).split(/\s+/).filter(Boolean);
          const found = segmentTerm(term);
          if (!found) return;
          const wanted = found.words.split(/\s+/).filter(Boolean);
          const last = wanted.length - 1;
          const fits = (word: string | undefined, index: number): boolean =>
            index === last && found.open === 'open' ? word!.startsWith(wanted[index]!) : word === wanted[index];
          // Runs are cut where scripts with spaces begin; the term must not end inside one of those.
          if (/[\p{L}\p{N}]$/u.test(before) && /^[a1é]/.test(term)) return;
          const at = words.findIndex((_, start) =>
            wanted.every((_word, index) => words[start + index] !== undefined && fits(words[start + index], index)),
          );
          assert.ok(at >= 0, JSON.stringify({ words, wanted }));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('folds text and remembers where everything stood', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const folded = foldText(text);
        if (!folded.origin) return void assert.equal(folded.text.length, text.length);
        assert.equal(folded.origin.length, folded.text.length + 1);
        for (const at of folded.origin) assert.ok(at >= 0 && at <= text.length);
      }),
    );
    assert.equal(foldText('ÀÉÎ Straße كِتَابٌ').text, 'aei strasse كتاب');
  });
});
