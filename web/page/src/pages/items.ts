// The items of a run: a table of any length, filters that pictures and table share, and what every source says of one item.

import { bars } from '../chart/plots';
import { figure } from '../chart/figure';
import { keys } from '../chart/palette';
import { choice, debounced, fill, h, save } from '../dom';
import * as engine from '../engine';
import { digits, plural, thousands, toCsv } from '../format';
import { current, keep } from '../route';
import { file } from '../store';
import { table, type Column } from '../table';
import { RunTexts } from '../texts';
import { showItem, type Texts } from './item';
import type { ItemColumn, Items } from '../protocol';

type TextColumn = Extract<ItemColumn, { kind: 'text' }>;
const SELECTS = ['part', 'model', 'signal', 'seed', 'family', 'difficulty', 'gold', 'says', 'right'] as const;
/** Tenths of what a model says. */
const BINS = Array.from({ length: 10 }, (_, i) => `${(i / 10).toFixed(1)}–${((i + 1) / 10).toFixed(1)}`);
const binOf = (probability: number): number => Math.min(9, Math.floor(probability * 10));
const WIDTHS: Record<string, string> = { item: 'minmax(11rem,2fr)', signal: 'minmax(10rem,2fr)', group: 'minmax(12rem,1.6fr)', probability: '7rem', given: '6rem', seed: '4rem', gold: '4.5rem', right: '5rem', text: 'minmax(13rem,3fr)', part: '6rem', model: '6.5rem', family: '6rem', difficulty: '6rem', conflict: '5.5rem' };
const ORDER = ['item', 'text', 'model', 'signal', 'seed', 'part', 'family', 'difficulty', 'gold', 'probability', 'right', 'given', 'conflict', 'group'];
const USUAL = ['item', 'text', 'model', 'signal', 'seed', 'difficulty', 'gold', 'probability', 'right'];

/** Items by column, with what follows from them. */
export class ItemTable {
  readonly rows: number;
  readonly right: Uint8Array;
  private readonly byName: Map<string, ItemColumn>;

  constructor(items: Items) {
    this.rows = items.rows;
    this.byName = new Map(items.columns.map((column) => [column.name, column]));
    for (const need of ['item', 'model', 'signal', 'gold', 'probability', 'seed', 'part']) {
      if (!this.byName.has(need)) throw new Error(`items.parquet has no column \`${need}\`: it is of another version`);
    }
    const gold = this.text('gold');
    const truth = gold.distinct.map((t) => t === 'true');
    const probability = this.number('probability');
    this.right = Uint8Array.from({ length: this.rows }, (_, i) => Number((probability[i]! >= 0.5) === truth[gold.codes[i]!]));
  }

  text(name: string): TextColumn { return this.byName.get(name) as TextColumn; }
  number(name: string): Float64Array { const c = this.byName.get(name); return c?.kind === 'number' ? c.values : new Float64Array(this.rows).fill(Number.NaN); }
  has(name: string): boolean { return name === 'right' || name === 'says' || this.byName.has(name); }

  cell(name: string, row: number): string {
    if (name === 'right') return this.right[row] ? 'right' : 'wrong';
    if (name === 'says') return BINS[binOf(this.number('probability')[row]!)]!;
    const column = this.byName.get(name);
    if (!column) return '';
    if (column.kind === 'text') return column.distinct[column.codes[row]!] ?? '';
    const x = column.values[row]!;
    return Number.isNaN(x) ? '' : name === 'probability' || name === 'given' ? x.toFixed(4) : String(x);
  }

  /** The values of a column that are few enough to choose from. */
  values(name: string): string[] {
    if (name === 'right') return ['right', 'wrong'];
    if (name === 'says') return BINS;
    const column = this.byName.get(name);
    if (!column) return [];
    if (column.kind === 'text') return [...column.distinct].sort();
    return [...new Set(column.values)].filter((x) => !Number.isNaN(x)).sort((a, b) => a - b).map(String);
  }

  /** Marks the rows that have this value. */
  keep(name: string, value: string, kept: Uint8Array): void {
    if (name === 'right') { const want = Number(value === 'right'); for (let i = 0; i < this.rows; i++) if (this.right[i] !== want) kept[i] = 0; return; }
    if (name === 'says') { const [bin, p] = [BINS.indexOf(value), this.number('probability')]; for (let i = 0; i < this.rows; i++) if (binOf(p[i]!) !== bin) kept[i] = 0; return; }
    const column = this.byName.get(name);
    if (!column) return;
    if (column.kind === 'text') { const code = column.distinct.indexOf(value); for (let i = 0; i < this.rows; i++) if (column.codes[i] !== code) kept[i] = 0; } else { const x = Number(value); for (let i = 0; i < this.rows; i++) if (column.values[i] !== x) kept[i] = 0; }
  }

