import type { ErrorDetails, Failure } from '../core/api.ts';
import type { Localiser } from './localiser.ts';
import type { NextStep, Sentence } from './sentence.ts';
import { sentences } from './sentences.ts';

export type { Localiser } from './localiser.ts';
export type { NextStep } from './sentence.ts';

/** A failure in words: one or two short sentences, and the next step where there is one. */
export interface Presentation {
  readonly sentence: string;
  readonly step?: NextStep;
  readonly button?: string;
}

/** Turns a failure into a sentence and a button. Every code has its words: a new one fails to compile here. */
export function present(failure: Failure, l10n: Localiser): Presentation {
  const table: Partial<Record<string, Sentence>> = sentences(l10n);
  const entry = table[failure.code] ?? sentences(l10n)['engine.internal'];
  const sentence = entry.say((name, otherwise = '') => factOf(failure.details, name) ?? otherwise);
  return entry.step ? { sentence, step: entry.step, button: buttonLabel(entry.step, l10n) } : { sentence };
}

/** The sentence alone, for banners, tooltips and diagnostics. */
export function sentenceOf(failure: Failure, l10n: Localiser): string {
  return present(failure, l10n).sentence;
}

/** What stands on the button of a step. */
export function buttonLabel(step: NextStep, l10n: Localiser): string {
  const labels: Record<NextStep, string> = {
    'sign-in-again': l10n.t('Sign In Again'),
    'client-id': l10n.t('Set Client ID'),
    'certificate-authorities': l10n.t('Trust a Certificate Authority'),
    'key-manager': l10n.t('Connect Key Manager'),
    'key-manager-status': l10n.t('Key Manager Status'),
    contact: l10n.t('Edit Contact'),
    'key-change': l10n.t('Review Change'),
    'verify-contact': l10n.t('Verify Contact'),
    certificate: l10n.t('Find Certificate'),
    'ask-again': l10n.t('Ask to Seal Again'),
    report: l10n.t('Copy Report'),
    update: l10n.t('Check for Updates'),
    pad: l10n.t('Import Pad'),
    unlock: l10n.t('Unlock'),
    passphrase: l10n.t('Set Passphrase'),
    level: l10n.t('Choose Security Level'),
    fetch: l10n.t('Fetch Mail'),
    outbox: l10n.t('Show Outbox'),
    retry: l10n.t('Try Again'),
    restart: l10n.t('Restart QuMail'),
    reload: l10n.t('Reload Window'),
    log: l10n.t('Show Log'),
    'create-folder': l10n.t('Create Folder'),
  };
  return labels[step];
}

function factOf(details: ErrorDetails, name: string): string | undefined {
  const value = details[name];
  if (value === undefined || value === '') return undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : value.join(', ');
}
