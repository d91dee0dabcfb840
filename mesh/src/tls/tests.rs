//! Two ends of TLS in memory.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::sign::SigningKey;
use rustls::{ClientConnection, Connection, HandshakeKind, ProtocolVersion, ServerConnection};

use super::*;

fn identity(seed: u8) -> Keypair {
    Keypair::ed25519_from_bytes([seed; 32]).expect("a key")
}

fn tls(seed: u8) -> Tls {
    Tls::new(&identity(seed)).expect("it can be set up")
}

fn certificate_of(seed: u8) -> (CertificateDer<'static>, Arc<dyn SigningKey>) {
    let (certificate, key) = certificate::make(&identity(seed)).expect("a certificate");
    (certificate, aws_lc_rs::sign::any_ecdsa_type(&key).expect("a key"))
}

fn resolver(certificate: CertificateDer<'static>, key: Arc<dyn SigningKey>) -> Arc<Ours> {
    Arc::new(Ours(Arc::new(CertifiedKey::new(vec![certificate], key))))
}

/// A client that differs from ours in its one key exchange.
fn client_with(group: &'static dyn SupportedKxGroup) -> ClientConfig {
    let provider = CryptoProvider {
        kx_groups: vec![group],
        ..provider()
    };
    let (certificate, key) = certificate_of(1);
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("version 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier))
        .with_client_cert_resolver(resolver(certificate, key))
}

/// Runs a handshake, and hands on what is sent after it.
fn shake_hands(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> Result<[Connection; 2], rustls::Error> {
    let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let mut client = Connection::Client(ClientConnection::new(Arc::clone(client), name)?);
    let mut server = Connection::Server(ServerConnection::new(Arc::clone(server))?);
    while client.wants_write() || server.wants_write() {
        pass_on(&mut client, &mut server)?;
        pass_on(&mut server, &mut client)?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok([client, server])
}

fn pass_on(from: &mut Connection, to: &mut Connection) -> Result<(), rustls::Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("memory");
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        to.read_tls(&mut rest).expect("memory");
        to.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn both_ends_learn_from_the_certificate_who_the_other_is() {
    let ends = shake_hands(&tls(1).client, &tls(2).server).expect("a handshake");
    for (end, other) in ends.iter().zip([2, 1]) {
        let chain = end.peer_certificates().expect("a certificate");
        let seen = parse(&chain[0]).expect("a valid one").peer_id();
        assert_eq!(seen, identity(other).public().to_peer_id());
    }
}

#[test]
fn only_the_hybrid_key_exchange_is_accepted() {
    for (group, is_accepted) in [
        (kx_group::X25519MLKEM768, true),
        (kx_group::X25519, false),
        (kx_group::SECP256R1, false),
        (kx_group::MLKEM768, false),
    ] {
        let agreed = shake_hands(&Arc::new(client_with(group)), &tls(2).server);
        assert_eq!(agreed.is_ok(), is_accepted, "{group:?}");
    }
}

#[test]
fn the_first_flight_offers_version_1_3_and_the_hybrid_key_exchange_alone_and_names_nobody() {
    let name = ServerName::try_from("example.org").expect("a name");
    let mut client = ClientConnection::new(tls(1).client, name).expect("a client");
    let mut hello = Vec::new();
    client.write_tls(&mut hello).expect("memory");
    let extensions = extensions(&hello);
    // Numbers from IANA's registry of TLS extensions: server name, groups, protocol, versions, tickets' three.
    for (number, expected) in [
        (0, None),
        (10, Some(&[0, 2, 0x11, 0xec][..])),
        (16, Some(b"\0\x03\x02h3".as_slice())),
        (43, Some(&[2, 3, 4][..])),
        (35, None),
        (41, None),
        (42, None),
    ] {
        let found = extensions.get(&number).map(Vec::as_slice);
        assert_eq!(found, expected, "extension {number}");
    }
    // The same with TLS 1.2 instead.
    let versions: [u8; 7] = [0, 43, 0, 3, 2, 3, 4];
    let at = hello
        .windows(7)
        .position(|part| part == versions)
        .expect("versions");
    hello[at + 6] = 3;
    let mut server = ServerConnection::new(tls(2).server).expect("a server");
    server.read_tls(&mut &hello[..]).expect("memory");
    assert!(server.process_new_packets().is_err());
    let ends = shake_hands(&tls(1).client, &tls(2).server).expect("a handshake");
    assert!(
        ends.iter()
            .all(|end| end.protocol_version() == Some(ProtocolVersion::TLSv1_3))
    );
}

/// What a first flight says, by the extension's number (RFC 8446, section 4.1.2).
fn extensions(hello: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    // The record's header (5), the message's (4), version (2), random (32); then session, suites, compression.
    let mut rest = &hello[43..];
    for prefix in [1, 2, 1] {
        rest = vector(rest, prefix).1;
    }
    let mut list = vector(rest, 2).0;
    let mut found = BTreeMap::new();
    while !list.is_empty() {
        let (body, after) = vector(&list[2..], 2);
        found.insert(u16::from_be_bytes([list[0], list[1]]), body.to_vec());
        list = after;
    }
    found
}

/// What stands behind a length of `prefix` bytes, and what follows it.
fn vector(bytes: &[u8], prefix: usize) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_at(prefix);
    let length = length
        .iter()
        .fold(0, |length, byte| length * 256 + usize::from(*byte));
    rest.split_at(length)
}

#[test]
fn no_connection_goes_on_from_an_earlier_one_whatever_the_other_side_would_do() {
    let (ours, theirs) = (tls(1), tls(2));
    let client = || {
        let mut client = ClientConfig::clone(&theirs.client);
        client.resumption = Resumption::in_memory_sessions(8);
        Arc::new(client)
    };
    let mut server = ServerConfig::clone(&theirs.server);
    server.send_tls13_tickets = 2;
    let server = Arc::new(server);
    for (client, server, expected) in [
        // That this works at all between others says that the rest means something.
        (&client(), &server, HandshakeKind::Resumed),
        (&client(), &ours.server, HandshakeKind::Full),
        (&ours.client, &server, HandshakeKind::Full),
    ] {
        shake_hands(client, server).expect("a handshake");
        let second = shake_hands(client, server).expect("a handshake");
        assert!(second.iter().all(|end| end.handshake_kind() == Some(expected)));
    }
    assert!(!ours.client.enable_early_data);
    assert_eq!(ours.server.max_early_data_size, 0);
}

#[test]
fn no_secret_is_handed_to_a_log() {
    let tls = tls(1);
    for log in [&tls.client.key_log, &tls.server.key_log] {
        assert!(!log.will_log("CLIENT_TRAFFIC_SECRET_0"));
    }
}

#[test]
fn one_certificate_whose_identity_vouches_for_its_key_is_accepted_and_no_other() {
    let (genuine, key) = certificate_of(1);
    let key_of = |seed: u8| {
        let key = identity(seed).public().try_into_ed25519();
        key.expect("ed25519").to_bytes()
    };
    let signed_anew = signed_with_another(&genuine, &*key, &key_of(1), &key_of(1));
    // The extension (object identifier 1.3.6.1.4.1.53594.1.1, critical) claims another identity, or is another one.
    let claims_another = signed_with_another(&genuine, &*key, &key_of(1), &key_of(2));
    let claims_nobody = signed_with_another(
        &genuine,
        &*key,
        &[0x83, 0xa2, 0x5a, 1, 1, 1, 1, 0xff],
        &[0x83, 0xa2, 0x5a, 1, 2, 1, 1, 0],
    );
    let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let now = UnixTime::since_unix_epoch(Duration::ZERO);
    for (what, first, more, is_accepted) in [
        ("genuine", &genuine, &[][..], true),
        ("signed anew", &signed_anew, &[][..], true),
        ("another identity", &claims_another, &[][..], false),
        ("no identity", &claims_nobody, &[][..], false),
        ("two", &genuine, &[genuine.clone()][..], false),
    ] {
        let of_server = Verifier.verify_server_cert(first, more, &name, &[], now);
        let of_client = Verifier.verify_client_cert(first, more, now);
        assert_eq!(of_server.is_ok(), is_accepted, "{what}");
        assert_eq!(of_client.is_ok(), is_accepted, "{what}");
    }
}

#[test]
fn a_certificate_is_of_no_use_without_its_key_and_nobody_comes_without_one() {
    let (ours, theirs) = (tls(1), tls(2));
    let (copied, _) = certificate_of(2);
    let (_, key) = certificate_of(3);
    let mut client = ClientConfig::clone(&theirs.client);
    client.client_auth_cert_resolver = resolver(copied.clone(), Arc::clone(&key));
    assert!(shake_hands(&Arc::new(client.clone()), &ours.server).is_err());
    client.client_auth_cert_resolver = Arc::new(Nobody);
    assert!(shake_hands(&Arc::new(client), &ours.server).is_err());
    let mut server = ServerConfig::clone(&theirs.server);
    server.cert_resolver = resolver(copied, key);
    assert!(shake_hands(&ours.client, &Arc::new(server)).is_err());
}

/// Has no certificate to show.
#[derive(Debug)]
struct Nobody;

impl rustls::client::ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// A certificate that says `to` where it said `from`, as long as that, and signed anew with its own key.
fn signed_with_another(
    certificate: &CertificateDer<'_>,
    key: &dyn SigningKey,
    from: &[u8],
    to: &[u8],
) -> CertificateDer<'static> {
    // A sequence of contents, algorithm and signature (RFC 5280, section 4.1).
    let (header, _) = measure(certificate);
    let body = &certificate[header..];
    let (contents, rest) = body.split_at(measure(body).1);
    let (algorithm, _) = rest.split_at(measure(rest).1);
    let mut contents = contents.to_vec();
    let at = contents.windows(from.len()).position(|part| part == from);
    let at = at.expect("it says that");
    contents[at..at + from.len()].copy_from_slice(to);
    let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]);
    let signature = signer.expect("its scheme").sign(&contents).expect("signed");
    // A string of bits begins with how many of them do not count.
    let signature = element(3, &[&[0_u8][..], &signature].concat());
    element(0x30, &[&contents[..], algorithm, &signature].concat()).into()
}

/// How long the header of the first element of DER is, and all of it (X.690, section 8.1).
fn measure(bytes: &[u8]) -> (usize, usize) {
    let (header, contents) = match bytes[1] {
        0x81 => (3, usize::from(bytes[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
        short => (2, usize::from(short)),
    };
    (header, header + contents)
}

/// An element of DER.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).expect("a short one");
    let [high, low] = length.to_be_bytes();
    let header = match length {
        0..=127 => vec![tag, low],
        128..=255 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&header[..], contents].concat()
}
