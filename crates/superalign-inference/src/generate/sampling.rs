//! The choice of the next token: filters of scores, and a draw.
//!
//! Scores are logits over the vocabulary, one per token id; a token that a filter takes out has the score minus
//! infinity. Formulas and order are those of the logits processors of transformers: repetition penalty, then
//! (when tokens are drawn) temperature, top-k, top-p, min-p, softmax. Every filter leaves the most probable token.

use super::options::{Filters, Sampling};

/// Divides the positive scores of tokens in `seen` by `penalty`, and multiplies the negative ones by it
/// (Keskar et al. 2019). A token that is in `seen` twice is penalised once; ids outside the scores are passed over.
///
/// ```
/// let mut scores = [2.0, -1.0, 0.5];
/// superalign_inference::sampling::repetition_penalty(&mut scores, &[0, 1, 1], 2.0);
/// assert_eq!(scores, [1.0, -2.0, 0.5]);
/// ```
pub fn repetition_penalty(scores: &mut [f32], seen: &[u32], penalty: f32) {
    if penalty == 1.0 {
        return;
    }
    let mut seen = seen.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for token in seen {
        if let Some(score) = scores.get_mut(token as usize) {
            if *score < 0.0 {
                *score *= penalty;
            } else {
                *score /= penalty;
            }
        }
    }
}

/// Divides all scores by the temperature, which is above 0.
///
/// ```
/// let mut scores = [1.0, -2.0];
/// superalign_inference::sampling::temperature(&mut scores, 0.5);
/// assert_eq!(scores, [2.0, -4.0]);
/// ```
pub fn temperature(scores: &mut [f32], temperature: f32) {
    if temperature != 1.0 {
        scores.iter_mut().for_each(|score| *score /= temperature);
    }
}

/// Takes out all scores below the `k` highest (Fan et al. 2018). Scores equal to the `k`-th stay, so that more than `k`
/// may be left; with `k` 0 or above the number of scores, all.
///
/// ```
/// let mut scores = [1.0, 3.0, 2.0];
/// superalign_inference::sampling::top_k(&mut scores, 2);
/// assert_eq!(scores, [f32::NEG_INFINITY, 3.0, 2.0]);
/// ```
pub fn top_k(scores: &mut [f32], k: usize) {
    if k == 0 || k >= scores.len() {
        return;
    }
    let mut order = scores.to_vec();
    let (_, lowest, _) = order.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
    let lowest = *lowest;
    scores.iter_mut().filter(|score| **score < lowest).for_each(|score| *score = f32::NEG_INFINITY);
}

/// Keeps the smallest set of most probable tokens whose probabilities sum to `p` at least (nucleus sampling, Holtzman
/// et al. 2020): a token is taken out when those more probable than it already reach `p`. `p` in (0, 1]; 1 keeps all.
/// Of equal scores those with lower ids come first.
///
/// ```
/// let mut scores = [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
/// superalign_inference::sampling::top_p(&mut scores, 0.6);
/// assert!(scores[1].is_finite() && scores[2] == f32::NEG_INFINITY);
/// ```
pub fn top_p(scores: &mut [f32], p: f32) {
    if p >= 1.0 {
        return;
    }
    let highest = highest(scores);
    let weight = |score: f32| f64::from(score - highest).exp();
    let total: f64 = scores.iter().map(|score| weight(*score)).sum();
    let mut order: Vec<usize> = (0..scores.len()).filter(|at| scores[*at] > f32::NEG_INFINITY).collect();
    order.sort_unstable_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let mut before = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        let share = weight(scores[at]) / total;
        if rank > 0 && before >= f64::from(p) {
            scores[at] = f32::NEG_INFINITY;
        }
        before += share;
    }
}

/// Takes out tokens less than `p` times as probable as the most probable one (Nguyen et al. 2024): scores below
/// `highest + ln p`. `p` in [0, 1]; 0 keeps all.
///
/// ```
/// let mut scores = [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
/// superalign_inference::sampling::min_p(&mut scores, 0.5);
/// assert!(scores[1].is_finite() && scores[2] == f32::NEG_INFINITY);
/// ```
pub fn min_p(scores: &mut [f32], p: f32) {
    let highest = highest(scores);
    for score in scores.iter_mut().filter(|score| **score < highest) {
        if f64::from(*score - highest).exp() < f64::from(p) {
            *score = f32::NEG_INFINITY;
        }
    }
}

/// The token with the highest score, of equal ones that with the lowest id; `None` without any score.
///
/// ```
/// assert_eq!(superalign_inference::sampling::greedy(&[0.0, 2.0, 2.0]), Some(1));
/// ```
#[must_use]
pub fn greedy(scores: &[f32]) -> Option<u32> {
    let best = scores.iter().enumerate().reduce(|best, one| if one.1 > best.1 { one } else { best });
    best.and_then(|(token, _)| u32::try_from(token).ok())
}

