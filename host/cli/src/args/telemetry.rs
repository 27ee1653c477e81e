//! Defines the options that report metrics and traces.

#[cfg(feature = "metrics")]
use std::net::SocketAddr;

use clap::Args;
use stratalog::keep::Prices;
#[cfg(feature = "metrics")]
use url::Url;

/// The options of commands that may run for long.
#[derive(Args)]
pub(crate) struct Telemetry {
    /// Serve metrics for Prometheus at http://ADDRESS:PORT/metrics while the command runs
    ///
    /// Port 0 takes a free one, which stderr names. Anyone who reaches the address can read the
    /// metrics: prefer 127.0.0.1. They contain no names of logs and no secrets.
    #[cfg(feature = "metrics")]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = parse_address)]
    pub(crate) metrics_listen: Option<SocketAddr>,

    /// Send metrics and traces by OTLP to this URL, as in http://127.0.0.1:4318
    ///
    /// By HTTP with protobuf, to the paths v1/metrics and v1/traces below it. An endpoint that does
    /// not answer is one warning, and delays the end of the command by 2 s at most. Headers come
    /// from OTEL_EXPORTER_OTLP_HEADERS.
    #[cfg(feature = "metrics")]
    #[arg(long, value_name = "URL", value_parser = parse_endpoint)]
    pub(crate) otlp_endpoint: Option<Box<Url>>,
}

/// These options, with the prices of requests.
#[derive(Args)]
pub(crate) struct PricedTelemetry {
    #[command(flatten)]
    pub(crate) telemetry: Telemetry,

    /// Dollars for a GiB and month, 1,000 writes, and 1,000 reads [default: 0.023,0.005,0.0004]
    ///
    /// For the metric stratalog.store.cost, which counts the requests.
    #[cfg(feature = "metrics")]
    #[arg(long, value_name = "STORAGE,WRITES[,READS]", value_parser = parse_prices)]
    #[arg(requires = "Telemetry")]
    pub(crate) prices: Option<Prices>,
}

impl PricedTelemetry {
    #[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is reported"))]
    pub(super) fn prices(&self) -> Option<Prices> {
        #[cfg(feature = "metrics")]
        return self.prices;
        #[cfg(not(feature = "metrics"))]
        return None;
    }
}

#[cfg(feature = "metrics")]
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an IP address and a port, as in 127.0.0.1:9464 or [::1]:9464".to_owned()
    })
}

#[cfg(feature = "metrics")]
fn parse_endpoint(text: &str) -> Result<Box<Url>, String> {
    const FORM: &str = "write an http or https URL, as in http://127.0.0.1:4318";
    let url: Url = text.parse().map_err(|error| format!("{error}; {FORM}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(FORM.to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has credentials, which other users of the machine can see; put a header \
                    into the environment variable OTEL_EXPORTER_OTLP_HEADERS"
            .to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("it has a query or a fragment; {FORM}"));
    }
    Ok(Box::new(url))
}

/// Parses the prices of a store.
pub(crate) fn parse_prices(text: &str) -> Result<Prices, String> {
    let price = |text: &str| {
        let is_price = |price: &f64| price.is_finite() && *price >= 0.0;
        text.trim().parse::<f64>().ok().filter(is_price)
    };
    let prices: Option<Vec<f64>> = text.split(',').map(price).collect();
    match prices.as_deref() {
        Some([storage, writes]) => Ok(Prices::new(*storage, *writes)),
        Some([storage, writes, reads]) => Ok(Prices::new(*storage, *writes).with_reads(*reads)),
        _ => Err("write two or three prices in dollars, as in 0.023,0.005,0.0004".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_two_or_three_numbers_of_dollars() {
        for text in ["", "1", "1,", "1,2,3,4", "-1,2", "1,inf", "a,b", "1,2,"] {
            assert!(parse_prices(text).is_err(), "{text}");
        }
        assert_eq!(parse_prices("0.1, 2"), Ok(Prices::new(0.1, 2.0)));
        assert_eq!(parse_prices("0.1,2,3"), Ok(Prices::new(0.1, 2.0).with_reads(3.0)));
    }

    #[cfg(feature = "metrics")]
    #[test]
    fn endpoint_with_credentials_is_refused_without_them() {
        let error = parse_endpoint("http://me:hunter2@host:4318").unwrap_err();
        assert!(error.contains("OTEL_EXPORTER_OTLP_HEADERS"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        for text in ["", "host:4318", "ftp://host", "http://", "http://host?a=b", "4318"] {
            assert!(parse_endpoint(text).is_err(), "{text}");
        }
        assert!(parse_endpoint("https://host/otlp").is_ok());
    }
}
