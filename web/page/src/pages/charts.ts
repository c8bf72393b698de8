// Which chart a metric gets: chosen for the experiments we know, found from the cells for all others.

import { figure } from '../chart/figure';
import { dots, grid, lines, pairs, type Pairing, type Point } from '../chart/plots';
import { keys, type Key } from '../chart/palette';
import type { MetricRow } from '../store';

const MOST_PANES = 12;

/** How a metric is drawn. */
export interface View {
  kind: 'lines' | 'dots' | 'grid' | 'pair';
  metric: string; title?: string; note?: string;
  x?: string; y?: string; series?: string; facet?: string[];
  /** The second metric of a pair (upwards), and the dimension that joins its points. */
  against?: string; order?: string; diagonal?: boolean; fit?: string;
  /** The metric whose value along x is marked, such as the best gap; why there is none is said in the note. */
  optimum?: string;
  /** Whether the points are joined that no other one of their pane surpasses in both metrics. */
  front?: boolean;
  /** A second metric in the same panes, to be read against the first; `names` are those of the two. */
  over?: string; names?: readonly [string, string];
  /** Only cells in which these have these values. */
  where?: Record<string, string>;
  reference?: number;
}

/** The figures that an experiment is read by, first things first. */
export const VIEWS: Record<string, View[]> = {
  'noise-capacity': [
    { kind: 'lines', metric: 'train-accuracy-noisy', title: 'How much noise is learnt by heart', x: 'ratio', series: 'model', facet: ['student', 'noise'], reference: 0.5, note: 'Training accuracy on the noisy labels against the share of flipped labels.' },
    { kind: 'lines', metric: 'test-accuracy', title: 'What noise does to clean test items', x: 'ratio', series: 'model', facet: ['student', 'noise'], reference: 0.5 },
    { kind: 'dots', metric: 'noise-fitting-capacity', x: 'model', series: 'noise', facet: ['student'], note: '0 is chance, 1 is perfect memorisation.' },
    { kind: 'dots', metric: 'ceiling', x: 'model', series: 'student' },
  ],
  'weak-to-strong': [
    { kind: 'grid', metric: 'pgr', title: 'Performance gap recovered', x: 'student', y: 'teacher', facet: ['loss'], note: 'Undefined where the interval of the gap touches 0.' },
    { kind: 'grid', metric: 'gain', title: 'Gain over the supervisor', x: 'student', y: 'teacher', facet: ['loss'] },
    { kind: 'grid', metric: 'agreement', title: 'Agreement of student and teacher', x: 'student', y: 'teacher', facet: ['loss'] },
    { kind: 'pair', metric: 'supervision-gap', against: 'gain', title: 'Gain against supervision gap', series: 'loss' },
  ],
  'gap-calibration': [
    { kind: 'pair', metric: 'supervision-gap', against: 'gain', title: 'Gain against gap, with the fit', series: 'student', fit: 'fitted-gain', optimum: 'calibrated-gap', note: 'The grey band is the 95% band of the fitted gain.' },
    { kind: 'dots', metric: 'share-of-resamples-chosen', title: 'Which shape of the curve the resamples choose', x: 'shape', series: 'loss' },
    { kind: 'lines', metric: 'test-accuracy', title: 'Teachers: test accuracy by share of labels', x: 'share', series: 'teacher', reference: 0.5 },
  ],
  'gap-annealing': [
    { kind: 'pair', metric: 'conformity', against: 'competence', title: 'Competence and conformity, round by round', series: 'policy', facet: ['plan'], order: 'round', where: { round: '*' }, front: true, note: 'Arrows run from the first round to the last; the dashed line is the Pareto front of what is shown.' },
    { kind: 'grid', metric: 'share-of-resamples-on-front', title: 'How often a path ends on the Pareto front', x: 'plan', y: 'policy', note: 'Share of resamples of the test items.' },
    { kind: 'lines', metric: 'joint-utility', x: 'round', series: 'policy', facet: ['plan'], where: { round: '*' } },
    { kind: 'dots', metric: 'alignment-tax', x: 'policy', series: 'plan', reference: 0 },
    { kind: 'dots', metric: 'hypervolume', title: 'Hypervolume of the fronts', x: 'front' },
  ],
  evaluation: [
    { kind: 'lines', metric: 'predicted', over: 'solved-tasks', names: ['extrapolated', 'measured'], title: 'Extrapolated beyond what can be checked', x: 'difficulty', facet: ['ceiling', 'teacher', 'student', 'share'], note: 'Share of tasks solved, by difficulty; the band of the extrapolation is its prediction interval.' },
    { kind: 'pair', metric: 'predicted', against: 'actual', title: 'Extrapolated ability against what it is', series: 'difficulty', diagonal: true, note: 'With prediction intervals; the dashed line is a perfect prediction.' },
    { kind: 'dots', metric: 'coverage', title: 'Backtests: coverage of the prediction intervals', x: 'curve', series: 'horizon', where: { horizon: '*' }, reference: 0.95 },
    { kind: 'dots', metric: 'strength', title: 'Ranking by peers: Bradley–Terry', x: 'player', where: { method: 'bradley-terry' }, note: 'Log-odds of winning; the other methods are under “Any metric”.', reference: 0 },
    { kind: 'grid', metric: 'votes-less-others', title: 'Judges: votes for each player, less those of the others', x: 'player', y: 'judge' },
    { kind: 'dots', metric: 'kendall-tau', title: 'Surrogates: rank correlation with the withheld truth', x: 'surrogate', series: 'withheld', where: { surrogate: '*' }, reference: 0 },
  ],
  'reward-bench': [
    { kind: 'grid', metric: 'score', title: 'Scores by section', x: 'section', y: 'model', facet: ['scorer'], where: { section: '*' } },
    { kind: 'dots', metric: 'score', title: 'Overall score', x: 'model', series: 'scorer', where: { section: 'overall' }, reference: 0.5 },
    { kind: 'dots', metric: 'strongest-less-weakest', x: 'section', series: 'scorer', reference: 0 },
  ],
  'self-enhancement': [
    { kind: 'lines', metric: 'test-accuracy', title: 'Test accuracy, round by round', x: 'round', series: 'variant', facet: ['model', 'with'], where: { round: '*' } },
    { kind: 'lines', metric: 'label-collapse-index', title: 'Collapse of the labels', x: 'round', series: 'variant', facet: ['model', 'with'], where: { round: '*' }, reference: 0, note: '0 is the diversity before the first round, 1 is none left.' },
    { kind: 'lines', metric: 'embedding-collapse-index', title: 'Collapse of the embeddings', x: 'round', series: 'variant', facet: ['model', 'with'], where: { round: '*' }, reference: 0 },
    { kind: 'lines', metric: 'label-accuracy', title: 'Accuracy of the labels', x: 'round', series: 'variant', facet: ['model', 'with'], where: { round: '*' } },
    { kind: 'dots', metric: 'gain', title: 'Gain over the start', x: 'model', series: 'variant', facet: ['with'], reference: 0 },
  ],
  sandwiching: [
    { kind: 'dots', metric: 'judge-accuracy', title: 'How often the judge is right', x: 'judge', series: 'protocol', facet: ['advisor'], reference: 0.5 },
    { kind: 'dots', metric: 'less-alone', title: 'What advice adds to the judge alone', x: 'judge', series: 'protocol', facet: ['advisor'], reference: 0 },
    { kind: 'pair', metric: 'judge-advisor-gap', against: 'less-alone', title: 'What advice adds, against the gap of judge and advisor', series: 'protocol' },
    { kind: 'dots', metric: 'honesty-advantage', x: 'judge', series: 'protocol', facet: ['advisor'], reference: 0 },
  ],
  'signal-diversity': [
    { kind: 'dots', metric: 'gain-over-best-teacher', title: 'Gain over the best single teacher', x: 'set', series: 'rule', reference: 0 },
    { kind: 'dots', metric: 'label-gain-over-best-teacher', title: 'The same of the labels', x: 'set', series: 'rule', reference: 0 },
    { kind: 'dots', metric: 'error-correlation', title: 'Correlation of errors', x: 'set', reference: 0 },
    { kind: 'dots', metric: 'independent-sources', title: 'Effective number of independent sources', x: 'set' },
  ],
  superalignment: [
    { kind: 'pair', metric: 'conformity', against: 'competence', title: 'Competence and conformity, round by round', series: 'arm', order: 'round', where: { arm: '*', round: '*' }, front: true, note: 'Arrows run from the first round to the last; the dashed line is the Pareto front of what is shown.' },
    { kind: 'dots', metric: 'joint-utility-over-naive', title: 'Joint utility over the naive arm', x: 'arm', reference: 0 },
    { kind: 'dots', metric: 'joint-utility-effect', title: 'What each component adds', x: 'component', series: 'within', reference: 0 },
    { kind: 'dots', metric: 'pgr-competence', title: 'Competence: performance gap recovered', x: 'arm', reference: 0 },
    { kind: 'dots', metric: 'pgr-conformity', title: 'Conformity: performance gap recovered', x: 'arm', reference: 0 },
    { kind: 'lines', metric: 'predicted', over: 'solved-tasks', names: ['extrapolated', 'measured'], title: 'Extrapolated beyond what can be checked', x: 'difficulty', facet: ['arm', 'round'], note: 'Share of tasks solved, by difficulty; the band of the extrapolation is its prediction interval.' },
  ],
};

