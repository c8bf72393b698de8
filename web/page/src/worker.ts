// The worker: metrics in WebAssembly, Parquet, projections. One file is open at a time, perhaps with another as reference.

import init, { Answers, Gathering, Resampling, Signal, Table, adjustedPValues, capability, catalogue, compare } from './wasm/superalign_web.js';
import { parquetColumns, parquetItems, parquetSaid, parquetTexts, type RunTexts } from './parquet';
import { principal } from './projection';
import type { Ask, Found, Nearest, OneText, Opened, TextIndex } from './protocol';

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

/** Texts of the runs that were looked at last; `lower` is made when they are first searched. */
const kept = new Map<string, Promise<(RunTexts & { lower?: string[] }) | undefined>>();
const MOST_KEPT = 3;

function textsAt(url: string): Promise<(RunTexts & { lower?: string[] }) | undefined> {
  let found = kept.get(url);
  if (!found) {
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(url, found = parquetTexts(url));
    found.catch(() => kept.delete(url));
  }
  return found;
}

function textsWith(found: RunTexts & { lower?: string[] }, words: readonly string[]): Uint8Array[] {
  const lower = (found.lower ??= found.texts.map((text) => text.toLowerCase()));
  return words.map((word) => Uint8Array.from(lower, (text) => Number(text.includes(word))));
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
    case 'nearest': {
      const both = [...present().nearest(what.row, what.k)];
      const count = both.length / 2;
      return { rows: both.slice(0, count), cosines: both.slice(count) } satisfies Nearest;
    }
    case 'rows': {
      const from = present();
      return { names: from.names(), texts: from.texts(), items: from.items(), votes: from.votes(), classes: from.classes(), labels: from.labels(), labelNames: from.labelNames() };
    }
    case 'items': return parquetItems(what.url, (rows, of) => told({ rows, of }));
    case 'texts': {
      const found = await textsAt(what.url);
      if (!found) return undefined;
      const { items, parts, groups, objectives, gold } = found;
      return { items, parts, groups, objectives, gold } satisfies TextIndex;
    }
    case 'texts-of': {
      const found = await textsAt(what.url);
      return what.rows.map((row): OneText => ({ text: found?.texts[row] ?? '', answer: found?.answers[row] }));
    }
    case 'texts-with': {
      const found = await textsAt(what.url);
      return found ? textsWith(found, what.words) : [];
    }
    case 'said': {
      const rows = await parquetSaid(what.items, what.item);
      // Its text is of interest only where the run holds the item.
      const texts = rows.length > 0 && what.texts ? await parquetTexts(what.texts) : undefined;
      const at = texts ? texts.items.findIndex((name, i) => name === what.item && texts.parts.distinct[texts.parts.codes[i]!] === rows[0]!.part) : -1;
      return { rows, text: texts?.texts[at] };
    }
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
