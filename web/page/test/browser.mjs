// The built page in Chromium, for the tests beside it: servers, a browser, and pages that fail for any error.
// `SUPERALIGN_SHOTS=folder` keeps screenshots there.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { fixture } from './fixture.mjs';
import { serve } from './serve.mjs';

export const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const DIST = here('../../dist');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SHOTS = process.env.SUPERALIGN_SHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
/** The page with runs, the page alone, the folder of the data, and the names of its runs. */
export let site, bare, folder, runs;
const LINES = ['a', 'b', 'c', 'd'].map((job, i) => JSON.stringify({ job, rows: [{ cell: `model=rung-${i}/student=probe/noise=uniform/ratio=0`, seed: 0, metric: 'test-accuracy', value: 0.5 + i / 10, lo: 0.4, hi: 0.9, n: 100, unit: 'share', error: null }], items: 'x', seconds: 0.1 }));

before(async () => {
  assert.ok(existsSync(join(DIST, 'index.html')), 'web/dist is not there: `cargo xtask page` builds it');
  folder = mkdtempSync(join(tmpdir(), 'superalign-page-'));
  runs = fixture(folder);
  site = await serve(DIST, folder, LINES);
  bare = await serve(DIST, undefined);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
});
after(async () => {
  await browser?.close();
  site?.close();
  bare?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** A page that fails the test for any error and any request to another origin. */
export async function visit(hash, { at = site, scheme = 'light', ready } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1320, height: 900 }, acceptDownloads: true });
  const page = await context.newPage();
  page.faults = [];
  page.on('console', (message) => { if (message.type() === 'error' && !/404/.test(message.text())) page.faults.push(message.text()); });
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('request', (request) => { if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== at.origin) page.faults.push(`asks ${request.url()}`); });
  await page.goto(`${at.url}${hash}`);
  if (ready) await page.waitForSelector(ready, { timeout: 60_000 });
  page.done = async () => { assert.deepEqual(page.faults, []); await context.close(); };
  return page;
}
/** Waits until all metrics of a file are there. */
export const measured = (page) => page.waitForFunction(() => /numbers? in [\d.]+ s/.test(document.body.textContent), undefined, { timeout: 120_000 });
export async function shot(page, name) { if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true }); }
export async function accessible(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }));
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`).join('; ')}`), []);
}
