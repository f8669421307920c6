import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pathToFileURL } from 'node:url';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import { ping, type PingEvent, type PingResult } from '../../src/system/notify.js';

interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly body: string;
  readonly authorization: string | undefined;
}

type Answering = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function service(answer: Answering): Promise<{ readonly base: string; readonly heard: Heard[]; server: Server }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method, url, headers } = request;
      heard.push({ method, url, body, authorization: headers.authorization });
      answer(request, response, heard.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `127.0.0.1:${(server.address() as AddressInfo).port}`, heard, server };
}

const status =
  (...codes: readonly number[]): Answering =>
  (_, response, count) => {
    response.statusCode = codes[Math.min(count, codes.length) - 1]!;
    response.end('said');
  };

const pinged = (url: string, event: PingEvent = 'success', timeout = 10_000, body?: string): Promise<PingResult> =>
  ping({ url, timeout }, event, body);

describe('a ping', () => {
  it('goes to the URL, its start and its failure, whose text it takes along', async () => {
    const { base, heard } = await service(status(200));
    const url = `http://${base}/ping/secret?create=1&a=%2F#part`;
    for (const event of ['start', 'success', 'fail'] as const)
      expect(await pinged(url, event, 5000, 'no space left\n')).toEqual({ kind: 'told', host: base });
    expect(heard).toEqual([
      { method: 'GET', url: '/ping/secret/start?create=1&a=%2F', body: '', authorization: undefined },
      { method: 'GET', url: '/ping/secret?create=1&a=%2F', body: '', authorization: undefined },
      { method: 'POST', url: '/ping/secret/fail?create=1&a=%2F', body: 'no space left\n', authorization: undefined },
    ]);
  });

  it('goes below a path that ends in a slash, and to a URL that has none', async () => {
    const { base, heard } = await service(status(200));
    for (const url of [`http://${base}/ping/secret/`, `http://${base}`]) await pinged(url, 'start');
    expect(heard.map(({ url }) => url)).toEqual(['/ping/secret/start', '/start']);
  });

  it('logs in with the name and password of the URL', async () => {
    const { base, heard } = await service(status(200));
    expect(await pinged(`http://me:p%40ss@${base}/x`)).toEqual({ kind: 'told', host: base });
    await pinged(`http://50%@${base}/x`);
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(heard.map(({ authorization }) => authorization)).toEqual([basic('me:p@ss'), basic('50%:')]);
  });

  it('is told again where the service has trouble', async () => {
    const { base, heard } = await service(status(500, 429, 200));
    expect(await pinged(`http://${base}/x`)).toMatchObject({ kind: 'told' });
    expect(heard).toHaveLength(3);
  });

  it('is given up after three attempts, and at once where it is refused', async () => {
    const failing = await service(status(503));
    expect(await pinged(`http://${failing.base}/secret`)).toEqual({
      kind: 'failed',
      host: failing.base,
      reason: 'answered 503',
    });
    expect(failing.heard).toHaveLength(3);
    const refusing = await service(status(404));
    expect(await pinged(`http://${refusing.base}/secret`)).toMatchObject({ reason: 'answered 404' });
    expect(refusing.heard).toHaveLength(1);
  });

  it('follows a redirect', async () => {
    const { base, heard } = await service((request, response) => {
      if (request.url?.startsWith('/new') === true) response.end('OK');
      else response.writeHead(302, { location: '/new' }).end();
    });
    for (const event of ['start', 'fail'] as const)
      expect(await pinged(`http://${base}/old`, event, 5000, 'text')).toMatchObject({ kind: 'told' });
    expect(heard.map(({ url }) => url)).toEqual(['/old/start', '/new', '/old/fail', '/new']);
    const circle = await service((_, response) => response.writeHead(302, { location: '/again' }).end());
    expect(await pinged(`http://${circle.base}/old`)).toMatchObject({ kind: 'failed' });
  });

  it.each([
    ['does not answer', (): void => undefined],
    ['does not end its answer', (_: unknown, response: ServerResponse) => void response.writeHead(500).write('x')],
    ['has trouble for ever', (_: unknown, response: ServerResponse) => response.writeHead(500).end()],
  ])('takes no longer than its time where the service %s', async (_, answer) => {
    const { base } = await service(answer);
    const started = performance.now();
    expect(await pinged(`http://${base}/x`, 'success', 700)).toMatchObject({ kind: 'failed', host: base });
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('says why where nobody is there, and shows nothing of the URL but its host', async () => {
    const { base, server } = await service(status(200));
    server.close();
    await once(server, 'close');
    const result = await pinged(`http://${base}/secret?key=secret`, 'fail', 5000, 'text');
    expect(result).toMatchObject({ kind: 'failed', host: base });
    expect(JSON.stringify(result)).toMatch(/could not be reached: .*ECONNREFUSED/);
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(await pinged('http://no-such-host.invalid/secret', 'start', 5000)).toMatchObject({ kind: 'failed' });
  });

  it('goes to nothing but http and https', async () => {
    for (const url of ['file:///etc/passwd', 'ftp://x/y', 'secret', '', 'javascript:1']) {
      expect(await pinged(url)).toEqual({ kind: 'failed', host: 'the ping URL', reason: 'is no http or https URL' });
    }
  });

  it('keeps no process alive once it is told', async () => {
    const { base } = await service((_, response) => response.setHeader('connection', 'keep-alive').end('OK'));
    const module = JSON.stringify(pathToFileURL(entryPoint('system/notify.js')).href);
    const program = `const { ping } = await import(${module});
      await ping({ url: 'http://${base}/x', timeout: 60000 }, 'start');
      const told = performance.now();
      process.on('exit', () => console.log(performance.now() - told < 2000));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child, 'close');
    expect(said).toBe('true\n');
  });
});
