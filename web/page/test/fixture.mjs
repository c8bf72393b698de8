// A folder of runs such as the server lays out beside the page, made up from a seed.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';

/** Numbers in [0, 1) from a seed (mulberry32). */
export function draws(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const RUNGS = ['rung-0', 'rung-1', 'rung-2', 'rung-3'];
const HEAD = 'experiment,cell,seed,metric,value,lo,hi,n,unit,error';

const nameOf = (i) => `world/test/order-${1 + (i % 6)}/${i}`;

/** Item-level results: `items` items, each judged by four rungs under three signals with two seeds. */
function items(count, seed, models = RUNGS, signals = ['teacher=rung-0', 'teacher=rung-1', 'ceiling'], seeds = 2) {
  const draw = draws(seed);
  const columns = Object.fromEntries(['item', 'group', 'family', 'part', 'model', 'signal', 'difficulty', 'conflict', 'gold', 'seed', 'given', 'probability'].map((name) => [name, []]));
  for (let s = 0; s < seeds; s++) for (const [m, model] of models.entries()) for (const signal of signals) for (let i = 0; i < count; i++) {
    const gold = i % 2 === 0;
    const difficulty = 1 + (i % 6);
    const right = draw() < 0.5 + 0.1 * (m + 1) - 0.04 * difficulty + (signal === 'ceiling' ? 0.1 : 0);
    const sure = 0.5 + 0.5 * draw();
    const row = { item: nameOf(i), group: `group-${i >> 1}`, family: i % 3 ? 'order' : 'chain', part: 'test', model, signal, difficulty: BigInt(difficulty), conflict: i % 11 === 0, gold, seed: BigInt(s), given: i % 4 ? null : Number(gold), probability: right === gold ? sure : 1 - sure };
    for (const [name, value] of Object.entries(row)) columns[name].push(value);
  }
  const type = { difficulty: 'INT64', seed: 'INT64', conflict: 'BOOLEAN', gold: 'BOOLEAN', given: 'DOUBLE', probability: 'DOUBLE' };
  return Buffer.from(parquetWriteBuffer({ columnData: Object.entries(columns).map(([name, data]) => ({ name, data, type: type[name] ?? 'STRING' })) }));
}

/** What stands in the texts of the fixture: a word of its own for each item, and answers that differ in their last word. */
export const wordOf = (i) => `w${String(i).padStart(6, '0')}x`;
const textOf = (i, long) => `${wordOf(i >> 1)} ${'stands among the others of its passage, which says little. '.repeat(long)}Who is taller, Ada or Ben? ${i % 2 ? 'Ben' : 'Ada'}`;

/** Texts of `count` items; those of even number are right, and two that follow each other answer one request. */
function texts(count, long) {
  const all = Array.from({ length: count }, (_, i) => i);
  const column = (name, type, of) => ({ name, type, data: all.map(of) });
  return Buffer.from(parquetWriteBuffer({ columnData: [
    column('item', 'STRING', nameOf), column('part', 'STRING', () => 'test'), column('group', 'STRING', (i) => `group-${i >> 1}`),
    column('family', 'STRING', (i) => (i % 3 ? 'order' : 'chain')), column('objective', 'STRING', () => 'competence'), column('difficulty', 'INT64', (i) => BigInt(1 + (i % 6))),
    column('conflict', 'BOOLEAN', (i) => i % 11 === 0), column('gold', 'BOOLEAN', (i) => i % 2 === 0), column('text', 'STRING', (i) => textOf(i, long)),
    // Every third request holds its answers apart.
    column('answer', 'STRING', (i) => ((i >> 1) % 3 ? null : i % 2 ? 'Ben' : 'Ada')),
  ] }));
}

/** A run of that many items, each with one row and a text of some 300 letters; it is in no list. */
export function manyTexts(folder, count) {
  const at = join(folder, 'data', 'many-00000009');
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'items.parquet'), items(count, 9, ['rung-0'], ['ceiling'], 1));
  writeFileSync(join(at, 'texts.parquet'), texts(count, 4));
  return 'many-00000009';
}

