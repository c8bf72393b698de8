//! Trunks on the parts of the plan: trained on labels of both objectives, asked about any part.

use super::PARTS;
use crate::experiment::score::{Truth, bootstrap};
use crate::experiment::{Found, Inputs, trunk_config};
use crate::record::Row;
use ndarray::{Array1, ArrayView2, Axis};
use superalign_core::Seed;
use superalign_gap::annealing::Scores;
use superalign_gap::capability_draws;
use superalign_learner::{Head, Items, Plan, Trunk, TrunkConfig, TrunkItems, TrunkProblem, fit_trunks};

/// The parts, by their place in [`PARTS`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::experiment) enum Part {
    Teacher,
    Student,
    Validation,
    Test,
}

impl Part {
    fn name(self, head: Head) -> &'static str {
        PARTS[self as usize][head.index()]
    }
}

/// A trained trunk with the rung whose features it reads.
pub(in crate::experiment) struct Student {
    pub(in crate::experiment) rung: usize,
    pub(in crate::experiment) trunk: Trunk,
}

/// What a student is trained on: some items of a part, and soft labels of both objectives.
pub(in crate::experiment) struct Lesson {
    pub(in crate::experiment) part: Part,
    /// Positions of the items, by objective.
    pub(in crate::experiment) items: [Vec<usize>; 2],
    /// Labels of those items, by objective.
    pub(in crate::experiment) labels: [Array1<f64>; 2],
}

/// How a student is trained.
#[derive(Clone, Copy)]
pub(in crate::experiment) struct Training {
    pub(in crate::experiment) rung: usize,
    pub(in crate::experiment) rank: usize,
    pub(in crate::experiment) steps: usize,
    pub(in crate::experiment) plan: Plan,
    pub(in crate::experiment) seed: Seed,
}

/// The inputs, asked by part and objective.
#[derive(Clone, Copy)]
pub(in crate::experiment) struct Ground<'a> {
    pub(in crate::experiment) inputs: &'a Inputs<'a>,
}

impl<'a> Ground<'a> {
    pub(in crate::experiment) fn truth(self, part: Part, head: Head) -> Result<Truth<'a>, String> {
        Truth::of(self.inputs.parts, part.name(head))
    }

    fn features(self, rung: usize, part: Part, head: Head) -> Result<ArrayView2<'a, f32>, String> {
        self.inputs.features[rung].part(part.name(head))
    }

    /// All items of a part with their gold labels.
    pub(in crate::experiment) fn gold(self, part: Part) -> Result<Lesson, String> {
        let [c, v] = Head::BOTH.map(|head| {
            let truth = self.truth(part, head)?;
            let gold = if matches!(part, Part::Student) { truth.ceiling() } else { truth.taught() };
            let labels: Array1<f64> = gold.iter().map(|&gold| f64::from(gold)).collect();
            Ok::<_, String>(((0..labels.len()).collect::<Vec<_>>(), labels))
        });
        let ((competence, c), (conformity, v)) = (c?, v?);
        Ok(Lesson { part, items: [competence, conformity], labels: [c, v] })
    }

    /// Some items of a part with the labels that a teacher gives them.
    pub(in crate::experiment) fn taught(
        self,
        part: Part,
        items: [Vec<usize>; 2],
        teacher: &Student,
    ) -> Result<Lesson, String> {
        let [c, v] = Head::BOTH.map(|head| {
            let x = self.features(teacher.rung, part, head)?.select(Axis(0), &items[head.index()]);
            teacher.trunk.probabilities(x.view(), head).map_err(|e| e.to_string())
        });
        Ok(Lesson { part, labels: [c?, v?], items })
    }

    pub(in crate::experiment) fn train(self, lesson: &Lesson, how: Training) -> Result<Student, String> {
        let [c, v] = Head::BOTH.map(|head| {
            let x = self.features(how.rung, lesson.part, head)?.select(Axis(0), &lesson.items[head.index()]);
            let groups = self.truth(lesson.part, head)?.groups;
            let groups: Vec<u32> = lesson.items[head.index()].iter().map(|&i| groups[i]).collect();
            Ok::<_, String>((x, groups))
        });
        let ((competence, groups_c), (conformity, groups_v)) = (c?, v?);
        // Groups are numbered in each part alone: those of conformity go on where those of competence end.
        let offset = groups_c.iter().max().map_or(0, |most| most + 1);
        let groups_v: Vec<u32> = groups_v.iter().map(|group| group + offset).collect();
        let items = TrunkItems::Separate {
            competence: Items { features: competence.view(), groups: Some(&groups_c) },
            conformity: Items { features: conformity.view(), groups: Some(&groups_v) },
        };
        let problem = TrunkProblem {
            competence: Some(lesson.labels[0].view()),
            conformity: Some(lesson.labels[1].view()),
            seed: how.seed,
            start: None,
        };
        let config = TrunkConfig {
            rank: how.rank,
            steps: how.steps,
            plan: how.plan,
            ..trunk_config(self.inputs.plan)
        };
        let trained = fit_trunks(&items, &[problem], &config).pop();
        let trunk = trained.ok_or("no trunk was trained")?.map_err(|e| e.to_string())?;
        Ok(Student { rung: how.rung, trunk })
    }

    /// What a student says about all items of a part.
    pub(in crate::experiment) fn says(
        self,
        student: &Student,
        part: Part,
        head: Head,
    ) -> Result<Vec<f64>, String> {
        let x = self.features(student.rung, part, head)?;
        student.trunk.probabilities(x, head).map(|p| p.to_vec()).map_err(|e| e.to_string())
    }

    /// Its scores on the supervisor's own labels, with draws that all students share.
    pub(in crate::experiment) fn validated(self, student: &Student) -> Result<Scores, String> {
        let plan = self.inputs.plan;
        let [competence, conformity] = Head::BOTH.map(|head| {
            let truth = self.truth(Part::Validation, head)?;
            let right = truth.correct_by_seed(&[&self.says(student, Part::Validation, head)?]);
            let interval = bootstrap(plan, &format!("validation/{head}"));
            let draws = capability_draws(&[right.view()], Some(&truth.groups), &interval);
            draws.map_err(|e| e.to_string())?.pop().ok_or_else(|| "no draws".to_owned())
        });
        Ok(Scores { competence: competence?, conformity: conformity? })
    }

    /// Rows and items of a student on one objective of the test part.
    pub(in crate::experiment) fn test(
        self,
        found: &mut Found,
        student: &Student,
        (cell, metric): (&str, &str),
        head: Head,
        seed: u64,
    ) -> Result<(), String> {
        let plan = self.inputs.plan;
        let truth = self.truth(Part::Test, head)?;
        let said = self.says(student, Part::Test, head)?;
        let interval = bootstrap(plan, &format!("{cell}/{metric}/{seed}"));
        let outcome = superalign_gap::capability(&truth.correct(&said), Some(&truth.groups), &interval);
        found.rows.push(Row::new(cell, Some(seed), metric, "share", said.len(), outcome));
        let model = &plan.rungs[student.rung].name;
        let speaker = crate::experiment::score::Speaker { model, signal: cell, seed };
        found.items.extend(crate::experiment::score::item_rows(&speaker, truth.part, &said, |_| None));
        Ok(())
    }
}
