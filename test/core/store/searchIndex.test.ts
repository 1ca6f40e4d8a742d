import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseQuery } from '../../../src/core/mail/parseQuery.ts';
import { searchTextOf } from '../../../src/core/mail/searchText.ts';
import { idOfKey, searchKey } from '../../../src/core/store/searchKey.ts';
import { planSearch } from '../../../src/core/store/searchPlan.ts';
import { ACCOUNT, SearchWorld, source } from './searchFixture.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

/** Text of a message, a query that finds it, one that does not. */
const SCRIPTS: Readonly<Record<string, readonly [string, readonly string[], readonly string[]]>> = {
  Chinese: ['我们明天去北京开会。', ['北京', '开会', '我们明天', '京', '北京开会'], ['上海', '京北']],
  Japanese: ['明日は東京タワーに行きます。ｶﾀｶﾅ', ['東京', 'タワー', '行き', 'カタカナ', '東'], ['京都', 'タワ行']],
  Korean: ['내일 서울에서 회의가 있습니다.', ['서울', '회의', '회의가'], ['부산']],
  Thai: ['พรุ่งนี้ประชุมที่กรุงเทพ', ['ประชุม', 'กรุงเทพ'], ['เชียงใหม่']],
  Lao: ['ມື້ອື່ນປະຊຸມຢູ່ວຽງຈັນ', ['ປະຊຸມ', 'ວຽງຈັນ', 'ມື້ອື່ນ', 'ປະຊຸມຢູ່ວຽງຈັນ'], ['ຫຼວງພະບາງ', 'ຈັນວຽງ']],
  Khmer: ['ការប្រជុំនៅភ្នំពេញថ្ងៃស្អែក', ['ប្រជុំ', 'ភ្នំពេញ', 'ថ្ងៃស្អែក', 'ការប្រជុំ'], ['សៀមរាប', 'ពេញភ្នំ']],
  Burmese: ['မနက်ဖြန် ရန်ကုန်မှာအစည်းအဝေးရှိတယ်။', ['ရန်ကုန်', 'အစည်းအဝေး', 'မနက်ဖြန်', 'ရန်ကုန်မှာ'], ['မန္တလေး', 'ကုန်ရန်']],
  Hindi: ['कल दिल्ली में बैठक है', ['दिल्ली', 'बैठक', 'बैठ*'], ['मुंबई', 'दिल']],
  Marathi: ['उद्या पुण्यात सभा आहे', ['पुण्यात', 'सभा', 'पुण्या*'], ['नागपूर']],
  Bengali: ['আগামীকাল ঢাকায় সভা হবে, উৎসব', ['ঢাকায়', 'উৎসব', 'উত্\u200dসব', 'সভা', 'আগামীকাল', 'ঢাকা*', '"সভা হবে"'], ['কলকাতা', 'ঢাক']],
  Gujarati: ['આવતીકાલે અમદાવાદમાં બેઠક છે', ['અમદાવાદમાં', 'બેઠક', 'અમદાવાદ*', '"બેઠક છે"'], ['સુરત', 'બેઠ']],
  Punjabi: ['ਕੱਲ੍ਹ ਅੰਮ੍ਰਿਤਸਰ ਵਿੱਚ ਮੀਟਿੰਗ ਹੈ', ['ਅੰਮ੍ਰਿਤਸਰ', 'ਮੀਟਿੰਗ', 'ਕੱਲ੍ਹ', 'ਮੀਟਿੰ*'], ['ਲੁਧਿਆਣਾ', 'ਮੀਟਿ']],
  Kannada: ['ನಾಳೆ ಬೆಂಗಳೂರಿನಲ್ಲಿ ಸಭೆ ಇದೆ', ['ಬೆಂಗಳೂರಿನಲ್ಲಿ', 'ಸಭೆ', 'ಬೆಂಗಳೂರ*', '"ಸಭೆ ಇದೆ"'], ['ಮೈಸೂರು', 'ಬೆಂಗ']],
  Malayalam: ['നാളെ കൊച്ചിയിൽ യോഗം ഉണ്ട്, അവൻ വരും', ['കൊച്ചിയിൽ', 'യോഗം', 'കൊച്ചി*', 'അവന്\u200d', '"യോഗം ഉണ്ട്"'], ['കോഴിക്കോട്', 'കൊച്']],
  Tamil: ['நாளை சென்னையில் கூட்டம்', ['சென்னையில்', 'கூட்டம்', 'சென்னை*'], ['மதுரை']],
  Telugu: ['రేపు హైదరాబాద్‌లో సమావేశం', ['సమావేశం', 'హైదరాబాద్*'], ['విజయవాడ']],
  Arabic: ['الكِتَابُ عَلَى الطَّاوِلَة أحمد', ['الكتاب', 'الطاوله', 'احمد', 'الكِتَاب'], ['قلم']],
  Hebrew: ['שָׁלוֹם לכולם', ['שלום', 'לכולם'], ['ירושלים']],
  accents: ['Żółć naïve Straße ÅNGSTRÖM cafe\u0301', ['zolc', 'ŻÓŁĆ', 'naive', 'angstrom', 'café', 'cafe', 'strasse'], ['caf']],
  Russian: ['Встреча завтра в Москве', ['встреча', 'МОСКВЕ', 'моск*'], ['питер']],
  emoji: ['party 🎉 tonight 👍🏽 🇮🇳', ['🎉', '👍', '👍🏿', '🇮🇳', '"party 🎉"'], ['🍕', '🇮🇹']],
  mixed: ['iPhone手机 full width ＦＵＬＬ ﬁne soft\u00adware', ['iphone', '手机', 'full', 'fine', 'software', 'iPhone手机'], ['手表']],
};

