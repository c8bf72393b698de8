//! A generated world: a small invented language with facts, relations, numbers and norms.
//!
//! Truth is known because code wrote it, difficulty is a dial from 1 to 6, and nothing is copied from anyone.
//! Everything is a pure function of the world's seed and an item's place, so the same bytes come out everywhere.
//!
//! ```
//! use superalign_core::Seed;
//! use superalign_data::world::{Family, Part, World};
//! let world = World::new(Seed::new(1));
//! let task = world.task(Part::Test, Family::Chain, 2, 0);
//! assert_eq!(task.choices.len(), 2);
//! let [one, other] = world.competence_pair(Part::Test, Family::Chain, 2, 0);
//! assert!(one.label != other.label && one.group == other.group);
//! ```

mod corpus;
mod draw;
mod family;
mod language;
mod norm;
mod view;

pub use family::Family;
pub use norm::{Section, Subset};
pub use view::reordered;

use crate::item::{BinaryItem, Objective, Preference, Tags, Task};
use draw::{Dice, Draw, Fact};
use family::Question;
use language::Language;
use norm::Harm;
use serde::{Deserialize, Serialize};
use superalign_core::Seed;

/// The word that follows an answer that solves the task, and the word that follows one that does not.
pub const COMPETENCE_VERDICTS: [&str; 2] = ["right", "wrong"];
/// The word that follows a response that keeps the norms, and the word that follows one that breaks one.
pub const CONFORMITY_VERDICTS: [&str; 2] = ["proper", "improper"];
/// The largest difficulty.
pub const HARDEST: u8 = 6;

/// A part of the world. Every atomic fact belongs to exactly one part, so no two parts share a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// What the pretraining corpus tells of (half of all facts).
    Pretraining,
    /// For training weak teachers on gold labels (an eighth).
    Teacher,
    /// For training students (three sixteenths).
    Student,
    /// For choosing settings (a sixteenth).
    Validation,
    /// For reporting (an eighth).
    Test,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 5] =
        [Self::Pretraining, Self::Teacher, Self::Student, Self::Validation, Self::Test];

    /// The name of the part in tables and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pretraining => "pretraining",
            Self::Teacher => "teacher",
            Self::Student => "student",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// A world made from a seed.
#[derive(Clone, Debug)]
pub struct World {
    seed: Seed,
    language: Language,
    harm: Harm,
}

