import type { ChatLetter } from '../../../src/core/account/chatLetter.ts';
import { toBase64url } from '../../../src/core/base/bytes.ts';
import type { ChatLevel } from '../../../src/core/base/chat.ts';
import { Log } from '../../../src/core/base/log.ts';
import type { QuMailEvent } from '../../../src/core/base/events.ts';
import type { Clock } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { ChangeWriter } from '../../../src/core/chat/changeWriter.ts';
import { ChatBook } from '../../../src/core/chat/chatBook.ts';
import { ChatChanges } from '../../../src/core/chat/chatChanges.ts';
import { ChatHandler } from '../../../src/core/chat/chatHandler.ts';
import type { ArrivedMail, ChatPeople, ChatPost, ChatSignatures, KnownPerson } from '../../../src/core/chat/chatPorts.ts';
import { ChatQueue } from '../../../src/core/chat/chatQueue.ts';
import { ChatReceiver } from '../../../src/core/chat/chatReceiver.ts';
import { ChatSender } from '../../../src/core/chat/chatSender.ts';
import { ChatService } from '../../../src/core/chat/chatService.ts';
import { CHAT_PART, CHAT_SIGNATURE, decodeChatPart, encodeChatPart, signedPart } from '../../../src/core/chat/chatPart.ts';
import { GroupBook, signedEvent } from '../../../src/core/chat/groupBook.ts';
import type { GroupMember } from '../../../src/core/chat/groupEvent.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import type { GeneratedCertificate } from '../../../src/core/crypto/pgpEngine.ts';
import { chatMessageId } from '../../../src/core/mail/chatMessageId.ts';
import { ChatExtras } from '../../../src/core/store/chatExtras.ts';
import { CHAT_MIGRATIONS } from '../../../src/core/store/chatSchema.ts';
import { ChatOwed } from '../../../src/core/store/chatOwed.ts';
import { ChatStore } from '../../../src/core/store/chats.ts';
import { ChatUnsent } from '../../../src/core/store/chatUnsent.ts';
import { ChatWaiting } from '../../../src/core/store/chatWaiting.ts';
import { migrate } from '../../../src/core/store/migrate.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { addAccount, openVault, tempFolder, type Vault } from '../store/vaultFixture.ts';

const pgp = new OpenPgpEngine({ random: systemRandom });
const made = new Map<string, Promise<GeneratedCertificate>>();

function certificateOf(address: string): Promise<GeneratedCertificate> {
  const known = made.get(address) ?? pgp.generate({ addresses: [address], name: '', now: Date.now() - 60_000 });
  made.set(address, known);
  return known;
}

/** One person's chats, with everything but the way mail takes: letters are kept, and a test hands them over as it likes. */
export class Side {
  readonly address: string;
  readonly accountId: string;
  readonly letters: ChatLetter[] = [];
  readonly erased: string[] = [];
  readonly store: ChatStore;
  readonly groups: GroupBook;
  readonly receiver: ChatReceiver;
  readonly handler: ChatHandler;
  readonly sender: ChatSender;
  readonly book: ChatBook;
  readonly service: ChatService;
  readonly changes: ChatChanges;
  readonly events: QuMailEvent[] = [];
  readonly certificate: GeneratedCertificate;
  readonly known = new Map<string, KnownPerson & { certificate: Buffer }>();
  readonly #vault: Vault;
  readonly #queue: ChatQueue;
  #whenSent = (): void => {};

