import type { WatchedProcess } from './real-process.suite.js';
import type { RealCall, RealStimulus, RealTurn } from './real-stimulus.suite.js';
import { DEEDS, randomRealWorker } from './real-tree.suite.js';
import type { RealWorld } from './real-world.suite.js';
import type { Dice } from './tree.suite.js';

/** Gives the next turn, as things stand; `undefined` at the end. */
export type RealTurnSource = (world: RealWorld) => RealTurn | undefined;

/** Something that could be next, and how often it should be. */
type Option<T> = readonly [weight: number, make: () => T];

/** A history that has seen so many processes has taken long enough. */
const MOST_BIRTHS = 50;

export const START: RealStimulus = { do: 'call', path: 'root', call: { name: 'start' } };
export const STOP: RealStimulus = { do: 'call', path: 'root', call: { name: 'stop' } };

/** Turns of chance, of what is possible at the time. */
export function randomRealTurn(dice: Dice, count: number): RealTurnSource {
  let left = count;
  return (world) => {
    left -= 1;
    if (left < 0 || world.births > MOST_BIRTHS) return undefined;
    return world.isDown ? startTurn(dice) : upTurn(dice, world);
  };
}

export function scriptedRealTurn(turns: readonly RealTurn[]): RealTurnSource {
  let next = 0;
  return () => {
    next += 1;
    return turns[next - 1];
  };
}

/** A start, sometimes one that is overtaken. */
function startTurn(dice: Dice): RealTurn {
  const start = { after: 0, stimulus: START };
  if (dice.chance(0.8)) return [start];
  const name = dice.pick(['stop', 'stop', 'kill'] as const);
  return [start, { after: dice.below(8), stimulus: { do: 'call', path: 'root', call: { name } } }];
}

function upTurn(dice: Dice, world: RealWorld): RealTurn {
  const size = dice.chance(0.55) ? 1 : 2 + dice.below(3);
  const stimuli = Array.from({ length: size }, () => pickOne(dice, optionsOf(dice, world)));
  const turn = stimuli.map((stimulus, index) => ({ after: index === 0 ? 0 : dice.below(6), stimulus }));
  // Whether a message reaches a worker that is being suspended is a race that nobody wins.
  const hasSuspend = stimuli.some((stimulus) => stimulus.do === 'call' && stimulus.call.name === 'suspendChild');
  return hasSuspend ? turn.filter(({ stimulus }) => stimulus.do === 'call' || stimulus.deed === 'SIGKILL') : turn;
}

function optionsOf(dice: Dice, world: RealWorld): Option<RealStimulus>[] {
  const options: Option<RealStimulus>[] = [[4, () => ({ do: 'call', ...randomCall(dice, world) })]];
  for (const worker of world.invariants.alive) {
    if (world.isSuspended(worker) && !DEEDS[worker.spec.runsAs].includes('SIGKILL')) continue;
    options.push([1.2, () => randomDeed(dice, worker, world.isSuspended(worker))]);
  }
  return options;
}

function randomDeed(dice: Dice, { ownPath, spec }: WatchedProcess, isSuspended: boolean): RealStimulus {
  return { do: 'deed', path: ownPath, deed: isSuspended ? 'SIGKILL' : dice.pick(DEEDS[spec.runsAs]) };
}

function pickOne<T>(dice: Dice, options: readonly Option<T>[]): T {
  let rest = dice.upTo(options.reduce((sum, [weight]) => sum + weight, 0));
  const option = options.find(([weight]) => {
    rest -= weight;
    return rest < 0;
  });
  if (option === undefined) throw new Error('nothing to pick from');
  return option[1]();
}

function randomCall(dice: Dice, world: RealWorld): { readonly path: string; readonly call: RealCall } {
  const all = [...world.supervisors];
  const living = all.filter(([, { state }]) => state === 'running');
  const [path, supervisor] = dice.pick(living.length > 0 && dice.chance(0.95) ? living : all);
  const known = supervisor.inspect().children;
  const child = known.length === 0 ? undefined : dice.pick(known);
  const id = child === undefined || dice.chance(0.05) ? 'a' : child.id;
  const incarnation = Math.max(1, (child?.incarnation ?? 1) - (dice.chance(0.1) ? 1 : 0));
  const isRoot = path === 'root';
  // One that fails as soon as it runs may be suspended before or after that.
  const failsSoon = world.specOf(`${path}/${id}`)?.manners;
  const suspends = failsSoon === undefined || failsSoon.isExplicit || failsSoon.failsAt.length === 0 ? 'suspendChild' : 'resumeChild';
  const options: Option<RealCall>[] = [
    [isRoot ? 0.4 : 0.5, () => ({ name: 'stop' })],
    [isRoot ? 0.2 : 0.3, () => ({ name: 'kill' })],
    [0.3, () => ({ name: 'whichChildren' })],
    [world.isDynamic(path) ? 4 : 1.2, () => ({ name: 'startChild', spec: randomRealWorker(dice, dice.pick(['a', 'b', 'x', 'y', 'w_3'])) })],
    [0.8, () => ({ name: 'deleteChild', id })],
    [1.5, () => ({ name: 'restartChild', id, onlyIfStopped: dice.chance(0.4) })],
    [1.5, () => ({ name: 'terminateChild', id, incarnation })],
    [1, () => ({ name: suspends, id, incarnation })],
    [0.8, () => ({ name: 'resumeChild', id, incarnation })],
    [1, () => ({ name: 'scaleWorkers', prefix: 'w', count: dice.below(4) })],
  ];
  return { path, call: pickOne(dice, options) };
}