function weakToStrong() {
  const lines = [];
  RUNGS.forEach((teacher, t) => RUNGS.slice(t).forEach((student, j) => {
    for (const loss of ['xent', 'logconf']) {
      const cell = `teacher=${teacher}/student=${student}/loss=${loss}`;
      const gain = 0.01 * j + (loss === 'logconf' ? 0.004 : 0) - 0.005;
      lines.push(`${cell},,gain,${gain},${gain - 0.02},${gain + 0.02},1024,difference,`);
      lines.push(`${cell},,supervision-gap,${0.05 * j},${0.05 * j - 0.02},${0.05 * j + 0.02},1024,difference,`);
      lines.push(`${cell},,agreement,${0.9 - 0.03 * j},${0.88 - 0.03 * j},${0.92 - 0.03 * j},1024,share,`);
      lines.push(j < 1 ? `${cell},,pgr,,,,1024,ratio,"the gap is 0, its interval [-0.02, 0.02]: PGR is undefined"` : `${cell},,pgr,${0.2 + 0.1 * j},${0.1 * j},${0.4 + 0.1 * j},1024,ratio,`);
    }
  }));
  return lines.map((line) => `weak-to-strong,${line}`);
}

function noise() {
  const lines = [];
  RUNGS.forEach((model, m) => ['probe', 'trunk'].forEach((student) => ['uniform', 'teacher-made'].forEach((kind) => {
    for (let r = 0; r <= 10; r++) for (let seed = 0; seed < 3; seed++) {
      const y = 0.95 - 0.5 * (r / 10) * (1 - 0.2 * m) + 0.01 * seed;
      lines.push(`model=${model}/student=${student}/noise=${kind}/ratio=${r / 10},${seed},train-accuracy-noisy,${y},${y - 0.03},${y + 0.03},1024,share,`);
    }
    lines.push(`model=${model}/student=${student}/noise=${kind},,noise-fitting-capacity,${0.15 + 0.1 * m},${0.12 + 0.1 * m},${0.18 + 0.1 * m},1024,share,`);
  })));
  return lines.map((line) => `noise-capacity,${line}`);
}

/** Runs with figures that the listed ones lack; they are in no list. */
export function figureRuns(folder) {
  const calibration = ['calibration/loss=xent,,calibrated-gap,0.12,0.08,0.9,1024,difference,'];
  const annealing = [];
  const evaluation = [];
  RUNGS.slice(1).forEach((student, s) => [0.1, 0.5, 0.9].forEach((share, i) => {
    const cell = `teacher=rung-0/share=${share}/student=${student}/loss=xent`;
    const gap = 0.05 * (s + i);
    calibration.push(`${cell},,supervision-gap,${gap},${gap - 0.02},${gap + 0.02},1024,difference,`, `${cell},,gain,${0.05 - (gap - 0.12) ** 2},0,0.1,1024,difference,`);
  }));
  for (let g = 0; g <= 10; g++) calibration.push(`calibration/loss=xent/gamma=${g / 40},,fitted-gain,${0.05 - (g / 40 - 0.12) ** 2},0.02,0.07,1024,difference,`);
  for (const policy of ['direct', 'linear']) for (let round = 1; round <= 3; round++) {
    const cell = `policy=${policy}/plan=parallel/round=${round}`;
    annealing.push(`${cell},,competence,${policy === 'linear' ? 0.5 + 0.05 * round : 0.6 - 0.02 * round},0.4,0.8,1024,share,`, `${cell},,conformity,${policy === 'linear' ? 0.7 - 0.05 * round : 0.5},0.4,0.8,1024,share,`);
  }
  for (const place of ['ceiling=rung-0/share=0.8', 'teacher=rung-0/student=rung-1/share=0.8', 'teacher=rung-0/share=0.8']) for (let d = 1; d <= 6; d++) {
    evaluation.push(`${place}/difficulty=${d},,solved-tasks,${0.9 - 0.05 * d},${0.85 - 0.05 * d},${0.95 - 0.05 * d},432,share,`);
    // Teachers are extrapolated by nobody.
    if (d > 3 && !/^teacher=[^/]*[/]share/.test(place)) evaluation.push(`extrapolation/${place}/difficulty=${d},,predicted,${0.88 - 0.05 * d},${0.6 - 0.05 * d},${1.1 - 0.05 * d},432,share,`);
  }
  return [['gap-calibration', calibration], ['gap-annealing', annealing], ['evaluation', evaluation]].map(([experiment, lines]) => {
    const name = `${experiment}-0000000a`;
    mkdirSync(join(folder, 'data', name), { recursive: true });
    writeFileSync(join(folder, 'data', name, 'manifest.json'), JSON.stringify(manifest(experiment, 'Figures', 'complete', 0)));
    writeFileSync(join(folder, 'data', name, 'metrics.csv'), `${[HEAD, ...lines.map((line) => `${experiment},${line}`)].join('\n')}\n`);
    return name;
  });
}

