// The texts of a run, as far as the page needs them: which there are, words in them, and one by one when they are shown.

import * as engine from './engine';
import type { OneText, TextIndex } from './protocol';
import { file } from './store';

/** Texts that are held at once; they come again when they are shown again. */
const HELD = 20_000;

/** What says of every row of a table which item it is about. */
export interface Rows {
  rows: number;
  text(name: string): { distinct: string[]; codes: Uint32Array };
}

/** The texts of a run. */
export class RunTexts {
  private readonly held = new Map<number, OneText>();
  /** On their way, and about to be asked for. */
  private readonly asked = new Set<number>();
  private queue: number[] = [];
  private readonly byPart: Map<string, Map<string, number>>;
  private places: Int32Array | undefined;

  private constructor(private readonly url: string, readonly index: TextIndex) {
    this.byPart = new Map(index.parts.distinct.map((part) => [part, new Map<string, number>()]));
    index.items.forEach((item, row) => this.byPart.get(this.part(row))!.set(item, row));
  }

  /** The texts of a run; nothing where it was made before texts were kept. */
  static async of(folder: string): Promise<RunTexts | undefined> {
    const url = new URL(file(folder, 'texts.parquet'), location.href).href;
    const index = await engine.texts(url);
    return index && new RunTexts(url, index);
  }

  part(row: number): string { return this.index.parts.distinct[this.index.parts.codes[row]!]!; }
  objective(row: number): string { return this.index.objectives.distinct[this.index.objectives.codes[row]!]!; }
  gold(row: number): boolean { return this.index.gold[row] === 1; }
  item(row: number): string { return this.index.items[row]!; }

  /** The texts of an item: one for each part that has it. */
  ofItem(item: string): number[] {
    return [...this.byPart.values()].map((part) => part.get(item)).filter((row) => row !== undefined);
  }

  /** The other texts of the same group and part: the other answers to a request. */
  beside(row: number): number[] {
    const { groups, parts } = this.index;
    const found: number[] = [];
    for (let i = 0; i < this.index.items.length; i++) {
      if (i !== row && groups.codes[i] === groups.codes[row] && parts.codes[i] === parts.codes[row]) found.push(i);
    }
    return found;
  }

  /** For every row of a table its text; -1 where there is none. */
  of(table: Rows): Int32Array {
    if (this.places) return this.places;
    const [items, parts] = [table.text('item'), table.text('part')];
    const byCode = parts.distinct.map((part) => {
      const mine = this.byPart.get(part);
      return Int32Array.from(items.distinct, (item) => mine?.get(item) ?? -1);
    });
    this.places = Int32Array.from({ length: table.rows }, (_, row) => byCode[parts.codes[row]!]![items.codes[row]!]!);
    return this.places;
  }

  /** Texts, in the order of the rows. */
  async get(rows: readonly number[]): Promise<OneText[]> {
    const here = new Map(rows.map((row) => [row, this.held.get(row)]));
    const missing = [...here].filter(([, one]) => !one).map(([row]) => row);
    const found = missing.length > 0 ? await engine.textsOf(this.url, missing) : [];
    missing.forEach((row, i) => here.set(row, found[i]));
    if (this.held.size + missing.length > HELD) this.held.clear();
    if (missing.length <= HELD) missing.forEach((row, i) => this.held.set(row, found[i]!));
    return rows.map((row) => here.get(row)!);
  }

  /** A text that is here, or nothing; `later` is called when those that were asked for have come. */
  peek(row: number, later: () => void): string | undefined {
    const here = this.held.get(row);
    if (here || this.asked.has(row)) return here?.text;
    this.asked.add(row);
    if (this.queue.length === 0) {
      // All that one look at the table asks for comes at once.
      queueMicrotask(() => {
        const rows = this.queue;
        this.queue = [];
        void this.get(rows).catch(() => undefined).then((came) => { for (const one of rows) this.asked.delete(one); if (came) later(); });
      });
    }
    this.queue.push(row);
    return undefined;
  }

  /** For each word which texts hold it. */
  with(words: readonly string[]): Promise<Uint8Array[]> { return engine.textsWith(this.url, words); }
}
