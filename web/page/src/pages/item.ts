// One item: its texts, what every source says of it, and what the other runs say that hold it.

import { announce, fill, h, type Child } from '../dom';
import * as engine from '../engine';
import { digits, plural, thousands } from '../format';
import { address } from '../route';
import { file, runs, type RunSummary } from '../store';
import { table } from '../table';
import type { OneText, Said } from '../protocol';
import type { RunTexts } from '../texts';
import type { ItemTable } from './items';

/** Where the texts of a run are: not asked yet, none, or there. */
export type Texts = { state: 'coming' } | { state: 'none' } | { state: 'failed'; why: string } | { state: 'here'; texts: RunTexts };

export interface ItemSpec {
  folder: string;
  items: ItemTable;
  texts: () => Texts;
  /** Shows another item. */
  open: (item: string) => void;
  close: () => void;
  /** Whether the other runs are asked at once, as an address may say. */
  across: () => boolean;
  /** Told that they have been asked. */
  asked: () => void;
}

/** Fills the panel of an item. */
export function showItem(detail: HTMLElement, spec: ItemSpec, item: string): void {
  const { items, folder } = spec;
  const column = items.text('item');
  const code = column.distinct.indexOf(item);
  const mine: number[] = [];
  if (code >= 0) for (let i = 0; i < items.rows; i++) if (column.codes[i] === code) mine.push(i);
  const one = mine[0];
  if (one === undefined) {
    fill(detail, h('p', {}, `There is no item ${item}.`), h('button', { onclick: spec.close }, 'Close'));
    return;
  }
  const facts = ['group', 'family', 'difficulty', 'part', 'conflict', 'gold'].filter((name) => items.has(name) && items.cell(name, one) !== '');
  const right = mine.reduce((sum, row) => sum + items.right[row]!, 0);
  const probability = items.number('probability');
  const order = mine.toSorted((a, b) => probability[b]! - probability[a]!);
  const shown = (['model', 'signal', 'seed', 'probability', 'answer', 'given', 'right'] as const)
    .filter((name) => name === 'answer' || (items.has(name) && order.some((row) => items.cell(name, row) !== '')));
  const votes = table({
    label: 'What every source says', height: Math.min(300, 40 + order.length * 28), length: () => order.length,
    columns: () => shown.map((name) => ({
      key: name, title: name, number: ['probability', 'given', 'seed'].includes(name),
      width: { model: '5rem', signal: 'minmax(8rem,1.6fr)', seed: '3.9rem', probability: '7rem', answer: '5rem', given: '5rem', right: '4.4rem' }[name],
      text: (i: number) => (name === 'answer' ? String(probability[order[i]!]! >= 0.5) : name === 'signal' ? signalOf(items.cell(name, order[i]!), items.cell('model', order[i]!)) : items.cell(name, order[i]!)),
    })),
  });
  const texts = h('div', { class: 'texts' });
  const known = h('dl', { class: 'facts' }, facts.map((name) => [h('dt', {}, name), h('dd', {}, items.cell(name, one))]));
  const said = h('p', { hidden: true }, h('a', { href: address(['transcripts', folder], { item }) }, 'What was said about it'));
  // Lists of earlier versions name no files: there may be some.
  void runs().then(({ runs: all }) => { said.hidden = all.find((run) => run.folder === folder)?.files?.includes('transcripts.jsonl') === false; }, () => {});
  const others = h('section', { class: 'others', 'aria-label': 'The same item in other runs' });
  fill(detail,
    h('div', { class: 'tools' }, h('h2', {}, item), h('button', { class: 'quiet', 'aria-label': 'Close the item', onclick: spec.close }, '✕')),
    texts,
    known,
    said,
    h('p', {}, `${thousands(right)} of ${plural(mine.length, 'answer')} are right. `, h('span', { class: 'note' }, 'An answer is true where the probability is at least 0.5.')), votes.element, others);
  votes.refresh();
  void read(texts, known, spec, item, items.cell('part', one));
  otherRuns(others, spec, item);
  announce(`Item ${item}: ${right} of ${mine.length} answers are right`);
}