  /** Marks the rows that hold all words, each in some column; `read` says for a word which texts hold it, and which row has which text. */
  search(words: readonly string[], kept: Uint8Array, read?: { hits: readonly Uint8Array[]; places: Int32Array }): void {
    for (const [at, word] of words.entries()) {
      const hit = new Uint8Array(this.rows);
      const texts = read?.hits[at];
      if (read && texts) for (let i = 0; i < this.rows; i++) hit[i] = texts[read.places[i]!] ?? 0;
      for (const name of ['item', 'group', 'family', 'part', 'model', 'signal']) {
        const column = this.byName.get(name);
        if (column?.kind !== 'text') continue;
        const fits = column.distinct.map((t) => t.toLowerCase().includes(word));
        if (fits.some(Boolean)) for (let i = 0; i < this.rows; i++) if (fits[column.codes[i]!]) hit[i] = 1;
      }
      for (let i = 0; i < this.rows; i++) kept[i]! &= hit[i]!;
    }
  }

  /** The order of rows by a column. */
  sort(rows: Uint32Array, name: string, down: boolean): void {
    const column = this.byName.get(name);
    let key: ArrayLike<number>;
    if (name === 'right') key = this.right;
    else if (column?.kind === 'number') key = column.values;
    else if (column) { const rank = new Uint32Array(column.distinct.length); [...column.distinct.keys()].sort((a, b) => (column.distinct[a]! < column.distinct[b]! ? -1 : 1)).forEach((code, place) => { rank[code] = place; }); const codes = column.codes; const ranks = new Uint32Array(codes.length); for (let i = 0; i < codes.length; i++) ranks[i] = rank[codes[i]!]!; key = ranks; } else return;
    const sign = down ? -1 : 1;
    const last = (x: number) => (Number.isNaN(x) ? Infinity * sign : x);
    rows.sort((a, b) => { const [x, y] = [last(key[a]!), last(key[b]!)]; return x < y ? -sign : x > y ? sign : a - b; });
  }
}

const wordsOf = (text: string): string[] => text.toLowerCase().split(/\s+/).filter(Boolean);

const cache = new Map<string, Promise<ItemTable>>();
/** The items of a run, fetched once. */
export function itemsOf(folder: string, told: (rows: number, of: number) => void = () => {}): Promise<ItemTable> {
  let found = cache.get(folder);
  if (!found) {
    if (cache.size >= 3) cache.delete(cache.keys().next().value!);
    cache.set(folder, found = engine.items(new URL(file(folder, 'items.parquet'), location.href).href, told).then((items) => new ItemTable(items)));
    found.catch(() => cache.delete(folder));
  }
  return found;
}

