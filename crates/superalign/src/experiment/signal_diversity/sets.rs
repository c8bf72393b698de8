//! Sets of sources: what is estimated of them, what is true of them, their combined labels, and the students of those.

#![expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]

use super::{
    CLUSTERS, CORRELATION, ESTIMATE_ERROR, ESTIMATED, ESTIMATED_CORRELATION, INDEPENDENT, KIN_ERROR, LABELS,
    Q, TEST, VENDI, ceiling_cell, rule_cell, set_cell, source_cell,
};
use crate::experiment::score::{Said, Speaker, Truth, bootstrap, drawn, item_rows};
use crate::experiment::{Found, FoundBy, Inputs, Job, probe_config};
use crate::record::Row;
use crate::spec::{LossName, SetName, SignalDiversity};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use superalign_core::{Bootstrap, Estimate, below};
use superalign_learner::{fit, fit_sweep};
use superalign_paradigm::diversify::{Config, Dependence, Reliability, combine, kin, reliability};
use superalign_paradigm::{Paradigm, Signal, Source};
use superalign_signal::embedding::{Diagonal, vendi_score_of_kernel};
use superalign_signal::ensemble::{
    IndependentSources, Outcomes, Pairwise, independent_sources, outcome_correlation, pairwise,
};

/// Resamples for the intervals of what is true of a set.
const DRAWS: usize = 200;

/// A label for every item of the student part, by the cell that it makes.
type Lessons = Vec<(String, Result<Vec<f64>, String>)>;

/// All sets of a seed, and the students of all signals.
pub(super) fn run(design: &SignalDiversity, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
    let mut sets = Sets {
        design,
        job,
        inputs,
        seed: job.seed.unwrap_or_default(),
        found: Found::default(),
        lessons: Vec::new(),
    };
    let said = Said::read(earlier);
    for source in design.sources(inputs.plan.rungs.len()) {
        let cell = source_cell(source, inputs.plan);
        let label = said.about(&cell, sets.seed, "student").map(<[f64]>::to_vec);
        sets.lessons.push((cell, label));
    }
    for &set in &design.set {
        sets.set(set, &said);
    }
    if let Err(why) = sets.students() {
        let cells: Vec<String> = sets.lessons.iter().map(|(cell, _)| cell.clone()).collect();
        for cell in [ceiling_cell(sets.rung())].into_iter().chain(cells) {
            sets.push(&cell, TEST, "share", 0, Err(why.clone()));
        }
    }
    sets.found
}

struct Sets<'a> {
    design: &'a SignalDiversity,
    job: &'a Job,
    inputs: &'a Inputs<'a>,
    seed: u64,
    found: Found,
    lessons: Lessons,
}

