import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addressText } from '../../../src/views/composer/addressText.ts';
import {
  addAttachments,
  bodyLineOf,
  headerLines,
  lastAddress,
  missingHeaders,
  placeAt,
  setHeader,
  startPosition,
} from '../../../src/views/composer/draftLines.ts';
import type { LineEdit } from '../../../src/views/composer/draftLines.ts';
import { draftIdOf, draftPlace } from '../../../src/views/composer/draftUri.ts';
import { keyCost, levelAndCost, levelValue } from '../../../src/views/composer/levels.ts';
import { plain as english } from './plainLocaliser.ts';

const DRAFT = ['From: Bob <bob@example.net>', 'To: ', 'Subject:', 'Security: L2 (Quantum-aided AES)', '', 'Hello', 'To: not a header'];

/** What the editor makes of an edit. */
function applied(lines: readonly string[], edit: LineEdit): string[] {
  const out = [...lines];
  if (edit.kind === 'insert') out.splice(edit.line, 0, ...edit.text.replace(/\n$/, '').split('\n'));
  else out[edit.line] = (out[edit.line] ?? '').slice(0, edit.from) + edit.text + (out[edit.line] ?? '').slice(edit.to);
  return out;
}

describe('the lines of a draft', () => {
  it('are headers up to the first empty line and text after it', () => {
    assert.equal(bodyLineOf(DRAFT), 5);
    assert.deepEqual(
      headerLines(DRAFT).map(({ name, line, value }) => [name, line, value]),
      [
        ['From', 0, 'Bob <bob@example.net>'],
        ['To', 1, ''],
        ['Subject', 2, ''],
        ['Security', 3, 'L2 (Quantum-aided AES)'],
      ],
    );
    assert.equal(headerLines(['subject : x'])[0]?.value, 'x');
    assert.equal(headerLines(['Unknown: x']).length, 0);
  });

  it('tell what the cursor stands in', () => {
    assert.equal(placeAt(DRAFT, 6, 3).kind, 'body');
    assert.equal(placeAt(DRAFT, 5, 0).kind, 'body');
    assert.equal(placeAt(DRAFT, 1, 1).kind, 'name');
    assert.equal(placeAt(DRAFT, 4, 0).kind, 'name');
    const place = placeAt(DRAFT, 1, 4);
    assert.equal(place.kind === 'value' ? place.header.name : undefined, 'To');
  });

  it('offer the headers that are not there yet, and files without end', () => {
    assert.deepEqual(missingHeaders(DRAFT), ['Cc', 'Bcc', 'Attach']);
    assert.ok(missingHeaders(['Attach: a']).includes('Attach'));
  });

  it('take a level into the line that is there, or a line of its own', () => {
    assert.equal(applied(DRAFT, setHeader(DRAFT, 'Security', 'L4 (None)'))[3], 'Security: L4 (None)');
    assert.equal(applied(['Security:', '', 'x'], setHeader(['Security:', '', 'x'], 'Security', 'L1'))[0], 'Security: L1');
    const without = ['To: a@b', '', 'text'];
    assert.deepEqual(applied(without, setHeader(without, 'Security', 'L1')), ['To: a@b', 'Security: L1', '', 'text']);
    assert.deepEqual(applied(['', 'text'], setHeader(['', 'text'], 'Security', 'L1')), ['Security: L1', '', 'text']);
  });

  it('take attachments after those that are there, never into the text', () => {
    const one = applied(DRAFT, addAttachments(DRAFT, ['/tmp/a b.txt', '/tmp/c']));
    assert.deepEqual(one.slice(3, 7), ['Security: L2 (Quantum-aided AES)', 'Attach: /tmp/a b.txt', 'Attach: /tmp/c', '']);
    const two = applied(one, addAttachments(one, ['/tmp/d']));
    assert.equal(two[6], 'Attach: /tmp/d');
  });

  it('keep the text untouched by every edit, whatever is in the draft', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...DRAFT), fc.string()), { maxLength: 12 }), (raw) => {
        const lines = raw.map((line) => line.replace(/[\r\n]/g, ' '));
        const body = lines.slice(bodyLineOf(lines));
        for (const edit of [setHeader(lines, 'Security', 'L1'), addAttachments(lines, ['/x'])]) {
          const after = applied(lines, edit);
          assert.deepEqual(after.slice(after.length - body.length), body);
        }
      }),
    );
  });

  it('put the cursor where writing goes on', () => {
    assert.deepEqual(startPosition(DRAFT), { line: 1, column: 4 });
    assert.deepEqual(startPosition(['To: a@b', 'Subject: ', '', 'x']), { line: 1, column: 9 });
    assert.deepEqual(startPosition(['To: a@b', 'Subject: x', '', 'x']), { line: 3, column: 0 });
    assert.deepEqual(startPosition(['To: a@b', 'Subject: x']), { line: 1, column: 0 });
  });
});

