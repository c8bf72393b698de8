//! Which of the files of a model is its graph: the names that exporters give, and how one is chosen.
//!
//! Optimum writes `model.onnx`, or in older versions `decoder_model.onnx` with `decoder_with_past_model.onnx` or
//! `decoder_model_merged.onnx`; repositories for transformers.js keep an `onnx` folder with one file per number format
//! (`model_fp16.onnx`, `model_quantized.onnx`, `model_q4.onnx`, …). Only names are looked at here.

use std::fmt;
use std::str::FromStr;

/// Which graph of a model is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum GraphChoice {
    /// The one in full precision; where there is none, the only one there is.
    #[default]
    Auto,
    /// The one in that number format.
    Format(GraphFormat),
    /// The file of that name, relative to the model's folder.
    File(String),
}

/// The number format of a graph's weights, as its file name tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GraphFormat {
    /// No suffix: the format of the export, mostly 32-bit floats.
    Full,
    /// `_fp16`: 16-bit floats.
    F16,
    /// `_bf16`: bfloat16.
    Bf16,
    /// `_int8`, `_quantized`, `_qint8…`: 8-bit whole numbers.
    Int8,
    /// `_uint8`, `_quint8…`: 8-bit whole numbers without sign.
    Uint8,
    /// `_q4`: blocks of 4-bit whole numbers, 32-bit floats elsewhere.
    Q4,
    /// `_q4f16`: blocks of 4-bit whole numbers, 16-bit floats elsewhere.
    Q4f16,
    /// `_bnb4`: the 4-bit floats of bitsandbytes.
    Bnb4,
}

impl GraphFormat {
    /// All formats, in the order in which they are listed.
    pub const ALL: [Self; 8] =
        [Self::Full, Self::F16, Self::Bf16, Self::Int8, Self::Uint8, Self::Q4, Self::Q4f16, Self::Bnb4];

    const fn name(self) -> &'static str {
        match self {
            Self::Full => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Q4 => "q4",
            Self::Q4f16 => "q4f16",
            Self::Bnb4 => "bnb4",
        }
    }

    /// The format that a suffix stands for; the smaller the number, the plainer the name.
    fn of(suffix: &str) -> Option<(Self, u8)> {
        Some(match suffix {
            "" => (Self::Full, 0),
            "fp16" | "float16" => (Self::F16, 0),
            "bf16" | "bfloat16" => (Self::Bf16, 0),
            "int8" => (Self::Int8, 0),
            "quantized" => (Self::Int8, 1),
            "uint8" => (Self::Uint8, 0),
            "q4" => (Self::Q4, 0),
            "q4f16" => (Self::Q4f16, 0),
            "bnb4" => (Self::Bnb4, 0),
            // Quantised for one kind of processor: `qint8_avx512_vnni`.
            _ if suffix.starts_with("qint8") => (Self::Int8, 2),
            _ if suffix.starts_with("quint8") => (Self::Uint8, 2),
            _ => return None,
        })
    }
}

impl fmt::Display for GraphFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for GraphChoice {
    type Err = std::convert::Infallible;

    /// `auto`, the name of a format (`f32`, `f16`, `bf16`, `int8`, `uint8`, `q4`, `q4f16`, `bnb4`), or a file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let format = GraphFormat::ALL.into_iter().find(|format| format.name() == text);
        Ok(match (text, format) {
            ("auto", _) => Self::Auto,
            (_, Some(format)) => Self::Format(format),
            _ => Self::File(text.to_owned()),
        })
    }
}

/// Why no graph was chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoGraph {
    /// There is no .onnx file.
    #[error("there is no .onnx file")]
    None,
    /// There are several, and no rule to choose one.
    #[error("found {}, expected `model.onnx` or a single .onnx file, or one of them named", found.join(", "))]
    Several {
        /// The files that might be meant.
        found: Vec<String>,
    },
    /// The one that was asked for is not there.
    #[error("there is no graph {asked}; found {}", found.join(", "))]
    Absent {
        /// What was asked for.
        asked: String,
        /// The graphs that are there.
        found: Vec<String>,
    },
}

/// Graphs that read whole sequences, the plainest first.
const STEMS: [&str; 4] = ["model", "decoder_model", "decoder_model_merged", "model_merged"];

