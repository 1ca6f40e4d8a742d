import type { ConformanceCheck, ConformanceId, ConformanceReport, ErrorDetails, KmeProfileName } from '../../core/api.ts';
import type { Localiser } from '../present.ts';
import { bitsWords } from './budgetWords.ts';

/** The conformance check in words: one row for each thing that was tried. */
export interface ConformancePage {
  readonly title: string;
  readonly about: string;
  readonly columns: readonly [string, string, string];
  readonly rows: readonly ConformanceRow[];
  readonly summary: string;
  /** The profile that the check suggests, where another is in use. */
  readonly suggestion?: { readonly words: string; readonly button: string; readonly profile: KmeProfileName };
}

export interface ConformanceRow {
  readonly what: string;
  readonly outcome: string;
  readonly tone: 'good' | 'plain' | 'bad';
  readonly facts: string;
}

export function conformancePage(report: ConformanceReport, l10n: Localiser): ConformancePage {
  const count = (outcome: ConformanceCheck['outcome']): number => report.checks.filter((check) => check.outcome === outcome).length;
  return {
    title: l10n.t('Key Manager Test: {0}', report.kmeId),
    about: l10n.t(
      'ETSI GS QKD 014, link to {0}. Spent {1} keys ({2}), which were destroyed.',
      report.peerSaeId,
      report.spent.keys,
      bitsWords(report.spent.bits),
    ),
    columns: [l10n.t('Checked'), l10n.t('Outcome'), l10n.t('Facts')],
    rows: report.checks.map((check) => ({
      what: checkName(check.id, l10n),
      ...outcomeWords(check.outcome, l10n),
      facts: factWords(check.details),
    })),
    summary: l10n.t(
      '{0} as the standard says, {1} otherwise, {2} refused, {3} not tested.',
      count('ok'),
      count('deviates'),
      count('refused'),
      count('not-tested'),
    ),
    ...(report.suggested === report.profile
      ? {}
      : {
          suggestion: {
            words: l10n.t('QuMail suggests the profile "{0}": {1}', report.suggested, profileMeaning(report.suggested, l10n)),
            button: l10n.t('Use This Profile'),
            profile: report.suggested,
          },
        }),
  };
}

/** What a profile does. */
export function profileMeaning(profile: KmeProfileName, l10n: Localiser): string {
  const meanings: Record<KmeProfileName, string> = {
    etsi: l10n.t('as the standard says'),
    prefetching: l10n.t('keys are asked for ahead of time, so that sending need not wait'),
    'one-key-per-request': l10n.t('never more than one key at a time'),
    'master-in-key-ids': l10n.t('the SAE ID of the sender goes along with each key ID'),
    'get-only': l10n.t('GET requests only, one key at a time'),
    cautious: l10n.t('one request at a time, one key each'),
  };
  return meanings[profile];
}

function checkName(id: ConformanceId, l10n: Localiser): string {
  const names: Record<ConformanceId, string> = {
    'tls-version': l10n.t('TLS version'),
    'tls-identity': l10n.t('KME ID in the certificate'),
    'status-fields': l10n.t('Status: all fields'),
    'status-counts': l10n.t('Status: counts that can be'),
    post: l10n.t('Keys by POST'),
    'post-empty': l10n.t('Keys by POST without a body'),
    get: l10n.t('Keys by GET'),
    size: l10n.t('Other key sizes'),
    number: l10n.t('Several keys at once'),
    'size-error-text': l10n.t('Error for an impossible size'),
    'container-member': l10n.t('Name of the key container'),
    'key-ids-random': l10n.t('Key IDs tell nothing about keys'),
    'not-found-text': l10n.t('Error for an unknown key'),
    multicast: l10n.t('Keys for several SAEs'),
    redelivery: l10n.t('No key comes twice'),
    timing: l10n.t('Time to answer'),
  };
  return names[id];
}

function outcomeWords(outcome: ConformanceCheck['outcome'], l10n: Localiser): Pick<ConformanceRow, 'outcome' | 'tone'> {
  const words: Record<ConformanceCheck['outcome'], Pick<ConformanceRow, 'outcome' | 'tone'>> = {
    ok: { outcome: l10n.t('as the standard says'), tone: 'good' },
    deviates: { outcome: l10n.t('otherwise; QuMail copes'), tone: 'bad' },
    refused: { outcome: l10n.t('not offered'), tone: 'plain' },
    'not-tested': { outcome: l10n.t('not tested'), tone: 'plain' },
  };
  return words[outcome];
}

/** The facts as the engine names them: they are for whoever runs the key manager. */
function factWords(details: ErrorDetails): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? value.join(', ') : String(value).slice(0, 120)}`)
    .join('; ');
}
