// A table of any length: only the rows in sight are elements.

import { h, fill } from './dom';

export interface Column {
  key: string; title: string; width: string;
  /** What stands in the row. */
  text: (row: number) => string;
  number?: boolean;
  /** Whether a click on the head sorts. */
  sorts?: boolean;
}

export interface TableSpec {
  label: string;
  columns: () => readonly Column[];
  /** Number of rows. */
  length: () => number;
  sorted?: () => { key: string; down: boolean } | undefined;
  sort?: (key: string) => void;
  open?: (row: number) => void;
  marked?: (row: number) => boolean;
  height?: number;
}

const ROW = 28;
/** Browsers clip elements that are higher than some 16 million pixels. */
const TALLEST = 8_000_000;

/** The table and a function that shows it anew after its rows have changed. */
export function table(spec: TableSpec): { element: HTMLElement; refresh: (top?: boolean) => void } {
  const head = h('div', { class: 'vt-row vt-head', role: 'row' });
  const spacer = h('div', { class: 'vt-spacer' });
  const body = h('div', { class: 'vt-body', role: 'rowgroup' }, spacer);
  const view = h('div', { class: 'vt-view', style: `height:${spec.height ?? 480}px` }, h('div', { role: 'rowgroup' }, head), body);
  const element = h('div', { class: 'vt', role: 'grid', 'aria-label': spec.label, 'aria-readonly': 'true' }, view);
  let active = 0;
  let drawn = { from: -1, to: -1 };
  const pool: HTMLElement[] = [];

  const full = () => spec.length() * ROW;
  const tall = () => Math.min(full(), TALLEST);
  const visible = () => Math.max(1, Math.floor((view.clientHeight - ROW) / ROW));
  /** The first row in sight. Where the table is taller than a browser allows, the bar moves in larger steps. */
  const first = () => {
    const room = tall() - (view.clientHeight - ROW);
    const all = full() - (view.clientHeight - ROW);
    return full() <= TALLEST ? Math.floor(view.scrollTop / ROW) : Math.floor((Math.min(view.scrollTop / room, 1) * all) / ROW);
  };
  const offset = (row: number) => (full() <= TALLEST ? row * ROW : view.scrollTop + (row - first()) * ROW);

  function columns(): void {
    const all = spec.columns();
    element.style.setProperty('--columns', all.map((c) => c.width).join(' '));
    element.setAttribute('aria-colcount', String(all.length));
    const sorted = spec.sorted?.();
    fill(head, all.map((column) => {
      const mine = sorted?.key === column.key;
      const state = mine ? (sorted.down ? 'descending' : 'ascending') : 'none';
      return h('div', { role: 'columnheader', class: column.number ? 'number' : undefined, 'aria-sort': column.sorts ? state : undefined },
        column.sorts && spec.sort
          ? h('button', { class: 'sort', onclick: () => spec.sort!(column.key) }, column.title, h('span', { 'aria-hidden': 'true' }, mine ? (sorted.down ? ' ▾' : ' ▴') : ''))
          : column.title);
    }));
  }

  function rows(force: boolean): void {
    const all = spec.columns();
    const length = spec.length();
    spacer.style.height = `${tall()}px`;
    const from = Math.max(0, first() - 6);
    const to = Math.min(length, first() + visible() + 8);
    if (!force && full() <= TALLEST && from === drawn.from && to === drawn.to) return;
    drawn = { from, to };
    while (pool.length < to - from) {
      const row = h('div', { class: 'vt-row', role: 'row' });
      row.addEventListener('click', () => choose(Number(row.dataset.row), true));
      pool.push(row);
      body.append(row);
    }
    pool.forEach((row, i) => {
      const index = from + i;
      row.hidden = index >= to;
      if (row.hidden) return;
      row.dataset.row = String(index);
      row.style.transform = `translateY(${offset(index)}px)`;
      row.setAttribute('aria-rowindex', String(index + 2));
      row.tabIndex = index === active ? 0 : -1;
      row.classList.toggle('marked', spec.marked?.(index) ?? false);
      row.classList.toggle('odd', index % 2 === 1);
      while (row.children.length < all.length) row.append(h('div', { role: 'gridcell' }));
      while (row.children.length > all.length) row.lastElementChild!.remove();
      all.forEach((column, c) => {
        const cell = row.children[c] as HTMLElement;
        const text = column.text(index);
        if (cell.textContent !== text) cell.textContent = text;
        cell.title = text.length > 24 ? text : '';
        cell.className = column.number ? 'number' : '';
      });
    });
  }

  function choose(row: number, open: boolean): void {
    active = Math.min(Math.max(row, 0), spec.length() - 1);
    const [top, end] = [first(), first() + visible()];
    if (active < top) scrollTo(active);
    else if (active >= end) scrollTo(active - visible() + 1);
    rows(true);
    pool.find((element) => Number(element.dataset.row) === active && !element.hidden)?.focus({ preventScroll: true });
    if (open) spec.open?.(active);
  }

  function scrollTo(row: number): void {
    const room = tall() - (view.clientHeight - ROW);
    const all = full() - (view.clientHeight - ROW);
    view.scrollTop = full() <= TALLEST ? row * ROW : ((row * ROW) / all) * room;
  }

  view.addEventListener('scroll', () => rows(false), { passive: true });
  element.addEventListener('keydown', (event) => {
    if (!(event.target as HTMLElement).classList.contains('vt-row')) return;
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: visible(), PageUp: -visible(), Home: -Infinity, End: Infinity };
    if (event.key in steps) choose(active + steps[event.key]!, false);
    else if (event.key === 'Enter' || event.key === ' ') spec.open?.(active);
    else return;
    event.preventDefault();
  });
  const refresh = (top = false) => {
    if (top) { view.scrollTop = 0; active = 0; }
    active = Math.min(active, Math.max(spec.length() - 1, 0));
    element.setAttribute('aria-rowcount', String(spec.length() + 1));
    columns();
    rows(true);
  };
  new ResizeObserver(() => rows(true)).observe(view);
  return { element, refresh };
}
