//! The folder of a model: what is written is what is read, and what Python's transformers expects.

use crate::common::Place;
use superalign_core::Seed;
use superalign_pretrain::{Documents, Model, Shape, Workspace, weights};

const SHAPE: Shape =
    Shape { vocabulary: 17, layers: 2, width: 16, heads: 2, feed_forward: 24, positions: 64 };

#[test]
fn a_saved_model_is_the_model_in_memory() {
    let place = Place::new();
    let mut model = Model::<f32>::new(SHAPE, Seed::new(9)).unwrap();
    weights::round_to_half(&mut model);
    weights::save(&model, &place.path("tokenizer.json"), &place.path("model")).unwrap();
    let folder = weights::load(&place.path("model")).unwrap();
    assert_eq!(folder.model.shape(), &SHAPE);
    assert!(folder.model.parameters() == model.parameters(), "half precision is exact after rounding");
    assert_eq!(folder.vocabulary.number("plus"), Some(2));
    let (tokens, ends) = ([0, 3, 9, 1], [4]);
    let logits = |model: &Model<f32>| {
        let mut space = Workspace::new();
        model.forward(&Documents::new(&tokens, &ends, &SHAPE).unwrap(), &mut space);
        space.logits().to_vec()
    };
    assert_eq!(logits(&folder.model), logits(&model));
}

#[test]
fn the_folder_has_the_names_of_hugging_face() {
    let place = Place::new();
    let model = Model::<f32>::new(SHAPE, Seed::new(9)).unwrap();
    weights::save(&model, &place.path("tokenizer.json"), &place.path("model")).unwrap();
    let bytes = std::fs::read(place.path("model/model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<_> = file.names().into_iter().filter(|name| !name.contains("layers.1")).collect();
    names.sort_unstable();
    let list: Vec<String> =
        names.into_iter().map(|name| format!("{name} {:?}", file.tensor(name).unwrap().shape())).collect();
    insta::assert_snapshot!("tensors", list.join("\n"));
    insta::assert_snapshot!("config", std::fs::read_to_string(place.path("model/config.json")).unwrap());
}
