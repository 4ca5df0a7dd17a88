//! The key that tokens of service accounts are signed with, and what is told of it to those who check them.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::error::Unspecified;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::AUDIENCE;
use crate::ids::Ids;

/// What comes before the key itself where it is written down as a public key of its kind (RFC 5280), which its name
/// follows from.
const HEAD_OF_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const HEAD_OF_ED25519: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Who issues tokens. The key is made when it is first needed.
#[derive(Default)]
pub(crate) struct Issuer(OnceLock<Option<Key>>);

enum Key {
    P256(EcdsaKeyPair, SystemRandom),
    /// Of a server with a seed: the key follows from it, and so does what it signs, which it never does with the other.
    Ed25519(Ed25519KeyPair),
}

/// There is no key.
#[derive(Debug)]
pub(crate) struct NoKey;

impl Issuer {
    /// A token that says what is claimed.
    pub(crate) fn sign(&self, ids: &Ids, claims: &Value) -> Result<String, NoKey> {
        let key = self.key(ids)?;
        let header = json!({"alg": key.algorithm(), "kid": key.name()});
        let said = [header, claims.clone()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let said = said.join(".");
        let signature = key.sign(said.as_bytes()).map_err(|Unspecified| NoKey)?;
        Ok(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The OpenID configuration: where the keys are told.
    pub(crate) fn configuration(&self, ids: &Ids, port: u16) -> Result<Value, NoKey> {
        Ok(json!({
            "issuer": AUDIENCE, "jwks_uri": format!("https://127.0.0.1:{port}/openid/v1/jwks"),
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.key(ids)?.algorithm()],
        }))
    }

    /// The keys by which tokens are checked.
    pub(crate) fn keys(&self, ids: &Ids) -> Result<Value, NoKey> {
        let key = self.key(ids)?;
        let mut told = json!({"use": "sig"});
        for (field, value) in key.describe() {
            told[field] = value.into();
        }
        Ok(json!({"keys": [told]}))
    }

    fn key(&self, ids: &Ids) -> Result<&Key, NoKey> {
        self.0.get_or_init(|| Key::new(ids)).as_ref().ok_or(NoKey)
    }
}

impl Key {
    fn new(ids: &Ids) -> Option<Self> {
        if let Some(seed) = ids.secret() {
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
            return Some(Self::Ed25519(pair));
        }
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let written = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, written.as_ref(), &random).ok()?;
        Some(Self::P256(pair, random))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(..) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::P256(pair, _) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    fn name(&self) -> String {
        let head: &[u8] = match self {
            Self::P256(..) => &HEAD_OF_P256,
            Self::Ed25519(_) => &HEAD_OF_ED25519,
        };
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &[head, self.public()].concat()))
    }

    fn sign(&self, said: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(match self {
            Self::P256(pair, random) => pair.sign(random, said)?.as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(said).as_ref().to_vec(),
        })
    }

    /// As a JSON Web Key (RFC 7517), in a real server's order.
    fn describe(&self) -> Vec<(&'static str, String)> {
        let (kind, curve) = match self {
            Self::P256(..) => ("EC", "P-256"),
            Self::Ed25519(_) => ("OKP", "Ed25519"),
        };
        let mut told = vec![
            ("kty", kind.to_owned()),
            ("kid", self.name()),
            ("crv", curve.to_owned()),
            ("alg", self.algorithm().to_owned()),
        ];
        match self {
            // The point is written as a byte that says that it is whole, and both of its coordinates.
            Self::P256(..) => {
                let coordinates = self.public().get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                told.push(("x", URL_SAFE_NO_PAD.encode(x)));
                told.push(("y", URL_SAFE_NO_PAD.encode(y)));
            }
            Self::Ed25519(_) => told.push(("x", URL_SAFE_NO_PAD.encode(self.public()))),
        }
        told
    }
}
