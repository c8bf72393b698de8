// One run: its question, its figures, every number, where it came from; live while it goes on.

import { announce, choice, fill, h } from '../dom';
import { digits, duration, moment, plural, thousands, toCsv } from '../format';
import { save } from '../dom';
import { address, current, go, keep } from '../route';
import { file, journalRows, manifest, metrics, runs, type Manifest, type MetricRow, type RunSummary } from '../store';
import { table } from '../table';
import { VIEWS, chart, dimensions, guessed, type View } from './charts';

const RESERVED = ['metric', 'kind', 'x', 'series', 'find'];

export async function runPage(main: HTMLElement, [folder]: string[], query: URLSearchParams): Promise<void> {
  if (!folder) throw new Error('the address names no run');
  fill(main, h('p', { class: 'note' }, 'Reading the run …'));
  const [about, all] = await Promise.all([manifest(folder), runs().catch(() => undefined)]);
  const listed = all?.runs.find((run) => run.folder === folder);
  const live = about.status !== 'complete' && (all?.live ?? false);
  let rows: MetricRow[] = live ? [] : await metrics(folder).catch((error: Error) => { if (about.status === 'complete') throw error; return []; });

  const filters: Record<string, string> = Object.fromEntries([...query].filter(([key]) => !RESERVED.includes(key)));
  const chips = h('div', { class: 'chips', 'aria-label': 'Filters' });
  const figures = h('section', { 'aria-label': 'Figures' });
  const explore = h('section', { 'aria-label': 'Any metric' });
  const numbers = h('section', { 'aria-label': 'All numbers' });
  const progress = h('div', { class: 'progress', role: 'status' });

  const pick = (dimension: string, value: string) => {
    if (filters[dimension] === value) delete filters[dimension];
    else filters[dimension] = value;
    keep({ [dimension]: filters[dimension] });
    announce(filters[dimension] ? `Only ${dimension} ${value}` : `All of ${dimension}`);
    show();
  };

  function show(): void {
    const all = dimensions(rows);
    fill(chips, Object.entries(filters).map(([name, value]) => h('button', { class: 'chip', title: 'Remove this filter', onclick: () => pick(name, value) }, `${name} = ${value} ✕`)),
      choice('Filter', [['', 'add …'], ...[...all].filter(([, v]) => v.length > 1 && v.length <= 24).flatMap(([name, values]) => values.map((v) => [`${name}=${v}`, `${name} = ${v}`] as const))], '', (text) => { if (text) pick(text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)); }));
    const guesses = (): View[] => [...new Set(rows.map((r) => r.metric))].slice(0, 6).map((metric) => guessed(metric, rows.filter((r) => r.metric === metric)));
    const views = VIEWS[about.plan.experiment] ?? guesses();
    const draw = (list: View[]) => list.map((view) => chart(view, rows, filters, pick)).filter((figure) => figure !== undefined);
    // Of a run that has only begun, the usual figures may have nothing yet.
    const known = draw(views);
    const drawn = known.length > 0 || about.status === 'complete' ? known : draw(guesses());
    fill(figures, h('h2', {}, 'Figures'), drawn.length > 0 ? h('div', { class: 'figures' }, drawn) : h('p', { class: 'note' }, rows.length === 0 ? 'No cell is finished yet.' : 'Nothing of these figures is left under these filters.'));
    any();
    list.refresh(true);
  }

  function any(): void {
    const names = [...new Set(rows.map((r) => r.metric))].sort();
    if (names.length === 0) { fill(explore); return; }
    const now = current().query;
    const often = new Map<string, number>();
    for (const row of rows) if (Number.isFinite(row.value)) often.set(row.metric, (often.get(row.metric) ?? 0) + 1);
    const metric = names.includes(now.get('metric') ?? '') ? now.get('metric')! : [...often].sort((a, b) => b[1] - a[1])[0]?.[0] ?? names[0]!;
    const mine = rows.filter((r) => r.metric === metric);
    const base = guessed(metric, mine);
    const places = [...dimensions(mine)].filter(([, v]) => v.length > 1).map(([name]) => name);
    const kind = (now.get('kind') as View['kind'] | null) ?? base.kind;
    const x = places.includes(now.get('x') ?? '') ? now.get('x')! : base.x;
    const series = now.has('series') ? (places.includes(now.get('series')!) ? now.get('series')! : undefined) : base.series ?? base.y;
    const rest = places.filter((name) => name !== x && name !== series);
    const view: View = kind === 'grid' ? { kind, metric, x, y: series ?? base.y ?? x, facet: rest } : { kind, metric, x, series, facet: rest };
    const again = (changes: Record<string, string | undefined>) => { keep(changes); any(); };
    const options = (list: string[]) => [['', 'nothing'] as const, ...list.map((p) => [p, p] as const)];
    fill(explore, h('h2', {}, 'Any metric'), h('div', { class: 'bar' },
      choice('Metric', names.map((n) => [n, n]), metric, (v) => again({ metric: v, kind: undefined, x: undefined, series: undefined })),
      choice('As', [['lines', 'lines'], ['dots', 'dots'], ['grid', 'grid']], kind, (v) => again({ kind: v })),
      choice('Along', options(places), x ?? '', (v) => again({ x: v })), choice('By', options(places), series ?? '', (v) => again({ series: v || 'nothing' }))),
    chart(view, rows, filters, pick) ?? h('p', { class: 'note' }, 'This metric has no number here: see the reasons below.'));
  }

  const state = { find: query.get('find') ?? '', sort: '', down: false };
  let shown: MetricRow[] = [];
  const filtered = () => {
    const words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
    shown = rows.filter((row) => Object.entries(filters).every(([k, v]) => !(k in row.dims) || row.dims[k] === v) && words.every((w) => `${row.cell} ${row.metric} ${row.error}`.toLowerCase().includes(w)));
    if (state.sort) {
      const key = state.sort as 'cell' | 'metric' | 'value' | 'n';
      shown.sort((a, b) => { const [p, q] = [a[key], b[key]]; return (p < q ? -1 : p > q ? 1 : Number(Number.isNaN(p)) - Number(Number.isNaN(q))) * (state.down ? -1 : 1); });
    }
    count.textContent = `${plural(shown.length, 'row')} of ${thousands(rows.length)}`;
    return shown;
  };
  const count = h('span', { class: 'note', 'aria-live': 'polite' });
  const columns = [
    { key: 'cell', title: 'Cell', width: 'minmax(16rem,2.4fr)', sorts: true, text: (i: number) => shown[i]!.cell },
    { key: 'seed', title: 'Seed', width: '4rem', text: (i: number) => shown[i]!.seed },
    { key: 'metric', title: 'Metric', width: 'minmax(9rem,1fr)', sorts: true, text: (i: number) => shown[i]!.metric },
    { key: 'value', title: 'Value', width: '6.5rem', number: true, sorts: true, text: (i: number) => digits(shown[i]!.value) },
    { key: 'interval', title: '95% interval', width: '10rem', number: true, text: (i: number) => (Number.isFinite(shown[i]!.lo) ? `${digits(shown[i]!.lo)} to ${digits(shown[i]!.hi)}` : '') },
    { key: 'n', title: 'n', width: '5rem', number: true, sorts: true, text: (i: number) => (Number.isFinite(shown[i]!.n) ? thousands(shown[i]!.n) : '') },
    { key: 'unit', title: 'Unit', width: '6rem', text: (i: number) => shown[i]!.unit },
    { key: 'error', title: 'Why not', width: 'minmax(8rem,1.4fr)', text: (i: number) => shown[i]!.error },
  ];
  const list0 = table({ label: 'All numbers of the run', columns: () => columns, length: () => shown.length, sorted: () => (state.sort ? { key: state.sort, down: state.down } : undefined), height: 420,
    sort: (key) => { state.down = state.sort === key ? !state.down : false; state.sort = key; list.refresh(true); },
    open: (row) => { const { cell } = shown[row]!; go(['items', folder], { signal: cell }); } });
  const list = { refresh: (top: boolean) => { filtered(); list0.refresh(top); } };
  const search = h('input', { type: 'search', placeholder: 'Search cells, metrics, reasons (/)', 'aria-label': 'Search numbers', value: state.find, oninput: () => { state.find = search.value; keep({ find: state.find }); list.refresh(true); } });
  fill(numbers, h('h2', {}, 'All numbers'), h('div', { class: 'bar' }, search, count,
    h('button', { onclick: () => save(`${folder}-metrics.csv`, toCsv(['cell', 'seed', 'metric', 'value', 'lo', 'hi', 'n', 'unit', 'error'], shown.map((r) => [r.cell, r.seed, r.metric, r.value, r.lo, r.hi, r.n, r.unit, r.error])), 'text/csv') }, 'Save as CSV')), list0.element);

  fill(main, head(folder, about, listed), progress, chips, figures, explore, numbers, provenance(folder, about, listed));
  show();
  if (live) follow(folder, about.host.processors, main, progress, (more) => { rows = rows.concat(more); show(); }, () => go(['run', folder]));
}

