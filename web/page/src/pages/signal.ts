// Bring your own signal: a file of votes, labels, probabilities, texts or embeddings, measured here and now.

import { figure } from '../chart/figure';
import { grid, lines, type Point } from '../chart/plots';
import { keys } from '../chart/palette';
import { announce, choice, debounced, fill, h, save } from '../dom';
import * as engine from '../engine';
import { digits, plural, thousands, toCsv } from '../format';
import { current, go, keep } from '../route';
import { table } from '../table';
import type { Found, Metric, Opened } from '../protocol';
import { embeddingMap } from './neighbours';

const EXAMPLES: Record<string, string> = { votes: 'votes.csv', probabilities: 'probabilities.csv', embeddings: 'embeddings.csv' };
const ROLES = ['item', 'annotator', 'label', 'gold', 'rating', 'probability', 'logit', 'members', 'text', 'embedding', 'count', 'reference', 'left', 'right', 'winner', 'judge', 'ignore'];
/** Options that a slider suits, with its ends and step. */
const SLIDERS: Record<string, [number, number, number]> = { q: [0, 5, 0.1], bins: [2, 50, 1], gamma: [0.01, 5, 0.01], k: [1, 50, 1], n: [1, 6, 1], groups: [2, 40, 1], threshold: [0, 1, 0.01] };
const TITLES: Record<string, string> = { agreement: 'Agreement', truth: 'Truth from votes', ensemble: 'Ensemble', 'label-diversity': 'Diversity of labels', 'label-noise': 'Label noise', calibration: 'Calibration', collapse: 'Collapse', text: 'Texts', embedding: 'Embeddings', preference: 'Preferences' };

interface File0 { name: string; bytes: ArrayBuffer; example?: string }
/** The file that is open stays open when the page is left and entered again. */
let held: File0 | undefined;

export async function signalPage(main: HTMLElement, _path: string[], query: URLSearchParams): Promise<void> {
  const input = h('input', { type: 'file', class: 'hidden', id: 'file', tabindex: '-1', 'aria-label': 'File to measure', accept: '.csv,.tsv,.json,.jsonl,.ndjson,.parquet,.npy,.txt', onchange: () => { const file = input.files?.[0]; if (file) void take(file); } });
  const drop = h('div', { class: 'drop' },
    h('p', {}, h('button', { class: 'primary', onclick: () => input.click() }, 'Open a file'), ' or drop it anywhere on this page: CSV, TSV, JSON, JSONL, Parquet or NPY with votes, labels, probabilities, texts, embeddings, preferences.'),
    h('p', { class: 'note' }, 'It stays in this browser: this page may contact nothing but where it came from. ', 'Examples: ', Object.keys(EXAMPLES).map((name, i) => [i > 0 && ', ', h('a', { href: `#/signal?example=${name}` }, name)])), input);
  const body = h('div', {});
  fill(main, h('h1', {}, 'Your signal'), drop, body);
  main.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over'); });
  main.addEventListener('dragleave', () => drop.classList.remove('over'));
  main.addEventListener('drop', (event) => { event.preventDefault(); drop.classList.remove('over'); const file = event.dataTransfer?.files[0]; if (file) void take(file); });

  async function take(file: File): Promise<void> {
    held = { name: file.name, bytes: await file.arrayBuffer() };
    // How intervals are made stays; what was said of the columns of another file does not.
    const { query: now } = current();
    go(['signal'], Object.fromEntries(['draws', 'level', 'seed'].map((key) => [key, now.get(key) ?? undefined])));
  }

  const example = query.get('example');
  if (example && EXAMPLES[example] && held?.example !== example) {
    const response = await fetch(`example/${EXAMPLES[example]}`);
    if (!response.ok) throw new Error(`example/${EXAMPLES[example]}: the server answers ${response.status}`);
    held = { name: EXAMPLES[example]!, bytes: await response.arrayBuffer(), example };
  }
  if (held) await opened(body, held);
}

