import type { Line } from '../line.js';
import { callToThread } from './call-to-thread.js';
import { breakerOpen, breakerSuccess } from './circuit-breaker.js';
import { commandRestarts } from './command-restart.js';
import { crashToRestart } from './crash-to-restart.js';
import { forkRestart, forkRestartWithSpare } from './fork-restart.js';
import { genServerCall, genServerCallPipelined } from './gen-server-call.js';
import { idleSupervision } from './idle-supervision.js';
import { idleTask } from './idle-task.js';
import { inboxInBatches } from './inbox-in-batches.js';
import { inboxOneByOne } from './inbox-one-by-one.js';
import { messagesAcrossBoundaries } from './messages.js';
import { pingPong } from './ping-pong.js';
import { policyBulkhead, policyComposed, policyHedge, policyLimited, policyRetry, policyTimeout } from './policies.js';
import { rateLimiter } from './rate-limiter.js';
import { timers } from './timers.js';
import { restartAmongMany } from './restart-among-many.js';
import { sharedInboxObjects, sharedInboxStrings } from './shared-inbox.js';
import { simulation } from './simulation.js';
import { snapshot } from './snapshot.js';
import { startChild } from './start-child.js';
import { telemetryUnheard } from './telemetry-unheard.js';
import { publishUnrelated, topicMatch } from './topic-match.js';
import { wakeUp } from './wake-up.js';
import { threadRestart, threadRestartWithSpare } from './thread-restart.js';

export const lines: readonly Line[] = [
  inboxInBatches,
  inboxOneByOne,
  pingPong,
  genServerCall,
  genServerCallPipelined,
  topicMatch,
  publishUnrelated,
  breakerSuccess,
  breakerOpen,
  policyComposed,
  policyTimeout,
  policyRetry,
  policyBulkhead,
  policyLimited,
  policyHedge,
  rateLimiter,
  timers,
  startChild,
  crashToRestart,
  restartAmongMany,
  threadRestartWithSpare,
  threadRestart,
  forkRestartWithSpare,
  forkRestart,
  ...commandRestarts,
  sharedInboxStrings,
  sharedInboxObjects,
  callToThread,
  wakeUp,
  ...messagesAcrossBoundaries,
  telemetryUnheard,
  snapshot,
  simulation,
  idleTask,
  idleSupervision,
];
