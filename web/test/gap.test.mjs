// The bindings as a page sees them: built for WebAssembly, loaded from bytes, called with typed arrays.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const folder = process.env.SUPERALIGN_WEB;
const web = await import(pathToFileURL(join(folder, 'superalign_web.js')));
web.initSync({ module: readFileSync(join(folder, 'superalign_web_bg.wasm')) });

const items = 1000;
/** The first `right` of 1,000 items are answered rightly. */
const first = (right) => new web.Answers(Uint8Array.from({ length: items }, (_, i) => Number(i < right)), 1);
const resampling = (groups) => new web.Resampling(500, 0.95, 7, groups);
const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-12, `${found} is not ${expected}`);

test('an estimate is a Float64Array of value and ends', () => {
  const found = web.capability(first(600), resampling());
  assert.ok(found instanceof Float64Array);
  assert.equal(found.length, 3);
  near(found[0], 0.6);
  assert.ok(found[1] < 0.6 && 0.6 < found[2]);
  // Two standard errors on either side, roughly.
  assert.ok(Math.abs(found[2] - found[1] - 4 * Math.sqrt(0.24 / items)) < 0.01);
});

test('the same seed gives the same interval', () => {
  assert.deepEqual(web.capability(first(600), resampling()), web.capability(first(600), resampling()));
});

test('gain and performance gap recovered', () => {
  near(web.gain(first(600), first(700), resampling())[0], 0.1);
  near(web.performanceGapRecovered(first(600), first(700), first(800), resampling())[0], 0.5);
});

test('items of one group are drawn together', () => {
  const width = (groups) => {
    const [, lo, hi] = web.capability(first(600), resampling(groups));
    return hi - lo;
  };
  const blocks = Uint32Array.from({ length: items }, (_, i) => Math.floor(i / 50));
  assert.ok(width(blocks) > 2 * width(undefined));
});

test('a student that fits all noise has capacity one', () => {
  const ratios = new Float64Array([0, 0.5, 1]);
  const all = new web.Answers(new Uint8Array(3 * items).fill(1), 3);
  near(web.noiseFittingCapacity(ratios, all, resampling())[0], 1);
});

test('an undefined quantity throws and says why', () => {
  assert.throws(
    () => web.performanceGapRecovered(first(600), first(700), first(600), resampling()),
    (error) => error instanceof Error && error.message.length > 20,
  );
  assert.throws(() => new web.Answers(new Uint8Array([0, 3]), 1), /answer 1 is 3: expected 0 \(wrong\) or 1 \(right\)/);
  assert.throws(() => web.gain(first(600), new web.Answers(new Uint8Array(10), 1), resampling()), Error);
  assert.throws(() => new web.Resampling(0.5, 0.95, 7), /0.5 draws: expected a whole number/);
});
