// The kinds of chart: lines with bands, dots with intervals, grids, pairs of metrics, bars.

import * as Plot from '@observablehq/plot';
import { digits } from '../format';
import { diverging, ink, sequential, type Key } from './palette';

/** A number with its interval, where it stands, and what it belongs to. */
export interface Point { x: number | string; y: number; lo: number; hi: number; series: string; facet: string; label: string; n: number; cell: string }

/** By name of the series, even where that is the name of a colour or of a symbol. */
const COLOUR = { value: 'series', scale: 'color' } as const;
const SYMBOL = { value: 'series', scale: 'symbol' } as const;
const STYLE = { background: 'transparent', color: 'var(--ink)', fontFamily: 'inherit', fontSize: '12px', overflow: 'visible' };
const scale = (keys: readonly Key[]) => ({
  color: { domain: keys.map((k) => k.name), range: keys.map((k) => k.colour) },
  symbol: { domain: keys.map((k) => k.name), range: keys.map((k) => k.symbol as Plot.ScaleOptions['range'] extends never ? never : string) },
});
const tip = (p: Point) => `${p.label}\n${digits(p.y)}${Number.isFinite(p.lo) ? `  [${digits(p.lo)}, ${digits(p.hi)}]` : ''}${p.n > 0 ? `\nn = ${p.n}` : ''}`;
const facets = (points: readonly Point[]) => [...new Set(points.map((p) => p.facet))];
const spanned = (points: readonly Point[]) => points.filter((p) => Number.isFinite(p.lo) && Number.isFinite(p.hi));

/** Tells what belongs to the mark under the pointer when it is clicked. */
function clicks<T extends Element>(plot: T, picked: ((series: string) => void) | undefined): T {
  if (!picked) return plot;
  plot.classList.add('picks');
  plot.addEventListener('click', () => { const at = (plot as unknown as { value?: { series: string } }).value; if (at) picked(at.series); });
  return plot;
}

/** Lines over a number, with bands. */
export function lines(points: Point[], keys: readonly Key[], width: number, x: string, y: string, reference?: number, picked?: (series: string) => void): Element {
  const panes = facets(points);
  const columns = Math.max(1, Math.min(panes.length, Math.floor(width / 300)));
  const grid = (p: Point) => panes.indexOf(p.facet);
  const fx = (p: Point) => grid(p) % columns;
  const fy = (p: Point) => Math.floor(grid(p) / columns);
  const rows = Math.ceil(panes.length / columns);
  const dash = new Map(keys.map((k) => [k.name, k.dash]));
  const steps = [...new Set(points.map((p) => Number(p.x)))].sort((a, b) => a - b);
  const ticks = steps.length <= 8 && steps.every(Number.isInteger) ? steps : undefined;
  return clicks(Plot.plot({
    width, height: rows * 250 + 76, marginLeft: 52, marginTop: 34, marginBottom: 42, style: STYLE,
    x: { label: x, nice: !ticks, ticks, tickFormat: ticks ? 'd' : undefined }, y: { label: y, grid: true, nice: true }, fx: { axis: null, padding: 0.08 }, fy: { axis: null, padding: 0.14 },
    color: scale(keys).color, symbol: scale(keys).symbol,
    marks: [
      panes.length > 1 ? Plot.text(panes, { text: (d: string) => d, fx: (d: string) => panes.indexOf(d) % columns, fy: (d: string) => Math.floor(panes.indexOf(d) / columns), frameAnchor: 'top', dy: -12, fontWeight: 600 }) : null,
      Plot.frame({ stroke: 'var(--line)' }),
      reference === undefined ? null : Plot.ruleY([reference], { stroke: 'var(--muted)', strokeDasharray: '3 3' }),
      Plot.areaY(spanned(points), { x: 'x', y1: 'lo', y2: 'hi', z: 'series', fill: COLOUR, fillOpacity: 0.16, fx, fy }),
      ...keys.map((key) => Plot.lineY(points.filter((p) => p.series === key.name), { x: 'x', y: 'y', stroke: key.colour, strokeWidth: 2, strokeDasharray: dash.get(key.name), fx, fy })),
      Plot.dot(points, { x: 'x', y: 'y', fill: COLOUR, symbol: SYMBOL, r: 3.2, fx, fy }),
      Plot.tip(points, Plot.pointer({ x: 'x', y: 'y', title: tip, fx, fy, fill: 'var(--paper)', stroke: 'var(--line)' })),
    ],
  }), picked);
}