async function opened(body: HTMLElement, file: File0): Promise<void> {
  const query = current().query;
  const state = { shape: query.get('as') ?? '', roles: (query.get('columns') ?? '').split(',').filter(Boolean), draws: Number(query.get('draws') ?? Number.NaN), level: Number(query.get('level') ?? 0.95), seed: Number(query.get('seed') ?? 0) };
  fill(body, h('p', { class: 'note', role: 'status' }, `Reading ${file.name} …`));
  engine.restart('another file was opened');
  const known = await engine.catalogue();
  let found: Opened;
  try {
    found = await engine.open(file.name, file.bytes.slice(0), state.shape || undefined, state.roles);
  } catch (error) {
    fill(body, h('div', { class: 'error', role: 'alert' }, h('strong', {}, `${file.name} cannot be read`), h('p', {}, (error as Error).message)));
    return;
  }
  // A thousand resamples of very many rows take long, and fewer do for intervals that are narrow anyway.
  const usual = (found.understood?.rows ?? 0) > 200_000 ? 200 : 1000;
  if (!Number.isFinite(state.draws)) state.draws = usual;
  const columns = h('section', { class: 'card', 'aria-label': 'Columns' });
  const results = h('section', { 'aria-label': 'Results' });
  fill(body, columns, results);
  let turn = 0;
  let unfolded = false;

  function showColumns(): void {
    const understood = found.understood;
    const roleOf = (name: string) => state.roles.find((pair) => pair.slice(pair.indexOf('=') + 1) === name)?.split('=')[0] ?? Object.entries(understood?.columns ?? {}).find(([, names]) => names.includes(name))?.[0] ?? '';
    const correct = async (shape: string, roles: string[]) => {
      [state.shape, state.roles] = [shape, roles];
      keep({ as: shape, columns: roles.join(',') });
      found = await engine.reread(shape || undefined, roles);
      showColumns();
      void measure();
    };
    const facts = understood && [plural(understood.rows, 'row'), understood.items !== undefined && plural(understood.items, 'item'), understood.annotators && plural(understood.annotators.length, 'annotator'), understood.votes !== undefined && plural(understood.votes, 'vote'), understood.categories && `${plural(understood.categories.length, 'category', 'categories')} (${understood.categories.slice(0, 6).join(', ')}${understood.categories.length > 6 ? ', …' : ''})`, understood.missing ? `${thousands(understood.missing)} missing` : false].filter(Boolean).join(' · ');
    fill(columns, h('div', { class: 'bar' }, h('h2', {}, file.name), understood && h('span', { class: 'tag' }, understood.container), choice('Read as', [['', understood && !state.shape ? `recognised: ${understood.shape}` : 'recognise'], ...known.shapes.map((s) => [s.name, s.title] as const)], state.shape, (shape) => void correct(shape, []))),
      facts && h('p', {}, facts),
      found.error && h('div', { class: 'error', role: 'alert' }, h('p', {}, found.error)),
      understood && understood.notes.length > 0 && h('ul', { class: 'note' }, understood.notes.map((note) => h('li', {}, note))),
      h('details', { open: !!found.error || unfolded, ontoggle: (event: Event) => { unfolded = (event.target as HTMLDetailsElement).open; } }, h('summary', {}, `${plural(found.columns.length, 'column')}: what each is for`),
        h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Columns' }, h('table', {}, h('thead', {}, h('tr', {}, ['Column', 'For', 'Holds', 'Filled', 'First cells'].map((t) => h('th', { scope: 'col' }, t)))),
          h('tbody', {}, found.columns.slice(0, 200).map((column) => h('tr', {}, h('th', { scope: 'row' }, column.name || '(no name)'),
            h('td', {}, h('select', { 'aria-label': `What ${column.name} is for`, onchange: (event: Event) => { const role = (event.target as HTMLSelectElement).value; void correct(state.shape, [...state.roles.filter((pair) => pair.slice(pair.indexOf('=') + 1) !== column.name), ...(role ? [`${role}=${column.name}`] : [])]); } },
              [['', 'passed over'], ...[...new Set([roleOf(column.name), ...ROLES])].filter(Boolean).map((r) => [r, r])].map(([value, text]) => h('option', { value, selected: value === roleOf(column.name) }, text!)))),
            h('td', {}, column.kind), h('td', { class: 'number' }, thousands(column.filled)), h('td', { class: 'note' }, column.first.join(', ').slice(0, 80)))))))));
  }

  async function measure(): Promise<void> {
    const mine = ++turn;
    fill(results);
    if (found.error || !found.understood) return;
    const status = h('p', { class: 'note', role: 'status' }, 'Measuring …');
    const tables = h('div', {});
    const pictures = h('div', { class: 'figures' });
    const second = h('input', { type: 'file', class: 'hidden', tabindex: '-1', 'aria-label': 'Reference file', onchange: async () => { const chosen = second.files?.[0]; if (!chosen) return; try { await engine.reference(chosen.name, await chosen.arrayBuffer()); referenced.textContent = `Reference: ${chosen.name}`; void compute(); } catch (error) { referenced.textContent = (error as Error).message; } } });
    const referenced = h('span', { class: 'note', role: 'status' });
    const number = (label: string, key: 'draws' | 'level' | 'seed', step: string, min: string, max: string) => h('label', { class: 'field' }, h('span', {}, label), h('input', { type: 'number', value: state[key], step, min, max, onchange: (event: Event) => { const x = Number((event.target as HTMLInputElement).value); if (!Number.isFinite(x)) return; state[key] = x; keep({ [key]: String(x) }); void compute(); } }));
    fill(results, h('h2', {}, 'Metrics'), h('div', { class: 'bar' }, number('Draws', 'draws', '100', '0', '100000'), number('Level', 'level', '0.01', '0.5', '0.999'), number('Seed', 'seed', '1', '0', '4294967295'), h('button', { onclick: () => second.click() }, 'Compare with a second file'), second, referenced,
      h('button', { onclick: () => save(`${file.name}-metrics.csv`, toCsv(['family', 'metric', 'part', 'options', 'value', 'lo', 'hi', 'n', 'of', 'unit', 'note'], all.map(({ row: r }) => [r.family, r.metric, r.part ?? '', Object.entries(r.params).map(([k, v]) => `${k}=${v}`).join(' '), r.value ?? '', r.lo ?? '', r.hi ?? '', r.n, r.of, r.unit ?? '', r.error ?? r.note ?? ''])), 'text/csv') }, 'Save as CSV'), h('label', { class: 'field' }, h('input', { type: 'checkbox', onchange: (event: Event) => tables.classList.toggle('all', (event.target as HTMLInputElement).checked) }), 'all values, details too')), status, pictures, tables);
    let all: Found[] = [];

    async function compute(): Promise<void> {
      const now = ++turn;
      all = [];
      fill(tables);
      fill(pictures);
      const groups = new Map<string, HTMLElement>();
      const by = { draws: state.draws, level: state.level, seed: state.seed };
      const start = performance.now();
      try {
        const asked = await engine.requests();
        const times = new Map<string, number>();
        const todo = asked.map((usual) => {
          const name = usual.split(':')[0]!;
          const turns = (times.get(name) ?? 0) + 1;
          times.set(name, turns);
          const slot = turns > 1 ? `${name}-${turns}` : name;
          const set = current().query.get(`set-${slot}`);
          return { name, slot, usual, request: set ? `${name}:${set}` : usual };
        });
        // Of a large file everything is asked for at once, so that what all metrics need is made once.
        const ask = async (list: typeof todo, told: (row: Found) => void) => {
          let heard = false;
          try {
            await engine.measure(list.map((one) => one.request), by, (row) => { heard = true; told(row); });
          } catch (error) {
            // What an old address asks for may not exist any more.
            if (heard || list.every((one) => one.request === one.usual)) throw error;
            await engine.measure(list.map((one) => one.usual), by, told);
          }
        };
        const large = (found.understood?.rows ?? 0) > 50_000;
        if (large) {
          let last = '';
          let at = -1;
          await ask(todo, (row) => {
            if (now !== turn) return;
            const key = `${row.row.metric} ${JSON.stringify(row.row.params)}`;
            if (key !== last) { last = key; at++; status.textContent = `Measured ${row.row.metric} (${at + 1} of ${todo.length}) …`; }
            all.push(row);
            addRow(groups, tables, row, known.metrics, by, todo[at]?.slot ?? row.row.metric);
          });
          if (now !== turn) return;
        }
        for (const [i, one] of (large ? [] : todo).entries()) {
          const { name, slot } = one;
          if (now !== turn || !body.isConnected) return;
          status.textContent = `Measuring ${name} (${i + 1} of ${todo.length}) …`;
          const mineRows: Found[] = [];
          await ask([one], (row) => mineRows.push(row));
          if (now !== turn) return;
          all.push(...mineRows);
          for (const row of mineRows) addRow(groups, tables, row, known.metrics, by, slot);
        }
      } catch (error) {
        if (now === turn) status.textContent = (error as Error).message;
        return;
      }
      status.textContent = `${plural(all.length, 'number')} in ${((performance.now() - start) / 1000).toFixed(1)} s, the same as those of \`superalign measure --draws ${state.draws} --seed ${state.seed}\`.`;
      announce(`${all.length} numbers are there`);
      await draw(pictures, all, found).catch((error: Error) => { status.textContent += ` ${error.message}`; });
    }
    if (mine === turn) await compute();
  }

  showColumns();
  await measure();
}

