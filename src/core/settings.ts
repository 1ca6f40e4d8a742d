import * as v from 'valibot';
import type { EngineSettings } from './base/engineSettings.ts';
import { QuMailError } from './base/errors.ts';
import { SECURITY_LEVELS } from './base/types.ts';

const ClientId = v.pipe(v.string(), v.trim(), v.maxLength(512), v.regex(/^[\x21-\x7e]*$/));

const SettingsSchema = v.object({
  googleClientId: ClientId,
  yahooClientId: ClientId,
  certificateAuthorities: v.record(v.pipe(v.string(), v.maxLength(253)), v.pipe(v.string(), v.maxLength(1_000_000))),
  fetchInterval: v.pipe(v.number(), v.minValue(5), v.maxValue(86_400)),
  signInRedirect: v.picklist(['loopback', 'uri']),
  uriRedirect: v.pipe(v.string(), v.maxLength(2048)),
  startLevel: v.picklist(['best', ...SECURITY_LEVELS]),
});

/** Settings as they came from the editor, checked; throws `account.bad-settings` naming the field. */
export function parseSettings(input: unknown): EngineSettings {
  const result = v.safeParse(SettingsSchema, input);
  if (result.success) return result.output;
  throw new QuMailError('account.bad-settings', { field: v.getDotPath(result.issues[0]) ?? '' });
}
