/** What is started before the first round and used in all of them, in a process that is killed in the end: a thread whose code is quick. */
export function kept<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= start());
}
