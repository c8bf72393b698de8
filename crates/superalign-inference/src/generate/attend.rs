//! Attention of new tokens over a cache and over each other: the arithmetic.
//!
//! Runtimes compute this as two products of matrices for each head, which in a step of generation are a row of numbers
//! by a small matrix: they spend more time on beginning than on multiplying, and wait for memory in between. Here the
//! cache lies in the order in which it is read, keys in blocks of [`BLOCK`] tokens, dimension by dimension, whose scores
//! are made side by side in one register, and the scores of many heads are made before their values are mixed. Memory
//! then streams; a processor fetches ahead only while nothing is left out, so all of a cache is read, empty places and
//! hidden tokens included, unless all of it is hidden.
//!
//! Sums are made in an order that depends neither on the processor nor on the room that a cache has, and nothing is
//! contracted: every processor gives the same bits.

use std::ops::Range;

/// Tokens whose scores are made at once; the room of a cache is a multiple of it.
pub(super) const BLOCK: usize = 32;

/// Numbers that are worked on at once.
const LANES: usize = 16;

/// Scores that are kept until the values are mixed: as many as stay near the processor.
const KEPT: usize = 16 * 1024;

/// A bias at most so large hides a token: what is added in its place is the least number, or minus infinity.
const HIDDEN: f32 = -1e38;

/// One text: its new tokens, its cache, and what comes out.
#[derive(Debug)]
pub(super) struct Row<'a, B> {
    /// Queries of the new tokens `(new, heads, width)`.
    pub(super) queries: &'a [f32],
    /// Keys of the new tokens `(new, groups, width)`.
    pub(super) keys: &'a [f32],
    /// Values of the new tokens `(new, groups, width)`.
    pub(super) values: &'a [f32],
    /// Keys of the cache `(groups, room / BLOCK, width, BLOCK)`, of which the first `past` tokens are filled.
    pub(super) past_keys: &'a [f32],
    /// Values of the cache `(groups, room, width)`, of which the first `past` are filled, and the others numbers.
    pub(super) past_values: &'a [f32],
    /// The biases of a head's query, one for each of the `past + new` tokens.
    pub(super) bias: B,
    /// What comes out `(new, heads, width)`.
    pub(super) out: &'a mut [f32],
}

/// Sizes of the parts of all texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// New tokens.
    pub(super) new: usize,
    /// Tokens of the cache.
    pub(super) past: usize,
    /// Tokens that it has room for, a multiple of [`BLOCK`].
    pub(super) room: usize,
    /// Heads of queries.
    pub(super) heads: usize,
    /// Heads of keys and values, each of which serves `heads / groups` neighbouring ones of queries.
    pub(super) groups: usize,
    /// Dimensions of a head.
    pub(super) width: usize,
    /// What queries are multiplied by.
    pub(super) scale: f32,
}

/// `softmax(scale queries keysᵀ + bias) values` over the tokens of the cache and the new ones, for each head of each text.
/// A query that sees no token gets zeros.
pub(super) fn attend<'b, B>(sizes: Sizes, rows: impl Iterator<Item = Row<'b, B>>)
where
    B: Fn(usize, usize) -> &'b [f32],
{
    struct Here<I>(Sizes, I);
    impl<'b, B: Fn(usize, usize) -> &'b [f32], I: Iterator<Item = Row<'b, B>>> pulp::NullaryFnOnce for Here<I> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            let mut scratch = Scratch::default();
            for mut row in self.1 {
                attend_row(self.0, &mut row, &mut scratch);
            }
        }
    }
    // With the widest registers of this processor.
    pulp::Arch::new().dispatch(Here(sizes, rows));
}

/// Memory that is used from row to row.
#[derive(Default)]
struct Scratch {
    /// `(heads, new, tokens)`
    scores: Vec<f32>,
    /// Keys of the new tokens of a head, as those of the cache lie.
    keys: Vec<f32>,
    /// Their values.
    values: Vec<f32>,
    query: Vec<f32>,
    /// The blocks of the cache and of the new tokens that a head's query sees.
    seen: Vec<[Range<usize>; 2]>,
}

