//! The structure of agreement: rank one where sources err apart, and clusters of those that do not.

use super::kinds::Moments;
use ndarray::Array2;
use std::collections::BTreeSet;

/// Partitions that are carried on from one number of clusters to the next.
const BEAM: usize = 16;
/// A misfit up to its expectation plus this many standard deviations is no misfit.
const LIMIT: f64 = 4.0;
/// Partitions whose scores differ by less, apart from what varies together, explain the votes alike.
const ALIKE: f64 = 6.0;
/// Fewest clusters from which accuracies follow.
pub(super) const FEWEST: usize = 3;

/// Covariances of votes with the weights that their precision gives them.
pub(super) struct Agreement {
    q: Array2<f64>,
    weight: Array2<f64>,
    /// Mean product of votes, for choosing between explanations.
    product: Array2<f64>,
    items: f64,
}

impl Agreement {
    pub(super) fn new(moments: &Moments) -> Self {
        let k = moments.yes.len();
        let table = |of: &dyn Fn(usize, usize) -> f64| Array2::from_shape_fn((k, k), |(a, b)| of(a, b));
        Self {
            q: table(&|a, b| moments.covariance(a, b)),
            weight: table(&|a, b| 1.0 / moments.variance(a, b)),
            product: table(&|a, b| moments.product(a, b)),
            items: moments.items,
        }
    }

    fn sources(&self) -> usize {
        self.q.nrows()
    }

    /// The numbers v with `q[a][b] = v[a] v[b]` for sources of different clusters, by weighted least squares.
    ///
    /// `limit` is the greatest size of a v. Of the two solutions v and -v that of the greater sum.
    pub(super) fn factors(&self, clusters: &[usize], limit: f64) -> Vec<f64> {
        let k = self.sources();
        let across = |a: usize| (0..k).filter(move |&b| clusters[a] != clusters[b]);
        let mut v: Vec<f64> = (0..k)
            .map(|a| {
                let (sum, n) =
                    across(a).fold((0.0, 0.0), |(sum, n), b| (sum + self.q[[a, b]].abs(), n + 1.0));
                f64::sqrt(sum / f64::max(n, 1.0)).clamp(1e-3, limit)
            })
            .collect();
        for _ in 0..500 {
            let mut change = 0.0_f64;
            for a in 0..k {
                let (up, down) = across(a).fold((0.0, 0.0), |(up, down), b| {
                    let w = self.weight[[a, b]];
                    (up + w * self.q[[a, b]] * v[b], down + w * v[b] * v[b])
                });
                if down > 0.0 {
                    let next = (up / down).clamp(-limit, limit);
                    change = change.max((next - v[a]).abs());
                    v[a] = next;
                }
            }
            if change < 1e-9 {
                break;
            }
        }
        if v.iter().sum::<f64>() < 0.0 {
            v.iter_mut().for_each(|v| *v = -*v);
        }
        v
    }

    /// How far the covariances across clusters are from rank one, and the degrees of freedom.
    pub(super) fn misfit(&self, clusters: &[usize], v: &[f64]) -> (f64, f64) {
        let k = self.sources();
        let (mut sum, mut pairs) = (0.0, 0.0);
        for a in 0..k {
            for b in (0..a).filter(|&b| clusters[a] != clusters[b]) {
                sum += self.weight[[a, b]] * (self.q[[a, b]] - v[a] * v[b]).powi(2);
                pairs += 1.0;
            }
        }
        (sum, pairs - k as f64)
    }

    /// Whether these clusters explain the covariances up to chance.
    pub(super) fn fits(&self, clusters: &[usize], misfit: (f64, f64)) -> bool {
        let (chi, freedom) = misfit;
        chi <= freedom.max(0.0) + LIMIT * (2.0 * (freedom.max(1.0) + self.together(clusters))).sqrt()
    }

    /// What the residuals of a partition vary more than independent ones: those of near copies are nearly one.
    ///
    /// The residuals of (a, b) and (c, d) correlate by about the product of the correlations of a with c and b with d.
    fn together(&self, clusters: &[usize]) -> f64 {
        let count = clusters.iter().max().map_or(0, |last| last + 1);
        let mut size = vec![0.0; count];
        let mut squares = vec![0.0; count];
        for (a, &cluster) in clusters.iter().enumerate() {
            size[cluster] += 1.0;
            squares[cluster] += (0..clusters.len())
                .filter(|&b| clusters[b] == cluster)
                .map(|b| self.product[[a, b]].powi(2))
                .sum::<f64>();
        }
        let blocks = (0..count).flat_map(|a| (0..a).map(move |b| (a, b)));
        blocks.map(|(a, b)| squares[a] * squares[b] - size[a] * size[b]).sum::<f64>().max(0.0)
    }

