//! The subsets of the world's preference set, as `RewardBench` has its own.

use super::Section;
use super::safety::REFUSAL;
use crate::item::Preference;

/// A subset of the world's preference set: a section of norms, the difficulties that belong to it and, for safety, what
/// the proper response does.
///
/// | subset | section | its preferences | difficulties |
/// |---|---|---|---|
/// | `reply-few` | chat | reply to one of 2 to 4 askers | 1 to 3 |
/// | `reply-many` | chat | reply to one of 5 to 9 askers | 4 to 6 |
/// | `letter-one` | chat-hard | a list that obeys one constraint | 1, 2 |
/// | `letter-two` | chat-hard | a list that obeys two | 3, 4 |
/// | `letter-three` | chat-hard | a list that obeys three | 5, 6 |
/// | `refuse-plain` | safety | the deed harms: refuse | 1, 2 |
/// | `refuse-circumstance` | safety | circumstances make it harm: refuse | 3 to 6 |
/// | `respond-plain` | safety | the deed is harmless: help | 1, 2 |
/// | `respond-circumstance` | safety | circumstances make it harmless: help | 3 to 6 |
/// | `steps-short` | reasoning | a chain of 1 or 2 steps | 1, 2 |
/// | `steps-medium` | reasoning | of 3 or 4 steps | 3, 4 |
/// | `steps-long` | reasoning | of 5 or 6 steps | 5, 6 |
///
/// So a model that always refuses, or never does, has half of safety right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subset {
    /// `reply-few`
    ReplyFew,
    /// `reply-many`
    ReplyMany,
    /// `letter-one`
    LetterOne,
    /// `letter-two`
    LetterTwo,
    /// `letter-three`
    LetterThree,
    /// `refuse-plain`
    RefusePlain,
    /// `refuse-circumstance`
    RefuseCircumstance,
    /// `respond-plain`
    RespondPlain,
    /// `respond-circumstance`
    RespondCircumstance,
    /// `steps-short`
    StepsShort,
    /// `steps-medium`
    StepsMedium,
    /// `steps-long`
    StepsLong,
}

impl Subset {
    /// All subsets, in the order of tables.
    pub const ALL: [Self; 12] = [
        Self::ReplyFew,
        Self::ReplyMany,
        Self::LetterOne,
        Self::LetterTwo,
        Self::LetterThree,
        Self::RefusePlain,
        Self::RefuseCircumstance,
        Self::RespondPlain,
        Self::RespondCircumstance,
        Self::StepsShort,
        Self::StepsMedium,
        Self::StepsLong,
    ];

    /// The name in the column `subset`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReplyFew => "reply-few",
            Self::ReplyMany => "reply-many",
            Self::LetterOne => "letter-one",
            Self::LetterTwo => "letter-two",
            Self::LetterThree => "letter-three",
            Self::RefusePlain => "refuse-plain",
            Self::RefuseCircumstance => "refuse-circumstance",
            Self::RespondPlain => "respond-plain",
            Self::RespondCircumstance => "respond-circumstance",
            Self::StepsShort => "steps-short",
            Self::StepsMedium => "steps-medium",
            Self::StepsLong => "steps-long",
        }
    }

    /// The section that it counts for.
    #[must_use]
    pub const fn section(self) -> Section {
        match self {
            Self::ReplyFew | Self::ReplyMany => Section::Chat,
            Self::LetterOne | Self::LetterTwo | Self::LetterThree => Section::ChatHard,
            Self::RefusePlain | Self::RefuseCircumstance | Self::RespondPlain | Self::RespondCircumstance => {
                Section::Safety
            }
            Self::StepsShort | Self::StepsMedium | Self::StepsLong => Section::Reasoning,
        }
    }

    /// Its difficulties.
    #[must_use]
    pub const fn difficulties(self) -> &'static [u8] {
        match self {
            Self::ReplyFew => &[1, 2, 3],
            Self::ReplyMany => &[4, 5, 6],
            Self::LetterOne | Self::RefusePlain | Self::RespondPlain | Self::StepsShort => &[1, 2],
            Self::LetterTwo | Self::StepsMedium => &[3, 4],
            Self::LetterThree | Self::StepsLong => &[5, 6],
            Self::RefuseCircumstance | Self::RespondCircumstance => &[3, 4, 5, 6],
        }
    }

    /// Whether a preference of its section and difficulties belongs to it.
    pub(in crate::world) fn takes(self, preference: &Preference) -> bool {
        let refuses = preference.chosen == REFUSAL;
        match self {
            Self::RefusePlain | Self::RefuseCircumstance => refuses,
            Self::RespondPlain | Self::RespondCircumstance => !refuses,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{HARDEST, Part, World};
    use superalign_core::Seed;

    #[test]
    fn every_section_and_difficulty_belongs_to_subsets() {
        for section in Section::ALL {
            for difficulty in 1..=HARDEST {
                let found: Vec<Subset> = Subset::ALL
                    .into_iter()
                    .filter(|one| one.section() == section && one.difficulties().contains(&difficulty))
                    .collect();
                assert_eq!(found.len(), if section == Section::Safety { 2 } else { 1 });
            }
        }
    }

    #[test]
    fn the_set_is_balanced_and_one_of_its_seed() {
        let world = World::new(Seed::new(5));
        let set = world.preference_set(Part::Test, 30);
        assert_eq!(set, World::new(Seed::new(5)).preference_set(Part::Test, 30));
        for (subset, part) in Subset::ALL.into_iter().zip(set.chunks(30)) {
            assert!(part.iter().all(|one| one.tags.family == subset.name() && subset.takes(one)));
            for &difficulty in subset.difficulties() {
                assert!(part.iter().any(|one| one.tags.difficulty == Some(difficulty)));
            }
        }
        // Always refusing, and never, are each right in half of safety.
        let safety: Vec<bool> = set
            .iter()
            .filter(|one| one.tags.family.starts_with("re") && !one.tags.family.starts_with("reply"))
            .map(|one| one.chosen == REFUSAL)
            .collect();
        assert_eq!((safety.len(), safety.iter().filter(|refuses| **refuses).count()), (120, 60));
        // A larger set begins each subset with a smaller one's.
        let larger = world.preference_set(Part::Test, 31);
        assert_eq!(larger[31].prompt, set[30].prompt);
    }
}
