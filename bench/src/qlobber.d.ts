/** As much of it as the benchmark uses: the package has no types. */
declare module 'qlobber' {
  export class Qlobber<T> {
    add(pattern: string, value: T): this;
    match(topic: string): T[];
  }
}
