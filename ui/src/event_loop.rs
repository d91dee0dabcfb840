//! The window's event loop: eframe's, but for keys that paste. eframe would wait for whoever the text was copied from.

use eframe::{EframeWinitApplication, UserEvent};
use winit::application::ApplicationHandler;
use winit::event::{DeviceEvent, DeviceId, KeyEvent, StartCause, WindowEvent};
use winit::event_loop::ActiveEventLoop;
use winit::keyboard::{Key, KeyCode, ModifiersState, NamedKey, PhysicalKey};
use winit::window::WindowId;

use crate::clipboard::{self, Clipboard};

/// eframe's handler, and what stands before it.
pub struct Handler<'a> {
    inner: EframeWinitApplication<'a>,
    clipboard: Clipboard,
    modifiers: ModifiersState,
}

impl<'a> Handler<'a> {
    pub fn new(inner: EframeWinitApplication<'a>, clipboard: Clipboard) -> Self {
        Self {
            inner,
            clipboard,
            modifiers: ModifiersState::empty(),
        }
    }

    /// Whether an event was a wish to paste, which is done then.
    fn pastes(&mut self, event: &WindowEvent) -> bool {
        match event {
            WindowEvent::ModifiersChanged(modifiers) => {
                self.modifiers = modifiers.state();
                false
            }
            WindowEvent::KeyboardInput {
                event,
                is_synthetic: false,
                ..
            } if event.state.is_pressed() && is_paste(event, self.modifiers) => {
                self.clipboard.ask(clipboard::get);
                true
            }
            _ => false,
        }
    }
}

/// The keys that paste, whatever letters the keyboard has: those that eframe takes.
fn is_paste(event: &KeyEvent, modifiers: ModifiersState) -> bool {
    let is_command = if cfg!(target_os = "macos") {
        modifiers.super_key()
    } else {
        modifiers.control_key()
    };
    match &event.logical_key {
        Key::Named(NamedKey::Paste) => true,
        Key::Named(NamedKey::Insert) => cfg!(windows) && modifiers.shift_key(),
        Key::Character(letter) if letter.is_ascii() => is_command && letter.eq_ignore_ascii_case("v"),
        _ => is_command && event.physical_key == PhysicalKey::Code(KeyCode::KeyV),
    }
}

/// Wayland's clipboard is bound to the window's own connection, which eframe has.
#[cfg(target_os = "linux")]
fn has_own_clipboard(event_loop: &ActiveEventLoop) -> bool {
    winit::platform::wayland::ActiveEventLoopExtWayland::is_wayland(event_loop)
}

#[cfg(not(target_os = "linux"))]
fn has_own_clipboard(_: &ActiveEventLoop) -> bool {
    false
}

impl ApplicationHandler<UserEvent> for Handler<'_> {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        self.inner.resumed(event_loop);
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, window: WindowId, event: WindowEvent) {
        if has_own_clipboard(event_loop) || !self.pastes(&event) {
            self.inner.window_event(event_loop, window, event);
        }
    }

    fn new_events(&mut self, event_loop: &ActiveEventLoop, cause: StartCause) {
        self.inner.new_events(event_loop, cause);
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, event: UserEvent) {
        self.inner.user_event(event_loop, event);
    }

    fn device_event(&mut self, event_loop: &ActiveEventLoop, device: DeviceId, event: DeviceEvent) {
        self.inner.device_event(event_loop, device, event);
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        self.inner.about_to_wait(event_loop);
    }

    fn suspended(&mut self, event_loop: &ActiveEventLoop) {
        self.inner.suspended(event_loop);
    }

    fn exiting(&mut self, event_loop: &ActiveEventLoop) {
        self.inner.exiting(event_loop);
    }

    fn memory_warning(&mut self, event_loop: &ActiveEventLoop) {
        self.inner.memory_warning(event_loop);
    }
}
