import { QuMailError } from '../base/errors.ts';
import type { DraftSource } from '../base/model.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';

/** What a new draft starts with. */
export interface DraftFields {
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly subject: string;
  readonly body: string;
  readonly attach: readonly string[];
  readonly inReplyTo: string;
  readonly references: readonly string[];
  readonly minimumLevel?: SecurityLevel;
  /** The original was encrypted by classic OpenPGP. */
  readonly protection?: 'openpgp';
}

/** The fields of a draft that answers nothing. @throws QuMailError `draft.bad-address` */
export function newFields(source: Extract<DraftSource, { kind: 'new' }>): DraftFields {
  const to = (source.to ?? []).map((text) => {
    const address = normalizeAddress(text);
    if (address === undefined) throw new QuMailError('draft.bad-address', { address: text });
    return { name: '', address };
  });
  return { to, cc: [], subject: source.subject ?? '', body: source.body ?? '', attach: source.attach ?? [], inReplyTo: '', references: [] };
}
