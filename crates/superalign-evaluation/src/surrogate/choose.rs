//! Which items stand in for which: a choice by the tags of the items alone.

use crate::EvaluationError;

/// What is known of an item beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Family of task.
    pub family: &'a str,
    /// Difficulty, where it is known.
    pub difficulty: Option<u64>,
}

/// What stands in for the items beyond the supervisor.
///
/// | kind | surrogate: the truth is known | target: the truth is withheld |
/// |---|---|---|
/// | held-out difficulty | difficulty <= `known` | difficulty > `known` |
/// | held-out family | families other than `withheld` | `withheld` |
/// | sandwiched experts | difficulty > `known`, families of `experts` | difficulty > `known`, other families |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurrogateKind<'a> {
    /// Easier items of all families.
    HeldOutDifficulty {
        /// The greatest difficulty that the supervisor can check.
        known: u64,
    },
    /// Items of other families, of every difficulty.
    HeldOutFamily {
        /// The families that the supervisor cannot check.
        withheld: &'a [&'a str],
    },
    /// Items as hard as the target, in the fields where experts know the truth (Cotra 2021, "The case for aligning
    /// narrowly superhuman models").
    SandwichedExperts {
        /// The greatest difficulty that the supervisor can check without experts.
        known: u64,
        /// The families that experts can check.
        experts: &'a [&'a str],
    },
}

impl SurrogateKind<'_> {
    /// Its name, as in specs and reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HeldOutDifficulty { .. } => "held-out-difficulty",
            Self::HeldOutFamily { .. } => "held-out-family",
            Self::SandwichedExperts { .. } => "sandwiched-experts",
        }
    }
}

/// The places of the chosen items, rising.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Items whose truth is known.
    pub surrogate: Vec<usize>,
    /// Items whose truth is withheld.
    pub target: Vec<usize>,
}

/// Items that stand in, and items that are stood in for. Items of unknown difficulty are in neither where the kind asks
/// for it, and so are items that the kind has no use for.
///
/// # Errors
/// A family that no item has; no surrogate or no target left.
///
/// ```
/// use superalign_evaluation::surrogate::{SurrogateKind, Tag, choose};
/// let tag = |family, difficulty| Tag { family, difficulty: Some(difficulty) };
/// let tags = [tag("chain", 1), tag("sums", 5), tag("chain", 6), tag("sums", 2)];
/// let found = choose(&tags, &SurrogateKind::HeldOutDifficulty { known: 2 })?;
/// assert_eq!((found.surrogate, found.target), (vec![0, 3], vec![1, 2]));
/// let found = choose(&tags, &SurrogateKind::SandwichedExperts { known: 2, experts: &["sums"] })?;
/// assert_eq!((found.surrogate, found.target), (vec![1], vec![2]));
/// let error = choose(&tags, &SurrogateKind::HeldOutDifficulty { known: 6 }).unwrap_err();
/// assert_eq!(error.to_string(), "held-out-difficulty is undefined: 4 of 4 items can stand in, and none is a target");
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn choose(tags: &[Tag<'_>], kind: &SurrogateKind<'_>) -> Result<Chosen, EvaluationError> {
    let name = kind.name();
    let families: &[&str] = match *kind {
        SurrogateKind::HeldOutDifficulty { .. } => &[],
        SurrogateKind::HeldOutFamily { withheld } => withheld,
        SurrogateKind::SandwichedExperts { experts, .. } => experts,
    };
    if let Some(family) = families.iter().find(|family| !tags.iter().any(|tag| tag.family == **family)) {
        return Err(EvaluationError::undefined(name, format!("no item is of the family `{family}`")));
    }
    let mut chosen = Chosen::default();
    for (place, tag) in tags.iter().enumerate() {
        let named = families.contains(&tag.family);
        let known = match *kind {
            SurrogateKind::HeldOutDifficulty { known } => {
                tag.difficulty.map(|difficulty| difficulty <= known)
            }
            SurrogateKind::HeldOutFamily { .. } => Some(!named),
            SurrogateKind::SandwichedExperts { known, .. } => {
                tag.difficulty.filter(|&difficulty| difficulty > known).map(|_| named)
            }
        };
        match known {
            Some(true) => chosen.surrogate.push(place),
            Some(false) => chosen.target.push(place),
            None => {}
        }
    }
    let (surrogate, target, all) = (chosen.surrogate.len(), chosen.target.len(), tags.len());
    if surrogate == 0 {
        let reason = format!("{target} of {all} items are targets, and none can stand in");
        return Err(EvaluationError::undefined(name, reason));
    }
    if target == 0 {
        let reason = format!("{surrogate} of {all} items can stand in, and none is a target");
        return Err(EvaluationError::undefined(name, reason));
    }
    Ok(chosen)
}
