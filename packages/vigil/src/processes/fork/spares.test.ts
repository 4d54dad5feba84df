import { descendantsButGuards } from '../remote/arena.suite.js';
import { describeSpares } from '../remote/spares.suite.js';
import { fork } from './fork-runner.js';

describeSpares(
  'fork',
  (module, spares) => fork(module, { spares }),
  () => descendantsButGuards().length,
);
