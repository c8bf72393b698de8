// Every page: it loads, it can be used by everybody, and it leads to the others.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DIST, accessible, bare, folder, measured, runs, shot, site, visit } from './browser.mjs';
import { figureRuns } from './fixture.mjs';

const PAGES = [
  ['runs', '', 'table.wide tbody tr'], ['run', () => `#/run/${runs[0]}`, '.figures svg'], ['noise', () => `#/run/${runs[1]}`, '.figures svg'], ['unknown', () => `#/run/${runs[2]}`, '.figures svg'],
  ['items', () => `#/items/${runs[0]}?item=world%2Ftest%2Forder-1%2F0`, '.detail .vt-row.odd'], ['transcripts', () => `#/transcripts/${runs[2]}?open=0`, '.turns blockquote'], ['compare', () => `#/compare?a=${runs[0]}`, 'figure svg'], ['signal', '#/signal', '.drop'],
  ['signal-votes', '#/signal?example=votes&draws=100', '[data-figure=suspects]'], ['signal-probabilities', '#/signal?example=probabilities&draws=100', '[data-figure=suspects]'], ['signal-embeddings', '#/signal?example=embeddings&draws=100', '.cloud canvas'],
  ['runs-tagged', '#/?tags=paper', '.chip[aria-pressed=true]'], ['item-text', () => `#/items/${runs[0]}?item=world%2Ftest%2Forder-3%2F2&across=1`, '.others table tbody tr >> nth=1'], ['item-old', () => `#/items/${runs[2]}?item=world%2Ftest%2Forder-3%2F2`, '.texts .note:has-text("kept no texts")'],
  ['signal-neighbours', '#/signal?example=embeddings&draws=100&point=4', '.neighbours li'],
];
for (const [name, hash, ready] of PAGES) for (const scheme of ['light', 'dark']) {
  test(`${name} loads without errors and is accessible, ${scheme}`, async () => {
    const page = await visit(typeof hash === 'function' ? hash() : hash, { ready, scheme });
    if (name.startsWith('signal-')) await measured(page);
    await page.waitForTimeout(300);
    await shot(page, `${name}-${scheme}`);
    await accessible(page);
    await page.done();
  });
}

test('without runs there is something to look at', async () => {
  const page = await visit('', { at: bare, ready: '.cards' });
  await shot(page, 'welcome-light');
  await accessible(page);
  await page.click('.cards a >> nth=0');
  await measured(page);
  await page.done();
});

test('a click in a legend filters every figure', async () => {
  const page = await visit(`#/run/${runs[1]}`, { ready: '.figures .legend button' });
  await page.click('.figures .legend button:has-text("rung-1")');
  await page.waitForSelector('.chip:has-text("model = rung-1")');
  assert.match(page.url(), /model=rung-1/);
  await page.click('.chip');
  await page.waitForFunction(() => !location.hash.includes('model='));
  // So does a click on what it stands for.
  const plot = page.locator('.figures svg.picks').first();
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width / 3, box.y + box.height / 3);
  await page.mouse.down();
  await page.mouse.up();
  await page.waitForSelector('.chip:has-text("model = rung-")');
  await page.done();
});

test('figures are saved with their legend', async () => {
  const page = await visit(`#/run/${runs[1]}`, { ready: '.figures svg' });
  const saved = async (what) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.figure >> nth=0 >> button[aria-label^="${what}"]`)]);
    return readFileSync(await download.path());
  };
  const svg = String(await saved('Save as SVG'));
  assert.ok(svg.startsWith('<svg') && svg.includes('rung-3') && svg.includes('How much noise is learnt by heart') && !svg.includes('var(--'), svg.slice(0, 300));
  assert.equal((await saved('Save as PNG')).subarray(1, 4).toString(), 'PNG');
  const csv = String(await saved('Save the data as CSV')).trim().split('\n');
  assert.equal(csv[0], 'cell,seed,metric,value,lo,hi,n,unit,error');
  assert.equal(csv.length, 1 + 4 * 2 * 2 * 11);
  await page.done();
});

test('what was fitted and extrapolated is drawn with what was measured', async () => {
  const [calibration, annealing, evaluation] = figureRuns(folder);
  const page = await visit(`#/run/${calibration}`, { ready: '.figures svg' });
  const gains = page.locator('[data-figure="gain-against-gap-with-the-fit"]');
  assert.match(await gains.locator('p.note').textContent(), /The vertical line is the fitted optimum with its interval/);
  assert.equal(await gains.locator('svg g[stroke="var(--c2)"] line').count(), 1);
  assert.match(await page.textContent('body'), /0\.1\.0\+abc/);
  await page.goto(`${site.url}#/run/${annealing}`);
  const paths = page.locator('[data-figure="competence-and-conformity-round-by-round"]');
  await paths.locator('path[stroke-dasharray="5 4"], g[stroke-dasharray="5 4"] path').first().waitFor({ state: 'attached' });
  await page.goto(`${site.url}#/run/${evaluation}`);
  const bands = page.locator('[data-figure="extrapolated-beyond-what-can-be-checked"]');
  await bands.locator('svg').first().waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), bands.locator('button[aria-label^="Save the data as CSV"]').click()]);
  const rows = readFileSync(await download.path(), 'utf8').trim().split('\n').slice(1);
  // Three predictions and six measured levels for each of two; nothing of the teacher, of whom nothing is predicted.
  assert.equal(rows.length, 2 * 9);
  assert.ok(rows.every((row) => !/^teacher=rung-0\/share/.test(row)), rows.join('\n'));
  await page.done();
});

