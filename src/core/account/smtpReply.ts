import { QuMailError } from '../base/errors.ts';
import type { SendOutcome } from '../transport/remoteMail.ts';

/** RFC 3463 section 3: what the second number of an enhanced status speaks of. */
const SUBJECTS: Readonly<Record<string, string>> = {
  '1': 'address',
  '2': 'mailbox',
  '3': 'system',
  '4': 'network',
  '5': 'protocol',
  '6': 'content',
  '7': 'policy',
};

/** RFC 3463 subject of an enhanced status such as `5.2.2`, `other` where it has none or an unknown one. */
export function replySubject(enhanced: string): string {
  return SUBJECTS[/^[245]\.(\d{1,3})\.\d{1,3}$/.exec(enhanced)?.[1] ?? ''] ?? 'other';
}

/** The same failure, with `class` (RFC 3463 subject) beside `status` and `enhanced` where a server's answer caused it. */
export function classified(failure: QuMailError): QuMailError {
  const { status, enhanced } = failure.details;
  if (!failure.code.startsWith('smtp.') || typeof status !== 'number') return failure;
  const subject = replySubject(typeof enhanced === 'string' ? enhanced : '');
  return new QuMailError(failure.code, { ...failure.details, class: subject }, { cause: failure.cause });
}

/** What a server said about recipients it did not take while it took others, apart by whether they may be asked again later. */
export function refusals(outcome: SendOutcome): { readonly recipients: readonly string[]; readonly failure: QuMailError }[] {
  const statusOf = (address: string) => outcome.rejections.find((each) => each.address === address);
  const isTransient = (address: string): boolean => {
    const status = statusOf(address)?.status ?? 550;
    return status >= 400 && status < 500;
  };
  const kinds = [
    { code: 'smtp.deferred' as const, recipients: outcome.rejected.filter(isTransient) },
    { code: 'smtp.recipient-rejected' as const, recipients: outcome.rejected.filter((address) => !isTransient(address)) },
  ];
  return kinds
    .filter(({ recipients }) => recipients.length > 0)
    .map(({ code, recipients }) => {
      const said = statusOf(recipients[0]!);
      const answer = said && said.status > 0 ? { status: said.status, enhanced: said.enhanced } : {};
      return { recipients, failure: classified(new QuMailError(code, { ...answer, recipients })) };
    });
}
