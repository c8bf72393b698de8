//! Which players a chain of results connects, and hence which strengths exist.

use super::tally::Tally;

/// Who can be compared with whom, by results.
///
/// A player *reaches* another along wins and ties: it did not lose to it, or to one that reaches it. Strengths without
/// a prior exist exactly where every player reaches every other (Ford 1957).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connectivity {
    /// The strongly connected components, each sorted: players that reach one another. A component comes before those
    /// that it reaches, so that the first stands above; of components that no result connects, the order says nothing.
    pub components: Vec<Vec<u32>>,
    /// Number of islands: groups of players without any comparison between them.
    pub islands: usize,
    /// Players that were compared, and never lost nor tied.
    pub undefeated: Vec<u32>,
    /// Players that were compared, and never won nor tied.
    pub winless: Vec<u32>,
    /// Players without a comparison.
    pub absent: Vec<u32>,
}

impl Connectivity {
    /// Whether every player reaches every other.
    #[must_use]
    pub fn is_strong(&self) -> bool {
        self.components.len() <= 1
    }

    /// Why strengths do not exist, with players called as `name` says; nothing where they do.
    ///
    /// ```
    /// use superalign_evaluation::peer_review::{Comparison, Preferred::First, Tally, connectivity};
    /// let list = [Comparison { first: 0, second: 1, preferred: First }];
    /// let why = connectivity(&Tally::new(&list, 2)?).explain(|player| ["ann", "bob"][player as usize].to_owned());
    /// assert_eq!(why.unwrap(), "ann never lost nor tied, bob never won nor tied");
    /// # Ok::<(), superalign_evaluation::EvaluationError>(())
    /// ```
    pub fn explain(&self, name: impl Fn(u32) -> String) -> Option<String> {
        const MOST: usize = 5;
        if self.is_strong() {
            return None;
        }
        let list = |players: &[u32]| {
            let mut names: Vec<String> = players.iter().take(MOST).map(|&player| name(player)).collect();
            if players.len() > MOST {
                names.push(format!("{} more", players.len() - MOST));
            }
            match names.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
                _ => names.concat(),
            }
        };
        let mut reasons = Vec::new();
        for (players, what) in [
            (&self.absent, "never compared"),
            (&self.undefeated, "never lost nor tied"),
            (&self.winless, "never won nor tied"),
        ] {
            match players.len() {
                0 => {}
                _ if what == "never compared" => {
                    let verb = if players.len() == 1 { "was" } else { "were" };
                    reasons.push(format!("{} {verb} {what}", list(players)));
                }
                _ => reasons.push(format!("{} {what}", list(players))),
            }
        }
        if reasons.is_empty() {
            let of = |component: &Vec<u32>| list(component);
            let groups: Vec<String> = self.components.iter().take(2).map(of).collect();
            reasons.push(if self.islands > 1 {
                format!("nobody compared {} with {}", groups[0], groups[1])
            } else {
                format!("{} never lost to nor tied with {}", groups[0], list(&self.components[1..].concat()))
            });
        }
        Some(reasons.join(", "))
    }
}

/// The components of a tally's results; linear in its pairs.
#[must_use]
pub fn connectivity(tally: &Tally) -> Connectivity {
    let n = tally.players();
    // Edges from those who did not lose, and back.
    let (mut out, mut back) = (vec![Vec::new(); n], vec![Vec::new(); n]);
    for pair in tally.pairs() {
        let (won, lost) = pair.halves();
        for (from, to, wins) in [(pair.first, pair.second, won), (pair.second, pair.first, lost)] {
            if wins > 0.0 {
                out[from as usize].push(to);
                back[to as usize].push(from);
            }
        }
    }
    // Kosaraju and Sharir: players by when their search ended, then against the edges.
    let mut ended = Vec::with_capacity(n);
    let mut seen = vec![false; n];
    for start in 0..n {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((player, next)) = path.last_mut() {
            match out[*player].get(*next) {
                Some(&other) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[other as usize], true) {
                        path.push((other as usize, 0));
                    }
                }
                None => {
                    ended.push(*player);
                    path.pop();
                }
            }
        }
    }
    let group = |start: usize, taken: &mut [bool], edges: &[&Vec<Vec<u32>>]| {
        let mut members = vec![start as u32];
        taken[start] = true;
        let mut at = 0;
        while let Some(&player) = members.get(at) {
            for &other in edges.iter().flat_map(|edges| &edges[player as usize]) {
                if !std::mem::replace(&mut taken[other as usize], true) {
                    members.push(other);
                }
            }
            at += 1;
        }
        members.sort_unstable();
        members
    };
    let mut taken = vec![false; n];
    let mut components = Vec::new();
    for &start in ended.iter().rev() {
        if !taken[start] {
            components.push(group(start, &mut taken, &[&back]));
        }
    }
    let mut taken = vec![false; n];
    let mut islands = 0;
    for start in 0..n {
        if !taken[start] {
            group(start, &mut taken, &[&out, &back]);
            islands += 1;
        }
    }
    let records = tally.records();
    let which = |fits: fn(&super::tally::Record) -> bool| {
        (0..n as u32).filter(|&player| fits(&records[player as usize])).collect()
    };
    Connectivity {
        components,
        islands,
        undefeated: which(|r| r.wins > 0.0 && r.ties + r.losses == 0.0),
        winless: which(|r| r.losses > 0.0 && r.ties + r.wins == 0.0),
        absent: which(|r| r.games() == 0.0),
    }
}

