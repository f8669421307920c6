import Database from 'better-sqlite3';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, controlsIn, folder, jsonLines, lastLine, site, siteWithBackup, type Line, type Ran } from './cli.js';

interface Section {
  readonly fields: readonly string[];
  readonly example: Line;
}

const headings = /^#{2,3} `([\w-]+)`(?: of `([\w ]+)`)?\n([^]*?)(?=^#{2,3} |(?![^]))/gm;

/** By type; for summaries `summary of list`. */
function documented(): ReadonlyMap<string, Section> {
  const text = readFileSync(new URL('../../docs/json-output.md', import.meta.url), 'utf8');
  const sections = [...text.matchAll(headings)].flatMap(([, type, command, body]): [string, Section][] => {
    const example = /```json\n([^]*?)```/.exec(body ?? '')?.[1];
    if (type === undefined || example === undefined) return [];
    const fields = [...(body ?? '').matchAll(/^\| `([^`]+)`/gm)].map(([, field]) => field ?? '');
    return [[command === undefined ? type : `${type} of ${command}`, { fields, example: JSON.parse(example) as Line }]];
  });
  return new Map(sections);
}

/** What is described elsewhere: facts of a database with manifest.json, options of a schedule with its table. */
const elsewhere = new Set(['database', 'options', 'schedule.options']);

function fieldsOf(value: object, above = ''): readonly string[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    const field = `${above}${name}`;
    if (elsewhere.has(field) || typeof inner !== 'object' || inner === null) return [field];
    if (!Array.isArray(inner)) return fieldsOf(inner, `${field}.`);
    const objects = inner.filter((one): one is object => typeof one === 'object' && one !== null);
    return objects.length === 0 ? [field] : objects.flatMap((one) => fieldsOf(one, `${field}[].`));
  });
}

const topLevel = (field: string): string => field.split(/[.[]/, 1)[0] ?? field;

const sections = documented();

/** What any command may tell. */
const everywhere = new Set(['start', 'step', 'progress', 'finding', 'source', 'error', 'summary of create']);

/** All schedules are of the distant past: due. */
function longAgo(root: string): void {
  const database = new Database(join(root, 'var', 'system.brain'));
  const then = '2020-01-01T00:00:00Z';
  database.prepare('UPDATE backup_schedule SET created_at = ?, updated_at = ?').run(then, then);
  database.close();
}

/** Commands whose summaries are described together. */
const documentedAs = (command: string): string => (command === 'unlock' ? 'lock' : command);

function expectDocumented(line: Line): void {
  const name = line.type === 'summary' ? `summary of ${documentedAs(String(line['command']))}` : line.type;
  const section = sections.get(name);
  expect(section, `a section about ${name}`).toBeDefined();
  const { fields } = section!;
  const known = new Set([...fields, ...fields.map(topLevel)]);
  expect(fieldsOf(line).filter((field) => !known.has(field))).toEqual([]);
  expect(new Set(Object.keys(line))).toEqual(new Set(fields.map(topLevel)));
}

/** Every line is documented, the run begins and ends as promised, and the exit code is the last line's. */
function expectContract(ran: Ran): readonly Line[] {
  const lines = jsonLines(ran);
  for (const line of lines) expectDocumented(line);
  const ends = lines.filter(({ type }) => type === 'summary' || type === 'error');
  expect(ends).toEqual([lines.at(-1)]);
  expect(lines[0]?.type).toBe(ends[0]?.['id'] === 'usage' ? lines[0]?.type : 'start');
  expect(lines.at(-1)?.['exitCode']).toBe(ran.code);
  expect(ran.stderr).toBe('');
  return lines;
}

describe('--json', () => {
  it('has an example for every type that has the documented fields', () => {
    expect([...sections.keys()]).toEqual([
      ...['start', 'step', 'progress', 'finding', 'source', 'backup'],
      ...['decision', 'schedule', 'scheduled', 'run', 'recorded-finding', 'problem', 'entry', 'check'],
      ...['create', 'list', 'show', 'verify', 'restore', 'lock', 'delete'].map((command) => `summary of ${command}`),
      ...[
        'prune',
        'schedule',
        'schedule list',
        'schedule next',
        'schedule run',
        'schedule install',
        'log',
        'status',
      ].map((command) => `summary of ${command}`),
      ...['init', 'doctor', 'completion'].map((command) => `summary of ${command}`),
      'error',
    ]);
    for (const { example } of sections.values()) expectDocumented(example);
  });

  it('keeps the contract in every command', async () => {
    const { root, file, id } = await siteWithBackup();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'out\u009b31m'));
    const run = (...args: readonly string[]) => bkp([...args, '--json'], { cwd: root });
    const target = join(folder(), 'target');
    const seen = new Set<string>();
    for (const args of [
      ['create', '--dry-run'],
      ['create'],
      ['list', '--all'],
      ['show', file],
      ['show', file, '--files'],
      ['show', file, '--file'],
      ['show', file, '--checksum'],
      ['verify'],
      ['verify', '--all', '--quick'],
      ['verify', root, file],
      ['restore', 'latest', '--dry-run'],
      ['restore', id, '--confirm', id],
      ['restore', id, '--no-safety-backup', '--confirm', id],
      ['restore', id, '--confirm', 'another'],
      ['restore', '--undo', '--dry-run'],
      ['restore', '--recover'],
      ['restore', 'latest', '--target', target],
      ['restore', 'latest', '--target', target],
      ['show', 'no-such'],
      ['lock', id],
      ['delete', id, '--confirm', id],
      ['unlock', id],
      ['delete', 'latest'],
      ['create', '--only', 'nothing', '-vv'],
    ]) {
      for (const { type } of expectContract(await run(...args))) seen.add(type);
    }
    writeFileSync(file, 'no archive');
    expectContract(await run('verify', file));
    expectContract(await run('restore', file, '--dry-run'));
    for (const type of ['start', 'step', 'progress', 'finding', 'source', 'backup', 'entry', 'summary', 'error']) {
      expect(seen).toContain(type);
    }
  });

  it('keeps it in those about schedules and about what was', async () => {
    const root = site();
    const run = (...args: readonly string[]) => bkp([...args, '--json'], { cwd: root });
    const seen = new Set<string>();
    const look = async (...commands: readonly string[]): Promise<void> => {
      for (const command of commands) for (const line of expectContract(await run(...command.split(' ')))) note(line);
    };
    const note = ({ type, command }: Line): unknown =>
      seen.add(type === 'summary' ? `summary of ${String(command)}` : type);
    await look(
      'status',
      'schedule set daily --every daily --keep 1 --keep-weekly 4 --comment kept',
      'schedule next -n 2',
    );
    await look('schedule disable daily', 'schedule enable daily', 'schedule install --print', 'schedule list');
    await look('schedule install --print --systemd', 'schedule set daily --at 25:00');
    longAgo(root);
    rmSync(join(root, 'var', 'uploads'), { recursive: true });
    await look('schedule run --dry-run', 'schedule run', 'status', 'log', 'log --list');
    await look('create --schedule daily', 'prune --dry-run --keep-last 1', 'prune', 'schedule remove daily');
    expect(
      [...sections.keys()].filter((name) => /decision|schedule|run|recorded|problem|prune|log|status/.test(name)),
    ).toEqual([...sections.keys()].filter((name) => seen.has(name) && !everywhere.has(name)));
  });

  it('keeps it in those that look around, too', async () => {
    const root = site();
    writeFileSync(join(root, 'var/uploads/.env'), '');
    const seen = new Set<string>();
    for (const args of [['init', '-n'], ['init'], ['init', '-y'], ['init', '-y'], ['doctor'], ['completion', 'zsh']])
      for (const { type } of expectContract(await bkp([...args, '--json'], { cwd: root }))) seen.add(type);
    expect(seen).toContain('check');
  });

  it('writes no byte that a terminal would act on', async () => {
    const { root } = await siteWithBackup();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'a\x1bb\u009bc\x7f'));
    const ran = await bkp(['create', '--dry-run', '--json'], { cwd: root });
    const made = await bkp(['create', '--json'], { cwd: root });
    for (const { stdout } of [ran, made]) {
      expect(controlsIn(stdout)).toEqual([]);
    }
    expect(lastLine(made)).toMatchObject({ complete: false, exitCode: 3 });
  });

  it('tells a run that was refused as an error with the exit code of the process', async () => {
    const { root } = await siteWithBackup();
    rmSync(join(root, 'var', 'backups'), { recursive: true });
    const ran = await bkp(['list', '--json'], { cwd: root });
    expect(expectContract(ran).at(-1)).toMatchObject({ type: 'error', id: 'storage-not-found', exitCode: 10 });
  });
});
