import { checkFunction, checkName, checkObject, invalidOption, optional } from '../core/index.js';
import type { ProcessBody, ProcessContext } from '../processes/index.js';
import type { Handler, ServerDefinition } from './server-definition.js';
import { serve } from './server-loop.js';

/** A process body that is a server. It carries its handlers, which can be tested as the functions they are, and their types. */
export type GenServer<TArgs, C, K> = ProcessBody<unknown, TArgs> & { readonly handlers: ServerHandlers<C, K> };

export interface ServerHandlers<C, K> {
  readonly call: C | undefined;
  readonly cast: K | undefined;
}

const checkHandler = checkFunction<Handler>();
const checkOptionalHandler = optional(checkHandler);

/**
 * Makes a process body of the handlers of a server: a `startFn` for tasks, or the default export of a module for threads and forks.
 *
 * @throws {VigilError} `InvalidConfiguration` that names the handler.
 */
export function genServer<TArgs, S, C = {}, K = {}>(definition: ServerDefinition<TArgs, S, C, K>): GenServer<TArgs, C, K> {
  checkObject('definition', definition);
  checkHandler('init', definition.init);
  for (const name of ['info', 'continue', 'idle', 'terminate', 'redact'] as const) checkOptionalHandler(name, definition[name]);
  if (typeof definition.name !== 'function' && definition.name !== undefined) checkName('name', definition.name);
  const calls = handlersOf('call', definition.call);
  const casts = handlersOf('cast', definition.cast);
  const body = (context: ProcessContext<unknown, TArgs>) => serve(context, definition, calls, casts);
  return Object.assign(body, { handlers: { call: definition.call, cast: definition.cast } });
}

function handlersOf(what: string, handlers: Readonly<Record<string, Handler>> | undefined): ReadonlyMap<string, Handler> {
  if (handlers === undefined) return new Map();
  const entries = Object.entries(checkObject(what, handlers)).map(
    ([name, handler]) => [name, checkHandler(`${what}.${name}`, handler)] as const,
  );
  // Whoever awaits a handle asks it for this.
  if (entries.some(([name]) => name === 'then')) throw invalidOption(what, 'an object without a handler named then', handlers);
  return new Map(entries);
}
