// A cloud of many points on a canvas: 100,000 of them are drawn at once, and the one under the pointer is found by a tree.
// By keyboard the points are one stop, within which arrows move.

import { quadtree } from 'd3-quadtree';
import { announce, fill, h } from '../dom';
import { resolved } from './palette';

export interface Cloud {
  /** What it is a picture of. */
  label: string;
  x: Float64Array; y: Float64Array; group: Uint32Array; groups: readonly string[]; name: (index: number) => string;
}

const SVG = 'http://www.w3.org/2000/svg';
const ARROWS: Record<string, readonly [number, number]> = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WHERE: Record<string, string> = { ArrowRight: 'to the right', ArrowLeft: 'to the left', ArrowUp: 'above', ArrowDown: 'below' };

/** The point that an arrow leads to: the nearest within 45° of its direction, else the nearest on that side; or nothing. */
export function toward(from: number, [dx, dy]: readonly [number, number], count: number, px: (i: number) => number, py: (i: number) => number): number | undefined {
  const [x, y] = [px(from), py(from)];
  let [best, least] = [-1, Infinity];
  for (let i = 0; i < count; i++) {
    const along = (px(i) - x) * dx + (py(i) - y) * dy;
    if (i === from || along <= 0) continue;
    const aside = Math.abs((px(i) - x) * dy) + Math.abs((py(i) - y) * dx);
    // What lies aside counts only where nothing lies ahead.
    const far = Math.hypot(along, aside) + (aside > along ? 1e9 : 0);
    if (far < least) [best, least] = [i, far];
  }
  return best < 0 ? undefined : best;
}

/**
 * The cloud as an element, and a function that marks a point and others that belong to it.
 *
 * `picked` is told the point that is clicked or chosen by the keyboard, and nothing where the choice is taken back.
 */
export function cloud(data: Cloud, width: number, picked: (index: number | undefined) => void): { element: HTMLElement; mark: (chosen: number | undefined, near: readonly number[]) => void } {
  const height = Math.min(460, Math.round(width * 0.62));
  const [pad, n] = [14, data.x.length];
  const range = (values: Float64Array): [number, number] => {
    let [least, most] = [Infinity, -Infinity];
    for (const v of values) { if (v < least) least = v; if (v > most) most = v; }
    return most > least ? [least, most] : [least - 1, most + 1];
  };
  const [x0, x1] = range(data.x);
  const [y0, y1] = range(data.y);
  const px = (i: number) => pad + ((data.x[i]! - x0) / (x1 - x0)) * (width - 2 * pad);
  const py = (i: number) => height - pad - ((data.y[i]! - y0) / (y1 - y0)) * (height - 2 * pad);
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const canvas = h('canvas', { width: width * ratio, height: height * ratio, style: `width:${width}px;height:${height}px` });
  const context = canvas.getContext('2d')!;
  const size = n > 20_000 ? 1.4 : n > 2000 ? 2.2 : 3.4;
  const colours = Array.from({ length: 8 }, (_, i) => resolved(`--c${i}`));
  context.scale(ratio, ratio);
  context.globalAlpha = n > 20_000 ? 0.5 : 0.8;
  for (let c = 0; c < 8; c++) {
    context.fillStyle = colours[c]!;
    for (let i = 0; i < n; i++) {
      if (data.group[i]! % 8 !== c) continue;
      if (n > 2000) context.fillRect(px(i) - size / 2, py(i) - size / 2, size, size);
      else { context.beginPath(); context.arc(px(i), py(i), size, 0, 6.2832); context.fill(); }
    }
  }
  const tree = quadtree<number>().x(px).y(py).addAll(Array.from({ length: n }, (_, i) => i));
  const label = h('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' });
  const ring = h('div', { class: 'ring', hidden: true });
  const marks = document.createElementNS(SVG, 'svg');
  for (const [k, v] of Object.entries({ class: 'marks', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' })) marks.setAttribute(k, String(v));
  const element = h('div', {
    class: 'cloud', style: `height:${height}px;width:${width}px`, tabindex: 0, role: 'application', 'aria-roledescription': 'map of points',
    'aria-label': `${data.label}, ${n} points. Arrows go to the nearest point in their direction, Page Down and Page Up to the next and the one before in the order of rows, Enter chooses, Escape takes the choice back.`,
  }, canvas, marks, ring, label);

  /** The point that the keyboard is at. */
  let at: number | undefined;
  let chosen: number | undefined;
  const said = (i: number) => `${data.name(i)}${data.groups.length > 1 ? ` · ${data.groups[data.group[i]!] ?? ''}` : ''}`;
  const show = (i: number | undefined) => {
    label.hidden = ring.hidden = i === undefined;
    if (i === undefined) return;
    label.textContent = said(i);
    label.style.transform = `translate(${Math.min(px(i) + 10, width - 170)}px,${Math.max(py(i) - 30, 2)}px)`;
    ring.style.transform = `translate(${px(i) - 7}px,${py(i) - 7}px)`;
  };
  const near = (event: MouseEvent) => { const box = canvas.getBoundingClientRect(); return tree.find(event.clientX - box.left, event.clientY - box.top, 24); };
  canvas.addEventListener('pointermove', (event) => show(near(event)));
  canvas.addEventListener('pointerleave', () => show(element.matches(':focus-visible') ? at : undefined));
  canvas.addEventListener('click', (event) => { const i = near(event); if (i !== undefined) { at = i; picked(i); } });

  const move = (i: number) => { at = i; show(i); announce(`${said(i)}, point ${i + 1} of ${n}`); };
  element.addEventListener('focus', () => {
    at ??= chosen ?? tree.find(width / 2, height / 2);
    if (at !== undefined && element.matches(':focus-visible')) move(at);
  });
  element.addEventListener('blur', () => show(undefined));
  element.addEventListener('keydown', (event) => {
    if (at === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const next = toward(at, arrow, n, px, py);
      if (next === undefined) announce(`No point ${WHERE[event.key]}`);
      else move(next);
    } else if (event.key === 'PageDown') move((at + 1) % n);
    else if (event.key === 'PageUp') move((at + n - 1) % n);
    else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(n - 1);
    else if (event.key === 'Enter' || event.key === ' ') picked(at);
    else if (event.key === 'Escape') picked(undefined);
    else return;
    event.preventDefault();
  });

  const drawn = (tag: string, attributes: Record<string, string | number>): SVGElement => {
    const made = document.createElementNS(SVG, tag);
    for (const [k, v] of Object.entries(attributes)) made.setAttribute(k, String(v));
    return made;
  };
  const mark = (i: number | undefined, others: readonly number[]) => {
    chosen = i;
    if (i !== undefined) at = i;
    fill(marks, i !== undefined && [
      others.map((j) => drawn('line', { x1: px(i), y1: py(i), x2: px(j), y2: py(j), stroke: 'var(--ink)', 'stroke-opacity': 0.45 })),
      others.map((j) => drawn('circle', { cx: px(j), cy: py(j), r: 5.5, fill: 'none', stroke: 'var(--ink)', 'stroke-width': 1.5, 'data-row': j })),
      drawn('circle', { cx: px(i), cy: py(i), r: 7.5, fill: 'var(--paper)', 'fill-opacity': 0.5, stroke: 'var(--ink)', 'stroke-width': 2.5, 'data-row': i }),
    ]);
  };
  return { element, mark };
}
