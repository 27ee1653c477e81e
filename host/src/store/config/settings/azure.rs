//! The settings of Azure Blob Storage: options, credentials, and what has no effect.
//!
//! Owns: the dependencies between them. Must not know: how a store is built.

use object_store::ClientConfigKey;
use object_store::azure::AzureConfigKey as Azure;

use super::effect::{BETTER, Of, TAGS, UNSIGNED};
use super::option_names::{Known, ServiceKey, open, secret};
use super::values::Form;
use super::{OpenError, Settings};

impl ServiceKey for Azure {
    const OWN: &'static [Known] = &OPTIONS;
    const WAYS: &'static [&'static [Self]] = &CREDENTIALS;

    fn client(key: ClientConfigKey) -> Self {
        Self::Client(key)
    }
}

const OPTIONS: [Known; 25] = [
    secret("azure_storage_account_key", Form::Base64),
    open("azure_storage_account_name", Form::Name),
    open("azure_authority_host", Form::Endpoint),
    open("azure_client_id", Form::Word),
    secret("azure_client_secret", Form::Word),
    open("azure_container_name", Form::Name),
    open(
        "azure_credential_type",
        Form::OneOf(&[
            "auto",
            "access_key",
            "azure_cli",
            "bearer_token",
            "client_secret",
            "managed_identity",
            "sas_token",
            "workload_identity",
        ]),
    ),
    open("azure_disable_tagging", Form::Flag),
    open("azure_fabric_cluster_identifier", Form::Word),
    secret("azure_fabric_session_token", Form::Word),
    open("azure_fabric_token_service_url", Form::Endpoint),
    open("azure_fabric_workload_host", Form::Word),
    open("azure_federated_token_file", Form::File),
    open("azure_msi_endpoint", Form::Endpoint),
    open("azure_msi_resource_id", Form::Word),
    open("azure_object_id", Form::Word),
    open("azure_skip_signature", Form::Flag),
    secret("azure_storage_encryption_key", Form::Key256),
    open("azure_storage_endpoint", Form::Endpoint),
    secret("azure_storage_sas_token", Form::SharedAccess),
    secret("azure_storage_token", Form::Word),
    open("azure_storage_use_emulator", Form::Flag),
    open("azure_tenant_id", Form::Name),
    open("azure_use_azure_cli", Form::Flag),
    open("azure_use_fabric_endpoint", Form::Flag),
];

/// The ways to have credentials for Azure, the first one first.
const CREDENTIALS: [&[Azure]; 8] = [
    &[
        Azure::FabricTokenServiceUrl,
        Azure::FabricWorkloadHost,
        Azure::FabricSessionToken,
        Azure::FabricClusterIdentifier,
    ],
    &[Azure::Token],
    &[Azure::AccessKey],
    &[Azure::ClientId, Azure::AuthorityId, Azure::AuthorityHost, Azure::FederatedTokenFile],
    &[Azure::ClientId, Azure::AuthorityId, Azure::AuthorityHost, Azure::ClientSecret],
    &[Azure::SasKey],
    &[Azure::UseAzureCli],
    &[Azure::ClientId, Azure::MsiEndpoint, Azure::ObjectId, Azure::MsiResourceId],
];

/// The way to have credentials that the library will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Nothing,
    Fabric,
    Token,
    AccessKey,
    Workload,
    Secret,
    Sas,
    Cli,
    Managed,
}

fn way_of(settings: &Settings<Azure>) -> Way {
    let has = |key| settings.has(key);
    let fabric = CREDENTIALS.first().is_some_and(|keys| keys.iter().all(|key| has(*key)));
    let application = has(Azure::ClientId) && has(Azure::AuthorityId);
    let by_type = match settings.get(Azure::CredentialType) {
        Some("bearer_token") => Some(Way::Token),
        Some("access_key") => Some(Way::AccessKey),
        Some("client_secret") => Some(Way::Secret),
        Some("workload_identity") => Some(Way::Workload),
        Some("sas_token") => Some(Way::Sas),
        Some("azure_cli") => Some(Way::Cli),
        Some("managed_identity") => Some(Way::Managed),
        _ => None,
    };
    let emulator = settings.is_true(Azure::UseEmulator);
    let found = [
        (Way::Nothing, settings.is_true(Azure::SkipSignature)),
        (Way::AccessKey, emulator && has(Azure::AccessKey)),
        (Way::Token, emulator && has(Azure::Token)),
        (Way::Sas, emulator && has(Azure::SasKey)),
        (Way::AccessKey, emulator),
        (by_type.unwrap_or(Way::Nothing), by_type.is_some()),
        (Way::Fabric, fabric),
        (Way::Token, has(Azure::Token)),
        (Way::AccessKey, has(Azure::AccessKey)),
        (Way::Workload, application && has(Azure::FederatedTokenFile)),
        (Way::Secret, application && has(Azure::ClientSecret)),
        (Way::Sas, has(Azure::SasKey)),
        (Way::Cli, settings.is_true(Azure::UseAzureCli)),
    ];
    found.into_iter().find(|(_, is_it)| *is_it).map_or(Way::Managed, |(way, _)| way)
}

