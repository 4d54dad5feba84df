/**
 * What tests of programs built on Vigil need: time and chance that they control, mocks, faults, and simulations.
 *
 * Mocks are the real thing, made for being looked at: a mock inbox checks what it is sent as every inbox does, a mock supervisor restarts by
 * OTP's rules. Everything is on the clock of a `TestContext`, which stands still until the test moves it.
 */
export { SeededRandom } from '../core/index.js';
export { drainInbox, type ExpectedMessage, expectMessage, expectSignal, fillInbox, type TestedInbox } from './expectations.js';
export { type Fault, FaultySender } from './faulty-sender.js';
export { MockInbox } from './mock-inbox.js';
export { MockSupervisor, type MockSupervisorOptions } from './mock-supervisor.js';
export { type Life, scriptedChild } from './scripted-child.js';
export { type LoggedLine, TestContext, type TestContextOptions } from './test-context.js';
export {
  type ChildFaults,
  explore,
  type ExploreOptions,
  type ExploreReport,
  type Scenario,
  simulate,
  type SimulatedClock,
  type SimulateOptions,
  type Simulation,
  type SimulationReport,
  type TaskFaults,
} from './simulation/index.js';
export { VirtualClock } from './virtual-clock.js';
