//! The proxy that requests go through, named for messages.
//!
//! 1. The name holds no user and no password.

use stratalog_store_rules::secrets::looks::hide_in_urls;

use crate::store::config::environment::variable;
use crate::store::config::opening::Opening;

/// Variables that name the proxy of plain and of secure requests, in order of precedence.
const OF_PLAIN: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const OF_SECURE: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// Names the proxy and the option or variable that sets it; none if there is no proxy.
pub(crate) fn named(opening: &Opening<'_>) -> Option<String> {
    let Opening { root, options, environment } = *opening;
    if let Some((_, url)) = options.pairs.iter().rfind(|(key, _)| key == "proxy_url") {
        return Some(format!("the proxy {} of the store option proxy_url", hide_in_urls(url)));
    }
    let is_plain = root.starts_with("http://")
        || options.pairs.iter().chain(environment).any(|(key, value)| {
            let key = key.to_ascii_lowercase();
            value.starts_with("http://") && (key.contains("endpoint") || key.ends_with("base_url"))
        });
    let variables = if is_plain { OF_PLAIN } else { OF_SECURE };
    let mut set = variables.iter().filter_map(|name| Some((name, variable(environment, name)?)));
    set.next().map(|(name, url)| {
        // Without a scheme it is a URL of plain HTTP.
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        format!("the proxy {} of {name}", hide_in_urls(&url))
    })
}
