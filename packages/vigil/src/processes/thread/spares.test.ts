import { readdirSync } from 'node:fs';
import { describeSpares } from '../remote/spares.suite.js';
import { thread } from './thread-runner.js';

// Workers are threads of this process, and the only ones that come and go.
const threads = (): number => readdirSync('/proc/self/task').length;
const before = threads();

describeSpares(
  'thread',
  (module, spares) => thread(module, { spares }),
  () => threads() - before,
);
