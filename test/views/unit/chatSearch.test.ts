import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chatHit, excerptOf } from '../../../src/views/chats/chatHits.ts';
import { remaining } from '../../../src/views/chats/webview/remaining.ts';
import { ALICE, message, NOON } from './chatPage.ts';
import { plain } from './plainLocaliser.ts';

const LONG = `${'far away words '.repeat(20)}the Laser is aligned ${'and more of them '.repeat(20)}`;

describe('a line found in the chats', () => {
  it('shows what was said around the word, on one line', () => {
    const excerpt = excerptOf(LONG, 'laser');
    assert.match(excerpt, /^….{0,30}the Laser is aligned and more.*…$/);
    assert.ok(excerpt.length <= 122);
    assert.equal(excerptOf('short\n\n and  plain', 'plain'), 'short and plain');
    assert.equal(excerptOf('x'.repeat(500), 'nothing of it'), `${'x'.repeat(120)}…`);
  });

  it('is told without the marks of Markdown, and with everything that is none', () => {
    assert.equal(excerptOf('I am, and **wide awake**.', 'awake'), 'I am, and wide awake.');
    assert.equal(excerptOf('> quoted\n# head `code` ~~gone~~ _so_', 'x'), 'quoted head code gone so');
    assert.equal(excerptOf('snake_case_name 2*3*4 a * b', 'x'), 'snake_case_name 2*3*4 a * b');
  });

  it('holds the beginning of the first word wherever that stands', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-y]{1,40}$/), { maxLength: 30 }),
        fc.array(fc.stringMatching(/^[a-y]{1,40}$/), { maxLength: 30 }),
        (before, after) => {
          assert.ok(excerptOf([...before, 'zebra', ...after].join(' '), 'ZEBRA').includes('zebra'));
        },
      ),
    );
  });

  it('tells who said it, in which chat and when, and is found by the name of a file', () => {
    const facts = { chatNames: new Map([[message('m', 0).chatId, 'Laser team']]), now: NOON, language: 'en-GB', l10n: plain };
    const hit = chatHit(
      message('m1', 0, { text: '', attachments: [{ index: 0, name: 'run-7.csv', mimeType: 'text/csv', size: 9 }] }),
      'run',
      facts,
    );
    assert.equal(hit.excerpt, 'run-7.csv');
    assert.match(hit.about, /^Bob · Laser team · \d\d:\d\d$/);
    assert.match(chatHit(message('m2', 0, { author: ALICE }), 'message', facts).about, /^you · /);
    const direct = { ...facts, chatNames: new Map([[message('m', 0).chatId, 'Bob']]) };
    assert.match(chatHit(message('m3', 0), 'message', direct).about, /^Bob · \d\d:\d\d$/);
  });
});

describe('the time until a message disappears', () => {
  it('is told to the second in the last hour, and coarser before', () => {
    const told = [0, 900, 9_000, 249_000, 3_599_000, 3_600_000, 11_520_000, 86_400_000, 183_600_000].map((left) => remaining(left, 'en'));
    assert.deepEqual(told, ['0:00', '0:01', '0:09', '4:09', '59:59', '1 hr 0 min', '3 hr 12 min', '1 day', '2 days 3 hr']);
    assert.equal(remaining(-5000, 'en'), '0:00');
  });
});