/** A signal without the model that stands beside it anyway. */
const signalOf = (signal: string, model: string): string => (signal.startsWith(`model=${model}/`) ? signal.slice(model.length + 7) : signal);

/** The texts of the item, that of the part in sight first. */
async function read(into: HTMLElement, facts: HTMLElement, spec: ItemSpec, item: string, part: string): Promise<void> {
  const found = spec.texts();
  if (found.state === 'coming') { fill(into, h('p', { class: 'note' }, 'Reading the text …')); return; }
  if (found.state === 'failed') { fill(into, h('p', { class: 'error' }, found.why)); return; }
  if (found.state === 'none') {
    fill(into, h('p', { class: 'note' }, 'This run has kept no texts: it was made before texts.parquet was written. The same command makes a run that has them.'));
    return;
  }
  const { texts } = found;
  const rows = texts.ofItem(item).sort((a, b) => Number(texts.part(b) === part) - Number(texts.part(a) === part) || a - b);
  const first = rows[0];
  if (first === undefined) { fill(into, h('p', { class: 'note' }, 'texts.parquet has no text of this item.')); return; }
  const beside = texts.beside(first).slice(0, 12);
  const all = await texts.get([...rows, ...beside]);
  if (!into.isConnected) return;
  const [own, more, answers] = [all[0]!, all.slice(1, rows.length), all.slice(rows.length)];
  facts.append(h('dt', {}, 'objective'), h('dd', {}, texts.objective(first)));
  // What a task belongs to is its family; what conduct is judged by is a norm.
  const family = [...facts.querySelectorAll('dt')].find((one) => one.textContent === 'family');
  if (family && texts.objective(first) === 'conformity') family.textContent = 'norm';
  const verdict = (row: number) => h('span', { class: texts.gold(row) ? 'tag good' : 'tag bad' }, texts.gold(row) ? 'true' : 'false');
  fill(into,
    passage(own, answers),
    beside.length > 0 && h('details', { open: beside.length <= 3 }, h('summary', {}, `${beside.length === 1 ? 'The other answer' : 'The other answers'} of its group`),
      h('ul', { class: 'answers' }, beside.map((row, i) => h('li', {}, verdict(row), h('button', { class: 'link', onclick: () => spec.open(texts.item(row)) }, ending(answers[i]!, own)))))),
    more.map((text, i) => h('details', {}, h('summary', {}, `As the part ${texts.part(rows[i + 1]!)} has it`), passage(text, []))));
}

/** Where two texts begin to differ, at the start of a word. */
function parting(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  while (at > 0 && !/\s/.test(a[at - 1]!)) at--;
  return at;
}

/** A text with its answer marked; where the run doesn't hold it apart, what differs from the other answers. */
function passage({ text, answer }: OneText, others: readonly OneText[]): HTMLElement {
  const from = answer !== undefined && answer !== '' && text.endsWith(answer) ? text.length - answer.length
    : others.length > 0 ? Math.max(...others.map((other) => parting(text, other.text))) : text.length;
  // Texts that have nothing in common are other texts, and no other answers.
  const marked: Child = from > 0 && from < text.length && h('mark', { title: answer === undefined ? 'where the answers of the group differ' : 'the answer' }, text.slice(from));
  return h('blockquote', { tabindex: '0', class: 'passage', 'aria-label': 'Text' }, marked ? [text.slice(0, from), marked] : text);
}

/** What an answer says that the one in sight doesn't. */
function ending(other: OneText, own: OneText): string {
  const end = other.answer ?? other.text.slice(parting(other.text, own.text));
  return end.trim() || other.text;
}

interface Found { run: RunSummary; said: Said }

