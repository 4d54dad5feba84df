import assert from 'node:assert/strict';
import type { Process } from '../runner.js';
import type { FromCode, ToCode } from './protocol.js';

/** The way to a process elsewhere, which keeps its order: what was said before has been dealt with when this has come back. */
interface Way {
  readonly isAlive: boolean;
  post(message: ToCode): void;
  receive(message: FromCode): void;
}

const PROBE = -1;

/** Resolves when everything that was said on the way to a process and back has been heard, or the process has ended. */
export async function roundTrip(process: Process, ended: Promise<unknown>): Promise<void> {
  const way: Way = isWay(process) ? process : assert.fail('it is a process of this event loop');
  if (!way.isAlive) return;
  const receive = way.receive.bind(process);
  const back = new Promise<void>((resolve) => {
    way.receive = (message) => {
      if (message.is === 'pong' && message.number === PROBE) resolve();
      else receive(message);
    };
  });
  way.post({ is: 'ping', number: PROBE });
  await Promise.race([back, ended]);
  way.receive = receive;
}

/** Tests may look behind the curtain. */
function isWay(process: object): process is Way {
  return 'isAlive' in process && 'post' in process && 'receive' in process;
}
