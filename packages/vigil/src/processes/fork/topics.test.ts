import { describeTopics } from '../remote/topics.suite.js';
import { fork } from './fork-runner.js';

describeTopics('fork', (module) => fork(module));
