//! Self-enhancement: every rung labels items for itself, and pairs of rungs for each other, over rounds.
//!
//! Gold labels train the ceilings and test everyone; what a rung labels by is its own verdicts and features alone. Each
//! seed draws the items anew, by group. All paths have the same items, views and rounds, and go on to the last round;
//! where the stop rule would have ended one is worked out from the same rounds, so that both can be compared.
//!
//! Round 0 of a path is the rung's own verdict, the mean over views; the verdict under the plain view alone is a cell of
//! its own. A path that is left without a student (labels of one class) stays where it is.

mod summary;
mod work;

use super::{Experiment, Found, FoundBy, Inputs, Job, Questions};
use crate::plan::{Part, Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, DataSource, SelfEnhancement, VariantName};
use superalign_core::{ChoicePrompt, Seed};
use superalign_data::DataError;
use superalign_data::item::{BinaryItem, Objective};
use superalign_data::world::{self, World, reordered};
use superalign_paradigm::self_enhancement::verdict_prompts;

/// Accuracy of verdicts on the test part.
pub(crate) const TEST: &str = "test-accuracy";
/// Accuracy of the hardened labels of the items that are labelled.
pub(crate) const LABELS: &str = "label-accuracy";
/// Share of test tasks whose right candidate is held for the likelier one.
pub(crate) const SOLVED: &str = "solved-tasks";
/// Expected calibration error (10 bins) of labels, and of what is said about the test part.
pub(crate) const LABEL_ECE: &str = "label-ece";
pub(crate) const TEST_ECE: &str = "test-ece";
/// Collapse index of the labels' classes (Hill number of order 1) against round 0.
pub(crate) const LABEL_COLLAPSE: &str = "label-collapse-index";
/// Collapse index of the embeddings of the items kept (Vendi score) against round 0.
pub(crate) const EMBEDDING_COLLAPSE: &str = "embedding-collapse-index";
/// Mean confidence of labels, and the share of items on which all votes are of one mind.
pub(crate) const CONFIDENCE: &str = "mean-confidence";
pub(crate) const UNANIMITY: &str = "unanimity";
/// Share of the labelled items whose labels are kept.
pub(crate) const KEPT: &str = "kept";
/// Share of a rung's own verdicts that its criticism contradicts.
pub(crate) const CONTRADICTED: &str = "contradicted";
/// Share of right ones among the verdicts that criticism contradicts, and among those that it upholds.
pub(crate) const CONTRADICTED_RIGHT: &str = "right-where-contradicted";
pub(crate) const UPHELD_RIGHT: &str = "right-where-upheld";
/// Share of seeds in which the stop rule fires, by all reasons and by each.
pub(crate) const STOPPED: &str = "stopped";
pub(crate) const REASONS: [&str; 3] =
    ["stopped-by-labels", "stopped-by-rarer-class", "stopped-by-embeddings"];
/// Share of seeds in which labels of one class leave a path without a student, so that it stays where it is.
pub(crate) const WITHOUT_STUDENT: &str = "without-student";
/// The round that is used where the stop rule is on.
pub(crate) const CHOSEN: &str = "chosen-round";
/// Questions put to models for a path.
pub(crate) const CALLS: &str = "calls";
/// Test accuracy after the last round, minus that of the rung's own verdicts.
pub(crate) const GAIN: &str = "gain";
/// The same with the stop rule.
pub(crate) const STOPPED_GAIN: &str = "gain-with-stop";
/// What the stop rule adds: test accuracy with it, minus that after the last round.
pub(crate) const STOP_HELPS: &str = "stop-less-going-on";
/// Test accuracy of the ceiling, minus that of the rung's own verdicts: what there is to gain.
pub(crate) const HEADROOM: &str = "headroom";
/// Tasks solved after the last round, minus those solved by the rung's own verdicts.
pub(crate) const SOLVED_GAIN: &str = "solved-gain";
/// Label accuracy after the last round, minus that of the rung's own verdicts.
pub(crate) const LABEL_GAIN: &str = "label-gain";
/// Test accuracy of the ceiling, minus that after the last round.
pub(crate) const LEFT: &str = "left-to-ceiling";
/// Test accuracy after the last round, minus that of the path of another variant.
pub(crate) const OVER: &str = "over";
/// Test accuracy of verdicts over all views, minus that under the plain one.
pub(crate) const VIEWS_GAIN: &str = "views-less-plain";

