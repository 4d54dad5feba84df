import { plain } from './layout.js';

/**
 * One thread plays many: it runs the acts of several threads, and stops one of them before any step that others can see.
 *
 * A step is a call of one of `Atomics`' functions, or a plain read of what others may write. What a thread does between two of
 * them is seen by nobody before the second, so to stop before each step is to stop everywhere. Each act runs in one order of its own; other orders come from the places where it is stopped.
 */
const OPERATIONS = ['load', 'store', 'add', 'exchange', 'compareExchange', 'notify'] as const;

/** Whose functions are steps. */
const STEPS: readonly (readonly [object, string])[] = [...OPERATIONS.map((name) => [Atomics, name] as const), [plain, 'load']];

type BeforeStep = (index: number) => void;

/** Which steps count, by the word that they are on. */
type Counted = (index: number) => boolean;

const ENDED = new Error('the thread is ended here');

let beforeStep: BeforeStep | undefined;
let isInstrumented = false;

/** Lets the functions below see the steps. @returns what takes that back. */
export function instrumentAtomics(): () => void {
  const restores = STEPS.map(([owner, name]) => {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name)!;
    const original: (words: unknown, index: unknown, first: unknown, second: unknown) => unknown = descriptor.value;
    const value = (words: unknown, index: unknown, first: unknown, second: unknown): unknown => {
      if (beforeStep !== undefined) announce(beforeStep, Number(index));
      if (name === 'notify') wake(words, index, first);
      return original(words, index, first, second);
    };
    Object.defineProperty(owner, name, { ...descriptor, value });
    return () => Object.defineProperty(owner, name, descriptor);
  });
  isInstrumented = true;
  return () => {
    for (const restore of restores) restore();
    isInstrumented = false;
  };
}

/** How many steps an act has. */
export function stepsOf(act: () => void, counted: Counted = everyStep): number {
  let steps = 0;
  listen((index) => (steps += counted(index) ? 1 : 0), act);
  return steps;
}

/** Ends the thread that does `act` before that step of it, the first being 1. @returns false when the act was over earlier. */
export function crashAt(step: number, act: () => void, counted: Counted = everyStep): boolean {
  let reached = 0;
  try {
    listen((index) => {
      if (counted(index)) reached += 1;
      if (reached === step) throw ENDED;
    }, act);
    return false;
  } catch (error) {
    if (error !== ENDED) throw error;
    return true;
  }
}

/**
 * Does `other`, which may itself be stopped, before that step of `act`. The act may be one that is stopped at other steps as well.
 *
 * @returns false when the act was over earlier.
 */
export function preemptAt(step: number, act: () => void, other: () => void, counted: Counted = everyStep): boolean {
  let reached = 0;
  let isDone = false;
  listen((index) => {
    if (counted(index)) reached += 1;
    if (reached !== step || isDone) return;
    isDone = true;
    other();
  }, act);
  return isDone;
}

interface Sleeper {
  readonly index: number;
  isAsleep: boolean;
}

/** Those who sleep at one memory, the first to come first. */
const sleepersAt = new WeakMap<SharedArrayBuffer, Sleeper[]>();

/** What `Atomics.wait` does to a thread: it sleeps if the word still is what it was. @returns whether it sleeps at the time of asking. */
export function fallAsleep(words: Int32Array<SharedArrayBuffer>, index: number, expected: number): () => boolean {
  const sleeper = { index, isAsleep: Atomics.load(words, index) === expected };
  if (sleeper.isAsleep) sleepersAt.set(words.buffer, [...(sleepersAt.get(words.buffer) ?? []), sleeper]);
  return () => sleeper.isAsleep;
}

function wake(words: unknown, index: unknown, count: unknown): void {
  if (!(words instanceof Int32Array) || !(words.buffer instanceof SharedArrayBuffer)) return;
  const sleepers = sleepersAt.get(words.buffer)?.filter((sleeper) => sleeper.isAsleep && sleeper.index === index) ?? [];
  for (const sleeper of sleepers.slice(0, count === undefined ? sleepers.length : Number(count))) sleeper.isAsleep = false;
}

function listen(heard: BeforeStep, act: () => void): void {
  if (!isInstrumented) throw new Error('steps are only seen after instrumentAtomics()');
  const outer = beforeStep;
  beforeStep =
    outer === undefined
      ? heard
      : (index) => {
          heard(index);
          outer(index);
        };
  try {
    act();
  } finally {
    beforeStep = outer;
  }
}

/** What is done by a listener is none of the steps that it listens to. */
function announce(heard: BeforeStep, index: number): void {
  beforeStep = undefined;
  try {
    heard(index);
  } finally {
    beforeStep = heard;
  }
}

function everyStep(): boolean {
  return true;
}
