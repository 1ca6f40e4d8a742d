import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DraftState, QuMailApi } from '../../../src/core/api.ts';
import { QuMailCore } from '../../../src/core/qumailCore.ts';
import { LeapClock } from '../../faults/leapClock.ts';
import { needMailWorld, startMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';

const ALICE = { email: 'alice@example.test', password: 'alice-password' };
/** Room for a few copies of short drafts, each of some 20 KB with its signature. */
const QUOTA = 200_000;

describe('a draft that its mailbox has no room for', function () {
  this.timeout(60_000);
  const clock = new LeapClock();
  const dir = mkdtempSync(join(tmpdir(), 'qumail-full-'));
  let mail: MailWorld;
  let engine: QuMailApi;
  let accountId: string;

  before(async function () {
    needMailWorld(this);
    const caPem = await testCaPem();
    mail = await startMailWorld({ users: [ALICE], tls: { ...(await issueServer()), caPem }, mailboxQuota: QUOTA });
    const secrets = new Map<string, string>();
    engine = await QuMailCore.open(
      {
        storageDir: dir,
        secrets: {
          get: async (key) => secrets.get(key),
          set: async (key, value) => void secrets.set(key, value),
          delete: async (key) => void secrets.delete(key),
        },
        openBrowser: async () => false,
        log: () => {},
        settings: { certificateAuthorities: { '127.0.0.1': caPem } },
      },
      { clock },
    );
    const servers = { imap: mail.imap, smtp: mail.smtp };
    accountId = (await engine.addAccount({ provider: 'qumail_native', displayName: 'Alice', ...ALICE, servers })).id;
    await engine.fetchMail({});
    await engine.getOwnCertificate({ accountId });
  });

  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    await mail?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function draft(subject: string, body: string): Promise<string> {
    const { id: draftId } = await engine.createDraft({ accountId, source: { kind: 'new' } });
    await engine.saveDraft({ draftId, text: text(subject, body) });
    return draftId;
  }
  const text = (subject: string, body: string): string => `To: bob@other.test\nSubject: ${subject}\n\n${body}\n`;

  /** Waits for a state, letting the time of rest pass. */
  async function becomes(draftId: string, state: DraftState['state']): Promise<DraftState> {
    for (let tries = 0; ; tries++) {
      const now = await engine.getDraftState({ draftId });
      if (now.state === state) return now;
      assert.ok(tries < 300, `still ${now.state}`);
      clock.leap(6000);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  it('stays here and says why, is in the way of no other, and goes there once it fits', async () => {
    const large = await draft('large', 'a line of some length that is not the same as any other: 0123456789\n'.repeat(6000));
    const small = await draft('small', 'a line');
    const refused = await becomes(large, 'failed');
    assert.ok(refused.state === 'failed' && refused.failure.code === 'imap.rejected', JSON.stringify(refused));
    assert.match(JSON.stringify(refused), /OVERQUOTA|quota/i);
    await becomes(small, 'on-server');
    assert.match((await engine.loadDraft({ draftId: large })).text, /0123456789/);
    await engine.saveDraft({ draftId: large, text: text('large', 'made short') });
    await becomes(large, 'on-server');
  });
});
