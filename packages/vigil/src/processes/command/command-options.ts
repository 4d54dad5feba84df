import { constants } from 'node:os';
import {
  type Check,
  checkDuration,
  checkName,
  checkObject,
  checkOneOf,
  checkOr,
  invalidOption,
  type Logger,
  optional,
} from '../../core/index.js';
import { checkEnvironment, checkId, checkPath, checkTexts, type EnvironmentOverlay } from '../spawn-options.js';

/** What a program gets on its standard input from the inbox of its process. */
const STDIN_MODES = ['none', 'lines', 'json-lines', 'bytes'] as const;
export type StdinMode = (typeof STDIN_MODES)[number];

const OUTPUT_LEVELS = ['debug', 'info', 'warn', 'error', 'none'] as const;
export type OutputLevel = keyof Logger | 'none';

/**
 * When a program counts as started: a text that a line of its output contains, an expression that a line matches, a TCP port that takes
 * connections, or a time since it was spawned.
 */
export type ReadyWhen =
  | string
  | RegExp
  | {
      readonly port: number;
      /** Default `'127.0.0.1'`. */
      readonly host?: string | undefined;
    }
  | { readonly delayMs: number };

/** Where each stream of its output goes in the log. */
export interface OutputLevels {
  /** Default `'info'`. */
  readonly stdout?: OutputLevel | undefined;
  /** Default `'warn'`. */
  readonly stderr?: OutputLevel | undefined;
}

export interface CommandOptions {
  /** The directory it runs in; default that of this process. */
  readonly cwd?: string | undefined;
  /** Environment variables, laid over those of this process; `undefined` removes one. */
  readonly env?: EnvironmentOverlay | undefined;
  /** The user it runs as; default that of this process. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /**
   * What it gets on its standard input from its inbox; default `'none'`, which refuses every message. `'lines'`: strings, one a line;
   * `'json-lines'`: anything that JSON can say, one a line; `'bytes'`: strings and `Uint8Array`s as they are.
   */
  readonly stdin?: StdinMode | undefined;
  /** What asks it to end; default `'SIGTERM'`. */
  readonly stopSignal?: NodeJS.Signals | undefined;
  /** Exit codes that are no crash; default `[0]`. */
  readonly normalExitCodes?: readonly number[] | undefined;
  /** When it has started; default: at once. */
  readonly readyWhen?: ReadyWhen | undefined;
  readonly logOutput?: OutputLevels | undefined;
}

/** The options of a command, checked and with their defaults. */
export interface CompleteCommandOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: EnvironmentOverlay;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly stdin: StdinMode;
  readonly stopSignal: NodeJS.Signals;
  readonly normalExitCodes: readonly number[];
  readonly readyWhen: CompleteReadyWhen | undefined;
  readonly logOutput: { readonly stdout: OutputLevel; readonly stderr: OutputLevel };
}

export type CompleteReadyWhen =
  | { readonly kind: 'line'; matches(line: string): boolean }
  | { readonly kind: 'port'; readonly port: number; readonly host: string }
  | { readonly kind: 'delay'; readonly delayMs: number };

const checkStdin = checkOneOf(STDIN_MODES);
const checkLevel = checkOneOf(OUTPUT_LEVELS);

/** @throws {VigilError} `InvalidConfiguration` that names the option. */
export function completeCommandOptions(program: string, args: readonly string[], options: CommandOptions): CompleteCommandOptions {
  checkObject('command options', options);
  const { stdout, stderr } = checkOr(checkOutputLevels, 'logOutput', options.logOutput, {});
  return {
    program: checkPath('program', program),
    args: checkTexts('args', args),
    cwd: optional(checkPath)('cwd', options.cwd),
    env: checkOr(checkEnvironment, 'env', options.env, {}),
    uid: optional(checkId)('uid', options.uid),
    gid: optional(checkId)('gid', options.gid),
    stdin: checkOr(checkStdin, 'stdin', options.stdin, 'none'),
    stopSignal: checkOr(checkSignalName, 'stopSignal', options.stopSignal, 'SIGTERM'),
    normalExitCodes: checkOr(checkExitCodes, 'normalExitCodes', options.normalExitCodes, [0]),
    readyWhen: optional(checkReadyWhen)('readyWhen', options.readyWhen),
    logOutput: {
      stdout: checkOr(checkLevel, 'logOutput.stdout', stdout, 'info'),
      stderr: checkOr(checkLevel, 'logOutput.stderr', stderr, 'warn'),
    },
  };
}

const checkSignalName: Check<NodeJS.Signals> = (name, value) => {
  if (isSignalName(value)) return value;
  throw invalidOption(name, 'the name of a signal', value);
};

function isSignalName(value: unknown): value is NodeJS.Signals {
  return typeof value === 'string' && Object.hasOwn(constants.signals, value);
}

const checkExitCodes: Check<readonly number[]> = (name, value) => {
  const isList = Array.isArray(value) && value.every((code) => Number.isInteger(code) && code >= 0 && code <= 255);
  if (isList) return [...value];
  throw invalidOption(name, 'an array of integers from 0 to 255', value);
};

const checkOutputLevels: Check<OutputLevels> = (name, value) => checkObject(name, value);

const checkReadyWhen: Check<CompleteReadyWhen> = (name, value) => {
  if (typeof value === 'string') {
    const text = checkName(name, value);
    return { kind: 'line', matches: (line) => line.includes(text) };
  }
  if (value instanceof RegExp) return { kind: 'line', matches: matcherOf(value) };
  if (typeof value === 'object' && value !== null) {
    if ('delayMs' in value) return { kind: 'delay', delayMs: checkDuration(`${name}.delayMs`, value.delayMs) };
    if ('port' in value) {
      const host = 'host' in value ? value.host : undefined;
      return { kind: 'port', port: checkPort(`${name}.port`, value.port), host: checkOr(checkName, `${name}.host`, host, '127.0.0.1') };
    }
  }
  throw invalidOption(name, 'a string, a RegExp, { port } or { delayMs }', value);
};

const checkPort: Check<number> = (name, value) => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  throw invalidOption(name, 'an integer from 1 to 65535', value);
};

/** Tests each line from its beginning: an expression with the flag `g` or `y` would go on where it found something before. */
function matcherOf(expression: RegExp): (line: string) => boolean {
  const own = new RegExp(expression);
  return (line) => {
    own.lastIndex = 0;
    return own.test(line);
  };
}