/** One line of text each, a dot, its interval. */
export function dots(points: Point[], keys: readonly Key[], width: number, y: string, reference?: number, picked?: (series: string) => void): Element {
  const labels = [...new Set(points.map((p) => String(p.x)))];
  const panes = facets(points);
  const longest = Math.min(Math.max(...labels.map((l) => l.length), 4), 34);
  // Side by side only where a line has several.
  const many = keys.length > 1 && new Set(points.map((p) => `${p.facet}\u0000${p.x}`)).size < points.length;
  return clicks(Plot.plot({
    width, height: panes.length * (labels.length * (many ? 10 + 7 * Math.min(keys.length, 8) : 24)) + 72 + panes.length * 12, marginBottom: 42, marginLeft: longest * 6.6 + 18, marginRight: panes.length > 1 ? 24 + 7 * Math.min(Math.max(...panes.map((f) => f.length)), 24) : 20, style: STYLE,
    x: { label: y, grid: true, nice: true }, y: { label: null, domain: labels, tickFormat: (l: string) => (l.length > 34 ? `${l.slice(0, 33)}…` : l) },
    fy: { label: null, domain: panes, axis: panes.length > 1 ? 'right' : null }, color: scale(keys).color, symbol: scale(keys).symbol,
    marks: [
      Plot.frame({ stroke: 'var(--line)' }),
      reference === undefined ? null : Plot.ruleX([reference], { stroke: 'var(--muted)', strokeDasharray: '3 3' }),
      ...keys.flatMap((key, i) => {
        const mine = points.filter((p) => p.series === key.name);
        const dy = many ? (i - (keys.length - 1) / 2) * 7 : 0;
        return [
          Plot.ruleY(spanned(mine), { y: 'x', x1: 'lo', x2: 'hi', stroke: key.colour, strokeWidth: 1.8, fy: 'facet', dy }),
          Plot.dot(mine, { y: 'x', x: 'y', fill: key.colour, symbol: key.symbol, r: 4, fy: 'facet', dy }),
        ];
      }),
      Plot.tip(points, Plot.pointerY({ y: 'x', x: 'y', title: tip, fy: 'facet', fill: 'var(--paper)', stroke: 'var(--line)' })),
    ],
  }), picked);
}

