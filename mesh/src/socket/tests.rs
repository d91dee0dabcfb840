//! The gated socket on loopback, with a plain one at the other end.

use std::future::poll_fn;
use std::net::UdpSocket as Plain;

use sightline_mesh_proto::address::Pair;
use sightline_mesh_proto::gate::Change;
use sightline_mesh_proto::ledger::Counts;

use super::*;
use crate::fixture;

struct Setting {
    gate: SharedGate,
    socket: GatedSocket,
    there: Plain,
}

/// Must be made within the runtime.
fn setting() -> Setting {
    let gate = fixture::gate();
    let io = plain();
    io.set_nonblocking(true).expect("a socket");
    let io = UdpSocket::from_std(io).expect("a runtime");
    let socket = GatedSocket::new(io, gate.clone()).expect("a socket");
    fixture::listen(&gate, socket.local);
    Setting {
        socket,
        gate,
        there: plain(),
    }
}

/// Waits for what comes, but not forever.
fn plain() -> Plain {
    let socket = Plain::bind("127.0.0.1:0").expect("a free port");
    socket
        .set_read_timeout(Some(fixture::PATIENCE))
        .expect("a time-out");
    socket
}

impl Setting {
    fn pair(&self) -> Pair {
        (self.socket.local, self.there.local_addr().expect("bound"))
    }

    async fn writable(&self) {
        let io = self.socket.io().expect("it is open");
        io.writable().await.expect("a socket");
    }

    fn approve(&self) {
        self.gate.lock().handle_change(Change::Approve(self.pair()));
    }

    fn send(&self, contents: &[u8], segment_size: Option<usize>) -> io::Result<()> {
        self.socket.try_send(&Transmit {
            destination: self.pair().1,
            ecn: None,
            contents,
            segment_size,
            src_ip: None,
        })
    }

    fn counts(&self) -> Counts {
        let pair = self.pair();
        let gate = self.gate.lock();
        gate.ledger()
            .row(pair)
            .map_or(Counts::default(), |row| row.counts)
    }
}

#[tokio::test]
async fn what_the_gate_refuses_does_not_leave_and_each_datagram_of_it_is_counted() {
    let setting = setting();
    setting.writable().await;
    setting
        .send(b"refused!", Some(3))
        .expect("QUIC learns nothing of it");
    setting.approve();
    setting.send(b"let out", None).expect("sent");
    let mut buffer = [0; 100];
    let (len, _) = setting.there.recv_from(&mut buffer).expect("a datagram");
    assert_eq!(&buffer[..len], b"let out", "what came first");
    let expected = Counts {
        refused_packets: 3,
        refused_bytes: 8,
        sent_packets: 1,
        sent_bytes: 7,
        ..Counts::default()
    };
    assert_eq!(setting.counts(), expected);
}

#[tokio::test]
async fn what_the_system_does_not_take_is_counted_as_refused() {
    let setting = setting();
    setting.writable().await;
    setting.approve();
    // Longer than a datagram can be.
    setting
        .send(&[0; 70_000], None)
        .expect("QUIC learns nothing of it");
    let expected = Counts {
        refused_packets: 1,
        refused_bytes: 70_000,
        ..Counts::default()
    };
    assert_eq!(setting.counts(), expected);
}

#[tokio::test]
async fn a_closed_socket_gives_its_port_back_at_once_and_lets_nothing_pass() {
    let setting = setting();
    setting.approve();
    setting.writable().await;
    let local = setting.socket.local;
    assert!(Plain::bind(local).is_err(), "it has the port");
    setting.socket.close();
    let _anew = Plain::bind(local).expect("the port is free");
    setting.send(b"late", None).expect("QUIC learns nothing of it");
    let expected = Counts {
        refused_packets: 1,
        refused_bytes: 4,
        ..Counts::default()
    };
    assert_eq!(setting.counts(), expected);
}

#[tokio::test]
async fn what_has_to_wait_for_the_system_is_counted_once_when_it_leaves() {
    let setting = setting();
    setting.approve();
    // The runtime does not know yet that the socket can be written to.
    let waits = setting.send(b"hello", None);
    assert_eq!(
        waits.map_err(|error| error.kind()),
        Err(io::ErrorKind::WouldBlock)
    );
    assert_eq!(setting.counts(), Counts::default());
    setting.writable().await;
    setting.send(b"hello", None).expect("sent");
    let expected = Counts {
        sent_packets: 1,
        sent_bytes: 5,
        ..Counts::default()
    };
    assert_eq!(setting.counts(), expected);
}

#[tokio::test]
async fn of_datagrams_that_come_together_only_those_that_may_pass_are_handed_on() {
    let setting = setting();
    let mut first_packet = vec![0; 1200];
    first_packet[0] = 0xc0;
    first_packet[4] = 1;
    first_packet[5] = 20;
    first_packet[6..26].copy_from_slice(&fixture::tag(1));
    // The tag opens the gate for what follows it, and not for what came before it.
    let (before, after) = (vec![1; 1200], vec![2; 700]);
    let mut buffer = [&before[..], &first_packet, &after].concat();
    let meta = RecvMeta {
        addr: setting.pair().1,
        len: buffer.len(),
        stride: 1200,
        ..RecvMeta::default()
    };
    let kept = setting.socket.filter(&mut buffer, &meta, Instant::now());
    assert_eq!(buffer[..kept], [first_packet, after].concat());
    let expected = Counts {
        recv_packets: 2,
        recv_bytes: 1900,
        refused_packets: 1,
        refused_bytes: 1200,
        ..Counts::default()
    };
    assert_eq!(setting.counts(), expected);
}

#[tokio::test]
async fn what_a_stranger_sends_is_not_even_handed_on_as_nothing() {
    let setting = setting();
    setting.approve();
    let stranger = plain();
    stranger
        .send_to(b"a stranger", setting.socket.local)
        .expect("sent");
    setting
        .there
        .send_to(b"a member", setting.socket.local)
        .expect("sent");
    let (mut buffer, mut metas) = (vec![0; 4096], [RecvMeta::default()]);
    let receive = poll_fn(|cx| {
        let bufs = &mut [IoSliceMut::new(&mut buffer)];
        setting.socket.poll_recv(cx, bufs, &mut metas)
    });
    let count = fixture::within(receive).await.expect("received");
    assert_eq!((count, &buffer[..metas[0].len]), (1, &b"a member"[..]));
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_operating_system_says_is_told_apart() {
    const EPERM: i32 = 1;
    const EACCES: i32 = 13;
    const EINVAL: i32 = 22;
    const EMSGSIZE: i32 = 90;
    const ENETUNREACH: i32 = 101;
    const EHOSTUNREACH: i32 = 113;
    let told = [EPERM, EACCES, EMSGSIZE, ENETUNREACH, EHOSTUNREACH, EINVAL]
        .map(|code| obstacle(&io::Error::from_raw_os_error(code)));
    assert_eq!(
        told,
        [
            Obstacle::Forbidden,
            Obstacle::Forbidden,
            Obstacle::TooLarge,
            Obstacle::NoRoute,
            Obstacle::NoRoute,
            Obstacle::Other
        ]
    );
}
