import { type Cancel, checkDuration, checkObject, checkOneOf, invalidOption } from '../core/index.js';
import type { ProcessBody, ProcessContext } from '../processes/index.js';

const DEEDS = ['runs', 'returns', 'crashes', 'fails_to_start', 'hangs_at_start', 'ignores_stop'] as const;

/**
 * What one incarnation of a scripted child does.
 *
 * - `runs`: gets ready and ends when it is asked to stop.
 * - `returns`, `crashes`: gets ready, and does so after `afterMs`, unless it is asked to stop before.
 * - `fails_to_start`: throws before it is ready.
 * - `hangs_at_start`: is never ready, and ends when it is asked to stop.
 * - `ignores_stop`: gets ready and has to be killed.
 */
export interface Life {
  readonly does: (typeof DEEDS)[number];
  /** Milliseconds of the runtime's clock from its start; default 0. */
  readonly afterMs?: number | undefined;
  /** What `crashes` and `fails_to_start` throw; default: an error that says so. */
  readonly error?: Error | undefined;
}

const checkDeed = checkOneOf(DEEDS);
const never = new Promise<never>(() => {});

/**
 * The body of a child that lives its lives as they are written: the first incarnation the first one, and so on; the last one for all that follow.
 *
 * @throws {VigilError} `InvalidConfiguration` for what is no life, or none at all.
 * @example
 * // Its second start fails.
 * supervisor.child('cache', scriptedChild([{ does: 'crashes', afterMs: 5 }, { does: 'fails_to_start' }, { does: 'runs' }]), { readiness: 'explicit' });
 */
export function scriptedChild(lives: readonly Life[]): ProcessBody {
  if (!Array.isArray(lives) || lives.length === 0) throw invalidOption('lives', 'an array of at least one life', lives);
  const script = lives.map(checkLife);
  return (ctx) => live(ctx, script[Math.min(ctx.incarnation, script.length) - 1] ?? { does: 'runs' });
}

function checkLife(life: Life): Life {
  const { does, afterMs = 0, error }: Partial<Life> = checkObject('life', life);
  return { does: checkDeed('does', does), afterMs: checkDuration('afterMs', afterMs), error };
}

async function live(ctx: ProcessContext, { does, afterMs = 0, error }: Life): Promise<void> {
  const failure = () => error ?? new Error(`incarnation ${ctx.incarnation} of ${ctx.id} was written to fail`);
  switch (does) {
    case 'fails_to_start':
      throw failure();
    case 'hangs_at_start':
      return ctx.stopped;
    case 'runs':
      ctx.ready();
      return ctx.stopped;
    case 'ignores_stop':
      ctx.ready();
      return never;
    case 'returns':
      ctx.ready();
      await Promise.race([passing(ctx, afterMs), ctx.stopped]);
      return;
    case 'crashes':
      ctx.ready();
      if (await Promise.race([passing(ctx, afterMs), ctx.stopped.then(() => false)])) throw failure();
  }
}

/** Resolves to true when so much time has passed. */
function passing(ctx: ProcessContext, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel: Cancel = ctx.timer.setTimeout(ms, () => resolve(true), { keepAlive: true });
    void ctx.stopped.then(cancel);
  });
}
