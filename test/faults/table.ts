import { IMAP_ROWS } from './imapRows.ts';
import { OTHER_ROWS } from './otherRows.ts';
import type { FaultRow } from './row.ts';
import { SIGN_IN_ROWS } from './signInRows.ts';
import { SMTP_ROWS } from './smtpRows.ts';

/** The fault table. Cuts after every 997th byte come on top of it (cuts.ts). */
export const FAULT_TABLE: readonly FaultRow[] = [...SIGN_IN_ROWS, ...IMAP_ROWS, ...SMTP_ROWS, ...OTHER_ROWS];
