import assert from 'node:assert/strict';
import fc from 'fast-check';
import { noRecipientIssue, parseDraft, writeDraftText } from '../../../src/core/mail/draft.ts';
import { SECURITY_LEVELS } from '../../../src/core/base/types.ts';

const text = [
  'From: Alice <alice@example.org>',
  'To: Bob <bob@example.org>, bad one,',
  '  "Doe, Carol" <carol@example.org>',
  'cc:dave@example.org',
  'BCC : eve@example.org',
  'Subject:  Hello  there ',
  'Security: L2 (Quantum-aided AES)',
  'Attach: /home/alice/my file.pdf',
  'Attach: C:\\x.txt',
  'X-Foo: bar',
  'no header',
  '',
  'To: this is body',
  '',
  'end',
].join('\n');

describe('parseDraft', () => {
  it('reads every header with its exact place', () => {
    const d = parseDraft(text);
    const lines = text.split('\n');
    const at = (r: { line: number; from: number; to: number } | undefined): string => (r ? (lines[r.line] ?? '').slice(r.from, r.to) : '');
    assert.deepEqual(d.from?.value, { name: 'Alice', address: 'alice@example.org' });
    assert.equal(at(d.from), 'Alice <alice@example.org>');
    assert.deepEqual(
      d.to.map((r) => [r.value.address, r.line, at(r)]),
      [
        ['bob@example.org', 1, 'Bob <bob@example.org>'],
        ['carol@example.org', 2, '"Doe, Carol" <carol@example.org>'],
      ],
    );
    assert.deepEqual(
      [...d.cc, ...d.bcc].map((r) => [r.value.address, at(r)]),
      [
        ['dave@example.org', 'dave@example.org'],
        ['eve@example.org', 'eve@example.org'],
      ],
    );
    assert.equal(d.subject, 'Hello  there');
    assert.equal(d.level?.value, 'L2');
    assert.equal(at(d.level), 'L2 (Quantum-aided AES)');
    assert.deepEqual(
      d.attach.map((r) => [r.value, at(r)]),
      [
        ['/home/alice/my file.pdf', '/home/alice/my file.pdf'],
        ['C:\\x.txt', 'C:\\x.txt'],
      ],
    );
    assert.equal(d.body, 'To: this is body\n\nend');
    assert.equal(d.bodyLine, 12);
    assert.equal(d.toLine, 1);
    assert.deepEqual(
      d.problems.map((p) => [p.code, p.details, at(p)]),
      [
        ['draft.bad-address', { address: 'bad one' }, 'bad one'],
        ['draft.bad-header', { name: 'X-Foo' }, 'X-Foo'],
        ['draft.bad-header', { name: 'no header' }, 'no header'],
      ],
    );
  });

  it('reads the same with CRLF and with lone CR', () => {
    const plain = parseDraft(text);
    for (const eol of ['\r\n', '\r']) {
      const d = parseDraft(text.replaceAll('\n', eol));
      assert.deepEqual({ ...d, body: d.body.replaceAll(eol, '\n') }, plain);
    }
  });

  for (const [line, level] of [
    ['Security: L1', 'L1'],
    ['security:l3', 'L3'],
    ['SECURITY: L4 (None)', 'L4'],
    ['Security: L2(anything)', 'L2'],
    ['Security: L5', undefined],
    ['Security: L2 or so', undefined],
    ['Security: none', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(line)} as ${level ?? 'draft.bad-level'}`, () => {
      const d = parseDraft(`${line}\n\n`);
      assert.equal(d.level?.value, level);
      assert.deepEqual(
        d.problems.map((p) => p.code),
        level ? [] : ['draft.bad-level'],
      );
    });
  }

  it('takes an open Security line for a level not chosen yet', () => {
    const d = parseDraft('Security: \n\n');
    assert.deepEqual([d.level, d.problems], [undefined, []]);
    const written = writeDraftText({ from: { name: '', address: 'a@x.org' }, to: [], cc: [], bcc: [], subject: '', attach: [], body: 'x' });
    assert.deepEqual([parseDraft(written).level, parseDraft(written).problems], [undefined, []]);
  });

  it('marks what may stand only once, and takes the first', () => {
    const d = parseDraft('Subject: one\nSubject: two\nSecurity: L1\nSecurity: L4\nFrom: a@x.org, b@x.org\nTo: c@x.org\nTo: d@x.org\n\n');
    assert.equal(d.subject, 'one');
    assert.equal(d.level?.value, 'L1');
    assert.equal(d.from?.value.address, 'a@x.org');
    assert.deepEqual(
      d.to.map((r) => r.value.address),
      ['c@x.org', 'd@x.org'],
    );
    assert.deepEqual(
      d.problems.map((p) => [p.code, p.line]),
      [
        ['draft.bad-header', 1],
        ['draft.bad-header', 3],
        ['draft.bad-address', 4],
      ],
    );
  });

  it('takes a line of blanks as the end of the header, and has an empty body without one', () => {
    assert.equal(parseDraft('To: a@x.org\n \t\nbody').body, 'body');
    const open = parseDraft('To: a@x.org\nSubject: x');
    assert.deepEqual([open.body, open.bodyLine], ['', 2]);
    assert.deepEqual([parseDraft('').body, parseDraft('').bodyLine], ['', 1]);
    assert.equal(parseDraft('\nbody').body, 'body');
  });

  it('reports a draft beyond 4 Mi characters and still reads it', () => {
    const d = parseDraft(`To: a@x.org\n\n${'x'.repeat(5 * 1024 * 1024)}`);
    assert.deepEqual(
      d.problems.map((p) => p.code),
      ['draft.too-large'],
    );
    assert.equal(d.to.length, 1);
  });

  it('never throws, and every range lies within its line', () => {
    const piece = fc.constantFrom(
      'To:',
      'Cc: ',
      'Subject: ',
      'Security: L',
      'Attach:',
      'From',
      ':',
      ' ',
      '\t',
      '\n',
      '\r\n',
      '\r',
      '"',
      '<',
      '>',
      ',',
      ';',
      '(',
      '\\',
      'a@b',
      'é',
      '\0',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece, { maxLength: 40 }).map((p) => p.join('')),
        ),
        (source) => {
          const d = parseDraft(source);
          const lines = source.split(/\r\n|\n|\r/);
          for (const r of [
            ...d.to,
            ...d.cc,
            ...d.bcc,
            ...d.attach,
            ...d.problems,
            ...(d.from ? [d.from] : []),
            ...(d.level ? [d.level] : []),
          ]) {
            assert.ok(
              r.line >= 0 && r.line < lines.length && r.from >= 0 && r.from <= r.to && r.to <= (lines[r.line]?.length ?? 0),
              JSON.stringify(r),
            );
          }
          assert.ok(source.endsWith(d.body));
        },
      ),
      { numRuns: 3000 },
    );
  });

  for (const unit of ['To: a@b.c\n', 'To: x\n ', '(', 'a@b.c, ', ' \n', 'x\n', '"\n ']) {
    it(`takes linear time on megabytes of ${JSON.stringify(unit)}`, function () {
      this.timeout(4000);
      parseDraft(`To: ${unit.repeat(2_000_000 / unit.length)}`);
    });
  }

  it('reads back what writeDraftText wrote', () => {
    const atom = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]{1,10}$/);
    const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((s) => s.replace(/[\p{C}\u2028\u2029]/gu, '').trim());
    const address = fc.record(
      { name: line, address: fc.tuple(atom, fc.stringMatching(/^[a-z0-9]{1,8}$/)).map(([l, d]) => `${l}@${d}.org`) },
      { noNullPrototype: true },
    );
    const fields = fc.record({
      from: address,
      to: fc.array(address, { maxLength: 4 }),
      cc: fc.array(address, { maxLength: 2 }),
      bcc: fc.array(address, { maxLength: 2 }),
      subject: line,
      level: fc.constantFrom(...SECURITY_LEVELS),
      attach: fc.array(
        line.filter((s) => s !== ''),
        { maxLength: 3 },
      ),
      body: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(fields, (f) => {
        const d = parseDraft(writeDraftText(f));
        assert.deepEqual(d.problems, []);
        assert.deepEqual(
          {
            from: d.from?.value,
            to: d.to.map((r) => r.value),
            cc: d.cc.map((r) => r.value),
            bcc: d.bcc.map((r) => r.value),
            subject: d.subject,
            level: d.level?.value,
            attach: d.attach.map((r) => r.value),
            body: d.body,
          },
          { ...f },
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('noRecipientIssue', () => {
  it('points at the To line, and only when nobody is addressed', () => {
    assert.deepEqual(noRecipientIssue(parseDraft('Subject: x\nTo:\n\n')), {
      code: 'draft.no-recipient',
      details: {},
      line: 1,
      from: 0,
      to: 3,
    });
    assert.equal(noRecipientIssue(parseDraft('Bcc: a@x.org\n\n')), undefined);
  });
});
