//! Snapshots of tables, JSON, the list and the errors.

use super::{Folder, run};

const VOTES: &str = "\
item,worker,label
i1,ann,yes
i1,bob,no
i1,cy,yes
i2,ann,no
i2,bob,no
i2,cy,
i3,ann,yes
i3,bob,yes
i3,cy,yes
i4,ann,no
i4,bob,yes
i4,cy,no
";

/// One file of every shape.
const FILES: [(&str, &str, &str); 9] = [
    ("votes.csv", VOTES, "raw-agreement,krippendorff-alpha,majority-vote"),
    ("wide.tsv", "ann\tbob\n1\t2\n2\t2\n3\t1\n1\t1\n", "cohen-kappa:weights=linear,wawa"),
    (
        "labels.jsonl",
        "{\"label\":\"cat\"}\n{\"label\":\"dog\"}\n{\"label\":\"cat\"}\n",
        "hill:q=0,entropy:base=2,chao1",
    ),
    (
        "probs.csv",
        "prob_cat,prob_dog,label\n0.9,0.1,cat\n0.2,0.8,dog\n0.6,0.4,dog\n0.3,0.7,dog\n",
        "ece:bins=5,brier,nll,issue-count",
    ),
    ("texts.json", "[{\"text\": \"a b c\"}, {\"text\": \"a b d\"}]", "distinct-n:n=1,self-bleu:n=2"),
    (
        "vectors.jsonl",
        "{\"embedding\":[1,0]}\n{\"embedding\":[0,1]}\n{\"embedding\":[1,1]}\n",
        "vendi:q=2,mean-cosine,log-det",
    ),
    (
        "pairs.csv",
        "prompt,judge,model_a,model_b,winner\n1,j,x,y,x\n2,j,y,z,model_a\n3,j,x,z,tie\n4,j,z,x,z\n5,k,y,x,y\n6,k,z,y,z\n",
        "win-rate,bradley-terry,cycle-rate",
    ),
    (
        "answers.csv",
        "gold,m1,m2\n1,1,0\n0,0,0\n1,0,1\n0,1,1\n",
        "q-statistic,kohavi-wolpert,independent-sources",
    ),
    (
        "counts.csv",
        "category,count,reference\na,5,0.5\nb,1,0.3\nc,0,0.2\n",
        "kl-to-reference,support-coverage",
    ),
];

#[test]
fn every_shape_as_a_table() {
    let folder = Folder::new();
    let mut seen = String::new();
    for (name, text, metrics) in FILES {
        let path = folder.write(name, text);
        seen += &run(&[&path, "--metrics", metrics, "--draws", "100"]).unwrap();
        seen.push('\n');
    }
    insta::assert_snapshot!(folder.hide(&seen));
}

#[test]
fn all_that_is_usual() {
    let folder = Folder::new();
    let path = folder.write("votes.csv", VOTES);
    insta::assert_snapshot!(folder.hide(&run(&[&path, "--draws", "100"]).unwrap()));
}

#[test]
fn one_json_object() {
    let folder = Folder::new();
    let path = folder.write("votes.csv", VOTES);
    let metrics = "krippendorff-alpha,krippendorff-alpha:level=interval,majority-vote,kl:p=0:q=1";
    insta::assert_snapshot!(
        folder.hide(&run(&[&path, "--metrics", metrics, "--json", "--seed", "7"]).unwrap())
    );
}

#[test]
fn every_metric_by_name() {
    insta::assert_snapshot!(run(&["--list"]).unwrap());
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = Folder::new();
    let path = folder.write("votes.csv", VOTES);
    let with = |seed: &str| run(&[&path, "--metrics", "raw-agreement", "--json", "--seed", seed]).unwrap();
    assert_eq!(with("3"), with("3"));
    assert_ne!(with("3"), with("4"));
}

#[test]
fn every_container_says_the_same() {
    let folder = Folder::new();
    let csv = folder.write("a.csv", VOTES);
    let tsv = folder.write("a.tsv", VOTES.replace(',', "\t"));
    let semicolon = folder.write("b.csv", VOTES.replace(',', ";"));
    let objects = VOTES.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let label = (!cells[2].is_empty()).then_some(cells[2]);
        serde_json::json!({"item": cells[0], "worker": cells[1], "label": label}).to_string()
    });
    let objects: Vec<String> = objects.collect();
    let jsonl = folder.write("a.jsonl", objects.join("\n"));
    let json = folder.write("a.json", format!("[{}]", objects.join(",\n")));
    let values = |path: &str| super::json(&[path, "--metrics", "agreement,truth"])["values"].to_string();
    for path in [&tsv, &semicolon, &jsonl, &json] {
        assert_eq!(values(path), values(&csv), "{path}");
    }
}