#[inline(always)]
fn attend_row<'b, B>(sizes: Sizes, row: &mut Row<'_, B>, scratch: &mut Scratch)
where
    B: Fn(usize, usize) -> &'b [f32],
{
    let Sizes { new, past, room, heads, groups, width, scale } = sizes;
    // The scores of the cache fill whole blocks, and those of the new tokens begin at a block of their own.
    let begin = past.next_multiple_of(BLOCK);
    let line = begin + new.next_multiple_of(BLOCK);
    let (together, shared) = ((KEPT / (new * line)).clamp(1, heads), heads / groups);
    let Scratch { scores, keys, values, query, seen } = scratch;
    scores.resize(together * new * line, 0.0);
    keys.resize((line - begin) * width, 0.0);
    values.resize((line - begin) * width, 0.0);
    query.resize(width, 0.0);
    for first in (0..heads).step_by(together) {
        let these = first..(first + together).min(heads);
        seen.clear();
        for head in these.clone() {
            let group = head / shared;
            for token in 0..new {
                let key = &row.keys[(token * groups + group) * width..][..width];
                let to = keys[key_at(token, width)..].iter_mut().step_by(BLOCK);
                to.zip(key).for_each(|(to, from)| *to = *from);
            }
            let past_keys = &row.past_keys[group * room * width..][..room * width];
            for number in 0..new {
                let wanted = &row.queries[(number * heads + head) * width..][..width];
                query.iter_mut().zip(wanted).for_each(|(query, value)| *query = scale * value);
                let (old, young) = (row.bias)(head, number).split_at(past);
                let scores = &mut scores[((head - first) * new + number) * line..][..line];
                let (old_scores, young_scores) = scores.split_at_mut(begin);
                let blocks = [if old.iter().rev().any(is_shown) { 0..begin } else { 0..0 }, shown(young)];
                score(&mut old_scores[blocks[0].clone()], query, past_keys, old);
                let start = blocks[1].start;
                score(&mut young_scores[blocks[1].clone()], query, &keys[start * width..], &young[start..]);
                seen.push(blocks);
            }
        }
        let mut seen = seen.iter();
        for head in these {
            let group = head / shared;
            let past_values = &row.past_values[group * room * width..][..room * width];
            for token in 0..new {
                let value = &row.values[(token * groups + group) * width..][..width];
                values[token * width..][..width].copy_from_slice(value);
            }
            for (number, [old, young]) in (0..new).zip(&mut seen) {
                let out = &mut row.out[(number * heads + head) * width..][..width];
                let scores = &mut scores[((head - first) * new + number) * line..][..line];
                let (old_scores, young_scores) = scores.split_at_mut(begin);
                let (old_scores, young_scores) =
                    (&mut old_scores[old.clone()], &mut young_scores[young.clone()]);
                // Where nothing is seen, all shares are nothing.
                let highest = highest([old_scores, young_scores]).max(f32::MIN);
                let sum = exponentials([&mut *old_scores, &mut *young_scores], highest);
                out.fill(0.0);
                if sum > 0.0 {
                    mix(out, old_scores, &past_values[old.start * width..]);
                    let tokens = young.end.min(new) - young.start;
                    mix(out, &young_scores[..tokens], &values[young.start * width..]);
                    let share = 1.0 / sum;
                    out.iter_mut().for_each(|value| *value *= share);
                }
            }
        }
    }
}

/// Where the key of a token begins among the keys of its head; its dimensions are [`BLOCK`] apart.
#[inline(always)]
pub(super) const fn key_at(token: usize, width: usize) -> usize {
    token / BLOCK * BLOCK * width + token % BLOCK
}

#[inline(always)]
fn is_shown(bias: &f32) -> bool {
    *bias > HIDDEN
}

/// The blocks from the first with a token that is not hidden to the last.
#[inline(always)]
fn shown(bias: &[f32]) -> Range<usize> {
    match (bias.iter().position(is_shown), bias.iter().rposition(is_shown)) {
        (Some(first), Some(last)) => first / BLOCK * BLOCK..(last + 1).next_multiple_of(BLOCK),
        _ => 0..0,
    }
}

/// Scores of whole blocks of tokens; behind the last bias there are no tokens.
#[inline(always)]
fn score(scores: &mut [f32], query: &[f32], keys: &[f32], bias: &[f32]) {
    let width = query.len();
    for (block, scores) in scores.chunks_exact_mut(BLOCK).enumerate() {
        let keys = &keys[block * BLOCK * width..][..BLOCK * width];
        let mut sums = [0.0_f32; BLOCK];
        for (dimension, weight) in query.iter().enumerate() {
            add(&mut sums, *weight, &keys[dimension * BLOCK..]);
        }
        scores.copy_from_slice(&sums);
    }
    let (tokens, none) = scores.split_at_mut(bias.len().min(scores.len()));
    tokens.iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
    none.fill(f32::NEG_INFINITY);
}