/** The other runs: asked one by one, when somebody wants to know. */
function otherRuns(into: HTMLElement, spec: ItemSpec, item: string): void {
  const status = h('p', { class: 'note', role: 'status' });
  const body = h('div', {});
  const ask = h('button', { onclick: () => { spec.asked(); void look(); } }, 'Look in the other runs');
  fill(into, h('h3', {}, 'The same item in other runs'), ask, status, body);
  if (spec.across()) void look();

  async function look(): Promise<void> {
    ask.remove();
    status.textContent = 'Reading the list of runs …';
    const url = (run: RunSummary, name: string) => new URL(file(run.folder, name), location.href).href;
    const has = (run: RunSummary, name: string) => run.files?.includes(name) ?? name === 'items.parquet';
    const found: Found[] = [];
    const failed: string[] = [];
    try {
      const all = (await runs()).runs.filter((run) => run.folder !== spec.folder && run.status === 'complete' && has(run, 'items.parquet'));
      const bar = h('progress', { max: Math.max(all.length, 1), value: 0, 'aria-label': 'Reading other runs' });
      fill(body, bar);
      for (const [i, run] of all.entries()) {
        status.textContent = `Reading ${run.folder} (${i + 1} of ${all.length}) …`;
        try {
          const said = await engine.said(url(run, 'items.parquet'), has(run, 'texts.parquet') ? url(run, 'texts.parquet') : undefined, item);
          if (said.rows.length > 0) found.push({ run, said });
        } catch (error) {
          failed.push(`${run.folder}: ${(error as Error).message}`);
        }
        // Another item is looked at by now.
        if (!into.isConnected) return;
        bar.value = i + 1;
      }
      const here = spec.texts();
      const own = here.state === 'here' ? (await here.texts.get(here.texts.ofItem(item).slice(0, 1)))[0]?.text : undefined;
      status.textContent = all.length === 0 ? 'There are no other runs.'
        : found.length === 0 ? `None of ${plural(all.length, 'other run')} holds it.` : `${plural(found.length, 'run')} of ${all.length} ${found.length === 1 ? 'holds' : 'hold'} it.`;
      fill(body, found.length > 0 && listed(found, item, own), failed.length > 0 && h('p', { class: 'error' }, failed.join('\n')));
      announce(status.textContent);
    } catch (error) {
      status.textContent = (error as Error).message;
      fill(body);
    }
  }
}

/** The runs that hold an item, and every answer in them. */
function listed(found: readonly Found[], item: string, own: string | undefined): HTMLElement {
  const right = (row: Said['rows'][number]) => (row.probability >= 0.5) === row.gold;
  const all = found.flatMap(({ run, said }) => said.rows.map((row) => ({ run: run.folder, ...row })));
  const every = table({
    label: 'What the other runs say', height: Math.min(300, 40 + all.length * 28), length: () => all.length,
    columns: () => [
      { key: 'run', title: 'run', width: 'minmax(9rem,1.4fr)', text: (i) => all[i]!.run }, { key: 'model', title: 'model', width: '5.2rem', text: (i) => all[i]!.model },
      { key: 'signal', title: 'signal', width: 'minmax(9rem,1.6fr)', text: (i) => signalOf(all[i]!.signal, all[i]!.model) }, { key: 'seed', title: 'seed', width: '3.9rem', number: true, text: (i) => String(all[i]!.seed) },
      { key: 'probability', title: 'probability', width: '7rem', number: true, text: (i) => all[i]!.probability.toFixed(4) },
      { key: 'answer', title: 'answer', width: '5rem', text: (i) => String(all[i]!.probability >= 0.5) }, { key: 'right', title: 'right', width: '4.4rem', text: (i) => (right(all[i]!) ? 'right' : 'wrong') },
    ],
  });
  queueMicrotask(() => every.refresh());
  return h('div', {},
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Runs that hold the item' }, h('table', {},
      h('thead', {}, h('tr', {}, ['Run', 'Right', 'Mean probability'].map((title, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : undefined }, title)))),
      h('tbody', {}, found.map(({ run, said }) => h('tr', {},
        h('td', {}, h('a', { href: address(['items', run.folder], { item }) }, run.folder), (run.tags ?? []).map((tag) => [' ', h('span', { class: 'tag' }, tag)]),
          own !== undefined && said.text !== undefined && said.text !== own && h('div', { class: 'note' }, 'its text there is another one')),
        h('td', { class: 'number' }, `${thousands(said.rows.filter(right).length)} of ${thousands(said.rows.length)}`),
        h('td', { class: 'number' }, digits(said.rows.reduce((sum, row) => sum + row.probability, 0) / said.rows.length))))))),
    every.element);
}
