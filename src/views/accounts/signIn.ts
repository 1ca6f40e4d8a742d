import * as vscode from 'vscode';
import { QuMailError, type Account, type ProviderId } from '../../core/api.ts';
import { askText } from '../box.ts';
import type { Settings } from '../settings.ts';
import { runWizard } from '../wizard/wizard.ts';
import type { Answers, Choice } from '../wizard/steps.ts';
import type { Worlds } from '../worlds.ts';
import { commandOf } from './commandSteps.ts';
import { confirmCommand } from './confirmCommand.ts';
import { foundChoices, knownChoices, nothingFound } from './foundServers.ts';
import { GOOGLE_PROVIDER_ID, type GoogleAuthentication } from './googleAuthentication.ts';
import { GOOGLE_SCOPES } from './googleScopes.ts';
import { domainOf, knownProvider } from './mailDomains.ts';
import { signInFlows } from './signInFlow.ts';
import { requestOf, signInSteps } from './signInSteps.ts';

/** Signing in for the first time, again, and out. */
export class SignIn {
  readonly #worlds: Worlds;
  readonly #settings: Settings;
  readonly #google: GoogleAuthentication;

  constructor(worlds: Worlds, settings: Settings, google: GoogleAuthentication) {
    this.#worlds = worlds;
    this.#settings = settings;
    this.#google = google;
  }

  /** The wizard, from its first question; `given` are answers of an attempt that failed. */
  async addAccount(given: Answers = {}): Promise<void> {
    const { googleClientId, yahooClientId } = this.#settings.read();
    const steps = signInSteps(vscode.l10n, {
      clients: { google: googleClientId !== '', yahoo: yahooClientId !== '' },
      flows: signInFlows(this.#settings.site),
      servers: (answered, signal) => this.#findServers(answered['email'] ?? '', signal),
    });
    const answers = await runWizard(vscode.l10n.t('Sign In'), steps, given);
    if (!answers) return;
    if (answers['provider'] === 'lab') return void vscode.commands.executeCommand('qumail.openLab');
    if (answers['provider'] === 'google' && answers['client'] === 'guide') return void vscode.commands.executeCommand('qumail.setUpGoogle');
    if (answers['provider'] === 'command' && !(await confirmCommand(commandOf(answers)))) return;
    await this.#leaveLab();
    await this.#worlds.run(vscode.l10n.t('Saving'), () => this.#storeClient(answers), { place: 'silent' });
    if (answers['provider'] === 'google') return this.#signInWithGoogle(answers);
    const request = requestOf(answers);
    if (!request) return;
    const throughBrowser = request.provider === 'yahoo' || request.provider === 'oidc';
    const title = throughBrowser ? vscode.l10n.t('Signing in through your browser') : vscode.l10n.t('Signing in');
    const { api } = this.#worlds;
    const account = await this.#worlds.run(
      title,
      async (signal) => {
        await this.#settings.prepareSignIn(api);
        return api.addAccount(request, { signal });
      },
      { failure: { retry: () => this.addAccount(answers) } },
    );
    if (account) await this.#show();
  }

