// Files, signals and comparisons through the bindings.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const folder = process.env.SUPERALIGN_WEB;
const web = await import(pathToFileURL(join(folder, 'superalign_web.js')));
web.initSync({ module: readFileSync(join(folder, 'superalign_web_bg.wasm')) });

const bytes = (text) => new TextEncoder().encode(text);
const VOTES = `item,worker,label\n${Array.from({ length: 60 }, (_, i) => `q${i % 20},w${Math.floor(i / 20)},${(i * 7) % 11 < 5 ? 'yes' : 'no'}`).join('\n')}\n`;
const read = (text, shape, roles = []) => web.Table.read('file.csv', bytes(text)).signal(shape, roles);
function measured(signal, names = [], draws = 0) {
  const rows = [];
  signal.measure(names, draws, 0.95, 0, (row, values, shape) => rows.push({ ...JSON.parse(row), values, shape }));
  return rows;
}

test('a file says what it holds', () => {
  const table = web.Table.read('votes.csv', bytes(VOTES));
  assert.equal(table.rows, 60);
  assert.deepEqual(JSON.parse(table.columns()).map((c) => [c.name, c.kind]), [['item', 'texts'], ['worker', 'texts'], ['label', 'texts']]);
  const understood = JSON.parse(table.signal(undefined, []).understood());
  assert.equal(understood.shape, 'votes');
  assert.equal(understood.items, 20);
});

test('arrays of numbers cross as typed arrays, and the rest as JSON', () => {
  const rows = measured(read(VOTES), ['pairwise-agreement', 'krippendorff-alpha'], 50);
  const pairs = rows.find((row) => row.metric === 'pairwise-agreement' && row.values);
  assert.ok(pairs.values instanceof Float64Array);
  assert.deepEqual([...pairs.shape], [3, 3]);
  const alpha = rows.find((row) => row.metric === 'krippendorff-alpha');
  assert.ok(alpha.lo < alpha.value && alpha.value < alpha.hi);
  assert.deepEqual(measured(read(VOTES), ['krippendorff-alpha'], 50)[0], { ...alpha, values: undefined, shape: undefined });
});

test('columns of a page are as good as a file', () => {
  const cells = VOTES.trim().split('\n').slice(1).map((line) => line.split(','));
  const gathering = new web.Gathering('votes.parquet');
  ['item', 'worker', 'label'].forEach((name, c) => {
    const distinct = [...new Set(cells.map((row) => row[c]))];
    gathering.texts(name, distinct, Uint32Array.from(cells, (row) => distinct.indexOf(row[c])));
  });
  const drop = ({ values, ...row }) => ({ ...row, values: values && [...values] });
  assert.deepEqual(measured(gathering.table().signal(undefined, [])).map(drop), measured(read(VOTES)).map(drop));
});

test('requests are what is computed, one by one', () => {
  const signal = read(VOTES);
  const requests = signal.requests([]);
  assert.ok(requests.some((request) => request.startsWith('krippendorff-alpha:')));
  const each = requests.flatMap((request) => measured(signal, [request]));
  assert.deepEqual(each.map((row) => [row.metric, row.part, row.value]), measured(signal).map((row) => [row.metric, row.part, row.value]));
});

test('roles and shapes can be corrected', () => {
  const odd = VOTES.replace('item,worker,label', 'thing,who,said');
  const signal = read(odd, 'votes', ['item=thing', 'annotator=who', 'label=said']);
  assert.equal(measured(signal, ['krippendorff-alpha'])[0].value, measured(read(VOTES), ['krippendorff-alpha'])[0].value);
});

test('a reference is set and taken away', () => {
  const signal = read('label\na\na\nb\n');
  assert.match(measured(signal, ['kl-to-reference'])[0].error, /reference/);
  signal.compareWith(read('label\na\nb\nb\n'));
  assert.equal(typeof measured(signal, ['kl-to-reference'])[0].value, 'number');
  signal.compareWith(undefined);
  assert.match(measured(signal, ['kl-to-reference'])[0].error, /reference/);
});

test('two sides are compared', () => {
  const side = (right) => Float64Array.from({ length: 400 }, (_, i) => Number(i < right));
  const found = web.compare(side(240), side(200), new web.Resampling(500, 0.95, 1));
  assert.ok(Math.abs(found.difference[0] - 0.1) < 1e-12);
  assert.deepEqual([...found.table], [200, 40, 0, 160]);
  assert.ok(found.mcnemar < 1e-6 && found.flips < 1e-3);
  assert.deepEqual([...web.adjustedPValues(new Float64Array([0.01, 0.04]), 'holm')], [0.02, 0.04]);
  assert.throws(() => web.adjustedPValues(new Float64Array([0.01]), 'bonferoni'), /expected `holm`/);
});

test('what cannot be read is told', () => {
  assert.throws(() => web.Table.read('x.json', bytes('[{"item": 1,')), /x\.json/);
  assert.throws(() => web.Table.read('x.parquet', bytes('PAR1')), /Parquet/);
  assert.throws(() => read(VOTES, 'voted'), /votes/);
  assert.throws(() => read(VOTES, undefined, ['itme=item']), /did you mean/);
  assert.throws(() => measured(read(VOTES), ['kripendorff-alpha']), /did you mean/);
  assert.throws(() => measured(read(VOTES), ['krippendorff-alpha'], -1), Error);
});

test('the Vendi score of 1,000 x 384', () => {
  const [rows, width] = [1000, 384];
  let state = 7;
  const draw = () => { state = (Math.imul(state, 1103515245) + 12345) >>> 0; return state / 2 ** 32 - 0.5; };
  const gathering = new web.Gathering('x.parquet');
  gathering.lists('embedding', Uint32Array.of(width), Float64Array.from({ length: rows * width }, draw));
  const signal = gathering.table().signal(undefined, []);
  measured(signal, ['vendi:q=1']);
  const times = Array.from({ length: 5 }, () => { const start = performance.now(); measured(signal, ['vendi:q=1']); return performance.now() - start; });
  console.log(`vendi 1000 x 384: ${Math.min(...times).toFixed(1)} ms`);
  assert.ok(measured(signal, ['vendi:q=1'])[0].value > 100);
});

test('neighbours are rows and their cosines, the nearest first', () => {
  const signal = read('a,b\n1,0\n0,2\n3,3\n5,0.1\n0,0\n', 'embeddings');
  const found = [...signal.nearest(0, 9)];
  assert.deepEqual(found.slice(0, 4), [3, 2, 1, 4]);
  found.slice(4).forEach((cosine, i) => assert.ok(Math.abs(cosine - [5 / Math.hypot(5, 0.1), Math.SQRT1_2, 0, 0][i]) < 1e-15, `${cosine}`));
  assert.deepEqual([...signal.nearest(0, 1)], [3, found[4]]);
  assert.throws(() => signal.nearest(4, 1), /row 4 is zero/);
  assert.throws(() => signal.nearest(5, 1), /less than 5/);
  assert.throws(() => read(VOTES).nearest(0, 1), /no embeddings/);
});