/// The labelled items, as they are and in other orders.
const STUDENT: [&str; 4] = ["student", "student-view-1", "student-view-2", "student-view-3"];
/// Verdicts on them, and on the test items.
const STUDENT_VERDICTS: [&str; 4] = ["verdicts", "verdicts-1", "verdicts-2", "verdicts-3"];
const TEST_VERDICTS: [&str; 4] = ["test-verdicts", "test-verdicts-1", "test-verdicts-2", "test-verdicts-3"];
/// Verdicts on the labelled items after the verdict `wrong`, and after `right`.
const CRITIQUES: [&str; 2] = ["after-wrong", "after-right"];

/// The cell of a rung's own verdict under the plain view.
pub(crate) fn plain_cell(rung: &str) -> String {
    format!("model={rung}/variant=plain")
}

/// The cell of a rung trained on gold labels.
pub(crate) fn ceiling_cell(rung: &str) -> String {
    format!("ceiling={rung}")
}

/// Who goes a path: a rung, how, and with which peer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    /// The rung, by its place in the plan.
    pub(crate) rung: usize,
    pub(crate) variant: VariantName,
    /// The rung that teaches it, where there is one.
    pub(crate) peer: Option<usize>,
}

impl Path {
    /// Its cell.
    pub(crate) fn cell(&self, plan: &Plan) -> String {
        let cell = format!("model={}/variant={}", plan.rungs[self.rung].name, self.variant.name());
        match self.peer {
            Some(peer) => format!("{cell}/with={}", plan.rungs[peer].name),
            None => cell,
        }
    }

    /// The cell of one of its rounds.
    pub(crate) fn round(&self, plan: &Plan, round: usize) -> String {
        format!("{}/round={round}", self.cell(plan))
    }

    /// Its name in tables.
    pub(crate) fn name(&self, plan: &Plan) -> String {
        match self.peer {
            Some(peer) => format!("{} {}", self.variant.name(), plan.rungs[peer].name),
            None => self.variant.name().to_owned(),
        }
    }
}

/// The metric that says how much more a path ends with than one of another variant.
pub(crate) fn over(variant: VariantName) -> String {
    format!("{OVER}-{}", variant.name())
}

impl SelfEnhancement {
    /// The paths of a rung.
    pub(crate) fn paths(&self, rungs: usize, rung: usize) -> Vec<Path> {
        let mut all = Vec::new();
        for &variant in &self.variant {
            if variant.takes_two() {
                let peers = (0..rungs).filter(|peer| *peer != rung);
                all.extend(peers.map(|peer| Path { rung, variant, peer: Some(peer) }));
            } else {
                all.push(Path { rung, variant, peer: None });
            }
        }
        all
    }

    /// What a path is compared with: gated labels where only they differ from it by one thing, else all labels.
    pub(crate) fn rival(&self, variant: VariantName) -> Option<VariantName> {
        let rival = match variant {
            VariantName::Alone => return None,
            VariantName::Gated | VariantName::Pairs => VariantName::Alone,
            VariantName::Greedy | VariantName::HeldOut | VariantName::Critique => VariantName::Gated,
            VariantName::Peer | VariantName::Exchange => VariantName::Gated,
        };
        self.variant.contains(&rival).then_some(rival)
    }

    /// The items of the world, in every view.
    fn world_parts(&self, seed: u64) -> Vec<Part> {
        let world = World::new(Seed::new(seed));
        let mut parts = Vec::new();
        for wanted in self.parts() {
            let items = world.binary_items(wanted.part, Objective::Competence, wanted.items.div_ceil(2), 0);
            let part =
                Part { name: wanted.name, role: wanted.role, items, prompts: Vec::new(), cases: Vec::new() };
            let views = if wanted.name == STUDENT[0] { self.views } else { 1 };
            parts.extend((1..views).map(|view| {
                Part {
                    name: STUDENT[view],
                    role: "the items of `student` once more, their sentences in another order",
                    items: part
                        .items
                        .iter()
                        .map(|item| BinaryItem { text: viewed(&item.text, view), ..item.clone() })
                        .collect(),
                    prompts: Vec::new(),
                    cases: Vec::new(),
                }
            }));
            parts.insert(parts.len() + 1 - views, part);
        }
        parts
    }
}

/// A text as that view has it.
fn viewed(text: &str, view: usize) -> String {
    if view == 0 { text.to_owned() } else { reordered(text, Seed::new(0).named("view").nth(view as u64)) }
}

/// The views that the parts have.
fn views(parts: &[Part]) -> usize {
    STUDENT.iter().take_while(|name| parts.iter().any(|part| part.name == **name)).count()
}

