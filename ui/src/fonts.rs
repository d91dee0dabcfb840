//! The window's own fonts, and fonts of the system for names in scripts that those lack.

use std::collections::BTreeSet;

use eframe::egui::epaint::text::{FontInsert, FontPriority, InsertFontFamily};
use eframe::egui::{Context, FontData, FontDefinitions, FontFamily, FontId};
use fontdb::{Database, ID};
use skrifa::{FontRef, MetadataProvider};

/// Letters that are looked for at most: names come from others.
const MAX_TRIED: usize = 2000;

/// Fonts that are added at most: one for Chinese takes 20 MB.
const MAX_ADDED: usize = 6;

/// The fonts that the window brings itself: all that there is on a machine without others.
///
/// They are egui's, but what the proportional ones lack, such as arrows, comes from the monospaced one; egui falls back
/// only the other way round.
pub fn own() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let others = fonts.families.get(&FontFamily::Monospace).cloned();
    let proportional = fonts.families.entry(FontFamily::Proportional).or_default();
    for name in others.into_iter().flatten() {
        if !proportional.contains(&name) {
            proportional.push(name);
        }
    }
    fonts
}

/// Finds fonts when they are needed.
#[derive(Default)]
pub struct Fallback {
    tried: BTreeSet<char>,
    /// The system's, once one of them was needed.
    database: Option<Database>,
    added: Vec<ID>,
}

impl Fallback {
    /// Adds a font for each script of these texts that no font has yet.
    pub fn cover<'a>(&mut self, ctx: &Context, texts: impl Iterator<Item = &'a str>) {
        for letter in texts.flat_map(str::chars) {
            if letter.is_ascii() || self.tried.len() >= MAX_TRIED || !self.tried.insert(letter) {
                continue;
            }
            let font = FontId::new(14.0, FontFamily::Proportional);
            if !ctx.fonts_mut(|fonts| fonts.has_glyph(&font, letter)) {
                self.add(ctx, letter);
            }
        }
    }

    fn add(&mut self, ctx: &Context, letter: char) {
        let database = self.database.get_or_insert_with(|| {
            let mut database = Database::new();
            database.load_system_fonts();
            database
        });
        let Some(id) = face_with(database, letter) else {
            return;
        };
        if self.added.contains(&id) || self.added.len() >= MAX_ADDED {
            return;
        }
        let data = database.with_face_data(id, |data, index| FontData {
            index,
            ..FontData::from_owned(data.to_vec())
        });
        let Some(data) = data else {
            return;
        };
        self.added.push(id);
        let families = [FontFamily::Proportional, FontFamily::Monospace].map(|family| InsertFontFamily {
            family,
            priority: FontPriority::Lowest,
        });
        ctx.add_font(FontInsert::new(
            &format!("system {}", self.added.len()),
            data,
            families.to_vec(),
        ));
    }
}

/// An upright face of ordinary weight that has this letter; else any that has it.
fn face_with(database: &Database, letter: char) -> Option<ID> {
    let has_it = |id: ID| {
        let found = database.with_face_data(id, |data, index| {
            FontRef::from_index(data, index).is_ok_and(|font| font.charmap().map(letter).is_some())
        });
        found.unwrap_or(false)
    };
    let mut faces: Vec<_> = database.faces().collect();
    faces.sort_by_key(|face| {
        (
            face.style != fontdb::Style::Normal,
            face.weight.0.abs_diff(400),
            face.monospaced,
        )
    });
    faces.into_iter().map(|face| face.id).find(|id| has_it(*id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_found_for_a_letter_that_it_has_and_none_for_one_that_nobody_has() {
        let mut database = Database::new();
        assert_eq!(face_with(&database, 'Ж'), None);
        let own = own();
        let hack = own.font_data.get("Hack").expect("egui's own font");
        database.load_font_data(hack.font.to_vec());
        assert!(face_with(&database, 'Ж').is_some());
        assert_eq!(face_with(&database, '山'), None);
    }

    #[test]
    fn names_cannot_make_the_window_look_for_ever() {
        let ctx = Context::default();
        let mut fallback = Fallback {
            // Nothing of this machine's.
            database: Some(Database::new()),
            ..Fallback::default()
        };
        let letters: String = ('\u{4e00}'..='\u{9fff}').collect();
        let _output = ctx.run_ui(eframe::egui::RawInput::default(), |ui| {
            fallback.cover(ui.ctx(), [letters.as_str(), "Ann"].into_iter());
        });
        assert_eq!(fallback.tried.len(), MAX_TRIED);
        assert!(fallback.added.is_empty());
    }
}
