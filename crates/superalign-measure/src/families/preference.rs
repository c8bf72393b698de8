//! Preferences between two candidates.

use crate::catalogue::{Metric, Need, Opt, Settings, metric, number, whole, word};
use crate::found::{Found, Outcome, Undefined, array, json_number, json_numbers, one};
use crate::input::Input;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use superalign_data::columns::NOTHING;
use superalign_data::signal::{Pairs, Winner};
use superalign_evaluation::peer_review::{
    BradleyTerry, Comparison, Davidson, Elo, Preferred, Tally, Ties, average_win_rate, bradley_terry,
    davidson, elo, pagerank, win_counts,
};
use superalign_signal::Votes;
use superalign_signal::preference::{
    Chance, Judgement, Transitivity, consistence, cycle_rate, cycle_rate_estimate, cycles, judge_agreement,
    judge_agreement_estimate, judge_pairs, length_bias, length_bias_estimate, length_slope,
    length_slope_estimate, position_bias, position_bias_estimate, self_preference, transitivity_violations,
};

const FAMILY: &str = "preference";
const PAIRS: (&str, Need) = (FAMILY, Need::Pairs);
const TIES: Opt = word("ties", &["half-win", "dropped"], "half-win", "half a win for each, or left out");

pub(super) const METRICS: &[Metric] = &[
    metric(PAIRS, "win-counts", "wins of each candidate, half of one for a tie", &[], &[""], |input, _| {
        let (list, players) = comparisons(input)?;
        scores(list.len(), &win_counts(&Tally::new(&list, players)?))
    }),
    metric(
        PAIRS,
        "win-rate",
        "mean win rate of each candidate against the others",
        &[],
        &[""],
        |input, _| {
            let (list, players) = comparisons(input)?;
            scores(list.len(), &average_win_rate(&Tally::new(&list, players)?)?)
        },
    ),
    metric(
        PAIRS,
        "bradley-terry",
        "log-strength of each candidate",
        &[
            TIES,
            number("ridge", "0", "penalty on the squared log-strengths"),
            word(
                "scale",
                &["log", "strength"],
                "log",
                "log-strengths, which sum to 0, or their exponentials",
            ),
        ],
        &[""],
        |input, set| {
            let (list, players) = comparisons(input)?;
            let ties = if set.word("ties") == "dropped" { Ties::Dropped } else { Ties::HalfWin };
            let by = BradleyTerry { ties, ridge: set.real("ridge") };
            let mut found = bradley_terry(&Tally::new(&list, players)?, &by)?;
            if set.word("scale") == "strength" {
                found.iter_mut().for_each(|theta| *theta = theta.exp());
            }
            scores(list.len(), &found)
        },
    ),
    metric(PAIRS, "davidson", "Bradley-Terry with a parameter for ties", &[], &[], |input, _| {
        let (list, players) = comparisons(input)?;
        let found = davidson(&Tally::new(&list, players)?, &Davidson::default())?;
        let mut all = scores(list.len(), &found.log_strengths)?;
        all.push(one(found.tie, list.len(), "comparisons").part("tie"));
        Ok(all)
    }),
    metric(
        PAIRS,
        "elo",
        "Elo ratings after all comparisons, in their order",
        &[
            number("initial", "1000", "at the start"),
            number("base", "10", "of the expected score"),
            number("scale", "400", "of the expected score"),
            number("step", "4", "most that one comparison changes"),
        ],
        &[],
        |input, set| {
            let (list, players) = comparisons(input)?;
            let by = Elo {
                initial: set.real("initial"),
                base: set.real("base"),
                scale: set.real("scale"),
                step: set.real("step"),
            };
            scores(list.len(), &elo(&list, players, &by)?)
        },
    ),
    metric(
        PAIRS,
        "pagerank",
        "PageRank of the candidates",
        &[number("damping", "0.85", "probability of following a comparison")],
        &[],
        |input, set| {
            let (list, players) = comparisons(input)?;
            scores(list.len(), &pagerank(&Tally::new(&list, players)?, set.real("damping"))?)
        },
    ),
    metric(PAIRS, "cycle-rate", "share of complete triads that are cyclic", &[], &[""], |input, _| {
        let (list, players) = comparisons(input)?;
        let n = list.len();
        let found =
            input.interval(|| cycle_rate(&list, players), |by| cycle_rate_estimate(&list, players, by));
        let counts = cycles(&list, players)?;
        Ok(vec![
            one(found, n, "comparisons"),
            one(counts.complete as f64, n, "comparisons").part("complete triads"),
            one(counts.cyclic as f64, n, "comparisons").part("cyclic triads"),
        ])
    }),
    metric(
        PAIRS,
        "consistence",
        "Kendall and Babington Smith's coefficient of consistence",
        &[],
        &[],
        |input, _| {
            let (list, players) = comparisons(input)?;
            Ok(vec![one(consistence(&list, players), list.len(), "comparisons")])
        },
    ),
    metric(
        PAIRS,
        "transitivity-violations",
        "share of triads that violate stochastic transitivity",
        &[word("form", &["weak", "moderate", "strong"], "weak", "which")],
        &[],
        |input, set| {
            let (list, players) = comparisons(input)?;
            let form = match set.word("form") {
                "moderate" => Transitivity::Moderate,
                "strong" => Transitivity::Strong,
                _ => Transitivity::Weak,
            };
            Ok(vec![one(transitivity_violations(&list, players, form), list.len(), "comparisons")])
        },
    ),
    Metric {
        family: FAMILY,
        name: "position-bias",
        about: "how often the place decides, where both orders were judged",
        needs: Need::BothOrders,
        options: &[],
        usual: &[""],
        run: position,
    },
    Metric {
        family: FAMILY,
        name: "length-bias",
        about: "how often the longer candidate wins, and correlations with the difference",
        needs: Need::Lengths,
        options: &[],
        usual: &[""],
        run: length,
    },
    Metric {
        family: FAMILY,
        name: "judge-agreement",
        about: "agreement of judges on the same items",
        needs: Need::Judges,
        options: &[whole(
            "answers",
            "0",
            "chance as of so many answers alike likely; 0: as often as they were given",
        )],
        usual: &[""],
        run: judges,
    },
    Metric {
        family: FAMILY,
        name: "self-preference",
        about: "how much more each judge prefers its own answers than others do",
        needs: Need::Authors,
        options: &[],
        usual: &[""],
        run: own,
    },
];

