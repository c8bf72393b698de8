// Who said what: the interviews of a run, one line of `transcripts.jsonl` each.

import { choice, debounced, fill, h } from '../dom';
import { digits, plural, thousands } from '../format';
import { address, keep } from '../route';
import { file } from '../store';
import { table } from '../table';

interface Turn { role: string; model?: string; prompt?: string; text?: string; quotes?: { text: string; verified: boolean }[]; probability?: number | null; tokens?: number | null }
interface Interview { signal: string; item: string; protocol?: string; seed?: number; verdict?: number | null; turns: Turn[] }

export async function transcriptsPage(main: HTMLElement, [folder]: string[], query: URLSearchParams): Promise<void> {
  if (!folder) throw new Error('the address names no run');
  fill(main, h('p', { class: 'note' }, 'Reading transcripts …'));
  const response = await fetch(file(folder, 'transcripts.jsonl'));
  const head = [h('p', { class: 'note' }, h('a', { href: '#/' }, 'Runs'), ' / ', h('a', { href: address(['run', folder]) }, folder)), h('h1', {}, 'Transcripts')];
  if (response.status === 404) { fill(main, head, h('p', {}, 'This run has none: no model was interviewed in it.')); return; }
  if (!response.ok) throw new Error(`transcripts.jsonl: the server answers ${response.status}, expected the file`);
  const all: Interview[] = [];
  (await response.text()).split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    let found: Interview;
    try { found = JSON.parse(line) as Interview; } catch (error) { throw new Error(`transcripts.jsonl:${i + 1}: not valid JSON (${(error as Error).message})`); }
    if (!Array.isArray(found.turns)) throw new Error(`transcripts.jsonl:${i + 1}: found no \`turns\`, expected an interview`);
    all.push(found);
  });

  const state = { q: query.get('q') ?? '', signal: query.get('signal') ?? '', protocol: query.get('protocol') ?? '', item: query.get('item') ?? '', open: Number(query.get('open') ?? -1) };
  let shown: number[] = [];
  const count = h('strong', { 'aria-live': 'polite' });
  const detail = h('aside', { class: 'detail talk', hidden: true, 'aria-label': 'One interview' });
  const list = table({
    label: 'Interviews', height: 560, length: () => shown.length, marked: (i) => shown[i] === state.open,
    columns: () => [
      { key: 'item', title: 'Item', width: 'minmax(12rem,2fr)', text: (i) => all[shown[i]!]!.item }, { key: 'signal', title: 'Signal', width: 'minmax(10rem,1.6fr)', text: (i) => all[shown[i]!]!.signal },
      { key: 'protocol', title: 'Protocol', width: '7.5rem', text: (i) => all[shown[i]!]!.protocol ?? '' }, { key: 'seed', title: 'Seed', width: '4rem', number: true, text: (i) => String(all[shown[i]!]!.seed ?? '') },
      { key: 'verdict', title: 'Verdict', width: '6rem', number: true, text: (i) => digits(all[shown[i]!]!.verdict) }, { key: 'turns', title: 'Turns', width: '4.5rem', number: true, text: (i) => thousands(all[shown[i]!]!.turns.length) }],
    open: (i) => { state.open = shown[i]!; keep({ open: String(state.open) }); show(); list.refresh(); },
  });
  function show(): void {
    const one = all[state.open];
    detail.hidden = !one;
    if (!one) return;
    fill(detail, h('div', { class: 'tools' }, h('h2', {}, one.item), h('button', { class: 'quiet', 'aria-label': 'Close the interview', onclick: () => { state.open = -1; keep({ open: '' }); show(); list.refresh(); } }, '✕')),
      h('p', { class: 'note' }, `${one.signal} · ${one.protocol ?? ''} · verdict ${digits(one.verdict)}`), h('p', {}, h('a', { href: address(['items', folder!], { item: one.item }) }, 'What every source says of this item')),
      h('ol', { class: 'turns' }, one.turns.map((turn) => h('li', {}, h('p', { class: 'note' }, h('strong', {}, turn.role), turn.model ? ` · ${turn.model}` : '', typeof turn.probability === 'number' ? ` · says ${digits(turn.probability)}` : '', typeof turn.tokens === 'number' ? ` · ${plural(turn.tokens, 'token')}` : ''),
        turn.text ? h('blockquote', {}, turn.text) : h('p', { class: 'note' }, 'says nothing'),
        (turn.quotes ?? []).map((quote) => h('p', { class: 'note' }, h('span', { class: quote.verified ? 'tag good' : 'tag bad' }, quote.verified ? 'verified' : 'not in the text'), quote.text)),
        turn.prompt && h('details', {}, h('summary', {}, 'The prompt'), h('pre', { tabindex: '0' }, turn.prompt))))));
  }
  function apply(): void {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    all.forEach((one, i) => {
      if ((state.signal && one.signal !== state.signal) || (state.protocol && one.protocol !== state.protocol) || (state.item && one.item !== state.item)) return;
      const text = words.length > 0 ? `${one.item} ${one.signal} ${one.turns.map((turn) => `${turn.role} ${turn.text ?? ''}`).join(' ')}`.toLowerCase() : '';
      if (words.every((word) => text.includes(word))) shown.push(i);
    });
    count.textContent = `${plural(shown.length, 'interview')} of ${thousands(all.length)}`;
    list.refresh(true);
  }
  const later = debounced(120, () => { keep({ q: state.q }); apply(); });
  const search = h('input', { type: 'search', placeholder: 'Search what was said (/)', 'aria-label': 'Search transcripts', value: state.q, oninput: () => { state.q = search.value; later(); } });
  const of = (key: 'signal' | 'protocol') => [['', 'all'] as const, ...[...new Set(all.map((one) => one[key] ?? ''))].filter(Boolean).sort().map((v) => [v, v] as const)];
  const item = h('button', { class: 'chip', hidden: !state.item, onclick: () => { state.item = ''; item.hidden = true; keep({ item: '' }); apply(); } }, `item = ${state.item} ✕`);
  fill(main, head, h('div', { class: 'bar' }, search, choice('Signal', of('signal'), state.signal, (v) => { state.signal = v; keep({ signal: v }); apply(); }), choice('Protocol', of('protocol'), state.protocol, (v) => { state.protocol = v; keep({ protocol: v }); apply(); }), item, count),
    h('div', { class: 'split' }, h('div', {}, list.element), detail));
  apply();
  show();
}
