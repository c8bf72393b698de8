// Parquet as columns, by hyparquet. Its compressors are loaded only when a file needs them.

import { parquetMetadata, parquetMetadataAsync, parquetRead, type AsyncBuffer, type Compressors, type FileMetaData } from 'hyparquet';
import type { Coded, ItemColumn, Items, Said, TextIndex } from './protocol';

export type Gathered =
  | { name: string; kind: 'numbers'; values: Float64Array }
  | { name: string; kind: 'texts'; distinct: string[]; codes: Uint32Array }
  | { name: string; kind: 'lists'; shape: Uint32Array; values: Float64Array }
  | { name: string; kind: 'other'; found: string };

const NOTHING = 0xffffffff;

async function compressors(metadata: FileMetaData): Promise<Compressors | undefined> {
  const own = ['UNCOMPRESSED', 'SNAPPY'];
  const needs = metadata.row_groups.some((group) => group.columns.some((column) => column.meta_data && !own.includes(column.meta_data.codec)));
  return needs ? (await import('hyparquet-compressors')).compressors : undefined;
}

/** Whether a number is written like one and not like an identifier, as the reader of CSV sees it. */
const exact = (x: bigint): boolean => x >= -(2n ** 53n) && x <= 2n ** 53n;

/** Every column of a file in memory. */
export async function parquetColumns(bytes: ArrayBuffer): Promise<Gathered[]> {
  let metadata: FileMetaData;
  try {
    metadata = parquetMetadata(bytes);
  } catch (error) {
    throw new Error(`the Parquet file is broken (${(error as Error).message}): check that it was written to its end`);
  }
  const rows = Number(metadata.num_rows);
  const cells = new Map<string, unknown[]>();
  const file: AsyncBuffer = { byteLength: bytes.byteLength, slice: (from, to) => bytes.slice(from, to) };
  try {
    await parquetRead({
      file, metadata, compressors: await compressors(metadata),
      onChunk: ({ columnName, columnData, rowStart }) => {
        let column = cells.get(columnName);
        if (!column) cells.set(columnName, column = new Array<unknown>(rows).fill(null));
        for (let i = 0; i < columnData.length; i++) column[rowStart + i] = columnData[i];
      },
    });
  } catch (error) {
    throw new Error(`the Parquet file could not be read (${(error as Error).message}): write it again, or as CSV`);
  }
  return [...cells].map(([name, column]) => gathered(name, column));
}

function gathered(name: string, cells: unknown[]): Gathered {
  const first = cells.find((cell) => cell !== null && cell !== undefined);
  if (first === undefined) return { name, kind: 'numbers', values: new Float64Array(cells.length).fill(Number.NaN) };
  if (Array.isArray(first) || ArrayBuffer.isView(first)) return lists(name, cells);
  if (typeof first === 'number' || (typeof first === 'bigint' && cells.every((cell) => typeof cell !== 'bigint' || exact(cell)))) {
    const values = new Float64Array(cells.length);
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i];
      if (cell === null || cell === undefined) values[i] = Number.NaN;
      else if (typeof cell === 'number' || typeof cell === 'bigint') values[i] = Number(cell);
      else return { name, kind: 'other', found: `cells of several kinds, among them ${typeof cell}` };
    }
    return { name, kind: 'numbers', values };
  }
  if (['string', 'boolean', 'bigint'].includes(typeof first)) {
    const places = new Map<string, number>();
    const codes = new Uint32Array(cells.length);
    for (let i = 0; i < cells.length; i++) codes[i] = cells[i] === null || cells[i] === undefined ? NOTHING : placeOf(places, String(cells[i]));
    return { name, kind: 'texts', distinct: [...places.keys()], codes };
  }
  return { name, kind: 'other', found: 'values of another type' };
}

function placeOf(places: Map<string, number>, text: string): number {
  let place = places.get(text);
  if (place === undefined) places.set(text, place = places.size);
  return place;
}

