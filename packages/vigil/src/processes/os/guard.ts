/**
 * The main program of the guard process: it ends what its parent has started when its parent is gone, however it went.
 *
 * On its standard input, which is the parent's end of a pipe that nobody else holds, it hears one line for each change: `+5` when
 * process group 5 is to be watched, `-5` when it need not be any more. When the input ends, the parent has died.
 */
const groups = new Set<number>();
let rest = '';

process.stdin.setEncoding('latin1');
process.stdin.on('data', (text: string) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const group = Number(line.slice(1));
    if (line.startsWith('+')) groups.add(group);
    else groups.delete(group);
  }
});
process.stdin.on('close', () => {
  for (const group of groups) killGroup(group);
});
process.stdin.on('error', () => {});

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
