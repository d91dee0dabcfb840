//! A thread that decodes one track's pictures, and what can be done when it does not answer: it is given up. What a picture
//! costs is measured there, in the thread's own time: that the machine is busy with something else is nobody's fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::DecodeError;
use super::confined::confine_this_thread;
use super::dav1d::{Decoded, Failed, Session};
use crate::picture::{MAX_PIXELS, Picture, Size};

/// 100 ms: how often whoever waits for a picture looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// 10 s of such polls, counted in polls so that a suspended program counts as one: decoding a picture takes a few
/// milliseconds, and a decoder that has not answered by then never will.
const PATIENCE: u32 = 100;

/// Threads that may be given up, in the whole program: each may keep some megabytes.
const MAX_LOST: usize = 8;

static LOST: AtomicUsize = AtomicUsize::new(0);

struct Job {
    unit: Vec<u8>,
    size: Size,
    captured: Instant,
}

type Picked = Result<Option<Picture>, DecodeError>;

/// What came of a job, and the time that the thread itself spent on it.
type Answer = (Picked, Duration);

/// The thread. Dropping it ends it; one that was given up ends by itself, if ever.
pub struct Worker {
    jobs: Option<SyncSender<Job>>,
    answers: Receiver<Answer>,
    is_given_up: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub fn start() -> Result<Self, DecodeError> {
        if LOST.load(Ordering::Relaxed) >= MAX_LOST {
            return Err(DecodeError::Setup);
        }
        let session = Session::open(MAX_PIXELS).map_err(|Failed| DecodeError::Setup)?;
        Self::run(move |jobs, answers| decode_all(session, jobs, answers))
    }

    fn run(
        decode_all: impl FnOnce(&Receiver<Job>, &SyncSender<Answer>) + Send + 'static,
    ) -> Result<Self, DecodeError> {
        let (jobs, source) = sync_channel(1);
        let (sink, answers) = sync_channel(1);
        let is_given_up = Arc::new(AtomicBool::new(false));
        let was_given_up = Arc::clone(&is_given_up);
        let thread = std::thread::Builder::new()
            .name("av1".into())
            .spawn(move || {
                decode_all(&source, &sink);
                if was_given_up.load(Ordering::Relaxed) {
                    // It was only slow.
                    LOST.fetch_sub(1, Ordering::Relaxed);
                }
            })
            .map_err(|_| DecodeError::Setup)?;
        Ok(Self {
            jobs: Some(jobs),
            answers,
            is_given_up,
            thread: Some(thread),
        })
    }