/// Whether every player reaches every other, as a few passes over the pairs show: a dense graph needs no search.
/// `false` means that a search is needed.
pub(super) fn is_soon_strong(tally: &Tally) -> bool {
    const PASSES: usize = 4;
    let mut reached = vec![[false; 2]; tally.players()];
    if let Some(first) = reached.first_mut() {
        *first = [true; 2];
    }
    for _ in 0..PASSES {
        for pair in tally.pairs() {
            let (won, lost) = pair.halves();
            let (i, j) = (pair.first as usize, pair.second as usize);
            for (from, to, wins) in [(i, j, won), (j, i, lost)] {
                if wins > 0.0 {
                    reached[to][0] |= reached[from][0];
                    reached[from][1] |= reached[to][1];
                }
            }
        }
        if reached.iter().all(|[to, from]| *to && *from) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;
    use proptest::prelude::*;

    fn of(list: &[(u32, u32, i8)], players: usize) -> Connectivity {
        connectivity(&Tally::new(&round(list), players).unwrap())
    }

    #[test]
    fn what_keeps_strengths_from_being_is_named() {
        let say = |list: &[(u32, u32, i8)], players| of(list, players).explain(|p| format!("p{p}"));
        assert_eq!(say(&[(0, 1, 1), (1, 2, 1), (2, 0, 1)], 3), None);
        assert_eq!(say(&[(0, 1, 0)], 2), None);
        assert_eq!(say(&[(0, 1, 1), (1, 2, 1), (2, 1, 1)], 3).unwrap(), "p0 never lost nor tied");
        assert_eq!(say(&[(0, 1, 1), (1, 0, 1)], 4).unwrap(), "p2 and p3 were never compared");
        assert_eq!(
            say(&[(0, 1, 0), (2, 3, 0)], 4).unwrap().replace("p2 and p3 with p0 and p1", "the two"),
            "nobody compared the two"
        );
        assert_eq!(
            say(&[(2, 3, 0), (0, 1, 0), (3, 0, 1)], 4).unwrap(),
            "p2 and p3 never lost to nor tied with p0 and p1"
        );
        let many: Vec<_> = (1..9).map(|loser| (0, loser, 1)).collect();
        assert_eq!(
            say(&many, 9).unwrap(),
            "p0 never lost nor tied, p1, p2, p3, p4, p5 and 3 more never won nor tied"
        );
    }

    proptest! {
        #[test]
        fn components_are_those_of_the_closure(
            games in prop::collection::vec((0_u32..6, 1_u32..6, 0_i8..3), 1..14),
        ) {
            let list: Vec<_> = games.into_iter().map(|(a, by, won)| (a, (a + by) % 6, won)).collect();
            let tally = Tally::new(&round(&list), 6).unwrap();
            let mut reaches = [[false; 6]; 6];
            for pair in tally.pairs() {
                let (won, lost) = pair.halves();
                reaches[pair.first as usize][pair.second as usize] |= won > 0.0;
                reaches[pair.second as usize][pair.first as usize] |= lost > 0.0;
            }
            for k in 0..6 { for i in 0..6 { for j in 0..6 {
                reaches[i][j] |= i == j || reaches[i][k] && reaches[k][j];
            } } }
            let found = connectivity(&tally);
            prop_assert!(found.is_strong() || !is_soon_strong(&tally));
            let place = |player: usize| {
                found.components.iter().position(|c| c.contains(&(player as u32))).unwrap()
            };
            for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
                prop_assert_eq!(place(i) == place(j), reaches[i][j] && reaches[j][i]);
                if reaches[i][j] { prop_assert!(place(i) <= place(j)); }
            }
        }
    }
}
