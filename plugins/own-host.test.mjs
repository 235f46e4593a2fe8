// A server of a process that loads the guard answers its own pages and refuses those of other sites.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, before, describe, it } from 'node:test';

import { isOwn } from './own-host.mjs';

const server = createServer((_, response) => { response.end('unpublished'); });
server.on('upgrade', (_, socket) => { socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'); });
let port = 0;

before(async () => {
  await new Promise((resolve) => { server.listen(0, 'localhost', () => { resolve(undefined); }); });
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => { server.close(); });

/**
 * Ask the server, and return the status that it answers with.
 * @param {Record<string, string>} headers
 * @returns {Promise<number | undefined>}
 */
function status(headers) {
  return new Promise((resolve, reject) => {
    const asked = request({ host: 'localhost', port, headers: { host: `localhost:${String(port)}`, ...headers } });
    asked.on('response', (answer) => { answer.resume(); resolve(answer.statusCode); });
    asked.on('upgrade', (answer, socket) => { socket.destroy(); resolve(answer.statusCode); });
    asked.on('error', reject).end();
  });
}

describe('a server of the live preview', () => {
  const socket = { connection: 'Upgrade', upgrade: 'websocket' };

  it('answers its own pages', async () => {
    assert.equal(await status({}), 200);
    assert.equal(await status({ origin: `http://localhost:${String(port)}` }), 200);
    assert.equal(await status({ ...socket, origin: `http://localhost:${String(port)}` }), 101);
  });

  it('refuses pages of other sites', async () => {
    assert.equal(await status({ origin: 'https://other.example' }), 403);
    assert.equal(await status({ ...socket, origin: 'https://other.example' }), 403);
    assert.equal(await status({ origin: `http://localhost:${String(port + 1)}` }), 403);
    assert.equal(await status({ origin: 'null' }), 403);
  });

  it('refuses to answer under a name that is not its own', async () => {
    assert.equal(await status({ host: `other.example:${String(port)}` }), 403);
    assert.equal(await status({ ...socket, host: 'other.example' }), 403);
  });

  it('knows its numeric addresses', () => {
    for (const host of ['127.0.0.1:3000', '[::1]:3000', 'localhost']) assert.ok(isOwn({ headers: { host } }), host);
    for (const host of ['127.0.0.2', 'localhost.other.example', 'localhost@other.example', '']) assert.ok(!isOwn({ headers: { host } }), host);
  });
});
