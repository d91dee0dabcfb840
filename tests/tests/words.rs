//! Whatever the program below says in a word, the window says in a sentence.
#![allow(clippy::expect_used, missing_docs)]

use std::path::Path;

use sightline_ui::Text;

fn source(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).expect("a source")
}

/// The words between `begin` and `end`: what stands in quotes after an arrow.
fn words(path: &str, begin: &str, end: &str) -> Vec<String> {
    let text = source(path);
    let part = text
        .split(begin)
        .nth(1)
        .expect(begin)
        .split(end)
        .next()
        .expect(end)
        .to_owned();
    let words = part
        .split("=> \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let words: Vec<_> = words.map(str::to_owned).collect();
    assert!(words.len() > 2, "{path}: {words:?}");
    words
}

#[test]
fn every_word_of_routes_has_its_text() {
    let text = Text::new("en");
    let routes = "mesh/proto/src/route/mod.rs";
    for (prefix, words) in [
        ("reason-", words(routes, "words!(Reason {", "});")),
        ("approval-", words(routes, "words!(Approval {", "});")),
        (
            "medium-",
            words("mesh/proto/src/interface.rs", "impl Medium {", "\n}"),
        ),
    ] {
        for word in words {
            assert!(text.has(&format!("{prefix}{word}")), "{prefix}{word}");
        }
    }
}
