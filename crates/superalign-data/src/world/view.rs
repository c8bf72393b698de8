//! Other views of an item: the same facts, told in another order.

use super::draw::Dice;
use superalign_core::Seed;

/// The text of a task's item with the sentences of its context in another order, drawn from the seed.
///
/// The order of a context's sentences means nothing in any family: the language's own contexts are in random order. Of
/// counting, the words in the box are shuffled; of arithmetic, the names of the question change places with
/// the summands, as they always come in one order. A norm (`... is sealed`) stays last, where norms are. Candidates of
/// one context get one order. Texts that are no tasks (requests with responses), and contexts with no other order, are
/// returned as they are.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::world::reordered;
/// let text = "likes bavo seden . holds kiru matol . ask likes bavo seden";
/// assert_eq!(reordered(text, Seed::new(1)), "holds kiru matol . likes bavo seden . ask likes bavo seden");
/// assert_eq!(reordered("has a 2 7 . has b 4 . ask have a and b 3 1", Seed::new(1)), "has b 4 . has a 2 7 . ask have b and a 3 1");
/// ```
#[must_use]
pub fn reordered(text: &str, seed: Seed) -> String {
    let Some((context, asked)) = text.rsplit_once(" . ask ") else { return text.to_owned() };
    let mut dice = Dice::new(seed.named("reordered").named(context));
    let mut sentences: Vec<&str> = context.split(" . ").collect();
    let norm = sentences.pop_if(|last| last.ends_with(" is sealed"));
    let mut boxed = String::new();
    if let [only] = sentences[..]
        && let Some(list) = only.strip_prefix("box has ")
    {
        let mut words: Vec<&str> = list.split(' ').collect();
        disarrange(&mut words, &mut dice);
        boxed = format!("box has {}", words.join(" "));
        sentences.clear();
        sentences.push(&boxed);
    }
    disarrange(&mut sentences, &mut dice);
    sentences.extend(norm);
    let asked = match (boxed.is_empty(), asked.split(' ').collect::<Vec<_>>().as_slice()) {
        (true, ["have", one, "and", other, answer @ ..]) => {
            format!("have {other} and {one} {}", answer.join(" "))
        }
        _ => asked.to_owned(),
    };
    format!("{} . ask {asked}", sentences.join(" . "))
}

/// Another order than the one given, where there is one.
fn disarrange(words: &mut [&str], dice: &mut Dice) {
    let before = words.to_vec();
    dice.shuffle(words);
    if *words == *before {
        words.rotate_left(usize::from(words.len() > 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Family, HARDEST, Part, Section, World};

    fn words(text: &str) -> Vec<&str> {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        words
    }

    /// What decides the answer is the same in both views: the set of sentences, and what is asked of which of them.
    #[test]
    fn the_facts_and_the_question_stay_and_their_order_does_not() {
        let world = World::new(Seed::new(1));
        for family in Family::ALL {
            let mut changed = 0;
            for number in 0..60 {
                let difficulty = u8::try_from(number % u64::from(HARDEST)).unwrap() + 1;
                for item in world.competence_pair(Part::Student, family, difficulty, number) {
                    let other = reordered(&item.text, Seed::new(number));
                    let (context, question) = item.text.rsplit_once(" ask ").unwrap();
                    let (context_after, question_after) = other.rsplit_once(" ask ").unwrap();
                    changed += usize::from(context != context_after);
                    assert_eq!(words(context), words(context_after));
                    let sentences = |text: &str| {
                        let mut all: Vec<String> =
                            text.trim_end_matches(" .")
                                .split(" . ")
                                .map(|s| {
                                    if family == Family::Counting { words(s).join(" ") } else { s.to_owned() }
                                })
                                .collect();
                        all.sort_unstable();
                        all
                    };
                    assert_eq!(sentences(context), sentences(context_after));
                    if family == Family::Arithmetic {
                        // First and second summand, as the names stand: the sum and the answer stay.
                        let names = |text: &str| {
                            let words: Vec<&str> = text.split(' ').collect();
                            (words[1].to_owned(), words[3].to_owned(), words[4..].join(" "))
                        };
                        let ((one, two, answer), (a, b, same)) = (names(question), names(question_after));
                        assert_eq!((one, two, answer), (b, a.clone(), same));
                        assert!(context_after.starts_with(&format!("has {a} ")));
                    } else {
                        assert_eq!(question, question_after);
                    }
                    if context.ends_with(" is sealed .") {
                        assert!(context_after.ends_with(" is sealed ."));
                    }
                    assert_eq!(
                        reordered(&item.text, Seed::new(number)),
                        other,
                        "the same seed, the same order"
                    );
                }
            }
            // A box of one kind of thing, mostly: some lists look alike in any order.
            assert!(changed >= 110, "{}: {changed} of 120", family.name());
        }
        let [request, _] = world.conformity_pair(Part::Student, Section::ALL[0], 3, 0);
        assert_eq!(reordered(&request.text, Seed::new(1)), request.text);
    }

    #[test]
    fn the_candidates_of_a_task_share_a_context_in_every_view() {
        let world = World::new(Seed::new(2));
        for family in Family::ALL {
            let [one, other] = world.competence_pair(Part::Test, family, 4, 7);
            let context = |text: &str| {
                let view = reordered(text, Seed::new(3));
                view.rsplit_once(" ask ").unwrap().0.to_owned()
            };
            assert_eq!(context(&one.text), context(&other.text));
        }
    }
}
