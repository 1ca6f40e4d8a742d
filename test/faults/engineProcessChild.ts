/** An engine behind a process's IPC channel, as engineProcess.ts starts it: `node engineProcessChild.cjs OPTIONS`. */
import { toDisposable } from '../../src/core/base/lifetime.ts';
import { serveEngine } from '../../src/core/engineServer.ts';
import { QuMailCore } from '../../src/core/qumailCore.ts';
import { LeapClock } from './leapClock.ts';
import { Dice, hastyRandom } from './seeded.ts';

const { storageDir, settings, ahead } = JSON.parse(process.argv[2] ?? '{}');
const clock = new LeapClock();
clock.leap(ahead);
process.on('message', (message) => {
  if (typeof message === 'object' && message !== null && 'leap' in message) clock.leap(Number(message.leap));
});
// Whoever started it has gone.
process.on('disconnect', () => process.exit());
serveEngine(
  {
    postMessage: (value) => void process.send?.(value),
    onMessage: (listener) => {
      const heard = (message: unknown): void => {
        if (!(typeof message === 'object' && message !== null && 'leap' in message)) listener(message);
      };
      process.on('message', heard);
      return toDisposable(() => process.off('message', heard));
    },
  },
  (host) =>
    QuMailCore.open(
      { ...host, storageDir, settings },
      { clock, random: hastyRandom(new Dice(7)), timing: { connectMs: 2500, silenceMs: 2000, probeMs: 2000, wakeMs: 1500 } },
    ),
  () => process.disconnect(),
);
