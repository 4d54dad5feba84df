import { describeNames } from '../remote/names.suite.js';
import { thread } from './thread-runner.js';

describeNames('thread', (module, spares) => thread(module, { spares }));
