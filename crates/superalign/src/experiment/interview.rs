//! Interviews: questions whose wording depends on earlier answers, put to models while texts are read.
//!
//! A model that is interviewed remembers: within a run a question is put to it once, and answers are cached by content as
//! those to other questions are. So an interview that is held again, after a run was killed, costs little, and jobs
//! stay pure: they are given what came of it.

use super::ReadError;
use super::features::{Reading, ask_blocks};
use crate::plan::{Part, Plan, Rung};
use crate::progress::Stage;
use crate::record::{TranscriptRow, write_whole};
use ndarray::Array2;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use superalign_core::{
    ChoicePrompt, EmbedRequest, GenerateRequest, Generation, LogLikelihood, Message, Model, ModelCard,
    ModelError,
};
use superalign_inference::CacheError;
use superalign_paradigm::{ParadigmError, Signal, Transcript};

/// Where an interview is held.
pub struct Room<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The items.
    pub parts: &'a [Part],
    /// The models, each of which remembers what it was asked.
    models: Vec<Remembering<'a>>,
    rungs: &'a [Rung],
    reading: &'a Reading<'a>,
    stage: Option<Stage>,
}

/// What came of an interview.
#[derive(Clone, Debug, Default)]
pub struct Interviews {
    /// Signals by name, or why there is none.
    pub signals: Vec<(String, Result<Signal, String>)>,
    /// Who said what.
    pub transcripts: Vec<TranscriptRow>,
}

impl Interviews {
    /// The signal of that name, or why there is none.
    ///
    /// # Errors
    /// The models failed, or nobody was asked for it.
    pub fn signal(&self, name: &str) -> Result<&Signal, String> {
        let found = self.signals.iter().find(|(signal, _)| signal == name);
        let (_, signal) = found.ok_or_else(|| format!("nobody was interviewed for {name}"))?;
        signal.as_ref().map_err(Clone::clone)
    }

    /// Keeps a signal with its transcripts, or the reason why there is none.
    pub(super) fn keep(&mut self, name: &str, came: Result<(Signal, Vec<Transcript>), String>) {
        let signal = came.map(|(signal, transcripts)| {
            let row = |transcript| TranscriptRow { signal: name.to_owned(), transcript };
            self.transcripts.extend(transcripts.into_iter().map(row));
            signal
        });
        self.signals.push((name.to_owned(), signal));
    }
}

impl<'a> Room<'a> {
    /// A room for the models of a plan.
    pub fn new(
        plan: &'a Plan,
        parts: &'a [Part],
        models: &'a mut [Box<dyn Model>],
        rungs: &'a [Rung],
        reading: &'a Reading<'a>,
    ) -> Self {
        let remembering = |model: &'a mut Box<dyn Model>| Remembering {
            model: model.as_mut(),
            cache: reading.cache,
            likelihoods: HashMap::new(),
            counts: RefCell::default(),
            broken: None,
        };
        Self {
            plan,
            parts,
            models: models.iter_mut().map(remembering).collect(),
            rungs,
            reading,
            stage: None,
        }
    }

    /// Says how many hearings there will be.
    pub(super) fn expect(&mut self, hearings: usize) {
        let title = format!("{}: hearings", self.plan.experiment);
        self.stage = Some(self.reading.progress.stage(title, hearings));
    }

    /// Lets one rung speak, or two (the second is none where both read one model).
    ///
    /// The outer error ends the reading; the inner one is the reason why there is no answer.
    pub(super) fn hear<T>(
        &mut self,
        rungs: [usize; 2],
        with: impl FnOnce(
            &mut dyn Model,
            Option<&mut dyn Model>,
            &mut dyn FnMut(usize) -> bool,
        ) -> Result<T, ParadigmError>,
    ) -> Result<Result<T, String>, ReadError> {
        let stop = self.reading.stop;
        let mut done = |_: usize| !stop.load(Ordering::Relaxed);
        let [one, other] = rungs.map(|rung| self.rungs[rung].model);
        if !done(0) {
            return Err(ReadError::Stopped);
        }
        let found = match self.models.get_disjoint_mut([one, other]) {
            Ok([one, other]) => with(one, Some(other), &mut done),
            Err(_) => with(&mut self.models[one], None, &mut done),
        };
        if let Some(broken) = self.models.iter_mut().find_map(|model| model.broken.take()) {
            return Err(ReadError::Cache(broken));
        }
        if let Some(stage) = &self.stage {
            stage.step();
        }
        match found {
            Ok(found) => Ok(Ok(found)),
            Err(ParadigmError::Model(ModelError::Stopped)) => Err(ReadError::Stopped),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}

type Key = [u8; 32];

/// A model that is asked no question twice.
struct Remembering<'a> {
    model: &'a mut dyn Model,
    cache: &'a Path,
    likelihoods: HashMap<Key, Vec<LogLikelihood>>,
    counts: RefCell<HashMap<Key, usize>>,
    /// Why the cache cannot be written; the run ends with it.
    broken: Option<CacheError>,
}

