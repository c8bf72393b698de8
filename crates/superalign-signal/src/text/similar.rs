//! Pairs of similar sets: all of them by prefix filtering, or most of them by MinHash. It knows no text.

use superalign_core::Seed;

/// Sets of numbers, each by rising number.
pub(super) struct Sets {
    pub(super) members: Vec<u32>,
    /// `starts[i]..starts[i + 1]` are the members of set i.
    pub(super) starts: Vec<usize>,
}

impl Sets {
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn of(&self, index: usize) -> &[u32] {
        &self.members[self.starts[index]..self.starts[index + 1]]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len()).map(|index| self.of(index))
    }

    /// Those sets only.
    pub(super) fn only(&self, which: impl Iterator<Item = usize>) -> Self {
        let mut sets = Self { members: Vec::new(), starts: vec![0] };
        for index in which {
            sets.members.extend_from_slice(self.of(index));
            sets.starts.push(sets.members.len());
        }
        sets
    }
}

/// All pairs of sets with a Jaccard similarity of at least the threshold, which is above 0; no set is empty.
///
/// Prefix filtering (Bayardo et al. 2007, Xiao et al. 2008): two similar sets have one of their lowest members in
/// common, and the lower of the two sizes is at least the threshold's share of the larger.
pub(super) fn exact(sets: &Sets, threshold: f64) -> Vec<(u32, u32, f64)> {
    // How many members of that share of a size have to be found: rounding must not lose a pair.
    let at_least = |share: f64, size: usize| ((share * size as f64 - 1e-6).ceil() as usize).max(1);
    let mut order: Vec<u32> = (0..sets.len() as u32).collect();
    order.sort_by_key(|&set| sets.of(set as usize).len());
    let largest = sets.members.iter().max().map_or(0, |&last| last as usize + 1);
    // For every member, the sets so far that have it among their lowest, by rising size; those before `first` are too
    // small for what is to come.
    let mut index: Vec<Vec<u32>> = vec![Vec::new(); largest];
    let mut first = vec![0_u32; largest];
    let mut seen = vec![u32::MAX; sets.len()];
    let mut pairs = Vec::new();
    for &x in &order {
        let set = sets.of(x as usize);
        let size = set.len();
        let smallest = at_least(threshold, size);
        for &member in &set[..=size - smallest] {
            let list = &index[member as usize];
            let first = &mut first[member as usize];
            while (*first as usize) < list.len() && sets.of(list[*first as usize] as usize).len() < smallest {
                *first += 1;
            }
            for &y in &list[*first as usize..] {
                if std::mem::replace(&mut seen[y as usize], x) != x
                    && let Some(similarity) = similarity(set, sets.of(y as usize), threshold)
                {
                    pairs.push((y, x, similarity));
                }
            }
        }
        // What comes is no smaller, so that fewer members suffice.
        let shared = at_least(2.0 * threshold / (1.0 + threshold), size);
        for &member in &set[..=size - shared] {
            index[member as usize].push(x);
        }
    }
    pairs
}

/// Those pairs at or above the threshold that agree in all rows of a band; no set is empty.
pub(super) fn minhash(
    sets: &Sets,
    threshold: f64,
    bands: usize,
    rows: usize,
    seed: Seed,
    hash: impl Fn(u32) -> u64,
) -> Vec<(u32, u32, f64)> {
    let mut candidates: Vec<(u32, u32)> = Vec::new();
    let mut keys: Vec<(u64, u32)> = Vec::with_capacity(sets.len());
    let hashes: Vec<u64> = sets.members.iter().map(|&member| hash(member)).collect();
    let mut lowest = vec![0_u32; rows];
    for band in 0..bands {
        let band = seed.nth(band as u64);
        let functions: Vec<(u64, u64)> = (0..rows as u64)
            .map(|row| (band.nth(2 * row).value() | 1, band.nth(2 * row + 1).value()))
            .collect();
        keys.clear();
        for set in 0..sets.len() {
            lowest.fill(u32::MAX);
            for &hash in &hashes[sets.starts[set]..sets.starts[set + 1]] {
                for (lowest, &(factor, shift)) in lowest.iter_mut().zip(&functions) {
                    *lowest = (*lowest).min((hash.wrapping_mul(factor).wrapping_add(shift) >> 32) as u32);
                }
            }
            let key = lowest.iter().fold(0, |key: u64, &row| super::corpus::mix(key ^ u64::from(row)));
            keys.push((key, set as u32));
        }
        keys.sort_unstable();
        for bucket in keys.chunk_by(|a, b| a.0 == b.0) {
            for (place, &(_, b)) in bucket.iter().enumerate() {
                candidates.extend(bucket[..place].iter().map(|&(_, a)| (a, b)));
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
    }
    candidates
        .into_iter()
        .filter_map(|(a, b)| Some((a, b, similarity(sets.of(a as usize), sets.of(b as usize), threshold)?)))
        .collect()
}

/// The Jaccard similarity, if it is at least the threshold.
fn similarity(a: &[u32], b: &[u32], threshold: f64) -> Option<f64> {
    let both = a.len() + b.len();
    let needed = threshold / (1.0 + threshold) * both as f64 - 1e-6;
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        if ((common + (a.len() - i).min(b.len() - j)) as f64) < needed {
            return None;
        }
        let (x, y) = (a[i], b[j]);
        common += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let similarity = common as f64 / (both - common) as f64;
    (similarity >= threshold).then_some(similarity)
}
