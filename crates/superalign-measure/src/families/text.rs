//! Diversity of texts.

use crate::catalogue::{Metric, Need, Opt, Settings, metric, number, text, whole, word};
use crate::found::{Found, Undefined, array, json_number, json_numbers, one};
use crate::input::Input;
use serde_json::{Value, json};
use superalign_signal::text::{
    Bleu, Boundary, Clusters, Corpus, FactorEnd, LastSegment, LongOrders, NearDuplicates, Ngrams, Overlap,
    Richness, Search, Smoothing, Tokenizer, adjusted_distinct_n, compression, distinct_n,
    distinct_n_estimate, distinct_sum, exact_duplicates, hdd, homogenisation, homogenisation_estimate, mattr,
    mean_distinct_n, mean_distinct_n_estimate, msttr, mtld, near_duplicates, ngram_entropy,
    ngram_entropy_estimate, pairwise_bleu, pairwise_bleu_estimate, richness, rouge_l, rouge_n, self_bleu,
    self_bleu_estimate, self_bleu_scores, self_repetition,
};

const FAMILY: &str = "text";
const TEXTS: (&str, Need) = (FAMILY, Need::Texts);
const TOKENIZERS: &[&str] = &["white-space", "spaces", "words", "characters", "rouge", "lexical-richness"];
const TOKENS: Opt = word("tokens", TOKENIZERS, "white-space", "how texts are cut");
const WORDS: Opt = word("tokens", TOKENIZERS, "lexical-richness", "how texts are cut");
const BOUNDARY: Opt =
    word("boundary", &["within", "across"], "within", "whether n-grams reach from a text into the next");
const N: Opt = whole("n", "2", "length of the n-grams");
const SMOOTHING: Opt = word(
    "smoothing",
    &["method1", "none", "method0", "add", "exp"],
    "method1",
    "NLTK's method1 (epsilon), nothing (method0), add-one, or sacrebleu's exp",
);
const EPSILON: Opt = number("epsilon", "0.1", "of method1: in place of no match");
const LONG: Opt = word(
    "long-orders",
    &["missed", "left-out"],
    "missed",
    "n-grams longer than the text: without a match, or left out (sacrebleu's effective order)",
);
const UP_TO: Opt = whole("n", "4", "longest n-grams");

