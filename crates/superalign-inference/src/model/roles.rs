//! What the inputs and outputs of a graph are for, told by their names.

use super::files::Config;
use crate::graph::{Graph, INT64, SWITCHES, is_cache};

/// What the inputs and outputs of a graph are for.
#[derive(Debug)]
pub(super) struct Roles {
    /// Whether it is told which positions are padding.
    pub(super) mask: bool,
    /// Whether it is told which of two texts a token belongs to.
    pub(super) types: bool,
    /// Whether it is told the position of each token.
    pub(super) positions: bool,
    /// Whether it can continue a key-value cache.
    pub(super) past: bool,
    /// Output with the scores over the vocabulary.
    pub(super) logits: Option<String>,
    /// Output with the scores of a classifier or reward model.
    pub(super) scores: Option<String>,
    /// Output with the states of each layer, the embeddings first; `None` where the graph does not give them.
    pub(super) states: Vec<Option<String>>,
}

/// Inputs that are given token by token.
const IDS: [&str; 4] = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];

/// The inputs that are known, for messages.
const KNOWN: [&str; 7] = [
    "input_ids",
    "attention_mask",
    "token_type_ids",
    "position_ids",
    "past_key_values.N.key|value",
    "use_cache_branch",
    "num_logits_to_keep",
];

fn is_known(name: &str) -> bool {
    IDS.contains(&name) || SWITCHES.contains(&name) || is_cache(name)
}

fn listed(names: &[&str]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

/// What kind of model such inputs belong to.
fn hint(names: &[&str]) -> &'static str {
    let any = |part: &str| names.iter().any(|name| name.contains(part));
    if any("encoder_hidden_states") || any("decoder_input_ids") {
        "; this is one half of an encoder-decoder model, which is not supported"
    } else if any("pixel_values") || any("input_features") || any("input_values") {
        "; a model of images or sounds is not supported"
    } else if any("inputs_embeds") {
        "; a graph that wants embeddings in place of tokens is not supported: export the whole model"
    } else {
        ""
    }
}

impl Roles {
    /// Reads the roles off the names.
    pub(super) fn read(graph: &Graph, config: &Config) -> Result<Self, String> {
        let names: Vec<&str> = graph.inputs.iter().map(|port| port.name.as_str()).collect();
        let unknown: Vec<&str> = names.iter().copied().filter(|name| !is_known(name)).collect();
        if !names.contains(&"input_ids") || !unknown.is_empty() {
            let what = if unknown.is_empty() {
                "without input_ids".into()
            } else {
                format!("of which {} unknown here", listed(&unknown))
            };
            return Err(format!(
                "its inputs are {}, {what}; expected input_ids, and of {} those that the model needs{}",
                names.join(", "),
                KNOWN[1..].join(", "),
                hint(&names)
            ));
        }
        let past = names.iter().any(|name| is_cache(name));
        let plain = graph.inputs.iter().filter(|port| IDS.contains(&port.name.as_str()));
        if let Some(port) = plain.into_iter().find(|port| port.element != INT64 || port.shape.len() != 2) {
            return Err(format!(
                "input {} has element type {} and {} dimensions; expected 64-bit whole numbers ({INT64}) and the \
                 two dimensions batch, sequence",
                port.name,
                port.element,
                port.shape.len()
            ));
        }
        let outputs: Vec<&str> = graph.outputs.iter().map(|port| port.name.as_str()).collect();
        let states = states(&outputs, config);
        let three =
            |name: &&str| graph.outputs.iter().any(|port| port.name == **name && port.shape.len() == 3);
        let logits = outputs.iter().find(|name| **name == "logits").filter(|name| three(name));
        let logits = logits.filter(|_| !config.denies_causal()).map(|name| (*name).to_owned());
        let two = |name: &&str| graph.outputs.iter().any(|port| port.name == **name && port.shape.len() == 2);
        let scores = outputs.iter().find(|name| **name == "logits").filter(|name| two(name));
        let scores = scores.map(|name| (*name).to_owned());
        if logits.is_none() && scores.is_none() && states.iter().all(Option::is_none) {
            return Err(format!(
                "its outputs are {}; expected last_hidden_state, hidden_states.N, logits over (batch, sequence, \
                 vocabulary) of a causal language model, or logits over (batch, classes)",
                outputs.join(", ")
            ));
        }
        let has = |name: &str| names.contains(&name);
        Ok(Self {
            mask: has("attention_mask"),
            types: has("token_type_ids"),
            positions: has("position_ids"),
            past,
            logits,
            scores,
            states,
        })
    }

    /// Number of layers, the embeddings not counted.
    pub(super) fn layers(&self) -> usize {
        self.states.len().saturating_sub(1)
    }
}

/// Which output holds which layer. `hidden_states.N` is layer N; `last_hidden_state` is the last, which the others
/// may or may not contain.
fn states(outputs: &[&str], config: &Config) -> Vec<Option<String>> {
    let number = |name: &str| name.strip_prefix("hidden_states.")?.parse::<usize>().ok();
    let last = ["last_hidden_state", "token_embeddings"].into_iter().find(|name| outputs.contains(name));
    let highest = outputs.iter().filter_map(|name| number(name)).max();
    let layers = match (highest, config.num_hidden_layers) {
        (_, Some(layers)) if highest.is_none_or(|highest| highest <= layers) => layers,
        (Some(highest), _) => highest + usize::from(last.is_some()),
        (None, _) => 1,
    };
    let mut states = vec![None; layers + 1];
    for name in outputs {
        if let Some(slot) = number(name).and_then(|layer| states.get_mut(layer)) {
            *slot = Some((*name).to_owned());
        }
    }
    if let (Some(name), Some(slot)) = (last, states.last_mut()) {
        *slot = Some(name.to_owned());
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_with_and_without_a_last_state() {
        let find = |outputs: &[&str], layers| {
            let config = Config { num_hidden_layers: layers, ..Config::default() };
            let found = states(outputs, &config);
            found.into_iter().map(|name| name.unwrap_or("-".into())).collect::<Vec<_>>().join(" ")
        };
        let decoder = ["logits", "hidden_states.0", "hidden_states.1", "hidden_states.2"];
        assert_eq!(find(&decoder, None), "hidden_states.0 hidden_states.1 hidden_states.2");
        let encoder = ["last_hidden_state", "hidden_states.0", "hidden_states.1"];
        assert_eq!(find(&encoder, None), "hidden_states.0 hidden_states.1 last_hidden_state");
        assert_eq!(find(&encoder, Some(1)), "hidden_states.0 last_hidden_state");
        assert_eq!(find(&["last_hidden_state"], Some(3)), "- - - last_hidden_state");
        assert_eq!(find(&["last_hidden_state"], None), "- last_hidden_state");
    }
}
