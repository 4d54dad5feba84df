import { describeBoundary } from '../remote/boundary.suite.js';
import { fork } from './fork-runner.js';

describeBoundary('fork', (module) => fork(module));
