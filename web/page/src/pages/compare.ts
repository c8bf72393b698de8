// Two runs, or two signals of one run, on the same items, with paired statistics.

import { figure } from '../chart/figure';
import { dots, type Point } from '../chart/plots';
import { keys } from '../chart/palette';
import { choice, fill, h, save } from '../dom';
import * as engine from '../engine';
import { chance, digits, plural, thousands, toCsv } from '../format';
import { address, current, go, keep } from '../route';
import { runs } from '../store';
import { table } from '../table';
import { itemsOf, type ItemTable } from './items';

interface Cell { name: string; key: { model: string; signal: string; seed: number }; rowsA: number[]; rowsB: number[]; only: [number, number] }
interface Result extends engine.Compared { name: string; items: number; groups: number; only: [number, number]; holm: number }

const MOST = 60;

/** Rows of a part by what is compared under one name. */
function cells(items: ItemTable, part: string, signal: string): Map<string, number[]> {
  const [parts, models, signals, seeds] = [items.text('part'), items.text('model'), items.text('signal'), items.number('seed')];
  const [wanted, only] = [parts.distinct.indexOf(part), signal ? signals.distinct.indexOf(signal) : -1];
  const found = new Map<string, number[]>();
  for (let i = 0; i < items.rows; i++) {
    if (parts.codes[i] !== wanted || (signal && signals.codes[i] !== only)) continue;
    const key = `${models.distinct[models.codes[i]!]}\u0000${signal ? '' : signals.distinct[signals.codes[i]!]}\u0000${seeds[i]}`;
    let rows = found.get(key);
    if (!rows) found.set(key, rows = []);
    rows.push(i);
  }
  return found;
}

function aligned(a: ItemTable, b: ItemTable, part: string, signalA: string, signalB: string): { cells: Cell[]; unmatched: [number, number] } {
  const [left, right] = [cells(a, part, signalA), cells(b, part, signalB)];
  const [itemA, itemB] = [a.text('item'), b.text('item')];
  const matched: Cell[] = [];
  for (const [key, rowsA] of left) {
    const others = right.get(key);
    if (!others) continue;
    const places = new Map(others.map((row) => [itemB.distinct[itemB.codes[row]!]!, row]));
    const [model = '', own = '', seed = '0'] = key.split('\u0000');
    const cell: Cell = { key: { model, signal: own || signalA, seed: Number(seed) }, name: key.split('\u0000').map((part, i) => (i === 2 ? `seed ${part}` : part)).filter(Boolean).join(' / '), rowsA: [], rowsB: [], only: [0, others.length] };
    for (const row of rowsA) {
      const other = places.get(itemA.distinct[itemA.codes[row]!]!);
      if (other === undefined) cell.only[0]++;
      else { cell.rowsA.push(row); cell.rowsB.push(other); cell.only[1]--; }
    }
    if (cell.rowsA.length > 0) matched.push(cell);
  }
  return { cells: matched, unmatched: [left.size - matched.length, right.size - matched.length] };
}

/** Two signals of a run that teach the same models, the first of them the one that is asked for. */
function comparable(items: ItemTable, part: string, first: string): [string, string] {
  const [parts, models, signals] = [items.text('part'), items.text('model'), items.text('signal')];
  const wanted = parts.distinct.indexOf(part);
  const taught = new Map<string, Set<number>>();
  for (let i = 0; i < items.rows; i++) {
    if (parts.codes[i] !== wanted) continue;
    const signal = signals.distinct[signals.codes[i]!]!;
    if (!taught.has(signal)) taught.set(signal, new Set());
    taught.get(signal)!.add(models.codes[i]!);
  }
  const all = [...taught].sort(([x], [y]) => (x < y ? -1 : 1));
  for (const [x, mine] of first ? all.filter(([name]) => name === first) : all) {
    const other = all.find(([y, theirs]) => y !== x && [...theirs].some((model) => mine.has(model)));
    if (other) return [x, other[0]];
  }
  return [first || (all[0]?.[0] ?? ''), all[1]?.[0] ?? all[0]?.[0] ?? ''];
}

