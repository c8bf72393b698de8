// The map of embeddings, and the rows that are nearest to the one that is chosen on it.

import { cloud } from '../chart/cloud';
import { figure } from '../chart/figure';
import { keys } from '../chart/palette';
import { announce, fill, h } from '../dom';
import * as engine from '../engine';
import { plural } from '../format';
import { current, keep } from '../route';

/** Neighbours that are listed where nobody says how many. */
const USUAL = 10;
const MOST = 50;

/** What the file says of its rows. */
export interface MapRows { names?: string[]; texts?: string[]; labels?: Uint32Array; labelNames: string[] }

/** The start of a text, to its last whole word. */
const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most).replace(/\s+\S*$/, '')} …` : text);

/** The figure, with the list of neighbours under it. The point and the number of neighbours are in the address. */
export async function embeddingMap(rows: MapRows): Promise<HTMLElement> {
  const map = await engine.projection();
  const count = map.x.length;
  const group = rows.labels ?? new Uint32Array(count);
  const groups = rows.labels ? rows.labelNames : [''];
  const named = (i: number, most: number) => rows.names?.[i] ?? (rows.texts?.[i] ? cut(rows.texts[i]!, most) : `row ${i + 1}`);
  const name = (i: number) => named(i, 60);
  const whole = (key: string, standard: number, least: number, most: number) => {
    const x = Number(current().query.get(key) ?? Number.NaN);
    return Number.isInteger(x) && x >= least && x <= most ? x : standard;
  };
  const point = whole('point', 0, 1, count);
  const state = { chosen: point > 0 ? point - 1 : undefined, k: whole('k', USUAL, 1, MOST), near: [] as number[] };
  let mark: ReturnType<typeof cloud>['mark'] = () => {};
  let turn = 0;

  const hint = () => h('p', { class: 'note' }, 'Choose a point, by pointer or with the arrows and Enter: the rows that are nearest to it in all dimensions are listed here.');
  const list = h('section', { class: 'neighbours', 'aria-label': 'Nearest neighbours' });
  const picture = figure({
    title: 'Map of the embeddings',
    note: `The two directions of largest variance: ${(map.shares[0] * 100).toFixed(0)}% and ${(map.shares[1] * 100).toFixed(0)}% of it.`,
    legend: groups.length > 1 ? keys(groups) : undefined, columns: ['row', 'x', 'y'], rows: Array.from(map.x, (x, i) => [name(i), x, map.y[i]!]),
    draw: (width) => {
      const made = cloud({ label: 'Map of the embeddings', x: map.x, y: map.y, group, groups, name }, width, (i) => void choose(i));
      mark = made.mark;
      mark(state.chosen, state.near);
      return made.element;
    },
  });

  async function choose(i: number | undefined): Promise<void> {
    const mine = ++turn;
    state.chosen = i;
    state.near = [];
    keep({ point: i === undefined ? '' : String(i + 1), k: state.k === USUAL ? '' : String(state.k) });
    if (i === undefined) {
      mark(undefined, []);
      fill(list, hint());
      announce('No point is chosen');
      return;
    }
    try {
      const { rows: near, cosines } = await engine.nearest(i, state.k);
      if (mine !== turn) return;
      state.near = near;
      mark(i, near);
      show(i, near, cosines);
      announce(`${name(i)} is chosen; the nearest of ${plural(near.length, 'neighbour')} is ${near.length > 0 ? name(near[0]!) : 'none'}`);
    } catch (error) {
      if (mine !== turn) return;
      mark(i, []);
      fill(list, h('p', { class: 'error', role: 'alert' }, `${name(i)}: ${(error as Error).message}`));
    }
  }

  function show(i: number, near: readonly number[], cosines: readonly number[]): void {
    const number = h('input', {
      type: 'number', min: 1, max: Math.min(MOST, count - 1), step: 1, value: state.k,
      onchange: () => {
        const k = Math.round(Number(number.value));
        state.k = Number.isFinite(k) ? Math.min(Math.max(k, 1), MOST) : USUAL;
        void choose(i);
      },
    });
    const text = (row: number) => (rows.texts && rows.names ? rows.texts[row] : undefined);
    const label = (row: number) => (rows.labels ? groups[group[row]!] : undefined);
    fill(list,
      h('div', { class: 'tools' }, h('h4', {}, rows.texts && !rows.names ? 'Nearest to' : `Nearest to ${name(i)}`), label(i) && h('span', { class: 'tag' }, label(i)), h('button', { class: 'quiet', 'aria-label': 'Take the choice back', onclick: () => void choose(undefined) }, '✕')),
      rows.texts && h('blockquote', {}, rows.texts[i] ?? ''),
      h('label', { class: 'field' }, h('span', {}, 'How many'), number),
      h('p', { class: 'note' }, 'By cosine in all dimensions of the file, not on the map: 1 is the same direction. Of equal ones that of the earlier row comes first.'),
      h('ol', {}, near.map((row, place) => h('li', { 'data-row': row, 'data-cosine': cosines[place] },
        h('button', { class: 'link', onclick: () => void choose(row) }, named(row, 200)), ' ', h('span', { class: 'cosine' }, cosines[place]!.toFixed(4).replace('-', '−')),
        label(row) && h('span', { class: 'tag' }, label(row)), text(row) && h('div', { class: 'note' }, text(row))))));
  }

  fill(list, hint());
  if (state.chosen !== undefined) void choose(state.chosen);
  return h('div', { class: 'map' }, picture, list);
}
