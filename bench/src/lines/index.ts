import type { Line } from '../line.js';
import { crashToRestart } from './crash-to-restart.js';
import { idleTask } from './idle-task.js';
import { inboxInBatches } from './inbox-in-batches.js';
import { inboxOneByOne } from './inbox-one-by-one.js';
import { pingPong } from './ping-pong.js';
import { restartAmongMany } from './restart-among-many.js';
import { startChild } from './start-child.js';
import { telemetryUnheard } from './telemetry-unheard.js';

export const lines: readonly Line[] = [
  inboxInBatches,
  inboxOneByOne,
  pingPong,
  startChild,
  crashToRestart,
  restartAmongMany,
  telemetryUnheard,
  idleTask,
];