impl Experiment for SelfEnhancement {
    fn parts(&self) -> Vec<Wanted> {
        let part = |name, role, part, items| Wanted { name, role, part, items, objective: None };
        let role = "rungs label these for themselves and each other; gold labels train the ceilings alone";
        vec![
            part(STUDENT[0], role, world::Part::Student, self.student),
            part("test", "gold labels test everyone", world::Part::Test, self.test),
        ]
    }

    fn own_parts(&self, source: &DataSource) -> Option<Result<Vec<Part>, DataError>> {
        match source {
            DataSource::World(seed) => Some(Ok(self.world_parts(*seed))),
            DataSource::File(_) => None,
        }
    }

    fn questions(&self, parts: &[Part]) -> Questions {
        let of = |name: &str| parts.iter().find(|part| part.name == name);
        let verdicts = [self.right.clone(), self.wrong.clone()];
        let asked = |texts: &mut dyn Iterator<Item = String>| {
            let texts: Vec<String> = texts.map(|text| self.ask.replace("{text}", &text)).collect();
            verdict_prompts(&texts, &verdicts)
        };
        let mut questions = Vec::new();
        for (view, name) in STUDENT.iter().enumerate().take(views(parts)) {
            let Some(part) = of(name) else { continue };
            let prompts = asked(&mut part.items.iter().map(|item| item.text.clone()));
            questions.push((STUDENT_VERDICTS[view], prompts));
            let Some(test) = of("test") else { continue };
            let prompts = asked(&mut test.items.iter().map(|item| viewed(&item.text, view)));
            questions.push((TEST_VERDICTS[view], prompts));
        }
        if let Some(part) = of(STUDENT[0]).filter(|_| self.variant.contains(&VariantName::Critique)) {
            for (name, verdict) in CRITIQUES.into_iter().zip([&self.wrong, &self.right]) {
                let prompt = |item: &BinaryItem| ChoicePrompt {
                    prefix: self
                        .criticise
                        .replace("{verdict}", verdict)
                        .replace("{asked}", asked_of(&item.text))
                        .replace("{text}", &item.text),
                    choices: verdicts.to_vec(),
                };
                questions.push((name, part.items.iter().map(prompt).collect()));
            }
        }
        questions
    }

    fn cells(&self, rungs: usize) -> usize {
        let paths: usize = (0..rungs).map(|rung| self.paths(rungs, rung).len()).sum();
        // The ceiling and the plain verdict of each rung, and every round of every path.
        2 * rungs + paths * (self.rounds + 1)
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        if plan.data.objective == Objective::Conformity {
            return Err("`objective` is conformity, and the verdicts of this experiment are about competence\n help: \
                        leave out `objective`"
                .to_owned());
        }
        Ok(())
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let rungs = || plan.rungs.iter().enumerate();
        let mut all = Vec::new();
        for &seed in &plan.seeds {
            all.extend(rungs().map(|(rung, r)| Job {
                name: format!("model={}/seed={seed}", r.name),
                rung,
                seed: Some(seed),
            }));
            if self.variant.iter().any(|variant| variant.takes_two()) {
                all.extend(rungs().flat_map(|(rung, r)| {
                    plan.rungs[rung + 1..].iter().map(move |other| Job {
                        name: format!("peers={}+{}/seed={seed}", r.name, other.name),
                        rung,
                        seed: Some(seed),
                    })
                }));
            }
        }
        vec![all]
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, _: &FoundBy) -> Found {
        work::run(job, self, inputs)
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summary::summarise(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::self_enhancement::findings(plan, self, numbers)
    }
}

/// What is asked: the item from its question on; of another text, its last line.
fn asked_of(text: &str) -> &str {
    text.rfind("ask ")
        .filter(|at| *at == 0 || text[..*at].ends_with(' '))
        .map_or_else(|| text.rsplit('\n').next().unwrap_or(text), |at| &text[at..])
}

/// Neighbours of one group are a task: a number for each item, and whether every task has two candidates.
fn task_numbers(groups: &[u32]) -> Vec<u32> {
    let mut tasks = Vec::with_capacity(groups.len());
    let mut open = false;
    for (i, group) in groups.iter().enumerate() {
        let joins = open && groups[i - 1] == *group;
        let last = tasks.last().copied();
        tasks.push(match last {
            Some(last) if joins => last,
            Some(last) => last + 1,
            None => 0,
        });
        open = !joins;
    }
    tasks
}
