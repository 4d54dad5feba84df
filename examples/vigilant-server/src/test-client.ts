import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A connection that is read only when somebody does. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  // How it ends is seen in what is read; nobody should have to listen for a reset besides.
  socket.on('error', () => {});
  return socket;
}

/** A client for tests that reads line by line. */
export class TestClient implements Disposable {
  readonly socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  }

  static async connect(port: number): Promise<TestClient> {
    return new TestClient(await openSocket(port));
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** The next line; `undefined` when the server has closed the connection. */
  async readLine(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  async readLines(count: number): Promise<(string | undefined)[]> {
    const lines = [];
    while (lines.length < count) lines.push(await this.readLine());
    return lines;
  }

  /** The lines up to the next empty one. */
  async readBlock(): Promise<string[]> {
    const lines = [];
    for (let line = await this.readLine(); line !== undefined && line !== ''; line = await this.readLine()) lines.push(line);
    return lines;
  }

  async ask(line: string): Promise<string | undefined> {
    this.send(line);
    return this.readLine();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