/// The highest of whole blocks of scores.
#[inline(always)]
fn highest(parts: [&[f32]; 2]) -> f32 {
    let higher = |a: f32, b: f32| if a > b { a } else { b };
    let mut highest = [f32::NEG_INFINITY; LANES];
    for scores in parts.into_iter().flat_map(|part| part.chunks_exact(LANES)) {
        highest.iter_mut().zip(scores).for_each(|(highest, score)| *highest = higher(*score, *highest));
    }
    across(highest, higher)
}

/// Replaces whole blocks of scores by the exponentials of what they are above the highest, and sums them.
#[inline(always)]
fn exponentials(parts: [&mut [f32]; 2], highest: f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    for part in parts {
        for scores in part.chunks_exact_mut(LANES) {
            for (sum, score) in sums.iter_mut().zip(scores) {
                *score = exp(*score - highest);
                *sum += *score;
            }
        }
    }
    across(sums, |a, b| a + b)
}

/// All lanes joined, in halves.
#[inline(always)]
fn across(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        let (low, high) = lanes.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(low, high)| *low = join(*low, *high));
    }
    lanes[0]
}

/// Adds the values `(tokens, width)`, weighted.
#[inline(always)]
fn mix(out: &mut [f32], weights: &[f32], values: &[f32]) {
    let width = out.len();
    let whole = width / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        // Four sums, so that one addition need not wait for the other.
        let mut sums = [[0.0_f32; LANES]; 4];
        let fours = weights.len() / 4 * 4;
        for token in (0..fours).step_by(4) {
            let (weights, values) = (&weights[token..token + 4], &values[token * width..][..4 * width]);
            for at in 0..4 {
                add(&mut sums[at], weights[at], &values[at * width + first..]);
            }
        }
        for token in fours..weights.len() {
            add(&mut sums[0], weights[token], &values[token * width + first..]);
        }
        let [a, b, c, d] = sums;
        for (lane, out) in out[first..first + LANES].iter_mut().enumerate() {
            *out += (a[lane] + b[lane]) + (c[lane] + d[lane]);
        }
    }
    for (dimension, out) in out.iter_mut().enumerate().skip(whole) {
        let terms =
            weights.iter().enumerate().map(|(token, weight)| weight * values[token * width + dimension]);
        *out += terms.sum::<f32>();
    }
}

/// Adds the first values, weighted.
#[inline(always)]
fn add<const N: usize>(sums: &mut [f32; N], weight: f32, values: &[f32]) {
    sums.iter_mut().zip(&values[..N]).for_each(|(sum, value)| *sum += weight * value);
}

