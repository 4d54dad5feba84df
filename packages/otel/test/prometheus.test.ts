import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { servePrometheus } from '@vigiljs/otel/prometheus';

describe('servePrometheus', () => {
  it('serves the metrics of a runtime as Prometheus reads them', async () => {
    const runtime = vigil.runtime();
    const endpoint = await servePrometheus({ runtime, port: 0 });
    const inbox = runtime.inboxBuilder().name('orders').build();
    inbox.send('x');
    const text = await (await fetch(endpoint.url)).text();
    const other = await fetch(endpoint.url.replace('/metrics', '/'));
    await endpoint.close();
    await endpoint.close();
    inbox.close();
    assert.equal(other.status, 404);
    assert.match(text, /^vigil_message_sent_total\{vigil_message_priority="normal",.*\} 1$/m);
    assert.match(text, /^vigil_mailbox_depth\{vigil_mailbox="orders",.*\} 1$/m);
    assert.match(text, /^vigil_runtime_ready(\{.*\})? 1$/m);
    assert.equal(runtime.tracer, undefined);
    await assert.rejects(fetch(endpoint.url));
  });

  it('leaves nothing behind when it cannot listen', async () => {
    const runtime = vigil.runtime();
    await using first = await servePrometheus({ runtime, port: 0 });
    const port = Number(new URL(first.url).port);
    const other = vigil.runtime();
    await assert.rejects(servePrometheus({ runtime: other, port }), { code: 'EADDRINUSE' });
    assert.equal(other.tracer, undefined);
    assert.equal(other.telemetry.wants('message_sent'), false);
  });
});
