import { createHmac } from 'node:crypto';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';

/** One node of the tree: the key of every leaf below it can be computed from it, and no other. */
interface Node {
  readonly level: number;
  readonly index: number;
  readonly key: Buffer;
}

const KEY_LENGTH = 32;
const RECORD_LENGTH = 1 + 4 + KEY_LENGTH;

/**
 * Keys for the chunks of a pad that can be taken once each, in any order (a puncturable pseudo-random function after Goldreich, Goldwasser
 * and Micali). The tree starts as one root; taking a leaf leaves the siblings along its path and nothing from which the leaf could be
 * computed again. So the state stays some hundred octets while pads are used in order, and whoever gets today's state learns nothing of
 * what was used before.
 */
export class PadTree {
  readonly #depth: number;
  #nodes: Node[];

  private constructor(depth: number, nodes: Node[]) {
    this.#depth = depth;
    this.#nodes = nodes;
  }

  /** A tree over `leaves` leaves with a root of 32 random octets, which is wiped. */
  static plant(root: Buffer, leaves: number): PadTree {
    const tree = new PadTree(depthOf(leaves), [{ level: 0, index: 0, key: Buffer.from(root) }]);
    wipe(root);
    return tree;
  }

  /** @throws QuMailError `store.corrupt` */
  static decode(state: Buffer): PadTree {
    const depth = state[0] ?? 0;
    if ((state.length - 1) % RECORD_LENGTH !== 0 || depth > 31) throw new QuMailError('store.corrupt', { what: 'pad' });
    const nodes: Node[] = [];
    for (let at = 1; at < state.length; at += RECORD_LENGTH) {
      const key = Buffer.from(state.subarray(at + 5, at + RECORD_LENGTH));
      nodes.push({ level: state[at]!, index: state.readUInt32BE(at + 1), key });
    }
    return new PadTree(depth, nodes);
  }

  /** The whole state; the caller seals and wipes it. */
  encode(): Buffer {
    const out = Buffer.alloc(1 + this.#nodes.length * RECORD_LENGTH);
    out[0] = this.#depth;
    this.#nodes.forEach((node, i) => {
      const at = 1 + i * RECORD_LENGTH;
      out[at] = node.level;
      out.writeUInt32BE(node.index, at + 1);
      node.key.copy(out, at + 5);
    });
    return out;
  }

  /** The key of a leaf, which the tree has forgotten then; undefined where it was taken before. The caller wipes it. */
  take(leaf: number): Buffer | undefined {
    const at = this.#nodes.findIndex(({ level, index }) => leaf >>> (this.#depth - level) === index);
    const found = this.#nodes[at];
    if (found === undefined) return undefined;
    this.#nodes.splice(at, 1);
    let { key } = found;
    for (let level = found.level + 1; level <= this.#depth; level++) {
      const index = leaf >>> (this.#depth - level);
      const [left, right] = children(key);
      wipe(key);
      this.#nodes.push(index % 2 === 0 ? { level, index: index + 1, key: right } : { level, index: index - 1, key: left });
      key = index % 2 === 0 ? left : right;
    }
    return key;
  }

  /** The keys of the first `leaves` leaves in order, for sealing a whole pad; nothing is forgotten. Each is wiped before the next. */
  *keys(leaves: number): Generator<Buffer> {
    const stack: Node[] = this.#nodes
      .map((node) => ({ ...node, key: Buffer.from(node.key) }))
      .sort((a, b) => start(b, this) - start(a, this));
    try {
      for (let given = 0; given < leaves;) {
        const node = stack.pop();
        if (node === undefined) return;
        if (node.level === this.#depth) {
          given += 1;
          yield node.key;
        } else {
          const [left, right] = children(node.key);
          stack.push(
            { level: node.level + 1, index: node.index * 2 + 1, key: right },
            { level: node.level + 1, index: node.index * 2, key: left },
          );
        }
        wipe(node.key);
      }
    } finally {
      wipe(...stack.map(({ key }) => key));
    }
  }

  get depth(): number {
    return this.#depth;
  }

  wipe(): void {
    wipe(...this.#nodes.map(({ key }) => key));
    this.#nodes = [];
  }
}

function start(node: Node, tree: PadTree): number {
  return node.index * 2 ** (tree.depth - node.level);
}

function depthOf(leaves: number): number {
  return Math.max(0, Math.ceil(Math.log2(leaves)));
}

function children(key: Buffer): [Buffer, Buffer] {
  const child = (side: number): Buffer => createHmac('sha256', key).update(Buffer.of(side)).digest();
  return [child(0), child(1)];
}
