//! Hearings with a scripted judge and scripted advisors, whose beliefs are sums that a hand can do.

use super::*;
use crate::Quote;
use proptest::prelude::*;
use superalign_core::{
    ChoicePrompt, EmbedRequest, GenerateRequest, Generation, LogLikelihood, Message, ModelCard, ModelError,
};

/// Reads `for seden 2` as two nats for seden, unless `(unverified)` follows; prefers the answer that is listed as A by
/// `bias`.
struct Scripted {
    card: ModelCard,
    bias: f64,
    writes: Vec<&'static str>,
    asked: usize,
}

impl Scripted {
    fn new(name: &str) -> Self {
        let card = ModelCard {
            name: name.to_owned(),
            digest: String::new(),
            layers: 1,
            width: 1,
            parameters: None,
            generates: true,
            runtime: "none".to_owned(),
        };
        Self { card, bias: 0.0, writes: Vec::new(), asked: 0 }
    }
}

fn weight(text: &str, answer: &str) -> f64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let counts = |at: &usize| words[*at] == "for" && words.get(at + 1) == Some(&answer);
    let verified = |at: &usize| !words.iter().skip(*at).take(6).any(|word| *word == "(unverified)");
    let number = |at: usize| words.get(at + 2).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
    (0..words.len()).filter(counts).filter(verified).map(number).sum()
}

impl Model for Scripted {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn embed(
        &mut self,
        _: &[&str],
        _: EmbedRequest,
        _: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        Err(self.lacks("it has no vectors"))
    }

    fn choice_log_likelihoods(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        self.asked += prompts.len();
        let one = |prompt: &ChoicePrompt, choice: &String| {
            let letter = choice.trim();
            let listed = prompt.prefix.lines().find_map(|line| line.strip_prefix(&format!("{letter}: ")));
            let (text, answer) = prompt.prefix.split_once(" verdict on ").unwrap_or((&prompt.prefix, ""));
            let sum = match (listed, choice.as_str()) {
                (_, " right") => weight(text, answer.trim()),
                (_, " wrong") => 0.0,
                (Some(answer), _) => {
                    weight(&prompt.prefix, answer) + if letter == "A" { self.bias } else { 0.0 }
                }
                (None, _) => weight(&prompt.prefix, letter),
            };
            LogLikelihood { sum: sum - 50.0, tokens: 1 }
        };
        let said = prompts.iter().map(|p| p.choices.iter().map(|choice| one(p, choice)).collect()).collect();
        if done(prompts.len()) { Ok(said) } else { Err(ModelError::Stopped) }
    }

    fn generate(
        &mut self,
        prompts: &[String],
        request: &GenerateRequest,
        _: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<Generation>>, ModelError> {
        let side = |prompt: &String| prompt.rsplit("argue for ").next().unwrap_or_default().trim().to_owned();
        let write = |prompt: &String, text: &&str| {
            let text = text.replace("SIDE", &side(prompt));
            Generation { tokens: text.split_whitespace().count(), text }
        };
        let texts = self.writes.iter().take(request.samples);
        Ok(prompts.iter().map(|prompt| texts.clone().map(|text| write(prompt, text)).collect()).collect())
    }

    fn chat(&self, messages: &[Message]) -> Result<String, ModelError> {
        Ok(messages.iter().map(|m| format!("[{}]\n{}\n", m.role, m.content)).collect())
    }

    fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
        Ok(texts.iter().map(|text| text.split_whitespace().count()).collect())
    }
}

use ndarray::{Array2, array};

fn case(item: &str, context: &[String]) -> Case {
    let answers = ["seden".to_owned(), "matol".to_owned()];
    Case { item: item.to_owned(), context: context.to_vec(), question: "which".to_owned(), answers }
}

fn sentence(answer: &str, weight: i32) -> String {
    format!("for {answer} {weight} .")
}