/// The graph among the files of a model, given as paths relative to its folder with `/` between the parts.
///
/// With [`GraphChoice::Auto`]: `model.onnx`, then `decoder_model.onnx`, then `decoder_model_merged.onnx`, each first in
/// the folder itself and then in its `onnx` folder; else the only one of these names in another format; else the only
/// .onnx file. Graphs that continue a cache (`…with_past…`) are chosen only by name.
///
/// ```
/// use superalign_inference::{GraphChoice, choose_graph};
/// let files = ["config.json", "onnx/model.onnx", "onnx/model_fp16.onnx"];
/// assert_eq!(choose_graph(&files, &GraphChoice::Auto)?, "onnx/model.onnx");
/// assert_eq!(choose_graph(&files, &"f16".parse().expect("any text is a choice"))?, "onnx/model_fp16.onnx");
/// # Ok::<(), superalign_inference::NoGraph>(())
/// ```
///
/// # Errors
/// [`NoGraph`], which lists what there is.
pub fn choose_graph<'a, S: AsRef<str>>(files: &'a [S], choice: &GraphChoice) -> Result<&'a str, NoGraph> {
    let mut graphs: Vec<&str> = files.iter().map(AsRef::as_ref).filter(|name| is_graph(name)).collect();
    graphs.sort_unstable();
    let listed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let absent = |asked: String| NoGraph::Absent { asked, found: listed(&graphs) };
    if graphs.is_empty() {
        return Err(NoGraph::None);
    }
    let plain = |format: GraphFormat| {
        let mut named: Vec<((usize, usize, u8), &str)> = graphs
            .iter()
            .filter_map(|name| {
                let (place, stem, found, rank) = read_name(name)?;
                (found == format).then_some(((stem, place, rank), *name))
            })
            .collect();
        named.sort_unstable();
        let best = named.first().map(|(rank, _)| *rank);
        named.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, name)| name).collect::<Vec<_>>()
    };
    match choice {
        GraphChoice::File(asked) => {
            let asked = asked.replace('\\', "/");
            let asked = asked.strip_prefix("./").unwrap_or(&asked);
            graphs.iter().find(|name| **name == asked).copied().ok_or_else(|| absent(asked.to_owned()))
        }
        GraphChoice::Format(format) => match plain(*format).as_slice() {
            [only] => Ok(only),
            [] => Err(absent(format!("in {format}"))),
            several => Err(NoGraph::Several { found: listed(several) }),
        },
        GraphChoice::Auto => {
            if let [only] = plain(GraphFormat::Full).as_slice() {
                return Ok(only);
            }
            let known: Vec<&str> = graphs.iter().copied().filter(|name| read_name(name).is_some()).collect();
            let candidates = if known.is_empty() { &graphs } else { &known };
            match candidates.as_slice() {
                [only] => Ok(only),
                several => Err(NoGraph::Several { found: listed(several) }),
            }
        }
    }
}

/// Whether a path is a graph in the folder itself or in its `onnx` folder.
fn is_graph(path: &str) -> bool {
    let name = path.strip_prefix("onnx/").unwrap_or(path);
    name.ends_with(".onnx") && !name.contains('/')
}

/// Place, stem, format and plainness of a name that an exporter gives.
fn read_name(path: &str) -> Option<(usize, usize, GraphFormat, u8)> {
    let (place, name) = path.strip_prefix("onnx/").map_or((0, path), |name| (1, name));
    let name = name.strip_suffix(".onnx")?;
    // The longest stem first: `decoder_model_merged_fp16` is no `decoder_model`.
    let mut stems: Vec<(usize, &str)> = STEMS.into_iter().enumerate().collect();
    stems.sort_by_key(|(_, stem)| std::cmp::Reverse(stem.len()));
    stems.into_iter().find_map(|(stem, text)| {
        let rest = name.strip_prefix(text)?;
        let suffix = if rest.is_empty() { rest } else { rest.strip_prefix('_')? };
        let (format, rank) = GraphFormat::of(suffix)?;
        Some((place, stem, format, rank))
    })
}

