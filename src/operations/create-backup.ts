import { dirname } from 'node:path';
import { formatBytes } from '../base/amounts.js';
import type { ArchiveProof, ArchiveWriter, Container } from '../archive/archive.js';
import { KeptKeys } from '../archive/kept-keys.js';
import { createTarWriter, type TarWriterOptions } from '../archive/tar/writer.js';
import { createZipWriter, type ZipWriterOptions } from '../archive/zip/writer.js';
import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import type { CompressPool } from '../compress/pool.js';
import { type Finding } from '../manifest/findings.js';
import type { Manifest } from '../manifest/manifest.js';
import { SpaceBefore } from './backup-space.js';
import { openDestination, type OpenDestination } from './backup-destination.js';
import type { CreateRequest } from './create-request.js';
import { openPool, type Deps } from './deps.js';
import { withoutExcluded } from './excluded-sources.js';
import { finishArchive } from './finish-archive.js';
import { readBack } from './read-back.js';
import { resolveSources } from './resolve-sources.js';
import { nothingProven } from './reuse/archived-files.js';
import { openReuse, type Reuse } from './reuse/reuse.js';
import { SumsBuffer } from './sums-buffer.js';
import { noHooks, tellOutcome } from './run-hooks.js';
import { refuseUnfinished } from './unfinished-restore.js';
import { archiveSources, nothingReadable, type HeldInstance } from './archive-sources.js';

export interface CreateResult {
  readonly id: string;
  readonly file: string;
  readonly container: Container;
  /** Of the archive as a file. */
  readonly bytes: number;
  readonly sha256: string;
  readonly complete: boolean;
  /** Every entry was decoded and compared; otherwise only the bytes were read back, of a stream not even those. */
  readonly verified: boolean;
  readonly manifest: Manifest;
  readonly findings: readonly Finding[];
  /** What did not change since the backup before, and was taken over from it as it lay there; bytes of content. */
  readonly takenOver: { readonly files: number; readonly bytes: number };
  readonly milliseconds: number;
}

/**
 * Makes one backup: databases copied at one instant, folders read, everything written aside, read back and compared,
 * then named; a stream in one pass. Losses are findings; rejects with a `BkpError` where no archive is made, and leaves nothing behind.
 */
export function createBackup(wanted: CreateRequest, deps: Deps, held?: HeldInstance): Promise<CreateResult> {
  const request = withoutExcluded(wanted);
  return withCleanup(async (cleanup) => {
    const started = deps.clock.monotonic();
    expectEncryptable(request);
    expectSomething(request);
    const holder = held === undefined ? 'create' : undefined;
    const target = await openDestination({ ...request, holder }, deps, cleanup);
    if (held === undefined) refuseUnfinished(request.root);
    const { hooks = noHooks, root, maxPause } = request;
    const run = { id: target.id, file: target.file, root };
    // An application that its hook has stopped waits for nothing.
    const quiesced = { ...request, maxPause: hooks.quiesces ? 'none' : maxPause } as const;
    const work = async (): Promise<CreateResult> => {
      await hooks.before(run);
      return makeArchive({ request: quiesced, target, held, started }, deps);
    };
    return tellOutcome(work, (outcome) => hooks.after(run, outcome), deps.signal);
  });
}

interface Making {
  readonly request: CreateRequest;
  readonly target: OpenDestination;
  readonly held: HeldInstance | undefined;
  readonly started: number;
}

async function makeArchive(making: Making, deps: Deps): Promise<CreateResult> {
  const { target } = making;
  const space = new SpaceBefore([dirname(target.file), target.staging]);
  try {
    return await writeArchive(making, space, deps);
  } catch (error) {
    throw space.told(error);
  }
}

