import { createHash } from 'node:crypto';
import type { Chat, ChatChange, ChatLevel } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatRequests } from '../base/requests/chatRequests.ts';
import type { CallOptions } from '../base/requests/requestNames.ts';
import type { ChatExtras } from '../store/chatExtras.ts';
import { announceChange, addressesOf, fileOf, othersIn, pictureType, signalOf, startOf, writable } from './chatAsked.ts';
import type { ChatBook, OpenChat } from './chatBook.ts';
import { MAX_EVENTS_CARRIED } from './chatPart.ts';
import type { ChatFile, ChatPeople, ChatPost } from './chatPorts.ts';
import type { ChatSender } from './chatSender.ts';
import { groupState } from './group.ts';
import type { GroupBook } from './groupBook.ts';
import { groupIdOf, MAX_MEMBERS, type GroupChange, type GroupMember } from './groupEvent.ts';
import { chatIdOf } from './shownChat.ts';

export interface ChatChangesDeps {
  readonly book: ChatBook;
  readonly extras: ChatExtras;
  readonly groups: GroupBook;
  readonly people: ChatPeople;
  readonly post: ChatPost;
  readonly sender: ChatSender;
  readonly clock: Clock;
  readonly emit: (event: QuMailEvent) => void;
}

/** Octets of a group's picture. */
const MAX_PICTURE = 262_144;

/** Starting chats and changing who is in them and what they are called. */
export class ChatChanges implements Pick<ChatRequests, 'startChat' | 'changeChat' | 'leaveChat'> {
  readonly #deps: ChatChangesDeps;
  /** Own events build on each other: one change of a group at a time. */
  readonly #changing = new Map<string, Promise<unknown>>();

  constructor(deps: ChatChangesDeps) {
    this.#deps = deps;
  }

  async startChat(request: Parameters<ChatRequests['startChat']>[0], options: CallOptions = {}): Promise<Chat> {
    const { accountId } = request;
    const { people, groups, post, book } = this.#deps;
    const own = await people.own(accountId);
    const members = addressesOf(request.members).filter((address) => address !== own.address);
    if (members.length + 1 > MAX_MEMBERS) throw new QuMailError('chat.too-many-members', { limit: MAX_MEMBERS });
    if (members.length === 0) throw new QuMailError('draft.no-recipient');
    const name = (request.name ?? '').trim();
    const known = name === '' && members.length === 1 ? await this.#directWith(accountId, members[0]!) : undefined;
    if (known) return known;
    const minimumLevel = request.minimumLevel ?? (await this.#bestFor(accountId, members, options.signal));
    const reach = await post.reach(accountId, members, startOf(minimumLevel), minimumLevel, options.signal);
    const lost = reach.filter(({ reachable }) => !reachable);
    if (lost.length > 0) throw new QuMailError('chat.unreachable', { addresses: lost.map(({ address }) => address), level: minimumLevel });
    const everyone = [own, ...members.map((address) => this.#memberOf(accountId, address))];
    const written = await this.#write(accountId, undefined, { kind: 'create', name, members: everyone, minimumLevel });
    const groupId = groupIdOf(written.event);
    const state = groupState(groupId, new Map([[written.event.id, written.event]]));
    if (!state) throw new QuMailError('engine.internal');
    const out = { accountId, groupId, events: [written], passedOn: [], introduce: everyone.slice(1) };
    await this.#deps.sender.send({ ...out, act: { kind: 'events' }, text: '', files: [], queued: () => {}, ...signalOf(options) }, state);
    groups.forget(accountId, groupId);
    return book.getChat({ chatId: chatIdOf(accountId, groupId) });
  }

  async changeChat(request: { chatId: string; change: ChatChange }, options: CallOptions = {}): Promise<Chat> {
    const { chatId } = request;
    return this.#exclusively(chatId, async () => {
      const chat = writable(this.#deps.book.open(chatId));
      const { change, files, picture } = this.#changeOf(chat, request.change);
      const added = change.kind === 'add' ? [change.member] : [];
      await this.#change(chat, change, { files, introduce: added, picture, ...signalOf(options) });
      return this.#deps.book.getChat({ chatId });
    });
  }

  async leaveChat(request: { chatId: string }, options: CallOptions = {}): Promise<void> {
    await this.#exclusively(request.chatId, async () => {
      await this.#change(
        writable(this.#deps.book.open(request.chatId)),
        { kind: 'leave' },
        { files: [], introduce: [], ...signalOf(options) },
      );
    });
  }

  /** An event, sealed to everybody it concerns: members before and after it, so that who was removed learns of it. */
  async #change(
    chat: OpenChat,
    change: GroupChange,
    what: { files: readonly ChatFile[]; introduce: readonly GroupMember[]; picture?: Buffer | undefined; signal?: AbortSignal },
  ): Promise<void> {
    const { accountId, groupId, state } = chat;
    const written = await this.#write(accountId, groupId, change);
    const after = this.#deps.groups.preview(accountId, groupId, written.event);
    const refused = after?.refused.get(written.event.id);
    if (!after || refused !== undefined)
      throw new QuMailError(refused === 'not-admin' ? 'chat.not-admin' : 'chat.refused', { reason: refused ?? '' });
    // Who joins gets the whole history of the group's making, and nothing that was said; the others have it.
    const joins = change.kind === 'add';
    const passedOn = joins ? this.#deps.groups.signed(accountId, groupId).slice(-MAX_EVENTS_CARRIED) : [];
    const introduce = joins ? after.members : what.introduce;
    const to = [...new Set([...state.members, ...after.members].map(({ address }) => address))];
    const queued = (): void => {
      if (what.picture && after.picture) this.#deps.extras.putPicture(accountId, groupId, after.picture.sha256, what.picture);
    };
    const out = { accountId, groupId, act: { kind: 'events' as const }, text: '', events: [written], passedOn, to, queued };
    await this.#deps.sender.send(
      { ...out, files: what.files, introduce, ...signalOf(what) },
      { ...after, minimumLevel: state.minimumLevel },
    );
    announceChange(chat, this.#deps.emit);
  }

  async #write(accountId: string, groupId: string | undefined, change: GroupChange) {
    try {
      return await this.#deps.groups.write(accountId, groupId, change, this.#deps.clock.now());
    } catch (error) {
      if (error instanceof RangeError) throw new QuMailError('engine.bad-request', { field: change.kind }, { cause: error });
      throw error;
    }
  }

  #changeOf(chat: OpenChat, change: ChatChange): { change: GroupChange; files: readonly ChatFile[]; picture?: Buffer } {
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
        return { change: { kind: 'picture', picture }, files: [{ name: 'picture', mimeType, content }], picture: content };
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
    return reach.every(({ reachable }) => reachable) ? 'L2' : 'L3';
  }

  async #exclusively<T>(chatId: string, work: () => Promise<T>): Promise<T> {
    const run = (this.#changing.get(chatId) ?? Promise.resolve()).catch(() => {}).then(work);
    this.#changing.set(chatId, run);
    try {
      return await run;
    } finally {
      if (this.#changing.get(chatId) === run) this.#changing.delete(chatId);
    }
  }
}
