import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { onTestFinished } from 'vitest';

export interface Service {
  readonly url: string;
  /** What it was asked, with the first line of what it was told. */
  readonly asked: string[];
}

/** Answers for as long as the test lasts; `hangs`: it takes what is said and never answers. */
export async function monitoringService(hangs = false): Promise<Service> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body.split('\n')[0]}`.trim());
      if (!hangs) response.end('OK');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/ping`, asked };
}
