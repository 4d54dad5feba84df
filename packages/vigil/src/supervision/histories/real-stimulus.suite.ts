import type { CallWith } from './calls.suite.js';
import { type Deed, describeRealWorker, type RealWorkerSpec } from './real-tree.suite.js';

export type RealCall = CallWith<RealWorkerSpec>;

/** One thing that is done to a tree: a call, or something that a worker is made to do. */
export type RealStimulus =
  | { readonly do: 'call'; readonly path: string; readonly call: RealCall }
  | { readonly do: 'deed'; readonly path: string; readonly deed: Deed };

/** Something that is done in a turn as soon as so many events of that turn were seen, or when otherwise nothing more would happen. */
export interface Timed {
  readonly after: number;
  readonly stimulus: RealStimulus;
}

/** What is done before the tree is waited for to come to rest: one thing, or several in a burst. */
export type RealTurn = readonly Timed[];

export function describeRealTurn(turn: RealTurn): string {
  return turn.map(({ after, stimulus }) => `${after > 0 ? `after ${after} events ` : ''}${describeStimulus(stimulus)}`).join(' & ');
}

function describeStimulus(stimulus: RealStimulus): string {
  switch (stimulus.do) {
    case 'deed':
      return `${stimulus.path}: ${stimulus.deed}`;
    case 'call': {
      const { name, ...args } = stimulus.call;
      const rest = Object.values(args).map((value) => (typeof value === 'object' ? describeRealWorker(value) : String(value)));
      return `${stimulus.path}.${name}(${rest.join(', ')})`;
    }
  }
}
