import { checkCount, checkObject, checkOr, optional } from '../../core/index.js';
import { cloneForProcess } from '../remote/data.js';
import { ModuleRunner } from '../remote/module-runner.js';
import type { ArgsOf, LoadedBy, Runner } from '../runner.js';
import { checkEnvironment, checkId, checkModule, checkPath, checkTexts, type EnvironmentOverlay } from '../spawn-options.js';
import { ForkedNode } from './forked-node.js';

export interface ForkOptions<TArgs = unknown> {
  /** What the body finds in `ctx.args`, unless the child spec says otherwise. */
  readonly args?: TArgs | undefined;
  /** Processes that are kept at hand, as the `spares` of a thread; default 0. */
  readonly spares?: number | undefined;
  /** Default: the working directory of this process. */
  readonly cwd?: string | undefined;
  /** Environment variables, laid over those of this process; `undefined` removes one. */
  readonly env?: EnvironmentOverlay | undefined;
  /** Options of Node itself, such as `--enable-source-maps`; default those of this process, but for a program in them (`--eval`). */
  readonly execArgv?: readonly string[] | undefined;
  /** The Node that runs it; default the one that runs this process. */
  readonly execPath?: string | undefined;
  /** The user that it runs as, by number; default the user of this process. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/**
 * Runs a module in a Node process of its own, which leads a process group. The module's default export is a process body, the same as
 * for a task or a thread.
 *
 * What goes in and out is copied as between threads; shared memory cannot go. Its standard output is that of this process.
 *
 * @param module - the compiled module: `new URL('./resize.js', import.meta.url)`.
 * @throws {VigilError} `InvalidConfiguration` that names the option.
 */
export function fork<T = unknown>(module: URL | string, options: ForkOptions<ArgsOf<T>> = {}): Runner<ArgsOf<T>> & LoadedBy<T> {
  checkObject('fork options', options);
  const settings = {
    href: checkModule('module', module),
    cwd: optional(checkPath)('cwd', options.cwd),
    env: checkOr(checkEnvironment, 'env', options.env, {}),
    execArgv: checkOr(checkTexts, 'execArgv', options.execArgv, nodeOptions(process.execArgv)),
    execPath: checkOr(checkPath, 'execPath', options.execPath, process.execPath),
    uid: optional(checkId)('uid', options.uid),
    gid: optional(checkId)('gid', options.gid),
  };
  const spares = checkOr(checkCount, 'spares', options.spares, 0);
  return new ModuleRunner(
    { kind: 'fork', boot: (need) => new ForkedNode(settings, need), clone: cloneForProcess },
    ['maxMemoryBytes', 'maxBlockedMs', 'priority'],
    spares,
    options.args,
  );
}

/** Options that say what to run: a fork that took them over would run that again, instead of its module. */
const PROGRAM_WITH_VALUE: ReadonlySet<string> = new Set(['-e', '--eval', '-p', '--print', '-pe', '--input-type']);
const PROGRAM = /^(--(eval|print|input-type)=|-c$|--check$|-i$|--interactive$|--test$)/;

function nodeOptions(execArgv: readonly string[]): string[] {
  return execArgv.filter((option, index) => {
    const before = execArgv[index - 1];
    return !PROGRAM_WITH_VALUE.has(option) && !PROGRAM.test(option) && (before === undefined || !PROGRAM_WITH_VALUE.has(before));
  });
}