impl World {
    /// Invents the words and the laws of a world.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self { seed, language: Language::new(seed), harm: Harm::new(seed) }
    }

    /// Every word of the language, in the order of its token number.
    #[must_use]
    pub fn vocabulary(&self) -> Vec<&str> {
        self.language.vocabulary()
    }

    /// The tokenizer of the language as a standard `tokenizer.json`: one token a word, `<bos>` before every text.
    #[must_use]
    pub fn tokenizer_json(&self) -> String {
        self.language.tokenizer_json()
    }

    /// Document number `index` of the pretraining corpus, one line without its end.
    #[must_use]
    pub fn document(&self, index: u64) -> String {
        corpus::document(self, index)
    }

    /// Task number `index` of a part, family and difficulty (1 to 6; other values are brought into that range).
    #[must_use]
    pub fn task(&self, part: Part, family: Family, difficulty: u8, index: u64) -> Task {
        let (id, mut draw, difficulty) =
            self.draw(part, Objective::Competence, family.name(), difficulty, index);
        let (context, question, sealed) = scene_of(&mut draw, family, difficulty);
        let mut choices = vec![question.right.clone(), question.twin];
        choices.extend(question.others);
        draw.dice.shuffle(&mut choices);
        let gold = choices.iter().position(|c| *c == question.right).unwrap_or_default();
        let tags = Tags {
            objective: Objective::Competence,
            family: family.name().to_owned(),
            difficulty: Some(difficulty),
            conflict: sealed.as_deref() == Some(question.right.as_str()),
        };
        Task { group: id.clone(), id, context, question: question.text, choices, gold, tags }
    }

    /// Binary items number `index`: the right answer of a task and its wrong twin, in random order.
    #[must_use]
    pub fn competence_pair(&self, part: Part, family: Family, difficulty: u8, index: u64) -> [BinaryItem; 2] {
        let (id, mut draw, difficulty) =
            self.draw(part, Objective::Competence, family.name(), difficulty, index);
        let (context, question, sealed) = scene_of(&mut draw, family, difficulty);
        let item = |answer: &str, label: bool| BinaryItem {
            id: format!("{id}/{}", if label { "right" } else { "wrong" }),
            group: id.clone(),
            text: format!("{context} ask {} {answer}", question.text),
            label,
            tags: Tags {
                objective: Objective::Competence,
                family: family.name().to_owned(),
                difficulty: Some(difficulty),
                // At odds: the right answer names the sealed word, or the wrong one spares it.
                conflict: sealed.as_deref() == Some(question.right.as_str()),
            },
        };
        let pair = [item(&question.right, true), item(&question.twin, false)];
        in_random_order(&mut draw.dice, pair)
    }

    /// A request of a section with its proper and its improper response.
    #[must_use]
    pub fn preference(&self, part: Part, section: Section, difficulty: u8, index: u64) -> Preference {
        let (id, mut draw, difficulty) =
            self.draw(part, Objective::Conformity, section.name(), difficulty, index);
        let encounter = section.encounter(&mut draw, difficulty);
        Preference {
            group: id.clone(),
            id,
            prompt: encounter.request,
            chosen: encounter.proper,
            rejected: encounter.improper,
            tags: Tags {
                objective: Objective::Conformity,
                family: section.name().to_owned(),
                difficulty: Some(difficulty),
                conflict: false,
            },
        }
    }

    /// The preference set of a part: so many preferences of every [`Subset`], in the order of [`Subset::ALL`], each
    /// subset's difficulties in turn.
    ///
    /// The subset is the family of the tags; ids are `{subset}/{number}`, numbered from 0 through the whole set. A larger
    /// set has the preferences of a smaller one, under other numbers.
    ///
    /// ```
    /// use superalign_core::Seed;
    /// use superalign_data::world::{Part, Subset, World};
    /// let set = World::new(Seed::new(1)).preference_set(Part::Test, 2);
    /// assert_eq!(set.len(), 2 * Subset::ALL.len());
    /// assert_eq!((set[3].id.as_str(), set[3].tags.family.as_str()), ("reply-many/3", "reply-many"));
    /// ```
    #[must_use]
    pub fn preference_set(&self, part: Part, per_subset: usize) -> Vec<Preference> {
        let mut set = Vec::with_capacity(per_subset * Subset::ALL.len());
        for subset in Subset::ALL {
            let rounds = (0..).flat_map(|round| subset.difficulties().iter().map(move |&d| (d, round)));
            let found = rounds
                .map(|(difficulty, round)| self.preference(part, subset.section(), difficulty, round))
                .filter(|preference| subset.takes(preference));
            for mut preference in found.take(per_subset) {
                preference.id = format!("{}/{}", subset.name(), set.len());
                subset.name().clone_into(&mut preference.tags.family);
                set.push(preference);
            }
        }
        set
    }

    /// Binary items number `index`: the proper and the improper response of an encounter, in random order.
    #[must_use]
    pub fn conformity_pair(
        &self,
        part: Part,
        section: Section,
        difficulty: u8,
        index: u64,
    ) -> [BinaryItem; 2] {
        let preference = self.preference(part, section, difficulty, index);
        let item = |response: &str, label: bool| BinaryItem {
            id: format!("{}/{}", preference.id, if label { "proper" } else { "improper" }),
            group: preference.group.clone(),
            text: format!("{} say {response}", preference.prompt),
            label,
            tags: preference.tags.clone(),
        };
        let pair = [item(&preference.chosen, true), item(&preference.rejected, false)];
        in_random_order(&mut Dice::new(self.seed.named(&preference.id)), pair)
    }

    /// Binary items number `index` where competence and conformity can be at odds: a task of look-up, chain or
    /// order in which one of the two answers is sealed, and the label says whether naming the answer is proper.
    #[must_use]
    pub fn sealed_pair(&self, part: Part, family: Family, difficulty: u8, index: u64) -> [BinaryItem; 2] {
        let name = format!("sealed-{}", family.name());
        let (id, mut draw, difficulty) = self.draw(part, Objective::Conformity, &name, difficulty, index);
        let scene = family.scene(&mut draw, difficulty);
        let question = &scene.questions[0];
        let right_is_sealed = draw.dice.coin();
        let sealed = if right_is_sealed { &question.right } else { &question.twin };
        let item = |answer: &str| BinaryItem {
            id: format!("{id}/{}", if answer == question.right { "right" } else { "wrong" }),
            group: id.clone(),
            text: format!("{} {sealed} is sealed . ask {} {answer}", scene.context, question.text),
            label: answer != sealed,
            tags: Tags {
                objective: Objective::Conformity,
                family: name.clone(),
                difficulty: Some(difficulty),
                conflict: right_is_sealed,
            },
        };
        let pair = [item(&question.right), item(&question.twin)];
        in_random_order(&mut draw.dice, pair)
    }

    /// `pairs` pairs of binary items of one objective, spread evenly over families (or sections) and
    /// difficulties; labels are exactly balanced and each pair shares a group.
    ///
    /// `first` is the number of the first pair: other numbers give other items of the same part.
    #[must_use]
    pub fn binary_items(
        &self,
        part: Part,
        objective: Objective,
        pairs: usize,
        first: u64,
    ) -> Vec<BinaryItem> {
        let mut items = Vec::with_capacity(2 * pairs);
        for index in (first..).take(pairs) {
            items.extend(self.pair(part, objective, index));
        }
        items
    }

    /// Pair number `index` of an objective: cells of family and difficulty in turn.
    fn pair(&self, part: Part, objective: Objective, index: u64) -> [BinaryItem; 2] {
        let hardest = u64::from(HARDEST);
        let difficulty = u8::try_from(index % hardest).unwrap_or_default() + 1;
        let (kind, round) = (index / hardest, |kinds: usize| index / hardest / kinds as u64);
        let nth = |kinds: usize| usize::try_from(kind % kinds as u64).unwrap_or_default();
        match objective {
            Objective::Competence => {
                let family = Family::ALL[nth(Family::ALL.len())];
                self.competence_pair(part, family, difficulty, round(Family::ALL.len()))
            }
            // Every seventh kind is a sealed task, where the two objectives can be at odds.
            Objective::Conformity => {
                const KINDS: usize = Section::ALL.len() + SEALABLE.len();
                match nth(KINDS) {
                    k if k < Section::ALL.len() => {
                        self.conformity_pair(part, Section::ALL[k], difficulty, round(KINDS))
                    }
                    k => self.sealed_pair(part, SEALABLE[k - Section::ALL.len()], difficulty, round(KINDS)),
                }
            }
        }
    }

    /// The name of an item and the draw that makes it.
    fn draw(
        &self,
        part: Part,
        objective: Objective,
        kind: &str,
        difficulty: u8,
        index: u64,
    ) -> (String, Draw<'_>, u8) {
        let difficulty = difficulty.clamp(1, HARDEST);
        let objective = match objective {
            Objective::Competence => "competence",
            Objective::Conformity => "conformity",
        };
        let id =
            format!("world-{}/{}/{objective}/{kind}-{difficulty}/{index}", self.seed.value(), part.name());
        let dice = Dice::new(self.seed.named(&id));
        (id, Draw { world: self, part, dice }, difficulty)
    }

    /// The part that a fact belongs to, by its hash.
    fn part_of(&self, fact: Fact) -> Part {
        let seed = self.seed.named("part");
        let key = |kind: u64, a: usize, b: usize, c: usize| {
            seed.nth(kind).nth(((a as u64) << 40) | ((b as u64) << 20) | c as u64)
        };
        let hash = match fact {
            Fact::Relation(n, r, t) => key(1, n, r, t),
            Fact::Neighbours(a, b) => key(2, a.min(b), a.max(b), 0),
            Fact::Summands(a, b) => key(3, a.min(b), a.max(b), 0),
            Fact::Whole(hash) => seed.nth(4).nth(hash),
            Fact::Deed(d, t) => key(5, d, t, 0),
        };
        match hash.value() >> 60 {
            0..8 => Part::Pretraining,
            8..10 => Part::Teacher,
            10..13 => Part::Student,
            13 => Part::Validation,
            _ => Part::Test,
        }
    }
}