impl Sets<'_> {
    fn rung(&self) -> &str {
        &self.inputs.plan.rungs[self.job.rung].name
    }

    fn push(&mut self, cell: &str, metric: &str, unit: &str, n: usize, outcome: Result<Estimate, String>) {
        self.found.rows.push(Row::new(cell, Some(self.seed), metric, unit, n, outcome));
    }

    fn interval(&self, cell: &str, metric: &str) -> Bootstrap {
        bootstrap(self.inputs.plan, &format!("{cell}/{metric}/{}", self.seed))
    }

    /// The votes of a set's members as a signal.
    fn signal(&self, set: SetName, said: &Said) -> Result<Signal, String> {
        let plan = self.inputs.plan;
        let student = Truth::of(self.inputs.parts, "student")?;
        let members = self.design.members_of(set, plan.rungs.len());
        let mut votes = Array2::zeros((student.len(), members.len()));
        let mut sources = Vec::new();
        for (member, mut column) in members.iter().zip(votes.columns_mut()) {
            let cell = source_cell(*member, plan);
            let votes = said.about(&cell, self.seed, "student")?;
            column.iter_mut().zip(votes).for_each(|(to, from)| *to = *from);
            sources.push(Source {
                seed: Some(self.seed),
                ..Source::new(&cell, Paradigm::WeakToStrong, &plan.rungs[member.rung()].name)
            });
        }
        let items = student.part.items.iter().map(|item| item.id.clone()).collect();
        Signal::mean(items, sources, votes).map_err(|e| e.to_string())
    }

    fn set(&mut self, set: SetName, said: &Said) {
        let cell = set_cell(set);
        let (signal, student) = match (self.signal(set, said), Truth::of(self.inputs.parts, "student")) {
            (Ok(signal), Ok(student)) => (signal, student),
            (Err(why), _) | (_, Err(why)) => {
                self.push(&cell, ESTIMATED_CORRELATION, "correlation", 0, Err(why.clone()));
                for &rule in &self.design.rule {
                    self.lessons.push((rule_cell(set, rule), Err(why.clone())));
                }
                return;
            }
        };
        let n = student.len();
        // Nothing here is told the truth: votes and groups go in.
        let config = Config { bootstrap: self.interval(&cell, ESTIMATED), ..Config::default() };
        let estimated =
            reliability(signal.votes(), Some(&student.groups), &config).map_err(|e| e.to_string());
        for &rule in &self.design.rule {
            let label = combine(&signal, rule.rule(), &config).map_err(|e| e.to_string());
            self.lessons
                .push((rule_cell(set, rule), label.map(|combined| combined.signal.labels().to_vec())));
        }
        let by_kin = self.by_kin(&cell, &signal, &student.groups);
        for (place, source) in signal.sources().iter().enumerate() {
            let cell = format!("{cell}/{}", source.name);
            let accuracy = estimated.as_ref().map(|found| found.accuracy[place]).map_err(Clone::clone);
            let column = signal.votes().column(place).to_vec();
            let right = student.correct(&column).iter().filter(|right| **right).count() as f64 / n as f64;
            // The truth is that of these very items, so that the estimate alone varies.
            let less = |e: Estimate| Estimate { value: e.value - right, lo: e.lo - right, hi: e.hi - right };
            self.push(&cell, ESTIMATED, "share", n, accuracy.clone());
            self.push(&cell, ESTIMATE_ERROR, "difference", n, accuracy.map(less));
            if let Some(found) = &by_kin {
                let accuracy = found.as_ref().map(|found| less(found.accuracy[place])).map_err(Clone::clone);
                self.push(&cell, KIN_ERROR, "difference", n, accuracy);
            }
        }
        let shared = estimated.as_ref().map(|found| found.mean_correlation).map_err(Clone::clone);
        self.push(&cell, ESTIMATED_CORRELATION, "correlation", n, shared);
        let clusters = estimated.map(|found| {
            let value = found.clusters.iter().max().map_or(0.0, |last| *last as f64 + 1.0);
            Estimate { value, lo: value, hi: value }
        });
        self.push(&cell, CLUSTERS, "count", n, clusters);
        self.true_diversity(&cell, &signal, &student);
    }

    /// What is estimated where sources of one rung are taken to err together; nothing where that is no news, or leaves
    /// fewer than three clusters.
    fn by_kin(&self, cell: &str, signal: &Signal, groups: &[u32]) -> Option<Result<Reliability, String>> {
        let kin = kin(signal.sources());
        let rungs = kin.iter().max().map_or(0, |last| last + 1);
        if rungs < 3 || rungs == kin.len() {
            return None;
        }
        let dependence = Dependence::Known(kin);
        let config = Config { dependence, bootstrap: self.interval(cell, KIN_ERROR), ..Config::default() };
        Some(reliability(signal.votes(), Some(groups), &config).map_err(|e| e.to_string()))
    }

    /// How differently the members vote and err, by the truth.
    fn true_diversity(&mut self, cell: &str, signal: &Signal, student: &Truth<'_>) {
        let gold = student.evaluation();
        let said = signal.votes().mapv(|vote| vote >= 0.5);
        let right = Array2::from_shape_fn(said.dim(), |(i, k)| said[[i, k]] == gold[i]);
        let by = Bootstrap { draws: DRAWS, ..self.interval(cell, CORRELATION) };
        let of_errors = over_items(right.view(), &student.groups, &by, errors);
        for (found, (metric, unit)) in of_errors.into_iter().zip([
            (CORRELATION, "correlation"),
            (Q, "correlation"),
            (INDEPENDENT, "count"),
        ]) {
            self.push(cell, metric, unit, student.len(), found);
        }
        for found in over_items(said.view(), &student.groups, &by, |said| [voters(said)]) {
            self.push(cell, VENDI, "count", student.len(), found);
        }
    }

    /// One student of the strongest rung for every label, and one for the truth.
    fn students(&mut self) -> Result<(), String> {
        let plan = self.inputs.plan;
        let (own, test) = (Truth::of(self.inputs.parts, "student")?, Truth::of(self.inputs.parts, "test")?);
        let features = &self.inputs.features[self.job.rung];
        let drawn = drawn(&own, self.design.resample, plan.seed(self.seed, "student"))?;
        let x = features.part("student")?.select(Axis(0), &drawn);
        let test_x = features.part("test")?;
        let known: Vec<&[f64]> = self.lessons.iter().filter_map(|(_, l)| l.as_deref().ok()).collect();
        let labels = Array2::from_shape_fn((drawn.len(), known.len()), |(i, k)| known[k][drawn[i]]);
        let config = probe_config(plan, LossName::Xent);
        let mut probes = fit_sweep(x.view(), labels.view(), &config).into_iter();
        let mut next = || -> Result<Vec<f64>, String> {
            let probe = probes.next().ok_or("the sweep gave too few probes")?.map_err(|e| e.to_string())?;
            Ok(probe.probabilities(test_x).map_err(|e| e.to_string())?.to_vec())
        };
        // By itself: in one sweep the truth would change the last bits of what the others learn.
        let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(own.ceiling()[i])).collect();
        let ceiling = fit(x.view(), gold.view(), &config)
            .and_then(|probe| probe.probabilities(test_x))
            .map_or_else(|e| Err(e.to_string()), |said| Ok(said.to_vec()));
        let mut said: Vec<(String, Result<Vec<f64>, String>)> = Vec::new();
        for (cell, label) in &self.lessons {
            said.push((cell.clone(), label.as_ref().map_err(Clone::clone).and_then(|_| next())));
        }
        said.push((ceiling_cell(self.rung()), ceiling));
        for (cell, label) in std::mem::take(&mut self.lessons) {
            // Sources wrote down their labels themselves.
            if let (Ok(label), true) = (&label, cell.starts_with("set=")) {
                self.judged(&cell, LABELS, &own, label);
            }
            self.lessons.push((cell, label));
        }
        for (cell, said) in said {
            match said {
                Ok(said) => self.judged(&cell, TEST, &test, &said),
                Err(why) => self.push(&cell, TEST, "share", 0, Err(why)),
            }
        }
        Ok(())
    }

    /// Writes down what is said of a part, and how right it is.
    fn judged(&mut self, cell: &str, metric: &str, truth: &Truth<'_>, said: &[f64]) {
        let by = self.interval(cell, metric);
        let outcome = superalign_gap::capability(&truth.correct(said), Some(&truth.groups), &by);
        self.push(cell, metric, "share", truth.len(), outcome.map_err(|e| e.to_string()));
        let model = self.rung().to_owned();
        let speaker = Speaker { model: &model, signal: cell, seed: self.seed };
        let rows = item_rows(&speaker, truth.part, said, |_| None);
        self.found.items.extend(rows);
    }
}

