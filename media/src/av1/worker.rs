//! A thread that decodes one sender's pictures, and what can be done when it does not answer: it is given up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::confined::confine_this_thread;
use super::decoder::DecodeError;
use super::session::{Decoded, Failed, Session};
use crate::picture::{MAX_PIXELS, Picture, Size};

/// 2 s: a picture takes a few milliseconds; who has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(2);

/// Threads that may be given up, in the whole program: each may keep some megabytes.
const MAX_LOST: usize = 8;

static LOST: AtomicUsize = AtomicUsize::new(0);

struct Job {
    unit: Vec<u8>,
    size: Size,
    captured: Instant,
}

type Answer = Result<Option<Picture>, DecodeError>;

/// The thread. Dropping it ends it; one that was given up ends by itself, if ever.
pub struct Worker {
    jobs: Option<SyncSender<Job>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub fn start() -> Result<Self, DecodeError> {
        if LOST.load(Ordering::Relaxed) >= MAX_LOST {
            return Err(DecodeError::Setup);
        }
        let session = Session::open(MAX_PIXELS)?;
        let (jobs, source) = sync_channel(1);
        let (sink, answers) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("av1".into())
            .spawn(move || decode_all(session, &source, &sink))
            .map_err(|_| DecodeError::Setup)?;
        Ok(Self {
            jobs: Some(jobs),
            answers,
            thread: Some(thread),
        })
    }

    /// Decodes a temporal unit of a picture of `size`. After [`DecodeError::Lost`] the worker is of no use.
    pub fn decode(&mut self, unit: Vec<u8>, size: Size, captured: Instant) -> Answer {
        let job = Job { unit, size, captured };
        let is_taken = self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok());
        let answer = match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) if is_taken => answer,
            Ok(_) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(DecodeError::Lost),
        };
        if answer == Err(DecodeError::Lost) {
            // Joining it could take for ever.
            self.thread = None;
            LOST.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It waits for work. A panic was printed when it happened.
            let _panicked = thread.join();
        }
    }
}

fn decode_all(mut session: Session, jobs: &Receiver<Job>, answers: &SyncSender<Answer>) {
    let last = answers.clone();
    confine_this_thread(move || {
        // Whoever waited may have given this thread up.
        let _given_up = last.try_send(Err(DecodeError::Lost));
    });
    while let Ok(job) = jobs.recv() {
        let answer = decode(&mut session, &job);
        if answer.is_err() {
            // A session that still holds data of a broken unit takes no other.
            match Session::open(MAX_PIXELS) {
                Ok(fresh) => session = fresh,
                Err(Failed) => return,
            }
        }
        if answers.send(answer).is_err() {
            return;
        }
    }
}

/// One unit in, at most one picture out: the unit was read before.
fn decode(session: &mut Session, job: &Job) -> Answer {
    let mut is_sent = session.send(&job.unit)?;
    let picture = session.next_picture(|decoded| copy(decoded, job))?.transpose()?;
    if !is_sent {
        is_sent = session.send_pending()?;
    }
    if is_sent {
        Ok(picture)
    } else {
        Err(DecodeError::Malformed)
    }
}

fn copy(decoded: &Decoded<'_>, job: &Job) -> Result<Picture, DecodeError> {
    let size = job.size;
    if !decoded.is_usual || decoded.size != (size.width, size.height) {
        return Err(DecodeError::Unsupported);
    }
    let mut data = Vec::with_capacity(size.area() + 2 * size.chroma().area());
    let sizes = [size, size.chroma(), size.chroma()];
    for ((plane, stride), size) in decoded.planes.iter().zip(sizes) {
        for row in plane.chunks(*stride).take(size.height as usize) {
            data.extend_from_slice(row.get(..size.width as usize).ok_or(DecodeError::Unsupported)?);
        }
    }
    let expected = size.area() + 2 * size.chroma().area();
    if data.len() == expected {
        Ok(Picture {
            size,
            data,
            captured: job.captured,
        })
    } else {
        Err(DecodeError::Unsupported)
    }
}
