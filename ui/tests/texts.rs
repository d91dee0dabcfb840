//! The texts of all languages: complete, and each with what is filled in.
#![allow(clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use sightline_ui::{LANGUAGES, Text};

/// Each text's name, with the names of what is filled in.
fn texts(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let parsed = FluentResource::try_new(source.into());
    parsed.map_err(|(_, errors)| errors).expect("it can be read");
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, _)) = line
            .split_once(" =")
            .filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            last = name.to_owned();
            assert!(
                texts.insert(last.clone(), BTreeSet::new()).is_none(),
                "{name} stands there twice"
            );
        }
        let values = line.split('$').skip(1).map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_alphabetic)
                .collect::<String>()
        });
        texts.entry(last.clone()).or_default().extend(values);
    }
    texts.remove("");
    texts
}

#[test]
fn every_language_has_every_text_with_the_same_values() {
    let english = texts(LANGUAGES[0].2);
    assert!(english.len() > 200);
    for (name, _, source) in &LANGUAGES[1..] {
        let other = texts(source);
        for (text, values) in &english {
            assert_eq!(other.get(text), Some(values), "{text} in {name}");
        }
        assert_eq!(other.len(), english.len(), "{name}");
    }
}

#[test]
fn every_text_can_be_shown_and_none_stays_empty() {
    for (language, _, source) in LANGUAGES {
        let text = Text::new(language);
        for (name, values) in texts(source) {
            for count in ["0", "1", "2", "25"] {
                let values: Vec<_> = values
                    .iter()
                    .map(|value| (value.as_str(), if value == "count" { count } else { "Xy" }))
                    .collect();
                let shown = text.with(&name, &values);
                assert!(
                    !shown.trim().is_empty() && text.has(&name),
                    "{name} in {language}: {shown}"
                );
                assert!(
                    !shown.contains('{') && !shown.contains('$'),
                    "{name} in {language}: {shown}"
                );
            }
        }
    }
}

/// Names that stand in the code, and those made of a word there.
#[test]
fn every_text_that_the_window_asks_for_is_there() {
    let english = texts(LANGUAGES[0].2);
    let mut waiting = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut asked = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = path.read_dir().expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let code = std::fs::read_to_string(&path).expect("a source");
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        for call in [".get(\"", ".with(\"", "text.get(\"", "text.with(\""] {
            let names = code.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            asked.extend(
                names
                    .filter(|name| !name.contains(['{', '/', ' ']))
                    .map(str::to_owned),
            );
        }
    }
    assert!(asked.len() > 60, "{asked:?}");
    let missing: Vec<_> = asked.iter().filter(|name| !english.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
