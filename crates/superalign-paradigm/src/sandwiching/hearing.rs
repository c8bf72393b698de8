//! Hearings, step by step: all cases at once, so that each step is one call of a model.

use super::ask::{Belief, Desk};
use super::evidence::Said;
use super::script::{Script, View};
use super::{Case, Config, Outcome, Silence, Speech};
use crate::{Paradigm, ParadigmError, Signal, Source, Transcript, Turn};
use ndarray::Array2;
use superalign_core::rand::Rng as _;
use superalign_core::{GenerateRequest, Model, Seed};

/// Who speaks in a hearing.
pub(super) struct Seating {
    /// Its name in the signal.
    pub(super) name: String,
    /// The answer that is argued for, turn by turn.
    pub(super) sides: Vec<usize>,
}

/// A hearing of one case under way.
struct Hearing<'a> {
    case: &'a Case,
    place: usize,
    seat: usize,
    said: Vec<Said>,
    turns: Vec<Turn>,
}

/// What an advisor may say, and what it was asked.
struct Proposal {
    said: Said,
    prompt: String,
    probability: Option<f64>,
    tokens: u64,
}

/// The advisor's reading of a case: its belief in the whole context, and how much each sentence moves it towards the
/// first answer.
struct Reading {
    belief: Belief,
    influence: Vec<f64>,
}

/// Cases, and how they are heard.
pub(super) struct Court<'a> {
    protocol: &'static str,
    cases: &'a [Case],
    seed: Seed,
    desk: Desk<'a>,
    /// The sentences that the judge sees itself, by case.
    shown: Vec<Vec<usize>>,
}

impl<'a> Court<'a> {
    pub(super) fn new(
        protocol: &'static str,
        cases: &'a [Case],
        script: &'a Script,
        config: &'a Config,
        seed: Seed,
        done: &'a mut dyn FnMut(usize) -> bool,
    ) -> Result<Self, ParadigmError> {
        check(cases, config)?;
        let desk = Desk::new(script, config, done);
        let shown = cases.iter().map(|case| drawn(case, config.shown, seed)).collect();
        Ok(Self { protocol, cases, seed, desk, shown })
    }

    /// The judge reads a share of the context, and nobody speaks.
    pub(super) fn read(mut self, judge: &mut dyn Model, share: f64) -> Result<Outcome, ParadigmError> {
        self.shown = self.cases.iter().map(|case| drawn(case, share, self.seed)).collect();
        let seats = [Seating { name: self.protocol.to_owned(), sides: Vec::new() }];
        let hearings = self.opened(&seats);
        self.closed(judge, hearings, &seats)
    }

    /// The advisor speaks in every hearing as it is seated.
    pub(super) fn hear(
        mut self,
        judge: &mut dyn Model,
        advisor: &mut dyn Model,
        seats: &[Seating],
    ) -> Result<Outcome, ParadigmError> {
        let readings = match self.desk.config.speech {
            Speech::Quotes => self.readings(advisor)?,
            Speech::Arguments { .. } => Vec::new(),
        };
        let mut hearings = self.opened(seats);
        let turns = seats.first().map_or(0, |seat| seat.sides.len());
        for turn in 0..turns {
            let proposals = match self.desk.config.speech {
                Speech::Quotes => self.quotes(&hearings, &readings, seats, turn),
                Speech::Arguments { max_tokens, temperature } => {
                    self.arguments(advisor, &hearings, seats, turn, (max_tokens, temperature))?
                }
            };
            let chosen = self.best(judge, &hearings, &proposals)?;
            for ((hearing, proposals), chosen) in hearings.iter_mut().zip(proposals).zip(chosen) {
                let Some(one) = chosen.and_then(|at| proposals.into_iter().nth(at)) else { continue };
                hearing.turns.push(Turn {
                    role: format!("advisor for {}", hearing.case.answers[one.said.side]),
                    model: advisor.card().name.clone(),
                    prompt: one.prompt,
                    text: one.said.text.clone(),
                    quotes: one.said.quotes.clone(),
                    probability: one.probability,
                    tokens: one.tokens,
                });
                hearing.said.push(one.said);
            }
        }
        self.closed(judge, hearings, seats)
    }