/** A grid of cells; what has no number says so. */
export function grid(points: readonly (Point & { column: string; row: string })[], width: number, labels: { x: string; y: string; columns?: string[]; rows?: string[] }, signed: boolean, picked?: (cell: string) => void): Element {
  const columns = labels.columns ?? [...new Set(points.map((p) => p.column))];
  const rows = labels.rows ?? [...new Set(points.map((p) => p.row))];
  const panes = facets(points);
  const values = points.map((p) => p.y).filter(Number.isFinite);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const reach = Math.max(Math.abs(least), Math.abs(most)) || 1;
  const colour = (p: Point) => !Number.isFinite(p.y) ? 'none' : signed ? diverging(0.5 + p.y / reach / 2) : sequential(most > least ? (p.y - least) / (most - least) : 0.5);
  const left = Math.min(Math.max(...rows.map((r) => r.length)), 26) * 6.8 + 40;
  const per = Math.min(120, (width - left - 20) / Math.max(columns.length * panes.length, 1));
  const text = per > 40;
  const short = (l: string, most: number) => (l.length > most ? `${l.slice(0, most - 1)}…` : l);
  const plot = Plot.plot({
    width: Math.min(width, left + 20 + per * columns.length * panes.length + 12 * panes.length), height: rows.length * (text ? 34 : 22) + 84, marginLeft: left, marginBottom: 46, style: STYLE,
    x: { label: labels.x, domain: columns, tickFormat: (l: string) => short(l, Math.max(4, Math.floor(per / 6.5))) }, y: { label: labels.y, domain: rows, tickFormat: (l: string) => short(l, 26) },
    fx: { label: null, domain: panes, axis: panes.length > 1 ? 'top' : null },
    marks: [
      Plot.cell(points, { x: 'column', y: 'row', fx: 'facet', fill: colour, stroke: 'var(--line)', strokeWidth: 0.6, inset: 1, rx: 2 }),
      text ? Plot.text(points, { x: 'column', y: 'row', fx: 'facet', text: (p: Point) => (Number.isFinite(p.y) ? p.y.toFixed(Math.abs(p.y) >= 100 ? 0 : 3).replace('-', '−') : '–'), fill: (p: Point) => (Number.isFinite(p.y) ? ink(colour(p)) : 'var(--muted)') }) : null,
      Plot.tip(points, Plot.pointer({ x: 'column', y: 'row', fx: 'facet', title: (p: Point) => (Number.isFinite(p.y) ? tip(p) : `${p.label}\nundefined`), fill: 'var(--paper)', stroke: 'var(--line)' })),
    ],
  });
  if (picked) plot.addEventListener('click', () => { const p = (plot as unknown as { value?: Point }).value; if (p) picked(p.cell); });
  return plot;
}

/** Two metrics of the same cells against each other; `order` joins the cells of a series. */
export interface Pairing { x: number; y: number; xlo: number; xhi: number; ylo: number; yhi: number; series: string; facet: string; label: string; order: number }
export interface PairOptions {
  /** Whether the points of a series are joined by arrows. */
  join: boolean;
  /** Whether the line of equal values is drawn. */
  diagonal: boolean;
  fit?: { x: number; y: number; lo: number; hi: number }[];
  /** Whether the points that none surpasses in both are joined. */
  front?: boolean;
  /** What a click on a point does. */
  picked?: (series: string) => void;
  /** Places along x to be marked, with their intervals. */
  best?: readonly { value: number; lo: number; hi: number }[];
}

/** The points that no other one surpasses in both, from left to right. */
export function undominated<T extends { x: number; y: number }>(points: readonly T[]): T[] {
  let highest = -Infinity;
  const found: T[] = [];
  for (const point of points.toSorted((a, b) => b.x - a.x || b.y - a.y)) {
    if (point.y <= highest) continue;
    highest = point.y;
    found.push(point);
  }
  return found.reverse();
}

