// The built page and a folder of data on a port of this machine, in a subfolder, as any file host would serve them.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json', '.csv': 'text/csv', '.parquet': 'application/octet-stream' };

/** Serves `page` and, under `data`, `data`; `events` are the lines of the run that goes on. */
export async function serve(page, data, events = []) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    if (!path.startsWith('/sub/')) { response.writeHead(404).end(); return; }
    const rest = path.slice(5) || 'index.html';
    if (rest.endsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: jobs\ndata: 8\n\n');
      events.forEach((line, i) => setTimeout(() => response.write(`data: ${line}\n\n`), 60 * i));
      return;
    }
    const file = rest.startsWith('data/') ? data && join(data, rest) : join(page, rest);
    if (!file || !existsSync(file) || !statSync(file).isFile()) { response.writeHead(404, { 'content-type': 'text/plain' }).end('not found'); return; }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, url: `${origin}/sub/`, close: () => { server.closeAllConnections(); server.close(); } };
}