pub(super) const METRICS: &[Metric] = &[
    metric(
        TEXTS,
        "distinct-n",
        "distinct n-grams over all n-grams",
        &[N, TOKENS, BOUNDARY],
        &["n=1", "n=2", "n=3"],
        |input, set| {
            let (ngrams, n) = ngrams(input, set)?;
            let found = input.interval(|| distinct_n(&ngrams, n), |by| distinct_n_estimate(&ngrams, n, by));
            Ok(vec![one(found, ngrams.texts(), "texts")])
        },
    ),
    metric(
        TEXTS,
        "mean-distinct-n",
        "the same within each text, averaged over texts",
        &[N, TOKENS],
        &[],
        |input, set| {
            let (ngrams, n) = ngrams(input, set)?;
            let found =
                input.interval(|| mean_distinct_n(&ngrams, n), |by| mean_distinct_n_estimate(&ngrams, n, by));
            Ok(vec![one(found, ngrams.texts(), "texts")])
        },
    ),
    metric(
        TEXTS,
        "distinct-sum",
        "distinct-1 to distinct-n, added up",
        &[UP_TO, TOKENS, BOUNDARY],
        &[],
        |input, set| {
            let (ngrams, _) = ngrams(input, set)?;
            Ok(vec![one(distinct_sum(&ngrams), ngrams.texts(), "texts")])
        },
    ),
    metric(
        TEXTS,
        "adjusted-distinct-n",
        "distinct n-grams over those that a vocabulary would give by chance",
        &[N, number("vocabulary", "30000", "size of the vocabulary"), TOKENS],
        &[],
        |input, set| {
            let (ngrams, n) = ngrams(input, set)?;
            let found = adjusted_distinct_n(&ngrams, n, set.real("vocabulary"));
            Ok(vec![one(found, ngrams.texts(), "texts")])
        },
    ),
    metric(
        TEXTS,
        "ngram-entropy",
        "entropy of the n-grams",
        &[N, TOKENS, BOUNDARY],
        &["n=1", "n=2"],
        |input, set| {
            let (ngrams, n) = ngrams(input, set)?;
            let found =
                input.interval(|| ngram_entropy(&ngrams, n), |by| ngram_entropy_estimate(&ngrams, n, by));
            Ok(vec![one(found, ngrams.texts(), "texts").unit("nats")])
        },
    ),
    metric(
        TEXTS,
        "self-repetition",
        "how much of a text's n-grams others repeat",
        &[UP_TO, TOKENS],
        &[""],
        |input, set| {
            let (ngrams, n) = ngrams(input, set)?;
            Ok(vec![one(self_repetition(&ngrams, n), ngrams.texts(), "texts")])
        },
    ),
    metric(
        TEXTS,
        "self-bleu",
        "BLEU of each text against all others, mean and each",
        &[UP_TO, SMOOTHING, EPSILON, LONG, TOKENS],
        &[""],
        |input, set| {
            let (corpus, by) = (corpus(input, set)?, bleu(set)?);
            let found =
                input.interval(|| self_bleu(&corpus, &by), |draws| self_bleu_estimate(&corpus, &by, draws));
            let n = corpus.len();
            let mut all = vec![one(found, n, "texts")];
            if let Ok(each) = self_bleu_scores(&corpus, &by) {
                all.push(array(json_numbers(&each), &["texts"], n, "texts").part("per text"));
            }
            Ok(all)
        },
    ),
    metric(
        TEXTS,
        "pairwise-bleu",
        "mean BLEU of pairs of texts",
        &[UP_TO, SMOOTHING, EPSILON, LONG, TOKENS],
        &[],
        |input, set| {
            let (corpus, by) = (corpus(input, set)?, bleu(set)?);
            let found = input.interval(
                || pairwise_bleu(&corpus, &by),
                |draws| pairwise_bleu_estimate(&corpus, &by, draws),
            );
            Ok(vec![one(found, corpus.len(), "texts")])
        },
    ),
    metric(
        TEXTS,
        "compression-ratio",
        "size of all texts over that when compressed (zlib)",
        &[
            whole("level", "6", "from 0 to 9"),
            text("separator", "space", "between texts: space, newline, none, or any text"),
        ],
        &[""],
        |input, set| {
            let separator = match set.word("separator") {
                "space" => " ",
                "newline" => "\n",
                "none" => "",
                other => other,
            };
            let texts = input.texts()?;
            let found = compression(texts, separator, u8::try_from(set.whole("level")).unwrap_or(u8::MAX))?;
            let n = texts.len();
            Ok(vec![
                one(found.ratio(), n, "texts"),
                one(found.original as f64, n, "texts").part("original").unit("bytes").detail(),
                one(found.compressed as f64, n, "texts").part("compressed").unit("bytes").detail(),
            ])
        },
    ),
    metric(
        TEXTS,
        "homogenisation",
        "mean ROUGE-L of pairs of texts",
        &[word("tokens", TOKENIZERS, "rouge", "how texts are cut")],
        &[],
        |input, set| {
            let corpus = corpus(input, set)?;
            let found = input.interval(|| homogenisation(&corpus), |by| homogenisation_estimate(&corpus, by));
            Ok(vec![one(found, corpus.len(), "texts")])
        },
    ),
    metric(
        TEXTS,
        "rouge",
        "ROUGE of one text against another",
        &[
            word("form", &["l", "n"], "l", "longest common subsequence, or n-grams"),
            whole("n", "1", "length of the n-grams"),
            whole("text", "0", "row of the text, from 0"),
            whole("against", "1", "row of the other"),
            word("tokens", TOKENIZERS, "rouge", "how texts are cut"),
        ],
        &[],
        |input, set| {
            let corpus = corpus(input, set)?;
            let (text, against) = (row(&corpus, set, "text")?, row(&corpus, set, "against")?);
            let Overlap { precision, recall, f1 } = match set.word("form") {
                "n" => rouge_n(text, against, set.whole("n"))?,
                _ => rouge_l(text, against)?,
            };
            Ok(vec![
                one(f1, 2, "texts").part("f1"),
                one(precision, 2, "texts").part("precision"),
                one(recall, 2, "texts").part("recall"),
            ])
        },
    ),
    metric(
        TEXTS,
        "exact-duplicates",
        "share of the texts that could go if one of each were kept",
        &[word("tokens", TOKENIZERS, "words", "how texts are cut: words passes over case and punctuation")],
        &[""],
        |input, set| clusters(&exact_duplicates(&corpus(input, set)?)?),
    ),
    metric(
        TEXTS,
        "near-duplicates",
        "the same for texts that share most of their shingles",
        &[
            number("threshold", "0.8", "Jaccard similarity of the shingles"),
            whole("shingle", "3", "tokens in a shingle"),
            word("search", &["exact", "minhash"], "exact", "all pairs, or those that MinHash finds"),
            whole("bands", "20", "of MinHash"),
            whole("rows", "5", "of a band"),
            word("tokens", TOKENIZERS, "words", "how texts are cut"),
        ],
        &[""],
        |input, set| {
            let corpus = corpus(input, set)?;
            let search = match set.word("search") {
                "minhash" => Search::MinHash {
                    bands: set.whole("bands"),
                    rows: set.whole("rows"),
                    seed: input.seed.named("minhash"),
                },
                _ => Search::Exact,
            };
            let by =
                NearDuplicates { shingle: set.whole("shingle"), threshold: set.real("threshold"), search };
            let found = near_duplicates(&corpus, &by)?;
            let n = corpus.len();
            let pairs: Value = found
                .pairs
                .iter()
                .map(|pair| json!([pair.first, pair.second, json_number(pair.similarity)]))
                .collect();
            let mut all = clusters(&found.clusters)?;
            all.push(one(found.pair_count as f64, n, "texts").part("number of pairs").detail());
            const OVER: &[&str] = &["pairs", "first text, second text, similarity"];
            all.push(array(pairs, OVER, n, "texts").part("pairs"));
            Ok(all)
        },
    ),
    metric(
        TEXTS,
        "mtld",
        "measure of textual lexical diversity, of all texts in a row",
        &[
            number("threshold", "0.72", "type-token ratio at which a factor ends"),
            word(
                "end",
                &["at-or-below", "below"],
                "at-or-below",
                "when the ratio has fallen to the threshold",
            ),
            WORDS,
        ],
        &[""],
        |input, set| {
            let corpus = corpus(input, set)?;
            let end = if set.word("end") == "below" { FactorEnd::Below } else { FactorEnd::AtOrBelow };
            let found = mtld(corpus.tokens(), set.real("threshold"), end);
            Ok(vec![one(found, corpus.tokens().len(), "tokens")])
        },
    ),
    metric(
        TEXTS,
        "mattr",
        "type-token ratio in a moving window",
        &[whole("window", "50", "tokens"), WORDS],
        &[],
        |input, set| {
            let corpus = corpus(input, set)?;
            Ok(vec![one(mattr(corpus.tokens(), set.whole("window")), corpus.tokens().len(), "tokens")])
        },
    ),
    metric(
        TEXTS,
        "msttr",
        "mean type-token ratio of segments",
        &[
            whole("segment", "50", "tokens"),
            word("last", &["if-whole", "always", "never"], "if-whole", "whether the last segment counts"),
            WORDS,
        ],
        &[],
        |input, set| {
            let corpus = corpus(input, set)?;
            let last = match set.word("last") {
                "always" => LastSegment::Always,
                "never" => LastSegment::Never,
                _ => LastSegment::IfWhole,
            };
            let found = msttr(corpus.tokens(), set.whole("segment"), last);
            Ok(vec![one(found, corpus.tokens().len(), "tokens")])
        },
    ),
    metric(
        TEXTS,
        "hdd",
        "expected type-token ratio of a sample (HD-D)",
        &[whole("draws", "42", "size of the sample"), WORDS],
        &[],
        |input, set| {
            let corpus = corpus(input, set)?;
            Ok(vec![one(hdd(corpus.tokens(), set.whole("draws")), corpus.tokens().len(), "tokens")])
        },
    ),
    metric(
        TEXTS,
        "richness",
        "lexical richness of all texts in a row",
        &[
            word(
                "index",
                &[
                    "ttr",
                    "root",
                    "corrected",
                    "herdan",
                    "summer",
                    "dugast",
                    "maas",
                    "yule-k",
                    "yule-i",
                    "simpson-d",
                    "herdan-vm",
                ],
                "ttr",
                "which index",
            ),
            WORDS,
        ],
        &[],
        |input, set| {
            let corpus = corpus(input, set)?;
            let index = match set.word("index") {
                "root" => Richness::Root,
                "corrected" => Richness::Corrected,
                "herdan" => Richness::Herdan,
                "summer" => Richness::Summer,
                "dugast" => Richness::Dugast,
                "maas" => Richness::Maas,
                "yule-k" => Richness::YuleK,
                "yule-i" => Richness::YuleI,
                "simpson-d" => Richness::SimpsonD,
                "herdan-vm" => Richness::HerdanVm,
                _ => Richness::TypeTokenRatio,
            };
            Ok(vec![one(richness(corpus.tokens(), index), corpus.tokens().len(), "tokens")])
        },
    ),
];

