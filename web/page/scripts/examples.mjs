// Writes the built-in examples, public/example/*.csv: made up here, from a seed. Run it again and the same bytes come out.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../public/example/', import.meta.url));
mkdirSync(folder, { recursive: true });

/** Numbers in [0, 1) from a seed (mulberry32). */
function draws(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const normal = (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
const write = (name, lines) => writeFileSync(`${folder}${name}`, `${lines.join('\n')}\n`);

{ // Six raters of different care; the last mostly repeats what the fifth says.
  const draw = draws(1);
  const labels = ['safe', 'unsafe', 'unclear'];
  const raters = [['ada', 0.93], ['ben', 0.88], ['cleo', 0.82], ['dan', 0.74], ['eve', 0.58], ['finn', 0.55]];
  const lines = ['item,worker,label,gold'];
  for (let item = 1; item <= 240; item++) {
    const gold = draw() < 0.55 ? 0 : draw() < 0.6 ? 1 : 2;
    const hard = draw() * 0.35;
    let eve = 0;
    raters.forEach(([name, skill], r) => {
      let label = draw() < skill - hard ? gold : Math.floor(draw() * 3);
      if (name === 'eve') eve = label;
      if (name === 'finn' && draw() < 0.7) label = eve;
      lines.push(`reply-${String(item).padStart(3, '0')},${name},${labels[label]},${labels[gold]}`);
    });
  }
  write('votes.csv', lines);
}

{ // A model's probabilities, and labels of which about one in twelve is wrong.
  const draw = draws(2);
  const classes = [0, 1, 2]; // helpful, evasive, harmful
  const lines = ['id,label,p0,p1,p2'];
  for (let row = 1; row <= 800; row++) {
    const truth = draw() < 0.5 ? 0 : draw() < 0.6 ? 1 : 2;
    const logits = classes.map((_, c) => normal(draw) + (c === truth ? 2.4 : 0));
    const weights = logits.map((z) => Math.exp(1.3 * z));
    const sum = weights.reduce((a, b) => a + b, 0);
    const label = draw() < 0.08 ? (truth + 1 + Math.floor(draw() * 2)) % 3 : truth;
    const [a, b] = [Number((weights[0] / sum).toFixed(4)), Number((weights[1] / sum).toFixed(4))];
    lines.push(`answer-${row},${classes[label]},${a},${b},${(1 - a - b).toFixed(4)}`);
  }
  write('probabilities.csv', lines);
}

{ // Three topics; a fifth of the texts of the first are near copies of one another.
  const draw = draws(3);
  const width = 16;
  const topics = ['cooking', 'sailing', 'proofs'].map((name) => ({ name, centre: Array.from({ length: width }, () => 1.6 * normal(draw)) }));
  const copied = topics[0].centre.map((x) => x + 0.6 * normal(draw));
  const lines = ['id,label,embedding'];
  for (let row = 1; row <= 600; row++) {
    const topic = topics[row % 3];
    const copy = row % 3 === 0 && draw() < 0.2;
    const vector = topic.centre.map((x, j) => (copy ? copied[j] + 0.03 * normal(draw) : x + normal(draw)).toFixed(3));
    lines.push(`text-${row},${topic.name},"[${vector.join(',')}]"`);
  }
  write('embeddings.csv', lines);
}
