// The worker: metrics in WebAssembly, Parquet, projections. One file is open at a time, perhaps with another as reference.

import init, { Answers, Gathering, Resampling, Signal, Table, adjustedPValues, capability, catalogue, compare } from './wasm/superalign_web.js';
import { parquetColumns, parquetItems } from './parquet';
import { principal } from './projection';
import type { Ask, Found, Opened } from './protocol';

const ready = init({ module_or_path: new URL('./wasm/superalign_web_bg.wasm', import.meta.url) });
let table: Table | undefined;
let signal: Signal | undefined;
/** What was opened last; an answer to an older question is of no use. */
let shapeOfOpen: string | undefined;

const post = (message: unknown, transfer: Transferable[] = []) => (self as unknown as { postMessage: (m: unknown, t: Transferable[]) => void }).postMessage(message, transfer);

self.onmessage = async ({ data: { id, what } }: MessageEvent<{ id: number; what: Ask }>) => {
  try {
    await ready;
    const value = await answer(what, (told) => post({ id, told }));
    post({ id, value });
  } catch (error) {
    const text = error instanceof WebAssembly.RuntimeError
      ? `the file is more than this page can hold, or shows a fault in it (${error.message}); superalign measure may still read it`
      : error instanceof Error ? error.message : String(error);
    post({ id, error: text });
  }
};

async function read(name: string, bytes: ArrayBuffer): Promise<Table> {
  const start = new Uint8Array(bytes, 0, Math.min(4, bytes.byteLength));
  if (String.fromCharCode(...start) !== 'PAR1') return Table.read(name, new Uint8Array(bytes));
  const gathering = new Gathering(name);
  for (const column of await parquetColumns(bytes)) {
    if (column.kind === 'numbers') gathering.numbers(column.name, column.values);
    else if (column.kind === 'texts') gathering.texts(column.name, column.distinct, column.codes);
    else if (column.kind === 'lists') gathering.lists(column.name, column.shape, column.values);
    else gathering.other(column.name, column.found);
  }
  return gathering.table();
}

function opened(shape: string | undefined, roles: string[]): Opened {
  const columns = JSON.parse(table!.columns()) as Opened['columns'];
  signal?.free();
  signal = undefined;
  try {
    signal = table!.signal(shape, roles);
    const understood = JSON.parse(signal.understood()) as NonNullable<Opened['understood']>;
    shapeOfOpen = understood.shape;
    return { columns, understood };
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    return { columns, error: (error as Error).message };
  }
}

function present(): Signal {
  if (!signal) throw new Error('no file is open');
  return signal;
}

async function answer(what: Ask, told: (told: Found | { rows: number; of: number }) => void): Promise<unknown> {
  switch (what.kind) {
    case 'catalogue': return JSON.parse(catalogue());
    case 'open': {
      const next = await read(what.name, what.bytes);
      table?.free();
      table = next;
      return opened(what.shape, what.roles);
    }
    case 'reread': return opened(what.shape, what.roles);
    case 'reference': {
      if (!what.bytes || !what.name) { present().compareWith(undefined); return undefined; }
      const second = await read(what.name, what.bytes);
      // Of the same shape as the file; its columns are recognised on their own.
      try { present().compareWith(second.signal(shapeOfOpen, [])); } finally { second.free(); }
      return what.name;
    }
    case 'requests': return present().requests([]);
    case 'measure':
      present().measure(what.names, what.draws, what.level, what.seed, (row: string, values?: Float64Array, shape?: Float64Array) => {
        told({ row: JSON.parse(row) as Found['row'], values, shape: shape && [...shape] });
      });
      return undefined;
    case 'projection': {
      const [values, width] = [present().embeddings(), present().dimensions()];
      if (!values || !width) throw new Error('the file has no embeddings');
      return principal(values, width);
    }
    case 'rows': {
      const from = present();
      return { names: from.names(), texts: from.texts(), items: from.items(), votes: from.votes(), classes: from.classes(), labels: from.labels(), labelNames: from.labelNames() };
    }
    case 'items': return parquetItems(what.url, (rows, of) => told({ rows, of }));
    case 'compare': {
      // As the command line derives the seed of a cell.
      const chain = [new Resampling(what.draws, what.level, what.seed, what.groups)];
      for (const name of ['compare', what.cell.model, what.cell.signal]) chain.push(chain.at(-1)!.named(name));
      chain.push(chain.at(-1)!.nth(what.cell.seed));
      const by = chain.at(-1)!;
      try {
        const found = compare(what.first, what.second, by);
        const value = { first: [...found.first], second: [...found.second], difference: [...found.difference], flips: found.flips, table: [...found.table], mcnemar: found.mcnemar, detectable: found.detectable };
        found.free();
        return value;
      } finally { for (const link of chain) link.free(); }
    }
    case 'adjust': return adjustedPValues(what.p, what.method);
    case 'share': {
      const by = new Resampling(what.draws, what.level, what.seed, what.groups);
      const answers = new Answers(what.right, 1);
      try { return capability(answers, by); } finally { by.free(); answers.free(); }
    }
  }
}