test('cells of a run that goes on appear as they finish', async () => {
  const page = await visit(`#/run/${runs[3]}`, { ready: '.progress' });
  await page.waitForFunction(() => document.querySelector('.progress').textContent.includes('4 jobs finished of 8'));
  // Four jobs of a tenth of a second each, on two processors.
  assert.match(await page.textContent('.progress'), /about 200 ms left/);
  await page.waitForSelector('.figures svg');
  await page.done();
});

test('what was said can be searched and read', async () => {
  const page = await visit(`#/transcripts/${runs[2]}`, { ready: '.vt-row.odd' });
  await page.fill('input[type=search]', 'line 299.');
  await page.waitForFunction(() => document.querySelector('strong[aria-live]').textContent.startsWith('1 interview of'));
  await page.click('.vt-body .vt-row >> nth=0');
  assert.match(await page.textContent('.turns'), /Ada is taller than Ben, says line 299/);
  await page.click('.detail a');
  await page.waitForSelector('.detail .vt-row.odd');
  const none = await visit(`#/transcripts/${runs[0]}`, { ready: 'h1' });
  await none.waitForFunction(() => document.body.textContent.includes('no model was interviewed'));
  await none.done();
  await page.done();
});

test('a comparison is that of the bindings', async () => {
  const page = await visit(`#/compare?a=${runs[0]}&sa=teacher%3Drung-0&sb=ceiling`, { ready: 'figure svg' });
  const cells = await page.$$eval('.vt-body .vt-row:not([hidden])', (rows) => rows.map((row) => [...row.children].map((c) => c.textContent)));
  assert.equal(cells.length, 8);
  const number = (text) => Number(text.split(' ')[0].replaceAll('\u2212', '-').replaceAll('\u202f', ''));
  for (const [, items, first, second, difference, table] of cells) {
    assert.match(items, /4.200 \(2.100\)/);
    const [only, other] = table.split(' / ').map(Number);
    // Shares of 4,200 items, shown in four digits.
    assert.ok(Math.abs(number(first) - number(second) - number(difference)) < 2e-4 && Math.abs((only - other) / 4200 - number(difference)) < 1e-4, table);
    assert.ok(number(difference) < 0, 'the ceiling is better by design');
  }
  await page.click('.vt-body .vt-row >> nth=0');
  await page.waitForSelector('h2:has-text("Where the two differ")');
  assert.match(page.url(), /cell=/);
  await page.done();
});

test('a run that is not there is told, and the page goes on', async () => {
  const page = await visit('#/run/none-1', { ready: '[role=alert]' });
  assert.match(await page.textContent('[role=alert]'), /404/);
  await page.click('[role=alert] a');
  await page.waitForSelector('table.wide');
  await page.done();
});

test('the whole page is small, and its first paint early', async () => {
  let bytes = 0;
  const walk = (at) => readdirSync(at, { withFileTypes: true }).forEach((entry) => { const path = join(at, entry.name); if (entry.isDirectory()) walk(path); else bytes += gzipSync(readFileSync(path)).length; });
  walk(DIST);
  console.log(`the page: ${(bytes / 1024).toFixed(0)} KiB gzip`);
  assert.ok(bytes < 1.5 * 1024 * 1024, `${bytes} bytes`);
  const page = await visit('', { ready: 'table.wide tbody tr' });
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  console.log(`first contentful paint: ${paint.toFixed(0)} ms`);
  assert.ok(paint < 3000, `${paint} ms`);
  await page.done();
});
