import { type Call, type EndKind, movesTime, type Stimulus, type Turn } from './stimulus.suite.js';
import { type Dice, PERIODS_MS, randomWorker, type WorkerSpec } from './tree.suite.js';
import type { World } from './world.suite.js';

/** Gives the next turn, as things stand; `undefined` at the end. */
export type TurnSource = (world: World) => Turn | undefined;

/** Something that could be next, and how often it should be. */
type Option<T> = readonly [weight: number, make: () => T];

const START: Stimulus = { do: 'call', path: 'root', call: { name: 'start' } };

/** Turns of chance, of what is possible at the time. */
export function randomTurn(dice: Dice, count: number): TurnSource {
  let left = count;
  return (world) => {
    left -= 1;
    if (left < 0) return undefined;
    if (left === count - 1) return [START];
    const size = dice.chance(0.7) ? 1 : 2 + dice.below(2);
    const turn = Array.from({ length: size }, () => pickOne(dice, optionsOf(dice, world)));
    // Time stands still during a turn.
    return turn.filter((stimulus, index) => index === 0 || !movesTime(stimulus));
  };
}

export function scriptedTurn(turns: readonly Turn[]): TurnSource {
  let next = 0;
  return () => {
    next += 1;
    return turns[next - 1];
  };
}

/** Stops what is left, without chance: asks the root, then ends whoever was asked or is not ready, then lets time pass. */
export function tidyTurn(world: World, index: number): Turn {
  if (index === 0) return [{ do: 'call', path: 'root', call: { name: 'stop' } }];
  const next = world.workers.find(({ isAsked }) => isAsked);
  return next === undefined ? [{ do: 'timer' }] : [{ do: 'end', path: next.path, as: 'shutdown' }];
}

function optionsOf(dice: Dice, world: World): Option<Stimulus>[] {
  const options: Option<Stimulus>[] = [
    [1.5, () => ({ do: 'pass', ms: dice.pick([1, 300, ...PERIODS_MS, ...PERIODS_MS.map((ms) => ms + 1)]) })],
    [3, () => ({ do: 'call', ...randomCall(dice, world) })],
  ];
  // Nothing much happens to a tree that is down.
  if (world.isDown) options.push([20, () => START]);
  if (world.clock.nextDueMs !== undefined) options.push([4, () => ({ do: 'timer' })]);
  for (const { path, isReady, isAsked } of world.workers) {
    const end = (as: EndKind) => (): Stimulus => ({ do: 'end', path, as });
    if (isAsked) {
      options.push([5, end('shutdown')], [0.5, end('normal')], [0.7, end('crash')], [0.3, end('info')]);
    } else if (isReady) {
      options.push([1.2, end('crash')], [0.3, end('normal')], [0.2, end('shutdown')], [0.1, end('info')]);
      options.push([0.15, () => ({ do: 'health', path, is: dice.pick(['well', 'sick', 'mute']) })]);
    } else {
      options.push([5, () => ({ do: 'ready', path })], [0.8, end('crash')], [0.2, end('normal')], [0.4, () => ({ do: 'decline', path })]);
    }
    options.push([0.15, () => ({ do: 'sabotage', path, starts: 1 + dice.below(4) })]);
  }
  return options;
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

function randomCall(dice: Dice, world: World): { readonly path: string; readonly call: Call } {
  const all = [...world.supervisors];
  const living = all.filter(([, { state }]) => state !== 'idle' && state !== 'stopped');
  const [path, supervisor] = dice.pick(living.length > 0 && dice.chance(0.95) ? living : all);
  const known = supervisor.inspect().children;
  const child = known.length === 0 ? undefined : dice.pick(known);
  const id = child === undefined || dice.chance(0.05) ? 'a' : child.id;
  const incarnation = Math.max(1, (child?.incarnation ?? 1) - (dice.chance(0.1) ? 1 : 0));
  const isDynamic = world.invariants.isDynamic.get(path) === true;
  const options: Option<Call>[] = [
    [0.2, () => ({ name: 'start' })],
    [path === 'root' ? 0.15 : 0.5, () => ({ name: 'stop' })],
    [path === 'root' ? 0.1 : 0.3, () => ({ name: 'kill' })],
    [0.5, () => ({ name: 'whichChildren' })],
    [isDynamic ? 4 : 1.2, () => ({ name: 'startChild', spec: addedWorker(dice) })],
    [0.8, () => ({ name: 'deleteChild', id })],
    [1.5, () => ({ name: 'restartChild', id, onlyIfStopped: dice.chance(0.4) })],
    [1.5, () => ({ name: 'terminateChild', id, incarnation })],
    [0.6, () => ({ name: 'suspendChild', id, incarnation })],
    [0.5, () => ({ name: 'resumeChild', id, incarnation })],
    [0.7, () => ({ name: 'scaleWorkers', prefix: 'w', count: dice.below(5) })],
  ];
  return { path, call: pickOne(dice, options) };
}

/** A worker that nobody planned. Its supervisor may never shut down for one, so it is not significant. */
function addedWorker(dice: Dice): WorkerSpec {
  return randomWorker(dice, dice.pick(['a', 'b', 'x', 'y', 'w_3']), 'never');
}