/** A row of results, under the head of its family. */
function addRow(groups: Map<string, HTMLElement>, tables: HTMLElement, found: Found, metrics: Metric[], by: { draws: number; level: number; seed: number }, slot: string): void {
  const { row } = found;
  let group = groups.get(row.family);
  if (!group) {
    group = h('tbody', {});
    groups.set(row.family, group);
    tables.append(h('h3', {}, TITLES[row.family] ?? row.family), h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': TITLES[row.family] ?? row.family }, h('table', { class: 'metrics' },
      h('thead', {}, h('tr', {}, ['Metric', 'Value', `${Math.round(by.level * 1000) / 10}% interval`, '', 'Unit', 'From'].map((t, i) => h('th', { scope: 'col', class: i === 1 ? 'number' : undefined }, t || h('span', { class: 'hidden' }, 'Picture of the interval'))))), group)));
  }
  const metric = metrics.find((m) => m.name === row.metric);
  if (found.values || Array.isArray(row.values)) return;
  const again = group.querySelector(`[data-slot="${slot}"]`) !== null;
  const line = h('tr', { 'data-metric': row.metric, 'data-part': row.part ?? '', 'data-slot': slot, class: row.detail ? 'minor' : undefined });
  const show = (now: Found['row']) => {
    const options = Object.entries(now.params).filter(([key, value]) => !same(value, metric?.options.find((o) => o.key === key)?.default) || (metric?.usual.some((usual) => usual.includes(`${key}=`)) ?? false)).map(([k, v]) => `${k} = ${v}`).join(', ');
    const value = typeof now.value === 'number' ? digits(now.value) : now.value === 'Infinity' ? '∞' : now.value === '-Infinity' ? '−∞' : typeof now.values === 'string' ? now.values : '–';
    const cells = line.querySelectorAll('td');
    cells[0]!.textContent = value;
    for (const end of ['value', 'lo', 'hi'] as const) cells[0]!.dataset[end] = typeof now[end] === 'number' ? String(now[end]) : '';
    cells[1]!.textContent = now.lo !== undefined && now.hi !== undefined ? `${digits(now.lo)} to ${digits(now.hi)}` : now.error ? `undefined: ${now.error}` : now.note ?? '';
    cells[1]!.className = now.error || now.note ? 'note why' : '';
    fill(cells[2]!, typeof now.value === 'number' && now.lo !== undefined ? whisker(now.value, now.lo, now.hi!) : '');
    cells[3]!.textContent = now.unit ?? '';
    cells[4]!.textContent = `${thousands(now.n)} ${now.of}`;
    line.querySelector('.options')!.textContent = options;
  };
  line.append(h('th', { scope: 'row' }, h('span', { title: metric?.about }, row.metric, row.part ? `, ${row.part}` : ''), h('span', { class: 'options note' }), again ? false : controls(row, metric, by, slot, show)), h('td', { class: 'number' }), h('td', {}), h('td', {}), h('td', {}), h('td', { class: 'note' }));
  show(row);
  group.append(line);
}