fn corpus(input: &Input<'_>, set: &Settings) -> Result<Corpus, Undefined> {
    let by = match set.word("tokens") {
        "spaces" => Tokenizer::Spaces,
        "words" => Tokenizer::Words,
        "characters" => Tokenizer::Characters,
        "rouge" => Tokenizer::Rouge,
        "lexical-richness" => Tokenizer::LexicalRichness,
        _ => Tokenizer::WhiteSpace,
    };
    Ok(Corpus::new(input.texts()?, by)?)
}

fn clusters(found: &Clusters) -> Result<Vec<Found>, Undefined> {
    let n = found.of.len();
    Ok(vec![
        one(found.redundant_share(), n, "texts"),
        one(found.duplicated_share(), n, "texts").part("texts with a duplicate"),
        one(found.count as f64, n, "texts").part("clusters").detail(),
        array(json!(found.of), &["texts"], n, "texts").part("cluster of each text"),
    ])
}

fn ngrams(input: &Input<'_>, set: &Settings) -> Result<(Ngrams, usize), Undefined> {
    let boundary = if set.word("boundary") == "across" { Boundary::Across } else { Boundary::Within };
    let n = set.whole("n");
    Ok((Ngrams::new(&corpus(input, set)?, n, boundary)?, n))
}

fn bleu(set: &Settings) -> Result<Bleu, Undefined> {
    let n = set.whole("n");
    if !(1..=16).contains(&n) {
        return Err(Undefined(format!("n={n}: expected a number from 1 to 16")));
    }
    let smoothing = match set.word("smoothing") {
        "none" | "method0" => Smoothing::None,
        "add" => Smoothing::Add(1.0),
        "exp" => Smoothing::Exponential,
        _ => Smoothing::Epsilon(set.real("epsilon")),
    };
    let long_orders =
        if set.word("long-orders") == "left-out" { LongOrders::LeftOut } else { LongOrders::Missed };
    Ok(Bleu { smoothing, long_orders, ..Bleu::new(n) })
}

fn row<'a>(corpus: &'a Corpus, set: &Settings, key: &str) -> Result<&'a [u32], Undefined> {
    match set.whole(key) {
        row if row < corpus.len() => Ok(corpus.text(row)),
        row => Err(Undefined(format!("{key}={row}: there are {} texts, counted from 0", corpus.len()))),
    }
}