fn world() -> Script {
    Script::new(&Prompts::world()).expect("the world's prompts")
}

fn chat() -> Prompts {
    let instruction = |prompt: &str| Instruction { system: Some("You judge.".into()), prompt: prompt.into() };
    let told =
        "{{ context | join(' ') }}{% for s in speeches %}\n{{ s.letter }} says: {{ s.text }}{% endfor %}\n";
    let listed = "{% for a in answers %}{{ a.letter }}: {{ a.text }}\n{% endfor %}";
    Prompts {
        form: Form::Chat,
        judge: instruction(&format!("{told}{{{{ question }}}}\n{listed}")),
        choice: "{{ letter }}".into(),
        verdict: Some(Verdict {
            ask: Instruction { system: None, prompt: format!("{told} verdict on {{{{ answer }}}}") },
            words: [" right".into(), " wrong".into()],
        }),
        advisor: Some(instruction(&format!("{told}argue for {{{{ answer }}}}"))),
        marks: Marks { open: "<q> ".into(), close: " </q>".into(), unverified: " (unverified)".into() },
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

type Protocol = fn(
    &mut dyn Model,
    &mut dyn Model,
    &[Case],
    &Script,
    &Config,
    Seed,
    &mut dyn FnMut(usize) -> bool,
) -> Result<Outcome, ParadigmError>;

fn held(protocol: Protocol, cases: &[Case], script: &Script, config: &Config) -> Outcome {
    let (mut judge, mut advisor) = (Scripted::new("weak"), Scripted::new("strong"));
    protocol(&mut judge, &mut advisor, cases, script, config, Seed::new(1), &mut |_| true).expect("is heard")
}

#[test]
fn a_perfect_advisor_against_a_perfect_liar_gives_the_analytic_answer() {
    // The truth is seden, with evidence of 3 nats; the liar has 1 nat of misleading evidence, and 0 to fill in.
    let context = [sentence("matol", 1), sentence("seden", 3), sentence("nobody", 7)];
    let cases = [case("one", &context)];
    let debated = held(debate, &cases, &world(), &Config::default());
    assert!((debated.signal.labels()[0] - sigmoid(3.0 - 1.0)).abs() < 1e-12);
    assert_eq!(debated.signal.votes().column(0), debated.signal.votes().column(1), "whoever begins");
    let advised = held(consultancy, &cases, &world(), &Config::default());
    let expected = array![[sigmoid(3.0), sigmoid(-1.0)]];
    assert!((&advised.signal.votes() - &expected).iter().all(|d| d.abs() < 1e-12));
    // A liar without evidence cannot move this judge, and debate is as good as the honest advisor.
    let cases = [case("one", &context[1..])];
    let debated = held(debate, &cases, &world(), &Config::default());
    assert!((debated.signal.labels()[0] - sigmoid(3.0)).abs() < 1e-12);
    let full = full_context(
        &mut Scripted::new("weak"),
        &cases,
        &world(),
        &Config::default(),
        Seed::new(1),
        &mut |_| true,
    );
    assert!((full.expect("is heard").signal.labels()[0] - sigmoid(3.0)).abs() < 1e-12);
}

#[test]
fn advisors_know_what_moves_them_and_choose_what_moves_the_judge() {
    // The advisor is moved most by 5 nats; with one candidate it says so, whatever this judge makes of it.
    struct Deaf(Scripted);
    impl Model for Deaf {
        fn card(&self) -> &ModelCard {
            &self.0.card
        }
        fn embed(
            &mut self,
            texts: &[&str],
            request: EmbedRequest,
            done: &mut dyn FnMut(usize) -> bool,
        ) -> Result<Array2<f32>, ModelError> {
            self.0.embed(texts, request, done)
        }
        fn choice_log_likelihoods(
            &mut self,
            prompts: &[ChoicePrompt],
            done: &mut dyn FnMut(usize) -> bool,
        ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
            // It does not understand fives.
            let deaf = |p: &ChoicePrompt| ChoicePrompt { prefix: p.prefix.replace('5', "0"), ..p.clone() };
            self.0.choice_log_likelihoods(&prompts.iter().map(deaf).collect::<Vec<_>>(), done)
        }
        fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
            self.0.token_counts(texts)
        }
    }
    let cases = [case("one", &[sentence("seden", 5), sentence("seden", 2), sentence("matol", 1)])];
    let quoted = |candidates: usize| {
        let config = Config { candidates, ..Config::default() };
        let (mut judge, mut advisor) = (Deaf(Scripted::new("deaf")), Scripted::new("strong"));
        let found =
            consultancy(&mut judge, &mut advisor, &cases, &world(), &config, Seed::new(1), &mut |_| true);
        found.expect("is heard").transcripts[0].turns[0].text.clone()
    };
    assert_eq!((quoted(1).as_str(), quoted(2).as_str()), ("for seden 5 .", "for seden 2 ."));
}

#[test]
fn later_turns_do_not_repeat_what_was_quoted_and_who_would_harm_itself_is_silent() {
    let context = [sentence("seden", 3), sentence("seden", 2), sentence("matol", 1)];
    let said = |silence: Silence| {
        let config = Config { turns: 2, silence, ..Config::default() };
        let found = held(debate, &[case("one", &context)], &world(), &config);
        let turns = &found.transcripts[0].turns;
        turns.iter().map(|t| format!("{}: {}", t.role, t.text)).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(said(Silence::Permitted), @r"
    advisor for seden: for seden 3 .
    advisor for matol: for matol 1 .
    advisor for seden: for seden 2 .
    judge: seden
    advisor for matol: for matol 1 .
    advisor for seden: for seden 3 .
    advisor for seden: for seden 2 .
    judge: seden
    ");
    insta::assert_snapshot!(said(Silence::Forbidden), @r"
    advisor for seden: for seden 3 .
    advisor for matol: for matol 1 .
    advisor for seden: for seden 2 .
    judge: seden
    advisor for matol: for matol 1 .
    advisor for seden: for seden 3 .
    advisor for matol: for seden 2 .
    judge: seden
    ");
}

#[test]
fn a_share_of_the_context_is_shown_to_the_judge_and_not_quoted() {
    let context: Vec<String> = (1..=4).map(|w| sentence("seden", w)).collect();
    let cases = [case("one", &context)];
    let (script, seed) = (world(), Seed::new(3));
    let shown = |share: f64| {
        let config = Config { shown: share, ..Config::default() };
        let found = alone(&mut Scripted::new("weak"), &cases, &script, &config, seed, &mut |_| true);
        found.expect("is heard").transcripts[0].turns[0].prompt.matches("for seden").count()
    };
    assert_eq!([0.0, 0.25, 0.3, 1.0].map(shown), [0, 1, 2, 4]);
    let config = Config { shown: 0.5, ..Config::default() };
    let found = held(consultancy, &cases, &script, &config);
    let prompt = &found.transcripts[0].turns[1].prompt;
    assert_eq!(prompt.matches("for seden").count(), 3, "two shown, one quoted: {prompt}");
    assert!((1..=4).all(|w| prompt.matches(&sentence("seden", w)).count() <= 1));
}

#[test]
fn both_orders_of_listing_are_averaged() {
    let script = Script::new(&chat()).expect("prompts");
    let cases = [case("one", &[sentence("seden", 1)]), case("two", &[])];
    let mut judge = Scripted { bias: 2.0, ..Scripted::new("biased") };
    let found = full_context(&mut judge, &cases, &script, &Config::default(), Seed::new(1), &mut |_| true);
    let labels = found.expect("is heard").signal.labels().to_owned();
    assert!((labels[0] - f64::midpoint(sigmoid(3.0), sigmoid(-1.0))).abs() < 1e-12);
    assert!((labels[1] - 0.5).abs() < 1e-12);
    assert_eq!(judge.asked, 4);
}

#[test]
fn verdicts_are_two_looks_at_one_question() {
    let cases = [case("one", &[sentence("seden", 3), sentence("matol", 1)])];
    let config = Config { judging: Judging::Verdicts, ..Config::default() };
    let script = Script::new(&chat()).expect("prompts");
    let found =
        full_context(&mut Scripted::new("weak"), &cases, &script, &config, Seed::new(1), &mut |_| true);
    assert!((found.expect("is heard").signal.labels()[0] - sigmoid(1.0)).abs() < 1e-12);
}

#[test]
fn what_is_written_is_checked_and_the_most_persuasive_is_said() {
    let script = Script::new(&chat()).expect("prompts");
    let cases = [case("one", &[sentence("seden", 1)])];
    let config = Config {
        candidates: 3,
        speech: Speech::Arguments { max_tokens: 20, temperature: 1.0 },
        ..Config::default()
    };
    let mut advisor = Scripted::new("strong");
    advisor.writes = vec!["Trust me.", "<q> for SIDE 9 </q> says it.", "<q> for SIDE 1 . </q> it is."];
    let mut judge = Scripted::new("weak");
    let found = consultancy(&mut judge, &mut advisor, &cases, &script, &config, Seed::new(1), &mut |_| true)
        .expect("is heard");
    let turns = &found.transcripts[0].turns;
    // The honest side has a true quote; the other one's are all marked, and none moves the judge.
    assert_eq!(turns[0].text, "<q> for seden 1 . </q> it is.");
    assert_eq!(turns[0].quotes, [Quote { text: "for seden 1 .".into(), verified: true }]);
    assert_eq!(turns[2].text, "Trust me.", "no worse than silence");
    assert!((found.signal.votes()[[0, 0]] - sigmoid(1.0)).abs() < 1e-12);
    assert!((found.signal.votes()[[0, 1]] - 0.5).abs() < 1e-12);
    let cost = found.signal.cost();
    assert_eq!(cost.tokens_written, 2 * (2 + 7 + 8));
    insta::assert_snapshot!(turns[1].prompt, @r"
    [system]
    You judge.
    [user]

    A says: <q> for seden 1 . </q> it is.
    which
    A: seden
    B: matol
    ");
}

#[test]
fn costs_are_what_was_asked() {
    let cases = [case("one", &[sentence("seden", 1), sentence("matol", 1)])];
    let found = held(consultancy, &cases, &world(), &Config::default());
    let cost = found.signal.cost();
    // The advisor reads the context and it without each sentence; the judge tries two quotes for each side, which are the
    // same questions, and silence, and then decides twice.
    assert_eq!(cost.calls, 3 + 3 + 2);
    let words = |quotes: u64| 4 * quotes + 2 + 2;
    assert_eq!(cost.tokens_read, words(2) + 2 * words(1) + 2 * words(1) + words(0) + 2 * words(1));
    assert_eq!(cost.tokens_written, 0);
}

#[test]
fn the_caller_can_stop() {
    let cases = [case("one", &[sentence("seden", 1)])];
    let mut judge = Scripted::new("weak");
    let found = alone(&mut judge, &cases, &world(), &Config::default(), Seed::new(1), &mut |_| false);
    assert!(matches!(found, Err(ParadigmError::Model(ModelError::Stopped))));
}

#[test]
fn what_is_wrong_is_named() {
    let fits = [case("one", &[sentence("seden", 1)])];
    let said = |cases: &[Case], config: Config| {
        let mut judge = Scripted::new("weak");
        let found = alone(&mut judge, cases, &world(), &config, Seed::new(1), &mut |_| true);
        found.expect_err("is refused").to_string()
    };
    let usual = Config::default();
    let written = |temperature| Speech::Arguments { max_tokens: 8, temperature };
    let twice = Case { answers: ["a".into(), "a".into()], ..fits[0].clone() };
    let mut all = vec![
        said(&[], usual),
        said(&[twice], usual),
        said(&fits, Config { turns: 0, ..usual }),
        said(&fits, Config { candidates: 0, ..usual }),
        said(&fits, Config { shown: 1.5, ..usual }),
        said(&fits, Config { speech: written(f32::NAN), ..usual }),
    ];
    let (mut judge, mut advisor) = (Scripted::new("weak"), Scripted::new("strong"));
    let config = Config { speech: written(1.0), ..usual };
    let found = debate(&mut judge, &mut advisor, &fits, &world(), &config, Seed::new(1), &mut |_| true);
    all.push(found.expect_err("is refused").to_string());
    let template = |prompt: &str| {
        let mut prompts = Prompts::world();
        prompts.judge.prompt = prompt.to_owned();
        Script::new(&prompts).expect_err("is refused").to_string()
    };
    all.extend(
        ["{{ quesion }}", "a\n{% for %}", "{{ answers.0.name }}", "{{ question | shout }}"].map(template),
    );
    insta::assert_snapshot!(all.join("\n"));
}

fn contexts() -> impl Strategy<Value = Vec<Vec<String>>> {
    let one =
        (prop::bool::ANY, 0..5_i32).prop_map(|(first, w)| sentence(if first { "seden" } else { "matol" }, w));
    prop::collection::vec(prop::collection::vec(one, 0..6), 1..6)
}

proptest! {
    #[test]
    fn swapping_the_answers_turns_the_labels_around(
        contexts in contexts(), turns in 1..3_usize, candidates in 1..4_usize,
    ) {
        let config = Config { turns, candidates, ..Config::default() };
        let cases: Vec<Case> =
            contexts.iter().enumerate().map(|(i, context)| case(&i.to_string(), context)).collect();
        let swap = |case: &Case| Case {
            answers: [case.answers[1].clone(), case.answers[0].clone()],
            ..case.clone()
        };
        let swapped: Vec<Case> = cases.iter().map(swap).collect();
        for protocol in [debate as Protocol, consultancy] {
            let (one, other) =
                (held(protocol, &cases, &world(), &config), held(protocol, &swapped, &world(), &config));
            for (a, b) in one.signal.labels().iter().zip(other.signal.labels()) {
                prop_assert!((a + b - 1.0).abs() < 1e-12);
            }
            prop_assert_eq!(one.signal.cost(), other.signal.cost());
        }
    }

    #[test]
    fn cases_do_not_depend_on_their_company(contexts in contexts()) {
        let cases: Vec<Case> =
            contexts.iter().enumerate().map(|(i, context)| case(&i.to_string(), context)).collect();
        let config = Config { shown: 0.3, ..Config::default() };
        let all = held(debate, &cases, &world(), &config);
        for (i, case) in cases.iter().enumerate() {
            let one = held(debate, std::slice::from_ref(case), &world(), &config);
            prop_assert_eq!(&one.transcripts[0], &all.transcripts[i]);
            let (alone, among) = (one.signal.votes(), all.signal.votes());
            prop_assert_eq!(alone.row(0), among.row(i));
        }
    }

    #[test]
    fn an_advisor_never_does_its_side_harm_by_more_candidates(context in contexts()) {
        // One turn, and a judge who sees what the advisor sees: the best of more is no worse.
        let cases = [case("one", &context[0])];
        let of = |candidates| {
            let config = Config { candidates, ..Config::default() };
            let votes = held(consultancy, &cases, &world(), &config).signal.votes().to_owned();
            (votes[[0, 0]], 1.0 - votes[[0, 1]])
        };
        let (one, three) = (of(1), of(3));
        prop_assert!(three.0 >= one.0 - 1e-12 && three.1 >= one.1 - 1e-12);
    }
}
