import { checkCount, checkObject, checkOr, optional } from '../../core/index.js';

import { ModuleRunner } from '../remote/module-runner.js';
import type { ArgsOf, LoadedBy, Runner } from '../runner.js';
import { checkEnvironment, checkModule, checkTexts, type EnvironmentOverlay } from '../spawn-options.js';
import { ThreadWorker } from './thread-worker.js';

export interface ThreadOptions<TArgs = unknown> {
  /** What the body finds in `ctx.args`, unless the child spec says otherwise. */
  readonly args?: TArgs | undefined;
  /**
   * Workers that are kept at hand, booted and with the module imported, so that a restart need not wait for that; default 0. The code
   * outside the module's body runs in them before they are needed. They are given up with the last child that uses this runner.
   */
  readonly spares?: number | undefined;
  /** Environment variables, laid over those of this process; `undefined` removes one. */
  readonly env?: EnvironmentOverlay | undefined;
  /** Options of Node itself, such as `--enable-source-maps`; default those of this process. */
  readonly execArgv?: readonly string[] | undefined;
}

/**
 * Runs a module in a worker thread of its own. The module's default export is a process body, the same as for a task.
 *
 * What goes in and out is copied by structured cloning: `args`, messages, errors. `process.exit()`, an exception that nobody catches, an
 * endless loop and an exhausted heap are ends of the child, not of the application.
 *
 * @param module - the compiled module: `new URL('./resize.js', import.meta.url)`.
 * @throws {VigilError} `InvalidConfiguration` that names the option.
 */
export function thread<T = unknown>(module: URL | string, options: ThreadOptions<ArgsOf<T>> = {}): Runner<ArgsOf<T>> & LoadedBy<T> {
  checkObject('thread options', options);
  const settings = {
    href: checkModule('module', module),
    env: checkOr(checkEnvironment, 'env', options.env, {}),
    execArgv: optional(checkTexts)('execArgv', options.execArgv),
  };
  const spares = checkOr(checkCount, 'spares', options.spares, 0);
  return new ModuleRunner(
    { kind: 'thread', boot: (need) => new ThreadWorker(settings, need), clone: structuredClone },
    ['maxMemoryBytes', 'maxBlockedMs'],
    spares,
    options.args,
  );
}