export function pairs(points: Pairing[], keys: readonly Key[], width: number, x: string, y: string, options: PairOptions): Element {
  const title = (p: Pairing) => `${p.label}\n${x} ${digits(p.x)}\n${y} ${digits(p.y)}`;
  const panes = [...new Set(points.map((p) => p.facet))];
  const columns = Math.max(1, Math.min(panes.length, Math.floor(width / 320)));
  const place = (p: { facet: string }) => panes.indexOf(p.facet);
  const at = { fx: (p: Pairing) => place(p) % columns, fy: (p: Pairing) => Math.floor(place(p) / columns) };
  const front = options.front ? panes.flatMap((pane) => undominated(points.filter((p) => p.facet === pane))) : [];
  const [low, high] = [Math.min(...points.map((p) => p.x)), Math.max(...points.map((p) => p.x))];
  // An interval may reach far beyond what was measured, and would take the picture with it.
  const best = (options.best ?? []).map((b) => ({ x: b.value, x1: Math.max(b.lo, Math.min(low, b.value)), x2: Math.min(b.hi, Math.max(high, b.value)) }));
  const ends = points.flatMap((p) => [p.x, p.y]);
  const limits = [Math.min(...ends), Math.max(...ends)];
  return clicks(Plot.plot({
    width: Math.min(width, columns === 1 ? 720 : width), height: Math.ceil(panes.length / columns) * 320 + 68, marginLeft: 56, marginTop: 34, marginBottom: 42, style: STYLE,
    x: { label: x, grid: true, nice: true }, y: { label: y, grid: true, nice: true }, fx: { axis: null, padding: 0.08 }, fy: { axis: null, padding: 0.14 },
    color: scale(keys).color, symbol: scale(keys).symbol,
    marks: [
      panes.length > 1 ? Plot.text(panes, { text: (d: string) => d, fx: (d: string) => panes.indexOf(d) % columns, fy: (d: string) => Math.floor(panes.indexOf(d) / columns), frameAnchor: 'top', dy: -12, fontWeight: 600 }) : null,
      Plot.frame({ stroke: 'var(--line)' }),
      options.diagonal ? Plot.link([0], { x1: limits[0], y1: limits[0], x2: limits[1], y2: limits[1], stroke: 'var(--muted)', strokeDasharray: '3 3' }) : null,
      Plot.rectX(best.filter((b) => b.x2 > b.x1), { x1: 'x1', x2: 'x2', fill: 'var(--c2)', fillOpacity: 0.12 }),
      Plot.ruleX(best, { x: 'x', stroke: 'var(--c2)', strokeWidth: 2 }),
      Plot.line(front, { x: 'x', y: 'y', z: 'facet', stroke: 'var(--ink)', strokeOpacity: 0.7, strokeDasharray: '5 4', curve: 'step-before', ...at }),
      options.fit ? Plot.areaY(options.fit, { x: 'x', y1: 'lo', y2: 'hi', fill: 'var(--muted)', fillOpacity: 0.18 }) : null,
      options.fit ? Plot.lineY(options.fit, { x: 'x', y: 'y', stroke: 'var(--muted)', strokeWidth: 2 }) : null,
      // Along a path the intervals of every step would hide it.
      options.join ? null : Plot.ruleX(points.filter((p) => Number.isFinite(p.ylo)), { x: 'x', y1: 'ylo', y2: 'yhi', stroke: COLOUR, strokeOpacity: 0.45, ...at }),
      options.join ? null : Plot.ruleY(points.filter((p) => Number.isFinite(p.xlo)), { y: 'y', x1: 'xlo', x2: 'xhi', stroke: COLOUR, strokeOpacity: 0.45, ...at }),
      options.join ? Plot.line(points.toSorted((a, b) => a.order - b.order), { x: 'x', y: 'y', z: 'series', stroke: COLOUR, strokeWidth: 1.6, markerEnd: 'arrow', ...at }) : null,
      Plot.dot(points, { x: 'x', y: 'y', fill: COLOUR, symbol: SYMBOL, r: 4, ...at }),
      Plot.tip(points, Plot.pointer({ x: 'x', y: 'y', title, ...at, fill: 'var(--paper)', stroke: 'var(--line)' })),
    ],
  }), options.picked);
}

/** How often each range of a number, or each name, comes up, side by side for each series. */
export function bars(rows: { name: string; count: number; series: string }[], keys: readonly Key[], width: number, x: string, y: string): Element {
  return Plot.plot({
    width, height: 190, marginLeft: 64, marginBottom: 40, style: STYLE, x: { label: x, domain: [...new Set(rows.map((r) => r.name))], padding: 0.12 }, y: { label: y, grid: true }, color: scale(keys).color,
    marks: [Plot.barY(rows, { x: 'name', y: 'count', fill: COLOUR, tip: { fill: 'var(--paper)', stroke: 'var(--line)' } }), Plot.ruleY([0], { stroke: 'var(--line)' })],
  });
}