/// `e^x` for `x <= 0`, within 2 units in the last place; 0 below -87.
///
/// Cody and Waite's reduction by multiples of ln 2, and the polynomial of Cephes' `expf` (Moshier 1992).
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding this rounds to a whole number, which is then in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (x - whole * 0.693_359_4) + whole * 2.121_944_4e-4;
    let mut sum = 1.987_569_1e-4;
    for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = sum * rest + factor;
    }
    let value = sum * (rest * rest) + rest + 1.0;
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    if x < -87.0 { 0.0 } else { value * f32::from_bits(power) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text as it is drawn; the cache `(past, groups, width)`.
    struct Drawn {
        queries: Vec<f32>,
        keys: Vec<f32>,
        values: Vec<f32>,
        past_keys: Vec<f32>,
        past_values: Vec<f32>,
        /// `(heads, new, past + new)`
        bias: Vec<f32>,
    }

    /// As it is written in books, in double precision.
    fn plainly(sizes: Sizes, text: &Drawn) -> Vec<f64> {
        let Sizes { new, past, heads, groups, width, scale, .. } = sizes;
        let mut out = vec![0.0; new * heads * width];
        for head in 0..heads {
            let group = head / (heads / groups);
            let of = |old: &[f32], young: &[f32], token: usize, dimension: usize| {
                f64::from(match token.checked_sub(past) {
                    Some(token) => young[(token * groups + group) * width + dimension],
                    None => old[(token * groups + group) * width + dimension],
                })
            };
            for query in 0..new {
                let bias = &text.bias[(head * new + query) * (past + new)..][..past + new];
                let score = |token: usize| {
                    let term = |dimension| {
                        f64::from(text.queries[(query * heads + head) * width + dimension])
                            * of(&text.past_keys, &text.keys, token, dimension)
                    };
                    f64::from(scale) * (0..width).map(term).sum::<f64>() + f64::from(bias[token])
                };
                let shown: Vec<usize> = (0..past + new).filter(|&token| bias[token] > HIDDEN).collect();
                let highest = shown.iter().map(|&token| score(token)).fold(f64::NEG_INFINITY, f64::max);
                let shares: Vec<f64> = shown.iter().map(|&token| (score(token) - highest).exp()).collect();
                let sum: f64 = shares.iter().sum();
                for dimension in 0..width {
                    let terms = shown
                        .iter()
                        .zip(&shares)
                        .map(|(&token, share)| share * of(&text.past_values, &text.values, token, dimension));
                    let mixed: f64 = terms.sum();
                    out[(query * heads + head) * width + dimension] =
                        if shown.is_empty() { 0.0 } else { mixed / sum };
                }
            }
        }
        out
    }

    /// The cache as it lies, with other numbers where nothing is.
    fn laid_out(sizes: Sizes, text: &Drawn) -> [Vec<f32>; 2] {
        let Sizes { past, room, groups, width, .. } = sizes;
        let mut cache = [vec![9.0; room * groups * width], vec![9.0; room * groups * width]];
        for (token, group) in (0..past).flat_map(|token| (0..groups).map(move |group| (token, group))) {
            for dimension in 0..width {
                let from = (token * groups + group) * width + dimension;
                let part = group * room * width;
                cache[0][part + key_at(token, width) + dimension * BLOCK] = text.past_keys[from];
                cache[1][part + token * width + dimension] = text.past_values[from];
            }
        }
        cache
    }

    proptest! {
        #[test]
        fn it_is_attention(
            (rows, groups, each, new, past) in (1_usize..3, 1_usize..4, 1_usize..3, 1_usize..40, 0_usize..100),
            width in prop::sample::select(vec![1_usize, 7, 16, 20, 64]),
            spare in 0_usize..3, hidden in 0.0_f64..1.0, seed in any::<u64>(),
        ) {
            let mut state = seed;
            let mut draw = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1_u32 << 24) as f32 * 4.0 - 2.0
            };
            let room = (past + spare * BLOCK).next_multiple_of(BLOCK);
            let sizes = Sizes { new, past, room, heads: groups * each, groups, width, scale: 0.5 };
            let mut some = |count: usize| (0..count).map(|_| draw()).collect::<Vec<f32>>();
            let hide = |bias: f32| match bias {
                bias if f64::from(bias + 2.0) >= hidden * 4.0 => bias,
                bias if bias > 0.0 => f32::NEG_INFINITY,
                _ => f32::MIN,
            };
            let texts: Vec<Drawn> = (0..rows)
                .map(|_| Drawn {
                    queries: some(new * sizes.heads * width),
                    keys: some(new * groups * width),
                    values: some(new * groups * width),
                    past_keys: some(past * groups * width),
                    past_values: some(past * groups * width),
                    bias: some(sizes.heads * new * (past + new)).into_iter().map(hide).collect(),
                })
                .collect();
            let caches: Vec<[Vec<f32>; 2]> = texts.iter().map(|text| laid_out(sizes, text)).collect();
            let mut out = vec![vec![f32::NAN; new * sizes.heads * width]; rows];
            let wanted = texts.iter().zip(&caches).zip(&mut out).map(|((text, [past_keys, past_values]), out)| Row {
                queries: &text.queries,
                keys: &text.keys,
                values: &text.values,
                past_keys,
                past_values,
                bias: move |head: usize, query: usize| {
                    &text.bias[(head * new + query) * (past + new)..][..past + new]
                },
                out,
            });
            attend(sizes, wanted);
            for (found, text) in out.iter().zip(&texts) {
                for (found, expected) in found.iter().zip(plainly(sizes, text)) {
                    prop_assert!((f64::from(*found) - expected).abs() < 2e-5, "{found} {expected}");
                }
            }
        }

        #[test]
        fn the_exponential_is_that_of_the_standard_library(x in -87.0_f32..=0.0) {
            let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
            prop_assert!((found / expected - 1.0).abs() < 2.5e-7, "{x}: {found} {expected}");
        }
    }

    #[test]
    fn the_exponential_ends_at_its_ends() {
        assert_eq!(exp(0.0).to_bits(), 1.0_f32.to_bits());
        assert_eq!([exp(-88.0), exp(f32::MIN), exp(f32::NEG_INFINITY)], [0.0; 3]);
    }
}
