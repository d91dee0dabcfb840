//! The texts of all languages: complete, each with what is filled in, and with a glyph for each character.
#![allow(clippy::expect_used, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{at_home, settle, window};
use fluent_bundle::FluentResource;
use sightline_ui::model::SayingKey;
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
fn every_sentence_has_its_text_and_no_text_is_without_its_key() {
    let english = texts(LANGUAGES[0].2);
    let texts: BTreeSet<_> = english
        .keys()
        .filter_map(|name| name.strip_prefix("say-"))
        .collect();
    let keys: BTreeSet<_> = SayingKey::ALL.iter().map(|key| key.word()).collect();
    assert_eq!(texts, keys);
    assert_eq!(keys.len(), SayingKey::ALL.len(), "two sentences of one word");
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
    let mut asked = BTreeSet::new();
    for (_, code) in sources("ui/src") {
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

/// The sources in a folder of the workspace, without their tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut waiting = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = path.read_dir().expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if !path.ends_with("tests.rs") {
            let code = std::fs::read_to_string(&path).expect("a source");
            let code = code.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            found.push((path, code));
        }
    }
    assert!(!found.is_empty(), "{folder} holds no sources");
    found
}

/// What stands between quotes in a source: texts (`true`) and single characters (`false`). Escapes stay as they are
/// written, but for those that name a character by its number.
fn literals(code: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    let mut rest = code;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let is_name = |character: char| character.is_alphanumeric() || character == '_';
        // `r"`, `br"`, `r#"`, but no name that ends in an r.
        let hashes = rest[first.len_utf8()..].chars().take_while(|c| *c == '#').count();
        let is_raw = first == 'r'
            && (!is_name(before) || before == 'b' || before == 'c')
            && rest[1 + hashes..].starts_with('"');
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_len(rest)
        } else if is_raw {
            let begin = hashes + 2;
            let end = format!("\"{}", "#".repeat(hashes));
            let text = rest[begin..].split(&end).next().unwrap_or_default();
            found.push((true, text.to_owned()));
            begin + text.len() + end.len()
        } else if first == '"' {
            let text = quoted(&rest[1..], '"');
            found.push((true, unescaped(text)));
            text.len() + 2
        } else if first == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            let text = quoted(&rest[1..], '\'');
            found.push((false, unescaped(text)));
            text.len() + 2
        } else {
            // A lifetime among them.
            first.len_utf8()
        };
        before = first;
        rest = rest.get(taken..).unwrap_or_default();
    }
    found
}

/// The length of a comment that may hold others.
fn comment_len(code: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(pair) = code.as_bytes().get(at..at + 2) {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

/// What stands before the closing quote.
fn quoted(code: &str, quote: char) -> &str {
    let mut is_escaped = false;
    let end = code.find(|character: char| {
        let closes = character == quote && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        closes
    });
    &code[..end.unwrap_or(code.len())]
}

/// Characters that are named by their numbers, as they are shown. What stands in a number's place is filled in later.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, after) = part.split_once('}').expect("a number");
        let number = u32::from_str_radix(&number.replace('_', ""), 16);
        shown.extend(number.map(|number| char::from_u32(number).expect("a character")));
        shown.push_str(after);
    }
    shown
}

#[test]
fn literals_are_found_and_comments_and_lifetimes_are_not() {
    let code = r####"
        // "no" /* "no"
        /* "no" /* '→' */ "no" */ /// "no"
        fn f<'a>(x: &'a str) { g("one \" two", '×', '\'', b"three"); } /**/
        #[error("four {0}")] r#"fi"ve"# r"six\" "\u{2192}\n" var"seven" 'b: loop {}
    "####;
    let found = |wanted: bool| -> Vec<String> {
        let found = literals(code).into_iter();
        found
            .filter(|(is_text, _)| *is_text == wanted)
            .map(|(_, literal)| literal)
            .collect()
    };
    let texts = [
        "one \\\" two",
        "three",
        "four {0}",
        "fi\"ve",
        "six\\",
        "→\\n",
        "seven",
    ];
    assert_eq!(found(true), texts);
    assert_eq!(found(false), ["×", "\\'"]);
}

/// Whatever the window's fonts lack shows as a box on a machine that has no others, and nobody who draws pictures on
/// another machine sees it. What is shown comes from the texts, from what code puts around and between them, and from
/// what the rooms below say when something fails.
#[test]
fn every_character_of_every_text_has_a_glyph_in_the_fonts_that_the_window_brings() {
    let mut shown: BTreeMap<char, String> = BTreeMap::new();
    let mut note = |text: &str, place: &str| {
        for character in text.chars().filter(|character| !character.is_control()) {
            shown.entry(character).or_insert_with(|| place.to_owned());
        }
    };
    for (name, _, source) in LANGUAGES {
        note(source, name);
    }
    for folder in [
        "ui/src",
        "app/src",
        "media/src",
        "media/proto/src",
        "mesh/src",
        "mesh/proto/src",
        "noise/src",
    ] {
        // Below, single characters are what is looked for in what somebody else wrote.
        let is_above = matches!(folder, "ui/src" | "app/src");
        for (path, code) in sources(folder) {
            for (is_text, literal) in literals(&code) {
                if is_text || is_above {
                    note(&literal, &path.display().to_string());
                }
            }
        }
    }
    for character in ['→', '⬆', '…', '·', '×', 'ß', '«', '¿', '’'] {
        assert!(shown.contains_key(&character), "{character} was not looked at");
    }

    let mut harness = window([640.0, 480.0], at_home());
    settle(&mut harness);
    harness.ctx.fonts_mut(|fonts| {
        // All that there are: what is drawn strong has no letters of its own, only another colour.
        let families = fonts.families();
        assert!(families.len() > 1, "{families:?}");
        for family in families {
            let mut font = fonts.fonts.font(&family);
            let has = font.characters();
            assert!(
                !has.contains_key(&'山'),
                "the fonts of this machine are looked at"
            );
            let missing: Vec<_> = shown.iter().filter(|(one, _)| !has.contains_key(*one)).collect();
            assert!(missing.is_empty(), "{family:?} has no {missing:?}");
        }
    });
}