describe('addresses in a draft', () => {
  it('are completed from the last comma outside quotes', () => {
    assert.deepEqual(lastAddress('a@b, Car'), { from: 5, text: 'Car' });
    assert.deepEqual(lastAddress('"Rao, Chandra" <c@d>,  x'), { from: 23, text: 'x' });
    assert.deepEqual(lastAddress('"Rao, Ch'), { from: 0, text: '"Rao, Ch' });
    assert.deepEqual(lastAddress('a@b,'), { from: 4, text: '' });
  });

  it('are written with their name quoted where RFC 5322 wants it', () => {
    assert.equal(addressText({ name: '', address: 'a@b.c' }), 'a@b.c');
    assert.equal(addressText({ name: 'Alice Meyer', address: 'a@b.c' }), 'Alice Meyer <a@b.c>');
    assert.equal(addressText({ name: 'Rao, "C"', address: 'a@b.c' }), '"Rao, \\"C\\"" <a@b.c>');
    assert.equal(addressText({ name: 'x\r\nBcc: evil@test', address: 'a@b.c' }), '"x Bcc: evil@test" <a@b.c>');
    assert.equal(addressText({ name: 'चंद्र', address: 'a@b.c' }), 'चंद्र <a@b.c>');
  });
});

describe('the address of a draft document', () => {
  it('carries the id where no breadcrumb shows it, and the subject for the tab', () => {
    assert.deepEqual(draftPlace('d-1', 'A/B\\C\n tests', 'New message'), { authority: 'd-1', path: '/A B C tests.qumail' });
    assert.deepEqual(draftPlace('d-1', '  ', 'New message'), { authority: 'd-1', path: '/New message.qumail' });
    assert.equal(draftIdOf({ authority: 'd-1', path: '/New message.qumail' }), 'd-1');
    for (const path of ['/', '/x.txt', '/b/c.qumail', '', 'x.qumail']) assert.equal(draftIdOf({ authority: 'd-1', path }), undefined, path);
    for (const authority of ['', 'D-1', 'a b', 'é', 'x'.repeat(65)]) {
      assert.equal(draftIdOf({ authority, path: '/x.qumail' }), undefined, authority);
    }
  });

  it('finds the id again for any id and any subject', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string({ unit: 'binary' }), (id, subject) => draftIdOf(draftPlace(id, subject, 'New message')) === id),
    );
  });
});

describe('levels in words', () => {
  it('say what a message costs', () => {
    assert.equal(levelAndCost({ level: 'L2', keyCost: 32, possible: ['L1', 'L2', 'L4'] }, english), 'L2 Quantum-aided AES · 32 B of key');
    assert.equal(levelAndCost({ level: 'L3', keyCost: 0, possible: ['L4'] }, english), 'L3 Post-quantum · not possible here');
    assert.equal(keyCost({ level: 'L4', keyCost: 0 }, english), 'no key needed');
    assert.equal(levelValue('L1'), 'L1 (Quantum one-time pad)');
  });
});