  /** Renews the sign-in of an account that has one; mail and keys stay. */
  async signInAgain(account: Account): Promise<void> {
    if (account.provider === 'google') return this.#signInWithGoogle({}, account);
    const password = account.provider === 'qumail_native' ? await this.#askPassword(account) : undefined;
    if (account.provider === 'qumail_native' && password === undefined) return;
    const { api } = this.#worlds;
    await this.#worlds.run(
      vscode.l10n.t('Signing in {0}', account.email),
      async (signal) => {
        await this.#settings.prepareSignIn(api);
        return api.signInAgain({ accountId: account.id, ...(password === undefined ? {} : { password }) }, { signal });
      },
      { failure: { accountId: account.id, retry: () => this.signInAgain(account) } },
    );
  }

  async signOut(account: Account): Promise<void> {
    const signOut = vscode.l10n.t('Sign Out');
    const detail = vscode.l10n.t(
      'Its mail, contacts and keys are erased from this computer. Sealed mail that was opened here cannot be opened again. Mail on the server stays.',
    );
    const answer = await vscode.window.showWarningMessage(vscode.l10n.t('Sign out {0}?', account.email), { modal: true, detail }, signOut);
    if (answer !== signOut) return;
    await this.#worlds.run(vscode.l10n.t('Signing out {0}', account.email), () => this.#worlds.api.signOut({ accountId: account.id }));
  }

  /** Asks for a client secret and puts it into the secret storage; an empty one deletes it. */
  async setClientSecret(): Promise<void> {
    const answers = await runWizard(vscode.l10n.t('Set OAuth Client Secret'), [
      {
        kind: 'pick',
        key: 'provider',
        prompt: vscode.l10n.t('Which provider is the secret for?'),
        choices: [
          { value: 'google', label: 'Google (Gmail)' },
          { value: 'yahoo', label: 'Yahoo' },
          { value: 'oidc', label: vscode.l10n.t('Other OAuth provider') },
        ],
      },
      {
        kind: 'text',
        key: 'issuer',
        when: (given) => given['provider'] === 'oidc',
        prompt: vscode.l10n.t('Address of the sign-in service (OpenID Connect issuer)'),
      },
      {
        kind: 'text',
        key: 'clientSecret',
        secret: 'secret',
        prompt: vscode.l10n.t('The client secret. Leave it empty to delete the one that is stored.'),
      },
    ]);
    if (!answers) return;
    await this.#worlds.run(vscode.l10n.t('Saving'), () => this.#storeSecret(answers, answers['clientSecret'] ?? ''), { place: 'silent' });
  }

  /** Asks for the client ID and secret that the guide for Google ends with, then goes on to sign in. */
  async enterGoogleClient(): Promise<void> {
    const given = { provider: 'google', client: 'have' };
    const steps = signInSteps(vscode.l10n, { clients: { google: false, yahoo: true }, flows: [], servers: async () => [] });
    const answers = await runWizard(
      vscode.l10n.t('Google Client ID'),
      steps.filter(({ key }) => key === 'clientId' || key === 'clientSecret'),
      given,
    );
    if (!answers) return;
    await this.#leaveLab();
    const stored = await this.#worlds.run(vscode.l10n.t('Saving'), async () => (await this.#storeClient(answers), 'stored'), {
      place: 'silent',
      failure: { retry: () => this.enterGoogleClient() },
    });
    if (stored) await this.#signInWithGoogle(answers);
  }

  /** The servers of an address as choices; a search that fails finds nothing, and the person enters them. */
  async #findServers(email: string, signal: AbortSignal): Promise<readonly Choice[]> {
    const known = knownProvider(email);
    if (known) return knownChoices(known, vscode.l10n);
    try {
      const found = await this.#worlds.real.api.discoverServers({ email }, { signal });
      if (found.length > 0) return foundChoices(found, vscode.l10n);
    } catch (error) {
      this.#worlds.log.info(`servers not discovered: ${QuMailError.from(error).code}`);
    }
    return [nothingFound(domainOf(email), vscode.l10n)];
  }

  /** Through VS Code, so that the account appears in its Accounts menu and other windows hear of it. */
  async #signInWithGoogle(answers: Answers, again?: Account): Promise<void> {
    this.#google.takeFailure();
    this.#google.suggest(answers['email']);
    try {
      // With one account here already, VS Code asks whether to use that or another.
      const how = again
        ? { forceNewSession: true as const, account: { id: again.userId || again.email, label: again.email } }
        : { createIfNone: true as const, clearSessionPreference: true };
      await vscode.authentication.getSession(GOOGLE_PROVIDER_ID, GOOGLE_SCOPES, how);
      await this.#show();
    } catch {
      // Without a failure of our own it was the person who said no to VS Code's question.
      const failure = this.#google.takeFailure();
      const retry = (): unknown => (again ? this.signInAgain(again) : this.addAccount(answers));
      if (failure !== undefined) await this.#worlds.showFailure(failure, { ...(again ? { accountId: again.id } : {}), retry });
    }
  }

  async #storeClient(answers: Answers): Promise<void> {
    const { provider, clientId, clientSecret } = answers;
    if (clientId && (provider === 'google' || provider === 'yahoo')) {
      await vscode.workspace.getConfiguration('qumail').update(`${provider}.clientId`, clientId, vscode.ConfigurationTarget.Global);
      await this.#worlds.api.configure(this.#settings.read());
    }
    if (clientSecret) await this.#storeSecret(answers, clientSecret);
  }

  async #storeSecret({ provider, issuer }: Answers, secret: string): Promise<void> {
    const known: readonly ProviderId[] = ['google', 'yahoo', 'oidc'];
    const id = known.find((candidate) => candidate === provider);
    if (id) await this.#worlds.real.api.setClientSecret({ provider: id, secret, ...(issuer ? { issuer } : {}) });
  }

  async #askPassword(account: Account): Promise<string | undefined> {
    return askText({
      title: vscode.l10n.t('Sign In Again'),
      prompt: vscode.l10n.t('Password or app password for {0}', account.email),
      password: true,
      ignoreFocusOut: true,
    });
  }

  /** Real accounts belong to the real world. */
  async #leaveLab(): Promise<void> {
    if (this.#worlds.world === 'lab') await vscode.commands.executeCommand('qumail.closeLab');
  }

  async #show(): Promise<void> {
    await vscode.commands.executeCommand('qumail.mail.focus');
  }
}
