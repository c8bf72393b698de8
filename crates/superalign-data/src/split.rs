//! Division by group, so that nothing leaks from one part into another. What a group is, the items say.

use crate::DataError;
use std::collections::BTreeMap;
use superalign_core::Seed;
use superalign_core::rand::seq::SliceRandom as _;

/// Divides items into parts of the given shares, never a group between two parts.
///
/// `groups[i]` names the group of item `i`; `shares[p]` is the fraction of all items that part `p` should
/// hold. Shares that sum to less than 1 leave the rest of the items out. The groups are shuffled (in an
/// order that depends on the seed and on their names, not on the order of the items) and the row of them is
/// cut at the group boundary nearest to each cumulative share, so a part differs from `shares[p] * n` by at
/// most the size of the largest group. Returns the positions of each part's items, ascending.
///
/// # Errors
/// [`DataError::Split`] when there is no share, when a share is not a positive number, when they sum to more
/// than 1 (by over 1e-9), or when a part would be empty.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::split::split_by_group;
/// let groups = ["a", "a", "b", "b", "c", "c", "d", "d"];
/// let parts = split_by_group(&groups, &[0.75, 0.25], Seed::new(1))?;
/// assert_eq!((parts[0].len(), parts[1].len()), (6, 2));
/// assert_eq!(groups[parts[1][0]], groups[parts[1][1]]);
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn split_by_group(
    groups: &[impl AsRef<str>],
    shares: &[f64],
    seed: Seed,
) -> Result<Vec<Vec<usize>>, DataError> {
    check_shares(shares)?;
    let row = shuffled(groups, seed);
    let n = groups.len() as f64;
    let mut parts = Vec::with_capacity(shares.len());
    let (mut next, mut placed, mut wanted) = (0, 0_usize, 0.0);
    for (p, share) in shares.iter().enumerate() {
        wanted += share * n;
        let mut part = Vec::new();
        // Take the next group while the cut after it lies nearer to the wanted place than the cut before it.
        while let Some(group) = row.get(next) {
            let (before, after) = (placed as f64, (placed + group.len()) as f64);
            // The slack lets shares that sum to 1 in exact arithmetic take every item.
            if (after - wanted).abs() >= (wanted - before).abs() + 1e-6 {
                break;
            }
            part.extend_from_slice(group);
            placed += group.len();
            next += 1;
        }
        if part.is_empty() {
            let largest = row.iter().map(Vec::len).max().unwrap_or(0);
            return Err(DataError::Split {
                found: format!(
                    "no item for part {} ({share} of {} items in {} groups, the largest with {largest})",
                    p + 1,
                    groups.len(),
                    row.len(),
                ),
                expected: "at least one group in every part".to_owned(),
                remedy: "use more items, fewer parts, a larger share, or finer groups".to_owned(),
            });
        }
        part.sort_unstable();
        parts.push(part);
    }
    Ok(parts)
}

/// Divides items into parts of exactly the given sizes, never a group between two parts.
///
/// Parts are filled in turn with whole groups in shuffled order (as [`split_by_group`]); of the last group of
/// a part only the first items are taken, and the rest of that group is left out altogether. Returns the
/// positions of each part's items, ascending.
///
/// # Errors
/// [`DataError::Split`] when there is no size, a size is 0, or the groups run out.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::split::take_exact;
/// let groups = ["a", "a", "a", "b", "b", "b", "c", "c", "c"];
/// let parts = take_exact(&groups, &[4, 3], Seed::new(1))?;
/// assert_eq!((parts[0].len(), parts[1].len()), (4, 3));
/// assert!(parts[1].iter().all(|&i| parts[0].iter().all(|&j| groups[i] != groups[j])));
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn take_exact(
    groups: &[impl AsRef<str>],
    sizes: &[usize],
    seed: Seed,
) -> Result<Vec<Vec<usize>>, DataError> {
    if sizes.is_empty() || sizes.contains(&0) {
        return Err(DataError::Split {
            found: format!("the sizes {sizes:?}"),
            expected: "at least one size, each at least 1".to_owned(),
            remedy: "leave empty parts out".to_owned(),
        });
    }
    let row = shuffled(groups, seed);
    let mut rest = row.iter();
    let mut parts = Vec::with_capacity(sizes.len());
    for (p, &size) in sizes.iter().enumerate() {
        let mut part = Vec::with_capacity(size.min(groups.len()));
        while part.len() < size {
            let Some(group) = rest.next() else {
                return Err(DataError::Split {
                    found: format!(
                        "{} items for part {} ({} items in {} groups for the sizes {sizes:?})",
                        part.len(),
                        p + 1,
                        groups.len(),
                        row.len()
                    ),
                    expected: format!("{size}, from groups that no other part uses"),
                    remedy: "use more items or ask for smaller parts".to_owned(),
                });
            };
            let room = size - part.len();
            part.extend(group.iter().take(room));
        }
        part.sort_unstable();
        parts.push(part);
    }
    Ok(parts)
}

fn check_shares(shares: &[f64]) -> Result<(), DataError> {
    let sum: f64 = shares.iter().sum();
    // Written so that NaN fails.
    if !shares.is_empty() && shares.iter().all(|&s| s > 0.0) && sum <= 1.0 + 1e-9 {
        return Ok(());
    }
    Err(DataError::Split {
        found: format!("the shares {shares:?}"),
        expected: "at least one share, each above 0, that sum to at most 1".to_owned(),
        remedy: "write fractions of all items, such as 0.5, 0.25, 0.25".to_owned(),
    })
}