const manifest = (experiment, title, status, i) => ({
  schema: 1, status, failed: experiment === 'hearings' ? 1 : 0, unexpected: [], command: `superalign run ${experiment}`, started: 1_795_000_000 + 3600 * i,
  host: { platform: 'linux-x86_64', processors: 2 }, seconds: { training: 12.5 + i },
  plan: { experiment, title, question: 'Is it so?\n\nWe look.', profile: 'quick', design: {}, seeds: [0, 1], data: { source: 'world 1', parts: [{ name: 'test', role: 'tests', items: 100, groups: 50 }] }, rungs: RUNGS.map((rung) => ({ name: rung, model: { parameters: 65125, runtime: 'tract' } })), code: '0.1.0+abc' },
});

/** Something that the page has never heard of. */
function other() {
  const lines = [];
  for (const arm of ['naive', 'advised', 'debate']) for (let round = 1; round <= 4; round++) lines.push(`arm=${arm}/round=${round},,accuracy,${0.6 + 0.03 * round},${0.55 + 0.03 * round},${0.65 + 0.03 * round},500,share,`);
  lines.push('arm=broken,,accuracy,,,,500,share,the judge did not answer');
  return lines.map((line) => `hearings,${line}`);
}

/** Writes the folder `data`; `count` items in the first run (24 rows each). */
export function fixture(folder, count = 4200) {
  const runs = [
    { experiment: 'weak-to-strong', title: 'How much of the gap comes back?', lines: weakToStrong(), count, status: 'complete', tags: ['baseline', 'paper'] },
    { experiment: 'noise-capacity', title: 'How much label noise can each rung learn by heart?', lines: noise(), count: 60, status: 'complete', tags: ['paper'] },
    // Of a version that kept no texts.
    { experiment: 'hearings', title: 'An experiment of tomorrow', lines: other(), count: 60, status: 'complete' },
    { experiment: 'noise-capacity', title: 'Still at it', lines: [], count: 0, status: 'started' },
  ];
  const list = runs.map((run, i) => {
    const name = `${run.experiment}-0000000${i}`;
    const at = join(folder, 'data', name);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'manifest.json'), JSON.stringify(manifest(run.experiment, run.title, run.status, i)));
    if (run.status === 'complete') {
      writeFileSync(join(at, 'metrics.csv'), `${[HEAD, ...run.lines].join('\n')}\n`);
      writeFileSync(join(at, 'items.parquet'), items(run.count, i + 1));
      if (run.experiment !== 'hearings') writeFileSync(join(at, 'texts.parquet'), texts(run.count, 1 + i));
      writeFileSync(join(at, 'report.html'), '<!doctype html><title>report</title>');
      if (run.experiment === 'hearings') {
        writeFileSync(join(at, 'transcripts.jsonl'), Array.from({ length: 300 }, (_, t) => JSON.stringify({
          signal: `arm=${['naive', 'advised', 'debate'][t % 3]}/round=1`, item: `world/test/order-${1 + (t % 6)}/${t % 60}`, protocol: ['alone', 'debate'][t % 2], seed: 0, verdict: (t % 10) / 10,
          turns: [{ role: 'advisor', model: 'rung-3', prompt: 'Who is taller?', text: `Ada is taller than Ben, says line ${t}.`, quotes: [{ text: 'Ada > Ben', verified: t % 2 === 0 }], probability: null, tokens: 12 }, { role: 'judge', model: 'rung-0', prompt: 'Is it so?', text: '', quotes: [], probability: (t % 10) / 10, tokens: 1 }],
        })).join('\n'));
      }
    }
    return { folder: name, experiment: run.experiment, title: run.title, profile: 'quick', status: run.status, started: 1_795_000_000 + 3600 * i, seconds: 12.5 + i, failed: run.experiment === 'hearings' ? 1 : 0, cells: run.lines.length, digest: String(i).repeat(64), tags: run.tags ?? [], files: readdirSync(at) };
  });
  writeFileSync(join(folder, 'data', 'runs.json'), JSON.stringify({ schema: 1, live: true, runs: list }));
  return list.map((run) => run.folder);
}
