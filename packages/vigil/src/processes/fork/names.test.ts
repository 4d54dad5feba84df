import { describeNames } from '../remote/names.suite.js';
import { fork } from './fork-runner.js';

describeNames('fork', (module, spares) => fork(module, { spares }));
