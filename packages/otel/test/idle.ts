export default ({ stopped }: { readonly stopped: Promise<void> }): Promise<void> => stopped;
