import { QuMailError } from '../base/errors.ts';
import { decodeProblem, type Etsi014Method } from './etsi014.ts';

/**
 * The standard has no code for "no keys left", and key managers answer "no such key" with 400, 401, 404 or 500. Where the status cannot
 * tell, the text of the error object has to; these are the words seen in the field.
 */
const EXHAUSTED =
  /exhaust|insufficient|not enough|no (?:more )?keys?\b|out of keys|too few keys|keys? (?:are |is )?(?:un|not )available|deplet/i;
const NOT_FOUND =
  /not found|unknown key|no such key|does not exist|not exist|cannot find|could not find|already (?:been )?(?:delivered|used|consumed|retrieved)/i;

/**
 * The error an answer with a status other than 200 stands for; `bits`: what enc_keys had asked for. The raw status stays in the details.
 * 401 → `kme.unauthorised`; 503/504/429 → `kme.unavailable`, or `kme.exhausted` by its text; anything that is not JSON → `kme.bad-answer`.
 */
export function answerError(method: Etsi014Method, answer: { status: number; body: Buffer }, bits: number): QuMailError {
  const { status } = answer;
  const reason = decodeProblem(answer.body);
  const details = { status, ...(reason ? { reason } : {}) };
  if (method === 'enc_keys' && reason !== undefined && [400, 404, 503].includes(status) && EXHAUSTED.test(reason)) {
    return new QuMailError('kme.exhausted', { ...details, wantedBits: bits, gotBits: 0 });
  }
  if (method === 'dec_keys' && reason !== undefined && isNotFound(status, reason)) return new QuMailError('kme.key-not-found', details);
  if (status === 401 || status === 403) return new QuMailError('kme.unauthorised', details);
  if (status === 503 || status === 504 || status === 429) return new QuMailError('kme.unavailable', details);
  if (reason === undefined || (status >= 300 && status < 400))
    return new QuMailError('kme.bad-answer', { status, reason: reason === undefined ? 'not-json' : 'redirect' });
  if (status >= 500) return new QuMailError('kme.unavailable', details);
  return new QuMailError(status >= 400 ? 'kme.bad-request' : 'kme.bad-answer', details);
}

function isNotFound(status: number, reason: string): boolean {
  return status === 404 || ([400, 401, 500].includes(status) && NOT_FOUND.test(reason));
}
