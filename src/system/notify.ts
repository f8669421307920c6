import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../base/errors.js';

/** A service that expects to hear of every run, and raises the alarm where it does not (healthchecks.io and its like). */
export interface NotifySettings {
  /** As `parsePingUrl` takes it. May hold secrets: no message shows more of it than its host. */
  readonly url: string;
  /** Milliseconds for one ping with all its attempts. */
  readonly timeout: number;
}

/** `start` and `fail` are told at a path of their own below the URL. */
export type PingEvent = 'start' | 'success' | 'fail';

/** `reason` goes on after the host: "answered 500". */
export type PingResult =
  | { readonly kind: 'told'; readonly host: string }
  | { readonly kind: 'failed'; readonly host: string; readonly reason: string };

/** Milliseconds, where nothing else is configured. */
export const defaultPingTimeout = 10_000;

const attempts = 3;
/** Milliseconds between two attempts. */
const pause = 500;
/** Characters of what is told with a failure. */
const longestBody = 10_000;

/** Tells the service. Never rejects, and takes no longer than its timeout. `body`: a text for people, told with a failure. */
export async function ping({ url, timeout }: NotifySettings, event: PingEvent, body = ''): Promise<PingResult> {
  const target = parsePingUrl(url);
  if (target === undefined) return { kind: 'failed', host: 'the ping URL', reason: 'is no http or https URL' };
  const { host } = target;
  const request = requestOf(target, event, body);
  const ending = AbortSignal.timeout(timeout);
  let reason = `did not answer within ${timeout / 1000} s`;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const answer = await ask(request, ending);
    if (answer.kind === 'ok') return { kind: 'told', host };
    if (answer.kind !== 'timeout') reason = answer.reason;
    if (answer.kind === 'timeout' || answer.kind === 'refused' || attempt === attempts || !(await slept(ending))) break;
  }
  return { kind: 'failed', host, reason };
}

/** Undefined where it is no http or https URL. */
export function parsePingUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

interface PingRequest {
  readonly url: URL;
  readonly init: RequestInit;
}

function requestOf(target: URL, event: PingEvent, body: string): PingRequest {
  const url = new URL(target);
  // `fetch` refuses a name and password in a URL.
  const { username, password } = url;
  url.username = '';
  url.password = '';
  url.hash = '';
  if (event !== 'success') url.pathname = `${url.pathname.replace(/\/+$/, '')}/${event}`;
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  const headers = new Headers({ 'user-agent': 'bkp' });
  if (username !== '' || password !== '') headers.set('authorization', `Basic ${credentials}`);
  const post = event === 'fail' ? { method: 'POST', body: body.slice(0, longestBody) } : { method: 'GET' };
  return { url, init: { ...post, headers } };
}

/** A `%` that escapes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}

type Answer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'timeout' }
  /** `refused`: asking again would not help. */
  | { readonly kind: 'refused' | 'trouble'; readonly reason: string };

async function ask({ url, init }: PingRequest, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, signal });
    // Whatever it says is not read.
    await response.body?.cancel();
    if (response.ok) return { kind: 'ok' };
    const reason = `answered ${response.status}`;
    return { kind: response.status === 429 || response.status >= 500 ? 'trouble' : 'refused', reason };
  } catch (error) {
    if (signal.aborted) return { kind: 'timeout' };
    return { kind: 'trouble', reason: `could not be reached: ${networkReason(error)}` };
  }
}

/** `fetch failed` says nothing; what is behind it does, and names no path. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return errorText(error);
  return 'code' in cause && typeof cause.code === 'string' && cause.message === '' ? cause.code : cause.message;
}

/** False where the time was over. */
async function slept(signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(pause, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
