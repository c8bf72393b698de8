// A file of one's own: its metrics, its columns, its neighbours on the map.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DIST, folder, here, measured, visit } from './browser.mjs';
import { draws } from './fixture.mjs';

for (const name of ['votes', 'probabilities', 'embeddings']) {
  test(`the numbers of ${name} are those of the native library`, async () => {
    const golden = JSON.parse(readFileSync(here(`golden/${name}.json`), 'utf8'));
    const page = await visit(`#/signal?example=${name}&draws=200`, { ready: 'table.metrics' });
    await measured(page);
    const shown = await page.$$eval('tr[data-metric]', (rows) => rows.map((row) => ({ metric: row.dataset.metric, part: row.dataset.part, ...row.querySelector('td').dataset })));
    assert.equal(shown.length, golden.length);
    let compared = 0;
    golden.forEach((expected, i) => {
      assert.deepEqual([shown[i].metric, shown[i].part], [expected.metric, expected.part]);
      for (const end of ['value', 'lo', 'hi']) {
        if (expected[end] === null) { assert.equal(shown[i][end], '', `${expected.metric} ${end}`); continue; }
        const found = Number(shown[i][end]);
        const size = Math.max(Math.abs(found), Math.abs(expected[end]), 1e-300);
        assert.ok(Math.abs(found - expected[end]) <= 1e-12 * size, `${expected.metric}, ${expected.part}, ${end}: ${found} is not ${expected[end]}`);
        compared++;
      }
    });
    assert.ok(compared > 10, `${compared} numbers`);
    await page.done();
  });
}

