//! Chat templates against transformers' own rendering.

use crate::support::golden;
use serde::Deserialize;
use superalign_inference::{ChatEnd, ChatError, ChatTemplate, Message, Now, OpenError};

#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    messages: Vec<Message>,
    answer: bool,
    text: Option<String>,
    raised: Option<String>,
}

const NOW: Now = Now { year: 2024, month: 7, day: 5, hour: 14, minute: 9, second: 7 };

fn tokens() -> [(String, String); 2] {
    [("bos_token".into(), "<s>".into()), ("eos_token".into(), "</s>".into())]
}

#[test]
fn conversations_are_those_of_transformers() {
    let text = std::fs::read_to_string(golden("chat.json")).expect("the reference");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("the reference, readable");
    assert!(cases.len() > 40);
    for case in cases {
        let template = ChatTemplate::new(&case.template, tokens()).expect("a template");
        let end = if case.answer { ChatEnd::Answer } else { ChatEnd::Messages };
        let found = template.render(&case.messages, end, Some(NOW));
        match (found, case.text, case.raised) {
            (Ok(found), Some(text), _) => assert_eq!(found, text, "{}", case.name),
            (Err(ChatError::Refused { reason }), _, Some(raised)) => assert_eq!(reason, raised),
            (found, text, raised) => panic!("{}: {found:?}, expected {text:?} {raised:?}", case.name),
        }
    }
}

#[test]
fn what_a_template_cannot_do_is_told() {
    let render = |source: &str| {
        let template = ChatTemplate::new(source, tokens())?;
        template.render(&[Message::system("x"), Message::user("y")], ChatEnd::default(), None)
    };
    let said: Vec<String> = [
        "{% for m in messages %}",
        "{{ raise_exception('no system, please') }}",
        "a\n{{ strftime_now('%Y') }}",
        "{{ messages | nothing }}",
        "{{ messages[0].content.fly() }}",
    ]
    .iter()
    .map(|source| render(source).expect_err("refused").to_string())
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_folder_says_which_template_and_which_special_tokens() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    let read = || ChatTemplate::read(folder.path());
    let text = || {
        let template = read().expect("readable").expect("a template");
        template.render(&[Message::user("y")], ChatEnd::Answer, None).expect("a text")
    };
    assert!(read().expect("readable").is_none());
    write(
        "tokenizer_config.json",
        r#"{"bos_token": {"content": "<b>"}, "eos_token": "<e>", "pad_token": null}"#,
    );
    assert!(read().expect("readable").is_none());
    let both = r#"{"bos_token": {"content": "<b>"}, "eos_token": "<e>", "chat_template": [
        {"name": "tool_use", "template": "no"}, {"name": "default", "template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"}]}"#;
    write("tokenizer_config.json", both);
    assert_eq!(text(), "<b>y<e>");
    write("special_tokens_map.json", r#"{"cls_token": "<c>", "eos_token": "<other>"}"#);
    write("chat_template.jinja", "{{ cls_token }}{{ eos_token }}");
    assert_eq!(text(), "<c><e>", "the template of the file, the tokens of both");
    write("chat_template.jinja", "{% if");
    assert!(matches!(read(), Err(OpenError::Invalid { .. })));
    std::fs::remove_file(folder.path().join("chat_template.jinja")).expect("removed");
    write("tokenizer_config.json", r#"{"chat_template": [{"name": "tool_use", "template": "no"}]}"#);
    let Err(OpenError::Invalid { reason, .. }) = read() else { panic!("no default") };
    assert_eq!(reason, "its chat templates are tool_use; expected one named default");
}
