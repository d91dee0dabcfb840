//! Keys: what each does, in one table that both the window and its list of keys read.

use eframe::egui::{Context, Event, Key, KeyboardShortcut, Modifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Mute, or unmute.
    Mute,
    /// Camera on or off.
    Camera,
    /// Show or hide a panel.
    People,
    /// See [`Action::People`].
    Routes,
    /// See [`Action::People`].
    Invite,
    /// See [`Action::People`].
    Diagnostics,
    /// See [`Action::People`].
    Settings,
    /// Tiles of one size, or one large one.
    Layout,
    /// Leave the call.
    Leave,
    /// Cover everything, or show it again.
    Cover,
    /// Answer the question in front: yes, this once.
    Yes,
    /// Yes, and by a wider rule from now on.
    YesByRule,
    /// No.
    No,
    /// The list of keys.
    Help,
    /// Close what is open.
    Close,
}

/// A key, what it does, and the text's name for that. Function keys work while something is typed, too: answers
/// and the cover must not depend on where the cursor is, and are never typed by accident.
pub const KEYS: [(Key, Action, &str); 15] = [
    (Key::M, Action::Mute, "key-mute"),
    (Key::V, Action::Camera, "key-camera"),
    (Key::P, Action::People, "key-people"),
    (Key::R, Action::Routes, "key-routes"),
    (Key::I, Action::Invite, "key-invite"),
    (Key::D, Action::Diagnostics, "key-diagnostics"),
    (Key::S, Action::Settings, "key-settings"),
    (Key::G, Action::Layout, "key-layout"),
    (Key::L, Action::Leave, "key-leave"),
    (Key::F9, Action::Cover, "key-cover"),
    (Key::F2, Action::Yes, "key-yes"),
    (Key::F3, Action::YesByRule, "key-yes-rule"),
    (Key::F4, Action::No, "key-no"),
    (Key::Questionmark, Action::Help, "key-help"),
    (Key::Escape, Action::Close, "key-close"),
];

/// Held down: the microphone is open for as long.
pub const TALK: Key = Key::Space;

/// Closes the window, after asking when in a call.
pub const QUIT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Q);

/// What was pressed since this was last asked. Letters count only while nothing is being typed.
pub fn pressed(ctx: &Context) -> Vec<Action> {
    let is_typing = ctx.text_edit_focused();
    ctx.input(|input| {
        let events = input.events.iter().filter_map(|event| match event {
            Event::Key {
                key,
                pressed: true,
                repeat: false,
                modifiers,
                ..
            } => Some((*key, *modifiers)),
            _ => None,
        });
        let action = |(key, modifiers): (Key, Modifiers)| {
            let known = KEYS.iter().find(|(known, ..)| *known == key)?;
            let is_plain = !(modifiers.ctrl || modifiers.alt || modifiers.command);
            let is_letter = !matches!(key, Key::F2 | Key::F3 | Key::F4 | Key::F9 | Key::Escape);
            (is_plain && !(is_letter && is_typing)).then_some(known.1)
        };
        events.filter_map(action).collect()
    })
}

/// Whether the key to talk is held, nothing being focused that it would press.
pub fn is_talking(ctx: &Context) -> bool {
    let is_free = ctx.memory(eframe::egui::Memory::focused).is_none();
    is_free && ctx.input(|input| input.focused && input.key_down(TALK) && input.modifiers.is_none())
}