#[test]
fn an_undefined_value_is_a_row_with_its_reason() {
    let folder = Folder::new();
    let path = folder.write("one.csv", "item,worker,label\n1,ann,a\n2,ann,b\n");
    let found = super::json(&[&path, "--metrics", "krippendorff-alpha,vendi"]);
    let errors: Vec<&str> =
        found["values"].as_array().unwrap().iter().map(|row| row["error"].as_str().unwrap()).collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn mistakes_on_the_command_line() {
    let folder = Folder::new();
    let path = folder.write("votes.csv", VOTES);
    let said = |more: &[&str]| {
        let arguments: Vec<&str> = std::iter::once(path.as_str()).chain(more.iter().copied()).collect();
        let (code, message) = run(&arguments).expect_err("this is a mistake");
        assert_eq!(code, 2);
        folder.hide(&message)
    };
    insta::assert_snapshot!(
        [
            said(&["--metrics", "kripendorf"]),
            said(&["--metrics", "zzzz"]),
            said(&["--metrics", "krippendorff-alpha:lvl=ordinal"]),
            said(&["--metrics", "krippendorff-alpha:level=ordnal"]),
            said(&["--metrics", "hill:q=many"]),
            said(&["--metrics", "self-bleu:n=-1"]),
            said(&["--metrics", "wawa:n=1"]),
            said(&["--metrics", "krippendorff-alpha:ordinal"]),
            said(&["--metrics", "agreement:level=ordinal"]),
            said(&["--metrics", "text"]),
            said(&["--columns", "item"]),
            said(&["--columns", "itm=item"]),
            said(&["--columns", "item=items"]),
            said(&["--as", "vote"]),
            said(&["--as", "texts"]),
            said(&["--as", "probabilities"]),
            said(&["--gold", "truth"]),
            said(&["--level", "1"]),
        ]
        .join("\n")
    );
}

#[test]
fn mistakes_in_files() {
    let folder = Folder::new();
    let said = |name: &str, content: &[u8], more: &[&str]| {
        let path = folder.write(name, content);
        let arguments: Vec<&str> = std::iter::once(path.as_str()).chain(more.iter().copied()).collect();
        let (code, message) = run(&arguments).expect_err("this file has a mistake");
        assert_eq!(code, 2);
        folder.hide(&message)
    };
    let csv = |text: &str| said("file.csv", text.as_bytes(), &[]);
    let jsonl = |text: &str| said("file.jsonl", text.as_bytes(), &[]);
    insta::assert_snapshot!(
        [
            csv("item,worker,label\r\n1,ann,a\r\n,bob,b\r\n"),
            csv("item,worker,label\n1,ann\n"),
            csv("item,item,label\n1,2,3\n"),
            csv("item,worker,label\n"),
            csv("colour\nred\n"),
            csv("p0,p1,label\n0.5,0.5,2\n"),
            csv("p0,p1,label\n0.5,half,1\n"),
            csv("p0,p1,label\n0.5,,1\n"),
            csv("model_a,model_b,winner\nx,y,x\nx,y,w\n"),
            csv("model_a,winner\nx,x\n"),
            csv("count\n1\n-2\n"),
            csv("text,n\n"),
            jsonl("{\"embedding\":[1,2]}\n\n{\"embedding\":[1]}\n"),
            jsonl("{\"embedding\":[1,null]}\n"),
            jsonl("{\"embedding\":[1,\"x\"]}\n"),
            jsonl("{\"text\":\"a\"}\n{\"text\":null}\n"),
            jsonl("{\"text\":\"a\"}\n{\"text\":{}}\n"),
            jsonl("{\"text\":\"a\"\n"),
            jsonl("{\"text\":\"a\"}\n[1]\n"),
            said("file.npy", b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8'", &[]),
            said("file.csv", b"text\n\xff\n", &[]),
        ]
        .join("\n")
    );
}
