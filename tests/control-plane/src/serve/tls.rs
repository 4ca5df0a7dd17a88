//! A certificate authority that lives as long as the process, and what a listener needs from it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::config::AuthInfo;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use tokio_rustls::TlsAcceptor;

use super::certificates::AnyClient;

/// What can go wrong while keys and certificates are made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A key or a certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// rustls refused what was made.
    #[error("the TLS server could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A certificate authority made at start, whose key never leaves the process.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    /// A new authority with a key of its own.
    pub(crate) fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "kommodore control plane");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's certificate in PEM, as in a kubeconfig's `certificate-authority-data` before base64.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The authority's certificate in DER, as in [`kube::Config::root_cert`].
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// A certificate for `localhost`, `127.0.0.1` and `::1`, and its key.
    fn server_certificate(&self, valid: bool) -> Result<(Certificate, KeyPair), TlsError> {
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        if !valid {
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
            params.not_after = rcgen::date_time_ymd(2000, 1, 2);
        }
        let key = KeyPair::generate()?;
        Ok((params.signed_by(&key, &self.issuer)?, key))
    }

    /// A certificate by which a user is known, and its key, as a kubeconfig has them; and the certificate as it is shown.
    pub(crate) fn client_auth(
        &self,
        name: &str,
    ) -> Result<(AuthInfo, CertificateDer<'static>), TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let auth_info = AuthInfo {
            client_certificate_data: Some(BASE64.encode(certificate.pem())),
            client_key_data: Some(BASE64.encode(key.serialize_pem()).into()),
            ..AuthInfo::default()
        };
        Ok((auth_info, certificate.der().clone()))
    }

    /// The same as [`Authority::server_config`] for another process: certificate and key, in PEM.
    pub(crate) fn server_pem(&self) -> Result<(String, String), TlsError> {
        let (certificate, key) = self.server_certificate(true)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// A TLS server for `localhost`, `127.0.0.1` and `::1` that offers HTTP/2 and HTTP/1.1, and takes the certificate of
    /// a client if there is one.
    pub(crate) fn server_tls(&self) -> Result<ServerTls, TlsError> {
        let mut expired = self.server_config(false)?;
        // Who resumes a session does not look at the certificate.
        expired.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(ServerTls {
            valid: Arc::new(self.server_config(true)?).into(),
            expired: Arc::new(expired).into(),
        })
    }

    fn server_config(&self, valid: bool) -> Result<ServerConfig, TlsError> {
        let (certificate, key) = self.server_certificate(valid)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(AnyClient::new(&provider)))
            .with_single_cert(
                vec![certificate.der().clone(), self.der.clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// How a server begins a connection: with a certificate that is valid, or with one of yesterday.
#[derive(Clone)]
pub(crate) struct ServerTls {
    pub(super) valid: TlsAcceptor,
    pub(super) expired: TlsAcceptor,
}

impl ServerTls {
    /// The same for a server that speaks HTTP/1.1 alone.
    pub(crate) fn without_http_2(self) -> Self {
        let alone = |acceptor: TlsAcceptor| -> TlsAcceptor {
            let mut config = ServerConfig::clone(acceptor.config());
            config.alpn_protocols.retain(|protocol| protocol != b"h2");
            Arc::new(config).into()
        };
        Self {
            valid: alone(self.valid),
            expired: alone(self.expired),
        }
    }
}
