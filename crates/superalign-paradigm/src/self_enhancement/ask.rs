//! The questions: what a model says of items under several views, and of its own verdicts.

use crate::{Cost, ParadigmError, Transcript, Turn};
use ndarray::{Array1, Array2, ArrayView2, Axis, stack};
use superalign_core::{ChoicePrompt, LogLikelihood, Model, ModelError};

/// What a model said.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The answers, `(items, columns)`.
    pub answers: Array2<f64>,
    /// What they cost. Of a model that does not count tokens, only those of the verdicts are known.
    pub cost: Cost,
}

/// One prompt for each text, to be followed by either verdict: the good one (`" right"`), then the bad one.
#[must_use]
pub fn verdict_prompts<T: AsRef<str>>(texts: &[T], verdicts: &[String; 2]) -> Vec<ChoicePrompt> {
    let ask = |text: &T| ChoicePrompt { prefix: text.as_ref().to_owned(), choices: verdicts.to_vec() };
    texts.iter().map(ask).collect()
}

/// The log-odds of the good verdict, ln p(good) - ln p(bad), from the likelihoods of both.
///
/// # Errors
/// A number of likelihoods other than two, or one that is not finite.
///
/// ```
/// use superalign_core::LogLikelihood;
/// use superalign_paradigm::self_enhancement::verdict_log_odds;
/// let said = |sum| LogLikelihood { sum, tokens: 1 };
/// assert_eq!(verdict_log_odds(&[vec![said(-0.5), said(-2.0)]])?, ndarray::array![1.5]);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
pub fn verdict_log_odds(said: &[Vec<LogLikelihood>]) -> Result<Array1<f64>, ParadigmError> {
    let mut all = Array1::zeros(said.len());
    for (index, (one, both)) in all.iter_mut().zip(said).enumerate() {
        let [good, bad] = both[..] else {
            return Err(ParadigmError::Shape { what: "number of verdicts", found: both.len(), expected: 2 });
        };
        *one = good.sum - bad.sum;
        if !one.is_finite() {
            let (what, expected) = ("log-odds of the verdict of item", "a finite number");
            return Err(ParadigmError::Value { what, index, found: *one, expected });
        }
    }
    Ok(all)
}

/// Asks a model for its verdicts: log-odds `(items, views)`, the views in the order given, each a text for every item.
///
/// `done` is called with the number of prompts finished; `false` asks the model to stop.
///
/// # Errors
/// No views; views of different lengths; a model that does not answer.
pub fn ask_verdicts(
    model: &mut dyn Model,
    views: &[Vec<String>],
    verdicts: &[String; 2],
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Asked, ParadigmError> {
    let Some(first) = views.first() else {
        return Err(ParadigmError::TooFew { what: "views", found: 0, expected: 1 });
    };
    let (mut columns, mut cost) = (Vec::new(), Cost::default());
    for (v, view) in views.iter().enumerate() {
        if view.len() != first.len() {
            let (what, found, expected) = ("number of texts of a view", view.len(), first.len());
            return Err(ParadigmError::Shape { what, found, expected });
        }
        let (said, more) = ask(model, &verdict_prompts(view, verdicts), v * first.len(), done)?;
        columns.push(verdict_log_odds(&said)?);
        cost = cost.plus(more);
    }
    Ok(Asked { answers: columns_of(&columns), cost })
}

/// Asks a model whether its verdicts hold: the probability `(items, 2)` that `wrong` and `right` hold, where each was the
/// verdict. `prompts` are, for each item, one that shows the verdict `wrong` and one that shows `right`.
///
/// # Errors
/// As [`ask_verdicts`].
pub fn ask_critiques(
    model: &mut dyn Model,
    prompts: &[[ChoicePrompt; 2]],
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Asked, ParadigmError> {
    let (mut columns, mut cost) = (Vec::new(), Cost::default());
    for verdict in 0..2 {
        let those: Vec<ChoicePrompt> = prompts.iter().map(|both| both[verdict].clone()).collect();
        let (said, more) = ask(model, &those, verdict * prompts.len(), done)?;
        columns.push(verdict_log_odds(&said)?);
        cost = cost.plus(more);
    }
    Ok(Asked { answers: upheld(&columns[0], &columns[1]), cost })
}

/// The critique `(items, 2)` from the log-odds that an item is right, said where the verdict shown was `wrong` and where it
/// was `right`: the verdict `wrong` is upheld as far as the item is held for wrong.
#[must_use]
pub fn upheld(after_wrong: &Array1<f64>, after_right: &Array1<f64>) -> Array2<f64> {
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    columns_of(&[after_wrong.mapv(|z| sigmoid(-z)), after_right.mapv(sigmoid)])
}

/// One exchange for each item: the model's verdict, then what it says of it.
///
/// `texts` are the items as they were put, `log_odds` its verdicts, `prompts` and `upheld` those of [`ask_critiques`]. The
/// verdict of a transcript is the probability that the item is right: that of the verdict where it is upheld, and its
/// complement where it is not.
///
/// # Panics
/// Inputs of different lengths.
#[must_use]
pub fn critique_transcripts(
    model: &str,
    items: &[String],
    texts: &[String],
    log_odds: &Array1<f64>,
    prompts: &[[ChoicePrompt; 2]],
    upheld: ArrayView2<'_, f64>,
) -> Vec<Transcript> {
    let one = |i: usize| {
        let probability = 1.0 / (1.0 + (-log_odds[i]).exp());
        let verdict = usize::from(probability >= 0.5);
        let holds = upheld[(i, verdict)];
        let prompt = &prompts[i][verdict];
        let said = |right: bool| prompt.choices.get(usize::from(!right)).cloned().unwrap_or_default();
        let turn = |role: &str, prompt: &str, text: String, probability: f64| Turn {
            role: role.to_owned(),
            model: model.to_owned(),
            prompt: prompt.to_owned(),
            text,
            quotes: Vec::new(),
            probability: Some(probability),
            tokens: 0,
        };
        let after = if verdict == 1 { holds } else { 1.0 - holds };
        Transcript {
            item: items[i].clone(),
            protocol: "self-critique".to_owned(),
            seed: 0,
            turns: vec![
                turn("judge", &texts[i], said(verdict == 1), probability),
                turn("critic", &prompt.prefix, said(after >= 0.5), after),
            ],
            verdict: if holds >= 0.5 { probability } else { 1.0 - probability },
        }
    };
    (0..items.len()).map(one).collect()
}

fn ask(
    model: &mut dyn Model,
    prompts: &[ChoicePrompt],
    before: usize,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<(Vec<Vec<LogLikelihood>>, Cost), ParadigmError> {
    let said = model.choice_log_likelihoods(prompts, &mut |n| done(before + n))?;
    let texts: Vec<&str> = prompts.iter().map(|prompt| prompt.prefix.as_str()).collect();
    let read: usize = match model.token_counts(&texts) {
        Ok(counts) => counts.iter().sum(),
        Err(ModelError::Unsupported { .. }) => 0,
        Err(error) => return Err(error.into()),
    };
    let verdicts: usize = said.iter().flatten().map(|one| one.tokens).sum();
    let cost = Cost { calls: prompts.len() as u64, tokens_read: (read + verdicts) as u64, tokens_written: 0 };
    Ok((said, cost))
}

fn columns_of(columns: &[Array1<f64>]) -> Array2<f64> {
    let views: Vec<_> = columns.iter().map(|column| column.view()).collect();
    // Columns of one length, at least one.
    stack(Axis(1), &views).unwrap_or_default()
}
