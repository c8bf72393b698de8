//! The comparisons of a file, by number, with the names of players, judges and prompts.

use superalign_data::columns::{Codes, NOTHING};
use superalign_data::signal::{Pairs, Signal, Winner};
use superalign_evaluation::peer_review::{Comparison, Preferred, Record, Tally};

/// Labels of comparisons, and what they are called.
pub(super) struct Labels {
    pub(super) codes: Vec<u32>,
    pub(super) names: Vec<String>,
}

impl Labels {
    /// How many labels there are; rows without one are their own.
    pub(super) fn count(&self) -> usize {
        let mut codes = self.codes.clone();
        codes.sort_unstable();
        codes.dedup();
        codes.len()
    }
}

/// The comparisons that were decided or tied.
pub(super) struct Votes {
    pub(super) players: Vec<String>,
    pub(super) list: Vec<Comparison>,
    pub(super) judges: Option<Labels>,
    pub(super) prompts: Option<Labels>,
    pub(super) records: Vec<Record>,
    /// What was decided that may be meant otherwise.
    pub(super) notes: Vec<String>,
}

impl Votes {
    pub(super) fn of(signal: &Signal) -> Result<Self, String> {
        let at = signal.path.display();
        let pairs = signal.pairs.as_ref().ok_or_else(|| format!("{at}: there are no comparisons"))?;
        let (Some(left), Some(right)) = (&pairs.left, &pairs.right) else {
            return Err(format!(
                "{at}: the players are not named: expected columns for the roles left and right, such as `left` and \
                 `right`; name them with `--columns left=NAME,right=NAME`"
            ));
        };
        if let Some(row) = (0..left.len()).find(|&row| left[row] == right[row]) {
            return Err(format!(
                "{at}: row {} compares `{}` with itself: expected two players; remove the row",
                row + 1,
                pairs.candidates[left[row] as usize]
            ));
        }
        let (list, rows) = comparisons(pairs, left, right);
        let mut notes = signal.notes.clone();
        let silent = pairs.winner.iter().filter(|&&winner| winner == Winner::Nothing).count();
        if silent > 0 {
            notes.push(format!("{silent} rows without a winner are left out; a tie is written `tie`."));
        }
        if pairs.winner_swapped.is_some() {
            notes.push("Each row holds two comparisons, one in either order.".to_owned());
        }
        // Players of whom no comparison is left are none.
        let mut there = vec![false; pairs.candidates.len()];
        for game in &list {
            there[game.first as usize] = true;
            there[game.second as usize] = true;
        }
        let mut place = vec![0; there.len()];
        let mut players = Vec::new();
        for (old, name) in pairs.candidates.iter().enumerate().filter(|(old, _)| there[*old]) {
            place[old] = players.len() as u32;
            players.push(name.clone());
        }
        let renumber = |c: Comparison| Comparison {
            first: place[c.first as usize],
            second: place[c.second as usize],
            ..c
        };
        let list: Vec<Comparison> = list.into_iter().map(renumber).collect();
        if list.is_empty() {
            return Err(format!("{at}: there are no comparisons: expected at least one row with a winner"));
        }
        let tally = Tally::new(&list, players.len()).map_err(|error| format!("{at}: {error}"))?;
        let labels = |codes: &Option<Codes>| codes.as_ref().map(|codes| labels(codes, &rows));
        Ok(Self {
            judges: labels(&pairs.judges),
            prompts: labels(&pairs.items),
            records: tally.records(),
            players,
            list,
            notes,
        })
    }

    pub(super) fn name(&self, player: u32) -> String {
        format!("`{}`", self.players[player as usize])
    }
}

/// The comparisons, and the row of each.
fn comparisons(pairs: &Pairs, left: &[u32], right: &[u32]) -> (Vec<Comparison>, Vec<usize>) {
    let (mut list, mut rows) = (Vec::new(), Vec::new());
    let mut add = |row: usize, first: u32, second: u32, winner: Winner| {
        let preferred = match winner {
            Winner::Left => Preferred::First,
            Winner::Right => Preferred::Second,
            Winner::Tie => Preferred::Tie,
            Winner::Nothing => return,
        };
        list.push(Comparison { first, second, preferred });
        rows.push(row);
    };
    for row in 0..left.len() {
        add(row, left[row], right[row], pairs.winner[row]);
        if let Some(swapped) = &pairs.winner_swapped {
            add(row, right[row], left[row], swapped[row]);
        }
    }
    (list, rows)
}

fn labels(codes: &Codes, rows: &[usize]) -> Labels {
    let code = |&row: &usize| match codes.codes[row] {
        // A row without a label is like no other.
        NOTHING => (codes.names.len() + row) as u32,
        code => code,
    };
    Labels { codes: rows.iter().map(code).collect(), names: codes.names.clone() }
}
