// Loaded into MyST before it starts a live preview: its servers answer only under their own name and to their own pages.
// They hold what is not published yet, and MyST's content server lets pages of every other site read it.
/**
 * @import { IncomingMessage, ServerResponse } from 'node:http'
 * @import { Duplex } from 'node:stream'
 */
import { Server } from 'node:http';

const OWN = new Set(['localhost', '127.0.0.1', '[::1]']);
const REFUSED = "nnbook: the live preview answers only to its own pages; open the address that 'nnbook site --serve' printed\n";

/**
 * Whether a request names this machine as its host, and comes from no page of another origin.
 * @param {Pick<IncomingMessage, 'headers'>} request
 */
export function isOwn({ headers: { host = '', origin } }) {
  const address = `http://${host}`;
  return URL.canParse(address) && OWN.has(new URL(address).hostname) && (origin === undefined || origin === address);
}

/**
 * Answer a request that is not the preview's own.
 * @param {'request' | 'upgrade'} event
 * @param {ServerResponse | Duplex} answer
 */
function refuse(event, answer) {
  if (event === 'request') /** @type {ServerResponse} */ (answer).writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(REFUSED);
  else /** @type {Duplex} */ (answer).end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
}

/** @type {typeof Server.prototype.emit} */
const emit = Reflect.get(Server.prototype, 'emit');

Server.prototype.emit = new Proxy(emit, {
  /**
   * @param {(...values: unknown[]) => boolean} target
   * @param {Server} server
   * @param {[event: string, request: IncomingMessage, answer: ServerResponse | Duplex]} values
   */
  apply(target, server, values) {
    const [event, request, answer] = values;
    if ((event !== 'request' && event !== 'upgrade') || isOwn(request)) return Reflect.apply(target, server, values);
    refuse(event, answer);
    return true;
  },
});
