// The shell: header, theme, help, and which page the address names.

import './style.css';
import { announce, fill, h } from './dom';
import { current, go } from './route';
import { runsPage } from './pages/runs';

type Page = (main: HTMLElement, path: string[], query: URLSearchParams) => Promise<void> | void;

// Pages with charts are loaded when they are first asked for.
const PAGES: Record<string, { title: string; open: () => Promise<Page> }> = {
  '': { title: 'Runs', open: async () => runsPage },
  run: { title: 'Run', open: async () => (await import('./pages/run')).runPage },
  items: { title: 'Items', open: async () => (await import('./pages/items')).itemsPage },
  transcripts: { title: 'Transcripts', open: async () => (await import('./pages/transcripts')).transcriptsPage },
  compare: { title: 'Compare', open: async () => (await import('./pages/compare')).comparePage },
  signal: { title: 'Your signal', open: async () => (await import('./pages/signal')).signalPage },
};

const main = h('main', { id: 'main', tabindex: '-1' });
const nav = h('nav', { 'aria-label': 'Pages' });
const help = h('dialog', { 'aria-labelledby': 'help-title' },
  h('h2', { id: 'help-title' }, 'Keys'),
  h('dl', {}, ([
    ['g then r', 'runs'], ['g then s', 'your signal'], ['g then c', 'compare'], ['/', 'search or filter'], ['t', 'light or dark'],
    ['↑ ↓ PgUp PgDn Home End', 'move in a table'], ['Enter', 'open the row'], ['Esc', 'close a panel'],
    ['← → ↑ ↓ on a map', 'the nearest point that way'], ['PgDn PgUp on a map', 'the next row, the one before'], ['Enter, Esc on a map', 'choose the point, or take it back'], ['?', 'this help'],
  ] as const).map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)])),
  h('p', {}, 'The address of the page says all that is chosen on it: copy it to share a view. Everything is computed in this browser; files that you open here are not sent anywhere.'),
  h('form', { method: 'dialog' }, h('button', {}, 'Close')));

function theme(next?: 'light' | 'dark'): void {
  if (next) {
    document.documentElement.dataset.theme = next;
    try { localStorage.setItem('superalign-theme', next); } catch { /* private windows keep nothing */ }
    window.dispatchEvent(new Event('theme'));
  }
}
const dark = () => document.documentElement.dataset.theme === 'dark' || (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
const toggle = () => theme(dark() ? 'light' : 'dark');
try {
  const kept = localStorage.getItem('superalign-theme');
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
} catch { /* private windows keep nothing */ }
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => window.dispatchEvent(new Event('theme')));

fill(document.getElementById('app')!,
  h('header', {},
    h('a', { href: '#/', class: 'brand' }, 'superalign'), nav,
    h('div', { class: 'tools' },
      h('button', { class: 'quiet', title: 'Light or dark (t)', 'aria-label': 'Switch between light and dark', onclick: toggle }, '◐'),
      h('button', { class: 'quiet', title: 'Keys (?)', 'aria-label': 'Help: keys', onclick: () => help.showModal() }, '?'))),
  main, help, h('div', { id: 'live', 'aria-live': 'polite', class: 'hidden' }));

let turn = 0;
async function render(): Promise<void> {
  const mine = ++turn;
  const { path, query } = current();
  const page = PAGES[path[0] ?? ''];
  const at = path[0] ?? '';
  fill(nav, ([['', 'Runs'], ['signal', 'Your signal'], ['compare', 'Compare']] as const).map(([to, text]) =>
    h('a', { href: to ? `#/${to}` : '#/', 'aria-current': at === to || (to === '' && ['run', 'items', 'transcripts'].includes(at)) ? 'page' : undefined }, text)));
  if (!page) {
    fill(main, h('h1', {}, 'There is no such page'), h('p', {}, h('a', { href: '#/' }, 'To the runs')));
    return;
  }
  document.title = path[1] ? `${path[1]} · superalign` : `${page.title} · superalign`;
  const root = h('div', { class: 'page' });
  fill(main, root);
  try {
    const open = await page.open();
    if (mine !== turn) return;
    await open(root, path.slice(1), query);
    announce(`${page.title} is shown`);
  } catch (error) {
    if (mine === turn) fill(root, h('div', { class: 'error', role: 'alert' }, h('h1', {}, 'This cannot be shown'), h('p', {}, (error as Error).message), h('p', {}, h('a', { href: '#/' }, 'To the runs'))));
  }
}

window.addEventListener('route', () => void render());
window.addEventListener('popstate', () => void render());
window.addEventListener('hashchange', () => void render());

let before = '';
document.addEventListener('keydown', (event) => {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || help.open) return;
  const key = event.key;
  if (before === 'g' && (key === 'r' || key === 's' || key === 'c')) go(key === 'r' ? [] : [key === 's' ? 'signal' : 'compare']);
  else if (key === '?') help.showModal();
  else if (key === 't') toggle();
  else if (key === '/') { document.querySelector<HTMLInputElement>('input[type=search]')?.focus(); event.preventDefault(); }
  before = key;
});

void render();
