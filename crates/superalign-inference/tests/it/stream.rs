//! Streams of texts: the vectors of a list, in bounded memory, with the place of what is wrong.

use crate::support::{distance, golden, open, request, runtime};
use superalign_core::{Layer, Model, ModelError, Pooling};
use superalign_inference::{
    DeviceChoice, OnnxModel, OpenOptions, Scale, StreamEvent, StreamOptions, Truncation,
};

const WORDS: [&str; 6] = ["the", "river", "froze", "early", "this", "year"];

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|i| WORDS[..1 + i * 7 % 6].join(" ") + " " + WORDS[i % 6]).collect()
}

fn options(skip: usize) -> StreamOptions {
    StreamOptions { request: request(Pooling::Mean, Layer::Last), scale: Scale::AsIs, skip }
}

/// The vectors of a stream, one number after the other, and the first text of each part.
fn streamed(
    model: &mut OnnxModel,
    texts: &[String],
    options: &StreamOptions,
) -> Result<(Vec<f32>, Vec<usize>), ModelError> {
    let (mut all, mut firsts, mut last) = (Vec::new(), Vec::new(), (0, 0));
    model.embed_stream(texts.iter().map(Ok), options, &mut |event| {
        match event {
            StreamEvent::Progress { texts, tokens } => {
                assert!(texts > last.0 && tokens > last.1);
                last = (texts, tokens);
            }
            StreamEvent::Vectors { first, vectors } => {
                firsts.push(first);
                all.extend(vectors.iter());
            }
        }
        Ok(())
    })?;
    Ok((all, firsts))
}

#[test]
fn a_stream_gives_the_bits_of_a_list_and_goes_on_where_it_was_left() {
    let texts = texts(2500);
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let list = model.embed(&borrowed, options(0).request, &mut |_| true).expect("vectors");
    let list: Vec<f32> = list.into_iter().collect();
    for cores in [1, 3] {
        let mut model =
            open(&golden("decoder"), &OpenOptions { cores: Some(cores), ..OpenOptions::default() });
        let (all, firsts) = streamed(&mut model, &texts, &options(0)).expect("vectors");
        assert_eq!(firsts, [0, 1024, 2048]);
        assert_eq!(all, list, "{cores} cores");
        assert_eq!(model.usage().texts, 2500);
        // 1,500 are there: one whole window.
        let (rest, firsts) = streamed(&mut model, &texts, &options(1500)).expect("vectors");
        assert_eq!(firsts, [1024, 2048]);
        assert_eq!(rest, list[1024 * 8..]);
        assert_eq!(streamed(&mut model, &texts, &options(2500)).expect("nothing").1, [0_usize; 0]);
    }
}

#[test]
fn vectors_are_scaled_to_length_one() {
    let texts = texts(20);
    let mut model = open(&golden("encoder"), &OpenOptions::default());
    let (plain, _) = streamed(&mut model, &texts, &options(0)).expect("vectors");
    let unit = StreamOptions { scale: Scale::UnitLength, ..options(0) };
    let (scaled, _) = streamed(&mut model, &texts, &unit).expect("vectors");
    let width = model.card().width;
    for (plain, scaled) in plain.chunks(width).zip(scaled.chunks(width)) {
        let length = |vector: &[f32]| vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length(scaled) - 1.0).abs() < 1e-5);
        let back: Vec<f32> = scaled.iter().map(|x| x * length(plain)).collect();
        assert!(distance(&back, plain) < 1e-5);
    }
}

#[test]
fn the_first_token_is_the_state_of_a_text_of_one_token() {
    // A decoder's first state knows only the first token, which is special, so it is the same for all texts.
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let first = request(Pooling::Cls, Layer::Last);
    let vectors = model.embed(&["the river froze", "yes"], first, &mut |_| true).expect("vectors");
    assert!(distance(vectors.row(0), vectors.row(1)) < 1e-6);
    // And an encoder's depends on the text.
    let mut model = open(&golden("encoder"), &OpenOptions::default());
    let vectors = model.embed(&["the river froze", "yes"], first, &mut |_| true).expect("vectors");
    let mean = model.embed(&["the river froze"], options(0).request, &mut |_| true).expect("vectors");
    assert!(distance(vectors.row(0), mean.row(0)) > 1e-6);
}

#[test]
fn what_is_wrong_in_a_stream_is_told_with_its_number() {
    let mut model =
        open(&golden("decoder"), &OpenOptions { truncation: Truncation::Refuse, ..OpenOptions::default() });
    let mut said = |at: usize, text: &str| {
        let mut texts = texts(3000);
        text.clone_into(&mut texts[at]);
        let mut rows = 0;
        let error = model.embed_stream(texts.iter().map(Ok::<_, ModelError>), &options(0), &mut |event| {
            if let StreamEvent::Vectors { vectors, .. } = event {
                rows += vectors.nrows();
            }
            Ok(())
        });
        (rows, error.expect_err("refused").to_string())
    };
    assert_eq!(said(2900, ""), (2048, "text 2900: the text is empty, expected at least one token".into()));
    let long = "river ".repeat(100_000);
    let expected = "text 1030: 100001 tokens, expected at most 16; shorten it or allow truncation";
    assert_eq!(said(1030, &long), (1024, expected.into()));
}

#[test]
fn cuda_that_is_not_there_is_an_error_that_says_what_is_missing() {
    if !superalign_inference::cuda_cards().is_empty() {
        eprintln!("skipped: this machine has a card");
        return;
    }
    let open = |device| {
        OnnxModel::open(&golden("decoder"), runtime(), &OpenOptions { device, ..OpenOptions::default() })
    };
    let error = open(DeviceChoice::Cuda(Some(0))).err().expect("no card");
    assert_eq!(
        error.to_string(),
        "device cuda:0 was asked for: no NVIDIA driver on this machine names a card, as `nvidia-smi -L` would; \
         --device auto or cpu runs without it"
    );
    let auto = open(DeviceChoice::Auto).expect("the processor");
    assert!(auto.placement().to_string().starts_with("cpu, "), "{}", auto.placement());
    assert!(auto.placement().passed_over().is_some());
}
