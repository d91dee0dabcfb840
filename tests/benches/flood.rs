//! Strangers flood a participant's open port during a call: 100,000 packets a second of unrelated datagrams,
//! replayed first packets, forged tags and QUIC-like garbage. Prints what that costs beside the same call without
//! the flood. Nothing here passes or fails. Linux, as it uses many loopback addresses.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use sightline::event::Event;
use sightline_mesh_proto::{Candidate, Code};
use sightline_tests::bench;
use sightline_tests::pick;
use sightline_tests::program::Program;

/// Packets a second.
const RATE: u64 = 100_000;

/// Each run.
const SPAN: Duration = Duration::from_secs(15);

/// Addresses that the flood comes from.
const SOURCES: u8 = 64;

/// What one run cost the flooded participant.
struct Cost {
    cores: f64,
    grown: f64,
    concealed: u64,
    worst_second: u64,
    fps: f64,
}

fn main() {
    if !bench::is_wanted("flood") {
        return;
    }
    let media = ["--microphone", "test", "--camera", "test"];
    let mut ann = Program::start_call("Ann", &media);
    let target = ann.wait_for("an address", pick!(Event::Listening { local } => local[0]));
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &media);
    bob.wait_for_both("first_audio", "first_video");
    ann.wait_for_both("first_audio", "first_video");
    // As many codes out as there can be: each is one more that a forged tag has to be checked against.
    for _ in 0..14 {
        ann.another_code();
    }
    let first_packet = first_packet(&ann.another_code());
    // Ann has seen it once: what follows are copies.
    let joiner = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    joiner.send_to(&first_packet, target).expect("sent");

    let quiet = run(&mut ann);
    let stop = Arc::new(AtomicBool::new(false));
    let flooder = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || flood(target, &first_packet, &stop))
    };
    let flooded = run(&mut ann);
    stop.store(true, Ordering::Relaxed);
    let (sent, replies) = flooder.join().expect("it floods");
    let ledger = ann.ledger();
    let counts = ledger.rows.iter().map(|row| row.counts);
    let refused: u64 = counts
        .chain([ledger.earlier.counts])
        .map(|counts| counts.refused_packets)
        .sum();

    println!(
        "\nStrangers' flood, call of 2 with sound and 360p30, loopback, {} s each",
        SPAN.as_secs()
    );
    println!("  {:<44} {:>10} {:>10}", "", "without", "with");
    let line = |what: &str, pick: &dyn Fn(&Cost) -> String| {
        println!("  {what:<44} {:>10} {:>10}", pick(&quiet), pick(&flooded));
    };
    line("cores of the flooded participant", &|cost| {
        format!("{:.2}", cost.cores)
    });
    line("its memory's growth, MB", &|cost| format!("{:.1}", cost.grown));
    line("sound concealed, ms", &|cost| (cost.concealed * 20).to_string());
    line("  in the worst second, ms", &|cost| {
        (cost.worst_second * 20).to_string()
    });
    line("pictures a second", &|cost| format!("{:.1}", cost.fps));
    let a_second = sent / SPAN.as_secs();
    println!(
        "  sent to it {sent} ({a_second} a second), of them refused at the socket {refused}, replies {replies}"
    );
    bob.leave();
    ann.leave();
}

/// What a participant says of itself for a while.
fn run(program: &mut Program) -> Cost {
    program.wait("stats");
    let before = program.usage().expect("a process");
    let began = Instant::now();
    let (mut concealed, mut worst_second, mut pictures, mut seconds) = (0, 0, 0.0, 0.0);
    while began.elapsed() < SPAN {
        let stats = program.stats();
        let now = stats.audio.concealed;
        concealed += now;
        worst_second = worst_second.max(now);
        pictures += f64::from(stats.video.fps);
        seconds += 1.0;
    }
    let after = program.usage().expect("a process");
    Cost {
        cores: (after.0 - before.0) / began.elapsed().as_secs_f64(),
        grown: (after.1 as f64 - before.1 as f64) / 1e6,
        concealed,
        worst_second,
        fps: pictures / seconds,
    }
}

/// The first packet of somebody who joins with `code`, caught before it gets there.
fn first_packet(code: &str) -> Vec<u8> {
    let trap = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let mut code = Code::parse(code).expect("a code");
    code.candidates = vec![Candidate::local(trap.local_addr().expect("bound"))];
    let joiner = Program::join_call("Eve", &code.to_string(), &[]);
    let mut packet = vec![0; 2048];
    let (len, _) = trap.recv_from(&mut packet).expect("a packet");
    drop(joiner);
    packet.truncate(len);
    packet
}

/// Sends at `RATE` from many addresses until told to stop. Returns how many were sent, and how many replies came.
fn flood(target: SocketAddr, first_packet: &[u8], stop: &AtomicBool) -> (u64, u64) {
    let mut rng = StdRng::seed_from_u64(1);
    let sockets: Vec<_> = (0..SOURCES)
        .map(|n| {
            let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 1, n + 1], 0))).expect("a socket");
            socket.set_nonblocking(true).expect("set");
            socket
        })
        .collect();
    let mut forged = first_packet.to_vec();
    let mut garbage = vec![0; 1200];
    rng.fill_bytes(&mut garbage);
    let began = Instant::now();
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * RATE as f64) as u64;
        while sent < due {
            let socket = &sockets[sent as usize % sockets.len()];
            let packet = match sent % 4 {
                0 => &garbage[..200],
                1 => first_packet,
                2 => {
                    // Another tag each time, and none of them good.
                    rng.fill_bytes(&mut forged[6..26]);
                    &forged
                }
                _ => {
                    let len = rng.random_range(1..1200);
                    garbage[0] = if rng.random() { 0xc0 } else { 0x40 };
                    &garbage[..len]
                }
            };
            // A full buffer loses packets, as a network would.
            sent += u64::from(socket.send_to(packet, target).is_ok());
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    let replied = |socket: &UdpSocket| {
        std::iter::repeat_with(|| socket.recv_from(&mut [0; 2048]))
            .take_while(Result::is_ok)
            .count() as u64
    };
    (sent, sockets.iter().map(replied).sum())
}