function head(folder: string, about: Manifest, listed: RunSummary | undefined): HTMLElement {
  const { plan } = about;
  const tags = listed?.tags ?? [];
  return h('div', { class: 'head' },
    h('p', { class: 'note' }, h('a', { href: '#/' }, 'Runs'), ` / ${folder}`),
    h('h1', {}, plan.title || plan.experiment),
    h('p', {}, h('span', { class: 'tag' }, plan.experiment), h('span', { class: 'tag' }, plan.profile), h('span', { class: `tag ${about.status === 'complete' ? 'good' : 'busy'}` }, about.status), about.failed > 0 && h('span', { class: 'tag bad' }, `${plural(about.failed, 'cell')} failed`),
      tags.map((tag) => h('a', { class: 'tag', href: address([], { tags: tag }), title: `All runs with the tag ${tag}` }, tag))),
    plan.question && h('details', {}, h('summary', {}, 'The question'), plan.question.split(/\n\n+/).map((p) => h('p', {}, p))),
    about.unexpected.length > 0 && h('div', { class: 'error' }, h('strong', {}, 'Sanity checks that did not hold'), h('ul', {}, about.unexpected.map((text) => h('li', {}, text)))),
    h('div', { class: 'bar' }, h('a', { class: 'button', href: address(['items', folder]) }, 'Items'), listed?.files?.includes('transcripts.jsonl') !== false && h('a', { class: 'button', href: address(['transcripts', folder]) }, 'Transcripts'), h('a', { class: 'button', href: address(['compare'], { a: folder }) }, 'Compare'), h('a', { class: 'button', href: file(folder, 'report.html'), target: '_blank', rel: 'noopener' }, 'Report')));
}

