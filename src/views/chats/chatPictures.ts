import { QuMailError, type ChatSummary } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { pictureFacts, type PictureFacts } from './pictureFacts.ts';

export interface GroupPicture extends PictureFacts {
  readonly content: Uint8Array;
}

/** Octets of a picture as groups have it, and how many are kept at hand. */
const MAX_OCTETS = 256 * 1024;
const MAX_KEPT = 32;

type Pictured = Pick<ChatSummary, 'id' | 'picture'>;

/** The pictures of groups, asked for once each and kept in memory alone: on disk they stay sealed. */
export class ChatPictures {
  readonly #context: ViewContext;
  readonly #kept = new Map<string, { readonly name: string; readonly picture: GroupPicture }>();

  constructor(context: ViewContext) {
    this.#context = context;
  }

  /** What is at hand already, for those who cannot wait. */
  known({ id, picture }: Pictured): GroupPicture | undefined {
    const kept = this.#kept.get(id);
    return kept && kept.name === picture ? kept.picture : undefined;
  }

  /** Undefined where the group has none, it has not come yet, or it is nothing that may be drawn. Never rejects. */
  async of(chat: Pictured): Promise<GroupPicture | undefined> {
    if (chat.picture === undefined) return undefined;
    const known = this.known(chat);
    if (known) return known;
    const { world } = this.#context;
    try {
      const found = await this.#context.api.getChatPicture({ chatId: chat.id });
      const facts = found && found.content.byteLength <= MAX_OCTETS ? pictureFacts(found.content) : undefined;
      if (!found || !facts || world !== this.#context.world) return undefined;
      const picture = { ...facts, content: found.content };
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined && this.#kept.size >= MAX_KEPT) this.#kept.delete(oldest);
      this.#kept.set(chat.id, { name: chat.picture, picture });
      return picture;
    } catch (error) {
      this.#context.log.debug(`group picture not read: ${QuMailError.from(error).code}`);
      return undefined;
    }
  }

  clear(): void {
    this.#kept.clear();
  }
}