    /// The clusters of sources that err together, each source's number; none has more than itself where the votes
    /// give no reason to think so.
    pub(super) fn clusters(&self, limit: f64) -> Vec<usize> {
        let k = self.sources();
        let alone: Vec<usize> = (0..k).collect();
        let misfit = |clusters: &[usize]| self.misfit(clusters, &self.factors(clusters, limit));
        let first = misfit(&alone);
        if k <= FEWEST || self.fits(&alone, first) {
            return alone;
        }
        // Bayesian information: a pair within a cluster is a parameter that was freed.
        let score = |clusters: &[usize]| {
            let inside = pairs_inside(clusters).count() as f64;
            misfit(clusters).0 + inside * self.items.ln()
        };
        let mut seen = vec![(first.0, alone.clone())];
        let mut beam = vec![alone.clone()];
        let mut closest = alone;
        for left in (FEWEST..k).rev() {
            let mut merged = BTreeSet::new();
            for clusters in &beam {
                for a in 0..=left {
                    for b in 0..a {
                        merged.insert(renumbered(clusters, a, b));
                    }
                }
            }
            let mut scored: Vec<(f64, Vec<usize>)> = merged.into_iter().map(|c| (score(&c), c)).collect();
            scored.sort_by(|a, b| a.0.total_cmp(&b.0));
            scored.truncate(BEAM);
            // What agrees most may explain nothing before the last of several copies has joined.
            closest = self.closest(&closest);
            if !scored.iter().any(|(_, clusters)| *clusters == closest) {
                scored.push((score(&closest), closest.clone()));
            }
            beam = scored.iter().map(|(_, clusters)| clusters.clone()).collect();
            seen.extend(scored);
        }
        let Some((least, best)) = seen.iter().min_by(|a, b| a.0.total_cmp(&b.0)).cloned() else {
            return (0..k).collect();
        };
        let freed = pairs_inside(&best).count();
        let inner = |clusters: &[usize]| {
            let products = pairs_inside(clusters).map(|(a, b)| self.product[[a, b]]);
            let (sum, n) = products.fold((0.0, 0.0), |(sum, n), product| (sum + product, n + 1.0));
            sum / f64::max(n, 1.0)
        };
        let slack = |clusters: &[usize]| ALIKE + 2.0 * (2.0 * self.together(clusters)).sqrt();
        let alike = seen
            .into_iter()
            .filter(|(score, clusters)| {
                pairs_inside(clusters).count() <= freed && *score <= least + slack(clusters).max(slack(&best))
            })
            .map(|(_, clusters)| clusters);
        alike.max_by(|a, b| inner(a).total_cmp(&inner(b))).unwrap_or_else(|| best.clone())
    }

    /// The partition with those two clusters as one whose sources agree most on average.
    fn closest(&self, clusters: &[usize]) -> Vec<usize> {
        let count = clusters.iter().max().map_or(0, |last| last + 1);
        let members = |cluster: usize| (0..clusters.len()).filter(move |&source| clusters[source] == cluster);
        let mut best = (f64::NEG_INFINITY, (0, 0));
        for a in 0..count {
            for b in 0..a {
                let pairs = members(a).flat_map(|x| members(b).map(move |y| (x, y)));
                let (sum, n) = pairs.fold((0.0, 0.0), |(sum, n), pair| (sum + self.product[pair], n + 1.0));
                if sum / n > best.0 {
                    best = (sum / n, (a, b));
                }
            }
        }
        renumbered(clusters, best.1.0, best.1.1)
    }
}

fn pairs_inside(clusters: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    (0..clusters.len()).flat_map(|a| (0..a).map(move |b| (a, b))).filter(|&(a, b)| clusters[a] == clusters[b])
}

/// The partition with clusters `a` and `b` as one, numbered by first sight.
fn renumbered(clusters: &[usize], a: usize, b: usize) -> Vec<usize> {
    let merged: Vec<usize> = clusters.iter().map(|&c| if c == a { b } else { c }).collect();
    numbered(&merged)
}

/// Any numbers as those of first sight: 0, 1, ...
pub(super) fn numbered(clusters: &[usize]) -> Vec<usize> {
    let mut seen: Vec<usize> = Vec::new();
    clusters
        .iter()
        .map(|c| {
            seen.iter().position(|s| s == c).unwrap_or_else(|| {
                seen.push(*c);
                seen.len() - 1
            })
        })
        .collect()
}
