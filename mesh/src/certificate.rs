//! Certificates, as libp2p's TLS specification has them: self-signed, with the identity in an extension. One that
//! libp2p-tls makes is good from 1975 to 4096 only, and whoever receives it asks their own clock: with one that stands in
//! 1970, as it does where its battery is empty, nobody could be met.

use libp2p::identity::Keypair;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The extension's object identifier, and what stands before the key that it signs (libp2p TLS specification).
const EXTENSION: [u64; 9] = [1, 3, 6, 1, 4, 1, 53594, 1, 1];
const SIGNED_PREFIX: &[u8] = b"libp2p-tls-handshake:";

/// DER's tags of an octet string and of a sequence (ITU-T X.690, section 8).
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    Make(#[from] rcgen::Error),
    #[error("the identity cannot sign")]
    Identity,
}

/// Makes a certificate for an identity, and the key that it is used with. It is good for all time that it can name.
pub fn make(
    identity: &Keypair,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), CertificateError> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let content = extension(identity, &key).ok_or(CertificateError::Identity)?;
    let mut extension = CustomExtension::from_oid_content(&EXTENSION, content);
    extension.set_criticality(true);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = date_time_ymd(1970, 1, 1);
    // RFC 5280, section 4.1.2.5: no date is later.
    params.not_after = date_time_ymd(9999, 12, 31);
    params.custom_extensions.push(extension);
    let certificate = params.self_signed(&key)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((certificate.into(), key.into()))
}

/// The identity's public key, and its signature over the certificate's.
fn extension(identity: &Keypair, key: &KeyPair) -> Option<Vec<u8>> {
    let signed = [SIGNED_PREFIX, &key.public_key_der()[..]].concat();
    let signature = identity.sign(&signed).ok()?;
    let parts = [
        der(OCTETS, &identity.public().encode_protobuf())?,
        der(OCTETS, &signature)?,
    ];
    der(SEQUENCE, &parts.concat())
}

/// Tag, length, content. What is shorter than 128 bytes, as all of an Ed25519 identity's is, has its length in one byte.
fn der(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let len = u8::try_from(content.len()).ok().filter(|len| *len < 128)?;
    Some([&[tag, len][..], content].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_its_owner_and_is_good_whatever_a_clock_says() {
        let identity = Keypair::ed25519_from_bytes([7; 32]).expect("a key");
        let (certificate, _) = make(&identity).expect("made");
        let read = libp2p_tls::certificate::parse(&certificate).expect("by the specification");
        assert_eq!(read.peer_id(), identity.public().to_peer_id());
        let bytes: &[u8] = certificate.as_ref();
        for date in [&b"700101000000Z"[..], b"99991231000000Z"] {
            let mut parts = bytes.windows(date.len());
            assert!(parts.any(|part| part == date), "{date:?}");
        }
    }
}
