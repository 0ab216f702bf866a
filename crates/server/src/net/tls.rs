//! TLS 1.2 and 1.3 by rustls with ring. The certificate is read again when its files change; connections that stand keep
//! what they have.

use crate::config::TlsFiles;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The certificate in use.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
    /// How the files looked when they were last read.
    seen: Mutex<Option<Stamp>>,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate cannot be used: {0}")]
pub struct CertificateError(String);

/// What changes with a file: time, length and number of both.
type Stamp = [(i64, i64, u64, u64); 2];

impl Certificate {
    /// Reads certificate and key.
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, CertificateError> {
        let seen = Mutex::new(stamp(&files));
        let current = RwLock::new(read(&files)?);
        Ok(Arc::new(Self { files, current, seen }))
    }

    /// How TLS is spoken with it.
    pub fn config(self: &Arc<Self>) -> Result<Arc<rustls::ServerConfig>, CertificateError> {
        let fault = |error: rustls::Error| CertificateError(error.to_string());
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(fault)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Looks at the files for ever, and reads them when they have changed.
    pub async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.reload_if_changed();
        }
    }

    /// Reads the files if they have changed. What cannot be used is told once and left; the certificate in use stays.
    pub fn reload_if_changed(&self) {
        let found = stamp(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_none() || *seen == found {
            return;
        }
        *seen = found;
        match read(&self.files) {
            Ok(new) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
                tracing::info!("the certificate was read again");
            }
            // A certificate is often written a moment before its key; the next change is looked at again.
            Err(error) => tracing::error!(%error, "the changed files of the certificate were left"),
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<CertifiedKey>, CertificateError> {
    let problem = |path: &Path, error: &dyn std::fmt::Display| CertificateError(format!("{}: {error}", path.display()));
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| problem(&files.cert, &error))?;
    if chain.is_empty() {
        return Err(problem(&files.cert, &"it holds no certificate in PEM form"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| problem(&files.key, &error))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map(Arc::new).map_err(|error| {
        let both = format!("{} and {}: {error}", files.cert.display(), files.key.display());
        CertificateError(both)
    })
}

fn stamp(files: &TlsFiles) -> Option<Stamp> {
    let of = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.mtime(), metadata.mtime_nsec(), metadata.len(), metadata.ino()))
    };
    Some([of(&files.cert)?, of(&files.key)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_pair(folder: &Path, name: &str) -> TlsFiles {
        let pair = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let files = TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
        std::fs::write(&files.cert, pair.cert.pem()).unwrap();
        std::fs::write(&files.key, pair.signing_key.serialize_pem()).unwrap();
        files
    }

    fn in_use(certificate: &Certificate) -> Vec<u8> {
        certificate.current.read().unwrap().end_entity_cert().unwrap().to_vec()
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_left() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::load(write_pair(folder.path(), "localhost")).unwrap();
        certificate.config().unwrap();
        let first = in_use(&certificate);
        certificate.reload_if_changed();
        assert_eq!(in_use(&certificate), first);

        let files = write_pair(folder.path(), "renewed.example");
        certificate.reload_if_changed();
        let second = in_use(&certificate);
        assert_ne!(second, first);

        std::fs::write(&files.cert, "half a file").unwrap();
        certificate.reload_if_changed();
        assert_eq!(in_use(&certificate), second);
        std::fs::remove_file(&files.key).unwrap();
        certificate.reload_if_changed();
        assert_eq!(in_use(&certificate), second);
    }

    #[test]
    fn a_certificate_that_cannot_be_used_names_its_file() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mine, theirs) = (write_pair(one.path(), "a.example"), write_pair(other.path(), "b.example"));
        let refusal = |cert: &Path, key: &Path| {
            let files = TlsFiles { cert: cert.to_owned(), key: key.to_owned() };
            Certificate::load(files).unwrap_err().to_string()
        };
        assert!(refusal(&mine.cert, &theirs.key).contains("key.pem"));
        assert!(refusal(&mine.key, &mine.key).contains("no certificate"));
        assert!(refusal(Path::new("/nowhere.pem"), &mine.key).contains("/nowhere.pem"));
    }
}