const NUMERIC_FIRST = ['ratio', 'round', 'share', 'difficulty', 'gamma', 'horizon', 'sources', 'budget'];
const SERIES_FIRST = ['model', 'student', 'policy', 'arm', 'plan', 'method', 'scorer', 'loss', 'teacher'];

/** The dimensions of rows that have more than one value, with those values. */
export function dimensions(rows: readonly MetricRow[]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const row of rows) for (const [name, value] of Object.entries(row.dims)) {
    if (!found.has(name)) found.set(name, new Set());
    found.get(name)!.add(value);
  }
  return new Map([...found].map(([name, values]) => [name, ordered([...values])]));
}

const ordered = (values: string[]): string[] => (values.every((v) => Number.isFinite(Number(v)) && v !== '') ? values.sort((a, b) => Number(a) - Number(b)) : values);
const numeric = (values: readonly string[]): boolean => values.length >= 3 && values.every((v) => v !== '' && Number.isFinite(Number(v)));

/** A view of a metric nobody has thought of. */
export function guessed(metric: string, rows: readonly MetricRow[]): View {
  const all = dimensions(rows);
  // Some cells are parts of others and have further places in the grid: the commonest kind is shown.
  const kinds = new Map<string, number>();
  for (const row of rows) { const kind = Object.keys(row.dims).sort().join('/'); kinds.set(kind, (kinds.get(kind) ?? 0) + 1); }
  const common = [...kinds].sort((a, b) => b[1] - a[1])[0]?.[0].split('/') ?? [];
  const varied = [...all].filter(([name, values]) => values.length > 1 && common.includes(name));
  const by = (list: string[]) => (a: [string, string[]], b: [string, string[]]) => (list.indexOf(a[0]) + 1 || 99) - (list.indexOf(b[0]) + 1 || 99);
  const x = varied.filter(([, values]) => numeric(values)).sort(by(NUMERIC_FIRST))[0];
  const rest = varied.filter(([name]) => name !== x?.[0]);
  if (x && rest.every(([name]) => name !== 'player' && name !== 'judge')) {
    const series = rest.filter(([, values]) => values.length <= 12).sort(by(SERIES_FIRST))[0];
    const facet = rest.filter(([name, values]) => name !== series?.[0] && values.length <= 12).map(([name]) => name);
    return { kind: 'lines', metric, x: x[0], series: series?.[0], facet };
  }
  const sorted = varied.toSorted((a, b) => b[1].length - a[1].length);
  if (sorted.length >= 2 && sorted[0]![1].length * sorted[1]![1].length > 40) {
    return { kind: 'grid', metric, x: sorted[1]![0], y: sorted[0]![0], facet: sorted.slice(2).filter(([, v]) => v.length <= 4).map(([n]) => n) };
  }
  const series = sorted.slice(1).sort(by(SERIES_FIRST))[0];
  return { kind: 'dots', metric, x: sorted[0]?.[0] ?? 'part', series: series?.[0], facet: sorted.map(([n]) => n).filter((n) => n !== sorted[0]?.[0] && n !== series?.[0]) };
}

