//! The window itself: title, icon, place on the screen, closing. It owns the main thread until it is closed.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{
    Context, Event, IconData, RawInput, Ui, ViewportBuilder, ViewportCommand, Visuals, pos2, vec2,
};
use eframe::{CreationContext, NativeOptions, Renderer, UserEvent};
use winit::error::EventLoopError;
use winit::event_loop::EventLoop;

use crate::clipboard::Clipboard;
use crate::command::Command;
use crate::event_loop::Handler;
use crate::fonts::Fallback;
use crate::keys;
use crate::model::{Model, Place, Preferences};
use crate::picture::Pictures;
use crate::text::Text;
use crate::view::View;

/// The size of a window that was never open before, points.
const SIZE: [f32; 2] = [1080.0, 720.0];

/// The smallest that everything can be used in, points.
const LEAST: [f32; 2] = [480.0, 360.0];

/// Wakes the window, so that it draws after at most this long.
pub type Wake = Box<dyn Fn(Duration) + Send + Sync>;

/// The program behind the window.
pub trait Host: Send {
    /// What is to be shown.
    fn model(&self) -> Arc<Model>;
    /// How loud the microphone is, 0 to 1.
    fn level(&self) -> f32;
    /// What the user wishes. Must not block.
    fn wish(&self, command: Command);
    /// How to be woken: to be called, from any thread, when there is something new to show, with how long that may
    /// wait.
    fn on_change(&self, wake: Wake);
    /// The window begins to draw what there is now.
    fn drawing(&self);
    /// The program is over, and the window is to close.
    fn is_over(&self) -> bool;
}

/// What a window begins with.
pub struct Window {
    /// The program behind it.
    pub host: Box<dyn Host>,
    /// The latest picture of everybody.
    pub pictures: Arc<Pictures>,
    /// The system's language: a tag such as `de-CH`.
    pub language: String,
    /// How it looked, and where it was.
    pub preferences: Preferences,
    /// The rest of the program, called on this thread when the system takes the window away and nothing can come back from it. It
    /// does not return.
    pub rest: Box<dyn FnOnce() + Send>,
}

/// No window can be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WindowError(String);

/// Shows the window until it is closed.
///
/// # Errors
/// [`WindowError`]: there is no screen, or none with OpenGL.
pub fn run(window: Window) -> Result<(), WindowError> {
    let Window {
        host,
        pictures,
        language,
        preferences,
        rest,
    } = window;
    #[cfg(all(unix, not(target_os = "macos")))]
    crate::x11::on_lost(rest);
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    drop(rest);
    let place = preferences.place;
    let size = place.map_or(SIZE, |place| [place.width, place.height]);
    let mut viewport = ViewportBuilder::default()
        .with_app_id("sightline")
        .with_title("Sightline")
        .with_icon(Arc::new(icon(Mark::Idle)))
        .with_inner_size(size.map(|side| side.clamp(200.0, 16_000.0)))
        .with_min_inner_size(LEAST);
    if let Some((x, y)) = place.and_then(|place| place.x.zip(place.y)) {
        viewport = viewport.with_position(pos2(x, y));
    }
    let options = NativeOptions {
        viewport,
        renderer: Renderer::Glow,
        dithering: false,
        ..NativeOptions::default()
    };
    let (clipboard, has_opened) = (Clipboard::default(), Cell::new(false));
    let open = |context: &CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
        has_opened.set(true);
        let ctx = context.egui_ctx.clone();
        clipboard.tell_to(move || ctx.request_repaint());
        let view = View::new(Text::new(&language), pictures, context.gl.clone());
        Ok(Box::new(App::new(
            host,
            view,
            place,
            clipboard.clone(),
            &context.egui_ctx,
        )))
    };
    let to_error = |error: EventLoopError| WindowError(without_place(&error.to_string()));
    let event_loop = EventLoop::<UserEvent>::with_user_event().build();
    let event_loop = event_loop.map_err(to_error)?;
    let inner = eframe::create_native("Sightline", options, Box::new(open), &event_loop);
    let mut handler = Handler::new(inner, clipboard.clone());
    event_loop.run_app(&mut handler).map_err(to_error)?;
    drop(handler);
    if has_opened.get() {
        Ok(())
    } else {
        Err(WindowError(
            "it cannot be set up with this screen’s OpenGL and scale".into(),
        ))
    }
}

/// What went wrong, without the line of the library's source that winit puts before it.
fn without_place(error: &str) -> String {
    let after = error
        .split_once(".rs:")
        .and_then(|(_, rest)| rest.split_once(": "));
    after
        .map_or(error, |(_, what)| what)
        .trim_end_matches('.')
        .to_owned()
}

struct App {
    host: Box<dyn Host>,
    view: View,
    /// What the title and icon say.
    shown: Option<(Mark, &'static str)>,
    place: Option<Place>,
    fonts: Fallback,
    clipboard: Clipboard,
    may_close: bool,
}

/// What the icon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Idle,
    InCall,
    Muted,
}

impl App {
    fn new(
        host: Box<dyn Host>,
        view: View,
        place: Option<Place>,
        clipboard: Clipboard,
        ctx: &Context,
    ) -> Self {
        let ctx = ctx.clone();
        host.on_change(Box::new(move |after| {
            // egui takes the time of a frame off what it is asked for, and draws twice when it is asked for at once.
            let frame = Duration::from_secs_f32(ctx.input(|input| input.predicted_dt));
            ctx.request_repaint_after(after + frame + Duration::from_micros(1));
        }));
        Self {
            host,
            view,
            shown: None,
            place,
            fonts: Fallback::default(),
            clipboard,
            may_close: false,
        }
    }

