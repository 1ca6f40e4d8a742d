import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChatMessage } from '../../../src/core/api.ts';
import { stretchOf } from '../../../src/views/chats/chatModel.ts';
import { ALICE, BOB, CAROL, ChatPage, lineOf, message, NOON } from './chatPage.ts';

const HOSTILE = [
  '<img src=x onerror="pwned=1"><script>pwned=1</script>',
  '[click](javascript:pwned=1) [click](data:text/html,x) ![p](https://tracker.test/p.png)',
  '<svg onload=pwned=1><iframe src="https://tracker.test/"></iframe>',
  '**<b onclick="pwned=1">bold</b>** `</code><script>pwned=1</script>`',
];

/** What a person sees in a lively group: every kind of line there is. */
const LIVELY: readonly ChatMessage[] = [
  message('n1', 3000, { notice: { kind: 'created', by: 'Alice' }, author: ALICE }),
  message('m1', 2990, { text: 'The laser is **aligned**. Numbers:\n- 810 nm\n- `0.4` dB' }),
  message('m2', 2988, { text: 'and it stays so', reactions: [{ emoji: '👍', members: [ALICE.address, CAROL.address] }] }),
  message('m3', 60, {
    author: ALICE,
    text: 'Great! See https://example.org/plan for the next step',
    read: [BOB.address, CAROL.address],
    edited: true,
  }),
  message('n2', 50, { notice: { kind: 'timer', by: 'Alice', seconds: 86_400 }, author: ALICE }),
  message('m4', 40, { author: CAROL, text: 'Which one?', replyTo: 'm3', expiresAt: NOON + 86_400_000 }),
  message('m5', 30, {
    author: CAROL,
    text: '',
    attachments: [
      { index: 0, name: 'setup.png', mimeType: 'image/png', size: 48_000 },
      { index: 1, name: 'run-7.csv', mimeType: 'text/csv', size: 1_200_000 },
    ],
  }),
  message('m6', 20, { author: CAROL, text: 'answered from my phone', sealed: false, level: 'L4' }),
  message('m7', 10, { author: ALICE, text: '', deleted: true }),
  message('m8', 5, { author: ALICE, text: 'Off to the lab', state: 'failed', failure: { code: 'kme.exhausted', details: {} } }),
  message('n3', 4, {
    notice: { kind: 'added', by: 'Alice', member: 'Dave' },
    author: ALICE,
    state: 'failed',
    failure: { code: 'chat.not-admin', details: {} },
  }),
  message('m10', 3, { text: '', level: 'L1', elsewhere: true }),
  message('n4', 2, { notice: { kind: 'renamed', by: 'Alice', name: 'Lasers' }, author: ALICE, state: 'queued' }),
  message('m9', 1, { author: ALICE, text: '> Which one?\n\nThe second.', state: 'queued', level: 'L3' }),
];

/** What each frame of scrolling costs the page's own thread, milliseconds of processor time: other programs on the machine take none of it. */
interface Frames {
  readonly p95: number;
  readonly longest: number;
}

/** Forty frames a second leave 25 ms for each; one that takes longer now and then is not seen, a tenth of a second is. */
const SMOOTH: Frames = { p95: 25, longest: 60 };
/** How often it is scrolled at most, of which the best counts: garbage is collected now and then, which is not the page's doing. */
const TAKES = 3;

/** Scrolls as a wheel does, a little each frame, through what was never drawn; then in leaps, as the handle of a scroll bar does. */
async function scrollThrough({ page }: ChatPage): Promise<Frames> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const spent = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'ThreadTime')?.value ?? Number.NaN);
  };
  const costs: number[] = [];
  let before = await spent();
  for (let step = 0; step < 160; step++) {
    await page.evaluate(async (at) => {
      const scope = globalThis as unknown as {
        document: { querySelector(s: string): { scrollTop: number; scrollHeight: number } };
        requestAnimationFrame(run: () => void): void;
      };
      const scroller = scope.document.querySelector('.scroller');
      scroller.scrollTop = at < 120 ? scroller.scrollTop - 150 : (scroller.scrollHeight * (160 - at)) / 40;
      // The page hears of it before the first frame, and has drawn before the second.
      await new Promise<void>((resolve) => scope.requestAnimationFrame(() => scope.requestAnimationFrame(resolve)));
    }, step);
    const now = await spent();
    costs.push(now - before);
    before = now;
  }
  await session.detach();
  costs.sort((a, b) => a - b);
  return { p95: costs[Math.floor(costs.length * 0.95)] ?? Number.NaN, longest: costs.at(-1) ?? Number.NaN };
}

