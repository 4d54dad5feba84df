/** For a bare fork: what `idle.ts` does, without Vigil. It ends with its parent, whose channel is all that keeps it. */
process.on('message', () => {});
process.send?.('running');
