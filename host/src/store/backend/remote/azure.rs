//! Opening containers of Azure Blob Storage from their settings.
//!
//! Owns: the needs of the service before its first request. Must not know: the stored objects.

use std::sync::Arc;

use object_store::ClientConfigKey;
use object_store::azure::{AzureConfigKey as Azure, MicrosoftAzureBuilder};
use object_store::list::PaginatedListStore;

use crate::store::backend::client::{WatchedConnector, client_options};
use crate::store::backend::remote::{RemoteStore, built, check_token};
use crate::store::config::environment::variable;
use crate::store::config::open_error::OpenError;
use crate::store::config::opening::Opening;
use crate::store::config::settings::azure::{asks_machine, check, reads_token};
use crate::store::config::settings::{Form, Settings};
use crate::store::encryption::Asked;
use crate::store::reply::Protocol;

/// Opens a container of Azure Blob Storage.
pub(crate) fn open(
    scheme: &str,
    authority: &str,
    opening: &Opening<'_>,
) -> Result<RemoteStore, OpenError> {
    let environment = opening.environment;
    let mut settings = Settings::<Azure>::collect(opening, Some("AZURE_"))?;
    settings.add_variable(environment, "IDENTITY_ENDPOINT", Azure::MsiEndpoint)?;
    settings.prefer_options();
    let names_account = authority.contains('@');
    check(&settings, names_account)?;
    let is_emulator = settings.is_true(Azure::UseEmulator);
    if !is_emulator && !names_account && !settings.has(Azure::AccountName) {
        return Err(OpenError::MissingSetting {
            root: settings.root,
            needed: "the storage account is not named; set AZURE_STORAGE_ACCOUNT_NAME, or the \
                     store option azure_storage_account_name=NAME",
        });
    }
    settings.refuse_plain_http(
        settings.get(Azure::Endpoint),
        Azure::Client(ClientConfigKey::AllowHttp),
    )?;
    let alone = [
        Azure::AccessKey,
        Azure::SasKey,
        Azure::Token,
        Azure::ClientSecret,
        Azure::FederatedTokenFile,
        Azure::FabricTokenServiceUrl,
        Azure::MsiEndpoint,
        Azure::CredentialType,
    ];
    let found = is_emulator
        || settings.is_true(Azure::SkipSignature)
        || settings.is_true(Azure::UseAzureCli)
        || alone.iter().any(|key| settings.has(*key));
    settings.need_credentials(
        found,
        "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
        "azure_skip_signature=true",
    )?;
    if is_emulator {
        settings.check_variable(environment, "AZURITE_BLOB_STORAGE_URL", Form::Endpoint)?;
    }
    if reads_token(&settings) {
        check_token(&mut settings, Azure::FederatedTokenFile)?;
    }
    if asks_machine(&settings) {
        settings.hide(variable(environment, "IDENTITY_HEADER").map(str::to_owned));
        settings.check_variable(environment, "IDENTITY_HEADER", Form::Word)?;
    }
    let store = built(&settings, || {
        let mut builder = MicrosoftAzureBuilder::new()
            .with_client_options(client_options())
            .with_http_connector(WatchedConnector::to(Protocol::Azure))
            .with_retry(settings.retry.clone());
        for setting in &settings.values {
            builder = builder.with_config(setting.key, &setting.value);
        }
        match names_account {
            true => builder.with_url(format!("{scheme}://{authority}")).build(),
            false => builder.with_container_name(authority).build(),
        }
    })?;
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    let has_key = settings.has(Azure::EncryptionKey);
    Ok(RemoteStore {
        kind: Protocol::Azure.store_kind(),
        pages: Some(pages),
        store,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: has_key.then(|| Asked("customer key".to_owned())),
    })
}
