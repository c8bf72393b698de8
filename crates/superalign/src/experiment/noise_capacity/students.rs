//! Students of either kind, one per column of labels.

use crate::experiment::{probe_config, trunk_config};
use crate::plan::Plan;
use crate::spec::{LossName, StudentName};
use ndarray::{Array2, ArrayView2, Axis};
use superalign_core::Seed;
use superalign_learner::{
    Head, Items, Plan as PhasePlan, TrunkConfig, TrunkItems, TrunkProblem, fit_sweep, fit_trunks,
};

/// Trains a student per column of `labels` (items, problems) on shared features, and asks each about other items: for
/// each problem its probabilities, one list per matrix of `asked`.
#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
pub(super) fn students(
    kind: StudentName,
    plan: &Plan,
    features: ArrayView2<'_, f32>,
    labels: &Array2<f64>,
    seeds: &[Seed],
    asked: &[ArrayView2<'_, f32>],
) -> Vec<Result<Vec<Vec<f64>>, String>> {
    match kind {
        StudentName::Probe => fit_sweep(features, labels.view(), &probe_config(plan, LossName::Xent))
            .into_iter()
            .map(|probe| {
                let probe = probe.map_err(|e| e.to_string())?;
                let ask = |x: &ArrayView2<'_, f32>| probe.probabilities(*x).map(|p| p.to_vec());
                asked.iter().map(ask).collect::<Result<_, _>>().map_err(|e| e.to_string())
            })
            .collect(),
        StudentName::Trunk => {
            let problem = |(labels, &seed)| TrunkProblem {
                competence: Some(labels),
                conformity: None,
                seed,
                start: None,
            };
            let problems: Vec<_> = labels.axis_iter(Axis(1)).zip(seeds).map(problem).collect();
            let config = TrunkConfig { plan: PhasePlan::CompetenceOnly, ..trunk_config(plan) };
            fit_trunks(&TrunkItems::Shared(Items::new(features)), &problems, &config)
                .into_iter()
                .map(|trunk| {
                    let trunk = trunk.map_err(|e| e.to_string())?;
                    let ask = |x: &ArrayView2<'_, f32>| {
                        trunk.probabilities(*x, Head::Competence).map(|p| p.to_vec())
                    };
                    asked.iter().map(ask).collect::<Result<_, _>>().map_err(|e| e.to_string())
                })
                .collect()
        }
    }
}