fn pairs<'a>(input: &'a Input<'_>) -> Result<&'a Pairs, Undefined> {
    input.signal.pairs.as_ref().ok_or_else(|| Undefined("there are no comparisons".to_owned()))
}

const fn preferred(winner: Winner) -> Option<Preferred> {
    match winner {
        Winner::Left => Some(Preferred::First),
        Winner::Right => Some(Preferred::Second),
        Winner::Tie => Some(Preferred::Tie),
        Winner::Nothing => None,
    }
}

const fn turned(preferred: Preferred) -> Preferred {
    match preferred {
        Preferred::First => Preferred::Second,
        Preferred::Second => Preferred::First,
        Preferred::Tie => Preferred::Tie,
    }
}

/// The comparisons that were decided or tied, and the number of candidates.
fn comparisons(input: &Input<'_>) -> Result<(Vec<Comparison>, usize), Undefined> {
    let pairs = pairs(input)?;
    let (Some(left), Some(right)) = (&pairs.left, &pairs.right) else {
        return Err(Undefined("the candidates are not named".to_owned()));
    };
    let rows = left.iter().zip(right).zip(&pairs.winner);
    let list = rows.filter_map(|((&first, &second), &winner)| {
        Some(Comparison { first, second, preferred: preferred(winner)? })
    });
    Ok((list.collect(), pairs.candidates.len()))
}

fn scores(n: usize, scores: &[f64]) -> Result<Vec<Found>, Undefined> {
    let mut found = array(json_numbers(scores), &["candidates"], n, "comparisons");
    found.detail = false;
    Ok(vec![found])
}

fn position(input: &Input<'_>, _: &Settings) -> Result<Vec<Found>, Undefined> {
    let (order, swapped) = both_orders(pairs(input)?)?;
    let n = order.len();
    let parts = |consistency: Outcome,
                 always_first: Outcome,
                 always_second: Outcome,
                 first_rate: Outcome,
                 bias: Outcome,
                 used: usize| {
        vec![
            one(consistency, used, "pairs").part("consistency"),
            one(always_first, used, "pairs").part("always first"),
            one(always_second, used, "pairs").part("always second"),
            one(first_rate, used, "pairs").part("first rate"),
            one(bias, used, "pairs").part("bias"),
        ]
    };
    if let Some(by) = &input.by
        && n > 0
        && let Ok(found) = position_bias_estimate(&order, &swapped, by)
    {
        let of = Outcome::Estimate;
        return Ok(parts(
            of(found.consistency),
            of(found.always_first),
            of(found.always_second),
            of(found.first_rate),
            of(found.bias),
            found.pairs,
        ));
    }
    let found = position_bias(&order, &swapped)?;
    Ok(parts(
        found.consistency.into(),
        found.always_first.into(),
        found.always_second.into(),
        found.first_rate.into(),
        found.bias.into(),
        found.pairs,
    ))
}

