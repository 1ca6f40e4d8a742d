import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { QuMailError, type Account, type EngineSettings, type LabUser, type LabWorld, type QuMailApi } from '../../core/api.ts';
import type { Composer } from '../composer/composer.ts';
import { EngineClient } from '../engineClient.ts';
import { logTo, memorySecrets, openInBrowser } from '../hostPorts.ts';
import type { Worlds } from '../worlds.ts';
import { startLabWorker, type LabWorker } from './labWorker.ts';
import { startLabGroup } from './labGroup.ts';
import { labGuide } from './labGuide.ts';

export interface LabFiles {
  /** Absolute paths of dist/lab.cjs and dist/engine.cjs. */
  readonly labScript: string;
  readonly engineScript: string;
  /** Holds one folder per opened lab, which goes with it. */
  readonly storageDir: string;
  /** What the person configured: habits such as the undo delay hold in the lab, too. */
  readonly settings: () => EngineSettings;
}

interface OpenLab {
  readonly worker: LabWorker;
  readonly client: EngineClient;
  readonly storageDir: string;
  /** Ends what still goes on in the background. */
  readonly closing: AbortController;
}

/** The demo world: loaded only when asked for, on storage and secrets of its own, gone when closed. Everything in it is SIMULATED. */
export class Lab implements vscode.Disposable {
  readonly #worlds: Worlds;
  readonly #composer: Composer;
  readonly #files: LabFiles;
  #opening: Promise<void> | undefined;
  #open: OpenLab | undefined;

  constructor(worlds: Worlds, composer: Composer, files: LabFiles) {
    this.#worlds = worlds;
    this.#composer = composer;
    this.#files = files;
  }

  /** Opens the lab with a letter ready to be sent; asked again, it shows the one that is open. */
  async open(): Promise<void> {
    if (!this.#open) {
      this.#opening ??= this.#worlds
        .run(vscode.l10n.t('Opening the demo lab'), (signal, report) => this.#start(signal, report), {
          failure: { retry: () => this.open() },
        })
        .finally(() => {
          this.#opening = undefined;
        });
      await this.#opening;
    }
    if (this.#open) await vscode.commands.executeCommand('qumail.mail.focus');
  }

  /** Tells an open lab that settings changed. */
  async configure(): Promise<void> {
    const open = this.#open;
    if (open) await open.client.api.configure(this.#settings(open.worker.world));
  }

  /** Back to the real world; nothing of the lab stays. */
  async close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    await this.#worlds.enter(this.#worlds.real);
    await this.#end(open);
  }

  dispose(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open) void this.#end(open);
  }

  async #start(signal: AbortSignal, report: (message: string) => void): Promise<void> {
    await sweep(this.#files.storageDir);
    const storageDir = join(this.#files.storageDir, randomUUID());
    report(vscode.l10n.t('starting a mail host and key managers'));
    const worker = await startLabWorker(this.#files.labScript, signal);
    const client = this.#engine(worker.world, storageDir);
    const lab: OpenLab = { worker, client, storageDir, closing: new AbortController() };
    try {
      report(vscode.l10n.t('signing in four people'));
      const accounts = await settle(client.api, worker.world, signal);
      this.#open = lab;
      await this.#worlds.enter(client);
      await this.#invite(worker.world, accounts);
      this.#begin(lab, accounts);
    } catch (error) {
      await this.close();
      await this.#end(lab);
      throw error;
    }
    void worker.ended.then(() => this.#onWorkerEnd(lab));
  }

  #engine(world: LabWorld, storageDir: string): EngineClient {
    return new EngineClient({
      world: 'lab',
      script: this.#files.engineScript,
      storageDir,
      secrets: memorySecrets(),
      openBrowser: openInBrowser,
      log: logTo(this.#worlds.log),
      settings: () => this.#settings(world),
    });
  }

  /** The lab's own authority in the place of whatever is trusted outside. */
  #settings({ servers: { imap, smtp }, caPem }: LabWorld): EngineSettings {
    return { ...this.#files.settings(), certificateAuthorities: { [imap.host]: caPem, [smtp.host]: caPem } };
  }

  /** A letter from the first person to the second, ready to be sent: its text is the guide. */
  async #invite({ users }: LabWorld, accounts: readonly Account[]): Promise<void> {
    const [from, to] = users;
    const account = accounts[0];
    if (!from || !to || !account) return;
    const { subject, body } = labGuide({ from: from.displayName, to: to.displayName }, vscode.l10n);
    await this.#composer.open(account.id, { kind: 'new', to: [to.email], subject, body });
  }

  /** The group comes when it is ready; a lab without it is still a lab. */
  #begin(lab: OpenLab, accounts: readonly Account[]): void {
    startLabGroup(lab.client.api, accounts, vscode.l10n, lab.closing.signal).catch((error: unknown) => {
      if (this.#open === lab) this.#worlds.log.warn(`no group in the lab: ${QuMailError.from(error).code}`);
    });
  }

  async #onWorkerEnd(lab: OpenLab): Promise<void> {
    if (this.#open !== lab) return;
    await this.close();
    await this.#worlds.showFailure(new QuMailError('engine.stopped'));
  }

  async #end({ client, worker, storageDir, closing }: OpenLab): Promise<void> {
    closing.abort(new QuMailError('engine.cancelled'));
    await client.close();
    await worker.end();
    await rm(storageDir, { recursive: true, force: true }).catch(() => {});
  }
}

/** A lab whose window crashed leaves its folder behind. Those of other windows are younger than this. */
const ABANDONED_MS = 86_400_000;

async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const path of names.map((name) => join(folder, name))) {
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_MS) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** Signs everyone in, connects their key managers and makes them each other's contacts. */
async function settle(api: QuMailApi, world: LabWorld, signal: AbortSignal): Promise<readonly Account[]> {
  const accounts: Account[] = [];
  for (const user of world.users) {
    const { email, displayName, password } = user;
    const account = await api.addAccount({ provider: 'qumail_native', email, displayName, password, servers: world.servers }, { signal });
    accounts.push(account);
    await connect(api, account.id, user, world, signal);
    for (const other of world.users.filter((one) => one !== user)) {
      await api.saveContact({
        accountId: account.id,
        address: other.email,
        name: other.displayName,
        saeId: other.saeId,
        minimumLevel: 'L4',
      });
    }
  }
  return accounts;
}

async function connect(api: QuMailApi, accountId: string, user: LabUser, world: LabWorld, signal: AbortSignal): Promise<void> {
  const client = { kind: 'pem', certPem: user.clientCertPem, keyPem: user.clientKeyPem } as const;
  await api.connectKeyManager(
    { accountId, url: user.kmeUrl, kmeId: user.kmeId, saeId: user.saeId, caPem: world.caPem, client },
    { signal },
  );
}
