import { createBirpc } from 'birpc';
import {
  REQUEST_NAMES,
  type EngineFunctions,
  type HostFunctions,
  type LinkEndpoint,
  type Outcome,
  type QuMailApi,
  type QuMailRequests,
} from './api.ts';
import { QuMailError } from './base/errors.ts';
import { Log, type LogSink } from './base/log.ts';
import type { HostTokenSource, OpenBrowser, Secrets } from './base/ports.ts';

/** What an engine served over a channel gets from the other side. */
export interface RemoteHost {
  readonly secrets: Secrets;
  readonly openBrowser: OpenBrowser;
  readonly hostToken: HostTokenSource;
  readonly log: LogSink;
}

type AnyRequest = (body: unknown, options: { signal: AbortSignal }) => Promise<unknown>;

/**
 * Serves the engine that `open` makes to the host at the other end of `endpoint`. The counterpart is `connectEngine`.
 * An engine that failed to open answers every request with that failure. `onClosed` runs after the host closed it.
 */
export function serveEngine(endpoint: LinkEndpoint, open: (host: RemoteHost) => Promise<QuMailApi>, onClosed: () => void): void {
  const running = new Map<number, AbortController>();
  const functions: EngineFunctions = {
    request: async ({ id, method, request }) => {
      const controller = new AbortController();
      running.set(id, controller);
      try {
        const engine = await engineOpened;
        if (!REQUEST_NAMES.includes(method)) throw new QuMailError('engine.bad-request');
        const run = engine[method as keyof QuMailRequests] as unknown as AnyRequest;
        return { ok: true, value: await run.call(engine, request, { signal: controller.signal }) };
      } catch (error) {
        return { ok: false, failure: asFailure(error, log) };
      } finally {
        running.delete(id);
      }
    },
    cancel: (id) => running.get(id)?.abort(),
    close: async () => {
      for (const controller of running.values()) controller.abort();
      const engine = await engineOpened.catch(() => undefined);
      await engine?.[Symbol.asyncDispose]();
      // The answer to this very call still has to leave.
      setImmediate(onClosed);
    },
  };
  const host = createBirpc<HostFunctions, EngineFunctions>(functions, {
    post: (message: unknown) => endpoint.postMessage(message),
    on: (listener) => void endpoint.onMessage(listener),
    timeout: -1,
  });
  const sink: LogSink = (entry) => void host.log.asEvent(entry).catch(() => {});
  const log = new Log(sink, 'engine');
  const engineOpened = open({
    secrets: {
      get: (key) => host.getSecret(key),
      set: (key, value) => host.setSecret(key, value),
      delete: (key) => host.deleteSecret(key),
    },
    openBrowser: (url) => host.openBrowser(url),
    hostToken: (request) => host.hostToken(request),
    log: sink,
  });
  engineOpened.then(
    (engine) => engine.onEvent((event) => void host.event.asEvent(event).catch(() => {})),
    (error: unknown) => log.error('open-failed', { code: QuMailError.from(error).code, ...traceOf(error) }),
  );
}

function asFailure(error: unknown, log: Log): Extract<Outcome, { ok: false }>['failure'] {
  const failure = QuMailError.from(error);
  if (failure.code === 'engine.internal') log.error('internal', traceOf(failure.cause));
  return { code: failure.code, details: failure.details };
}

/** Where an unexpected error came from. Its message is left out: it may quote what must not be logged. */
function traceOf(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { type: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return {
    type: error.name,
    at: frames
      .slice(0, 3)
      .map((line) => line.trim())
      .join(' < '),
  };
}
