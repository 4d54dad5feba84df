/** What `answering.ts` does, without Vigil. */
import { onMessage, post } from './bare-channel.js';

onMessage((message) => post(message));
post('running');