fn key<'t>(parts: impl Iterator<Item = &'t str>) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn key_of(prompt: &ChoicePrompt) -> Key {
    key(std::iter::once(prompt.prefix.as_str()).chain(prompt.choices.iter().map(String::as_str)))
}

impl Remembering<'_> {
    /// The model's own error, or one in the place of the cache's.
    fn model_error(&mut self, error: CacheError) -> ModelError {
        match error {
            CacheError::Model(error) => error,
            other => {
                let reason = other.to_string();
                self.broken = Some(other);
                ModelError::Runtime { model: self.model.card().name.clone(), reason }
            }
        }
    }
}

impl Model for Remembering<'_> {
    fn card(&self) -> &ModelCard {
        self.model.card()
    }

    fn embed(
        &mut self,
        texts: &[&str],
        request: EmbedRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        self.model.embed(texts, request, done)
    }

    fn choice_log_likelihoods(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        let keys: Vec<Key> = prompts.iter().map(key_of).collect();
        let new = |at: &usize| !self.likelihoods.contains_key(&keys[*at]);
        let fresh: Vec<usize> = (0..prompts.len()).filter(new).collect();
        let known = prompts.len() - fresh.len();
        if fresh.is_empty() {
            if !done(known) {
                return Err(ModelError::Stopped);
            }
        } else {
            let asked: Vec<ChoicePrompt> = fresh.iter().map(|&at| prompts[at].clone()).collect();
            let said = ask_blocks(self.model, &asked, self.cache, &mut |n| done(known + n));
            let said = said.map_err(|error| self.model_error(error))?;
            self.likelihoods.extend(fresh.iter().map(|&at| keys[at]).zip(said));
        }
        Ok(keys.iter().map(|key| self.likelihoods.get(key).cloned().unwrap_or_default()).collect())
    }

    fn generate(
        &mut self,
        prompts: &[String],
        request: &GenerateRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<Generation>>, ModelError> {
        let card = self.model.card();
        let asked = format!("{request:?}");
        let runtime = card.runtime.split_whitespace().next().unwrap_or_default();
        let head = [card.digest.as_str(), runtime, &asked];
        let name = key(head.into_iter().chain(prompts.iter().map(String::as_str)));
        let name = name.iter().take(16).fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        let path = self.cache.join("written").join(format!("{name}.json"));
        // A file that is damaged is written anew.
        let found = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let texts: Vec<Vec<(String, usize)>> = match found {
            Some(texts) => {
                if !done(prompts.len()) {
                    return Err(ModelError::Stopped);
                }
                texts
            }
            None => {
                let written = self.model.generate(prompts, request, done)?;
                let plain = |one: Generation| (one.text, one.tokens);
                let texts: Vec<Vec<(String, usize)>> =
                    written.into_iter().map(|texts| texts.into_iter().map(plain).collect()).collect();
                let bytes = serde_json::to_vec(&texts).unwrap_or_default();
                let folder = path.parent().unwrap_or(self.cache);
                let kept = std::fs::create_dir_all(folder).map_err(|error| error.to_string());
                let kept = kept.and_then(|()| write_whole(&path, &bytes).map_err(|error| error.to_string()));
                if let Err(reason) = kept {
                    return Err(self.model_error(CacheError::Write { path, reason }));
                }
                texts
            }
        };
        let one = |(text, tokens)| Generation { text, tokens };
        Ok(texts.into_iter().map(|texts| texts.into_iter().map(one).collect()).collect())
    }

    fn chat(&self, messages: &[Message]) -> Result<String, ModelError> {
        self.model.chat(messages)
    }

    fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
        let keys: Vec<Key> = texts.iter().map(|text| key(std::iter::once(*text))).collect();
        let mut counts = self.counts.borrow_mut();
        let fresh: Vec<usize> = (0..texts.len()).filter(|&at| !counts.contains_key(&keys[at])).collect();
        if !fresh.is_empty() {
            let asked: Vec<&str> = fresh.iter().map(|&at| texts[at]).collect();
            let found = self.model.token_counts(&asked)?;
            counts.extend(fresh.iter().map(|&at| keys[at]).zip(found));
        }
        Ok(keys.iter().map(|key| counts.get(key).copied().unwrap_or_default()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use superalign_core::Seed;

    /// Writes its number of questions so far.
    struct Counting(ModelCard, usize);

    impl Model for Counting {
        fn card(&self) -> &ModelCard {
            &self.0
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
            _: &mut dyn FnMut(usize) -> bool,
        ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
            let mut one = |prompt: &ChoicePrompt| {
                self.1 += 1;
                let said = LogLikelihood { sum: -(self.1 as f64), tokens: 1 };
                vec![said; prompt.choices.len()]
            };
            Ok(prompts.iter().map(&mut one).collect())
        }

        fn generate(
            &mut self,
            prompts: &[String],
            _: &GenerateRequest,
            _: &mut dyn FnMut(usize) -> bool,
        ) -> Result<Vec<Vec<Generation>>, ModelError> {
            self.1 += prompts.len();
            let text = Generation { text: self.1.to_string(), tokens: 1 };
            Ok(vec![vec![text]; prompts.len()])
        }
    }

    fn counting() -> Counting {
        let card = ModelCard {
            name: "counting".into(),
            digest: "d".into(),
            layers: 1,
            width: 1,
            parameters: None,
            generates: true,
            runtime: "none 1".into(),
        };
        Counting(card, 0)
    }

    fn remembering<'a>(model: &'a mut Counting, cache: &'a Path) -> Remembering<'a> {
        Remembering { model, cache, likelihoods: HashMap::new(), counts: RefCell::default(), broken: None }
    }

    #[test]
    fn no_question_is_put_twice_and_none_after_a_restart() {
        let cache = tempfile::tempdir().unwrap();
        let prompt =
            |prefix: &str| ChoicePrompt { prefix: prefix.into(), choices: vec!["x".into(), "y".into()] };
        let request = GenerateRequest {
            max_tokens: 1,
            samples: 1,
            temperature: 1.0,
            top_p: None,
            stop: Vec::new(),
            seed: Seed::new(1),
        };
        let ask = |model: &mut Remembering<'_>, prompts: &[ChoicePrompt]| {
            let said = model.choice_log_likelihoods(prompts, &mut |_| true).unwrap();
            said.iter().map(|both| both[0].sum).collect::<Vec<f64>>()
        };
        let write = |model: &mut Remembering<'_>, seed| {
            let request = GenerateRequest { seed: Seed::new(seed), ..request.clone() };
            model.generate(&["a".into()], &request, &mut |_| true).unwrap()[0][0].text.clone()
        };
        let (mut first, mut second) = (counting(), counting());
        let mut model = remembering(&mut first, cache.path());
        assert_eq!(ask(&mut model, &[prompt("a"), prompt("b")]), [-1.0, -2.0]);
        assert_eq!(ask(&mut model, &[prompt("b"), prompt("c")]), [-2.0, -3.0]);
        let texts = [write(&mut model, 1), write(&mut model, 2), write(&mut model, 1)];
        assert_eq!(texts, ["4", "5", "4"]);
        let mut again = remembering(&mut second, cache.path());
        assert_eq!(ask(&mut again, &[prompt("a"), prompt("b")]), [-1.0, -2.0]);
        assert_eq!(ask(&mut again, &[prompt("b"), prompt("c")]), [-2.0, -3.0]);
        assert_eq!(write(&mut again, 2), "5");
        // What is damaged is written anew.
        for entry in std::fs::read_dir(cache.path().join("written")).unwrap().flatten() {
            std::fs::write(entry.path(), "torn").unwrap();
        }
        assert_eq!(write(&mut again, 2), "1");
        assert_eq!(second.1, 1);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_told_apart_from_a_model_that_fails() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let mut one = counting();
        let mut model = remembering(&mut one, &file);
        let prompt = ChoicePrompt { prefix: "a".into(), choices: vec!["x".into()] };
        assert!(model.choice_log_likelihoods(&[prompt], &mut |_| true).is_err());
        assert!(matches!(model.broken, Some(CacheError::Write { .. })));
    }
}