/** Rows that a view shows, the seeds of a cell taken together where there is no summary of them. */
export function selected(view: View, metric: string, rows: readonly MetricRow[], filters: Record<string, string>): MetricRow[] {
  const fits = (row: MetricRow) => Object.entries({ ...view.where, ...filters }).every(([name, value]) => (value === '*' ? name in row.dims : !(name in row.dims) ? !view.where?.[name] : row.dims[name] === value));
  const used = new Set([view.x, view.y, view.series, view.order, ...(view.facet ?? [])].filter(Boolean));
  const mine = rows.filter((row) => row.metric === metric && fits(row) && (view.kind === 'pair' || [view.x, view.y].every((name) => !name || name in row.dims)));
  // Cells with further places in the grid are parts of those without (families, difficulties): they have views of their own.
  const extra = (row: MetricRow) => Object.keys(row.dims).filter((name) => !used.has(name)).length;
  const least = Math.min(...mine.map(extra));
  const whole = view.kind === 'pair' ? mine : mine.filter((row) => extra(row) === least);
  const cells = new Map<string, MetricRow[]>();
  for (const row of whole) cells.set(row.cell, [...(cells.get(row.cell) ?? []), row]);
  return [...cells.values()].map((same) => {
    const summary = same.find((row) => row.seed === '');
    if (summary || same.length === 1) return summary ?? same[0]!;
    const values = same.map((row) => row.value).filter(Number.isFinite);
    if (values.length === 0) return same[0]!;
    const n = same.reduce((sum, row) => sum + (row.n || 0), 0);
    return { ...same[0]!, seed: `${values.length} seeds`, value: values.reduce((a, b) => a + b, 0) / values.length, lo: Math.min(...values), hi: Math.max(...values), n };
  });
}