/** Whether an option has its default, however that is written. */
const same = (value: string | number, standard: string | undefined): boolean => String(value) === standard || (standard !== '' && Number(value) === Number(standard));

/** An interval on the way from 0 to 1, or around its value where it lies elsewhere. */
function whisker(value: number, lo: number, hi: number): Element {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const [from, to] = lo >= -1e-9 && hi <= 1 + 1e-9 ? [0, 1] : lo >= -1 && hi <= 1 ? [-1, 1] : [Math.min(0, 1.25 * lo), Math.max(0, 1.25 * hi)];
  const x = (v: number) => 2 + ((Number.isFinite(v) ? v : v > 0 ? to : from) - from) / (to - from || 1) * 96;
  svg.setAttribute('viewBox', '0 0 100 12');
  svg.setAttribute('class', 'whisker');
  svg.setAttribute('aria-hidden', 'true');
  svg.innerHTML = `<line x1="2" x2="98" y1="6" y2="6" stroke="var(--line)"/><line x1="${x(lo)}" x2="${x(hi)}" y1="6" y2="6" stroke="var(--c0)" stroke-width="3"/><circle cx="${x(value)}" cy="6" r="3.6" fill="var(--c0)"/>`;
  return svg;
}

/** Sliders and choices of a metric's options; what is chosen is computed at once, and stale answers are dropped. */
function controls(row: Found['row'], metric: Metric | undefined, by: { draws: number; level: number; seed: number }, slot: string, show: (row: Found['row']) => void): HTMLElement | false {
  const options = metric?.options.filter((o) => o.kind !== 'text' || o.key === 'gamma') ?? [];
  if (!metric || options.length === 0) return false;
  const chosen: Record<string, string> = Object.fromEntries(Object.entries(row.params).map(([k, v]) => [k, String(v)]));
  let turn = 0;
  let busy = false;
  const again = async () => {
    const mine = ++turn;
    if (busy) return;
    busy = true;
    try {
      const request = [metric.name, ...Object.entries(chosen).filter(([, v]) => v !== '').map(([k, v]) => `${k}=${v}`)].join(':');
      // While a slider moves, the value alone; its interval when it rests.
      for (const draws of by.draws > 0 ? [0, by.draws] : [0]) {
        let now: Found | undefined;
        await engine.measure([request], { ...by, draws }, (told) => { if ((told.row.part ?? '') === (row.part ?? '')) now ??= told; });
        if (mine !== turn) break;
        if (now) { show(now.row); if (draws === by.draws) announce(`${metric.name} is ${digits(typeof now.row.value === 'number' ? now.row.value : Number.NaN)}`); }
        await new Promise((resolve) => setTimeout(resolve, 60));
        if (mine !== turn) break;
      }
    } catch (error) {
      show({ ...row, value: null, lo: undefined, hi: undefined, error: (error as Error).message });
    } finally { busy = false; }
    if (mine !== turn) void again();
  };
  const later = debounced(30, () => { keep({ [`set-${slot}`]: Object.entries(chosen).filter(([, v]) => v !== '').map(([k, v]) => `${k}=${v}`).join(':') }); void again(); });
  const set = (key: string, value: string) => { chosen[key] = value; later(); };
  const one = (option: Metric['options'][number]) => {
    if (option.kind === 'word') return choice(option.key, option.words.map((w) => [w, w]), chosen[option.key] ?? option.default, (v) => set(option.key, v));
    const range = SLIDERS[option.key];
    const start = chosen[option.key] ?? option.default;
    const shown = h('output', {}, start);
    if (!range) return h('label', { class: 'field', title: option.about }, h('span', {}, option.key), h('input', { type: option.kind === 'text' ? 'text' : 'number', value: start, step: option.kind === 'whole' ? '1' : 'any', onchange: (event: Event) => set(option.key, (event.target as HTMLInputElement).value) }));
    return h('label', { class: 'field', title: option.about }, h('span', {}, option.key), h('input', { type: 'range', min: range[0], max: range[1], step: range[2], value: Number.isFinite(Number(start)) ? start : String((range[0] + range[1]) / 2), oninput: (event: Event) => { const v = (event.target as HTMLInputElement).value; shown.textContent = v; set(option.key, v); } }), shown);
  };
  return h('details', { class: 'knobs' }, h('summary', { 'aria-label': `Options of ${metric.name}` }, 'options'), h('div', { class: 'bar' }, options.map(one)));
}