/// Returns whether the library will read a token from a file.
pub(crate) fn reads_token(settings: &Settings<Azure>) -> bool {
    way_of(settings) == Way::Workload
}

/// Returns whether the library will ask the machine for its identity.
pub(crate) fn asks_machine(settings: &Settings<Azure>) -> bool {
    way_of(settings) == Way::Managed
}

/// Checks the settings of Azure. `account_in_location` states that the location names the account.
pub(crate) fn check(
    settings: &Settings<Azure>,
    account_in_location: bool,
) -> Result<(), OpenError> {
    const APPLICATION: &str = "this setting needs azure_client_id, azure_tenant_id and \
                               azure_client_secret or azure_federated_token_file, and no \
                               credentials that come before these";
    const MANAGED: &str = "this setting needs the identity of this machine, \
                           instance_credentials=true, and no other credentials";
    settings.check_client()?;
    let way = way_of(settings);
    let signs = way != Way::Nothing;
    for key in CREDENTIALS.concat() {
        let is_wish = key != Azure::UseAzureCli || settings.is_true(key);
        settings.hold_to(&[(Of::Options, key, signs || !is_wish, UNSIGNED)])?;
    }
    let emulator = settings.is_true(Azure::UseEmulator);
    let own_endpoint = settings.has(Azure::Endpoint);
    let of_application = matches!(way, Way::Workload | Way::Secret);
    settings.check_instance(way == Way::Managed)?;
    let fabric = "this setting needs all of azure_fabric_token_service_url, _workload_host, \
                  _session_token and _cluster_identifier";
    let local = "azure_storage_use_emulator=true has its own; leave one of them out";
    settings.hold_to(&[
        (Of::Options, Azure::DisableTagging, false, TAGS),
        (Of::Options, Azure::Endpoint, !emulator, local),
        (Of::Options, Azure::UseFabricEndpoint, !emulator && !own_endpoint, local_or_endpoint()),
        (Of::Options, Azure::CredentialType, signs && !emulator, BETTER),
        (
            Of::Options,
            Azure::AccountName,
            !account_in_location,
            "the location names the account; leave this setting out",
        ),
        (Of::Options, Azure::FabricTokenServiceUrl, way == Way::Fabric, fabric),
        (Of::Options, Azure::FabricWorkloadHost, way == Way::Fabric, fabric),
        (Of::Options, Azure::FabricSessionToken, way == Way::Fabric, fabric),
        (Of::Options, Azure::FabricClusterIdentifier, way == Way::Fabric, fabric),
        (Of::Options, Azure::Token, matches!(way, Way::Token | Way::Fabric), BETTER),
        (Of::Options, Azure::AccessKey, way == Way::AccessKey, BETTER),
        (Of::Options, Azure::SasKey, way == Way::Sas, BETTER),
        (
            Of::Options,
            Azure::UseAzureCli,
            way == Way::Cli || !settings.is_true(Azure::UseAzureCli),
            BETTER,
        ),
        (Of::Options, Azure::FederatedTokenFile, way == Way::Workload, APPLICATION),
        (Of::Options, Azure::ClientSecret, way == Way::Secret, APPLICATION),
        (Of::Options, Azure::AuthorityId, of_application, APPLICATION),
        (Of::Options, Azure::AuthorityHost, of_application, APPLICATION),
        (Of::Options, Azure::ClientId, of_application || way == Way::Managed, APPLICATION),
        (Of::Options, Azure::MsiEndpoint, way == Way::Managed, MANAGED),
        (Of::Options, Azure::ObjectId, way == Way::Managed, MANAGED),
        (Of::Options, Azure::MsiResourceId, way == Way::Managed, MANAGED),
    ])
}

fn local_or_endpoint() -> &'static str {
    "azure_storage_endpoint or the emulator is set, too; leave one of them out"
}