export async function itemsPage(main: HTMLElement, [folder]: string[], query: URLSearchParams): Promise<void> {
  if (!folder) throw new Error('the address names no run');
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Reading items' });
  fill(main, h('h1', {}, 'Items'), h('p', { class: 'note' }, `Reading the items of ${folder} …`), bar);
  const items = await itemsOf(folder, (rows, of) => { bar.value = of > 0 ? rows / of : 0; });

  const filters: Record<string, string> = {};
  for (const name of SELECTS) { const v = query.get(name); if (v !== null && items.has(name)) filters[name] = v; }
  const state = { text: query.get('q') ?? '', sort: query.get('sort') ?? '', down: query.get('dir') === 'down', columns: (query.get('columns') ?? '').split(',').filter(Boolean), item: query.get('item') ?? '' };
  if (state.columns.length === 0) state.columns = USUAL.filter((name) => name === 'text' || items.has(name));
  let rows = new Uint32Array(0);
  let texts: Texts = { state: 'coming' };
  let read: { text: string; hits: Uint8Array[]; places: Int32Array } | undefined;
  let turn = 0;
  const shows = (name: string) => (name === 'text' ? texts.state === 'coming' || texts.state === 'here' : items.has(name));

  const count = h('strong', { 'aria-live': 'polite' });
  const shareOf = h('span', { class: 'note', 'data-share': '' });
  const selects = h('div', { class: 'bar' });
  const pictures = h('div', { class: 'figures' });
  const detail = h('aside', { class: 'detail', hidden: true, 'aria-label': 'One item' });

  const column = (name: string): Column => ({ key: name, title: name, width: WIDTHS[name] ?? '7rem', sorts: name !== 'text', number: ['probability', 'given', 'seed', 'difficulty'].includes(name), text: (i) => (name === 'text' ? textOf(rows[i]!) : items.cell(name, rows[i]!)) });
  const list = table({
    label: 'Items', columns: () => state.columns.map(column), length: () => rows.length, height: 520,
    sorted: () => (state.sort ? { key: state.sort, down: state.down } : undefined),
    sort: (key) => { state.down = state.sort === key ? !state.down : false; state.sort = key; keep({ sort: key, dir: state.down ? 'down' : '' }); apply(false); },
    open: (i) => { state.item = items.cell('item', rows[i]!); keep({ item: state.item }); show(); list.refresh(); },
    marked: (i) => state.item !== '' && items.cell('item', rows[i]!) === state.item,
  });

  function set(name: string, value: string): void {
    if (value === '' || filters[name] === value) delete filters[name];
    else filters[name] = value;
    keep({ [name]: filters[name] });
    apply(true);
  }

  function apply(changed: boolean): void {
    const kept = new Uint8Array(items.rows).fill(1);
    for (const [name, value] of Object.entries(filters)) items.keep(name, value, kept);
    if (state.text) items.search(wordsOf(state.text), kept, read?.text === state.text ? read : undefined);
    let n = 0;
    for (let i = 0; i < kept.length; i++) n += kept[i]!;
    rows = new Uint32Array(n);
    for (let i = 0, at = 0; i < kept.length; i++) if (kept[i]) rows[at++] = i;
    if (state.sort) items.sort(rows, state.sort, state.down);
    count.textContent = `${plural(n, 'row')} of ${thousands(items.rows)}`;
    list.refresh(true);
    if (!changed) return;
    controls();
    draw();
    void shares();
  }

  function controls(): void {
    fill(selects, SELECTS.filter((name) => items.has(name)).map((name) => {
      const values = items.values(name);
      if (values.length < 2) return false;
      return choice(name, [['', 'all'], ...values.map((v) => [v, v] as const)], filters[name] ?? '', (v) => set(name, v));
    }), h('details', { class: 'columns' }, h('summary', {}, 'Columns'), h('fieldset', {}, h('legend', { class: 'hidden' }, 'Columns'), ORDER.filter(shows).map((name) =>
      h('label', {}, h('input', { type: 'checkbox', checked: state.columns.includes(name), onchange: (event: Event) => {
        const on = (event.target as HTMLInputElement).checked;
        state.columns = ORDER.filter((c) => (c === name ? on : state.columns.includes(c)));
        keep({ columns: state.columns.join(',') });
        list.refresh();
      } }), name)))));
  }

  /** The share of right answers among the rows, items of one group drawn together. */
  async function shares(): Promise<void> {
    shareOf.textContent = '';
    if (rows.length === 0 || rows.length > 400_000) return;
    const [mine, group] = [rows, items.has('group') ? items.text('group') : undefined];
    const places = new Map<number, number>();
    const groups = group && Uint32Array.from(mine, (i) => { const code = group.codes[i]!; if (!places.has(code)) places.set(code, places.size); return places.get(code)!; });
    const found = await engine.share(Uint8Array.from(mine, (i) => items.right[i]!), groups, 500, 0.95, 0).catch(() => undefined);
    if (found && mine === rows) shareOf.textContent = `right: ${digits(found[0]!)} [${digits(found[1]!)}, ${digits(found[2]!)}]${groups ? `, over ${thousands(places.size)} groups` : ''}`;
  }

  function draw(): void {
    const legend = keys(['right', 'wrong']);
    const counted = (name: string, by: (row: number) => string, order: string[]) => {
      const all = new Map<string, [number, number]>(order.map((o) => [o, [0, 0]]));
      for (const row of rows) { const at = all.get(by(row)); if (at) at[items.right[row] ? 0 : 1]++; }
      const list = [...all].flatMap(([value, [right, wrong]]) => [{ name: value, count: right, series: 'right' }, { name: value, count: wrong, series: 'wrong' }]);
      return { list, csv: [...all].map(([value, [right, wrong]]) => [value, right, wrong]), name };
    };
    const probability = items.number('probability');
    const made = [counted('says', (row) => BINS[binOf(probability[row]!)]!, BINS)];
    for (const name of ['difficulty', 'family']) { const values = items.has(name) ? items.values(name) : []; if (values.length > 1 && values.length <= 16) made.push(counted(name, (row) => items.cell(name, row), values)); }
    fill(pictures, made.map(({ list, csv, name }) => {
      const shown = figure({ title: name === 'says' ? 'What the models say' : `Right and wrong by ${name}`, legend, pick: (value) => set('right', value), columns: [name, 'right', 'wrong'], rows: csv, draw: (width) => {
        const plot = bars(list, legend, width, name === 'says' ? 'probability' : name, 'rows');
        plot.addEventListener('click', () => { const at = (plot as unknown as { value?: { name: string } }).value; if (at) set(name, at.name); });
        return plot;
      } });
      return shown;
    }));
  }

  function show(): void {
    detail.hidden = state.item === '';
    if (detail.hidden) return;
    showItem(detail, {
      folder: folder!, items, texts: () => texts,
      open: (item) => { state.item = item; keep({ item }); show(); list.refresh(); },
      close: () => { state.item = ''; keep({ item: '', across: '' }); show(); list.refresh(); },
      across: () => current().query.has('across'), asked: () => keep({ across: '1' }),
    }, state.item);
  }

  /** The texts come after the table is there, and find it as it is then. */
  async function readTexts(): Promise<void> {
    try {
      const found = await RunTexts.of(folder!);
      texts = found ? { state: 'here', texts: found } : { state: 'none' };
    } catch (error) {
      texts = { state: 'failed', why: (error as Error).message };
    }
    if (!main.isConnected) return;
    if (texts.state !== 'here') state.columns = state.columns.filter((name) => name !== 'text');
    if (state.columns.length === 0) state.columns = ['item'];
    if (state.text && texts.state === 'here') await search();
    else { controls(); list.refresh(); }
    show();
  }

  /** Asks the texts for the words that are searched, then shows what fits. */
  async function search(): Promise<void> {
    const mine = ++turn;
    const words = wordsOf(state.text);
    const now = texts;
    const found = now.state === 'here' && words.length > 0 ? { text: state.text, hits: await now.texts.with(words), places: now.texts.of(items) } : undefined;
    if (mine !== turn) return;
    read = found;
    apply(true);
  }

  /** What stands in a row's column `text`. */
  function textOf(row: number): string {
    if (texts.state !== 'here') return texts.state === 'coming' ? '…' : '';
    const place = texts.texts.of(items)[row]!;
    return place < 0 ? '' : texts.texts.peek(place, () => list.refresh()) ?? '…';
  }

  async function saveRows(): Promise<void> {
    const chosen = rows.slice(0, 1_000_000);
    let textAt = (_row: number) => '';
    if (texts.state === 'here' && state.columns.includes('text')) {
      const places = texts.texts.of(items);
      const distinct = [...new Set(Array.from(chosen, (row) => places[row]!))].filter((place) => place >= 0);
      const all = new Map((await texts.texts.get(distinct)).map((one, i) => [distinct[i]!, one.text]));
      textAt = (row) => all.get(places[row]!) ?? '';
    }
    const cell = (name: string, row: number) => (name === 'text' ? textAt(row) : items.cell(name, row));
    save(`${folder}-items.csv`, toCsv(state.columns, Array.from(chosen, (row) => state.columns.map((name) => cell(name, row)))), 'text/csv');
  }

  const later = debounced(120, () => { keep({ q: state.text }); void search(); });
  const input = h('input', { type: 'search', placeholder: 'Search texts, items, signals (/)', 'aria-label': 'Search items and their texts', value: state.text, oninput: () => { state.text = input.value; later(); } });
  fill(main, h('p', { class: 'note' }, h('a', { href: '#/' }, 'Runs'), ' / ', h('a', { href: `#/run/${encodeURIComponent(folder)}` }, folder)),
    h('h1', {}, 'Items'), h('div', { class: 'bar' }, input, count, shareOf,
      h('button', { onclick: () => void saveRows() }, 'Save as CSV')),
    selects, h('div', { class: 'split' }, h('div', {}, list.element), detail), pictures);
  main.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !detail.hidden) (detail.querySelector('button') as HTMLButtonElement).click(); });
  apply(true);
  show();
  void readTexts();
  if (current().query.get('item')) detail.scrollIntoView({ block: 'nearest' });
}
