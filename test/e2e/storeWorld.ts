import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import { startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { type VSCode, startVSCode } from './harness/vscode.ts';
import type { Workbench } from './harness/workbench.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';

/** What talks to real servers, beside a whole VS Code, takes this long at most. */
export const SERVER_MS = 60_000;
export const ALICE = { email: 'alice@example.test', name: 'Alice', password: 'alice-password' };
/** Her other mailbox. */
export const ALICE_AT_WORK = { email: 'alice@other.test', name: 'Alice', password: 'work-password' };

/** A message as the server has it, `n` hours after the first one. */
export function letter(o: { n: number; from: string; subject: string; text: string; reply?: number; head?: string }): Buffer {
  const date = new Date(Date.UTC(2026, 8, 1, 9) + o.n * 3_600_000).toUTCString().replace('GMT', '+0000');
  const reply = o.reply === undefined ? '' : `In-Reply-To: <${o.reply}@example.test>\r\nReferences: <${o.reply}@example.test>\r\n`;
  const head = `From: ${o.from}\r\nTo: Alice <alice@example.test>\r\nSubject: ${o.subject}\r\nDate: ${date}\r\n${reply}${o.head ?? ''}`;
  return Buffer.from(`${head}Message-ID: <${o.n}@example.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${o.text}\r\n`);
}

/** Waits until `holds`, asking again every tenth of a second. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const limit = Date.now() + SERVER_MS; !(await holds()); await delay(100)) if (Date.now() > limit) throw new Error(`never ${what}`);
}

/** Mailboxes on real servers, and a VS Code with the packaged extension that Alice has signed in to. */
export class StoreWorld implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'qumail-store-'));
  readonly #name: string;
  #mail: MailWorld | undefined;
  #vscode: VSCode | undefined;
  #qumail: QuMail | undefined;

  /** @param name of the screenshots */
  constructor(name: string) {
    this.#name = name;
  }

  get mail(): MailWorld {
    return there(this.#mail);
  }

  get qumail(): QuMail {
    return there(this.#qumail);
  }

  get workbench(): Workbench {
    return there(this.#vscode).workbench;
  }

  /** The folder that is open in VS Code. */
  get workspace(): string {
    return join(this.folder, 'workspace');
  }

  /** Starts the servers, has `prepare` fill the mailboxes, then starts VS Code and signs Alice in. */
  async start(prepare: (mail: MailWorld) => Promise<void>): Promise<void> {
    const caPem = await testCaPem();
    writeFileSync(join(this.folder, 'ca.pem'), caPem);
    this.#mail = await startMailWorld({ users: [ALICE, ALICE_AT_WORK], tls: { ...(await issueServer()), caPem } });
    await prepare(this.#mail);
    this.#vscode = await startVSCode({
      vsix: [packagedExtension()],
      name: this.#name,
      workspace: this.workspace,
      settings: { 'qumail.certificateAuthorities': { '127.0.0.1': join(this.folder, 'ca.pem') } },
    });
    this.#qumail = new QuMail(this.#vscode.workbench);
    await this.#qumail.open();
    await this.#qumail.signInWithPassword({ ...ALICE, servers: this.#mail });
  }

  /** The rows of the Messages view, or those with this text. */
  row(text?: string | RegExp): Locator {
    const { page } = this.workbench;
    const pane = page.locator('.part.sidebar .pane', { has: page.locator('.pane-header[aria-label^="Messages"]') });
    return pane.locator('.monaco-list-row', text === undefined ? {} : { hasText: text });
  }

  /** After a test that failed: what it looked like, and what QuMail logged. */
  async explain(): Promise<void> {
    await this.workbench.screenshot('failed');
    console.log(this.#vscode?.log('QuMail.log'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#vscode?.[Symbol.asyncDispose]();
    await this.#mail?.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('start() first');
  return value;
}