describe('store/search', () => {
  let dir: string;
  let world: SearchWorld;
  beforeEach(() => {
    dir = tempFolder();
    world = new SearchWorld(dir);
  });
  afterEach(() => world.dispose());
  after(removeTempFolders);

  for (const [script, [text, finds, misses]] of Object.entries(SCRIPTS)) {
    it(`finds words in ${script}`, () => {
      const id = world.store(source({ Subject: 'x' }, text));
      world.store(source({ Subject: 'other' }, 'nothing of the sort'));
      for (const query of finds) assert.deepEqual(world.find(query), [id], query);
      for (const query of misses) assert.deepEqual(world.find(query), [], query);
    });
  }

  it('looks in the field that is named', () => {
    const id = world.store(
      source({ Subject: 'Quarterly figures', Cc: 'Dora <dora@example.test>', 'List-Id': '<board.example.test>' }, 'see the spreadsheet'),
    );
    const hits = ['subject:quarterly', 'from:bob@example.test', 'to:alice', 'cc:dora', 'list:board', 'body:spreadsheet', 'from:"Bob bob"'];
    for (const query of hits) assert.deepEqual(world.find(query), [id], query);
    for (const query of ['subject:spreadsheet', 'from:alice', 'body:quarterly', 'cc:alice']) assert.deepEqual(world.find(query), [], query);
  });

  it('joins words, phrases, prefixes, negations and alternatives as they are written', () => {
    const [a, b, c] = ['red apple pie', 'green apple tart', 'red plum tart'].map((text) => world.store(source({ Subject: 'x' }, text)));
    const meanings: readonly (readonly [string, readonly (number | undefined)[]])[] = [
      ['apple', [b, a]],
      ['apple red', [a]],
      ['"apple pie"', [a]],
      ['"pie apple"', []],
      ['app*', [b, a]],
      ['apple -red', [b]],
      ['-apple', [c]],
      ['pie OR plum', [c, a]],
      ['(pie OR plum) red', [c, a]],
      ['tart -(green OR plum)', []],
      ['-(apple red) tart', [c, b]],
      ['apple - red', [a]],
      ['"a" OR is:flagged', []],
      ['apple OR is:flagged', [b, a]],
      ['is:unread -apple', [c]],
      ['red (plum OR is:flagged)', [c]],
    ];
    for (const [query, ids] of meanings) assert.deepEqual(world.find(query), ids, query);
  });

  it('knows flags, sizes, dates, attachments, levels, labels and folders', () => {
    const day = (iso: string): number => new Date(`${iso}T12:00:00`).getTime();
    const a = world.list({ flags: ['seen', 'flagged'], date: day('2026-11-01'), size: 5000, hasAttachments: true });
    const b = world.list({ date: day('2026-10-15'), size: 10, gmail: { messageId: '1', labels: ['Work', 'Später'] } }, 'Archive');
    const c = world.list({ seal: 'unopened', level: 'L2', date: day('2025-01-01'), flags: ['answered', 'seen', 'draft'] });
    world.index.catchUp(100);
    const meanings: readonly (readonly [string, readonly number[]])[] = [
      ['is:unread', [b]],
      ['is:read', [a, c]],
      ['is:flagged', [a]],
      ['is:answered is:draft', [c]],
      ['is:sealed', [c]],
      ['has:attachment', [a]],
      ['level:L2', [c]],
      ['level:L4', [a, b]],
      ['larger:1k', [a]],
      ['smaller:1k', [b, c]],
      ['before:2026', [c]],
      ['after:2026-10-15', [a, b]],
      ['on:2026-10', [b]],
      ['on:2026-11-01', [a]],
      ['tag:work', [b]],
      ['label:später', [b]],
      ['label:late', []],
      ['in:Archive', [b]],
      ['in:nowhere', []],
      [`account:${ACCOUNT}`, [a, b, c]],
      ['-is:read OR level:L2', [b, c]],
      ['bob in:INBOX', [a, c]],
    ];
    for (const [query, ids] of meanings) assert.deepEqual(world.find(query), ids, query);
    assert.deepEqual(world.count('bob'), { total: 3, unread: 1 });
    assert.deepEqual(world.count('is:read'), { total: 2, unread: 0 });
  });

  it('finds a message by its header before its body is here, and by both afterwards, once', () => {
    const id = world.list({ subject: 'Kickoff' });
    assert.deepEqual(world.find('kickoff'), []);
    assert.equal(world.index.catchUp(10), 1);
    assert.deepEqual(world.find('kickoff'), [id]);
    assert.deepEqual(world.covered(), { indexed: 0, total: 1 });
    world.messages.putBody(id, source({ Subject: 'Kickoff' }, 'agenda'));
    assert.deepEqual(world.find('kickoff agenda'), [id]);
    assert.deepEqual(world.find('kickoff'), [id]);
    assert.deepEqual(world.covered(), { indexed: 1, total: 1 });
    assert.equal(world.index.catchUp(10), 0);
  });

  it('indexes bodies that were stored before there was an index', () => {
    const id = world.store(source({ Subject: 'old' }, 'forgotten words'));
    world.index.forget([id]);
    assert.deepEqual(world.find('forgotten'), []);
    assert.equal(world.index.catchUp(10), 1);
    assert.deepEqual(world.find('forgotten'), [id]);
  });

  it('finds a Gmail message in each of its folders by the one source that is kept', () => {
    const gmail = { messageId: '77', labels: [] };
    const source77 = source({ Subject: 'twin' }, 'shared words');
    const all = world.store(source77, { gmail }, 'All Mail');
    const inbox = world.list({ gmail, subject: 'twin' });
    assert.equal(world.index.catchUp(10), 1);
    assert.deepEqual(world.find('shared'), [inbox, all]);
    assert.deepEqual(world.find('shared in:INBOX'), [inbox]);
    assert.deepEqual(world.covered(), { indexed: 2, total: 2 });
  });

  it('goes on finding a Gmail message whose source was with a folder that is removed, or that it left', () => {
    for (const [n, leave] of [
      () => world.messages.removeFolders(ACCOUNT, ['Label']),
      () => world.messages.resetFolder(ACCOUNT, 'Label'),
    ].entries()) {
      const gmail = { messageId: `${n}`, labels: [] };
      const all = world.list({ gmail }, 'All Mail');
      world.store(source({ Subject: 'twin' }, `lasting${n} words`), { gmail }, 'Label');
      leave();
      assert.equal(world.index.catchUp(10), 1);
      assert.deepEqual(world.find(`lasting${n}`), [all]);
    }
    assert.deepEqual(world.covered(), { indexed: 2, total: 2 });
  });

  it('forgets what is deleted, with its folder or alone', () => {
    const ids = [1, 2, 3].map((n) => world.store(source({ Subject: `doomed ${n}` }, 'x'), {}, n === 3 ? 'Other' : 'INBOX'));
    world.messages.removeUids(ACCOUNT, 'INBOX', [world.messages.get(ids[0]!)!.uid]);
    assert.deepEqual(world.find('doomed'), [ids[2], ids[1]]);
    world.messages.removeFolders(ACCOUNT, ['Other']);
    assert.deepEqual(world.find('doomed'), [ids[1]]);
    world.messages.resetFolder(ACCOUNT, 'INBOX');
    assert.deepEqual(world.find('doomed'), []);
    assert.equal(world.db.prepare('SELECT count(*) AS n FROM search_docsize').get()!['n'], 0);
  });

  it('puts a hit in the subject before one in the text, and what is new before what is old', () => {
    const old = world.store(source({ Subject: 'plans' }, 'nothing'), { date: Date.UTC(2020, 0) });
    const text = world.store(source({ Subject: 'hello' }, `plans ${'and more words '.repeat(20)}`));
    const subject = world.store(source({ Subject: 'plans' }, 'nothing'), { date: Date.UTC(2026, 10, 1) });
    for (let n = 0; n < 20; n++) world.store(source({ Subject: 'other' }, 'noise'));
    assert.deepEqual(world.find('plans', 'best'), [subject, old, text]);
    assert.deepEqual(world.find('plans'), [text, subject, old]);
    // Where more match than are ranked, the newest of them are.
    assert.deepEqual(world.find('plans', 'best', 2), [subject, text]);
    assert.deepEqual(world.find('subject:plans', 'best', 1), [subject]);
    assert.deepEqual(world.find('plans -more', 'best', 1), [subject]);
  });

  it('treats whatever is typed as text, never as syntax of the index', () => {
    const id = world.store(source({ Subject: 'x' }, 'say "NEAR(a b)" subject:x AND {curly} a^b it\'s'));
    for (const query of ['"NEAR(a b)"', '{curly}', 'a^b', "it's", '"AND"', '"subject:x"', 'a+b-c*']) {
      const found = world.find(query);
      if (query !== 'a+b-c*') assert.deepEqual(found, [id], query);
    }
    assert.deepEqual(world.find('\u0000a'), [id]);
  });

  it('goes on page by page without doubles and gaps', () => {
    const ids = Array.from({ length: 25 }, (_, n) =>
      world.store(source({ Subject: `page ${n}` }, 'x'), { date: Math.floor(n / 3) * 60_000 }),
    );
    const plans = ['page', 'is:unread'].map((text) => world.find(text));
    for (const all of plans)
      assert.deepEqual(
        all.toSorted((a, b) => a - b),
        ids,
      );
    const plan = planSearch(parseQuery('page').node!, world.names())!;
    assert.throws(() => world.query.newest(plan, { folders: 'all-but', ids: [] }, 5, 99_999), { code: 'message.missing' });
  });

  it('takes dates beside words to the millisecond, and however far from now they are', () => {
    const day = new Date(2026, 2, 1).getTime();
    const dates = [-5_000_000_000_000, -1, day - 1, day, day + 86_399_999, day + 86_400_000, 9_000_000_000_000];
    const ids = dates.map((date) => world.store(source({ Subject: 'edge' }, 'x'), { date }));
    const at = (...places: number[]): number[] => places.map((place) => ids[place]!);
    for (const [query, wanted] of [
      ['edge before:2026-03-01', at(2, 1, 0)],
      ['edge after:2026-03-01', at(6, 5, 4, 3)],
      ['edge on:2026-03-01', at(4, 3)],
      ['edge after:2026-03-01 before:2026-03-02', at(4, 3)],
      ['edge on:2026-03-01 on:2026-03-02', []],
      ['edge (on:2026-03-01 OR on:2026-03-02)', at(5, 4, 3)],
      ['edge -on:2026-03-01', at(6, 5, 2, 1, 0)],
      ['edge after:1000', at(6, 5, 4, 3, 2, 1, 0)],
    ] as const) {
      assert.deepEqual(world.find(query).toSorted(), [...wanted].toSorted(), query);
      assert.equal(world.count(query).total, wanted.length, query);
    }
  });

  it('joins what commits leave along where very many are to come, else when there is time, and finds everything all the while', () => {
    const ids = Array.from({ length: 140 }, (_, n) => world.store(source({ Subject: `number ${n}` }, 'joined')));
    const changes = (): number => world.db.prepare('SELECT total_changes() AS n').get()!['n'] as number;
    const by = (work: () => void): number => {
      const before = changes();
      work();
      assert.deepEqual(world.find('joined').toSorted(), ids.toSorted());
      return changes() - before;
    };
    assert.equal(
      by(() => world.index.keepUp(1000)),
      0,
      'later',
    );
    assert.ok(by(() => world.index.keepUp(100_000)) > 1, 'along');
    const steps = (): number => {
      let n = 1;
      while (world.index.tidy() === 'more') n++;
      return n;
    };
    by(() => assert.ok(steps() < 100));
    assert.equal(steps(), 1, 'nothing is left to do');
  });

  it('keeps sealed mail in memory alone, and finds it like any other', () => {
    const plaintext = source({ Subject: 'Zanzibar protocol' }, 'the quetzalcoatl papers');
    const outside = { subject: 'QuMail Secure Message', seal: 'opened', level: 'L2' } as const;
    const id = world.list(outside);
    world.messages.setSeal(id, { seal: 'opened', level: 'L2', envelopeId: 'e1' });
    world.store(source({ Subject: 'plain' }, 'zanzibar trip'));
    assert.deepEqual(
      world.sealed.missing(10).map((each) => each.id),
      [id],
    );
    world.sealed.put({ id, date: world.messages.get(id)!.date }, { text: searchTextOf(plaintext), attachments: true, nodes: [] });
    world.index.catchUp(10);
    assert.deepEqual(world.sealed.missing(10), []);
    assert.equal(world.find('zanzibar').length, 2);
    assert.deepEqual(world.find('quetzalcoatl'), [id]);
    assert.deepEqual(world.find('zanzibar is:sealed'), [id]);
    assert.deepEqual(world.find('has:attachment'), [id]);
    assert.deepEqual(world.find('quetzalcoatl OR is:flagged'), [id]);
    assert.equal(world.find('bob -quetzalcoatl').includes(id), false);
    assert.deepEqual(world.count('zanzibar'), { total: 2, unread: 2 });
    world.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    for (const name of readdirSync(dir)) {
      const octets = readFileSync(join(dir, name));
      for (const word of ['quetzalcoatl', 'Quetzalcoatl', 'protocol']) assert.ok(!octets.includes(word), `${word} in ${name}`);
      if (name === 'mail.db') assert.ok(octets.includes('trip'), 'the words of plain mail are there, so looking for words means something');
    }
    world.messages.removeUids(ACCOUNT, 'INBOX', [world.messages.get(id)!.uid]);
    world.sealed.prune();
    assert.deepEqual(world.find('quetzalcoatl'), []);
  });

  it('makes keys that sort by time and give the id back', () => {
    const dates = [-5, 0, 59_999, 60_000, Date.UTC(2026, 0), Date.UTC(2097, 0), 1e18];
    const keys = dates.map((date) => searchKey({ id: 123_456, date }));
    assert.deepEqual(
      keys,
      keys.toSorted((a, b) => a - b),
    );
    for (const key of keys) assert.ok(Number.isSafeInteger(key) && idOfKey(key) === 123_456);
  });
});
