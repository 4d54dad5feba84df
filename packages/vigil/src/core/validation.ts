import { VigilError, type VigilErrorCode } from './errors.js';

/** Checks that a value given by a user is what the option called `name` takes; throws otherwise. */
export type Check<T> = (name: string, value: unknown, code?: VigilErrorCode) => T;

/** The refusal of a bad value: names the option, what it takes and what it got. */
export function invalidOption(name: string, expected: string, value: unknown, code: VigilErrorCode = 'InvalidConfiguration'): VigilError {
  return new VigilError(code, `${name} must be ${expected}, got ${describeValue(value)}`, { details: { option: name, value } });
}

/** How a bad value is shown in a message: short, and never by running the value's own code. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return 'a symbol';
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
  }
}

function check<T>(expected: string, accepts: (value: unknown) => value is T): Check<T> {
  return (name, value, code) => {
    if (!accepts(value)) throw invalidOption(name, expected, value, code);
    return value;
  };
}

function integerFrom(least: number): Check<number> {
  return check(
    `an integer >= ${least}`,
    (value): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= least,
  );
}

export const checkCount: Check<number> = integerFrom(0);
export const checkPositiveCount: Check<number> = integerFrom(1);
export const checkBoolean: Check<boolean> = check('a boolean', (value) => typeof value === 'boolean');
export const checkName: Check<string> = check('a non-empty string', (value): value is string => typeof value === 'string' && value !== '');
export const checkObject: Check<object> = check(
  'an object',
  (value): value is object => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** A duration in milliseconds: finite and not negative. */
export const checkDuration: Check<number> = check(
  'a finite number of milliseconds >= 0',
  (value): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0,
);

export const checkPositiveNumber: Check<number> = check(
  'a finite number > 0',
  (value): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0,
);

/** A value of a closed set of strings. */
export function checkOneOf<T extends string>(allowed: readonly T[]): Check<T> {
  const expected = `one of ${allowed.map((value) => `'${value}'`).join(', ')}`;
  return check(expected, (value): value is T => (allowed as readonly unknown[]).includes(value));
}

/** A function; what it takes and returns cannot be seen from outside. */
export function checkFunction<F extends (...args: never[]) => unknown>(): Check<F> {
  return check('a function', (value): value is F => typeof value === 'function');
}

/** An object of the user's that must have certain methods. */
export function checkMethods<T extends object>(name: string, value: T, methods: readonly (keyof T & string)[]): T {
  checkObject(name, value);
  for (const method of methods) {
    if (typeof value[method] !== 'function') throw invalidOption(name, `an object with the methods ${methods.join(', ')}`, value);
  }
  return value;
}

export function checkArray<T>(name: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw invalidOption(name, 'an array', value);
  return value;
}

const checkAbortSignal: Check<AbortSignal> = check('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal);

/** The value of an option that may be left out: `undefined`, and nothing else, means the default. */
export function checkOr<T>(inner: Check<T>, name: string, value: unknown, fallback: T): T {
  return value === undefined ? fallback : inner(name, value);
}

/** The signal that may end a wait. @throws {VigilError} `InvalidConfiguration` for options that are none. */
export function checkWaitOptions(options: { readonly signal?: AbortSignal | undefined } | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  checkObject('wait options', options);
  return options.signal === undefined ? undefined : checkAbortSignal('signal', options.signal);
}

/** The same check for an option that may be left out. */
export function optional<T>(inner: Check<T>): Check<T | undefined> {
  return (name, value, code) => (value === undefined ? undefined : inner(name, value, code));
}
