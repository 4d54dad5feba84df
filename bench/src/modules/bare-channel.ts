/** What a bare worker or a bare fork has to speak with its parent. */
import { parentPort } from 'node:worker_threads';

export function post(message: unknown): void {
  if (parentPort === null) process.send?.(message);
  else parentPort.postMessage(message);
}

export function onMessage(handle: (message: unknown) => void): void {
  if (parentPort === null) process.on('message', handle);
  else parentPort.on('message', handle);
}