function provenance(folder: string, about: Manifest, listed: RunSummary | undefined): HTMLElement {
  const { plan } = about;
  const files = listed?.files ?? ['manifest.json', 'metrics.csv', 'items.parquet', 'report.html'];
  const lines: [string, string][] = [
    ['Command', about.command], ['Begun', moment(about.started)], ['Took', Object.entries(about.seconds).map(([stage, s]) => `${stage} ${duration(s)}`).join(', ')],
    ['Host', `${about.host.platform}, ${plural(about.host.processors, 'processor')}`], ['Seeds', (plan.seeds ?? []).join(', ')],
    ['Data', [plan.data?.source, plan.data?.objective, plan.data?.digest].filter(Boolean).join(' · ')],
    ['Parts', (plan.data?.parts ?? []).map((p) => `${p.name}: ${plural(p.items, 'item')} in ${plural(p.groups, 'group')} (${p.role})`).join('; ')],
    ['Code', typeof plan.code === 'string' ? plan.code : ''],
    ['Models', (plan.rungs ?? []).map((r) => `${r.name}${r.model?.parameters ? ` (${thousands(r.model.parameters)} parameters, ${r.model.runtime ?? ''})` : ''}`).join('; ')],
  ];
  return h('section', {}, h('h2', {}, 'Where it came from'), h('dl', { class: 'facts' }, lines.filter(([, v]) => v).map(([k, v]) => [h('dt', {}, k), h('dd', {}, v)])),
    h('details', {}, h('summary', {}, 'The whole plan'), h('pre', { class: 'scroll', tabindex: '0' }, JSON.stringify(plan, null, 2))),
    h('p', { class: 'note' }, 'Files: ', files.map((name, i) => [i > 0 && ', ', h('a', { href: file(folder, name), download: name === 'report.html' ? undefined : name }, name)])));
}

/** Seconds that a run still takes, roughly: by the rate at which jobs have come, or, of those that were there before, by what they cost. */
export function remaining(total: number, done: number, cost: number, processors: number, seen: { jobs: number; seconds: number }): number | undefined {
  const left = total - done;
  if (left <= 0 || done === 0) return undefined;
  if (seen.jobs >= 3 && seen.seconds > 2) return (left * seen.seconds) / seen.jobs;
  const each = cost / done;
  return each > 0 ? (left * each) / Math.max(1, Math.min(processors, left)) : undefined;
}

/** Shows the cells of a run that goes on as they finish. */
function follow(folder: string, processors: number, main: HTMLElement, progress: HTMLElement, more: (rows: MetricRow[]) => void, done: () => void): void {
  const source = new EventSource(file(folder, 'events'));
  let [jobs, total, cost, timer] = [0, 0, 0, 0];
  let held: MetricRow[] = [];
  // What was finished before comes in one go, and says nothing of the rate.
  let first: { at: number; jobs: number } | undefined;
  source.addEventListener('jobs', ({ data }: MessageEvent<string>) => { total = Number(data) || 0; });
  source.onmessage = ({ data }: MessageEvent<string>) => {
    if (!main.isConnected) { source.close(); return; }
    try {
      const entry = journalRows(data);
      held.push(...entry.rows);
      jobs++;
      cost += entry.seconds;
      const now = performance.now() / 1000;
      if (!first || now - first.at < 1) first = { at: first?.at ?? now, jobs };
      const left = total ? remaining(total, jobs, cost, processors, { jobs: jobs - first.jobs, seconds: now - first.at }) : undefined;
      fill(progress, h('span', { class: 'tag busy' }, 'running'), ` ${plural(jobs, 'job')} finished${total ? ` of ${total}` : ''}`, left !== undefined && `, about ${duration(left)} left`, `; the last: ${entry.job}`,
        total ? h('progress', { max: total, value: jobs, 'aria-label': 'Finished jobs' }) : false);
    } catch { /* a line that is torn comes again, whole */ }
    timer ||= window.setTimeout(() => { timer = 0; more(held); held = []; }, 400);
  };
  source.addEventListener('complete', () => { source.close(); if (main.isConnected) done(); });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) fill(progress, h('span', { class: 'tag' }, 'not followed'), ' The server ended the stream: load the page anew to go on.'); };
}