/** A NumPy array of 64-bit numbers. */
function npy(rows) {
  const head = `{'descr': '<f8', 'fortran_order': False, 'shape': (${rows.length}, ${rows[0].length}), }`;
  const padded = `${head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([start, Buffer.from(padded), Buffer.from(Float64Array.from(rows.flat()).buffer)]);
}

const VOTES = Array.from({ length: 60 }, (_, i) => ({ item: `q${i % 20}`, worker: ['ann', 'bob', 'cem'][Math.floor(i / 20)], label: (i * 7) % 11 < 5 ? 'yes' : 'no' }));
const lines = (separator) => Buffer.from(['item,worker,label', ...VOTES.map((v) => `${v.item},${v.worker},${v.label}`)].map((l) => l.replaceAll(',', separator)).join('\n'));
const draw = draws(5);
const VECTORS = Array.from({ length: 50 }, () => Array.from({ length: 6 }, () => draw() - 0.5));

const FILES = {
  'votes.csv': lines(','), 'votes.tsv': lines('\t'), 'votes.json': Buffer.from(JSON.stringify(VOTES)), 'votes.jsonl': Buffer.from(VOTES.map((v) => JSON.stringify(v)).join('\n')),
  'votes.parquet': Buffer.from(parquetWriteBuffer({ columnData: ['item', 'worker', 'label'].map((name) => ({ name, data: VOTES.map((v) => v[name]), type: 'STRING' })) })),
  'vectors.npy': npy(VECTORS),
};

test('every kind of file can be opened, and kinds agree', async () => {
  const values = {};
  const page = await visit('#/signal', { ready: '.drop' });
  for (const [name, buffer] of Object.entries(FILES)) {
    await page.setInputFiles('#file', { name, mimeType: 'application/octet-stream', buffer });
    await page.waitForSelector(`h2:text-is("${name}")`);
    if (name.endsWith('.npy')) await page.selectOption('section.card .bar select', 'embeddings');
    await measured(page);
    values[name] = await page.$$eval('tr[data-metric] td:nth-child(2)', (cells) => cells.map((c) => c.dataset.value).join(' '));
    assert.ok(values[name].length > 20, name);
  }
  for (const name of Object.keys(FILES).filter((n) => n.startsWith('votes'))) assert.equal(values[name], values['votes.csv'], name);
  await page.done();
});

const SHAPES = {
  texts: 'text\nthe cat sat on the mat\nthe dog sat on the mat\nthe cat sat on the mat\na bird sang\n',
  labels: 'label\na\na\nb\nc\na\n', counts: 'category,count\na,10\nb,3\nc,1\n',
  wide: 'item,ann,bob,cem\n1,a,a,b\n2,b,b,b\n3,a,b,b\n4,a,a,a\n',
  preferences: `item,left,right,winner,judge\n${Array.from({ length: 30 }, (_, i) => `q${i % 5},m${i % 3},m${(i + 1) % 3},${i % 2 ? 'left' : 'right'},j${i % 2}`).join('\n')}\n`,
  answers: 'item,x,y,z,gold\n1,a,a,b,a\n2,b,b,b,b\n3,a,b,b,b\n4,a,a,a,b\n',
};

test('a file of every shape is measured', async () => {
  const page = await visit('#/signal', { ready: '.drop' });
  for (const [shape, text] of Object.entries(SHAPES)) {
    await page.setInputFiles('#file', { name: `${shape}.csv`, mimeType: 'text/csv', buffer: Buffer.from(text) });
    await page.waitForSelector(`h2:text-is("${shape}.csv")`);
    await measured(page);
    assert.match(await page.textContent('section.card .bar select option'), new RegExp(`recognised: ${shape}`));
    assert.ok((await page.$$('tr[data-metric]')).length > 3, shape);
  }
  await page.done();
});

test('a pair of raters leads to the items on which they differ', async () => {
  const page = await visit('#/signal?example=votes&draws=0', { ready: 'figure.figure svg' });
  await page.selectOption('label.field:has-text("Where two differ") select', 'eve~finn');
  const list = page.locator('figure:has-text("Where eve and finn differ")');
  const found = Number((await list.locator('p.note').textContent()).match(/(\d+) items?\.$/)[1]);
  const votes = readFileSync(join(DIST, 'example/votes.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
  const said = (name) => new Map(votes.filter((v) => v[1] === name).map((v) => [v[0], v[2]]));
  const [eve, finn] = [said('eve'), said('finn')];
  assert.equal(found, [...eve].filter(([item, label]) => finn.get(item) !== label).length);
  assert.match(page.url(), /pair=eve/);
  await page.done();
});

test('a file that is dropped is measured', async () => {
  const page = await visit('#/signal', { ready: '.drop' });
  const transfer = await page.evaluateHandle((text) => { const t = new DataTransfer(); t.items.add(new File([text], 'dropped.csv')); return t; }, String(FILES['votes.csv']));
  await page.dispatchEvent('.page', 'drop', { dataTransfer: transfer });
  await page.waitForSelector('h2:text-is("dropped.csv")');
  await measured(page);
  await page.done();
});

const BROKEN = {
  'cut.parquet': FILES['votes.parquet'].subarray(0, 200), 'empty.csv': Buffer.from(''), 'broken.json': Buffer.from('[{"item": 1,'), 'latin.csv': Buffer.from([0x69, 0x2c, 0x6c, 0x0a, 0xe9, 0x2c, 0x31]),
  'page.csv': Buffer.from('<!doctype html><p>no data'), 'cut.npy': FILES['vectors.npy'].subarray(0, 300), 'zip.csv': Buffer.from('PK\u0003\u0004xxxx'), 'ragged.csv': Buffer.from('item,worker,label\n1,a\n2,b,c,d\n'), 'strange.csv': Buffer.from('a b c\nx\ny\n'),
};

test('malformed files are told what is wrong, and the page goes on', async () => {
  const page = await visit('#/signal', { ready: '.drop' });
  for (const [name, buffer] of Object.entries(BROKEN)) {
    await page.setInputFiles('#file', { name, mimeType: 'text/plain', buffer });
    const alert = await page.waitForSelector('[role=alert]', { timeout: 20_000 }).catch(() => { throw new Error(`${name}: no message`); });
    const text = await alert.textContent();
    assert.ok(text.length > 25, `${name}: ${text}`);
    await page.setInputFiles('#file', { name: 'good.csv', mimeType: 'text/csv', buffer: FILES['votes.csv'] });
    await page.waitForSelector('h2:text-is("good.csv")');
    await measured(page);
  }
  await page.done();
});

test('columns can be corrected', async () => {
  const page = await visit('#/signal', { ready: '.drop' });
  await page.setInputFiles('#file', { name: 'odd.csv', mimeType: 'text/csv', buffer: Buffer.from(String(FILES['votes.csv']).replace('item,worker,label', 'thing,who,said')) });
  await page.waitForSelector('section.card');
  await page.evaluate(() => document.querySelectorAll('section.card details').forEach((d) => { d.open = true; }));
  for (const [name, role] of [['thing', 'item'], ['who', 'annotator'], ['said', 'label']]) await page.selectOption(`select[aria-label="What ${name} is for"]`, role);
  await page.waitForSelector('tr[data-metric=krippendorff-alpha]');
  await measured(page);
  assert.match(page.url(), /columns=item%3Dthing/);
  await page.done();
});

test('a slider recomputes its metric at once', async () => {
  const page = await visit('#/signal?example=embeddings&draws=50', { ready: 'tr[data-metric=vendi]' });
  await measured(page);
  const row = page.locator('tr[data-metric=vendi]').first();
  const was = await row.locator('td').first().textContent();
  await row.locator('summary').click();
  await row.locator('input[type=range]').first().fill('4');
  await page.waitForFunction((before) => document.querySelector('tr[data-metric=vendi] td').textContent !== before, was);
  assert.match(page.url(), /set-vendi=/);
  const [chosen, address] = [await row.locator('td').first().textContent(), page.url()];
  await page.reload();
  await measured(page);
  assert.equal(await row.locator('td').first().textContent(), chosen);
  await page.goto(address.replace(/set-vendi=[^&]*/, 'set-vendi=nothing%3D1'));
  await page.reload();
  await measured(page);
  assert.equal(await row.locator('td').first().textContent(), was);
  await page.done();
});

test('the neighbours of a point are those of the native library', async () => {
  const golden = JSON.parse(readFileSync(here('golden/neighbours.json'), 'utf8'));
  for (const { row, k, rows, cosines } of golden) {
    const page = await visit(`#/signal?example=embeddings&draws=0&point=${row + 1}&k=${k}`, { ready: '.neighbours li' });
    const shown = await page.$$eval('.neighbours li', (all) => all.map((one) => [Number(one.dataset.row), Number(one.dataset.cosine)]));
    assert.deepEqual(shown.map(([at]) => at), rows);
    shown.forEach(([, cosine], i) => assert.ok(Math.abs(cosine - cosines[i]) <= 1e-12, `${cosine} is not ${cosines[i]}`));
    // All of them are marked on the map, the point itself last.
    assert.deepEqual(await page.$$eval('.marks circle', (all) => all.map((one) => Number(one.dataset.row))), [...rows, row]);
    await page.done();
  }
});