function writeArchive(
  { request, target, held, started }: Making,
  space: SpaceBefore,
  deps: Deps,
): Promise<CreateResult> {
  return withCleanup(async (cleanup) => {
    const generatedAt = deps.clock.now();
    const pool = openPool(deps, cleanup);
    const sums = new SumsBuffer(target.staging);
    cleanup.defer(() => sums.close());
    const keys = new KeptKeys();
    cleanup.defer(() => keys.forget());
    // What is about to be replaced is read: the copy of it that is made before takes nothing over.
    const reuse =
      held === undefined ? await openReuse({ request, target, pool, begun: generatedAt }, deps, cleanup) : undefined;
    const writer = openWriter(request, target, { pool, sums, keys, reuse });
    cleanup.defer(() => writer.abort());

    const content = await archiveSources(request, { target, writer, held, reuse, space }, deps, cleanup);
    const { manifest, proof } = await finishArchive({ request, target, writer, sums, content, generatedAt, deps });
    await target.partial.sync();
    if (isStream(request)) {
      deps.step('streamed', `${target.file} took all of ${formatBytes(proof.bytes)}`);
    } else {
      const proven = reuse?.provenBefore() ?? nothingProven;
      await readBack({ request, target, proof, pool, keys, proven, deps });
      deps.signal.throwIfAborted();
      await target.publish(proof.sha256);
      deps.step('named', `${target.file} has its name`);
      await reuse?.publish(deps);
    }
    const made = result(request, target, manifest, proof, deps.clock.monotonic() - started);
    const findings = [...made.findings, ...(reuse?.findings ?? [])];
    return { ...made, findings, takenOver: reuse?.taken ?? { files: 0, bytes: 0 } };
  });
}

const isStream = ({ destination }: CreateRequest): boolean => destination.kind === 'stream';

function result(
  request: CreateRequest,
  target: OpenDestination,
  manifest: Manifest,
  { bytes, sha256 }: ArchiveProof,
  milliseconds: number,
): Omit<CreateResult, 'takenOver'> {
  const { container } = request.destination;
  const { complete, findings } = manifest;
  const verified = !isStream(request) && !request.quickCheck;
  return {
    id: target.id,
    file: target.file,
    container,
    bytes,
    sha256,
    complete,
    verified,
    manifest,
    findings,
    milliseconds,
  };
}

interface Writing {
  readonly pool: CompressPool;
  readonly sums: SumsBuffer;
  readonly keys: KeptKeys;
  readonly reuse: Reuse | undefined;
}

function openWriter(
  request: CreateRequest,
  target: OpenDestination,
  { pool, sums, keys, reuse }: Writing,
): ArchiveWriter {
  const { encryption } = request;
  // A stream is never read back, and bytes alone need no keys.
  const isReadBack = !isStream(request) && !request.quickCheck;
  const options: ZipWriterOptions & TarWriterOptions = {
    sink: target.partial,
    pool,
    level: request.level,
    onSum: (sum) => {
      sums.add(sum);
      reuse?.written(sum);
    },
    scratch: target.staging,
    traced: reuse !== undefined,
    onMember: reuse === undefined ? undefined : (entries, member) => reuse.writtenTogether(entries, member),
    ...(encryption === undefined
      ? {}
      : { encryption: { passphrase: encryption.passphrase, ...(isReadBack ? { keys } : {}) } }),
  };
  return request.destination.container === 'zip' ? createZipWriter(options) : createTarWriter(options);
}

function expectEncryptable({ encryption, destination }: CreateRequest): void {
  if (encryption === undefined) return;
  const { container } = destination;
  if (container !== 'zip') {
    throw new BkpError('usage', `a ${container} cannot be encrypted`, { hint: 'Encrypted backups are zips.' });
  }
  if (encryption.passphrase.bytes.length === 0) {
    throw new BkpError('usage', 'the passphrase is empty', { hint: 'Choose a long one.' });
  }
}

/** Where no source is there at all, not even the storage is made: perhaps it is the wrong folder. */
function expectSomething({ sources }: CreateRequest): void {
  const { resolved, findings } = resolveSources(sources);
  if (resolved.length === 0) throw nothingReadable(findings);
}
