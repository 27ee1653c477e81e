//! The settings of Azure that would have no effect.
//!
//! Owns: which of its many ways to have credentials the library takes. Must not know: the use of
//! the credentials.

use object_store::azure::AzureConfigKey as Azure;

use super::super::ways::AZURE_CREDENTIALS;
use super::super::{OpenError, Settings};
use super::{BETTER, Of, TAGS, UNSIGNED};

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

fn way_of_azure(settings: &Settings<Azure>) -> Way {
    let has = |key| settings.has(key);
    let fabric = AZURE_CREDENTIALS.first().is_some_and(|keys| keys.iter().all(|key| has(*key)));
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
pub(crate) fn azure_reads_token(settings: &Settings<Azure>) -> bool {
    way_of_azure(settings) == Way::Workload
}

/// Returns whether the library will ask the machine for its identity.
pub(crate) fn azure_asks_machine(settings: &Settings<Azure>) -> bool {
    way_of_azure(settings) == Way::Managed
}

/// Checks the settings of Azure. `account_in_location` states that the location names the account.
pub(crate) fn check_azure(
    settings: &Settings<Azure>,
    account_in_location: bool,
) -> Result<(), OpenError> {
    const APPLICATION: &str = "this setting needs azure_client_id, azure_tenant_id and \
                               azure_client_secret or azure_federated_token_file, and no \
                               credentials that come before these";
    const MANAGED: &str = "this setting needs the identity of this machine, \
                           instance_credentials=true, and no other credentials";
    settings.check_client()?;
    let way = way_of_azure(settings);
    let signs = way != Way::Nothing;
    for key in AZURE_CREDENTIALS.concat() {
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
