//! Reports the metrics and the traces of a command, if its options ask for that.
//!
//! 1. What the options ask for is ready before the command begins, or the command does not begin.
//! 2. From then on, no scraper and no endpoint stops or fails the command. At its end, the last
//!    metrics and traces are sent for at most [`LAST_EXPORT`].
//! 3. Without these options, nothing is measured.

mod listen;
mod otlp;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use stratalog::telemetry::SPANS;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::args::Arguments;
use crate::process::exit::{Code, Failure};
use crate::process::logging::SpanLayer;
use crate::terminal::stderr;
use listen::Listening;
use otlp::Endpoint;

/// The most time to send the last metrics and traces.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// The reports in progress.
pub(crate) struct Reporting {
    metrics: Option<SdkMeterProvider>,
    traces: Option<SdkTracerProvider>,
    /// The address of the server of metrics.
    address: Option<SocketAddr>,
}

impl Reporting {
    /// Starts what the options ask for. Call it within the runtime.
    ///
    /// # Errors
    /// An address at which nothing can listen, or an endpoint that no client can be made for.
    pub(crate) fn start(arguments: &Arguments) -> Result<Self, Failure> {
        let mut this = Self { metrics: None, traces: None, address: None };
        let Some((options, prices)) = arguments.command.telemetry() else { return Ok(this) };
        if options.metrics_listen.is_none() && options.otlp_endpoint.is_none() {
            return Ok(this);
        }
        let resource = Resource::builder().with_service_name("stratalog").build();
        let mut provider = SdkMeterProvider::builder().with_resource(resource.clone());
        if let Some(address) = options.metrics_listen {
            let listening = Listening::bind(address)?;
            let (reader, registry) = listen::reader()?;
            provider = provider.with_reader(reader);
            this.address = Some(listening.address());
            listening.serve(registry);
        }
        if let Some(url) = &options.otlp_endpoint {
            let endpoint = Endpoint::new(url)?;
            provider = provider.with_periodic_exporter(endpoint.metrics()?);
            let traces = SdkTracerProvider::builder().with_resource(resource);
            this.traces = Some(traces.with_batch_exporter(endpoint.traces()?).build());
        }
        let provider = provider.build();
        stratalog::telemetry::report_to(&provider, prices.unwrap_or_default())
            .map_err(|error| Failure::new(Code::Failed, error.to_string()))?;
        this.metrics = Some(provider);
        Ok(this)
    }

    /// Returns the layer that takes spans for traces.
    pub(crate) fn spans(&self) -> Option<SpanLayer> {
        let tracer = self.traces.as_ref()?.tracer("stratalog");
        let spans = tracing_opentelemetry::layer().with_tracer(tracer);
        let of_library = Targets::new().with_target(SPANS, LevelFilter::INFO);
        // Where in the source, and on which thread, a span begins tells its reader nothing.
        let spans = spans.with_location(false).with_threads(false).with_tracked_inactivity(false);
        Some(Box::new(spans.with_target(false).with_level(false).with_filter(of_library)))
    }

    /// Names the address of the metrics on stderr, unless `quiet`.
    pub(crate) fn announce(&self, quiet: bool) {
        if let Some(address) = self.address.filter(|_| !quiet) {
            stderr::say(&format!("metrics are at http://{address}/metrics"));
        }
    }

    /// Sends what was not sent yet, within the time limit.
    pub(crate) fn finish(self) {
        if self.traces.is_none() {
            return;
        }
        let (sender, ended) = mpsc::channel();
        let Self { metrics, traces, .. } = self;
        let works: [Box<dyn FnOnce() + Send>; 2] = [
            Box::new(move || drop(metrics.map(|provider| provider.shutdown()))),
            Box::new(move || drop(traces.map(|provider| provider.shutdown()))),
        ];
        for work in works {
            let sender = sender.clone();
            // They end with the process if an endpoint does not answer.
            std::thread::spawn(move || {
                work();
                sender.send(()).ok();
            });
        }
        drop(sender);
        let begun = Instant::now();
        while ended.recv_timeout(LAST_EXPORT.saturating_sub(begun.elapsed())).is_ok() {}
    }
}
