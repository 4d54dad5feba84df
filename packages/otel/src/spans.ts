import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api';

/**
 * Calls `work` and ends the span with it: at once, or when its promise settles. What it throws is recorded and passed on.
 *
 * @param ended - is called then, too.
 */
export function endWith<T>(span: Span, work: () => T, ended: () => void = () => {}): T {
  const succeed = () => {
    span.end();
    ended();
  };
  const fail = (error: unknown) => {
    endFailed(span, error);
    ended();
  };
  let result: T;
  try {
    result = work();
  } catch (error) {
    fail(error);
    throw error;
  }
  if (isPromise(result)) result.then(() => succeed(), fail);
  else succeed();
  return result;
}

export function endFailed(span: Span, error: unknown): void {
  const exception = error instanceof Error ? error : new Error(String(error));
  span.recordException(exception);
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
  span.setAttribute('error.type', codeOf(error) ?? exception.name);
  span.end();
}

/** Without those that are not known. */
export function known(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
