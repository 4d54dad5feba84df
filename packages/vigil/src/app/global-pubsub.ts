import { type TopicBroker, PubSubBroker as CoreBroker } from '../messaging/index.js';
import { defaultRuntime } from './default-runtime.js';
import { environmentOf } from './low-level.js';
import type { Runtime } from './runtime.js';

/** A broker of its own, which shares nothing with that of the runtime but the clock and telemetry. */
export class PubSubBroker extends CoreBroker {
  /** @throws {VigilError} `InvalidConfiguration` when the runtime is none. */
  constructor(runtime: Runtime = defaultRuntime()) {
    super(environmentOf(runtime));
  }
}

/** Makes sure that the default runtime exists and gives its broker. Calling it is never needed: kept for the reference. */
export function initGlobal(): TopicBroker {
  return getGlobal();
}

/** The broker of the default runtime. */
export function getGlobal(): TopicBroker {
  return defaultRuntime().pubsub;
}