/** The pictures that the numbers allow. */
async function draw(pictures: HTMLElement, all: Found[], found: Opened): Promise<void> {
  const understood = found.understood!;
  const made: HTMLElement[] = [];
  const named = (metric: string, part: string) => all.find((f) => f.row.metric === metric && (f.row.part ?? '') === part && f.values);
  const rows = await engine.rows();
  const apart = h('div', { hidden: true });
  /** The items on which the two chosen raters differ. */
  const differing = () => {
    const [a = -1, b = -1] = (current().query.get('pair') ?? '').split('~').map((name) => (understood.annotators ?? []).indexOf(name));
    apart.hidden = a < 0 || b < 0 || a === b || !rows.votes;
    if (apart.hidden) return;
    const [count, names] = [understood.votes!, understood.annotators!];
    const said = new Map<number, [number, number]>();
    for (let i = 0; i < count; i++) {
      const who = rows.votes![count + i];
      if (who !== a && who !== b) continue;
      const side = who === a ? 0 : 1;
      const item = rows.votes![i]!;
      const both = said.get(item) ?? [-1, -1];
      if (both[side] === -1) both[side] = rows.votes![2 * count + i]!;
      said.set(item, both);
    }
    const apartOn = [...said].filter(([, [x, y]]) => x >= 0 && y >= 0 && x !== y).map(([item]) => item).sort((x, y) => x - y);
    const common = [...said.values()].filter(([x, y]) => x >= 0 && y >= 0).length;
    const agreement = contestedItems(rows.votes!, count, rows.items.length).share;
    fill(apart, suspectList(`Where ${names[a]} and ${names[b]} differ`, `Of ${plural(common, 'item')} on which both voted:`, apartOn, agreement, 'agreement of all', (item) => rows.items[item]!, (item) => said.get(item)!.map((c) => understood.categories?.[c] ?? ''), [names[a]!, names[b]!]));
    announce(`${names[a]} and ${names[b]} differ on ${apartOn.length} items`);
  };

  const pairwise = all.find((f) => f.row.metric === 'pairwise-agreement' && f.values && f.shape?.length === 2);
  const raters = understood.annotators ?? [];
  if (pairwise && raters.length > 1 && raters.length <= 40) {
    const n = pairwise.shape![1]!;
    const points = raters.flatMap((row, i) => raters.map((column, j) => ({ x: column, y: i === j ? Number.NaN : pairwise.values![i * n + j]!, lo: Number.NaN, hi: Number.NaN, series: '', facet: '', label: `${row} and ${column}`, n: 0, cell: `${i} ${j}`, column, row })));
    const matrix = figure({ title: 'Who agrees with whom', note: 'Cohen’s kappa of every pair: 1 is agreement, 0 is what chance would bring. A click on a pair lists the items on which the two differ.', columns: ['first', 'second', 'kappa'], rows: points.filter((p) => p.row !== p.column).map((p) => [p.row, p.column, p.y]), draw: (width) => grid(points, width, { x: 'rater', y: 'rater' }, points.some((p) => p.y < 0), (cell) => { const [i, j] = cell.split(' ').map(Number); keep({ pair: `${raters[i!]}~${raters[j!]}` }); differing(); }) });
    if (raters.length > 2) matrix.append(h('p', { class: 'bar' }, choice('Where two differ', [['', 'choose a pair'], ...raters.flatMap((a, i) => raters.slice(i + 1).map((b) => [`${a}~${b}`, `${a} and ${b}`] as const))], current().query.get('pair') ?? '', (pair) => { keep({ pair }); differing(); })));
    made.push(matrix);
  }
  const calibrated = ['ece', 'binary-ece'].find((name) => all.some((f) => f.row.metric === name && typeof f.row.value === 'number'));
  const tables: Found[] = [];
  if (calibrated) await engine.measure([calibrated === 'ece' ? 'reliability' : 'binary-reliability'], { draws: 0, level: 0.95, seed: 0 }, (told) => { if (told.values && told.shape?.length === 2) tables.push(told); });
  const reliability = tables[0];
  if (reliability) {
    const width = reliability.shape![1]!;
    const bins = Array.from({ length: reliability.shape![0]! }, (_, i) => [...reliability.values!.subarray(i * width, (i + 1) * width)]);
    const over = String(reliability.row.over?.[1] ?? '').split(/, | and its /);
    const at = (...words: string[]) => over.findIndex((name) => words.some((w) => name.includes(w)));
    const [cx, cy] = [at('confidence', 'probability', 'predicted'), at('accuracy', 'right', 'observed', 'share')];
    const points: Point[] = cx >= 0 && cy >= 0 ? bins.filter((b) => Number.isFinite(b[cx]!) && Number.isFinite(b[cy]!)).map((b) => ({ x: b[cx]!, y: b[cy]!, lo: b[at('lower')] ?? Number.NaN, hi: b[at('upper')] ?? Number.NaN, series: 'bins', facet: '', label: 'bin', n: b[at('count', 'items')] ?? 0, cell: '' })) : [];
    if (points.length > 1) {
      const perfect: Point[] = [0, 1].map((x) => ({ x, y: x, lo: Number.NaN, hi: Number.NaN, series: 'perfect', facet: '', label: 'perfectly calibrated', n: 0, cell: '' }));
      const legend = keys(['bins', 'perfect']);
      made.push(figure({ title: 'Reliability', note: 'How often the model is right, against how sure it is.', legend, columns: over, rows: bins, draw: (w) => lines([...points.sort((a, b) => Number(a.x) - Number(b.x)), ...perfect], legend, Math.min(w, 560), 'confidence', 'share right') }));
    }
  }
  const suspects = named('suspects', 'rows');
  const quality = named('label-quality', 'per item');
  if (suspects && quality) {
    const order = [...suspects.values!].sort((a, b) => quality.values![a]! - quality.values![b]!);
    made.push(suspectList('Labels that are probably wrong', 'Found by confident learning; the least credible come first.', order, quality.values!, 'credibility', (row) => rows.names?.[row] ?? `row ${row + 1}`, (row) => [rows.classes ? understood.classes?.[rows.classes[row]!] ?? '' : '', rows.texts?.[row] ?? ''], ['label', 'text']));
  } else if (rows.votes && understood.votes) {
    const contested = contestedItems(rows.votes, understood.votes, rows.items.length);
    made.push(suspectList('Items to look at again', 'Items on whose label the votes agree least: shares of the most frequent label.', contested.order.slice(0, 5000), contested.share, 'agreement', (item) => rows.items[item]!, (item) => [understood.categories?.[contested.top[item]!] ?? '', String(contested.votes[item])], ['most frequent', 'votes']));
  }
  if (understood.shape === 'embeddings') made.push(await embeddingMap(rows));
  fill(pictures, made, apart);
  differing();
}

