//! Texts in the user's language, from `locales/`: no sentence stands in the code.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::model::Saying;

/// Languages: name in settings, own name, texts.
pub const LANGUAGES: [(&str, &str, &str); 4] = [
    ("en", "English", include_str!("../locales/en.ftl")),
    ("de", "Deutsch", include_str!("../locales/de.ftl")),
    ("fr", "Français", include_str!("../locales/fr.ftl")),
    ("es", "Español", include_str!("../locales/es.ftl")),
];

/// The texts of one language.
pub struct Text {
    language: &'static str,
    bundle: FluentBundle<FluentResource>,
    change: fn(&str) -> String,
}

impl Text {
    /// The texts of `wanted`, a tag such as `de` or `fr-CA`; English for one that there is not.
    #[must_use]
    pub fn new(wanted: &str) -> Self {
        let short = wanted.split(['-', '_', '.']).next().unwrap_or_default();
        let known = LANGUAGES.iter().find(|(name, ..)| *name == short);
        let (name, _, source) = known.unwrap_or(&LANGUAGES[0]);
        let language: LanguageIdentifier = name.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // The marks that would isolate what is filled in show as boxes in fonts that lack them.
        bundle.set_use_isolating(false);
        // A test reads all languages: what cannot be parsed, or stands there twice, never gets here.
        let resource = FluentResource::try_new((*source).into()).unwrap_or_else(|(parsed, _)| parsed);
        let _twice = bundle.add_resource(resource);
        Self {
            language: name,
            bundle,
            change: str::to_owned,
        }
    }

    /// The same texts, each changed by `change`: for tests of layouts with longer words.
    #[must_use]
    pub fn changed(mut self, change: fn(&str) -> String) -> Self {
        self.change = change;
        self
    }

    /// Which language: its name in settings.
    #[must_use]
    pub const fn language(&self) -> &'static str {
        self.language
    }

    /// The text of this name; the name itself when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> String {
        self.with(name, &[])
    }

    /// The text of this name, with values filled in.
    #[must_use]
    pub fn with(&self, name: &str, values: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (key, value) in values {
            // A count chooses among plural forms.
            match value.parse::<f64>() {
                Ok(number) if *key == "count" => args.set(*key, number),
                _ => args.set(*key, *value),
            }
        }
        let pattern = self.bundle.get_message(name).and_then(|message| message.value());
        pattern.map_or_else(
            || name.to_owned(),
            |pattern| {
                // What could not be filled in shows as its name.
                let mut errors = Vec::new();
                let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors);
                (self.change)(&text)
            },
        )
    }

    /// A name that may be empty.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        if name.is_empty() {
            self.get("somebody")
        } else {
            name.to_owned()
        }
    }

    /// A sentence of the model's.
    #[must_use]
    pub fn say(&self, saying: &Saying) -> String {
        let name = saying.name.as_deref().map(|name| self.name(name));
        let values = [
            ("name", name.as_deref().unwrap_or_default()),
            ("detail", saying.detail.as_str()),
        ];
        self.with(&format!("say-{}", saying.key.word()), &values)
    }

    /// Whether there is a text of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.bundle.has_message(name)
    }
}
