import { connect } from 'node:net';
import type { Cancel, Clock } from '../../core/index.js';
import type { CompleteReadyWhen } from './command-options.js';

const FIRST_RETRY_MS = 10;
const LONGEST_RETRY_MS = 250;

/** How long one attempt to connect may take: what drops packets does not answer. */
const CONNECT_MS = 1000;

/** Calls back once when a port answers or a time is up; lines are for those who read them. */
export function watchReadiness(when: CompleteReadyWhen, clock: Clock, onReady: () => void): Cancel {
  switch (when.kind) {
    case 'line':
      return () => false;
    case 'delay':
      return clock.after(when.delayMs, onReady);
    case 'port':
      return watchPort(when.port, when.host, clock, onReady);
  }
}

function watchPort(port: number, host: string, clock: Clock, onReady: () => void): Cancel {
  let isWatching = true;
  let cancelAttempt: Cancel;

  const attempt = (retryMs: number): void => {
    const socket = connect({ port, host }).unref();
    let isSettled = false;
    const settle = (next: () => void): boolean => {
      if (isSettled) return false;
      isSettled = true;
      cancelLimit();
      socket.destroy();
      next();
      return true;
    };
    const retry = (): void => {
      cancelAttempt = clock.after(retryMs, () => attempt(Math.min(retryMs * 2, LONGEST_RETRY_MS)));
    };
    const cancelLimit = clock.after(CONNECT_MS, () => settle(retry));
    socket.once('connect', () => settle(succeed));
    // Not once: a socket that was destroyed can still report an error.
    socket.on('error', () => settle(retry));
    cancelAttempt = () => settle(() => {});
  };
  const succeed = (): void => {
    isWatching = false;
    onReady();
  };

  attempt(FIRST_RETRY_MS);
  return () => {
    if (!isWatching) return false;
    isWatching = false;
    return cancelAttempt();
  };
}
