//! Which columns are what, by their names; and keys in several columns.

use super::*;

fn of(name: &str, text: &str, columns: &[(Role, &str)]) -> Result<Signal, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let columns = columns.iter().map(|(role, name)| (*role, (*name).to_owned())).collect();
    read(&path, &Reading { shape: None, columns })
}

/// The shape and the roles of a table with that header and those cells in its rows.
fn understood(header: &str, rows: &[&str]) -> String {
    let text = std::iter::once(header)
        .chain(rows.iter().copied())
        .fold(String::new(), |text, row| text + row + "\n");
    let signal = of("a.csv", &text, &[]).unwrap();
    let roles: Vec<String> =
        signal.roles.iter().map(|(role, names)| format!("{role}={}", names.join("+"))).collect();
    format!("{header}: {}: {}", signal.shape, roles.join(" "))
}

#[test]
fn columns_are_recognised_by_their_names() {
    let votes = &["1,x,yes", "1,y,no", "2,x,no"];
    let pairs = &["m,n,left", "n,o,tie", "o,m,right"];
    let judged = &["1,m,n,x,a", "1,n,o,y,b", "2,m,o,x,tie"];
    let seen = [
        understood("task,worker,label", votes),
        understood("item,annotator,vote", votes),
        understood("question,judge,label", votes),
        understood("question,judge,verdict", votes),
        understood("Patient,Observer,class", votes),
        understood("item_id,rater_id,rating", &["1,x,3", "2,x,1"]),
        understood("unit,coder,category", votes),
        understood("item,reviewer,score", &["1,x,0.5", "2,x,0.25"]),
        understood("subject,user_id,response_label", votes),
        understood("left,right,winner", pairs),
        understood("model_a,model_b,winner", &["m,n,model_a", "n,o,tie (bothbad)"]),
        understood("player_a,player_b,outcome", &["m,n,1", "n,o,2"]),
        understood("model_a,model_b,result", &["m,n,model_b", "n,o,tie"]),
        understood("question_id,model_a,model_b,reviewer,score", judged),
        understood("prompt,left,right,worker,winner", &["1,m,n,x,left", "1,n,o,y,right"]),
        understood("item,judge,winner_order1,winner_swapped", &["1,x,1,2", "2,x,2,2"]),
        // What looks like it and is something else.
        understood("a,b,score", &["1,0,1", "0,0,0"]),
        understood("left,right,score", &["0.5,1,0.25", "0.5,2,0.25"]),
        understood("item,judge,judge_2", &["1,0,1", "2,0,0"]),
        understood("task,truth,worker1,worker2", &["1,0,1,1", "2,0,0,1"]),
    ];
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn a_name_may_stand_in_several_columns() {
    let text = "set,item,judge,prompt,label\na,1,x,p,0\na,2,x,p,1\nb,1,x,q,1\nb,,x,q,\n";
    let columns =
        [(Role::Item, "set"), (Role::Item, "item"), (Role::Annotator, "judge"), (Role::Annotator, "prompt")];
    let said = of("a.csv", text, &columns).unwrap_err().to_string();
    assert!(
        said.contains("line 5, column `set+item`: found nothing, expected the name of an item"),
        "{said}"
    );
    let signal = of("a.csv", text.rsplit_once("b,,").unwrap().0, &columns).unwrap();
    let votes = signal.votes.unwrap();
    assert_eq!(votes.items, ["a / 1", "a / 2", "b / 1"]);
    assert_eq!(votes.annotators, ["x / p", "x / q"]);
    assert_eq!((votes.item, votes.annotator, votes.category), (vec![0, 1, 2], vec![0, 0, 1], vec![0, 1, 1]));
    assert_eq!(signal.roles[0], (Role::Item, vec!["set+item".to_owned()]));
    assert_eq!(signal.ignored, [""; 0]);
    // Without it every item number is one item, on which the judge votes again.
    let signal = of("a.csv", text.rsplit_once("b,,").unwrap().0, &[]).unwrap();
    assert_eq!(signal.votes.unwrap().repeats.unwrap().votes, 1);
}

#[test]
fn a_role_of_one_column_is_given_once() {
    let said = of("a.csv", "a,b\n1,2\n", &[(Role::Label, "a"), (Role::Label, "b")]).unwrap_err().to_string();
    assert!(said.contains("one column for the role label"), "{said}");
}

#[test]
fn a_sign_says_who_won_when_somebody_says_what_it_means() {
    use Winner::{Left, Nothing, Right, Tie};
    let text = "model_a,model_b,score\nm,n,1\nm,n,-0.5\nm,n,0\nm,n,\n";
    let winners = |role| of("a.csv", text, &[(role, "score")]).map(|signal| signal.pairs.unwrap().winner);
    assert_eq!(winners(Role::MarginLeft).unwrap(), [Left, Right, Tie, Nothing]);
    assert_eq!(winners(Role::MarginRight).unwrap(), [Right, Left, Tie, Nothing]);
    let judged = "item,judge,model_a,model_b,score\n1,j,m,n,-1\n";
    let said = [
        of("a.csv", text, &[]).unwrap_err(),
        of("a.csv", judged, &[]).unwrap_err(),
        of("a.csv", "left,right,winner\nm,n,1\nm,n,-1\n", &[]).unwrap_err(),
        of("a.csv", "left,right,winner\nm,n,1\nm,n,x\n", &[]).unwrap_err(),
    ];
    let said = said.map(|error| error.to_string().split_once("a.csv").unwrap().1.to_owned());
    insta::assert_snapshot!(said.join("\n"));
    let error = of("a.csv", "left,right,by\nm,n,x\n", &[(Role::MarginLeft, "by")]).unwrap_err().to_string();
    assert!(error.contains("column `by`: found `x`, expected a number in every row"), "{error}");
}

#[test]
fn the_winner_of_the_other_order_is_told_by_places_shown_or_by_places_in_the_row() {
    use Winner::{Left, Nothing, Right, Tie};
    let text = "winner,other\n1,2\n1,1\n2,0\n2,\n";
    let swapped =
        |role| of("a.csv", text, &[(role, "other")]).unwrap().pairs.unwrap().winner_swapped.unwrap();
    assert_eq!(swapped(Role::WinnerSwapped), [Right, Left, Tie, Nothing]);
    assert_eq!(swapped(Role::WinnerUnswapped), [Left, Right, Tie, Nothing]);
    // Names of candidates are the same in both.
    let text = "left,right,winner,other\nm,n,m,m\nn,m,m,n\n";
    let swapped =
        |role| of("a.csv", text, &[(role, "other")]).unwrap().pairs.unwrap().winner_swapped.unwrap();
    assert_eq!(swapped(Role::WinnerSwapped), [Right, Right]);
    assert_eq!(swapped(Role::WinnerSwapped), swapped(Role::WinnerUnswapped));
}

#[test]
fn judges_among_the_candidates_wrote_their_own() {
    let text = "item,left,right,judge,winner\n1,m,n,m,left\n1,m,n,n,left\n2,n,o,j,right\n";
    let pairs = of("a.csv", text, &[]).unwrap().pairs.unwrap();
    assert_eq!(pairs.authors, ["m", "n", "o"]);
    assert_eq!(pairs.written, Some((vec![0, 0, 1], vec![1, 1, 2])));
    let outside = text.replace(",m,left", ",j,left").replace(",n,left", ",k,left");
    assert_eq!(of("a.csv", &outside, &[]).unwrap().pairs.unwrap().written, None);
}

#[test]
fn reading_tells_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let rows = 20_000;
    let csv = (0..rows).fold("item,label\n".to_owned(), |text, i| text + &format!("{i},{}\n", i % 7));
    let jsonl = (0..rows).fold(String::new(), |text, i| text + &format!("{{\"label\":{}}}\n", i % 7));
    let json = format!("[{}]", jsonl.trim_end().replace('\n', ",\n"));
    for (name, text) in [("a.csv", &csv), ("a.jsonl", &jsonl), ("a.json", &json)] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mut seen = Vec::new();
        read_telling(&path, &Reading::default(), &mut |done, total| seen.push((done, total))).unwrap();
        assert!(seen.len() > 4 && seen.is_sorted(), "{name} {seen:?}");
        let bytes = text.len() as u64;
        assert!(seen.iter().all(|&(done, total)| done <= total && total == bytes), "{name} {seen:?}");
        assert_eq!((seen[0].0, seen.last()), (0, Some(&(bytes, bytes))), "{name}");
        // Evenly, as the rows are.
        let half = seen[seen.len() / 2].0;
        assert!(half > bytes / 4 && half < 3 * bytes / 4, "{name} {seen:?}");
    }
}