/// The files beside a graph in which exporters put its weights: `model.onnx_data`, `model.onnx_data_1`,
/// `model.onnx.data`.
#[must_use]
pub fn is_data_of(file: &str, graph: &str) -> bool {
    file.strip_prefix(graph).is_some_and(|rest| rest.starts_with("_data") || rest.starts_with(".data"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chosen(files: &[&str], choice: &str) -> String {
        let choice = choice.parse().expect("a choice");
        choose_graph(files, &choice).map_or_else(|error| format!("! {error}"), str::to_owned)
    }

    const TRANSFORMERS_JS: [&str; 10] = [
        "config.json",
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        "onnx/model_bnb4.onnx",
        "onnx/model_fp16.onnx",
        "onnx/model_int8.onnx",
        "onnx/model_q4.onnx",
        "onnx/model_q4f16.onnx",
        "onnx/model_quantized.onnx",
        "onnx/model_uint8.onnx",
    ];

    #[test]
    fn a_repository_for_the_browser_offers_each_format() {
        let said: Vec<String> = ["auto", "f32", "f16", "int8", "uint8", "q4", "q4f16", "bnb4", "bf16"]
            .map(|choice| format!("{choice}: {}", chosen(&TRANSFORMERS_JS, choice)))
            .to_vec();
        insta::assert_snapshot!(said.join("\n"), @r#"
        auto: onnx/model.onnx
        f32: onnx/model.onnx
        f16: onnx/model_fp16.onnx
        int8: onnx/model_int8.onnx
        uint8: onnx/model_uint8.onnx
        q4: onnx/model_q4.onnx
        q4f16: onnx/model_q4f16.onnx
        bnb4: onnx/model_bnb4.onnx
        bf16: ! there is no graph in bf16; found onnx/model.onnx, onnx/model_bnb4.onnx, onnx/model_fp16.onnx, onnx/model_int8.onnx, onnx/model_q4.onnx, onnx/model_q4f16.onnx, onnx/model_quantized.onnx, onnx/model_uint8.onnx
        "#);
    }

    #[test]
    fn decoders_of_older_exports_are_found() {
        let old = ["decoder_model.onnx", "decoder_model_merged.onnx", "decoder_with_past_model.onnx"];
        assert_eq!(chosen(&old, "auto"), "decoder_model.onnx");
        assert_eq!(chosen(&old[1..], "auto"), "decoder_model_merged.onnx");
        assert_eq!(chosen(&old, "decoder_with_past_model.onnx"), "decoder_with_past_model.onnx");
        let ours = ["model_with_past.onnx", "model.onnx"];
        assert_eq!(chosen(&ours, "auto"), "model.onnx");
        assert_eq!(
            chosen(&["onnx/decoder_model_merged_quantized.onnx"], "auto"),
            "onnx/decoder_model_merged_quantized.onnx"
        );
        assert_eq!(chosen(&["onnx/model.onnx", "model.onnx"], "auto"), "model.onnx");
    }

    #[test]
    fn what_cannot_be_chosen_is_listed() {
        let said = [
            chosen(&["config.json"], "auto"),
            chosen(&["onnx/model_fp16.onnx", "onnx/model_q4.onnx"], "auto"),
            chosen(&["b.onnx", "a.onnx"], "auto"),
            chosen(&["model_qint8_avx512.onnx", "model_qint8_arm64.onnx", "model.onnx"], "int8"),
            chosen(&["model.onnx"], "q4"),
            chosen(&["model.onnx"], "onnx/model.onnx"),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        ! there is no .onnx file
        ! found onnx/model_fp16.onnx, onnx/model_q4.onnx, expected `model.onnx` or a single .onnx file, or one of them named
        ! found a.onnx, b.onnx, expected `model.onnx` or a single .onnx file, or one of them named
        ! found model_qint8_arm64.onnx, model_qint8_avx512.onnx, expected `model.onnx` or a single .onnx file, or one of them named
        ! there is no graph in q4; found model.onnx
        ! there is no graph onnx/model.onnx; found model.onnx
        "#);
    }

    #[test]
    fn weights_beside_a_graph_are_told_from_other_graphs() {
        assert!(is_data_of("onnx/model.onnx_data", "onnx/model.onnx"));
        assert!(is_data_of("model.onnx_data_2", "model.onnx"));
        assert!(is_data_of("model.onnx.data", "model.onnx"));
        assert!(!is_data_of("model_q4.onnx_data", "model.onnx"));
        assert!(!is_data_of("model.onnx", "model.onnx"));
    }

    proptest! {
        #[test]
        fn the_order_of_the_files_does_not_matter(order in Just(TRANSFORMERS_JS.to_vec()).prop_shuffle(), at in 0_usize..8) {
            let choice = GraphChoice::Format(GraphFormat::ALL[at]);
            prop_assert_eq!(choose_graph(&order, &choice), choose_graph(&TRANSFORMERS_JS, &choice));
        }

        #[test]
        fn what_is_chosen_is_one_of_the_files(files in prop::collection::vec("(onnx/)?(model|decoder_model|x)(_fp16|_q4|_int8)?\\.onnx", 0..6)) {
            if let Ok(name) = choose_graph(&files, &GraphChoice::Auto) {
                prop_assert!(files.iter().any(|file| file == name));
            }
        }
    }
}
