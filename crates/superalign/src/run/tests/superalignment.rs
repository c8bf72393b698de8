//! The capstone with models that are none.

use super::*;
use crate::experiment::gap_annealing::{COMPETENCE, CONFORMITY, JOINT};
use crate::experiment::superalignment::{
    EFFECT, LABELS, OVER_NAIVE, SOURCES, WITHIN, arm_cell, effect_cell, round_cell,
};
use crate::spec::{ArmName, Choice, Component};

/// Four rungs: sources that err apart, and as many pairs as a calibration needs.
pub(super) const TOGETHER: &str = r#"
name = "together"
question = "What do they add up to?"
paradigm = "superalignment"
seeds = 2
bootstrap.draws = 100
data.peer = 40
annealing = { rounds = 2, steps = 200 }
learner.trunk = { width = 16, learning-rate = 0.01 }
signal.bags = 2
grid.rank = [2, 4]
"#;

#[test]
fn every_component_is_tried_alone_and_left_out() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(TOGETHER);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    assert_eq!(cells(&rows), manifest.plan.cells());
    let last = |arm: ArmName| round_cell(arm, if arm.has(Component::Annealed) { 2 } else { 1 });
    for (_, arm) in ArmName::ALL {
        for metric in [COMPETENCE, CONFORMITY, JOINT] {
            let value = value(&rows, &last(*arm), metric);
            assert!((0.0..=1.0).contains(&value), "{arm:?} {metric} {value}");
        }
        // Four rungs' verdicts, two bags, the supervisor, and in the second round the first one's student.
        let expected = |round: usize| if arm.has(Component::Diversified) { 6.0 + round as f64 } else { 1.0 };
        for round in 1..=if arm.has(Component::Annealed) { 2 } else { 1 } {
            let cell = round_cell(*arm, round);
            let own: Vec<&Row> = rows.iter().filter(|r| r.cell == cell && r.seed.is_some()).collect();
            let found =
                |metric: &str| own.iter().filter(|r| r.metric == metric).map(|r| r.value.unwrap()).collect();
            let sources: Vec<f64> = found(SOURCES);
            assert_eq!(sources, [expected(round); 2], "{cell}");
            let labels: Vec<f64> = found(&format!("{LABELS}-{COMPETENCE}"));
            assert_eq!(labels.len(), 2, "{cell}");
        }
    }
    // Differences are those of the scores.
    for component in Component::ALL {
        let pairs = [(component.alone(), ArmName::Naive), (ArmName::All, component.left_out())];
        for ((with, without), within) in pairs.into_iter().zip(WITHIN) {
            let effect = value(&rows, &effect_cell(component, within), &format!("{JOINT}-{EFFECT}"));
            let apart = value(&rows, &last(with), JOINT) - value(&rows, &last(without), JOINT);
            assert!((effect - apart).abs() < 1e-12, "{effect} {apart}");
        }
    }
    let over = value(&rows, &arm_cell(ArmName::All), &format!("{JOINT}-{OVER_NAIVE}"));
    let apart = value(&rows, &last(ArmName::All), JOINT) - value(&rows, &last(ArmName::Naive), JOINT);
    assert!((over - apart).abs() < 1e-12);
    let report = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("What each component adds") && report.contains("eer review orders the students"));
}
