//! `superalign embed`: the texts of a file as vectors, in a file that is whole or named `.part`.

mod parquet;
mod part;
#[cfg(test)]
mod tests;

use super::place::PlaceArgs;
use super::{Failure, run, runtime, say};
use crate::progress::{Progress, Stage};
use clap::{Args, ValueEnum};
use part::Part;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use superalign_core::{EmbedRequest, Layer, Model as _, ModelError, Pooling};
use superalign_data::DataError;
use superalign_data::load::{TextFile, text_file};
use superalign_inference::{
    OnnxModel, OpenOptions, RuntimeChoice, Scale, StreamEvent, StreamOptions, Truncation, stated_pooling,
};

const EXAMPLES: &str = "\
Examples:
  superalign embed texts.txt --model DIR -o vectors.npy
  superalign embed reviews.csv --text-column review --model DIR -o vectors.parquet --normalize
  superalign embed texts.jsonl --model DIR -o vectors.npy --layer 3 --pooling mean --json
  superalign embed texts.parquet --model DIR -o vectors.npy --device cuda:0 --precision f16

Input is a text a line in a .txt file, else a column of a CSV, TSV, JSON, JSONL or Parquet file. It
is looked through first and then read as a stream: memory does not grow with the file. Row N of the
output is text N. NPY holds a matrix of 32-bit floats; Parquet the columns `row`, `id` where the
input has one, and `embedding`. Vectors are in OUT.part until all are there; after Ctrl-C the same
command goes on where it stopped, with the same bits.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EmbedArgs {
    /// Texts: .txt, CSV, TSV, JSON, JSONL or Parquet
    file: PathBuf,
    /// A folder with a model as ONNX and its tokenizer.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Where the vectors go: a name that ends in .npy or .parquet
    #[arg(long, short, value_name = "OUT")]
    output: PathBuf,
    /// The column of the texts [default: text, sentence, content or another usual name, or the only one]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// How the tokens of a text become one vector
    #[arg(long, value_enum, default_value = "auto")]
    pooling: PoolingArg,
    /// The layer that is read, from 1; 0 is the embeddings [default: the last]
    #[arg(long, value_name = "N")]
    layer: Option<usize>,
    /// Scale every vector to length 1
    #[arg(long)]
    normalize: bool,
    /// What happens to texts that are longer than the model reads
    #[arg(long, value_enum, default_value = "keep-start")]
    truncation: TruncationArg,
    /// Most tokens of a text [default: what the model has positions for]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    #[command(flatten)]
    place: PlaceArgs,
    /// Which runtime executes the model
    #[arg(long, value_enum)]
    runtime: Option<run::RuntimeArg>,
    /// Print one JSON object in place of the summary
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PoolingArg {
    /// What the folder states for sentence-transformers, else the last token of a decoder and the mean of any other
    Auto,
    /// The mean over all tokens
    Mean,
    /// The first token
    Cls,
    /// The last token
    LastToken,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TruncationArg {
    /// They are cut at the end, and counted
    KeepStart,
    /// They are cut at the beginning, and counted
    KeepEnd,
    /// They are an error
    Refuse,
}

/// The kind of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Npy,
    Parquet,
}

impl EmbedArgs {
    fn kind(&self) -> Result<Kind, Failure> {
        match self.output.extension().map(|extension| extension.to_string_lossy().to_lowercase()).as_deref() {
            Some("npy") => Ok(Kind::Npy),
            Some("parquet") => Ok(Kind::Parquet),
            _ => Err(Failure::Usage(format!(
                "{}: expected a name that ends in .npy or .parquet",
                self.output.display()
            ))),
        }
    }

    fn options(&self) -> OpenOptions {
        OpenOptions {
            max_tokens: self.max_tokens.map(|tokens| usize::try_from(tokens).unwrap_or(usize::MAX)),
            truncation: match self.truncation {
                TruncationArg::KeepStart => Truncation::KeepStart,
                TruncationArg::KeepEnd => Truncation::KeepEnd,
                TruncationArg::Refuse => Truncation::Refuse,
            },
            ..self.place.options()
        }
    }

    fn request(&self, model: &OnnxModel) -> Result<EmbedRequest, Failure> {
        let pooling = match self.pooling {
            PoolingArg::Mean => Pooling::Mean,
            PoolingArg::Cls => Pooling::Cls,
            PoolingArg::LastToken => Pooling::LastToken,
            PoolingArg::Auto => match stated_pooling(&self.model).map_err(Failure::usage)? {
                Some(stated) => stated,
                None if model.card().generates => Pooling::LastToken,
                None => Pooling::Mean,
            },
        };
        Ok(EmbedRequest { pooling, layer: self.layer.map_or(Layer::Last, Layer::Index) })
    }

    /// What the vectors depend on. Two runs of one key give the same bits.
    fn key(&self, file: &TextFile, model: &OnnxModel, stream: &StreamOptions) -> [u8; 32] {
        let card = model.card();
        let StreamOptions { request, scale, .. } = stream;
        let parts = [
            format!("{} {:?}", file.digest, file.column),
            format!("{} {}", card.digest, card.runtime),
            format!("{request:?} {scale:?} {:?} {:?}", self.truncation, self.max_tokens),
            format!("{:?}", self.place.options()),
        ];
        let mut hasher = blake3::Hasher::new();
        parts.iter().for_each(|part| _ = hasher.update(part.as_bytes()).update(b"\n"));
        *hasher.finalize().as_bytes()
    }
}

/// What ends a stream early.
#[derive(Debug)]
enum Trouble {
    Model(ModelError),
    Data(DataError),
    Output(Failure),
}

impl From<ModelError> for Trouble {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

pub(super) fn embed(args: &EmbedArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let kind = args.kind()?;
    let file = text_file(&args.file, args.text_column.as_deref()).map_err(Failure::usage)?;
    let runtime = runtime::start(args.runtime.map(RuntimeChoice::from))?;
    let mut model = OnnxModel::open(&args.model, runtime, &args.options()).map_err(Failure::usage)?;
    eprintln!("device: {}", model.placement());
    let scale = if args.normalize { Scale::UnitLength } else { Scale::AsIs };
    let mut stream = StreamOptions { request: args.request(&model)?, scale, skip: 0 };
    let stop = Arc::new(AtomicBool::new(false));
    run::listen(&stop);
    let mut part = Part::open(&args.output, &args.key(&file, &model, &stream), model.card().width)?;
    stream.skip = part.rows().min(file.rows);
    if stream.skip > 0 {
        eprintln!("{} of {} vectors are in {} already", stream.skip, file.rows, part.path().display());
    }
    let mut count = Count::new(&file, &model);
    let done = computed(&file, &mut model, &stream, &mut part, &mut count, &stop).and_then(|()| match kind {
        Kind::Npy => part.finish(&args.output).map_err(Trouble::Output),
        Kind::Parquet => parquet::write(&mut part, &args.output, &file, &about(&model, &stream), &stop),
    });
    count.end();
    let count = match done {
        Ok(()) => count,
        Err(Trouble::Model(ModelError::Stopped)) => {
            let kept = part.keep()?;
            eprintln!("stopped: {kept} of {} vectors are there; the same command goes on", file.rows);
            return Err(Failure::Stopped);
        }
        Err(trouble) => {
            part.discard();
            return Err(told(trouble, &file));
        }
    };
    if args.json {
        say(out, count.object(args, &file, &model, &stream).to_string());
    } else {
        say(out, count.summary(&args.output, &file, &model));
    }
    Ok(())
}

/// Runs the stream into the part.
fn computed(
    file: &TextFile,
    model: &mut OnnxModel,
    stream: &StreamOptions,
    part: &mut Part,
    count: &mut Count,
    stop: &AtomicBool,
) -> Result<(), Trouble> {
    let texts = file.texts().map_err(Trouble::Data)?;
    model.embed_stream(texts.map(|text| text.map_err(Trouble::Data)), stream, &mut |event| {
        match event {
            StreamEvent::Progress { texts, tokens } => count.tell(texts, tokens, part.rows()),
            StreamEvent::Vectors { first, vectors } => {
                if first != part.rows() {
                    part.cut(first).map_err(Trouble::Output)?;
                }
                part.push(vectors).map_err(Trouble::Output)?;
            }
        }
        if stop.load(Ordering::Relaxed) { Err(ModelError::Stopped.into()) } else { Ok(()) }
    })
}

/// The failure, with the place of the text in the file.
fn told(trouble: Trouble, file: &TextFile) -> Failure {
    match trouble {
        Trouble::Output(failure) => failure,
        Trouble::Data(error) => Failure::usage(error),
        Trouble::Model(ModelError::Input { index, reason }) => {
            let place = file.place(index).map_or_else(
                || format!("{}, text {}", file.path.display(), index + 1),
                |place| place.to_string(),
            );
            Failure::Usage(format!("{place}: {reason}"))
        }
        Trouble::Model(error @ ModelError::Unsupported { .. }) => Failure::usage(error),
        Trouble::Model(error) => Failure::failed(error),
    }
}

/// What the vectors are, by name.
fn about(model: &OnnxModel, stream: &StreamOptions) -> Vec<(&'static str, String)> {
    let card = model.card();
    let pooling = match stream.request.pooling {
        Pooling::Mean => "mean",
        Pooling::Cls => "cls",
        Pooling::LastToken => "last-token",
    };
    let layer = match stream.request.layer {
        Layer::Last => card.layers,
        Layer::Index(layer) => layer,
    };
    vec![
        ("model", card.name.clone()),
        ("model_digest", card.digest.clone()),
        ("graph", model.graph_path().display().to_string()),
        ("runtime", card.runtime.clone()),
        ("device", model.placement().to_string()),
        ("pooling", pooling.to_owned()),
        ("layer", layer.to_string()),
        ("normalized", (stream.scale == Scale::UnitLength).to_string()),
    ]
}

/// What was done so far, and how fast.
struct Count {
    total: usize,
    texts: usize,
    tokens: usize,
    begun: Instant,
    seconds: f64,
    stage: Option<Stage>,
}

impl Count {
    fn new(file: &TextFile, model: &OnnxModel) -> Self {
        let stage = Progress::auto().stage(format!("embedding with {}", model.card().name), file.rows);
        Self {
            total: file.rows,
            texts: 0,
            tokens: 0,
            begun: Instant::now(),
            seconds: 0.0,
            stage: Some(stage),
        }
    }

    fn tell(&mut self, texts: usize, tokens: usize, written: usize) {
        (self.texts, self.tokens) = (texts, tokens);
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-9);
        let rate = texts as f64 / seconds;
        let done = written.max(texts);
        let left = self.total.saturating_sub(done) as f64 / rate;
        if let Some(stage) = &self.stage {
            let tokens = tokens as f64 / seconds;
            stage.set_noting(done, || {
                format!("{rate:.0} texts/s, {tokens:.0} tokens/s, about {left:.0} s left")
            });
        }
    }

    fn end(&mut self) {
        self.seconds = self.begun.elapsed().as_secs_f64().max(1e-9);
        self.stage = None;
    }

    fn summary(&self, output: &Path, file: &TextFile, model: &OnnxModel) -> String {
        let Self { texts, tokens, seconds, .. } = self;
        let usage = model.usage();
        let mut parts =
            vec![format!("{} vectors of {} numbers in {}", file.rows, model.card().width, output.display())];
        parts.push(format!(
            "{texts} texts, {tokens} tokens, {:.0} texts/s, {:.0} tokens/s",
            *texts as f64 / seconds,
            *tokens as f64 / seconds
        ));
        if usage.truncated > 0 {
            parts.push(format!("{} texts were too long and were cut", usage.truncated));
        }
        if usage.unknown * 10 > usage.tokens {
            parts.push(format!("{} tokens are unknown to the model", usage.unknown));
        }
        parts.join("; ")
    }

    fn object(
        &self,
        args: &EmbedArgs,
        file: &TextFile,
        model: &OnnxModel,
        stream: &StreamOptions,
    ) -> serde_json::Value {
        let usage = model.usage();
        let mut object = serde_json::json!({
            "input": file.path, "input_digest": file.digest, "text_column": file.column,
            "output": args.output, "rows": file.rows, "width": model.card().width,
            "rows_found": stream.skip, "texts": self.texts, "tokens": self.tokens,
            "truncated": usage.truncated, "unknown": usage.unknown, "seconds": self.seconds,
            "texts_per_second": self.texts as f64 / self.seconds,
            "tokens_per_second": self.tokens as f64 / self.seconds,
        });
        for (name, value) in about(model, stream) {
            object[name] = value.into();
        }
        object
    }
}
