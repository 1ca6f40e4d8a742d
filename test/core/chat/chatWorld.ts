import type { Chat, ChatMessage } from '../../../src/core/api.ts';
import type { PeopleWorld, Person } from '../../world/peopleWorld.ts';

/** Resolves with what `look` finds, looked for at once and after every event of this person's engine. */
export async function seen<T>(person: Person, look: () => Promise<T | undefined>, limitMs = 20_000): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let looking = false;
  let again = false;
  const check = async (): Promise<void> => {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    try {
      do {
        again = false;
        const found = await look();
        if (found !== undefined) resolve(found);
      } while (again);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
    } finally {
      looking = false;
    }
  };
  const listening = person.engine.onEvent(() => void check());
  // Made here, to show who waited.
  const late = new Error(`${person.name} did not see it in ${limitMs} ms`);
  // What could not be opened at once is tried again at the next look, which comes every minute where it is not set otherwise.
  const looks = setInterval(() => void person.engine.fetchMail({ accountId: person.account.id }).then(check, () => {}), 10_000);
  const timer = setTimeout(() => reject(late), limitMs);
  void check();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    clearInterval(looks);
    listening.dispose();
  }
}

/** The one chat this person has with this name, once there is one. */
export async function chatOf(person: Person, name?: string): Promise<Chat> {
  return seen(person, async () => {
    const chats = await person.engine.listChats({});
    const chat = chats.find((each) => name === undefined || each.name === name);
    return chat && person.engine.getChat({ chatId: chat.id });
  });
}

/** The message with this text, once it is there. */
export async function lineOf(person: Person, chatId: string, text: string): Promise<ChatMessage> {
  return seen(person, async () => {
    const { messages } = await person.engine.getChatMessages({ chatId, limit: 200 });
    return messages.find((message) => message.text === text);
  });
}

/** Everybody has everybody's contact card, as if handed over on a stick. */
export async function acquaint(people: readonly Person[]): Promise<void> {
  for (const person of people) {
    const { file: content } = await person.engine.exportCard({ accountId: person.account.id });
    for (const other of people) {
      if (other !== person) await other.engine.importCard({ accountId: other.account.id, content, name: person.name });
    }
  }
}

/** What a person's folders hold on the server, whatever the engine shows of it. */
export async function foldersOnServer(world: PeopleWorld, person: Person): Promise<Map<string, { messages: number; unseen: number }>> {
  const told = await world.mail.doveadm(['mailbox', 'status', '-u', person.email, 'messages unseen', '*']);
  const lines = told.split('\n').flatMap((line) => /^(.+) messages=(\d+) unseen=(\d+)$/.exec(line) ?? []);
  const folders = new Map<string, { messages: number; unseen: number }>();
  for (let at = 0; at + 3 < lines.length; at += 4)
    folders.set(lines[at + 1]!, { messages: Number(lines[at + 2]), unseen: Number(lines[at + 3]) });
  return folders;
}

/** Resolves once a mailbox is as wanted. Nothing tells when it changes, so it is looked at again and again. */
export async function onServer(isSo: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`the server was not as wanted in ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
