import { mailParsers } from './mailParsers.ts';
import type { Parser } from './parser.ts';
import { sealParsers } from './sealParsers.ts';
import { serverParsers } from './serverParsers.ts';

/** Every parser of foreign bytes. */
export async function allParsers(): Promise<readonly Parser[]> {
  return [...(await sealParsers()), ...(await mailParsers()), ...serverParsers()];
}