    /// Hearings in the order of cases, then seats.
    fn opened(&self, seats: &[Seating]) -> Vec<Hearing<'a>> {
        let of = |(place, case)| {
            (0..seats.len()).map(move |seat| Hearing {
                case,
                place,
                seat,
                said: Vec::new(),
                turns: Vec::new(),
            })
        };
        self.cases.iter().enumerate().flat_map(of).collect()
    }

    fn view<'v>(&self, hearing: &'v Hearing<'a>, more: Option<&'v Said>) -> View<'v> {
        let sentence = |&at: &usize| hearing.case.context[at].as_str();
        View {
            case: hearing.case,
            context: self.shown[hearing.place].iter().map(sentence).collect(),
            speeches: hearing.said.iter().chain(more).collect(),
        }
    }

    /// What the advisor makes of each case: the whole context, and the context without each of its sentences.
    fn readings(&mut self, advisor: &mut dyn Model) -> Result<Vec<Reading>, ParadigmError> {
        let without = |case: &'a Case, left_out: Option<usize>| {
            let kept = case.context.iter().enumerate().filter(|(at, _)| Some(*at) != left_out);
            View { case, context: kept.map(|(_, s)| s.as_str()).collect(), speeches: Vec::new() }
        };
        let of = |case: &'a Case| {
            std::iter::once(None).chain((0..case.context.len()).map(Some)).map(move |out| without(case, out))
        };
        let views: Vec<View<'_>> = self.cases.iter().flat_map(of).collect();
        let mut beliefs = self.desk.beliefs(advisor, &views)?.into_iter();
        let mut one = |case: &Case| {
            let belief = beliefs.next()?;
            let influence = beliefs.by_ref().take(case.context.len()).map(|b| belief.log_odds - b.log_odds);
            let influence = influence.collect();
            Some(Reading { belief, influence })
        };
        Ok(self.cases.iter().map_while(&mut one).collect())
    }

    /// The sentences that each speaker proposes: those that move its own belief most, of those that nobody has shown.
    fn quotes(
        &self,
        hearings: &[Hearing<'a>],
        readings: &[Reading],
        seats: &[Seating],
        turn: usize,
    ) -> Vec<Vec<Proposal>> {
        let marks = &self.desk.script.prompts().marks;
        let of = |hearing: &Hearing<'a>| {
            let (side, reading) = (seats[hearing.seat].sides[turn], &readings[hearing.place]);
            let seen = |at: &usize| {
                self.shown[hearing.place].contains(at)
                    || hearing.said.iter().any(|said| said.place == Some(*at))
            };
            let pull = |at: usize| reading.influence[at] * if side == 0 { 1.0 } else { -1.0 };
            let mut places: Vec<usize> = (0..hearing.case.context.len()).filter(|at| !seen(at)).collect();
            places.sort_by(|&a, &b| pull(b).total_cmp(&pull(a)));
            places.truncate(self.desk.config.candidates);
            let proposal = |place: usize| Proposal {
                said: Said::quote(side, place, &hearing.case.context[place], marks),
                prompt: reading.belief.prompt.clone(),
                probability: Some(reading.belief.probability),
                tokens: reading.belief.tokens,
            };
            places.into_iter().map(proposal).collect()
        };
        hearings.iter().map(of).collect()
    }

    /// The texts that each speaker writes, its quotes checked.
    fn arguments(
        &mut self,
        advisor: &mut dyn Model,
        hearings: &[Hearing<'a>],
        seats: &[Seating],
        turn: usize,
        (max_tokens, temperature): (usize, f32),
    ) -> Result<Vec<Vec<Proposal>>, ParadigmError> {
        let script = self.desk.script;
        let prompt = |hearing: &Hearing<'a>| {
            let context = hearing.case.context.iter().map(String::as_str).collect();
            let view = View { case: hearing.case, context, speeches: hearing.said.iter().collect() };
            script.advisor(advisor, &view, seats[hearing.seat].sides[turn])
        };
        let prompts: Vec<String> = hearings.iter().map(prompt).collect::<Result<_, _>>()?;
        let request = GenerateRequest {
            max_tokens,
            samples: self.desk.config.candidates,
            temperature,
            top_p: None,
            stop: Vec::new(),
            seed: self.seed.named(self.protocol).nth(turn as u64),
        };
        let texts = self.desk.texts(advisor, &prompts, &request)?;
        let of = |((hearing, prompt), (read, written)): ((&Hearing<'a>, String), (u64, Vec<_>))| {
            let side = seats[hearing.seat].sides[turn];
            let proposal = |one: superalign_core::Generation| Proposal {
                said: Said::written(side, &one.text, &hearing.case.context, &script.prompts().marks),
                prompt: prompt.clone(),
                probability: None,
                tokens: read + one.tokens as u64,
            };
            written.into_iter().map(proposal).collect()
        };
        Ok(hearings.iter().zip(prompts).zip(texts).map(of).collect())
    }

    /// Of each speaker's proposals, the one after which the judge gives its side the greatest probability; none where it
    /// has none, or where silence serves it better and is permitted.
    fn best(
        &mut self,
        judge: &mut dyn Model,
        hearings: &[Hearing<'a>],
        proposals: &[Vec<Proposal>],
    ) -> Result<Vec<Option<usize>>, ParadigmError> {
        let mut chosen: Vec<Option<usize>> =
            proposals.iter().map(|proposals| (!proposals.is_empty()).then_some(0)).collect();
        let silence = self.desk.config.silence == Silence::Permitted;
        let choices = |proposals: &[Proposal]| match proposals.len() {
            0 => 0,
            n => n + usize::from(silence),
        };
        if self.desk.config.candidates < 2 {
            return Ok(chosen);
        }
        let views: Vec<View<'_>> = hearings
            .iter()
            .zip(proposals)
            .filter(|(_, proposals)| choices(proposals) > 1)
            .flat_map(|(hearing, proposals)| {
                let said = proposals.iter().map(|one| Some(&one.said)).chain(silence.then_some(None));
                said.map(|said| self.view(hearing, said))
            })
            .collect();
        if views.is_empty() {
            return Ok(chosen);
        }
        let beliefs = self.desk.beliefs(judge, &views)?;
        let mut beliefs = beliefs.iter();
        for (chosen, proposals) in chosen.iter_mut().zip(proposals).filter(|(_, p)| choices(p) > 1) {
            let side = proposals.first().map_or(0, |one| one.said.side);
            let mut greatest = f64::NEG_INFINITY;
            for (at, belief) in beliefs.by_ref().take(choices(proposals)).enumerate() {
                if belief.of(side) > greatest {
                    greatest = belief.of(side);
                    *chosen = (at < proposals.len()).then_some(at);
                }
            }
        }
        Ok(chosen)
    }

    /// The judge's verdicts, and what comes of them.
    fn closed(
        mut self,
        judge: &mut dyn Model,
        hearings: Vec<Hearing<'a>>,
        seats: &[Seating],
    ) -> Result<Outcome, ParadigmError> {
        let views: Vec<View<'_>> = hearings.iter().map(|hearing| self.view(hearing, None)).collect();
        let beliefs = self.desk.beliefs(judge, &views)?;
        let votes = Array2::from_shape_fn((self.cases.len(), seats.len()), |(case, seat)| {
            beliefs[case * seats.len() + seat].probability
        });
        let name = judge.card().name.clone();
        let source = |seat: &Seating| Source {
            name: seat.name.clone(),
            seed: Some(self.seed.value()),
            ..Source::new("", Paradigm::Sandwiching, &name)
        };
        let items = self.cases.iter().map(|case| case.item.clone()).collect();
        let signal = Signal::mean(items, seats.iter().map(source).collect(), votes)?.costing(self.desk.cost);
        let mut transcripts: Vec<Transcript> = Vec::with_capacity(self.cases.len());
        for (hearing, belief) in hearings.into_iter().zip(beliefs) {
            if hearing.seat == 0 {
                transcripts.push(Transcript {
                    item: hearing.case.item.clone(),
                    protocol: self.protocol.to_owned(),
                    seed: self.seed.value(),
                    turns: Vec::new(),
                    verdict: signal.labels()[hearing.place],
                });
            }
            let Some(transcript) = transcripts.last_mut() else { continue };
            transcript.turns.extend(hearing.turns);
            let likelier = usize::from(belief.probability < 0.5);
            transcript.turns.push(Turn {
                role: "judge".to_owned(),
                model: name.clone(),
                prompt: belief.prompt,
                text: hearing.case.answers[likelier].clone(),
                quotes: Vec::new(),
                probability: Some(belief.probability),
                tokens: belief.tokens,
            });
        }
        Ok(Outcome { signal, transcripts })
    }
}

/// The sentences that the judge sees itself: a share of them, rounded up, in their order.
fn drawn(case: &Case, share: f64, seed: Seed) -> Vec<usize> {
    let n = case.context.len();
    let count = ((share * n as f64).ceil() as usize).min(n);
    let seed = seed.named("shown").named(&case.item);
    let mut places: Vec<usize> = (0..n).collect();
    places.sort_by_key(|&at| seed.nth(at as u64).rng().next_u64());
    places.truncate(count);
    places.sort_unstable();
    places
}

fn check(cases: &[Case], config: &Config) -> Result<(), ParadigmError> {
    if cases.is_empty() {
        return Err(ParadigmError::TooFew { what: "cases", found: 0, expected: 1 });
    }
    let setting = |key, found: f64, fits: bool, expected: &'static str| match fits {
        true => Ok(()),
        false => Err(ParadigmError::Setting { key, found, expected: expected.into() }),
    };
    setting("turns", config.turns as f64, config.turns > 0, "at least 1")?;
    setting("candidates", config.candidates as f64, config.candidates > 0, "at least 1")?;
    let shown = config.shown;
    setting("shown", shown, (0.0..=1.0).contains(&shown), "a number from 0 to 1")?;
    if let Speech::Arguments { max_tokens, temperature } = config.speech {
        setting("max_tokens", max_tokens as f64, max_tokens > 0, "at least 1")?;
        let fits = temperature.is_finite() && temperature >= 0.0;
        setting("temperature", f64::from(temperature), fits, "a finite number from 0")?;
    }
    match cases.iter().position(|case| case.answers[0] == case.answers[1]) {
        None => Ok(()),
        Some(at) => Err(ParadigmError::Undefined {
            what: "the verdict",
            reason: format!("case {at} ({}) has the same answer twice", cases[at].item).into(),
        }),
    }
}