/// The token at `u` in [0, 1) of the cumulated softmax of the scores, in the order of ids; `None` where no score is
/// finite.
///
/// ```
/// let scores = [0.25_f32.ln(), 0.75_f32.ln()];
/// assert_eq!(superalign_inference::sampling::draw(&scores, 0.2), Some(0));
/// assert_eq!(superalign_inference::sampling::draw(&scores, 0.3), Some(1));
/// ```
#[must_use]
pub fn draw(scores: &[f32], u: f64) -> Option<u32> {
    let highest = highest(scores);
    if !highest.is_finite() {
        return None;
    }
    let weight = |score: f32| f64::from(score - highest).exp();
    let total: f64 = scores.iter().map(|score| weight(*score)).sum();
    let (mut sum, mut last) = (0.0, None);
    for (token, score) in scores.iter().enumerate() {
        let share = weight(*score);
        if share > 0.0 {
            sum += share;
            last = Some(token);
            if u * total < sum {
                break;
            }
        }
    }
    last.and_then(|token| u32::try_from(token).ok())
}

/// Applies the filters to scores, which are changed, and chooses. `u` gives a number in [0, 1) when one is needed.
pub(super) fn choose(scores: &mut [f32], sampling: Sampling, u: impl FnOnce() -> f64) -> Option<u32> {
    let Sampling::Random(filters) = sampling else { return greedy(scores) };
    let Filters { temperature: divisor, top_k: k, top_p: p, min_p: least } = filters;
    temperature(scores, divisor);
    if let Some(k) = k {
        top_k(scores, k);
    }
    if let Some(p) = p {
        top_p(scores, p);
    }
    if let Some(p) = least {
        min_p(scores, p);
    }
    draw(scores, u())
}

fn highest(scores: &[f32]) -> f32 {
    scores.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scores() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-20.0_f32..20.0, 1..60)
    }

    fn shares(scores: &[f32]) -> Vec<f64> {
        let highest = highest(scores);
        let weights: Vec<f64> = scores.iter().map(|s| f64::from(s - highest).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }

    /// What was left unchanged; everything else must be taken out.
    fn kept(before: &[f32], after: &[f32]) -> Vec<usize> {
        let kept: Vec<usize> = (0..before.len()).filter(|at| after[*at] == before[*at]).collect();
        assert!((0..before.len()).all(|at| kept.contains(&at) || after[at] == f32::NEG_INFINITY));
        kept
    }

    proptest! {
        #[test]
        fn top_k_keeps_k_and_none_lower(before in scores(), k in 1_usize..70) {
            let mut after = before.clone();
            top_k(&mut after, k);
            let kept = kept(&before, &after);
            prop_assert!(kept.len() >= k.min(before.len()));
            let lowest = kept.iter().map(|at| before[*at]).fold(f32::INFINITY, f32::min);
            let higher = before.iter().filter(|score| **score > lowest).count();
            prop_assert!(higher < k, "without ties, k are left");
            prop_assert!(before.iter().all(|score| *score < lowest || kept.iter().any(|at| before[*at] == *score)));
        }

        #[test]
        fn top_p_keeps_the_smallest_set_that_reaches_p(before in scores(), p in 0.001_f32..1.0) {
            let mut after = before.clone();
            top_p(&mut after, p);
            let kept = kept(&before, &after);
            let shares = shares(&before);
            let sum: f64 = kept.iter().map(|at| shares[*at]).sum();
            prop_assert!(sum >= f64::from(p) - 1e-9);
            let least = kept.iter().map(|at| shares[*at]).fold(f64::INFINITY, f64::min);
            prop_assert!(kept.len() == 1 || sum - least < f64::from(p) + 1e-9, "one fewer would not do");
            prop_assert!((0..before.len()).all(|at| kept.contains(&at) || shares[at] <= least));
        }

        #[test]
        fn min_p_keeps_by_ratio_to_the_best(before in scores(), p in 0.0_f32..=1.0) {
            let mut after = before.clone();
            min_p(&mut after, p);
            let kept = kept(&before, &after);
            let shares = shares(&before);
            let best = shares.iter().copied().fold(0.0, f64::max);
            for (at, share) in shares.iter().enumerate() {
                let ratio = share / best;
                prop_assert!((ratio - f64::from(p)).abs() < 1e-9 || kept.contains(&at) == (ratio >= f64::from(p)));
            }
            prop_assert!(kept.contains(&(greedy(&before).expect("a token") as usize)));
        }

        #[test]
        fn temperature_and_penalty_keep_order_where_they_should(before in scores(), t in 0.1_f32..5.0) {
            let mut after = before.clone();
            temperature(&mut after, t);
            prop_assert_eq!(greedy(&after), greedy(&before));
            let all: Vec<u32> = (0..).take(before.len()).collect();
            let mut after = before.clone();
            repetition_penalty(&mut after, &all, t.max(1.0));
            prop_assert!(before.iter().zip(&after).all(|(b, a)| a <= b), "no score rises");
            let mut untouched = before.clone();
            repetition_penalty(&mut untouched, &[], t);
            prop_assert_eq!(untouched, before);
        }

        #[test]
        fn a_draw_follows_the_shares(scores in scores(), u in 0.0_f64..1.0) {
            let token = draw(&scores, u).expect("a token") as usize;
            let shares = shares(&scores);
            let below: f64 = shares[..token].iter().sum();
            prop_assert!(below <= u + 1e-9 && u < below + shares[token] + 1e-9);
        }
    }

    #[test]
    fn nothing_finite_is_no_token() {
        assert_eq!(draw(&[f32::NEG_INFINITY; 3], 0.5), None);
        assert_eq!(greedy(&[]), None);
        assert_eq!(draw(&[f32::NEG_INFINITY, 0.0], 1.0 - f64::EPSILON), Some(1));
    }
}
