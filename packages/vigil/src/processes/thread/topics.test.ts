import { describeTopics } from '../remote/topics.suite.js';
import { thread } from './thread-runner.js';

describeTopics('thread', (module) => thread(module));
