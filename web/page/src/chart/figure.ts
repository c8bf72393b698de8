// A figure: title, legend, drawing, and its ways out (SVG, PNG, CSV, a table).

import { h, fill, save, type Child } from '../dom';
import { digits, slug, toCsv } from '../format';
import { resolved, type Key } from './palette';

export interface FigureSpec {
  title: string;
  note?: string;
  legend?: readonly Key[];
  /** What a click on an entry of the legend does. */
  pick?: (name: string) => void;
  /** Draws for a width in pixels. */
  draw: (width: number) => Element;
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  /** Whether it takes the whole width. */
  broad?: boolean;
}

const SVG = 'http://www.w3.org/2000/svg';
const SHOWN = 500;

/** The figure as an element; it is drawn again when its width or the theme changes. */
export function figure(spec: FigureSpec): HTMLElement {
  const stage = h('div', { class: 'stage' });
  let width = 0;
  const draw = () => {
    const drawn = spec.draw(Math.max(width, 280));
    const focused = stage.contains(document.activeElement);
    // What can be walked through by keyboard says itself what it is.
    if (!drawn.hasAttribute('role')) {
      drawn.setAttribute('role', 'img');
      drawn.setAttribute('aria-label', `${spec.title}. ${spec.note ?? ''} The numbers are in the table below.`);
      // A picture has one name; those of its parts would be read out as well.
      for (const part of drawn.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
    }
    fill(stage, drawn);
    if (focused) (drawn as HTMLElement).focus();
  };
  new ResizeObserver(() => {
    const now = Math.floor(stage.clientWidth);
    if (now > 0 && now !== width) { width = now; draw(); }
  }).observe(stage);
  window.addEventListener('theme', () => { if (stage.isConnected && width > 0) draw(); });
  const name = slug(spec.title);
  const csv = () => toCsv(spec.columns, spec.rows);
  const button = (text: string, what: string, act: () => void) => h('button', { class: 'quiet', title: what, 'aria-label': `${what}: ${spec.title}`, onclick: act }, text);
  return h('figure', { class: spec.broad ? 'figure broad' : 'figure', 'data-figure': name },
    h('figcaption', {}, h('h3', {}, spec.title), h('div', { class: 'tools' },
      button('SVG', 'Save as SVG', () => save(`${name}.svg`, composed(stage, spec), 'image/svg+xml')),
      button('PNG', 'Save as PNG', () => void png(composed(stage, spec), `${name}.png`)),
      button('CSV', 'Save the data as CSV', () => save(`${name}.csv`, csv(), 'text/csv')))),
    spec.note && h('p', { class: 'note' }, spec.note),
    spec.legend && spec.legend.length > 1 && h('ul', { class: 'legend' }, spec.legend.map((key) => h('li', {}, spec.pick
      ? h('button', { class: 'key', title: `Only ${key.name}`, onclick: () => spec.pick!(key.name) }, swatch(key), key.name)
      : h('span', { class: 'key' }, swatch(key), key.name)))),
    stage,
    table(spec));
}

function table(spec: FigureSpec): HTMLElement {
  const body = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Data of ${spec.title}` });
  const details = h('details', { ontoggle: () => {
    if (details.open && !body.hasChildNodes()) {
      fill(body, h('table', {}, h('thead', {}, h('tr', {}, spec.columns.map((c) => h('th', { scope: 'col' }, c)))),
        h('tbody', {}, spec.rows.slice(0, SHOWN).map((row) => h('tr', {}, row.map((cell): Child => h('td', { class: typeof cell === 'number' ? 'number' : undefined }, typeof cell === 'number' ? digits(cell) : String(cell ?? ''))))))),
      spec.rows.length > SHOWN && h('p', { class: 'note' }, `The first ${SHOWN} of ${spec.rows.length} rows; the CSV has all.`));
    }
  } }, h('summary', {}, 'Data'), body);
  return details;
}

function swatch(key: Key): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [k, v] of Object.entries({ width: 28, height: 12, viewBox: '0 0 28 12', 'aria-hidden': 'true' })) svg.setAttribute(k, String(v));
  draw(svg, key, 0, 6);
  return svg;
}

function draw(parent: Element, key: Key, x: number, y: number): void {
  const line = document.createElementNS(SVG, 'line');
  for (const [k, v] of Object.entries({ x1: x, x2: x + 28, y1: y, y2: y, stroke: key.colour, 'stroke-width': 2, 'stroke-dasharray': key.dash })) line.setAttribute(k, String(v));
  const mark = document.createElementNS(SVG, 'path');
  mark.setAttribute('d', PATHS[key.symbol] ?? PATHS.circle!);
  mark.setAttribute('transform', `translate(${x + 14},${y})`);
  mark.setAttribute('fill', key.colour);
  parent.append(line, mark);
}

const PATHS: Record<string, string> = {
  circle: 'M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0', square: 'M-3.5,-3.5h7v7h-7z', triangle: 'M0,-4.5L4,3.5H-4z', diamond: 'M0,-5L3.5,0L0,5L-3.5,0z',
  star: 'M0,-5L1.2,-1.6L4.8,-1.6L1.9,.6L3,4.1L0,2L-3,4.1L-1.9,.6L-4.8,-1.6L-1.2,-1.6z', cross: 'M-1.5,-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z',
  wye: 'M-1.3,4.5h2.6V.8L4.3,-1L3,-3.2L0,-1.5L-3,-3.2L-4.3,-1L-1.3,.8z', hexagon: 'M0,-4.5L3.9,-2.25L3.9,2.25L0,4.5L-3.9,2.25L-3.9,-2.25z',
};

/** One SVG of title, legend and drawing, with colours in place of variables. */
export function composed(stage: Element, spec: Pick<FigureSpec, 'title' | 'legend'>): string {
  const parts = [...stage.querySelectorAll('svg')].filter((svg) => !svg.parentElement?.closest('svg'));
  const box = stage.getBoundingClientRect();
  const canvas = stage.querySelector('canvas');
  const width = Math.ceil(Math.max(box.width, 280));
  const perRow = Math.max(1, Math.floor(width / 170));
  const legend = spec.legend && spec.legend.length > 1 ? spec.legend : [];
  const head = 30 + Math.ceil(legend.length / perRow) * 20 + (legend.length ? 8 : 0);
  const root = document.createElementNS(SVG, 'svg');
  const ink = resolved('--ink');
  for (const [k, v] of Object.entries({ xmlns: SVG, width, height: head + Math.ceil(box.height), viewBox: `0 0 ${width} ${head + Math.ceil(box.height)}`, 'font-family': 'system-ui, sans-serif', 'font-size': 12, fill: ink })) root.setAttribute(k, String(v));
  const element = (tag: string, attributes: Record<string, string | number>, text?: string) => {
    const made = document.createElementNS(SVG, tag);
    for (const [k, v] of Object.entries(attributes)) made.setAttribute(k, String(v));
    if (text) made.textContent = text;
    root.append(made);
    return made;
  };
  element('rect', { width: '100%', height: '100%', fill: resolved('--paper') });
  element('text', { x: 8, y: 20, 'font-size': 14, 'font-weight': 600 }, spec.title);
  legend.forEach((key, i) => {
    const [x, y] = [8 + (i % perRow) * 170, 40 + Math.floor(i / perRow) * 20];
    draw(root, key, x, y);
    element('text', { x: x + 34, y: y + 4 }, key.name);
  });
  if (canvas) {
    const at = canvas.getBoundingClientRect();
    element('image', { href: canvas.toDataURL('image/png'), x: at.left - box.left, y: head + at.top - box.top, width: at.width, height: at.height });
  }
  for (const svg of parts) {
    const at = svg.getBoundingClientRect();
    const copy = svg.cloneNode(true) as SVGElement;
    for (const [k, v] of Object.entries({ x: at.left - box.left, y: head + at.top - box.top, width: at.width, height: at.height, color: ink })) copy.setAttribute(k, String(v));
    root.append(copy);
  }
  const text = new XMLSerializer().serializeToString(root);
  return text.replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => resolved(name)).replaceAll('currentColor', ink);
}

async function png(svg: string, name: string): Promise<void> {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = 2;
    const canvas = h('canvas', { width: image.width * scale, height: image.height * scale });
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => { if (blob) save(name, blob, 'image/png'); }, 'image/png');
  } finally {
    URL.revokeObjectURL(url);
  }
}
