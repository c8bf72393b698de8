// Overview: every run, with search, filters and sorting.

import { choice, fill, h } from '../dom';
import { duration, moment, plural, thousands } from '../format';
import { address, go, keep } from '../route';
import { runs, type RunSummary } from '../store';

const SORTS: [string, string, (run: RunSummary) => string | number][] = [
  ['started', 'Begun', (r) => r.started], ['experiment', 'Experiment', (r) => r.experiment], ['seconds', 'Took', (r) => r.seconds], ['cells', 'Cells', (r) => r.cells],
];

export async function runsPage(main: HTMLElement, _path: string[], query: URLSearchParams): Promise<void> {
  const found = await runs();
  if (found.runs.length === 0) { fill(main, welcome()); return; }
  const state = { text: query.get('q') ?? '', experiment: query.get('experiment') ?? '', status: query.get('status') ?? '', tags: new Set((query.get('tags') ?? '').split(',').filter(Boolean)), sort: query.get('sort') ?? 'started', down: query.get('dir') !== 'up' };
  const chosen = new Set((query.get('with') ?? '').split(',').filter(Boolean));
  const list = h('tbody', {});
  const tagBar = h('div', { class: 'chips', role: 'group', 'aria-label': 'Tags' });
  const count = h('p', { class: 'note', 'aria-live': 'polite' });
  const head = h('tr', {});
  const both = h('button', { class: 'primary', onclick: () => { const [a, b] = [...chosen]; go(['compare'], { a, b }); } }, 'Compare');
  const tagged = new Map<string, number>();
  for (const run of found.runs) for (const tag of run.tags ?? []) tagged.set(tag, (tagged.get(tag) ?? 0) + 1);
  /** A tag that keeps the runs that have it, or lets all in again. */
  const chip = (tag: string, count?: number) => h('button', {
    class: 'chip', 'aria-pressed': String(state.tags.has(tag)), title: state.tags.has(tag) ? 'Remove this filter' : `Only runs with the tag ${tag}`,
    onclick: () => { if (!state.tags.delete(tag)) state.tags.add(tag); show(); },
  }, tag, count !== undefined && h('span', { class: 'note' }, ` ${count}`));
  const unique = (of: (run: RunSummary) => string) => [...new Set(found.runs.map(of))].filter(Boolean).sort();

  function show(): void {
    keep({ q: state.text, experiment: state.experiment, status: state.status, tags: [...state.tags].join(','), sort: state.sort === 'started' ? '' : state.sort, dir: state.down ? '' : 'up', with: [...chosen].join(',') });
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const key = SORTS.find(([name]) => name === state.sort)?.[2] ?? SORTS[0]![2];
    const shown = found.runs.filter((run) => (!state.experiment || run.experiment === state.experiment) && (!state.status || run.status === state.status)
      && [...state.tags].every((tag) => run.tags?.includes(tag))
      && words.every((word) => `${run.folder} ${run.title} ${run.profile} ${run.status} ${run.error ?? ''} ${(run.tags ?? []).join(' ')}`.toLowerCase().includes(word)))
      .sort((a, b) => { const [x, y] = [key(a), key(b)]; return (x < y ? -1 : x > y ? 1 : 0) * (state.down ? -1 : 1); });
    count.textContent = shown.length === found.runs.length ? plural(shown.length, 'run') : `${plural(shown.length, 'run')} of ${found.runs.length}`;
    const focused = tagBar.contains(document.activeElement) ? document.activeElement!.textContent : undefined;
    // A tag of the address that no run has stands there as well, so that it can be taken away.
    const bar = [...new Set([...tagged.keys(), ...state.tags])].sort().map((tag) => chip(tag, tagged.get(tag) ?? 0));
    fill(tagBar, bar.length > 0 && [h('span', { class: 'note' }, 'Tags'), bar]);
    if (focused) bar.find((one) => one.textContent === focused)?.focus();
    both.disabled = chosen.size !== 2;
    both.textContent = chosen.size === 2 ? 'Compare the two' : 'Choose two to compare';
    fill(head, h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'Chosen')), sortable('Experiment', 'experiment'), h('th', { scope: 'col' }, 'Profile'), h('th', { scope: 'col' }, 'Status'), h('th', { scope: 'col' }, 'Tags'), sortable('Begun', 'started'), sortable('Took', 'seconds', true), sortable('Cells', 'cells', true));
    fill(list, shown.map((run) => (run.error ? broken(run) : h('tr', {},
      h('td', {}, h('input', { type: 'checkbox', 'aria-label': `Choose ${run.folder}`, checked: chosen.has(run.folder), onchange: (event: Event) => { if ((event.target as HTMLInputElement).checked) chosen.add(run.folder); else chosen.delete(run.folder); show(); } })),
      h('td', {}, h('a', { href: address(['run', run.folder]) }, run.folder), h('div', { class: 'note' }, run.title)),
      h('td', {}, h('span', { class: 'tag' }, run.profile)),
      h('td', {}, h('span', { class: `tag ${run.status === 'complete' ? 'good' : 'busy'}` }, run.status), run.failed > 0 && h('span', { class: 'tag bad' }, `${run.failed} failed`)),
      h('td', { class: 'tags' }, (run.tags ?? []).map((tag) => chip(tag))),
      h('td', { class: 'when' }, moment(run.started)), h('td', { class: 'number' }, duration(run.seconds)), h('td', { class: 'number' }, thousands(run.cells))))));
    if (shown.length === 0) fill(list, h('tr', {}, h('td', { colspan: 8 }, 'No run fits. ', h('button', { onclick: () => { Object.assign(state, { text: '', experiment: '', status: '' }); state.tags.clear(); search.value = ''; show(); } }, 'Show all'))));
  }
  /** A folder that holds a run of which nothing can be told. */
  const broken = (run: RunSummary) => h('tr', {}, h('td', {}), h('td', {}, run.folder), h('td', { colspan: 6, class: 'note' }, h('span', { class: 'tag bad' }, 'cannot be read'), run.error));
  const sortable = (text: string, name: string, number = false) => h('th', { scope: 'col', class: number ? 'number' : undefined, 'aria-sort': state.sort === name ? (state.down ? 'descending' : 'ascending') : 'none' },
    h('button', { class: 'sort', onclick: () => { state.down = state.sort === name ? !state.down : true; state.sort = name; show(); } }, text, h('span', { 'aria-hidden': 'true' }, state.sort === name ? (state.down ? ' ▾' : ' ▴') : '')));
  const search = h('input', { type: 'search', placeholder: 'Search (/)', 'aria-label': 'Search runs', value: state.text, oninput: () => { state.text = search.value; show(); } });
  fill(main, h('h1', {}, 'Runs'),
    h('div', { class: 'bar' }, search,
      choice('Experiment', [['', 'all'], ...unique((r) => r.experiment).map((x) => [x, x] as const)], state.experiment, (v) => { state.experiment = v; show(); }),
      choice('Status', [['', 'any'], ...unique((r) => r.status).map((x) => [x, x] as const)], state.status, (v) => { state.status = v; show(); }), both),
    tagged.size + state.tags.size > 0 && tagBar, count,
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Runs' }, h('table', { class: 'wide' }, h('thead', {}, head), list)),
    h('p', {}, 'A file of your own? ', h('a', { href: '#/signal' }, 'Measure your signal'), ' in this browser.'));
  show();
}

function welcome(): HTMLElement {
  return h('div', { class: 'welcome' },
    h('h1', {}, 'No runs here yet'),
    h('p', { class: 'lead' }, 'A weak supervisor, a stronger student: superalign measures what supervision is worth. Runs appear here once there are some.'),
    h('pre', {}, 'cargo xtask experiment'),
    h('h2', {}, 'Meanwhile, look at a signal'),
    h('p', {}, 'Files of votes, labels, probabilities, texts or embeddings are measured in this browser, and stay in it.'),
    h('ul', { class: 'cards' }, ([
      ['votes', 'Six raters', 'Votes of six raters on 240 items: who agrees with whom, what is true, who is careless.'],
      ['probabilities', 'Noisy labels', 'Labels of which some are wrong, and a model that doubts them: suspects, calibration, kind of noise.'],
      ['embeddings', 'Three topics', 'Embeddings of 600 texts on three topics: how many different things are there? With a map.'],
    ] as const).map(([name, title, text]) => h('li', {}, h('a', { href: `#/signal?example=${name}` }, h('strong', {}, title), h('span', {}, text))))),
    h('p', {}, h('a', { href: '#/signal', class: 'button' }, 'Open a file of your own')));
}
