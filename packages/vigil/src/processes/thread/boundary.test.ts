import { describeBoundary } from '../remote/boundary.suite.js';
import { thread } from './thread-runner.js';

describeBoundary('thread', (module) => thread(module));
