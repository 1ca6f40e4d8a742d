import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import type { ChatMessage } from '../../../src/core/api.ts';
import { stretchOf } from '../../../src/views/chats/chatModel.ts';
import { pictureFacts } from '../../../src/views/chats/pictureFacts.ts';
import { ALICE, ChatPage, lineOf, message, NOON } from './chatPage.ts';

const SQUARE = new Uint8Array(readFileSync(join(import.meta.dirname, '../../data/square.png')));
const numbered = (count: number): ChatMessage[] =>
  Array.from({ length: count }, (_, index) => message(`m${String(index).padStart(2, '0')}`, 90 - index));

describe('using the page of a chat in a real Chromium', function () {
  this.timeout(30_000);
  let chat: ChatPage;

  before(async function () {
    chat = await ChatPage.open(this);
  });
  after(() => chat?.dispose());

  const text = (): Locator => chat.page.locator('.composer textarea');
  const row = (id: string): Locator => chat.page.locator(`[data-id="${id}"]`);
  const focused = (): Promise<string | undefined> =>
    chat.page.evaluate(
      () => (globalThis as unknown as { document: { activeElement: { dataset: { id?: string } } } }).document.activeElement.dataset.id,
    );
  /** What has come by now, with everything that was there before. */
  const arrive = (messages: readonly ChatMessage[]): Promise<void> =>
    chat.say({ kind: 'lines', older: false, stretch: stretchOf(messages.map(lineOf), false) });

  describe('the head', () => {
    it('shows the picture of the group as pixels of its own, and the first letter of its name where there is none', async () => {
      await chat.show([message('m1', 2)]);
      assert.equal(await chat.page.locator('.avatar').innerText(), 'L');
      await chat.say({ kind: 'group-picture', picture: { mimeType: 'image/png', content: SQUARE, width: 40, height: 40 } });
      const canvas = chat.page.locator('.avatar canvas');
      await canvas.waitFor();
      const pixel = await canvas.evaluate((element) => {
        const pen = (element as unknown as { getContext(kind: '2d'): { getImageData(...box: number[]): { data: number[] } } }).getContext(
          '2d',
        );
        return [...pen.getImageData(48, 48, 1, 1).data];
      });
      assert.equal(pixel[3], 255);
      for (const theme of ['light', 'dark', 'high-contrast'] as const) await chat.screenshot('picture', theme);
      await chat.say({ kind: 'group-picture' });
      await canvas.waitFor({ state: 'detached' });
      assert.equal(await chat.page.locator('.avatar').innerText(), 'L');
      assert.deepEqual(chat.requests, []);
    });

    it('takes no octets for a picture that are none', async () => {
      await chat.show([message('m1', 2)]);
      const broken = { mimeType: 'image/png', content: SQUARE.slice(0, 60), width: 40, height: 40 };
      await chat.say({ kind: 'group-picture', picture: broken });
      assert.equal(await chat.page.locator('.avatar canvas').count(), 0);
      assert.equal(await chat.page.locator('.avatar').innerText(), 'L');
    });

    it('makes a picture for others small and square, with nothing of the file in it, and says so of what is none', async () => {
      await chat.show([message('m1', 2)]);
      // What a camera writes behind the pixels: the place.
      const tagged = new Uint8Array([...SQUARE, ...Buffer.from('GPS 52.52 N 13.40 E')]);
      await chat.say({ kind: 'square', ref: 7, mimeType: 'image/png', content: tagged });
      await chat.say({ kind: 'square', ref: 8, mimeType: 'image/png', content: SQUARE.slice(0, 60) });
      await chat.page.waitForFunction(
        () => (globalThis as unknown as { asked: { kind: string }[] }).asked.filter(({ kind }) => kind === 'squared').length === 2,
      );
      const answers = await chat.asked('squared');
      const content = answers.find(({ ref }) => ref === 7)?.content;
      assert.ok(content);
      assert.deepEqual(pictureFacts(content), { mimeType: 'image/webp', width: 256, height: 256 });
      assert.ok(!Buffer.from(content).includes('GPS'));
      assert.deepEqual(
        answers.filter(({ ref }) => ref === 8),
        [{ kind: 'squared', ref: 8 }],
      );
    });

    it('leaves the focus where it is while nothing in it changes', async () => {
      await chat.show([message('m1', 2)]);
      const members = chat.page.getByRole('button', { name: 'some verified' });
      await members.focus();
      await chat.sayHead();
      assert.ok(
        await members.evaluate(
          (element) => element === (globalThis as unknown as { document: { activeElement: unknown } }).document.activeElement,
        ),
      );
    });
  });

  describe('messages that disappear', () => {
    it('count down before the eye, and tell a screen reader once when it will be', async () => {
      await chat.show([message('m1', 2), message('m2', 1, { expiresAt: NOON + 130_000 })], { clock: NOON });
      const timer = row('m2').getByRole('timer');
      assert.equal((await timer.innerText()).trim(), 'disappears in 2:10');
      await chat.page.clock.setFixedTime(NOON + 5000);
      await timer.getByText('disappears in 2:05').waitFor();
      assert.doesNotMatch((await timer.getAttribute('class')) ?? '', /soon/);
      await chat.page.clock.setFixedTime(NOON + 85_000);
      await timer.getByText('disappears in 0:45').waitFor();
      assert.match((await timer.getAttribute('class')) ?? '', /soon/);
      assert.equal(await timer.getAttribute('aria-live'), 'off');
      assert.match((await row('m2').getAttribute('aria-label')) ?? '', /disappears 22 Nov 2026, 12:02/);
      assert.equal(await chat.page.locator('.heard').innerText(), '');
    });
  });

  describe('what comes', () => {
    it('is counted at the way to the end while the eye is elsewhere, and marked where it begins', async () => {
      await chat.show(numbered(60));
      await chat.page.locator('.scroller').hover();
      await chat.page.mouse.wheel(0, -2000);
      await chat.page.locator('.latest.shown').waitFor();
      await arrive([...numbered(60), message('n1', 2), message('n2', 1), message('n3', 1, { author: ALICE })]);
      const down = chat.page.getByRole('button', { name: 'Go to the latest message, 2 new' });
      await down.waitFor();
      await chat.screenshot('new-below', 'dark');
      await down.click();
      await row('n2').waitFor();
      assert.match(await row('n1').innerText(), /New messages/);
      assert.equal(await chat.page.locator('.latest.shown:not(.first-unread)').count(), 0);
    });

    it('is heard line by line, and not forgotten when the next look brings nothing new', async () => {
      await chat.show(numbered(3));
      await arrive([...numbered(3), message('n1', 2, { text: 'first' })]);
      await arrive([...numbered(3), message('n1', 2, { text: 'first' }), message('n2', 1, { text: 'second' })]);
      await arrive([...numbered(3), message('n1', 2, { text: 'first' }), message('n2', 1, { text: 'second' })]);
      const heard = chat.page.getByRole('log');
      assert.equal(await heard.getAttribute('aria-live'), 'polite');
      assert.deepEqual(
        await heard
          .locator('p')
          .allInnerTexts()
          .then((all) => all.map((each) => each.slice(0, 12))),
        ['Bob. first. ', 'Bob. second.'],
      );
    });

    it('takes the reader back to the first unread line with U, and says that it can', async () => {
      await chat.show(numbered(60), { firstUnread: 'm10' });
      await chat.page.locator('.scroller').focus();
      await chat.page.keyboard.press('End');
      const up = chat.page.getByRole('button', { name: 'Go to the first unread message' });
      await up.waitFor();
      await chat.page.keyboard.press('u');
      assert.equal(await focused(), 'm10');
      await up.waitFor({ state: 'hidden' });
    });
  });

  describe('the keyboard', () => {
    it('answers, edits, takes back and reacts at the line with the focus', async () => {
      await chat.show([message('m1', 3), message('m2', 2, { author: ALICE, text: 'mine' }), message('m3', 1)]);
      await row('m2').focus();
      await chat.page.keyboard.press('Delete');
      assert.deepEqual(await chat.asked('take-back'), [{ kind: 'take-back', id: 'm2' }]);
      await chat.page.keyboard.press('+');
      await chat.page.keyboard.press('Escape');
      assert.equal(await row('m2').locator('.palette').isVisible(), false);
      await row('m3').focus();
      await chat.page.keyboard.press('+');
      await chat.page.keyboard.press('Tab');
      await chat.page.keyboard.press('Enter');
      assert.deepEqual(await chat.asked('react'), [{ kind: 'react', id: 'm3', emoji: '❤️' }]);
      await row('m3').focus();
      await chat.page.keyboard.press('Delete');
      assert.equal((await chat.asked('take-back')).length, 1);
      await chat.page.keyboard.press('r');
      assert.equal(
        await chat.page
          .locator('.about')
          .innerText()
          .then((words) => /Reply to Bob/.test(words)),
        true,
      );
    });

    it("puts Markdown's marks around what is selected, takes them away again, and leaves undo as it is", async () => {
      await chat.show([message('m1', 2)]);
      await text().fill('see the plan');
      await text().evaluate((box) => (box as unknown as { setSelectionRange(from: number, to: number): void }).setSelectionRange(8, 12));
      await chat.page.keyboard.press('Control+b');
      assert.equal(await text().inputValue(), 'see the **plan**');
      await chat.page.keyboard.press('Control+b');
      assert.equal(await text().inputValue(), 'see the plan');
      await chat.page.keyboard.press('Control+e');
      assert.equal(await text().inputValue(), 'see the `plan`');
      await chat.page.keyboard.press('Control+z');
      assert.equal(await text().inputValue(), 'see the plan');
    });

    it('goes through head, messages and writing in this order, each with a name', async () => {
      await chat.show([message('m1', 2)]);
      await chat.page.getByRole('button', { name: 'some verified' }).focus();
      const names: string[] = [];
      for (let steps = 0; steps < 7; steps++) {
        await chat.page.keyboard.press('Tab');
        names.push(
          await chat.page.evaluate(() => {
            const { activeElement: at } = (
              globalThis as unknown as { document: { activeElement: { getAttribute(name: string): string | null; textContent: string } } }
            ).document;
            return at.getAttribute('aria-label') ?? at.textContent;
          }),
        );
      }
      assert.deepEqual(names, ['Search in this chat', 'More actions', 'Messages of the chat', 'React', 'Reply', 'Copy', 'Attach files']);
    });
  });

  describe('what is being written', () => {
    it('is there again after the panel was hidden or the window reloaded, and counts more than what was saved before', async () => {
      await chat.show([message('m1', 2)], { chat: { draft: 'saved long ago' } });
      assert.equal(await text().inputValue(), 'saved long ago');
      await text().fill('typed a moment ago');
      await chat.show([message('m1', 2)], { state: 'kept', chat: { draft: 'saved long ago' } });
      assert.equal(await text().inputValue(), 'typed a moment ago');
    });

    it('is saved as a draft at once by whoever leaves the box', async () => {
      await chat.show([message('m1', 2)]);
      await text().fill('half a sentence');
      const saved = await text().evaluate((box) => {
        (box as unknown as { blur(): void }).blur();
        const { asked } = globalThis as unknown as { asked: { kind: string; text?: string }[] };
        return asked.filter(({ kind }) => kind === 'draft').map(({ text: draft }) => draft);
      });
      assert.equal(saved.at(-1), 'half a sentence');
    });

    it('is gone from the draft once it is sent', async () => {
      await chat.show([message('m1', 2)]);
      await text().fill('said');
      await text().press('Enter');
      await chat.page.waitForFunction(() =>
        (globalThis as unknown as { asked: { kind: string; text?: string }[] }).asked.some(
          ({ kind, text: said }) => kind === 'draft' && said === '',
        ),
      );
      await chat.show([message('m1', 2)], { state: 'kept' });
      assert.equal(await text().inputValue(), '');
    });

    it('shows what is on its way until the host says that it is sealed', async () => {
      await chat.show([message('m1', 2)]);
      await text().fill('on its way');
      await text().press('Enter');
      const pending = chat.page.locator('.pending');
      assert.match(await pending.innerText(), /on its way\s+being sealed/);
      assert.equal(await pending.getAttribute('aria-live'), 'polite');
      await chat.say({ kind: 'sent', ref: 1 });
      assert.equal(await pending.innerText(), '');
    });
  });

  describe('what could not be done yet', () => {
    it('is said at a change of the group, to be tried again or discarded', async () => {
      const notice = { kind: 'added', by: 'Alice', member: 'Dave' } as const;
      const failed = { author: ALICE, state: 'failed', failure: { code: 'chat.not-admin', details: {} } } as const;
      await chat.show([message('m1', 3), message('n1', 2, { notice, ...failed }), message('n2', 1, { notice, author: ALICE })]);
      assert.match(await row('n1').innerText(), /Alice added Dave · not sent[\s\S]*administrator/);
      await row('n1').getByRole('button', { name: 'Try Again' }).click();
      await row('n1').getByRole('button', { name: 'Discard' }).click();
      assert.deepEqual(
        [await chat.asked('retry'), await chat.asked('discard')],
        [[{ kind: 'retry', id: 'n1' }], [{ kind: 'discard', id: 'n1' }]],
      );
      assert.equal(await row('n2').getByRole('button').count(), 0);
    });

    it('is said of a line that only another device can show, which nothing can be done with', async () => {
      await chat.show([message('m1', 2, { author: ALICE, text: '', level: 'L1', elsewhere: true })]);
      assert.match(await row('m1').innerText(), /one-time pad: only the device that used it/);
      assert.equal(await row('m1').getByRole('button').count(), 0);
      await row('m1').focus();
      await chat.page.keyboard.press('Delete');
      assert.deepEqual(await chat.asked('take-back'), []);
    });
  });

  describe('files', () => {
    /** A paste or a drop of one file, as the browser tells of it. */
    const bring = (how: 'paste' | 'drop', name: string): Promise<void> =>
      text().evaluate(
        (box, { kind, file }) => {
          const scope = globalThis as unknown as Record<
            'DataTransfer' | 'File' | 'ClipboardEvent' | 'DragEvent',
            new (...args: unknown[]) => never
          >;
          const data = new scope.DataTransfer() as { items: { add(file: unknown): void } };
          data.items.add(new scope.File(['octets'], file, { type: 'text/plain' }));
          const event =
            kind === 'paste'
              ? new scope.ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
              : new scope.DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
          (box as unknown as { dispatchEvent(event: unknown): void }).dispatchEvent(event);
        },
        { kind: how, file: name },
      );

    it('are attached by paste and by drop, and can be removed by name', async () => {
      await chat.show([message('m1', 2)]);
      await bring('paste', 'pasted.txt');
      await chat.page.locator('.chip', { hasText: 'pasted.txt' }).waitFor();
      await bring('drop', 'dropped.txt');
      await chat.page.locator('.chip', { hasText: 'dropped.txt' }).waitFor();
      await chat.page.getByRole('button', { name: 'Remove pasted.txt' }).click();
      await text().press('Enter');
      const [sent] = await chat.asked('send');
      assert.deepEqual(
        sent?.files.map(({ name }) => name),
        ['dropped.txt'],
      );
    });
  });
});
