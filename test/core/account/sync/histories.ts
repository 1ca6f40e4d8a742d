import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ModelImap } from '../../transport/modelImap.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

/** One thing that happens, on the server or to the client; `which` chooses a folder or message among those there are. */
type Step =
  | { readonly kind: 'arrive'; readonly which: number; readonly count: number }
  | { readonly kind: 'flag'; readonly which: number; readonly message: number; readonly to: 'on' | 'off' }
  | { readonly kind: 'expunge'; readonly which: number; readonly message: number }
  | { readonly kind: 'create'; readonly which: number }
  | { readonly kind: 'delete' | 'rename' | 'renumber'; readonly which: number }
  | { readonly kind: 'sync' }
  /** The connection is cut after so many octets of a look. */
  | { readonly kind: 'cut'; readonly octets: number }
  /** The same, and the client starts anew over what it stored. */
  | { readonly kind: 'crash'; readonly octets: number }
  | { readonly kind: 'during'; readonly step: Exclude<Step, { kind: 'during' | 'sync' | 'cut' | 'crash' }> };

const natural = fc.nat({ max: 1000 });
const onServer = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('arrive' as const), which: natural, count: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('flag' as const),
      which: natural,
      message: natural,
      to: fc.constantFrom('on' as const, 'off' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('expunge' as const), which: natural, message: natural }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('create' as const), which: natural }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'rename' as const, 'renumber' as const), which: natural }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: onServer },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('during' as const), step: onServer }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'sync' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'crash' as const), octets: fc.integer({ min: 1, max: 6000 }) }),
  },
);

/** What may happen to a mailbox and its offline copy. */
export const history = fc.record({ condstore: fc.boolean(), steps: fc.array(step, { minLength: 3, maxLength: 25 }) });

/** Plays a history against a server in memory; at its end, once the client was left in peace, the store is what the server is. */
export async function play({ condstore, steps }: { condstore: boolean; steps: readonly Step[] }): Promise<void> {
  const world = new World(condstore);
  await world.start();
  try {
    for (const each of steps) await world.take(each);
    await world.settle();
    world.compare();
  } finally {
    await world.end();
  }
}

class World {
  readonly #server: ModelImap;
  #rig!: SyncRig;
  #count = 0;

  constructor(condstore: boolean) {
    this.#server = new ModelImap(condstore ? { condstore: 'condstore' } : {});
  }

  async start(): Promise<void> {
    await this.#server.start();
    this.#rig = await new SyncRig(this.#server.address).open();
    for (let n = 0; n < 5; n++) this.#arrive('INBOX');
  }

  async end(): Promise<void> {
    this.#rig.dispose();
    await this.#server.close();
  }

  async take(each: Step): Promise<void> {
    if (each.kind === 'sync') return this.#sync();
    if (each.kind === 'during') {
      let done = false;
      this.#server.lies.onSources = () => {
        if (!done) this.#happen(each.step);
        done = true;
      };
      await this.#sync();
      delete this.#server.lies.onSources;
      return;
    }
    if (each.kind !== 'cut' && each.kind !== 'crash') return this.#happen(each);
    this.#server.cut = { after: each.octets };
    await this.#sync();
    this.#server.cut = undefined;
    if (each.kind === 'cut') return;
    this.#rig.close();
    this.#rig = await new SyncRig(this.#server.address, { dir: this.#rig.dir }).open();
  }

  /** A look fails where the line was cut or a folder went; whatever came of it, the next one must find its way. */
  async #sync(): Promise<void> {
    await this.#rig.sync().catch(() => {});
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      // Without mod-sequences flags are compared every quarter of an hour.
      this.#rig.ahead += 1_000_000;
      await this.#rig.sync();
    }
  }

  compare(): void {
    const folders = [...this.#server.folders.values()].map(({ path, messages }) => ({
      path,
      messages: messages.map(({ uid, raw, flags }) => ({ uid, flags: flags.has('\\Seen') ? ['seen'] : [], raw: raw.toString('latin1') })),
    }));
    const stored = this.#rig.messages.listFolders(ACCOUNT).map(({ path }) => ({ path, messages: this.#rig.stored(path) }));
    const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : 1);
    assert.deepEqual(stored.toSorted(byPath), folders.toSorted(byPath));
  }

  #happen(each: Exclude<Step, { kind: 'during' | 'sync' | 'cut' | 'crash' }>): void {
    const paths = [...this.#server.folders.keys()];
    const path = paths[each.which % paths.length]!;
    const folder = this.#server.folders.get(path)!;
    const message = 'message' in each ? folder.messages[each.message % Math.max(1, folder.messages.length)] : undefined;
    if (each.kind === 'arrive') for (let n = 0; n < each.count; n++) this.#arrive(path);
    if (each.kind === 'flag' && message) this.#server.setFlag(path, message.uid, '\\Seen', each.to);
    if (each.kind === 'expunge' && message) this.#server.expunge(path, message.uid);
    if (each.kind === 'create') this.#server.create(`Folder ${++this.#count}`);
    if (path === 'INBOX') return;
    if (each.kind === 'delete') this.#server.folders.delete(path);
    if (each.kind === 'rename') this.#server.rename(path, `Folder ${++this.#count}`);
    if (each.kind === 'renumber') this.#server.renumber(path);
  }

  #arrive(path: string): void {
    const n = ++this.#count;
    const head = `From: bob@example.test\r\nSubject: number ${n}\r\nMessage-ID: <${n}@example.test>\r\n`;
    this.#server.add(path, Buffer.from(`${head}\r\n${'x'.repeat(n % 300)}\r\n`));
  }
}
