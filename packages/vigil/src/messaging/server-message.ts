import type { ExitReason } from '../core/index.js';

/**
 * What a handle says to its server, as the payload of a message; every other payload is for the `info` handler. Plain data, so that it
 * crosses boundaries.
 */
export interface ServerMessage {
  readonly $vigil: 'call' | 'cast' | 'system';
  readonly name: string;
  readonly argument: unknown;
}

export function isServerMessage(payload: unknown): payload is ServerMessage {
  if (typeof payload !== 'object' || payload === null || !('$vigil' in payload)) return false;
  const { $vigil: kind } = payload;
  return (kind === 'call' || kind === 'cast' || kind === 'system') && 'name' in payload && typeof payload.name === 'string';
}

const KINDS: ReadonlySet<unknown> = new Set<ExitReason['kind']>(['normal', 'shutdown', 'killed', 'crashed']);

export function isExitReason(value: unknown): value is ExitReason {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    KINDS.has(value.kind) &&
    (value.kind !== 'crashed' || 'error' in value)
  );
}
