// The runs beside the page: `data/runs.json` and the files of each run. Nothing else is ever fetched.

import { fromCsv } from './format';

export interface RunSummary {
  folder: string; experiment: string; title: string; profile: string; status: string;
  started: number; seconds: number; failed: number; cells: number; digest: string;
  /** Words that people have given it, and its files; older lists have neither. */
  tags?: string[]; files?: string[]; error?: string | null;
}
export interface Runs { schema: number; live: boolean; runs: RunSummary[] }

/** A line of `metrics.csv`. */
export interface MetricRow {
  cell: string; dims: Record<string, string>; seed: string; metric: string;
  value: number; lo: number; hi: number; n: number; unit: string; error: string;
}

export interface Manifest {
  status: string; failed: number; unexpected: string[]; command: string; started: number;
  host: { platform: string; processors: number }; seconds: Record<string, number>;
  plan: {
    experiment: string; title: string; question: string; profile: string; design: Record<string, unknown>; seeds: number[];
    data?: { source?: string; objective?: string; digest?: string; parts?: { name: string; role: string; items: number; groups: number }[] };
    rungs?: { name: string; model: { parameters?: number; digest?: string; runtime?: string } }[];
    code?: unknown; [key: string]: unknown;
  };
}

const SCHEMA = 1;

async function fetched(path: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`data/${path}`);
  } catch {
    throw new Error(`data/${path} could not be fetched: is the server still running?`);
  }
  if (!response.ok) throw new Error(`data/${path}: the server answers ${response.status}, expected the file`);
  return response;
}

async function json(path: string): Promise<unknown> {
  const text = await (await fetched(path)).text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`data/${path} is not valid JSON (${(error as Error).message})`);
  }
}

/** The list of runs; none where there is no `data` folder. */
export async function runs(): Promise<Runs> {
  const response = await fetch('data/runs.json').catch(() => undefined);
  const kind = response?.headers.get('content-type') ?? '';
  if (!response || response.status === 404 || kind.includes('text/html')) return { schema: SCHEMA, live: false, runs: [] };
  if (!response.ok) throw new Error(`data/runs.json: the server answers ${response.status}`);
  let found: Runs;
  try {
    found = (await response.json()) as Runs;
  } catch (error) {
    throw new Error(`data/runs.json is not valid JSON (${(error as Error).message})`);
  }
  if (found.schema !== SCHEMA || !Array.isArray(found.runs)) {
    throw new Error(`data/runs.json has schema ${String(found.schema)}, expected ${SCHEMA}: build the page anew`);
  }
  return found;
}

/** The manifest of a run. */
export const manifest = async (folder: string): Promise<Manifest> => (await json(`${encodeURIComponent(folder)}/manifest.json`)) as Manifest;

/** All numbers of a run. */
export async function metrics(folder: string): Promise<MetricRow[]> {
  const text = await (await fetched(`${encodeURIComponent(folder)}/metrics.csv`)).text();
  const number = (cell: string | undefined) => (cell === undefined || cell === '' ? Number.NaN : Number(cell));
  return fromCsv(text).map((row) => ({
    cell: row.cell ?? '', dims: dims(row.cell ?? ''), seed: row.seed ?? '', metric: row.metric ?? '',
    value: number(row.value), lo: number(row.lo), hi: number(row.hi), n: number(row.n), unit: row.unit ?? '', error: row.error ?? '',
  }));
}

/** The journal's rows, as `metrics.csv` has them. */
export function journalRows(line: string): { job: string; seconds: number; rows: MetricRow[] } {
  const entry = JSON.parse(line) as { job: string; seconds?: number; rows: Record<string, unknown>[] };
  const number = (x: unknown) => (typeof x === 'number' ? x : Number.NaN);
  return {
    job: entry.job, seconds: entry.seconds ?? 0,
    rows: entry.rows.map((row) => ({
      cell: String(row.cell), dims: dims(String(row.cell)), seed: row.seed === null || row.seed === undefined ? '' : String(row.seed),
      metric: String(row.metric), value: number(row.value), lo: number(row.lo), hi: number(row.hi), n: number(row.n),
      unit: String(row.unit ?? ''), error: String(row.error ?? ''),
    })),
  };
}

/** The address of a file of a run. */
export const file = (folder: string, name: string): string => `data/${encodeURIComponent(folder)}/${name}`;

/** The place of a cell: `a=b/c=d` by name; words without a value are its `part`. */
export function dims(cell: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const token of cell.split('/')) {
    const at = token.indexOf('=');
    if (at > 0) found[token.slice(0, at)] = token.slice(at + 1);
    else if (token) found.part = found.part ? `${found.part}/${token}` : token;
  }
  return found;
}
