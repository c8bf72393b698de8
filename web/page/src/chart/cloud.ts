// A cloud of many points on a canvas: 100,000 of them are drawn at once, and the one under the pointer is found by a tree.

import { quadtree } from 'd3-quadtree';
import { h } from '../dom';
import { resolved } from './palette';

export interface Cloud { x: Float64Array; y: Float64Array; group: Uint32Array; groups: readonly string[]; name: (index: number) => string }

/** The cloud as an element; `picked` is told the point that is clicked, or chosen by the keyboard. */
export function cloud(data: Cloud, width: number, picked: (index: number) => void): Element {
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
  const label = h('div', { class: 'tip', hidden: true });
  const ring = h('div', { class: 'ring', hidden: true });
  const show = (i: number | undefined) => {
    label.hidden = ring.hidden = i === undefined;
    if (i === undefined) return;
    label.textContent = `${data.name(i)}${data.groups.length > 1 ? ` · ${data.groups[data.group[i]!] ?? ''}` : ''}`;
    label.style.transform = `translate(${Math.min(px(i) + 10, width - 170)}px,${Math.max(py(i) - 30, 2)}px)`;
    ring.style.transform = `translate(${px(i) - 7}px,${py(i) - 7}px)`;
  };
  const near = (event: MouseEvent) => { const box = canvas.getBoundingClientRect(); return tree.find(event.clientX - box.left, event.clientY - box.top, 24); };
  canvas.addEventListener('pointermove', (event) => show(near(event)));
  canvas.addEventListener('pointerleave', () => show(undefined));
  canvas.addEventListener('click', (event) => { const i = near(event); if (i !== undefined) picked(i); });
  return h('div', { class: 'cloud', style: `height:${height}px` }, canvas, ring, label);
}
