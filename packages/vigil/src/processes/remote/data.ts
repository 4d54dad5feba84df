import { deserialize, serialize } from 'node:v8';
import {
  crashed,
  describeValue,
  type ExitReason,
  KILLED,
  NORMAL,
  pathToSender,
  SHUTDOWN,
  VIGIL_ERROR_CODES,
  VigilError,
  type VigilErrorCode,
} from '../../core/index.js';

/** A value on its way across a boundary: what cannot be cloned goes as its description, an error whole. */
export type Data = { readonly value: unknown } | { readonly error: ErrorData };

/** An error with everything that structured cloning would lose. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: Data | undefined;
  /** Of an `AggregateError`. */
  readonly errors: readonly Data[] | undefined;
  /** Of a `VigilError`, one by one: a ref among them, which does not travel, takes nothing else with it. */
  readonly details: Readonly<Record<string, Data>> | undefined;
  /** Its own further properties, such as the code of a `VigilError`. */
  readonly fields: Readonly<Record<string, Data>>;
}

export interface ReasonData {
  readonly kind: ExitReason['kind'];
  /** The info of a shutdown, the error of a crash. */
  readonly detail: Data | undefined;
}

/** Errors refer to errors; whatever is deeper than this is a mistake. */
const MAX_DEPTH = 8;

/** Errors that one value takes with it: those that refer to each other would multiply. */
const MAX_ERRORS = 100;

/** The way to an error from the value that is made ready, and how many more may go with that. */
interface Journey {
  readonly path: readonly Error[];
  readonly baggage: { errorsLeft: number };
}

const NATIVE_ERRORS: ReadonlyMap<string, new (message: string) => Error> = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((constructor) => [constructor.name, constructor]),
);

/** What these properties hold travels by itself. */
const KNOWN_PROPERTIES: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** Makes a value ready to cross a boundary. */
export function dehydrate(value: unknown): Data {
  return pack(value, { path: [], baggage: { errorsLeft: MAX_ERRORS } });
}

/** Makes of what has crossed a boundary what it was: a `VigilError` or an error of the language as such, any other as an `Error` with its name. */
export function revive(data: Data): unknown {
  return 'error' in data ? reviveError(data.error) : data.value;
}

export function dehydrateReason(reason: ExitReason): ReasonData {
  switch (reason.kind) {
    case 'crashed':
      return { kind: 'crashed', detail: dehydrate(reason.error) };
    case 'shutdown':
      return { kind: 'shutdown', detail: reason.info === undefined ? undefined : dehydrate(reason.info) };
    case 'normal':
    case 'killed':
      return { kind: reason.kind, detail: undefined };
  }
}

export function reviveReason({ kind, detail }: ReasonData): ExitReason {
  switch (kind) {
    case 'crashed':
      return crashed(detail === undefined ? undefined : revive(detail));
    case 'shutdown':
      return detail === undefined ? SHUTDOWN : { kind: 'shutdown', info: revive(detail) };
    case 'normal':
      return NORMAL;
    case 'killed':
      return KILLED;
  }
}

/**
 * A value as it will arrive on the other side of a boundary.
 *
 * @param what - the beginning of the refusal: who cannot be given what.
 * @throws {VigilError} `code` when it cannot be cloned, or holds what would arrive as an empty shell: a ref, an inbox, an address.
 */
export function copied(value: unknown, what: string, code: VigilErrorCode, clone: (value: unknown) => unknown): unknown {
  if (isPrimitive(value)) return value;
  const path = pathToSender(value);
  if (path !== undefined) throw new VigilError(code, `${what}: ${path || 'it'} is a ref or an inbox, which does not travel; a name does`);
  try {
    return clone(value);
  } catch (cause) {
    throw new VigilError(code, `${what}: it cannot be cloned`, { cause });
  }
}

/** Clones as the channel between two Node processes does, which takes less than one between threads. */
export function cloneForProcess<T>(value: T): T {
  return deserialize(serialize(value));
}

function pack(value: unknown, { path, baggage }: Journey): Data {
  if (!(value instanceof Error)) return { value: isCloneable(value) ? value : describeValue(value) };
  if (path.includes(value) || path.length === MAX_DEPTH || baggage.errorsLeft === 0) {
    return { value: `${textOf(value, 'name')}: ${textOf(value, 'message')}` };
  }
  baggage.errorsLeft -= 1;
  return { error: packError(value, { path: [...path, value], baggage }) };
}

/** Either boundary refuses what the other one takes. */
function isCloneable(value: unknown): boolean {
  if (isPrimitive(value)) return true;
  try {
    cloneForProcess(value);
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
}

function packError(error: Error, journey: Journey): ErrorData {
  const details = error instanceof VigilError ? read(error, 'details') : undefined;
  const hasDetails = typeof details === 'object' && details !== null;
  const names = keysOf(error).filter((key) => !KNOWN_PROPERTIES.has(key) && !(hasDetails && key === 'details'));
  const [stack, cause] = [read(error, 'stack'), read(error, 'cause')];
  return {
    name: textOf(error, 'name'),
    message: textOf(error, 'message'),
    stack: typeof stack === 'string' ? stack : undefined,
    cause: cause === undefined ? undefined : pack(cause, journey),
    errors: error instanceof AggregateError ? [...error.errors].map((one) => pack(one, journey)) : undefined,
    details: hasDetails ? packFields(details, keysOf(details), journey) : undefined,
    fields: packFields(error, names, journey),
  };
}

function packFields(of: object, names: readonly string[], journey: Journey): Record<string, Data> {
  return Object.fromEntries(names.map((name) => [name, pack(read(of, name), journey)]));
}

/** Code can have made anything of its errors; none of it may keep the news of an end from going out. */
function read(of: object, key: string): unknown {
  try {
    return Reflect.get(of, key);
  } catch {
    return undefined;
  }
}

function keysOf(of: object): string[] {
  try {
    return Object.keys(of);
  } catch {
    return [];
  }
}

function textOf(error: Error, key: 'name' | 'message'): string {
  const text = read(error, key);
  return typeof text === 'string' ? text : describeValue(text);
}

function reviveError(data: ErrorData): Error {
  const fields = reviveFields(data.fields);
  const error = emptyError(data, fields.code);
  if (data.cause !== undefined) define(error, 'cause', revive(data.cause));
  if (error.name !== data.name) define(error, 'name', data.name);
  if (data.stack !== undefined) define(error, 'stack', data.stack);
  for (const [key, value] of Object.entries(fields)) {
    if (!Object.hasOwn(error, key)) Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  }
  return error;
}

function reviveFields(fields: Readonly<Record<string, Data>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, revive(field)]));
}

function emptyError({ name, message, errors, details }: ErrorData, code: unknown): Error {
  if (errors !== undefined) return new AggregateError(errors.map(revive), message);
  if (name === 'VigilError') {
    const known = VIGIL_ERROR_CODES.find((candidate) => candidate === code);
    if (known !== undefined) return new VigilError(known, message, { details: reviveFields(details ?? {}) });
  }
  return new (NATIVE_ERRORS.get(name) ?? Error)(message);
}

/** As the language defines these: there, but not listed. */
function define(error: Error, property: string, value: unknown): void {
  Object.defineProperty(error, property, { value, writable: true, configurable: true, enumerable: false });
}