/** Draws a view of the rows, or says that there is nothing to draw. */
export function chart(view: View, rows: readonly MetricRow[], filters: Record<string, string>, pick: (dimension: string, value: string) => void): HTMLElement | undefined {
  const every = selected(view, view.metric, rows, filters);
  const facetOf = (row: MetricRow) => (view.facet ?? []).filter((f) => f in row.dims).map((f) => row.dims[f]!).join(' · ');
  // More panes than anyone looks at: a filter says which.
  const panes = [...new Set(every.map(facetOf))];
  const found = panes.length > MOST_PANES ? every.filter((row) => panes.indexOf(facetOf(row)) < MOST_PANES) : every;
  const unit = found.find((row) => row.unit)?.unit ?? '';
  const name = (row: MetricRow, dimension: string | undefined) => (dimension ? row.dims[dimension] ?? '–' : view.metric);
  const label = (row: MetricRow) => `${row.cell || view.metric}${row.seed ? ` (${/seed/.test(row.seed) ? row.seed : `seed ${row.seed}`})` : ''}`;
  const title = view.title ?? view.metric.replaceAll('-', ' ').replace(/^./, (c) => c.toUpperCase());
  const seeds = found.some((row) => / seeds$/.test(row.seed));
  const band = seeds ? 'Means over seeds; bands and bars span the seeds.' : 'Bands and bars are 95% intervals.';
  const cut = panes.length > MOST_PANES ? `The first ${MOST_PANES} of ${panes.length} panes: add a filter to see others.` : undefined;
  const note = [view.note, cut, view.kind === 'grid' || view.order ? undefined : band].filter(Boolean).join(' ');
  const axis = `${view.metric}${unit && unit !== view.metric ? ` (${unit})` : ''}`;
  const columns = ['cell', 'seed', 'metric', 'value', 'lo', 'hi', 'n', 'unit', 'error'];
  const cells = (list: readonly MetricRow[]) => list.map((r) => [r.cell, r.seed, r.metric, r.value, r.lo, r.hi, r.n, r.unit, r.error]);
  const legendOf = (list: readonly MetricRow[]): Key[] => keys(ordered([...new Set(list.map((row) => name(row, view.series)))]));
  const broad = new Set(found.map(facetOf)).size > 2;
  const picked = view.series ? (value: string) => pick(view.series!, value) : undefined;

  if (view.kind === 'pair') {
    const other = new Map(selected({ ...view, metric: view.against! }, view.against!, rows, filters).map((row) => [row.cell, row]));
    const both = found.filter((row) => Number.isFinite(row.value) && Number.isFinite(other.get(row.cell)?.value ?? Number.NaN));
    if (both.length === 0) return undefined;
    const points: Pairing[] = both.map((row) => {
      const up = other.get(row.cell)!;
      return { x: row.value, y: up.value, xlo: row.lo, xhi: row.hi, ylo: up.lo, yhi: up.hi, series: name(row, view.series), facet: facetOf(row), label: label(row), order: Number(row.dims[view.order ?? ''] ?? 0) };
    });
    const fit = view.fit ? selected({ kind: 'lines', metric: view.fit, x: 'gamma' }, view.fit, rows, {}).map((r) => ({ x: Number(r.dims.gamma), y: r.value, lo: r.lo, hi: r.hi })).filter((p) => Number.isFinite(p.y)).sort((a, b) => a.x - b.x) : undefined;
    const legend = legendOf(both);
    const best = view.optimum ? rows.filter((row) => row.metric === view.optimum && row.seed === '') : [];
    const why = best.map((row) => row.error).filter(Boolean);
    const said = best.map((row) => (Number.isFinite(row.value) ? 'The vertical line is the fitted optimum with its interval.' : '')).filter(Boolean);
    const notes = [note, ...new Set(said), ...new Set(why.map((text) => `No optimum is marked: ${text}.`))].join(' ');
    return figure({ title, note: notes, legend, broad, pick: picked, columns, rows: cells([...both, ...both.map((r) => other.get(r.cell)!)]),
      draw: (width) => pairs(points, legend, width, view.metric, view.against!, { join: !!view.order, diagonal: !!view.diagonal, fit, front: view.front, picked, best: best.filter((row) => Number.isFinite(row.value)) }) });
  }
  const shown = view.kind === 'grid' ? found : found.filter((row) => Number.isFinite(row.value));
  if (shown.length === 0) return undefined;
  const point = (row: MetricRow): Point => ({ x: view.kind === 'lines' ? Number(row.dims[view.x!]) : name(row, view.x), y: row.value, lo: row.lo, hi: row.hi, series: name(row, view.series), facet: facetOf(row), label: label(row), n: row.n, cell: row.cell });
  if (view.kind === 'grid') {
    const columnsOf = ordered([...new Set(shown.map((r) => name(r, view.x)))]);
    const rowsOf = ordered([...new Set(shown.map((r) => name(r, view.y)))]);
    const sorted = shown.toSorted((a, b) => columnsOf.indexOf(name(a, view.x)) - columnsOf.indexOf(name(b, view.x)) || rowsOf.indexOf(name(a, view.y)) - rowsOf.indexOf(name(b, view.y)));
    const points = sorted.map((row) => ({ ...point(row), column: name(row, view.x), row: name(row, view.y) }));
    const signed = shown.some((row) => row.value < 0) || unit === 'difference';
    return figure({ title, note, broad, columns, rows: cells(shown), draw: (width) => grid(points, width, { x: view.x!, y: view.y!, columns: columnsOf, rows: rowsOf }, signed, (cell) => { const row = shown.find((r) => r.cell === cell); if (row) pick(view.y!, name(row, view.y)); }) });
  }
  if (view.kind === 'lines' && view.over) {
    const [first, second] = view.names ?? [view.metric, view.over];
    // Of the same places in the grid: a student and its teacher may have the same name.
    const place = (row: MetricRow) => (view.facet ?? []).map((f) => row.dims[f] ?? '').join('\u0000');
    const here = new Set(shown.map(place));
    const others = selected({ ...view, metric: view.over }, view.over, rows, filters).filter((row) => here.has(place(row)) && Number.isFinite(row.value));
    const points = [...shown.map((row) => ({ ...point(row), series: first })), ...others.map((row) => ({ ...point(row), series: second }))].sort((a, b) => (a.x as number) - (b.x as number));
    const two = keys([first, second]);
    return figure({ title, note, legend: two, broad, columns, rows: cells([...shown, ...others]), draw: (width) => lines(points, two, width, view.x!, unit || axis, view.reference) });
  }
  const legend = legendOf(shown);
  if (view.kind === 'lines') {
    const points = shown.map(point).sort((a, b) => (a.x as number) - (b.x as number));
    return figure({ title, note, legend, broad, pick: picked, columns, rows: cells(shown), draw: (width) => lines(points, legend, width, view.x!, axis, view.reference, picked) });
  }
  const order = ordered([...new Set(shown.map((r) => name(r, view.x)))]);
  const points = shown.map(point).sort((a, b) => order.indexOf(String(a.x)) - order.indexOf(String(b.x)));
  return figure({ title, note, legend, broad, pick: picked, columns, rows: cells(shown), draw: (width) => dots(points, legend, width, axis, view.reference, picked) });
}
