/** An engine's sync in a process that is going to be killed: `node syncChild.ts DIR PORT CA`. Says `ready`, then syncs without end. */
import { SyncRig } from './syncRig.ts';

const [dir, port, caPem] = process.argv.slice(2) as [string, string, string];
const rig = await new SyncRig({ host: '127.0.0.1', port: Number(port), security: 'tls' }, { dir, caPem }).open();
console.log('ready');
for (;;) await rig.sync();