/// Statistics of a table (items, sources), with their intervals over resampled groups of items.
fn over_items<const N: usize>(
    table: ArrayView2<'_, bool>,
    groups: &[u32],
    by: &Bootstrap,
    of: impl Fn(ArrayView2<'_, bool>) -> [Result<f64, String>; N],
) -> [Result<Estimate, String>; N] {
    let values = of(table);
    let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    groups.iter().enumerate().for_each(|(item, &group)| members[group as usize].push(item));
    let mut draws: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(by.draws));
    for n in 0..by.draws as u64 {
        let mut rng = by.seed.nth(n).rng();
        let places: Vec<usize> =
            (0..count).flat_map(|_| members[below(&mut rng, count)].iter().copied()).collect();
        let drawn = of(table.select(Axis(0), &places).view());
        draws.iter_mut().zip(drawn).for_each(|(draws, value)| draws.extend(value));
    }
    let mut draws = draws.into_iter();
    values.map(|value| {
        let draws = draws.next().unwrap_or_default();
        let (value, undefined) = (value?, by.draws - draws.len());
        if undefined * 20 > by.draws {
            return Err(format!("it does not exist in {undefined} of {} resamples", by.draws));
        }
        Ok(by.interval(value, draws))
    })
}

/// Mean correlation of errors, mean Q, and the number of sources that err apart which these are worth.
fn errors(right: ArrayView2<'_, bool>) -> [Result<f64, String>; 3] {
    let outcomes = match Outcomes::new(right) {
        Ok(outcomes) => outcomes,
        Err(why) => return std::array::from_fn(|_| Err(why.to_string())),
    };
    let table = outcome_correlation(&outcomes).map_err(|e| e.to_string());
    let correlation = table.clone().map(|table| {
        let k = table.nrows() as f64;
        (table.sum() - k) / (k * (k - 1.0))
    });
    let q = pairwise(&outcomes, Pairwise::QStatistic).and_then(|pairs| {
        let n = pairs.len() as f64;
        Ok(pairs.into_iter().map(|pair| pair.value).sum::<Result<f64, _>>()? / n)
    });
    let worth = table.and_then(|table| {
        independent_sources(table.view(), IndependentSources::MeanCorrelation).map_err(|e| e.to_string())
    });
    [correlation, q.map_err(|e| e.to_string()), worth]
}

/// The Vendi score of the mean products of votes, yes as 1 and no as -1.
fn voters(said: ArrayView2<'_, bool>) -> Result<f64, String> {
    let signs = said.mapv(|yes| if yes { 1.0 } else { -1.0 });
    let kernel = signs.t().dot(&signs) / said.nrows() as f64;
    vendi_score_of_kernel(kernel.view(), 1.0, Diagonal::Ones, None).map_err(|e| e.to_string())
}