  constructor(address: string, certificate: GeneratedCertificate, vault: Vault, clock: Clock) {
    this.address = address;
    this.accountId = address.split('@')[0]!;
    this.certificate = certificate;
    this.#vault = vault;
    const deps = { db: vault.db, sealer: vault.storage };
    this.store = new ChatStore(deps);
    const extras = new ChatExtras(deps);
    const waiting = new ChatWaiting(deps);
    const log = new Log(() => {}, 'chat');
    const emit = (event: QuMailEvent): void => void this.events.push(event);
    const people = this.#people();
    const signatures = this.#signatures();
    const post = this.#post();
    const groups = new GroupBook({ store: this.store, signatures, people });
    this.groups = groups;
    const random = systemRandom;
    const { store } = this;
    this.sender = new ChatSender({ groups, people, signatures, post, clock, random });
    this.receiver = new ChatReceiver({ store, extras, groups, people, signatures, clock, log });
    const erase = (accountId: string, envelopeId: string): Promise<void> => post.erase(accountId, envelopeId);
    const { receiver, sender } = this;
    const reread = async (): Promise<undefined> => undefined;
    this.handler = new ChatHandler({
      store,
      waiting,
      owed: new ChatOwed(deps),
      post,
      groups,
      people,
      receiver,
      sender,
      clock,
      log,
      emit,
      reread,
      erase,
    });
    this.book = new ChatBook({
      store,
      extras,
      groups,
      people,
      clock,
      world: 'real',
      readFailure: () => undefined,
      decided: (accountId, id) => this.#queue.decided(accountId, id),
    });
    const writer = new ChangeWriter({ groups, extras, sender, clock });
    this.#queue = new ChatQueue({
      store,
      unsent: new ChatUnsent(deps),
      groups,
      sender,
      writer,
      post,
      clock,
      random,
      log,
      emit,
      writeFailure: ({ code }) => code,
      timersChanged: () => this.handler.timersChanged(),
      selfOf: () => address,
    });
    const { book, handler } = this;
    this.service = new ChatService({ book, store, groups, post, queue: this.#queue, handler, clock, emit });
    this.changes = new ChatChanges({ book, people, post, queue: this.#queue, writer });
  }

  meet(other: Side): void {
    const { fingerprint, certificate } = other.certificate;
    this.known.set(other.address, { name: other.accountId, fingerprint, verified: 'no', certificate });
  }

  /** What a person sees of what was said, by whom. */
  async lines(chatId: string): Promise<string[]> {
    const { messages } = await this.book.getChatMessages({ chatId, limit: 500 });
    return messages.filter(({ notice }) => !notice).map(({ author, text }) => `${author.address.split('@')[0]}: ${text}`);
  }

  /** A signature over a part as this person makes it. */
  signPart(part: Uint8Array): Promise<Buffer> {
    return this.#sign(signedPart(part));
  }

  /** A letter of this person's as if somebody else had written it, signed with a certificate that says so. */
  async forgeAs(author: string, { fingerprint: key, secretKey }: GeneratedCertificate, letter: ChatLetter): Promise<ChatLetter> {
    const file = letter.files.find(({ name }) => name === CHAT_PART.name)!;
    const part = decodeChatPart(file.content)!;
    const messageId = chatMessageId(part.group, author, (octets) => systemRandom.bytes(octets));
    const content = encodeChatPart({ ...part, messageId, author, key });
    const signature = await pgp.sign({ data: signedPart(content), secretKey, now: Date.now(), detached: true });
    const files = [
      { ...CHAT_PART, content },
      { ...CHAT_SIGNATURE, content: signature },
    ];
    return { ...letter, messageId, files };
  }

  signEvent(encoded: string): Promise<Buffer> {
    return this.#sign(signedEvent(encoded));
  }

  /** Resolves once something was sent that nobody waits for. */
  async sent(): Promise<void> {
    while (this.letters.length === 0) await new Promise((resolve) => (this.#whenSent = () => resolve(undefined)));
  }

  dispose(): void {
    this.handler.dispose();
    this.#queue.dispose();
    this.#vault.close();
  }

  #people(): ChatPeople {
    return {
      own: async (): Promise<GroupMember> => ({ address: this.address, name: this.accountId, fingerprint: this.certificate.fingerprint }),
      known: (_, address) => this.known.get(address),
      certificate: (_, address) => (address === this.address ? this.certificate.certificate : this.known.get(address)?.certificate),
      introduce: async (_, { address, name, fingerprint }, certificate) => {
        if (certificate) this.known.set(address, { name, fingerprint, verified: 'no', certificate });
        return 'known';
      },
      accounts: () => [{ id: this.accountId, address: this.address }],
    };
  }

  #sign(data: Uint8Array): Promise<Buffer> {
    return pgp.sign({ data, secretKey: this.certificate.secretKey, now: Date.now(), detached: true });
  }

  #signatures(): ChatSignatures {
    return {
      sign: (_, data) => this.#sign(data),
      verify: async ({ address, fingerprint, data, signature }) => {
        const own = address === this.address ? { ...this.certificate } : this.known.get(address);
        if (own?.fingerprint !== fingerprint) return 'unknown';
        const result = await pgp.verify({ data, signature, verifyWith: [own.certificate], now: Date.now() }).catch(() => undefined);
        return result?.state === 'valid' && result.fingerprint === fingerprint ? 'valid' : 'invalid';
      },
    };
  }

  #post(): ChatPost {
    return {
      reach: async (_, addresses) => addresses.map((address) => ({ address, reachable: true, keyed: 'pairwise' as const })),
      outOfReach: () => undefined,
      send: async (letter) => {
        this.letters.push(letter);
        this.#whenSent();
        letter.queued(toBase64url(systemRandom.bytes(16)));
      },
      resend: async () => false,
      file: async () => {
        throw new Error('files are tested over real mail');
      },
      erase: async (_, envelopeId) => void this.erased.push(envelopeId),
    };
  }
}

export async function openSide(address: string, clock: Clock = systemClock): Promise<Side> {
  const vault = await openVault(tempFolder());
  migrate(vault.db, [...VAULT_MIGRATIONS, ...CHAT_MIGRATIONS]);
  addAccount(vault.db, address.split('@')[0]!);
  return new Side(address, await certificateOf(address), vault, clock);
}

/** A letter as it is once the other side has opened it. */
export function arrivalOf(letter: ChatLetter, from: Side, to: Side, level: ChatLevel = 'L2'): ArrivedMail {
  return {
    accountId: to.accountId,
    messageId: letter.messageId,
    inReplyTo: letter.inReplyTo ?? '',
    references: [],
    from: { name: from.accountId, address: from.address },
    to: [...letter.to],
    date: letter.at,
    text: letter.text,
    files: letter.files.map((file, index) => ({ ...file, index })),
    level,
    sealed: { envelopeId: toBase64url(systemRandom.bytes(16)) },
  };
}

/** Hands everything that was sent, and everything sent because of it, to those it is for. */
export async function deliverAll(...sides: readonly Side[]): Promise<void> {
  for (let more = true; more;) {
    more = false;
    for (const side of sides) {
      for (const letter of side.letters.splice(0)) {
        more = true;
        for (const other of sides) {
          if (letter.to.some(({ address }) => address === other.address)) await other.handler.arrived(arrivalOf(letter, side, other));
        }
      }
    }
  }
}
