import { tagOf, type Scene } from './historyScene.ts';
import { pick } from './seeded.ts';
import type { Step } from './historySteps.ts';

/** Folders that stay whatever happens. */
const KEPT = ['INBOX', 'Archive', 'Trash', 'Junk'];

/** What other programs do to the mailbox in a history. */
export class Others {
  readonly #scene: Scene;
  #lastTag = 0;
  #lastFolder = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  create(): Promise<void> {
    return this.#scene.server.create(`Folder ${++this.#lastFolder}`);
  }

  /** Folders that messages of a history lie in. */
  async folders(): Promise<string[]> {
    return (await this.#scene.server.folders()).filter((path) => path !== 'Drafts' && path !== 'Sent').toSorted();
  }

  /** A message comes into a folder, as an answer in the thread that was muted last where there is one. */
  async arrive(folder: string, reply: 'muted' | 'none' = 'none'): Promise<void> {
    const tag = ++this.#lastTag;
    const to = reply === 'muted' ? this.#scene.muted.at(-1) : undefined;
    const head = [
      `From: bob@other.test`,
      `To: ${this.#scene.place.user.email}`,
      `Subject: message ${tag}`,
      `Message-ID: <${tag}@history.test>`,
    ];
    if (to !== undefined) head.push(`In-Reply-To: <${to}@history.test>`);
    await this.#scene.server.append(folder, `${head.join('\r\n')}\r\n\r\n${'text '.repeat(tag % 50)}\r\n`);
    this.#scene.model.arrived(tag, folder, to === undefined ? 'nothing' : 'muted thread');
  }

  async changeMessage(step: Extract<Step, { do: 'server-flag' | 'server-expunge' | 'server-move' }>): Promise<void> {
    const folders = await this.folders();
    // The nth folder with something in it, from there on.
    for (let n = 0; n < folders.length; n++) {
      const path = folders[(step.at + n) % folders.length]!;
      const each = pick(await this.#scene.server.list(path), step.at);
      const tag = each && tagOf(each.rfcMessageId);
      if (!each || tag === undefined) continue;
      this.#scene.note('chosen', `${tag} in ${path}`);
      const engine = this.#scene.line === 'refuse' ? 'is away' : 'may be telling';
      if (step.do === 'server-flag') {
        await this.#scene.server.flag(path, each.uid, step.flag, step.to);
        this.#scene.model.serverFlag(tag, step.flag, step.to, engine);
      } else if (step.do === 'server-expunge') {
        await this.#scene.server.expunge(path, each.uid);
        this.#scene.model.serverExpunge(tag, engine);
      } else {
        const to = pick(folders, step.to)!;
        if (to === path) return;
        await this.#scene.server.move(path, each.uid, to);
        this.#scene.model.serverMove(tag, to, engine);
      }
      return;
    }
  }

  async changeFolder(step: Extract<Step, { do: `server-${'delete' | 'rename' | 'recreate' | 'renumber'}` }>): Promise<void> {
    const path = pick(
      (await this.folders()).filter((each) => !KEPT.includes(each)),
      step.at,
    );
    if (path === undefined) return;
    this.#scene.note('chosen', path);
    if (step.do === 'server-rename') {
      const to = `Folder ${++this.#lastFolder}`;
      await this.#scene.server.rename(path, to);
      return this.#scene.model.serverRename(path, to);
    }
    if (step.do === 'server-renumber') {
      await this.#scene.server.leave(path);
      const validity = (await this.#scene.server.uidValidity(path)) + 1000 + step.at;
      await this.#scene.place.world.doveadm([
        'mailbox',
        'update',
        '-u',
        this.#scene.place.user.email,
        '--uid-validity',
        String(validity),
        path,
      ]);
      return this.#scene.model.serverRenumber(path);
    }
    const there = new Set((await this.#scene.server.list(path)).flatMap(({ rfcMessageId }) => tagOf(rfcMessageId) ?? []));
    await this.#scene.server.delete(path);
    this.#scene.model.serverDelete(path, there);
    if (step.do === 'server-delete') return;
    await this.#scene.server.create(path);
    await this.arrive(path);
  }
}