function lists(name: string, cells: unknown[]): Gathered {
  const shape: number[] = [];
  const values: number[] = [];
  const flat = (cell: unknown, depth: number): boolean => {
    if (!Array.isArray(cell) && !ArrayBuffer.isView(cell)) {
      values.push(cell === null || cell === undefined ? Number.NaN : Number(cell));
      return depth === shape.length && (cell === null || cell === undefined || typeof cell === 'number' || typeof cell === 'bigint');
    }
    const list = cell as ArrayLike<unknown>;
    if (shape.length === depth && values.length === 0) shape.push(list.length);
    if (shape[depth] !== list.length) return false;
    for (let i = 0; i < list.length; i++) if (!flat(list[i], depth + 1)) return false;
    return true;
  };
  for (const cell of cells) if (!flat(cell, 0)) return { name, kind: 'other', found: 'lists of several lengths' };
  return { name, kind: 'lists', shape: Uint32Array.from(shape), values: Float64Array.from(values) };
}

const TEXTS = ['item', 'group', 'family', 'part', 'model', 'signal', 'conflict', 'gold'];

/** `items.parquet` of a run. */
export async function parquetItems(url: string, told: (rows: number, of: number) => void): Promise<Items> {
  const found = await fetched(url);
  if (!found) throw new Error(`${url}: the server answers 404, expected the file`);
  const { file, metadata } = found;
  const rows = Number(metadata.num_rows);
  const texts = new Map<string, { places: Map<string, number>; codes: Uint32Array }>();
  const numbers = new Map<string, Float64Array>();
  const done = new Map<string, number>();
  await parquetRead({
    file, metadata, compressors: await compressors(metadata),
    onChunk: ({ columnName, columnData, rowStart }) => {
      if (TEXTS.includes(columnName)) {
        let column = texts.get(columnName);
        if (!column) texts.set(columnName, column = { places: new Map(), codes: new Uint32Array(rows) });
        let [last, code] = [undefined as unknown, 0];
        for (let i = 0; i < columnData.length; i++) {
          const cell = columnData[i];
          if (cell !== last || i === 0) { code = placeOf(column.places, String(cell)); last = cell; }
          column.codes[rowStart + i] = code;
        }
      } else {
        let column = numbers.get(columnName);
        if (!column) numbers.set(columnName, column = new Float64Array(rows));
        for (let i = 0; i < columnData.length; i++) {
          const cell = columnData[i] as number | bigint | null | undefined;
          column[rowStart + i] = cell === null || cell === undefined ? Number.NaN : Number(cell);
        }
      }
      const passed = (done.get(columnName) ?? 0) + columnData.length;
      done.set(columnName, passed);
      told([...done.values()].reduce((a, b) => a + b, 0), rows * 12);
    },
  });
  const columns: ItemColumn[] = [];
  for (const { name } of metadata.schema.slice(1)) {
    const text = texts.get(name);
    const values = numbers.get(name);
    if (text) columns.push({ name, kind: 'text', distinct: [...text.places.keys()], codes: text.codes });
    else if (values) columns.push({ name, kind: 'number', values });
  }
  return { rows, columns };
}

interface Remote { file: AsyncBuffer; metadata: FileMetaData }

/** A file of a run; nothing where the run has none of that name. */
async function fetched(url: string): Promise<Remote | undefined> {
  const response = await fetch(url);
  // A host of single pages answers with the page where there is no file.
  if (response.status === 404 || (response.headers.get('content-type') ?? '').includes('text/html')) return undefined;
  if (!response.ok) throw new Error(`${url}: the server answers ${response.status}, expected the file`);
  const bytes = await response.arrayBuffer();
  const file: AsyncBuffer = { byteLength: bytes.byteLength, slice: (from, to) => bytes.slice(from, to) };
  try {
    return { file, metadata: await parquetMetadataAsync(file) };
  } catch (error) {
    throw new Error(`${url} is no Parquet file (${(error as Error).message})`);
  }
}

