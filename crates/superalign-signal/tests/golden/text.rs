//! Golden values of `text`.

use crate::support::{Case, Golden, written};
use serde_json::{Value, json};
use superalign_signal::SignalError;
use superalign_signal::text::{
    Bleu, Boundary, Corpus, FactorEnd, LastSegment, LongOrders, Ngrams, Overlap, Richness, Smoothing,
    Tokenizer, bleu, compression, distinct_n, distinct_sum, hdd, homogenisation, mattr, mean_distinct_n,
    msttr, mtld, ngram_entropy, richness, rouge_l, rouge_n, self_bleu_scores, self_repetition,
};

#[test]
fn values_are_those_of_the_packages() {
    let compared = Golden::read("text.json").check(|case| match case.metric() {
        "distinct_n_corpus" => Some(by_order(case, 4, distinct_n)),
        "distinct_n_mean_per_text" => Some(by_order(case, 2, mean_distinct_n)),
        "ngram_entropy_nats" => Some(by_order(case, 3, ngram_entropy)),
        "ngram_diversity_sum_1_4" => {
            let ngrams = ngrams(case, Tokenizer::Spaces, Boundary::Across);
            // Two empty texts are two empty tokens, which have no 3-gram; the package divides by 0.
            Some(written(distinct_sum(&ngrams)))
        }
        "self_repetition" => {
            Some(written(self_repetition(&ngrams(case, Tokenizer::WhiteSpace, Boundary::Within), 4)))
        }
        // The package compresses twice, and with a time stamp.
        "compression_ratio_gzip" => None,
        "compression_ratio_zlib" => Some(sizes(case)),
        // Where no pair has anything in common, or there is no pair, the package says 1, or divides by 0.
        "homogenization_rougeL" if case.kind() == "behaviour" => None,
        "homogenization_rougeL" => Some(written(homogenisation(&corpus(case, Tokenizer::Rouge)))),
        "self_bleu" => Some(self_bleu(case)),
        "sentence_bleu_brevity" => Some(brevity(case)),
        "rouge_pair_0_1" => {
            let corpus = corpus(case, Tokenizer::Rouge);
            let (text, reference) = (corpus.text(0), corpus.text(1));
            Some(json!({
                "rougeL": overlap(rouge_l(text, reference)),
                "rouge1": overlap(rouge_n(text, reference, 1)),
                "rouge2": overlap(rouge_n(text, reference, 2)),
            }))
        }
        "lexical_richness" => lexical_richness(case),
        other => panic!("unknown metric {other}"),
    });
    assert_eq!(compared, 77);
}

/// The texts of a case; some name them within an expression of Python (`texts[1:3]`, `' '.join(texts)`).
fn texts<'a>(case: &Case<'a>) -> Vec<&'a str> {
    let texts = ["texts", "text", "target", "refs"].into_iter().find_map(|role| {
        let expression = case.input_name(role);
        let name = expression.trim_start_matches("' '.join(").split(['[', ')']).next().unwrap();
        case.named(name).as_array()
    });
    texts.unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn corpus(case: &Case<'_>, by: Tokenizer) -> Corpus {
    Corpus::new(&texts(case), by).unwrap()
}

fn ngrams(case: &Case<'_>, by: Tokenizer, boundary: Boundary) -> Ngrams {
    Ngrams::new(&corpus(case, by), 4, boundary).unwrap()
}

fn overlap(found: Result<Overlap, SignalError>) -> Value {
    let Overlap { precision, recall, f1 } = found.unwrap();
    json!([precision, recall, f1])
}

fn by_order(case: &Case<'_>, max: usize, metric: fn(&Ngrams, usize) -> Result<f64, SignalError>) -> Value {
    let ngrams = ngrams(case, Tokenizer::WhiteSpace, Boundary::Within);
    (1..=max).map(|n| (n.to_string(), written(metric(&ngrams, n)))).collect()
}

fn self_bleu(case: &Case<'_>) -> Value {
    let smoothing = match case.param("smoothing").as_str().unwrap() {
        "method0" => Smoothing::None,
        "method1" => Smoothing::Epsilon(0.1),
        "exp" => Smoothing::Exponential,
        other => panic!("unknown smoothing {other}"),
    };
    let long_orders = match case.param("effective_order").as_bool() {
        Some(true) => LongOrders::LeftOut,
        _ => LongOrders::Missed,
    };
    let max = case.param("n").as_u64().unwrap() as usize;
    let scores = self_bleu_scores(
        &corpus(case, Tokenizer::WhiteSpace),
        &Bleu { smoothing, long_orders, ..Bleu::new(max) },
    )
    .unwrap();
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    match case.package() {
        "nltk" if !case.expected()["per_text"].is_null() => json!({ "mean": mean, "per_text": scores }),
        "nltk" => json!({ "mean": mean }),
        "sacrebleu" => json!(100.0 * mean),
        _ => json!(mean),
    }
}

/// The first tokens of the first text, given the two texts after it.
fn brevity(case: &Case<'_>) -> Value {
    let corpus = corpus(case, Tokenizer::WhiteSpace);
    let references = [corpus.text(1), corpus.text(2)];
    let lengths = case.param("k").as_array().unwrap().iter().map(|k| k.as_u64().unwrap() as usize);
    lengths.map(|k| bleu(&corpus.text(0)[..k], &references, &Bleu::new(4)).unwrap()).collect()
}

fn lexical_richness(case: &Case<'_>) -> Option<Value> {
    let corpus = corpus(case, Tokenizer::LexicalRichness);
    let tokens = corpus.tokens();
    let mut found = json!({});
    for (name, index) in [
        ("ttr", Richness::TypeTokenRatio),
        ("rttr", Richness::Root),
        ("cttr", Richness::Corrected),
        ("herdan", Richness::Herdan),
        ("yulek", Richness::YuleK),
        ("simpsond", Richness::SimpsonD),
    ] {
        found[name] = written(richness(tokens, index));
    }
    let mtld = mtld(tokens, 0.72, FactorEnd::AtOrBelow);
    match &mtld {
        // The package gives the number of tokens to a text without a factor, and divides by 0 without a token.
        Err(_) => assert_eq!(case.kind(), "behaviour"),
        Ok(_) => found["mtld"] = written(mtld),
    }
    // The file has these for its longest text only.
    if !case.expected()["hdd42"].is_null() {
        found["yulei"] = written(richness(tokens, Richness::YuleI));
        found["hdd42"] = written(hdd(tokens, 42));
        found["mattr25"] = written(mattr(tokens, 25));
        found["msttr25"] = written(msttr(tokens, 25, LastSegment::Never));
    }
    (!tokens.is_empty()).then_some(found)
}

/// Bytes of zlib, for the levels that the case has.
fn sizes(case: &Case<'_>) -> Value {
    let mut found = json!({});
    for (name, level) in [("level6", 6), ("level9", 9)] {
        if !case.expected()[name].is_null() {
            let sizes = compression(&texts(case), case.param("sep").as_str().unwrap(), level).unwrap();
            found[name] =
                json!({ "original": sizes.original, "compressed": sizes.compressed, "ratio": sizes.ratio() });
        }
    }
    found
}
