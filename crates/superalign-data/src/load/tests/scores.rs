//! Benchmarks of reward models: their items, and what models said of them.

use super::*;

fn said(name: &str, text: &str) -> String {
    let written = write(name, text);
    let folder = format!("{}/", written.folder.path().display());
    let error = load_benchmark(&written.path).expect_err("this file has a mistake");
    error.to_string().replace(&folder, "")
}

#[test]
fn lists_of_answers_in_every_container() {
    let expected = load_benchmark(sample("rewardbench2.jsonl")).unwrap();
    let text = std::fs::read_to_string(sample("rewardbench2.jsonl")).unwrap();
    let array = format!("[{}]", text.trim().lines().collect::<Vec<_>>().join(","));
    let same = |one: &BestOf, other: &BestOf| {
        (&one.id, &one.subset, &one.group, &one.answers, one.correct)
            == (&other.id, &other.subset, &other.group, &other.answers, other.correct)
    };
    let csv = "id,subset,prompt,chosen,rejected\n0,Math,What is 7 times 8?,\"[\"\"56\"\"]\",\"[\"\"54\"\", \"\"63\"\", \"\"78\"\"]\"\n";
    for (name, text) in [("a.json", array.as_str()), ("a.csv", csv)] {
        let found = load_benchmark(write(name, text).path).unwrap();
        assert!(found.iter().zip(&expected).all(|(one, other)| same(one, other)), "{name}");
    }
    // A text that begins with a bracket, and a prompt of several turns.
    let odd = load_benchmark(
        write(
            "odd.jsonl",
            "{\"subset\":\"a\",\"prompt\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"chosen\":\"[laughs]\",\"rejected\":\"No\"}",
        )
        .path,
    )
    .unwrap();
    assert_eq!((odd[0].prompt.as_str(), odd[0].answers[0].as_str()), ("Human: Hi\n\nAssistant:", "[laughs]"));
    assert_eq!(odd[0].id, "row-1");
}

#[test]
fn items_that_are_none() {
    let good = "{\"id\":1,\"subset\":\"a\",\"prompt\":\"x\",\"chosen\":[\"y\"],\"rejected\":[\"z\"]}\n";
    insta::assert_snapshot!(
        [
            said("twice.jsonl", &good.repeat(2)),
            said("count.jsonl", "{\"subset\":\"a\",\"prompt\":\"x\",\"chosen\":[\"y\"],\"rejected\":[\"z\"],\"num_correct\":2}"),
            said("empty.jsonl", "{\"subset\":\"a\",\"prompt\":\"x\",\"chosen\":[],\"rejected\":[\"z\"]}"),
            said("blank.jsonl", "{\"subset\":\"a\",\"prompt\":\"x\",\"chosen\":[\"y\"],\"rejected\":[\" \"]}"),
            said("column.jsonl", "{\"subset\":\"a\",\"prompt\":\"x\",\"chosen\":[\"y\"],\"rejcted\":[\"z\"]}"),
            said("subset.csv", "prompt,chosen,rejected,subset\nx,y,z,\n"),
        ]
        .join("\n")
    );
}

#[test]
fn scores_of_every_kind() {
    let read = |name: &str, text: &str| {
        let file = load_scores(write(name, text).path, &ScoreReading::default()).unwrap();
        match file.scores {
            Scores::Items(items) => items,
            Scores::Table(rows) => panic!("these are items: {rows:?}"),
        }
    };
    let csv = read("a.csv", "subset,scores_chosen,scores_rejected,results\na,inf,[2],True\nb,,,0.5\n");
    assert_eq!(csv[0].scored, Some(Scored::Pair { chosen: f64::INFINITY, rejected: 2.0 }));
    assert_eq!((csv[0].result, csv[1].scored.clone(), csv[1].result), (Some(1.0), None, Some(0.5)));
    let lists =
        read("a.jsonl", "{\"subset\":\"Ties\",\"scores\":[[1],[2],3],\"num_correct\":2,\"results\":[1,0,1]}");
    let answers = Scored::Answers { scores: vec![1.0, 2.0, 3.0], correct: Some(2) };
    assert_eq!((lists[0].scored.clone(), lists[0].result), (Some(answers), None));
    let table =
        load_scores(write("t.csv", "model,chat,note\nm,0.5,x\nn,,y\n").path, &ScoreReading::default());
    let Scores::Table(rows) = table.unwrap().scores else { panic!("this is a table") };
    assert_eq!(rows[0].values, [("chat".to_owned(), 0.5)]);
    assert_eq!((rows[1].model.as_deref(), rows[1].values.len()), (Some("n"), 0));
}
