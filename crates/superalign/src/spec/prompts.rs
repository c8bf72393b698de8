//! Prompts in a file of their own: what models are told in an interview, as Jinja templates.
//!
//! What a template may ask for, `superalign_paradigm::sandwiching::Prompts` says.

use super::SpecError;
use super::section::{Choice, Section, Source};
use std::path::Path;
use superalign_paradigm::ParadigmError;
use superalign_paradigm::sandwiching::{Form, Instruction, Marks, Prompts, Script, Verdict};
use toml::de::DeTable;

impl Choice for Form {
    const ALL: &'static [(&'static str, Self)] = &[("plain", Self::Plain), ("chat", Self::Chat)];
}

/// The prompts in the file `path`, each of them tried.
pub(super) fn read(path: &Path) -> Result<Prompts, SpecError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = "`prompts` is the path of a TOML file, relative to the spec's folder".to_owned();
        SpecError::whole(path, format!("the prompts cannot be read: {error}"), Some(help))
    })?;
    parse(path, text)
}

fn parse(path: &Path, text: String) -> Result<Prompts, SpecError> {
    let source = Source { path: path.to_owned(), text };
    let table = DeTable::parse(&source.text).map_err(|error| {
        let message = format!("not valid TOML: {}", error.message());
        source.error(error.span().unwrap_or(0..0), message, None)
    })?;
    let all = Section::new(&source, "", Some(table.get_ref()), None);
    let form = all.choice("form")?.unwrap_or(Form::Plain);
    let [judge, verdict, advisor, quotes] =
        [all.section("judge")?, all.section("verdict")?, all.section("advisor")?, all.section("quotes")?];
    // A misspelt key is told before the one that is missing for it.
    for (section, keys) in [
        (&judge, &["system", "prompt", "choice"][..]),
        (&verdict, &["system", "prompt", "right", "wrong"]),
        (&advisor, &["system", "prompt"]),
        (&quotes, &["open", "close", "unverified"]),
    ] {
        for key in keys {
            section.text(key)?;
        }
    }
    [&judge, &verdict, &advisor, &quotes, &all].into_iter().try_for_each(Section::finish)?;
    let instruction = |section: &Section<'_>, prompt: String| -> Result<Instruction, SpecError> {
        let system = section.text("system")?;
        if system.is_some() && form == Form::Plain {
            let message = "plain prompts have no message of the system".to_owned();
            return Err(section.error(
                "system",
                message,
                Some("put it into the prompt, or set form = \"chat\"".into()),
            ));
        }
        Ok(Instruction { system, prompt })
    };
    let prompt = judge.required_text("prompt")?;
    let (ask, argue) = (verdict.text("prompt")?, advisor.text("prompt")?);
    let prompts = Prompts {
        form,
        judge: instruction(&judge, prompt)?,
        choice: judge.required_text("choice")?,
        verdict: match ask {
            Some(prompt) => Some(Verdict {
                ask: instruction(&verdict, prompt)?,
                words: [verdict.required_text("right")?, verdict.required_text("wrong")?],
            }),
            None => None,
        },
        advisor: argue.map(|prompt| instruction(&advisor, prompt)).transpose()?,
        marks: Marks {
            open: quotes.text("open")?.unwrap_or_default(),
            close: quotes.text("close")?.unwrap_or_default(),
            unverified: quotes.text("unverified")?.unwrap_or_default(),
        },
    };
    match Script::new(&prompts) {
        Ok(_) => Ok(prompts),
        Err(ParadigmError::Template { key, reason }) => {
            let (table, key) = key.split_once('.').unwrap_or(("judge", "prompt"));
            let section = match table {
                "verdict" => &verdict,
                "advisor" => &advisor,
                _ => &judge,
            };
            let message = format!("the template `{table}.{key}` cannot be filled in: {reason}");
            Err(section.error(key, message, None))
        }
        Err(error) => Err(SpecError::whole(path, error.to_string(), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/prompts");

    #[test]
    fn the_worlds_prompts_are_those_that_are_compiled_in() {
        let read = read(&Path::new(ROOT).join("world.toml")).expect("shipped");
        assert_eq!(read, Prompts::world());
    }

    #[test]
    fn the_prompts_for_chat_have_everything() {
        let read = read(&Path::new(ROOT).join("chat.toml")).expect("shipped");
        assert_eq!(read.form, Form::Chat);
        assert!(read.advisor.is_some() && read.verdict.is_some() && !read.marks.open.is_empty());
    }

    #[test]
    fn mistakes_are_shown_with_their_place_and_the_remedy() {
        let whole = "[judge]\nprompt = \"{{ question }}\"\nchoice = \" {{ answer }}\"\n";
        let said = |text: &str| parse(Path::new("p.toml"), text.to_owned()).expect_err("refused").to_string();
        insta::assert_snapshot!(
            [
                said(&whole.replace("choice", "choise")),
                said(&format!("{whole}[advisr]\nprompt = \"x\"\n")),
                said(&whole.replace("{{ question }}", "{{ quesion }}")),
                said(&whole.replace("{{ question }}", "{% if %}")),
                said(&format!("form = \"talk\"\n{whole}")),
                said(&format!("{whole}system = \"Be fair.\"\n")),
                said(&format!("{whole}[verdict]\nprompt = \"{{{{ answer }}}}\"\nright = \" yes\"\n")),
                read(Path::new("no/such.toml")).expect_err("refused").to_string(),
            ]
            .join("\n\n")
        );
    }
}