test('neighbours are gone through, and their number is chosen', async () => {
  const page = await visit('#/signal?example=embeddings&draws=0', { ready: '.cloud canvas' });
  await measured(page);
  assert.match(await page.textContent('.neighbours'), /Choose a point/);
  await page.locator('.cloud canvas').scrollIntoViewIfNeeded();
  const box = await page.locator('.cloud canvas').boundingBox();
  await page.mouse.click(box.x + box.width / 4, box.y + box.height * 0.75);
  await page.waitForSelector('.neighbours li >> nth=9');
  const second = await page.locator('.neighbours li').nth(1).getAttribute('data-row');
  await page.locator('.neighbours li button').nth(1).click();
  await page.waitForFunction((row) => new URLSearchParams(location.hash.split('?')[1]).get('point') === String(Number(row) + 1), second);
  await page.fill('.neighbours input', '3');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('.neighbours li').length === 3);
  assert.match(page.url(), /k=3/);
  await page.reload();
  await page.waitForSelector('.neighbours li');
  assert.equal(await page.locator('.neighbours li').count(), 3);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('button[aria-label^="Save as SVG: Map"]')]);
  assert.match(readFileSync(await download.path(), 'utf8'), /<image.*<circle/s);
  await page.click('button[aria-label="Take the choice back"]');
  await page.waitForFunction(() => !location.hash.includes('point=') && document.querySelectorAll('.marks circle').length === 0);
  await page.done();
});

test('the keyboard goes from point to point of a map', async () => {
  const page = await visit('#/signal?example=embeddings&draws=0', { ready: '.cloud canvas' });
  await measured(page);
  await page.focus('button[aria-label^="Save the data as CSV: Map"]');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'cloud');
  const ring = () => page.evaluate(() => { const { m41, m42 } = new DOMMatrix(getComputedStyle(document.querySelector('.ring')).transform); return [m41, m42]; });
  const said = () => page.textContent('#live');
  assert.ok(await page.isVisible('.ring'));
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector('.cloud')).outlineStyle), 'none');
  assert.match(await said(), /text-\d+ · \w+, point \d+ of 600/);
  for (const [key, axis, sign] of [['ArrowRight', 0, 1], ['ArrowDown', 1, 1], ['ArrowLeft', 0, -1], ['ArrowUp', 1, -1]]) {
    const before = await ring();
    await page.keyboard.press(key);
    const now = await ring();
    assert.ok((now[axis] - before[axis]) * sign > 0, `${key}: ${before} to ${now}`);
  }
  await page.keyboard.press('Home');
  assert.match(await said(), /point 1 of 600/);
  await page.keyboard.press('PageDown');
  assert.match(await said(), /point 2 of 600/);
  await page.keyboard.press('PageUp');
  await page.keyboard.press('PageUp');
  assert.match(await said(), /point 600 of 600/);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.neighbours li');
  assert.match(page.url(), /point=600/);
  assert.match(await said(), /is chosen; the nearest of 10 neighbours is/);
  // Far enough to the right there is nothing more.
  for (let i = 0; i < 200 && !/No point/.test(await said()); i++) await page.keyboard.press('ArrowRight');
  assert.equal(await said(), 'No point to the right');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelectorAll('.neighbours li').length === 0);
  // The map is one stop of the keyboard: the next is outside.
  await page.keyboard.press('Tab');
  assert.ok(!(await page.isVisible('.ring')) && await page.evaluate(() => !document.activeElement.closest('.cloud')));
  await page.done();
});

test('a million votes are measured in seconds', async () => {
  const random = draws(9);
  const rows = ['item,worker,label'];
  for (let i = 0; i < 1_000_000; i++) rows.push(`${Math.floor(i / 5)},w${(i * 7) % 40},${random() < 0.8 ? 'a' : random() < 0.5 ? 'b' : 'c'}`);
  const path = join(folder, 'million.csv');
  writeFileSync(path, rows.join('\n'));
  const page = await visit('#/signal', { ready: '.drop' });
  const start = Date.now();
  await page.setInputFiles('#file', path);
  await measured(page);
  const seconds = (Date.now() - start) / 1000;
  console.log(`a million votes: ${seconds.toFixed(1)} s`);
  // Under 5 s on a quiet machine.
  assert.ok(seconds < 15, `${seconds} s`);
  await page.done();
});
