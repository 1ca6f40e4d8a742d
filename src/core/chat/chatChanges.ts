import { createHash } from 'node:crypto';
import type { Chat, ChatChange, ChatLevel } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import type { ChatRequests } from '../base/requests/chatRequests.ts';
import type { CallOptions } from '../base/requests/requestNames.ts';
import { addressesOf, fileOf, othersIn, pictureType, signalOf, startOf, writable } from './chatAsked.ts';
import type { ChangeWriter } from './changeWriter.ts';
import type { ChatBook, OpenChat } from './chatBook.ts';
import type { ChatFile, ChatPeople, ChatPost } from './chatPorts.ts';
import type { ChatQueue } from './chatQueue.ts';
import { groupIdOf, MAX_MEMBERS, type GroupChange, type GroupMember } from './groupEvent.ts';
import { chatIdOf } from './shownChat.ts';
import { waits } from './waits.ts';

export interface ChatChangesDeps {
  readonly book: ChatBook;
  readonly people: ChatPeople;
  readonly post: ChatPost;
  readonly queue: ChatQueue;
  readonly writer: ChangeWriter;
}

/** Octets of a group's picture. */
const MAX_PICTURE = 262_144;

/** Starting chats and changing who is in them and what they are called. */
export class ChatChanges implements Pick<ChatRequests, 'startChat' | 'changeChat' | 'leaveChat'> {
  readonly #deps: ChatChangesDeps;

  constructor(deps: ChatChangesDeps) {
    this.#deps = deps;
  }

  async startChat(request: Parameters<ChatRequests['startChat']>[0], options: CallOptions = {}): Promise<Chat> {
    const { accountId } = request;
    const { people, post, book } = this.#deps;
    const own = await people.own(accountId);
    const members = addressesOf(request.members).filter((address) => address !== own.address);
    if (members.length + 1 > MAX_MEMBERS) throw new QuMailError('chat.too-many-members', { limit: MAX_MEMBERS });
    if (members.length === 0) throw new QuMailError('draft.no-recipient');
    const name = (request.name ?? '').trim();
    const known = name === '' && members.length === 1 ? await this.#directWith(accountId, members[0]!) : undefined;
    if (known) return known;
    const minimumLevel = request.minimumLevel ?? (await this.#bestFor(accountId, members, options.signal));
    const reach = await post.reach(accountId, members, startOf(minimumLevel), minimumLevel, options.signal);
    // Who cannot be asked about now is asked about when it is sent.
    const lost = reach.filter(({ reachable, failure }) => !reachable && !(failure && waits(failure.code)));
    if (lost.length > 0) throw new QuMailError('chat.unreachable', { addresses: lost.map(({ address }) => address), level: minimumLevel });
    const everyone = [own, ...members.map((address) => this.#memberOf(accountId, address))];
    const written = await this.#deps.writer.write(accountId, undefined, { kind: 'create', name, members: everyone, minimumLevel });
    const groupId = groupIdOf(written.event);
    await this.#deps.queue.begin(accountId, groupId, written, signalOf(options));
    return book.getChat({ chatId: chatIdOf(accountId, groupId) });
  }

  /** What cannot go now waits, in its turn with what was said; what nobody would take is refused at once. */
  async changeChat(request: { chatId: string; change: ChatChange }, options: CallOptions = {}): Promise<Chat> {
    const { chatId } = request;
    const chat = writable(this.#deps.book.open(chatId));
    const { change, files } = this.#changeOf(chat, request.change);
    await this.#decide(chat, change, files, options);
    return this.#deps.book.getChat({ chatId });
  }

  async leaveChat(request: { chatId: string }, options: CallOptions = {}): Promise<void> {
    await this.#decide(writable(this.#deps.book.open(request.chatId)), { kind: 'leave' }, [], options);
  }

  async #decide(chat: OpenChat, change: GroupChange, files: readonly ChatFile[], options: CallOptions): Promise<void> {
    // What waits before it may make it possible; only what stands alone can be judged now.
    const judge = this.#deps.queue.isWaiting(chat) ? 'write' : 'written';
    await this.#deps.writer[judge](chat.accountId, chat.groupId, change);
    await this.#deps.queue.decide(chat, change, { files, ...signalOf(options) });
  }

  #changeOf(chat: OpenChat, change: ChatChange): { change: GroupChange; files: readonly ChatFile[] } {
    switch (change.kind) {
      case 'add':
        return { change: { kind: 'add', member: this.#memberOf(chat.accountId, addressesOf([change.address])[0]!) }, files: [] };
      case 'remove':
      case 'grant':
      case 'revoke':
        return { change: { kind: change.kind, address: addressesOf([change.address])[0]! }, files: [] };
      case 'rename':
        return { change: { kind: 'rename', name: change.name.trim() }, files: [] };
      case 'timer':
        return { change: { kind: 'timer', seconds: change.seconds }, files: [] };
      case 'minimum-level':
        return { change, files: [] };
      case 'picture': {
        if (change.picture === null) return { change: { kind: 'picture', picture: null }, files: [] };
        const file = fileOf(change.picture);
        const size = file.content.byteLength;
        const mimeType = pictureType(file.content);
        if (size > MAX_PICTURE) throw new QuMailError('chat.file-too-large', { limit: MAX_PICTURE, size });
        if (!mimeType) throw new QuMailError('engine.bad-request', { field: 'picture' });
        const content = Buffer.from(file.content);
        const picture = { sha256: createHash('sha256').update(content).digest('base64url'), mimeType, size };
        return { change: { kind: 'picture', picture }, files: [{ name: 'picture', mimeType, content }] };
      }
    }
  }

  /** Someone to be added: known here with a certificate, or there is nothing to hold them to. @throws QuMailError `chat.unreachable` */
  #memberOf(accountId: string, address: string): GroupMember {
    const known = this.#deps.people.known(accountId, address);
    if (known?.fingerprint === undefined) throw new QuMailError('chat.unreachable', { addresses: [address], reason: 'no-certificate' });
    return { address, name: known.name, fingerprint: known.fingerprint, ...(known.saeId !== undefined && { saeId: known.saeId }) };
  }

  async #directWith(accountId: string, address: string): Promise<Chat | undefined> {
    const chats = await this.#deps.book.listChats({ accountId });
    for (const { id } of chats.filter(({ kind, member }) => kind === 'direct' && member)) {
      const chat = this.#deps.book.open(id);
      if (chat.state.members.length === 2 && othersIn(chat)[0] === address) return this.#deps.book.getChat({ chatId: id });
    }
    return undefined;
  }

  /** L2 where it reaches everybody; otherwise the group has to live with L3. */
  async #bestFor(accountId: string, members: readonly string[], signal: AbortSignal | undefined): Promise<ChatLevel> {
    const reach = await this.#deps.post.reach(accountId, members, 'L2', 'L2', signal);
    return reach.every(({ reachable, failure }) => reachable || (failure && waits(failure.code))) ? 'L2' : 'L3';
  }
}