/// What was preferred by place, in the one order and in the other: of one row with both, or of two rows that show the
/// same two candidates of an item to the same judge.
fn both_orders(pairs: &Pairs) -> Result<(Vec<Preferred>, Vec<Preferred>), Undefined> {
    if let Some(swapped) = &pairs.winner_swapped {
        let both = pairs.winner.iter().zip(swapped);
        return Ok(both.filter_map(|(&a, &b)| Some((preferred(a)?, preferred(b)?))).unzip());
    }
    let (Some(items), Some(left), Some(right)) = (&pairs.items, &pairs.left, &pairs.right) else {
        return Err(Undefined("no two rows belong together: expected items and candidates".to_owned()));
    };
    let judge = |row: usize| pairs.judges.as_ref().map_or(0, |judges| judges.codes[row]);
    let mut groups: BTreeMap<(u32, u32, u32, u32), Vec<usize>> = BTreeMap::new();
    for row in 0..left.len() {
        let (a, b) = (left[row].min(right[row]), left[row].max(right[row]));
        groups.entry((items.codes[row], judge(row), a, b)).or_default().push(row);
    }
    let turned_row = |row: usize| pairs.swapped.as_ref().is_some_and(|swapped| swapped[row]);
    let mut orders = (Vec::new(), Vec::new());
    for rows in groups.values() {
        let [one, other] = rows.as_slice() else { continue };
        let (Some(mut a), Some(mut b)) = (preferred(pairs.winner[*one]), preferred(pairs.winner[*other]))
        else {
            continue;
        };
        // Where both rows name the candidates in the same order, only the mark tells which was shown the other way.
        if left[*one] == left[*other] {
            if turned_row(*one) == turned_row(*other) {
                continue;
            }
            if turned_row(*one) {
                a = turned(a);
            } else {
                b = turned(b);
            }
        }
        orders.0.push(a);
        orders.1.push(b);
    }
    if orders.0.is_empty() {
        return Err(Undefined("no item was judged in both orders".to_owned()));
    }
    Ok(orders)
}

fn length(input: &Input<'_>, _: &Settings) -> Result<Vec<Found>, Undefined> {
    let pairs = pairs(input)?;
    let Some((left, right)) = &pairs.lengths else {
        return Err(Undefined("the lengths are not there".to_owned()));
    };
    let (mut a, mut b, mut first) = (Vec::new(), Vec::new(), Vec::new());
    for (row, winner) in pairs.winner.iter().enumerate() {
        if matches!(winner, Winner::Left | Winner::Right) {
            a.push(left[row]);
            b.push(right[row]);
            first.push(*winner == Winner::Left);
        }
    }
    let n = a.len();
    let slope =
        input.interval(|| length_slope(&a, &b, &first), |by| length_slope_estimate(&a, &b, &first, by));
    let slope = one(slope, n, "decided pairs").part("slope").detail();
    if let Some(by) = &input.by
        && let Ok(found) = length_bias_estimate(&a, &b, &first, by)
    {
        let part = |found, part| one(Outcome::Estimate(found), n, "decided pairs").part(part);
        return Ok(vec![
            part(found.longer_preferred, "longer preferred"),
            part(found.point_biserial, "point-biserial"),
            part(found.spearman, "spearman"),
            slope,
        ]);
    }
    let found = length_bias(&a, &b, &first)?;
    let part = |found: f64, part| one(found, n, "decided pairs").part(part);
    Ok(vec![
        part(found.longer_preferred, "longer preferred"),
        part(found.point_biserial, "point-biserial"),
        part(found.spearman, "spearman"),
        slope,
    ])
}

