import type { Random } from '../base/ports.ts';
import { COBBLESTONE_SALT_LENGTH, openCobblestone, sealCobblestone } from './cobblestone.ts';
import { ownKey } from './ownKey.ts';

const INFO = Buffer.from('QM1 own drafts', 'latin1');
const CONTEXT = 'QuMail-Draft-v1\0';

/** The key of copies of drafts (`ownKey`). The caller wipes it. @throws QuMailError `open.malformed` */
export function ownDraftKey(secretKey: Uint8Array): Buffer {
  return ownKey(secretKey, INFO);
}

/** Seals a version of a draft (PROTOCOL 5): Cobblestone-256 with the draft's name as context. `plaintext` comes padded. */
export function sealOwnDraft(
  o: { readonly key: Uint8Array; readonly name: string; readonly plaintext: Uint8Array },
  random: Random,
): Buffer {
  return sealCobblestone(o.key, random.bytes(COBBLESTONE_SALT_LENGTH), contextOf(o.name), [o.plaintext]);
}

/** @throws QuMailError `open.truncated`, `open.tampered` where another key sealed it, or for another draft */
export function openOwnDraft(o: { readonly key: Uint8Array; readonly name: string; readonly sealed: Uint8Array }): Buffer {
  return openCobblestone(o.key, contextOf(o.name), o.sealed);
}

function contextOf(name: string): Buffer {
  return Buffer.from(`${CONTEXT}${name}`, 'latin1');
}
