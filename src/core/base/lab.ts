/** What the lab tells about itself, as plain data. */
import type { MailServers } from './model.ts';

/** What the lab tells about itself once it runs (dist/lab.cjs); everything in it is SIMULATED. */
export interface LabWorld {
  readonly servers: MailServers;
  /** The lab's own CA, for mail servers and key managers alike. */
  readonly caPem: string;
  readonly users: readonly LabUser[];
}

export interface LabUser {
  readonly email: string;
  readonly displayName: string;
  readonly password: string;
  readonly saeId: string;
  readonly kmeId: string;
  readonly kmeUrl: string;
  readonly clientCertPem: string;
  readonly clientKeyPem: string;
}