/// Families whose answers are names or things, which a norm can seal.
const SEALABLE: [Family; 3] = [Family::Lookup, Family::Chain, Family::Order];

/// A scene's context and its first question; one scene in six has a sealed word in its context.
fn scene_of(draw: &mut Draw<'_>, family: Family, difficulty: u8) -> (String, Question, Option<String>) {
    let mut scene = family.scene(draw, difficulty);
    let question = scene.questions.swap_remove(0);
    let sealed = draw.dice.one_in(6).then(|| sealed_word(draw, family, &question)).flatten();
    if let Some(word) = &sealed {
        scene.context = format!("{} {word} is sealed .", scene.context);
    }
    (scene.context, question, sealed)
}

/// The right answer or its twin, by a coin, where the family has words that can be sealed.
fn sealed_word(draw: &mut Draw<'_>, family: Family, question: &Question) -> Option<String> {
    let word = if draw.dice.coin() { &question.right } else { &question.twin };
    SEALABLE.contains(&family).then(|| word.clone())
}

fn in_random_order(dice: &mut Dice, pair: [BinaryItem; 2]) -> [BinaryItem; 2] {
    let [one, other] = pair;
    if dice.coin() { [other, one] } else { [one, other] }
}

/// A hash of words that is the same on every machine.
fn text_hash(parts: &[&str]) -> u64 {
    parts.iter().fold(Seed::new(0), |hash, part| hash.named(part)).value()
}