/// The judges' votes: of an item and two candidates, which won, or which side where candidates are not named. Of a
/// judge who judged the same twice (in both orders, for one) the first vote.
fn votes_of_judges(pairs: &Pairs) -> Result<Votes, Undefined> {
    let (Some(items), Some(judges)) = (&pairs.items, &pairs.judges) else {
        return Err(Undefined("there are no judges".to_owned()));
    };
    let (mut item, mut rater, mut label) = (Vec::new(), Vec::new(), Vec::new());
    let (mut judged, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for (row, winner) in pairs.winner.iter().enumerate() {
        let side = |side: &Option<Vec<u32>>, otherwise: f64| {
            side.as_ref().map_or(otherwise, |side| f64::from(side[row]))
        };
        let won = match winner {
            Winner::Left => side(&pairs.left, 0.0),
            Winner::Right => side(&pairs.right, 1.0),
            Winner::Tie => pairs.candidates.len().max(2) as f64,
            Winner::Nothing => continue,
        };
        if items.codes[row] == NOTHING || judges.codes[row] == NOTHING {
            continue;
        }
        let two = pairs
            .left
            .as_ref()
            .zip(pairs.right.as_ref())
            .map(|(left, right)| (left[row].min(right[row]), left[row].max(right[row])));
        let count = judged.len() as u32;
        let place = *judged.entry((items.codes[row], two)).or_insert(count);
        if seen.insert((place, judges.codes[row])) {
            item.push(place);
            rater.push(judges.codes[row]);
            label.push(won);
        }
    }
    Ok(Votes::triples(&item, &rater, &label)?)
}

fn judges(input: &Input<'_>, set: &Settings) -> Result<Vec<Found>, Undefined> {
    let of_pairs;
    let votes = match &input.signal.pairs {
        Some(pairs) => {
            of_pairs = votes_of_judges(pairs)?;
            &of_pairs
        }
        None => input.votes()?,
    };
    let chance = match set.whole("answers") {
        0 => Chance::Pooled,
        answers => Chance::Uniform(answers as u32),
    };
    let n = votes.items();
    let per_pair: Value = judge_pairs(votes)
        .iter()
        .map(|pair| json!([pair.first, pair.second, pair.items, json_number(pair.agreement)]))
        .collect();
    const OVER: &[&str] = &["pairs", "first judge, second judge, items, agreement"];
    let per_pair = array(per_pair, OVER, n, "items").part("pairs");
    let parts = |mean: Outcome, corrected: Outcome, unanimous: Outcome, tied: Outcome| {
        vec![
            one(mean, n, "items").part("mean pairwise"),
            one(corrected, n, "items").part("chance-corrected"),
            one(unanimous, n, "items").part("unanimous"),
            one(tied, n, "items").part("tied items"),
        ]
    };
    let mut all = match &input.by {
        Some(by) => match judge_agreement_estimate(votes, chance, by) {
            Ok(found) => {
                let of = Outcome::Estimate;
                Some(parts(
                    of(found.mean_pairwise),
                    of(found.chance_corrected),
                    of(found.unanimous),
                    of(found.tied),
                ))
            }
            Err(_) => None,
        },
        None => None,
    }
    .map_or_else(
        || {
            let found = judge_agreement(votes, chance)?;
            Ok::<_, Undefined>(parts(
                found.mean_pairwise.into(),
                found.chance_corrected.into(),
                found.unanimous.into(),
                found.tied.into(),
            ))
        },
        Ok,
    )?;
    all.push(per_pair);
    Ok(all)
}

fn own(input: &Input<'_>, _: &Settings) -> Result<Vec<Found>, Undefined> {
    let pairs = pairs(input)?;
    let (Some(judges), Some((left, right))) = (&pairs.judges, &pairs.written) else {
        return Err(Undefined("judges and authors are not there".to_owned()));
    };
    // Judges and authors share their numbers where they share their names.
    let number = |name: &String, place: usize| {
        pairs.authors.iter().position(|author| author == name).unwrap_or(pairs.authors.len() + place) as u32
    };
    let numbers: Vec<u32> =
        judges.names.iter().enumerate().map(|(place, name)| number(name, place)).collect();
    let by = input
        .by
        .unwrap_or(superalign_core::Bootstrap { draws: 1, ..superalign_core::Bootstrap::new(input.seed) });
    let mut list = Vec::new();
    for (row, &winner) in pairs.winner.iter().enumerate() {
        let item = pairs.items.as_ref().map_or(row as u32, |items| items.codes[row]);
        let known = [item, judges.codes[row], left[row], right[row]].iter().all(|&code| code != NOTHING);
        if let Some(preferred) = preferred(winner).filter(|_| known) {
            let judge = numbers[judges.codes[row] as usize];
            list.push(Judgement { item, judge, first: left[row], second: right[row], preferred });
        }
    }
    let mut rows = Vec::new();
    for (name, &judge) in judges.names.iter().zip(&numbers) {
        if (judge as usize) < pairs.authors.len() {
            let found = self_preference(&list, judge, &by);
            rows.push(match found {
                Ok(found) if input.by.is_some() => json!([name, found.value, found.lo, found.hi]),
                Ok(found) => json!([name, found.value]),
                Err(why) => json!([name, null, why.to_string()]),
            });
        }
    }
    if rows.is_empty() {
        return Err(Undefined("no judge is an author: expected a name that is both".to_owned()));
    }
    const OVER: &[&str] = &["judges", "name, value, lower end, upper end"];
    let mut found = array(rows.into(), OVER, list.len(), "comparisons");
    found.detail = false;
    Ok(vec![found])
}