/// The positions of each group's items; the groups sorted by name, then shuffled.
fn shuffled(groups: &[impl AsRef<str>], seed: Seed) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, group) in groups.iter().enumerate() {
        members.entry(group.as_ref()).or_default().push(i);
    }
    let mut row: Vec<Vec<usize>> = members.into_values().collect();
    row.shuffle(&mut seed.named("split").rng());
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    fn names(groups: &[u8]) -> Vec<String> {
        groups.iter().map(|g| format!("g{g}")).collect()
    }

    fn no_group_twice(groups: &[String], parts: &[Vec<usize>]) -> bool {
        let mut owner: HashMap<&str, usize> = HashMap::new();
        parts
            .iter()
            .enumerate()
            .all(|(p, part)| part.iter().all(|&i| *owner.entry(&groups[i]).or_insert(p) == p))
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let one_group = ["a"; 10];
        let texts: Vec<String> = [&[0.5, 0.5][..], &[], &[0.7, 0.4], &[1.0, 0.0], &[f64::NAN]]
            .iter()
            .map(|shares| split_by_group(&one_group, shares, Seed::new(1)).unwrap_err().to_string())
            .chain([
                take_exact(&one_group, &[4, 4], Seed::new(1)).unwrap_err().to_string(),
                take_exact(&one_group, &[0], Seed::new(1)).unwrap_err().to_string(),
            ])
            .collect();
        insta::assert_snapshot!(texts.join("\n"), @"
        split: found no item for part 2 (0.5 of 10 items in 1 groups, the largest with 10), expected at least one group in every part; use more items, fewer parts, a larger share, or finer groups
        split: found the shares [], expected at least one share, each above 0, that sum to at most 1; write fractions of all items, such as 0.5, 0.25, 0.25
        split: found the shares [0.7, 0.4], expected at least one share, each above 0, that sum to at most 1; write fractions of all items, such as 0.5, 0.25, 0.25
        split: found the shares [1.0, 0.0], expected at least one share, each above 0, that sum to at most 1; write fractions of all items, such as 0.5, 0.25, 0.25
        split: found the shares [NaN], expected at least one share, each above 0, that sum to at most 1; write fractions of all items, such as 0.5, 0.25, 0.25
        split: found 0 items for part 2 (10 items in 1 groups for the sizes [4, 4]), expected 4, from groups that no other part uses; use more items or ask for smaller parts
        split: found the sizes [0], expected at least one size, each at least 1; leave empty parts out
        ");
        let none: [&str; 0] = [];
        assert!(split_by_group(&none, &[1.0], Seed::new(1)).is_err());
    }

    #[test]
    fn the_parts_of_a_seed_never_change() {
        let groups = names(&(0..20).collect::<Vec<u8>>());
        let parts = split_by_group(&groups, &[0.5, 0.2], Seed::new(3)).unwrap();
        insta::assert_compact_debug_snapshot!(parts, @"[[0, 2, 3, 5, 6, 9, 11, 12, 13, 17], [1, 7, 8, 14]]");
    }

    #[test]
    fn shares_that_sum_to_one_take_every_item() {
        let groups: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
        let parts = split_by_group(&groups, &[0.1; 10], Seed::new(3)).unwrap();
        assert!(parts.iter().all(|part| part.len() == 100));
    }

    proptest! {
        #[test]
        fn no_group_in_two_parts_and_sizes_within_a_group(
            groups in proptest::collection::vec(0..40_u8, 1..400),
            raw in proptest::collection::vec(0.05..1.0_f64, 1..5),
            whole: bool, seed: u64,
        ) {
            let groups = names(&groups);
            let sum: f64 = raw.iter().sum::<f64>() * if whole { 1.0 } else { 1.5 };
            let shares: Vec<f64> = raw.iter().map(|s| s / sum).collect();
            let Ok(parts) = split_by_group(&groups, &shares, Seed::new(seed)) else { return Ok(()) };
            prop_assert!(no_group_twice(&groups, &parts));
            let mut sizes: HashMap<&str, usize> = HashMap::new();
            for g in &groups {
                *sizes.entry(g).or_default() += 1;
            }
            let largest = sizes.values().copied().max().unwrap_or(0) as f64;
            for (part, share) in parts.iter().zip(&shares) {
                prop_assert!((part.len() as f64 - share * groups.len() as f64).abs() <= largest + 1e-6);
                prop_assert!(part.is_sorted());
            }
            let all: HashSet<usize> = parts.iter().flatten().copied().collect();
            prop_assert_eq!(all.len(), parts.iter().map(Vec::len).sum::<usize>());
            if whole {
                prop_assert_eq!(all.len(), groups.len());
            }
            // The order of the items plays no part.
            let reversed: Vec<String> = groups.iter().rev().cloned().collect();
            let again = split_by_group(&reversed, &shares, Seed::new(seed)).unwrap();
            for (part, other) in parts.iter().zip(&again) {
                let mut other: Vec<usize> = other.iter().map(|i| groups.len() - 1 - i).collect();
                other.sort_unstable();
                prop_assert_eq!(part, &other);
            }
        }

        #[test]
        fn exact_sizes_are_exact(
            groups in proptest::collection::vec(0..40_u8, 1..400),
            sizes in proptest::collection::vec(1..100_usize, 1..4), seed: u64,
        ) {
            let groups = names(&groups);
            let Ok(parts) = take_exact(&groups, &sizes, Seed::new(seed)) else { return Ok(()) };
            prop_assert!(no_group_twice(&groups, &parts));
            prop_assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            let all: HashSet<usize> = parts.iter().flatten().copied().collect();
            prop_assert_eq!(all.len(), parts.iter().map(Vec::len).sum::<usize>());
        }
    }
}
