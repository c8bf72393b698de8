// The way to the worker, where everything heavy is done: metrics in WebAssembly, Parquet, projections.

import type { Answer, Ask, CellKey, Found, Items, Metric, Nearest, OneText, Opened, Said, TextIndex, Told } from './protocol';

export type { Found, Items, Metric, Opened };

let worker: Worker | undefined;
let next = 0;
const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void; told: ((told: Told) => void) | undefined }>();

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'superalign' });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const ask = waiting.get(data.id);
    if (!ask) return;
    if ('told' in data) { ask.told?.(data.told); return; }
    waiting.delete(data.id);
    if ('error' in data) ask.reject(new Error(data.error));
    else ask.resolve(data.value as never);
  };
  worker.onerror = (event) => { event.preventDefault(); restart(`the worker failed (${event.message || 'it could not be loaded'})`); };
  return worker;
}

/** Ends what is being computed; what was opened must be opened again. */
export function restart(why = 'it was stopped'): void {
  worker?.terminate();
  worker = undefined;
  const all = [...waiting.values()];
  waiting.clear();
  for (const { reject } of all) reject(new Error(why));
}

function ask<T>(what: Ask, told?: (told: Told) => void, transfer: Transferable[] = []): Promise<T> {
  const id = next++;
  const to = started();
  return new Promise<T>((resolve, reject) => {
    waiting.set(id, { resolve: resolve as (value: never) => void, reject, told });
    to.postMessage({ id, what }, transfer);
  });
}

/** Every metric with its options, and the shapes of files. */
let known: Promise<{ families: string[]; metrics: Metric[]; shapes: { name: string; title: string }[]; roles: string[] }> | undefined;
export const catalogue = () => (known ??= ask({ kind: 'catalogue' }));

/** Reads a file and says what it holds. */
export const open = (name: string, bytes: ArrayBuffer, shape: string | undefined, roles: string[]): Promise<Opened> =>
  ask({ kind: 'open', name, bytes, shape, roles }, undefined, [bytes]);

/** The file that is open, read in another way. */
export const reread = (shape: string | undefined, roles: string[]): Promise<Opened> => ask({ kind: 'reread', shape, roles });

/** A second file, to compare with; none is taken away. */
export const reference = (name: string | undefined, bytes?: ArrayBuffer): Promise<string | undefined> =>
  ask({ kind: 'reference', name, bytes }, undefined, bytes ? [bytes] : []);

/** What would be computed when nobody asks for anything. */
export const requests = (): Promise<string[]> => ask({ kind: 'requests' });

/** Computes metrics of the file that is open; `told` hears of each number when it is there. */
export const measure = (names: string[], by: { draws: number; level: number; seed: number }, told: (found: Found) => void): Promise<void> =>
  ask({ kind: 'measure', names, ...by }, (found) => told(found as Found));

/** The two directions in which the embeddings differ most. */
export const projection = (): Promise<{ x: Float64Array; y: Float64Array; shares: [number, number] }> => ask({ kind: 'projection' });

/** The rows of the file that is open whose embeddings have the largest cosine with that of one row; the nearest first. */
export const nearest = (row: number, k: number): Promise<Nearest> => ask({ kind: 'nearest', row, k });

/** Rows of the file that is open, for lists: names, texts, votes. */
export const rows = (): Promise<{ names?: string[]; texts?: string[]; items: string[]; votes?: Uint32Array; classes?: Uint32Array; labels?: Uint32Array; labelNames: string[] }> => ask({ kind: 'rows' });

/** The items of a run. `told` hears how many rows are there. */
export const items = (url: string, told: (rows: number, of: number) => void): Promise<Items> =>
  ask({ kind: 'items', url }, (step) => { if ('rows' in step) told(step.rows, step.of); });

/** Which texts a run has; nothing where it has kept none. */
export const texts = (url: string): Promise<TextIndex | undefined> => ask({ kind: 'texts', url });

/** Texts of a run, by their rows. */
export const textsOf = (url: string, rows: readonly number[]): Promise<OneText[]> => ask({ kind: 'texts-of', url, rows });

/** For each word which texts of a run hold it: 1 where they do. Large and small letters are the same. */
export const textsWith = (url: string, words: readonly string[]): Promise<Uint8Array[]> => ask({ kind: 'texts-with', url, words });

/** What a run says of one item; no rows where it does not hold it. */
export const said = (items: string, texts: string | undefined, item: string): Promise<Said> => ask({ kind: 'said', items, texts, item });

/** Two sides on the same items, with the intervals of `superalign compare`. */
export interface Compared { first: number[]; second: number[]; difference: number[]; flips: number; table: number[]; mcnemar?: number; detectable: number }
export const compare = (first: Float64Array, second: Float64Array, groups: Uint32Array | undefined, draws: number, level: number, seed: number, cell: CellKey): Promise<Compared> =>
  ask({ kind: 'compare', first, second, groups, draws, level, seed, cell });

/** p-values adjusted for their number. */
export const adjusted = (p: Float64Array, method: 'holm' | 'benjamini-hochberg'): Promise<Float64Array> => ask({ kind: 'adjust', p, method });

/** Share of right answers with its interval; items of a group are drawn together. */
export const share = (right: Uint8Array, groups: Uint32Array | undefined, draws: number, level: number, seed: number): Promise<Float64Array> =>
  ask({ kind: 'share', right, groups, draws, level, seed });