function suspectList(title: string, note: string, order: number[], score: ArrayLike<number>, what: string, name: (row: number) => string, more: (row: number) => string[], heads: string[]): HTMLElement {
  const list = table({ label: title, height: Math.min(360, 60 + order.length * 28), length: () => order.length, columns: () => [
    { key: 'name', title: 'Item', width: 'minmax(8rem,1.4fr)', text: (i) => name(order[i]!) }, { key: 'score', title: what, width: '7rem', number: true, text: (i) => digits(score[order[i]!]!) },
    ...heads.map((head, at) => ({ key: head, title: head, width: 'minmax(6rem,1fr)', text: (i: number) => more(order[i]!)[at] ?? '' }))] });
  const made = h('figure', { class: 'figure', 'data-figure': 'suspects' }, h('figcaption', {}, h('h3', {}, title), h('div', { class: 'tools' }, h('button', { class: 'quiet', 'aria-label': `Save the data as CSV: ${title}`, onclick: () => save('suspects.csv', toCsv(['item', what, ...heads], order.map((row) => [name(row), score[row]!, ...more(row)])), 'text/csv') }, 'CSV'))), h('p', { class: 'note' }, `${note} ${plural(order.length, 'item')}.`), list.element);
  queueMicrotask(() => list.refresh());
  return made;
}

/** For each item the share of its most frequent label, which that is, and how many votes there are. */
export function contestedItems(votes: Uint32Array, count: number, items: number): { order: number[]; share: Float64Array; top: Uint32Array; votes: Uint32Array } {
  const item = votes.subarray(0, count);
  const category = votes.subarray(2 * count, 3 * count);
  let categories = 0;
  for (const c of category) categories = Math.max(categories, c + 1);
  const counts = new Uint32Array(items * categories);
  for (let i = 0; i < count; i++) counts[item[i]! * categories + category[i]!]!++;
  const [share, top, total] = [new Float64Array(items), new Uint32Array(items), new Uint32Array(items)];
  for (let i = 0; i < items; i++) {
    let most = 0;
    for (let c = 0; c < categories; c++) { const n = counts[i * categories + c]!; total[i]! += n; if (n > most) { most = n; top[i] = c; } }
    share[i] = total[i]! > 0 ? most / total[i]! : Number.NaN;
  }
  const order = Array.from({ length: items }, (_, i) => i).filter((i) => total[i]! > 1 && share[i]! < 1).sort((a, b) => share[a]! - share[b]! || total[b]! - total[a]!);
  return { order, share, top, votes: total };
}
