import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { QuMailError, type Account, type Contact, type ExportedCard } from '../../core/api.ts';
import { LivePanel } from '../livePanel.ts';
import type { ViewContext } from '../viewContext.ts';
import { takeLearned } from './certificateFiles.ts';
import { cardPage, safetyPage, type TrustPage } from './trustPage.ts';
import { trustHtml } from './trustHtml.ts';
import { parseTrustRequest } from './trustRequests.ts';
import { proofOf } from './trustWords.ts';

type Subject =
  | { readonly kind: 'safety'; readonly contact: Contact; readonly of: 'pinned' | 'changed'; readonly digits: string }
  | { readonly kind: 'card'; readonly account: Account; readonly card: ExportedCard };

/** One panel for what is compared and scanned: a contact's safety number, or the own contact card. */
export class TrustPanel implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #subscription: vscode.Disposable;
  #panel: LivePanel | undefined;
  #subject: Subject | undefined;
  #page: TrustPage | undefined;
  #generation = 0;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#subscription = context.onDidChangeWorld(() => this.#panel?.dispose());
  }

  /** Shows the number to compare: of what is pinned, or of what a change proposes. Rejects with `trust.no-certificate`, `trust.no-change`. */
  async showSafetyNumber(contact: Contact, of: 'pinned' | 'changed' = 'pinned'): Promise<void> {
    const { accountId, address } = contact;
    const safety = await this.#context.api.getSafetyNumber({ accountId, address, of });
    this.#show({ kind: 'safety', contact, of, digits: safety.digits }, safetyPage(contact, safety, of, vscode.l10n));
  }

  async showCard(account: Account): Promise<void> {
    const { api } = this.#context;
    const [card, own] = [await api.exportCard({ accountId: account.id }), await api.getOwnCertificate({ accountId: account.id })];
    this.#show({ kind: 'card', account, card }, cardPage(account, card, own, vscode.l10n));
  }

  close(): void {
    this.#panel?.dispose();
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#panel?.dispose();
  }

  #show(subject: Subject, page: TrustPage): void {
    this.#subject = subject;
    this.#page = page;
    if (this.#panel) this.#panel.load();
    else this.#panel = this.#open(page);
    this.#panel.title = page.title;
    this.#panel.icon = subject.kind === 'card' ? 'credit-card' : 'verified';
    this.#panel.reveal();
  }

  #open({ title }: TrustPage): LivePanel {
    const options = {
      viewType: 'qumail.trust',
      // What was typed to be compared stays while another tab is looked at.
      panel: { retainContextWhenHidden: true },
      load: (webview: vscode.Webview): void => this.#load(webview),
      onMessage: (value: unknown): void => {
        void this.#answer(value).catch((error: unknown) => this.#context.showFailure(error, this.#about()));
      },
      onDidClose: (): void => {
        this.#panel = undefined;
        this.#subject = undefined;
        this.#page = undefined;
      },
      onEmpty: (): void => void this.#context.showFailure(new QuMailError('page.empty')),
    };
    return new LivePanel(options, title);
  }

  #load(webview: vscode.Webview): void {
    if (!this.#page) return;
    const dist = vscode.Uri.joinPath(this.#context.extensionUri, 'dist');
    webview.options = { enableScripts: true, localResourceRoots: [dist] };
    webview.html = trustHtml(this.#page, {
      nonce: randomBytes(16).toString('hex'),
      scriptUri: webview.asWebviewUri(vscode.Uri.joinPath(dist, 'trust.js')).toString(),
      language: vscode.env.language,
      generation: ++this.#generation,
    });
  }

  async #answer(value: unknown): Promise<void> {
    const request = parseTrustRequest(value);
    const subject = this.#subject;
    if (request?.kind === 'ready') return this.#panel?.ready();
    if (!request || !subject || request.generation !== this.#generation) return;
    if (request.kind === 'no-code') {
      void vscode.window.showWarningMessage(vscode.l10n.t('There is no readable QR code in this picture.'));
    } else if (subject.kind === 'safety') {
      if (request.kind === 'text') await this.#prove(subject, request.text);
      else if (request.action === 'match') await this.#prove(subject, subject.digits);
      else if (request.action === 'differ') await this.#differ(subject);
    } else if (request.kind === 'text') {
      await takeLearned(this.#context, await this.#context.api.importCard({ accountId: subject.account.id, content: request.text.trim() }));
    } else if (request.action === 'copy') {
      await vscode.env.clipboard.writeText(subject.card.qr);
      vscode.window.setStatusBarMessage(`$(copy) ${vscode.l10n.t('Code copied')}`, 3000);
    } else {
      await vscode.commands.executeCommand(
        request.action === 'save' ? 'qumail.exportContactCard' : 'qumail.importContactCard',
        subject.account.id,
      );
    }
  }

  async #prove(subject: Extract<Subject, { kind: 'safety' }>, text: string): Promise<void> {
    const proof = proofOf(text);
    if (!proof) return;
    const { accountId, address, keyChange } = subject.contact;
    const { api } = this.#context;
    // A comparison with what a change proposes is the best reason to accept it; the decision is for this very change.
    if (subject.of === 'changed' && keyChange) {
      const accept = vscode.l10n.t('Accept and Verify');
      const question = vscode.l10n.t('Accept the new key of {0}?', subject.contact.name || address);
      const detail = vscode.l10n.t('You compared it. From now on mail is sealed to the new key.');
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, accept)) !== accept) return;
      await api.resolveKeyChange({ accountId, address, changeId: keyChange.id, decision: 'accept' });
    }
    const contact = await api.verifyContact({ accountId, address, proof });
    vscode.window.setStatusBarMessage(`$(verified) ${vscode.l10n.t('{0} is verified', contact.name || address)}`, 5000);
    await this.showSafetyNumber(contact);
  }

  async #differ({ contact, of }: Extract<Subject, { kind: 'safety' }>): Promise<void> {
    const { accountId, address, keyChange } = contact;
    const name = contact.name || address;
    const refuse = of === 'changed' ? vscode.l10n.t('Reject the Change') : vscode.l10n.t('Forget the Certificate');
    const detail = vscode.l10n.t(
      'One of the two certificates is not the right one: somebody may be between you, or one of you looks at another device. Send {0} nothing that must stay secret at L3 until you know. Quantum-sealed mail (L1, L2) does not depend on this number.',
      name,
    );
    const pressed = await vscode.window.showErrorMessage(vscode.l10n.t('The numbers differ'), { modal: true, detail }, refuse);
    if (pressed !== refuse) return;
    if (of === 'changed' && keyChange) {
      await this.#context.api.resolveKeyChange({ accountId, address, changeId: keyChange.id, decision: 'reject' });
    } else {
      await this.#context.api.forgetCertificate({ accountId, address });
    }
    this.#panel?.dispose();
  }

  #about(): { accountId?: string; contact?: string } {
    if (this.#subject?.kind === 'safety') return { accountId: this.#subject.contact.accountId, contact: this.#subject.contact.address };
    return this.#subject ? { accountId: this.#subject.account.id } : {};
  }
}
