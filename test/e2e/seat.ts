import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALICE, BOB, type KmeWorld } from '../world/kmeWorld.ts';
import { type VSCode, type VSCodeOptions, startVSCode } from './harness/vscode.ts';
import type { QuMail } from './qumail.ts';

/** The two people of the tests that need two windows: mailboxes in two domains, SAEs of the two key managers. */
export const PEOPLE = {
  alice: { email: 'alice@example.test', name: 'Alice', password: 'alice-password', saeId: ALICE },
  bob: { email: 'bob@other.test', name: 'Bob', password: 'bob-password', saeId: BOB },
} as const;
export type PersonName = keyof typeof PEOPLE;

/** Where a person sits, and what they were given by their administrators: the authority to trust, the key manager and its files. */
export interface Place {
  /** Holds `ca.pem`, the authority of the mail servers; each person gets a folder in it. */
  readonly folder: string;
  readonly kme: KmeWorld;
}

/** A person's own VS Code with the packaged extension in it, open on the folder with their files. */
export async function takeSeat(
  name: PersonName,
  { folder, kme }: Place,
  options: Pick<VSCodeOptions, 'vsix' | 'name' | 'settings' | 'extraHostRules' | 'browser'>,
): Promise<VSCode> {
  const workspace = join(folder, name);
  mkdirSync(workspace);
  const { certPem, keyPem } = await kme.pair.client(PEOPLE[name].saeId);
  writeFileSync(join(workspace, 'client.pem'), certPem);
  writeFileSync(join(workspace, 'client-key.pem'), keyPem, { mode: 0o600 });
  writeFileSync(join(workspace, 'kme-ca.pem'), kme.pair.caPem);
  const settings = { 'qumail.certificateAuthorities': { '127.0.0.1': join(folder, 'ca.pem') }, ...options.settings };
  return startVSCode({ ...options, workspace, settings });
}

/** Connects a person's key manager and makes the other one a contact. */
export async function introduce(qumail: QuMail, own: PersonName, other: PersonName, { folder, kme }: Place): Promise<void> {
  const { url, kmeId, saeId } = await kme.profile(PEOPLE[own].saeId);
  const file = (name: string): string => join(folder, own, name);
  const files = { certFile: file('client.pem'), keyFile: file('client-key.pem'), caFile: file('kme-ca.pem') };
  await qumail.connectKeyManager({ url, kmeId, saeId, ...files });
  await qumail.saveContact({ address: PEOPLE[other].email, name: PEOPLE[other].name, saeId: PEOPLE[other].saeId });
}
