//! Every value of the golden files (`data/*.json`, made by established packages on generated inputs).

mod agreement;
mod calibration;
mod collapse;
mod embedding;
mod ensemble;
mod label_diversity;
mod label_noise;
mod preference;
mod support;
mod text;
mod truth;
