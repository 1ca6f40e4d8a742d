import { createRequire } from 'node:module';
import { build, stop } from 'esbuild';

/** Bundles a program around the engine as the extension's is: OpenPGP.js is a file of its own that is loaded when it is first needed. */
export async function bundleEngine(o: {
  readonly entry: string;
  readonly outfile: string;
  readonly size: 'minified' | 'readable';
}): Promise<void> {
  await build({
    entryPoints: [o.entry],
    outfile: o.outfile,
    bundle: true,
    minify: o.size === 'minified',
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    plugins: [
      {
        name: 'openpgp-apart',
        setup: (plugins) =>
          plugins.onResolve({ filter: /^@protontech\/openpgp$/ }, ({ path }) => ({
            path: createRequire(import.meta.url).resolve(path),
            external: true,
          })),
      },
    ],
  });
  // Its program would stay as long as this one, which has hung at its end for it.
  await stop();
}