    /// Decodes a temporal unit of a picture of `size`, unless that is `stopped`. After [`DecodeError::Lost`] the worker is
    /// of no use.
    pub fn decode(&mut self, unit: Vec<u8>, size: Size, captured: Instant, stopped: &AtomicBool) -> Answer {
        let job = Job { unit, size, captured };
        let is_taken = self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok());
        if is_taken {
            for _ in 0..PATIENCE {
                match self.answers.recv_timeout(LOOK) {
                    Ok((Err(DecodeError::Lost), _)) | Err(RecvTimeoutError::Disconnected) => break,
                    Ok(answer) => return answer,
                    Err(RecvTimeoutError::Timeout) if stopped.load(Ordering::Relaxed) => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
        }
        self.give_up();
        (Err(DecodeError::Lost), Duration::ZERO)
    }

    /// Joining it could take for ever.
    fn give_up(&mut self) {
        if self.thread.take().is_some() {
            self.is_given_up.store(true, Ordering::Relaxed);
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        // It waits for work, and ends; but for the library, which is still to be closed.
        match self.answers.recv_timeout(10 * LOOK) {
            Err(RecvTimeoutError::Disconnected) => {
                if let Some(thread) = self.thread.take() {
                    // A panic was printed when it happened.
                    let _panicked = thread.join();
                }
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => self.give_up(),
        }
    }
}

fn decode_all(mut session: Session, jobs: &Receiver<Job>, answers: &SyncSender<Answer>) {
    let last = answers.clone();
    confine_this_thread(move || {
        // Whoever waited may have given this thread up.
        let _given_up = last.try_send((Err(DecodeError::Lost), Duration::ZERO));
    });
    while let Ok(job) = jobs.recv() {
        let began = own_time();
        let picked = decode(&mut session, &job);
        let took = own_time().saturating_sub(began);
        if picked.is_err() {
            // A session that still holds data of a broken unit takes no other.
            match Session::open(MAX_PIXELS) {
                Ok(fresh) => session = fresh,
                Err(Failed) => return,
            }
        }
        if answers.send((picked, took)).is_err() {
            return;
        }
    }
}

/// How long this thread has computed so far (`CLOCK_THREAD_CPUTIME_ID`, clock_gettime(2)).
#[cfg(unix)]
fn own_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

/// Elsewhere the clock on the wall has to do.
#[cfg(not(unix))]
#[allow(clippy::disallowed_methods, reason = "a stopwatch")]
fn own_time() -> Duration {
    use std::sync::LazyLock;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// One unit in, at most one picture out: the unit was read before.
fn decode(session: &mut Session, job: &Job) -> Picked {
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
    Picture::new(size, data, job.captured).ok_or(DecodeError::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 64,
        height: 48,
    };

    /// A worker whose thread does something else than to decode.
    fn worker(decode_all: impl FnOnce(&Receiver<Job>, &SyncSender<Answer>) + Send + 'static) -> Worker {
        Worker::run(decode_all).expect("a thread")
    }

    fn decode(worker: &mut Worker, is_stopped: bool) -> Picked {
        let stopped = AtomicBool::new(is_stopped);
        worker.decode(vec![1], SIZE, Instant::now(), &stopped).0
    }

    /// The counter is the whole program's: one test at a time.
    #[test]
    fn who_does_not_answer_is_given_up_and_counts_until_it_ends_by_itself() {
        let before = LOST.load(Ordering::Relaxed);
        let (let_go, held) = sync_channel::<()>(1);
        let mut stuck = worker(move |jobs, _| {
            let _job = jobs.recv();
            let _go = held.recv();
        });
        assert_eq!(decode(&mut stuck, true), Err(DecodeError::Lost));
        assert_eq!(LOST.load(Ordering::Relaxed), before + 1);
        assert_eq!(
            decode(&mut stuck, true),
            Err(DecodeError::Lost),
            "it is of no use"
        );
        // Dropping it waits for nobody.
        drop(stuck);
        assert_eq!(LOST.load(Ordering::Relaxed), before + 1, "counted once");
        let_go.send(()).expect("it waits");
        while LOST.load(Ordering::Relaxed) != before {
            std::thread::yield_now();
        }

        // One that reports a panic, and is held there.
        let (let_go, held) = sync_channel::<()>(1);
        let mut broken = worker(move |jobs, answers| {
            let _job = jobs.recv();
            answers
                .send((Err(DecodeError::Lost), Duration::ZERO))
                .expect("somebody waits");
            let _go = held.recv();
        });
        assert_eq!(decode(&mut broken, false), Err(DecodeError::Lost));
        drop(broken);
        assert_eq!(LOST.load(Ordering::Relaxed), before + 1);
        drop(let_go);
        while LOST.load(Ordering::Relaxed) != before {
            std::thread::yield_now();
        }

        // One that answers is joined.
        let mut good = worker(|jobs, answers| {
            while jobs.recv().is_ok() {
                answers
                    .send((Ok(None), Duration::from_millis(7)))
                    .expect("somebody waits");
            }
        });
        let stopped = AtomicBool::new(false);
        let answer = good.decode(vec![1], SIZE, Instant::now(), &stopped);
        assert_eq!(answer, (Ok(None), Duration::from_millis(7)));
        drop(good);
        assert_eq!(LOST.load(Ordering::Relaxed), before);
    }
}
