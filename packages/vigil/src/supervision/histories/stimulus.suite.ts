import { describeValue, errorOf, type ExitReason, isVigilError, NORMAL, SHUTDOWN } from '../../core/index.js';
import type { WorkerSpec } from './tree.suite.js';

/** What users ask of a supervisor. `incarnation` says by whose ref a dynamic child is named. */
export type Call =
  | { readonly name: 'start' | 'stop' | 'kill' }
  | { readonly name: 'whichChildren' }
  | { readonly name: 'startChild'; readonly spec: WorkerSpec }
  | { readonly name: 'deleteChild'; readonly id: string }
  | { readonly name: 'restartChild'; readonly id: string; readonly onlyIfStopped: boolean }
  | { readonly name: 'terminateChild' | 'suspendChild' | 'resumeChild'; readonly id: string; readonly incarnation: number }
  | { readonly name: 'scaleWorkers'; readonly prefix: string; readonly count: number };

/** What a process ends with when it ends by itself. */
export type EndKind = 'normal' | 'shutdown' | 'info' | 'crash';

/** How a health check answers: true, false, or not at all. */
export type Health = 'well' | 'sick' | 'mute';

/** One thing that happens to a tree from outside. Paths are ids from the root on: `root/pool/child_1`. */
export type Stimulus =
  | { readonly do: 'ready' | 'decline'; readonly path: string }
  | { readonly do: 'end'; readonly path: string; readonly as: EndKind }
  | { readonly do: 'call'; readonly path: string; readonly call: Call }
  /** The next `starts` starts of this worker fail at once. */
  | { readonly do: 'sabotage'; readonly path: string; readonly starts: number }
  | { readonly do: 'health'; readonly path: string; readonly is: Health }
  /** The next timer fires. */
  | { readonly do: 'timer' }
  | { readonly do: 'pass'; readonly ms: number };

/** Things that happen in one turn, in this order: nothing else runs between them but what each does at once. */
export type Turn = readonly Stimulus[];

export function movesTime(stimulus: Stimulus): boolean {
  return stimulus.do === 'timer' || stimulus.do === 'pass';
}

export function describeTurn(turn: Turn): string {
  return turn.map((stimulus) => describeStimulus(stimulus)).join(' & ');
}

function describeStimulus(stimulus: Stimulus): string {
  switch (stimulus.do) {
    case 'ready':
    case 'decline':
      return `${stimulus.do} ${stimulus.path}`;
    case 'end':
      return `end ${stimulus.path} (${stimulus.as})`;
    case 'call': {
      const { name, ...args } = stimulus.call;
      const rest = Object.values(args).map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));
      return `${stimulus.path}.${name}(${rest.join(', ')})`;
    }
    case 'sabotage':
      return `the next ${stimulus.starts} starts of ${stimulus.path} fail`;
    case 'health':
      return `${stimulus.path} is ${stimulus.is}`;
    case 'timer':
      return 'next timer';
    case 'pass':
      return `${stimulus.ms} ms pass`;
  }
}

/** What a reason of `EndKind` reads like in a trace. */
export const END_TEXTS: Readonly<Record<EndKind, string>> = {
  normal: 'normal',
  shutdown: 'shutdown',
  info: 'shutdown("info")',
  crash: 'crashed(boom)',
};

export const END_REASONS: Readonly<Record<EndKind, ExitReason>> = {
  normal: NORMAL,
  shutdown: SHUTDOWN,
  info: { kind: 'shutdown', info: 'info' },
  crash: { kind: 'crashed', error: new Error('boom') },
};

/** An exit reason in one word, with the code or the message of its error. */
export function reasonText(reason: ExitReason): string {
  const error = errorOf(reason);
  if (error === undefined) return reason.kind;
  if (isVigilError(error)) return `${reason.kind}(${error.code})`;
  return `${reason.kind}(${error instanceof Error ? error.message : describeValue(error)})`;
}
