import { fileURLToPath } from 'node:url';
import * as vigil from 'vigiljs';

/** What the bookkeeper reads as a line of JSON. */
export interface Entry {
  readonly child: string;
  readonly reason: string;
}

/** The program that counts restarts. It has started when it says so, and gets its inbox on its standard input. */
export const bookkeeper: vigil.Runner = vigil.command(process.execPath, [fileURLToPath(new URL('./bookkeeper.js', import.meta.url))], {
  stdin: 'json-lines',
  readyWhen: 'the books are open',
});

/** Tells it of every restart. What it misses, since it is down itself or does not read, is in the log. */
export function keepBooks(books: vigil.Sender<Entry>, { telemetry, log }: vigil.Runtime): void {
  telemetry.on('supervisor_restart', ({ metadata: { id, reason } }) => {
    const entry = { child: id, reason: vigil.describeExit(reason) };
    try {
      books.send(entry);
    } catch (error) {
      log.warn(`the books lack ${JSON.stringify(entry)}`, error);
    }
  });
}
