//! The cryptography of TLS.
//!
//! Owns: the process's provider. Must not know: the clients that are built on it.
//!
//! 1. A provider that the program has installed itself stays.

use rustls::crypto::{CryptoProvider, ring};

/// Installs `ring` as the process's provider if there is none. Building an HTTP client without one
/// panics.
pub(crate) fn ensure_provider() {
    if CryptoProvider::get_default().is_none() {
        // It fails only if another thread has installed one in the meantime, which serves as well.
        ring::default_provider().install_default().ok();
    }
}