describe('the page of a chat in a real Chromium', function () {
  this.timeout(30_000);
  let chat: ChatPage;

  before(async function () {
    chat = await ChatPage.open(this);
  });
  after(() => chat?.dispose());

  const text = (): ReturnType<ChatPage['page']['locator']> => chat.page.locator('.composer textarea');

  it('shows messages with sender, level in words, reactions, quotes, files, states and what happened to the group', async () => {
    await chat.show(LIVELY);
    const rows = await chat.page.locator('.row').allInnerTexts();
    assert.equal(rows.length, LIVELY.length);
    assert.match(rows[0] ?? '', /Friday|Friday|Alice started this chat/);
    assert.match(rows[1] ?? '', /Bob[\s\S]*aligned[\s\S]*L2 · Quantum-aided AES/);
    assert.match(rows[2] ?? '', /^(?!Bob)[\s\S]*👍 2/);
    assert.match(rows[3] ?? '', /edited[\s\S]*read/);
    assert.match(rows[5] ?? '', /Great! See[\s\S]*Which one\?[\s\S]*disappears/);
    assert.match(rows[6] ?? '', /setup\.png[\s\S]*Show picture[\s\S]*run-7\.csv/);
    assert.match(rows[7] ?? '', /not sealed/);
    assert.match(rows[8] ?? '', /taken back/);
    assert.match(rows[9] ?? '', /Try Again/);
    for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const) await chat.screenshot('lively', theme);
  });

  it('lets no hostile text run a script, reach a server or become anything but text', async () => {
    await chat.show(
      HOSTILE.map((each, index) => message(`h${index}`, 10 - index, { text: each, author: { name: each, address: BOB.address } })),
    );
    for (const link of await chat.page.locator('.rich a').all()) await link.dispatchEvent('click');
    await chat.settle();
    assert.equal(await chat.page.evaluate(() => (globalThis as unknown as { pwned?: unknown }).pwned), undefined);
    assert.deepEqual(chat.requests, []);
    assert.equal(await chat.page.locator('.rows script, .rows iframe, .rows img, .rows svg, .rows [onclick]').count(), 0);
    for (const { url } of await chat.asked('open-link')) assert.match(url, /^https?:/);
  });

  it('draws a window of ten thousand messages, and scrolls them smoothly, as it does a tenth of them', async function () {
    this.timeout(90_000);
    const many = Array.from({ length: 10_000 }, (_, index) =>
      message(`m${String(index).padStart(5, '0')}`, 10_000 - index, {
        text: `line ${index} ${'word '.repeat(index % 12)}`,
        author: index % 7 === 0 ? ALICE : BOB,
      }),
    );
    const shown = ({ p95, longest }: Frames): string => `p95 ${p95.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`;
    let isSmooth = false;
    for (let take = 1; take <= TAKES && !isSmooth; take++) {
      await chat.show(many.slice(-1000));
      await chat.page.getByText('line 9999').waitFor();
      const few = await scrollThrough(chat);
      await chat.show(many);
      assert.ok((await chat.page.locator('.row').count()) < 100);
      await chat.page.getByText('line 9999').waitFor();
      const all = await scrollThrough(chat);
      console.log(`        a frame of scrolling through 10,000 messages: ${shown(all)}; through 1,000: ${shown(few)}`);
      isSmooth = all.p95 <= Math.min(SMOOTH.p95, 2 * few.p95) && all.longest <= SMOOTH.longest;
    }
    assert.ok(isSmooth, `not within ${shown(SMOOTH)}, and twice what a tenth of it takes`);
    assert.ok((await chat.page.locator('.row').count()) < 100);
    await chat.page.getByRole('button', { name: 'Go to the latest message' }).click();
    await chat.page.getByText('line 9999').waitFor();
  });

  it('asks for older messages near the top, and what was on screen stays where it was', async () => {
    const all = Array.from({ length: 200 }, (_, index) => message(`m${String(index).padStart(3, '0')}`, 200 - index));
    await chat.show(all.slice(100), { older: true });
    await chat.page.evaluate(() => {
      (globalThis as unknown as { document: { querySelector(s: string): { scrollTop: number } } }).document.querySelector(
        '.scroller',
      ).scrollTop = 300;
    });
    await chat.settle();
    assert.equal((await chat.asked('older')).length, 1);
    const place = async (): Promise<number> => (await chat.page.locator('[data-id="m105"]').boundingBox())?.y ?? Number.NaN;
    const before = await place();
    const hundredth = all[100]!;
    await chat.say({
      kind: 'lines',
      older: false,
      stretch: { ...stretchOf(all.slice(0, 100).map(lineOf), false), to: { at: hundredth.at, id: '' } },
    });
    assert.ok(Math.abs((await place()) - before) < 2);
  });

  it('follows new messages at the end, tells them to a screen reader, and what is on screen to the host', async () => {
    await chat.show([message('m1', 2)]);
    await chat.say({
      kind: 'lines',
      older: false,
      stretch: stretchOf([message('m1', 2), message('m2', 1, { text: 'fresh' })].map(lineOf), false),
    });
    assert.match(await chat.page.locator('.heard').innerText(), /Bob\. fresh/);
    await chat.page.waitForFunction(() =>
      (globalThis as unknown as { asked: { kind: string; last?: string }[] }).asked.some(
        ({ kind, last }) => kind === 'seen' && last === 'm2',
      ),
    );
  });

  it('takes away what has disappeared', async () => {
    await chat.show([message('m1', 2), message('m2', 1)]);
    await chat.say({ kind: 'lines', older: false, stretch: stretchOf([lineOf(message('m2', 1))], false) });
    assert.deepEqual(
      await chat.page.locator('.row').evaluateAll((rows) => rows.map((row) => (row as unknown as { dataset: { id: string } }).dataset.id)),
      ['m2'],
    );
  });

  it('sends with Enter, answers with a quote, edits the last own message with ArrowUp, and keeps a draft', async () => {
    await chat.show([message('m1', 2), message('m2', 1, { author: ALICE, text: 'typo hree' })]);
    await text().fill('half a sent');
    await chat.page.waitForFunction(() =>
      (globalThis as unknown as { asked: { kind: string; text?: string }[] }).asked.some(
        ({ kind, text: said }) => kind === 'draft' && said === 'half a sent',
      ),
    );
    await text().fill('');
    await text().press('ArrowUp');
    assert.equal(await text().inputValue(), 'typo hree');
    await text().fill('typo here');
    await text().press('Enter');
    assert.deepEqual(await chat.asked('edit'), [{ kind: 'edit', id: 'm2', text: 'typo here' }]);
    await chat.page.locator('[data-id="m1"]').focus();
    await chat.page.keyboard.press('r');
    await chat.page.keyboard.type('first line');
    await chat.page.keyboard.press('Shift+Enter');
    await chat.page.keyboard.type('second');
    await chat.page.keyboard.press('Enter');
    assert.deepEqual(await chat.asked('send'), [{ kind: 'send', ref: 1, text: 'first line\nsecond', files: [], replyTo: 'm1' }]);
    await chat.page.locator('.pending .waiting').waitFor();
    await chat.say({ kind: 'sent', ref: 1 });
    assert.equal(await chat.page.locator('.pending .waiting').count(), 0);
  });

  it('gives back what could not be sent', async () => {
    await chat.show([message('m1', 2)]);
    await text().fill('precious');
    await text().press('Enter');
    await chat.say({ kind: 'refused', ref: 1, sentence: 'Nothing was sent: bob cannot be reached.' });
    assert.match(await chat.page.locator('.pending').innerText(), /Not sent: Nothing was sent: bob cannot be reached/);
    await chat.page.getByRole('button', { name: 'Edit and Send Again' }).click();
    assert.equal(await text().inputValue(), 'precious');
  });

  it('reaches messages, actions and reactions by keyboard alone', async () => {
    await chat.show([message('m1', 2), message('m2', 1)]);
    await chat.page.locator('.scroller').focus();
    await chat.page.keyboard.press('ArrowUp');
    assert.equal(
      await chat.page.evaluate(
        () => (globalThis as unknown as { document: { activeElement: { dataset: { id: string } } } }).document.activeElement.dataset.id,
      ),
      'm2',
    );
    await chat.page.keyboard.press('ArrowUp');
    await chat.page.keyboard.press('Tab');
    await chat.page.keyboard.press('Enter');
    await chat.page.keyboard.press('Enter');
    assert.deepEqual(await chat.asked('react'), [{ kind: 'react', id: 'm1', emoji: '👍' }]);
  });

  it('attaches what is dropped and what is picked, and refuses what is too much', async () => {
    await chat.show([message('m1', 2)]);
    await chat.page.locator('input[type=file]').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
    await chat.page.locator('.chip', { hasText: 'notes.txt' }).waitFor();
    await text().press('Enter');
    const [sent] = await chat.asked('send');
    assert.deepEqual(
      sent?.files.map(({ name, mimeType }) => [name, mimeType]),
      [['notes.txt', 'text/plain']],
    );
    const folder = mkdtempSync(join(tmpdir(), 'qumail-big-'));
    try {
      writeFileSync(join(folder, 'big.bin'), Buffer.alloc(26 * 1024 * 1024));
      await chat.page.locator('input[type=file]').setInputFiles(join(folder, 'big.bin'));
      await chat.page.getByText('25 MiB').waitFor();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('lets nobody write who is no longer a member, and says so', async () => {
    await chat.show([message('m1', 2)], { chat: { member: false } });
    assert.equal(await chat.page.locator('.composer').isVisible(), false);
    assert.match(await chat.page.locator('.note').innerText(), /no longer a member/);
  });

  it('begins where reading goes on', async () => {
    const all = Array.from({ length: 60 }, (_, index) => message(`m${String(index).padStart(2, '0')}`, 60 - index));
    await chat.show(all, { firstUnread: 'm20' });
    const box = await chat.page.locator('[data-id="m20"]').boundingBox();
    assert.ok(box && box.y > 0 && box.y < 400, JSON.stringify(box));
    assert.match(await chat.page.locator('[data-id="m20"]').innerText(), /New messages/);
  });
});