    /// Title and icon: in a call, muted or not; nothing of it while everything is covered.
    fn mark(&mut self, ctx: &Context, model: &Model) {
        let is_in_call = model
            .call
            .as_ref()
            .is_some_and(|call| call.is_in && call.ended.is_none());
        let is_silent = model.own.muted || model.own.microphone.is_none();
        let mark = match (is_in_call && !self.view.is_covered(), is_silent) {
            (false, _) => Mark::Idle,
            (true, true) => Mark::Muted,
            (true, false) => Mark::InCall,
        };
        let shown = (mark, self.view.text().language());
        if self.shown == Some(shown) {
            return;
        }
        self.shown = Some(shown);
        let title = match mark {
            Mark::Idle => "Sightline".to_owned(),
            Mark::InCall => self.view.text().get("title-in-call"),
            Mark::Muted => self.view.text().get("title-muted"),
        };
        ctx.send_viewport_cmd(ViewportCommand::Title(title));
        ctx.send_viewport_cmd(ViewportCommand::Icon(Some(Arc::new(icon(mark)))));
    }

    fn wish(&self, command: Command) {
        if let (Command::Quit, Some(place)) = (&command, self.place) {
            self.host.wish(Command::Place(place));
        }
        self.host.wish(command);
    }

    fn note_place(&mut self, ctx: &Context) {
        let zoom = ctx.zoom_factor();
        ctx.input(|input| {
            let viewport = input.viewport();
            if let Some(inner) = viewport.inner_rect
                && !viewport.minimized.unwrap_or(false)
            {
                // The system's points, whatever the size of texts is.
                let corner = viewport.outer_rect.map(|outer| outer.min * zoom);
                let size = inner.size() * zoom;
                self.place = Some(Place {
                    x: corner.map(|corner| corner.x),
                    y: corner.map(|corner| corner.y),
                    width: size.x,
                    height: size.y,
                });
            }
        });
    }
}

impl eframe::App for App {
    fn raw_input_hook(&mut self, _: &Context, input: &mut RawInput) {
        input.events.extend(self.clipboard.take().map(Event::Paste));
    }

    /// Also while the window is minimised: closing must be asked about, and a key to talk let go.
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        let model = self.host.model();
        if let Some(command) = self.view.watch(ctx, &model) {
            self.wish(command);
        }
        let quits = ctx.input_mut(|input| input.consume_shortcut(&keys::QUIT));
        if (quits || ctx.input(|input| input.viewport().close_requested())) && !self.may_close {
            if self.view.handle_close(&model) {
                self.may_close = true;
                self.wish(Command::Quit);
            } else {
                // The question must be seen.
                ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
                ctx.request_repaint();
            }
            // The program ends first, so that everybody hears that this one leaves.
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
        }
        self.mark(ctx, &model);
        if self.host.is_over() {
            self.may_close = true;
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.host.drawing();
        let model = self.host.model();
        self.note_place(ui.ctx());
        let call = model.call.iter();
        let names = call.flat_map(|call| {
            let people = call.people.iter().map(|person| person.name.as_str());
            people.chain(call.knocks.iter().map(|knock| knock.name.as_str()))
        });
        let own = model.wanted.name.as_str();
        self.fonts.cover(ui.ctx(), names.chain([own]));
        for command in self.view.show(ui, &model, self.host.level()) {
            self.wish(command);
        }
        if model.call.as_ref().is_some_and(|call| call.ended.is_none()) {
            // The time that the call has lasted.
            ui.ctx().request_repaint_after(Duration::from_secs(1));
        }
    }

    fn clear_color(&self, _: &Visuals) -> [f32; 4] {
        self.view.ground().to_normalized_gamma_f32()
    }
}

/// An eye in a circle whose colour says what goes on.
fn icon(mark: Mark) -> IconData {
    const SIDE: u32 = 64;
    let ground = match mark {
        Mark::Idle => [0x2a, 0x6f, 0xdb],
        Mark::InCall => [0x14, 0x8a, 0x5a],
        Mark::Muted => [0xc6, 0x32, 0x3b],
    };
    let mut rgba = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for at in 0..SIDE * SIDE {
        let middle = SIDE as f32 / 2.0;
        let point = vec2(
            (at % SIDE) as f32 + 0.5 - middle,
            (at / SIDE) as f32 + 0.5 - middle,
        );
        let cover = |distance: f32| (0.5 - distance).clamp(0.0, 1.0);
        let disc = cover(point.length() - 31.0);
        // Two arcs that meet: points within both circles.
        let lid = (point - vec2(0.0, 15.0))
            .length()
            .max((point + vec2(0.0, 15.0)).length())
            - 26.0;
        let eye = cover(lid.abs() - 2.0).max(cover(point.length() - 6.0));
        let slash = cover(((point.x + point.y) / 2.0_f32.sqrt()).abs() - 2.5) * cover(point.length() - 24.0);
        let white = if mark == Mark::Muted { eye.max(slash) } else { eye };
        let channel = |value: u8| (f32::from(value) + (255.0 - f32::from(value)) * white) as u8;
        rgba.extend(ground.map(channel));
        rgba.push((disc * 255.0) as u8);
    }
    IconData {
        rgba,
        width: SIDE,
        height: SIDE,
    }
}
