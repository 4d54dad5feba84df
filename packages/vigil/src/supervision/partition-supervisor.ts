import { checkObject, checkPositiveCount, type Environment, invalidOption, type Sender } from '../core/index.js';
import type { ChildSpec, SupervisionDefaults } from './child-spec.js';
import { Supervisor } from './supervisor.js';
import type { SupervisorOptions } from './supervisor-options.js';

/** What a partition is chosen by. */
export type PartitionKey = string | number | bigint | boolean;

/** How each partition is started. Its ids are `partition_0`, `partition_1`, … */
export type PartitionTemplate<TMessage = unknown, TArgs = unknown> = Omit<ChildSpec<TMessage, TArgs>, 'id'>;

export interface PartitionOptions extends Omit<SupervisorOptions, 'children'> {
  /** At least 1. */
  readonly partitions: number;
}

/**
 * Runs a number of equal children and sends what belongs to one key always to the same of them.
 *
 * @see Elixir `PartitionSupervisor`
 */
export class PartitionSupervisor<TMessage = unknown> extends Supervisor {
  readonly #firstPartitions: number;
  #partitions: number;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(
    template: PartitionTemplate<TMessage>,
    options: PartitionOptions,
    environment: Environment,
    defaults?: SupervisionDefaults,
    parentPath?: string,
  ) {
    checkObject('template', template);
    checkObject('partition options', options);
    const partitions = checkPositiveCount('partitions', options.partitions);
    const children = Array.from({ length: partitions }, (_, number) => ({ ...template, id: `partition_${number}` }));
    super({ ...options, children }, environment, defaults, parentPath);
    this.#partitions = partitions;
    this.#firstPartitions = partitions;
  }

  get partitions(): number {
    return this.#partitions;
  }

  override start(): Promise<void> {
    if (this.state === 'stopped') this.#partitions = this.#firstPartitions;
    return super.start();
  }

  /** The partition of a key: `abs(key) mod partitions` for an integer, by a hash otherwise; the same for equal keys. */
  partitionOf(key: PartitionKey): number {
    if (typeof key === 'number' && Number.isSafeInteger(key)) return Math.abs(key) % this.#partitions;
    if (typeof key === 'bigint') return Number((key < 0n ? -key : key) % BigInt(this.#partitions));
    if (!['string', 'number', 'boolean'].includes(typeof key)) throw invalidOption('key', 'a string, number, bigint or boolean', key);
    return hash(`${typeof key}:${key}`) % this.#partitions;
  }

  /** A sender to the partition of a key, as it is now. Its sends throw as those of `address`. */
  route(key: PartitionKey): Sender<TMessage> {
    return this.address<TMessage>(`partition_${this.partitionOf(key)}`);
  }

  /**
   * Starts or stops partitions at the end of the row; keys are spread anew over what there is then. After a restart of the
   * supervisor their number is the original one again.
   *
   * @param partitions - at least 1, since every key has to belong somewhere.
   * @throws {VigilError} as `scaleWorkers`, and then keys are spread as before.
   */
  async resize(partitions: number): Promise<void> {
    checkPositiveCount('partitions', partitions);
    await this.scaleWorkers('partition', partitions);
    this.#partitions = partitions;
  }
}

/** FNV-1a, 32 bits: spreads short keys well, and is the same on every machine. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
