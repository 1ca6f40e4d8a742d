import assert from 'node:assert/strict';
import { stillQuotes } from '../../../src/core/mail/quoting.ts';

describe('whether a draft still quotes the sealed message it answers', () => {
  const quoted = { subject: 'Re: The launch codes', text: '\n\nAlice <alice@example.test>, 2026:\n\n> The code is 4711 0815.\n> Yes.\n' };
  const quotes = (body: string, subject = 'Something else'): boolean => stillQuotes({ subject, body }, quoted);

  it('finds a line that is marked as a quote, indented or not', () => {
    assert.ok(quotes('Hello\n> anything\n'));
    assert.ok(quotes('Hello\n   > anything\n'));
    assert.ok(stillQuotes({ subject: '', body: '\t>x' }, undefined));
  });

  it('finds a line of the original whose mark was taken off or whose blanks were changed', () => {
    assert.ok(quotes('The code is 4711 0815.\n'));
    assert.ok(quotes('Hello\n  The  code is\t4711 0815.\r\n'));
  });

  it('finds the subject, whatever stands in front of it', () => {
    assert.ok(quotes('Hello\n', 'The launch codes'));
    assert.ok(quotes('Hello\n', 'AW: Fwd: the  launch codes'));
    assert.ok(!quotes('Hello\n', 'Codes'));
  });

  it('takes neither the line that tells who wrote nor a short answer for a quote', () => {
    assert.ok(!quotes('Alice <alice@example.test>, 2026:\n\nYes.\n'));
    assert.ok(!quotes('Something of my own that is long enough.\n'));
    assert.ok(!stillQuotes({ subject: 'a', body: 'b' }, undefined));
  });

  it('takes no longer than the text is long', () => {
    const long = { subject: '', text: '> a line of the original, number\n'.repeat(50_000) };
    const started = performance.now();
    assert.ok(!stillQuotes({ subject: ':'.repeat(10_000), body: `${'re: '.repeat(100_000)}\n`.repeat(4) }, long));
    assert.ok(performance.now() - started < 1_000);
  });
});
