import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatExtras } from '../store/chatExtras.ts';
import { MAX_EVENTS_CARRIED, type SignedEvent } from './chatPart.ts';
import type { ChatFile } from './chatPorts.ts';
import type { ChatSender, Outgoing } from './chatSender.ts';
import type { GroupBook } from './groupBook.ts';
import type { GroupChange, GroupEvent, GroupMember } from './groupEvent.ts';
import type { GroupState } from './group.ts';

/** What a person decided about a group, as it waits for its turn. */
export type Decided =
  /** The beginning of a group, whose event is here already. */
  { readonly kind: 'begin' } | { readonly kind: 'change'; readonly change: GroupChange };

export interface ChangeWriterDeps {
  readonly groups: GroupBook;
  readonly extras: ChatExtras;
  readonly sender: ChatSender;
  readonly clock: Clock;
}

interface Turn {
  readonly accountId: string;
  readonly groupId: string;
  readonly messageId: string;
  readonly decided: Decided;
  readonly files: readonly ChatFile[];
  readonly signal: AbortSignal;
  readonly queued: () => void;
}

/** Turns decisions about a group into events, on what is known when it is their turn, and seals these to everybody they concern. */
export class ChangeWriter {
  readonly #deps: ChangeWriterDeps;

  constructor(deps: ChangeWriterDeps) {
    this.#deps = deps;
  }

  /**
   * The event that a change would be now, and the group after it.
   * @throws QuMailError `chat.not-admin`, `chat.refused` (details: reason), `engine.bad-request` where nobody would take it
   */
  async written(
    accountId: string,
    groupId: string,
    change: GroupChange,
  ): Promise<{ event: SignedEvent & { event: GroupEvent }; after: GroupState }> {
    const event = await this.write(accountId, groupId, change);
    const after = this.#deps.groups.preview(accountId, groupId, event.event);
    const refused = after?.refused.get(event.event.id);
    if (after && refused === undefined) return { event, after };
    throw new QuMailError(refused === 'not-admin' ? 'chat.not-admin' : 'chat.refused', { reason: refused ?? '' });
  }

  /** Signed, and not stored. @throws QuMailError `engine.bad-request` for what no reader would accept */
  async write(accountId: string, groupId: string | undefined, change: GroupChange): Promise<SignedEvent & { event: GroupEvent }> {
    try {
      return await this.#deps.groups.write(accountId, groupId, change, this.#deps.clock.now());
    } catch (error) {
      if (error instanceof RangeError) throw new QuMailError('engine.bad-request', { field: change.kind }, { cause: error });
      throw error;
    }
  }

  /** @throws QuMailError what `written` and `ChatSender.send` do; nothing is queued then */
  async send(turn: Turn): Promise<void> {
    const { accountId, groupId, messageId, files, signal, queued } = turn;
    const out = { accountId, groupId, messageId, act: { kind: 'events' as const }, text: '', files, signal, queued };
    await (turn.decided.kind === 'begin' ? this.#begin(out) : this.#change(out, turn.decided.change));
  }

  async #begin(out: Omit<Outgoing, 'events' | 'passedOn' | 'introduce'>): Promise<void> {
    const { groups, sender } = this.#deps;
    const state = groups.require(out.accountId, out.groupId);
    const passedOn = groups.signed(out.accountId, out.groupId);
    await sender.send({ ...out, events: [], passedOn, introduce: state.members.slice(1) }, state);
  }

  /** To the members before and after it, so that who was removed learns of it. */
  async #change(out: Omit<Outgoing, 'events' | 'passedOn' | 'introduce'>, change: GroupChange): Promise<void> {
    const { groups, sender, extras } = this.#deps;
    const { accountId, groupId } = out;
    const state = groups.require(accountId, groupId);
    const { event, after } = await this.written(accountId, groupId, change);
    // Who joins gets the whole history of the group's making, and nothing that was said; the others have it.
    const joins = change.kind === 'add';
    const passedOn = joins ? groups.signed(accountId, groupId).slice(-MAX_EVENTS_CARRIED) : [];
    const introduce: readonly GroupMember[] = joins ? after.members : [];
    const to = [...new Set([...state.members, ...after.members].map(({ address }) => address))];
    const [picture] = change.kind === 'picture' ? out.files : [];
    const queued: Outgoing['queued'] = (sent) => {
      if (picture && after.picture) extras.putPicture(accountId, groupId, after.picture.sha256, picture.content);
      out.queued(sent);
    };
    await sender.send({ ...out, events: [event], passedOn, introduce, to, queued }, { ...after, minimumLevel: state.minimumLevel });
  }
}