export async function comparePage(main: HTMLElement, _path: string[], query: URLSearchParams): Promise<void> {
  const found = await runs();
  if (found.runs.length === 0) { fill(main, h('h1', {}, 'Compare'), h('p', {}, 'There are no runs to compare.')); return; }
  const names = found.runs.filter((r) => r.status === 'complete').map((r) => [r.folder, r.folder] as const);
  const state = { a: query.get('a') ?? names[0]?.[0] ?? '', b: query.get('b') ?? '', part: query.get('part') ?? '', sa: query.get('sa') ?? '', sb: query.get('sb') ?? '', measure: query.get('measure') ?? 'accuracy', cell: query.get('cell') ?? '' };
  const again = (changes: Partial<typeof state>) => go(['compare'], { ...Object.fromEntries(current().query), ...changes });
  const body = h('div', {}, h('p', { class: 'note' }, 'Reading items …'));
  const bar = h('div', { class: 'bar' }, choice('First', names, state.a, (a) => again({ a, sa: '' })), choice('Second', [['', 'the same run'], ...names], state.b, (b) => again({ b, sb: '' })));
  fill(main, h('h1', {}, 'Compare'), h('p', { class: 'note' }, 'The same items on both sides; items of one group are drawn together. Differences are first less second, with the intervals of `superalign compare`.'), bar, body);
  const [a, b] = await Promise.all([itemsOf(state.a), itemsOf(state.b || state.a)]);
  const parts = a.text('part').distinct.filter((part) => b.text('part').distinct.includes(part));
  const part = parts.includes(state.part) ? state.part : parts.includes('test') ? 'test' : parts[0] ?? '';
  const signals = (items: ItemTable) => items.text('signal').distinct.toSorted();
  const [sa, sb] = state.b || (state.sa && state.sb) ? [state.sa, state.sb] : comparable(a, part, state.sa);
  const any = state.b ? [['', 'each with its own'] as const] : [];
  bar.append(choice('Part', parts.map((p) => [p, p]), part, (v) => again({ part: v })),
    choice('First signal', [...any, ...signals(a).map((s) => [s, s] as const)], sa, (v) => again({ sa: v })),
    choice('Second signal', [...any, ...signals(b).map((s) => [s, s] as const)], sb, (v) => again({ sb: v })),
    choice('By', [['accuracy', 'right and wrong'], ['brier', 'Brier score']], state.measure, (v) => again({ measure: v })));
  if (!!sa !== !!sb) { fill(body, h('p', { class: 'error' }, 'Choose a signal on both sides, or on neither.')); return; }
  const { cells: all, unmatched } = aligned(a, b, part, sa, sb);
  if (all.length === 0) { fill(body, h('p', { class: 'error' }, 'The two have no cell of the same model, signal and seed with common items: choose other signals or another part.')); return; }
  const chosen = all.slice(0, MOST);
  const progress = h('progress', { max: chosen.length, value: 0, 'aria-label': 'Comparing' });
  fill(body, progress);
  const score = (items: ItemTable) => {
    const [p, gold] = [items.number('probability'), items.text('gold')];
    return state.measure === 'brier' ? (row: number) => (p[row]! - Number(gold.distinct[gold.codes[row]!] === 'true')) ** 2 : (row: number) => items.right[row]!;
  };
  const [scoreA, scoreB, groups] = [score(a), score(b), a.has('group') ? a.text('group') : undefined];
  const results: Result[] = [];
  for (const cell of chosen) {
    const places = new Map<number, number>();
    const labels = groups && Uint32Array.from(cell.rowsA, (row) => { const code = groups.codes[row]!; if (!places.has(code)) places.set(code, places.size); return places.get(code)!; });
    const clustered = labels && places.size < cell.rowsA.length ? labels : undefined;
    const one = await engine.compare(Float64Array.from(cell.rowsA, scoreA), Float64Array.from(cell.rowsB, scoreB), clustered, 1000, 0.95, 0, cell.key);
    if (!main.isConnected) return;
    results.push({ ...one, name: cell.name, items: cell.rowsA.length, groups: clustered ? places.size : cell.rowsA.length, only: cell.only, holm: 1 });
    progress.value = results.length;
  }
  const test = (r: Result) => r.mcnemar ?? r.flips;
  const holm = await engine.adjusted(Float64Array.from(results, (r) => r.flips), 'holm');
  results.forEach((r, i) => { r.holm = holm[i]!; });

  const notes = [`${plural(all.length, 'cell')} on both sides`, unmatched[0] + unmatched[1] > 0 && `${unmatched[0]} and ${unmatched[1]} on one side only`, all.length > MOST && `the first ${MOST} are shown`, 'p-values of the sign-flip test are adjusted by Holm for all cells shown'].filter(Boolean).join('; ');
  const points: Point[] = results.map((r) => ({ x: r.name, y: r.difference[0]!, lo: r.difference[1]!, hi: r.difference[2]!, series: r.holm < 0.05 ? 'told apart' : 'not told apart', facet: '', label: r.name, n: r.items, cell: r.name }));
  const legend = keys(['told apart', 'not told apart']);
  const csv = ['cell', 'items', 'groups', 'first', 'second', 'difference', 'lo', 'hi', 'mcnemar', 'flips', 'holm', 'detectable'];
  const lines = results.map((r) => [r.name, r.items, r.groups, r.first[0], r.second[0], ...r.difference, r.mcnemar ?? '', r.flips, r.holm, r.detectable]);
  const columns = [
    { key: 'name', title: 'Cell', width: 'minmax(10rem,2fr)', text: (i: number) => results[i]!.name },
    { key: 'items', title: 'Items (groups)', width: '9rem', number: true, text: (i: number) => `${thousands(results[i]!.items)} (${thousands(results[i]!.groups)})` },
    { key: 'a', title: 'First', width: '6rem', number: true, text: (i: number) => digits(results[i]!.first[0]!) },
    { key: 'b', title: 'Second', width: '6rem', number: true, text: (i: number) => digits(results[i]!.second[0]!) },
    { key: 'd', title: 'Difference', width: '14.5rem', number: true, text: (i: number) => { const [d, lo, hi] = results[i]!.difference; return `${digits(d!)} [${digits(lo!)}, ${digits(hi!)}]`; } },
    { key: 't', title: 'First / second only', width: '10.5rem', number: true, text: (i: number) => (results[i]!.table.length ? `${results[i]!.table[1]} / ${results[i]!.table[2]}` : '') },
    { key: 'p', title: state.measure === 'brier' ? 'Sign flips' : 'McNemar', width: '6rem', number: true, text: (i: number) => chance(test(results[i]!)) },
    { key: 'h', title: 'Flips, Holm', width: '7rem', number: true, text: (i: number) => chance(results[i]!.holm) },
    { key: 'm', title: 'Detectable', width: '7rem', number: true, text: (i: number) => digits(results[i]!.detectable) },
  ];
  const detail = h('section', { 'aria-label': 'Items on which the two differ' });
  const list = table({ label: 'Comparisons', columns: () => columns, length: () => results.length, height: Math.min(420, 40 + results.length * 28), open: (i) => { keep({ cell: results[i]!.name }); differing(chosen[i]!); }, marked: (i) => results[i]!.name === current().query.get('cell') });

  function differing(cell: Cell): void {
    list.refresh();
    const [pa, pb] = [a.number('probability'), b.number('probability')];
    const rows = cell.rowsA.map((row, i) => [row, cell.rowsB[i]!] as const).filter(([x, y]) => a.right[x] !== b.right[y]).sort((p, q) => Math.abs(pb[q[1]]! - pa[q[0]]!) - Math.abs(pb[p[1]]! - pa[p[0]]!));
    const shown = table({ label: 'Items on which the two differ', height: 320, length: () => rows.length, columns: () => [
      { key: 'item', title: 'Item', width: 'minmax(14rem,2fr)', text: (i) => a.cell('item', rows[i]![0]) }, { key: 'difficulty', title: 'Difficulty', width: '6rem', number: true, text: (i) => a.cell('difficulty', rows[i]![0]) },
      { key: 'gold', title: 'Gold', width: '5rem', text: (i) => a.cell('gold', rows[i]![0]) }, { key: 'a', title: 'First', width: '6rem', number: true, text: (i) => a.cell('probability', rows[i]![0]) }, { key: 'b', title: 'Second', width: '6rem', number: true, text: (i) => b.cell('probability', rows[i]![1]) },
      { key: 'r', title: 'Right', width: '7rem', text: (i) => (a.right[rows[i]![0]] ? 'first only' : 'second only') }],
      open: (i) => go(['items', state.a], { item: a.cell('item', rows[i]![0]) }) });
    fill(detail, h('h2', {}, `Where the two differ: ${cell.name}`), h('p', { class: 'note' }, `${plural(rows.length, 'item')} of ${thousands(cell.rowsA.length)}; those on which they differ most come first. Enter opens the item.`), shown.element);
    shown.refresh();
  }
  fill(body, h('h2', {}, 'Differences'), h('p', { class: 'note' }, notes, '.'),
    figure({ title: 'Difference of the two sides', note: 'With 95% intervals. Told apart: adjusted p below 0.05.', legend, columns: csv, rows: lines, draw: (width) => dots(points, legend, width, `first less second (${state.measure})`, 0) }),
    h('div', { class: 'bar' }, h('button', { onclick: () => save('compare.csv', toCsv(csv, lines), 'text/csv') }, 'Save as CSV'), h('a', { href: address(['items', state.a]) }, 'All items of the first')), list.element, detail);
  list.refresh();
  const before = chosen.find((cell) => cell.name === state.cell);
  if (before) differing(before);
}