/** Tells of the cells of some columns, chunk by chunk. */
async function cells(
  { file, metadata }: Remote, columns: string[], told: (name: string, start: number, cells: ArrayLike<unknown>) => void, rows?: [number, number],
): Promise<void> {
  await parquetRead({
    file, metadata, columns, compressors: await compressors(metadata), ...(rows ? { rowStart: rows[0], rowEnd: rows[1] } : {}),
    onChunk: ({ columnName, columnData, rowStart }) => told(columnName, rowStart, columnData as ArrayLike<unknown>),
  });
}

/** The texts of a run, as its `texts.parquet` has them. */
export interface RunTexts extends TextIndex { texts: string[]; answers: (string | undefined)[] }

const CODED = ['part', 'group', 'objective'] as const;

/** `texts.parquet` of a run; nothing where it has none. */
export async function parquetTexts(url: string): Promise<RunTexts | undefined> {
  const found = await fetched(url);
  if (!found) return undefined;
  const rows = Number(found.metadata.num_rows);
  const names = found.metadata.schema.slice(1).map((column) => column.name);
  for (const need of ['item', 'text', 'answer', 'gold', ...CODED]) {
    if (!names.includes(need)) throw new Error(`texts.parquet has no column \`${need}\`: it is of another version`);
  }
  const coded = Object.fromEntries(CODED.map((name) => [name, { places: new Map<string, number>(), codes: new Uint32Array(rows) }])) as Record<(typeof CODED)[number], { places: Map<string, number>; codes: Uint32Array }>;
  const plain: Record<string, (string | undefined)[]> = { item: new Array(rows), text: new Array(rows), answer: new Array(rows) };
  const gold = new Uint8Array(rows);
  await cells(found, ['item', 'text', 'answer', 'gold', ...CODED], (name, start, list) => {
    for (let i = 0; i < list.length; i++) {
      const cell = list[i];
      if (name === 'gold') gold[start + i] = Number(cell === true);
      else if (name in plain) plain[name]![start + i] = cell === null || cell === undefined ? undefined : String(cell);
      else { const column = coded[name as keyof typeof coded]; column.codes[start + i] = placeOf(column.places, String(cell)); }
    }
  });
  const done = (name: keyof typeof coded): Coded => ({ distinct: [...coded[name].places.keys()], codes: coded[name].codes });
  return {
    items: plain.item as string[], texts: plain.text as string[], answers: plain.answer!,
    parts: done('part'), groups: done('group'), objectives: done('objective'), gold,
  };
}

/** What `items.parquet` of a run says of one item. Only the rows around it are read in full. */
export async function parquetSaid(url: string, item: string): Promise<Said['rows']> {
  const found = await fetched(url);
  if (!found) return [];
  const mine: number[] = [];
  await cells(found, ['item'], (_, start, list) => {
    for (let i = 0; i < list.length; i++) if (list[i] === item) mine.push(start + i);
  });
  const rows: Said['rows'] = [];
  let before = 0;
  for (const group of found.metadata.row_groups) {
    const [first, end] = [before, before + Number(group.num_rows)];
    before = end;
    const here = mine.filter((row) => row >= first && row < end).sort((a, b) => a - b);
    if (here.length === 0) continue;
    const [from, to] = [here[0]!, here.at(-1)! + 1];
    const columns: Record<string, ArrayLike<unknown>> = {};
    for (const name of ['model', 'signal', 'seed', 'part', 'gold', 'given', 'probability']) {
      const column = columns[name] = new Array<unknown>(to - from);
      await cells(found, [name], (_, start, list) => {
        for (let i = 0; i < list.length; i++) { const at = start + i - from; if (at >= 0 && at < to - from) column[at] = list[i]; }
      }, [from, to]);
    }
    const cell = (name: string, row: number): unknown => columns[name]![row - from];
    const number = (value: unknown): number => (value === null || value === undefined ? Number.NaN : Number(value));
    for (const row of here) {
      rows.push({
        model: String(cell('model', row)), signal: String(cell('signal', row)), seed: number(cell('seed', row)), part: String(cell('part', row)),
        gold: String(cell('gold', row)) === 'true', given: number(cell('given', row)), probability: number(cell('probability', row)),
      });
    }
  }
  return rows;
}
