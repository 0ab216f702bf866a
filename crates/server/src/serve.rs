//! `countersign serve`: opens the installation, serves until a signal, and closes it again.

use crate::app::{self, api, app};
use crate::audit_keeper::{AuditKeeper, RunningKeeper};
use crate::cli::ServeFlags;
use crate::config::{Settings, Sources};
use crate::demo::{self, DemoClock};
use crate::failure::Failure;
use crate::http_metrics::HttpMetrics;
use crate::installation::{IfAbsent, Installation, Opening, ThrowAway};
use crate::logs;
use crate::mail::{Delivery, Mailer, deliver};
use crate::net::tls::Certificate;
use crate::net::{Door, Limits, Stop, bind};
use crate::operations::{new_registry, operations};
use crate::output::say;
use crate::public_url::PublicUrl;
use crate::stopwatch::Stopwatch;
use countersign_console::mails::Mails;
use countersign_core::metrics::Metrics;
use countersign_core::{Countersign, Error};
use countersign_model::Clock;
use countersign_model::clock::SystemClock;
use countersign_store::Access;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often core is told that time goes on.
const TICK_EVERY: Duration = Duration::from_secs(10);
/// How often what has run out is swept away.
const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// How long a mail that is on its way may take to its end when the server stops.
const MAIL_GRACE: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
pub(crate) fn run(flags: ServeFlags) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let throw_away = if flags.demo { Some(ThrowAway::make()?) } else { None };
    let config = flags.place.config.clone();
    let mut layer = flags.layer();
    if let Some(folder) = &throw_away {
        layer.data = Some(folder.path().to_owned());
    }
    let mut settings = Settings::load(Sources::of_this_process(config, layer))?;
    if throw_away.is_some() {
        settings.database = None;
    }
    settings.check_serving()?;
    logs::begin(settings.log.as_deref().unwrap_or("info"), settings.log_format)?;
    for doubt in settings.doubts() {
        tracing::warn!("{doubt}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("the runtime does not start: {error}")))?;
    let house = if throw_away.is_some() { House::Demo } else { House::Own };
    runtime.block_on(serve(&settings, house, watch))
}

/// Whose data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum House {
    Own,
    Demo,
}

async fn serve(settings: &Settings, house: House, watch: Stopwatch) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let server = tokio::select! {
        server = Server::start(settings, house) => server?,
        () = signals.received() => return Ok(()),
    };
    tracing::debug!("ready in {} ms", watch.elapsed().as_millis());
    tracing::info!(pages = %server.pages, api = %server.api, operations = %server.operations, public_url = %server.public_url, "ready");
    say(&server.greeting)?;
    signals.received().await;
    tracing::info!("stopping: what is under way is finished first");
    server.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// A server that runs.
struct Server {
    installation: Installation,
    pages: SocketAddr,
    api: SocketAddr,
    operations: SocketAddr,
    public_url: PublicUrl,
    /// What its operator reads first.
    greeting: String,
    stop: watch::Sender<bool>,
    doors: JoinSet<()>,
    /// What runs beside the requests, and ends with them.
    upkeep: JoinSet<()>,
    /// What sends mail; a mail that is on its way is sent to its end.
    delivery: JoinSet<()>,
    /// Chains the audit log; what the last requests wrote, too.
    audit: RunningKeeper,
}

impl Server {
    async fn start(settings: &Settings, house: House) -> Result<Self, Failure> {
        let certificate = settings.tls.clone().map(Certificate::load).transpose();
        let certificate = certificate.map_err(|error| Failure::new(error.to_string()))?;
        let demo_clock = Arc::new(DemoClock::default());
        let clock: Arc<dyn Clock> = match house {
            House::Own => Arc::new(SystemClock),
            House::Demo => Arc::<DemoClock>::clone(&demo_clock),
        };
        let mut registry = new_registry(clock.now());
        let (metrics, http_metrics) = (Metrics::new(&mut registry), HttpMetrics::new(&mut registry));
        let (pages, pages_at) = listen(settings.listen, "--listen").await?;
        let port = pages_at.port();
        let opening = Opening { access: Access::Serve, absent: IfAbsent::Make, clock, metrics, port };
        let installation = Installation::open(settings, opening).await?;
        let core = installation.core.clone();
        check_keys(settings, &core).await?;

        let (api_listener, api_at) = listen(settings.api_listen, "--api-listen").await?;
        let (ops, ops_at) = listen(settings.ops_listen, "--ops-listen").await?;
        let public_url = settings.public_url_at(port);
        let invitation = match house {
            House::Own => invite(&core, &public_url).await?,
            House::Demo => demo::furnish(&core, &demo_clock).await?,
        };
        if let Err(Error::ClockBehind) = core.ready().await {
            tracing::error!("the clock is behind a time already seen: logons are refused until it is right");
        }

        let audit = AuditKeeper::open(&core, &installation.data).await?.start();
        let options = app::Options {
            public_url: public_url.clone(),
            trusted_proxy_hops: settings.trusted_proxy_hops,
            metrics: http_metrics.clone(),
        };
        let tls = certificate.as_ref().map(Certificate::config).transpose();
        let limits = if settings.trusted_proxy_hops > 0 { Limits::BEHIND_PROXY } else { Limits::DIRECT };
        let tls = tls.map_err(|error| Failure::new(error.to_string()))?;
        let pages = Door { listener: pages, router: app(core.clone(), options), tls: tls.clone(), limits };
        let router = api(core.clone(), settings.trusted_proxy_hops, http_metrics);
        let api = Door { listener: api_listener, router, tls, limits };
        let ops = Door { listener: ops, router: operations(core.clone(), registry), tls: None, limits: Limits::DIRECT };
        let mailer = Mailer::open(settings, &public_url)?;
        let greeting = greet(&public_url, (api_at, ops_at), &mailer, &invitation);
        let (sender, stop) = Stop::new();
        let mut doors = JoinSet::new();
        doors.spawn(pages.serve(stop.clone()));
        doors.spawn(api.serve(stop.clone()));
        doors.spawn(ops.serve(stop.clone()));
        let delivery =
            Delivery { core: core.clone(), mailer, mails: Mails::load(), public_url: public_url.to_string() };
        let delivery = JoinSet::from_iter([deliver(delivery, stop)]);
        let mut upkeep = JoinSet::new();
        upkeep.spawn(keep_up(core));
        if let Some(certificate) = certificate {
            upkeep.spawn(certificate.watch());
        }
        let stop = sender;
        Ok(Self {
            installation,
            pages: pages_at,
            api: api_at,
            operations: ops_at,
            public_url,
            greeting,
            stop,
            doors,
            upkeep,
            delivery,
            audit,
        })
    }

    /// No new connections; what is under way is finished; then the database is closed.
    async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.doors.join_next().await.is_some() {}
        let sent = async { while self.delivery.join_next().await.is_some() {} };
        if timeout(MAIL_GRACE, sent).await.is_err() {
            tracing::warn!("a mail did not get through in time: it is sent again after the next start");
        }
        self.delivery.shutdown().await;
        self.upkeep.shutdown().await;
        self.audit.stop().await;
        self.installation.close().await;
    }
}

/// Refuses to start where security keys and passkeys were registered at another host: their users could not log on.
async fn check_keys(settings: &Settings, core: &Countersign) -> Result<(), Failure> {
    if let Some(told) = unrooted(core.unrooted_keys().await?) {
        tracing::warn!("{told}");
    }
    let stranded = core.stranded_keys().await?;
    let Some(told) = stranded_keys(&stranded, core.relying_party().id()) else { return Ok(()) };
    if settings.danger_strand_keys {
        tracing::warn!("{told}");
        return Ok(());
    }
    Err(Failure::new(format!("{told}: set public_url back, or say --danger-strand-keys and mean it")))
}

/// What is wrong with keys that were bound before the roots of trust of makers were configured, if there are any.
pub(crate) fn unrooted(keys: i64) -> Option<String> {
    (keys > 0).then(|| {
        format!(
            "{keys} security keys and passkeys were bound without attestation_roots, and lists of allowed models refuse them now"
        )
    })
}

/// What is wrong with keys that were registered at other hosts, if there are any.
pub(crate) fn stranded_keys(stranded: &[(String, i64)], here: &str) -> Option<String> {
    let places = stranded.iter().map(|(host, count)| format!("{count} at {host}")).collect::<Vec<_>>().join(", ");
    (!stranded.is_empty()).then(|| {
        format!(
            "security keys and passkeys were registered at another host than {here} ({places}), and serve only there"
        )
    })
}

async fn listen(address: SocketAddr, flag: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = bind(address, flag).await.map_err(Failure::new)?;
    let bound = listener.local_addr().map_err(|error| Failure::new(format!("{address} has no address: {error}")))?;
    Ok((listener, bound))
}

/// The link that makes the first account, as long as there is none.
async fn invite(core: &Countersign, url: &PublicUrl) -> Result<String, Failure> {
    Ok(core.offer_set_up().await?.map_or_else(String::new, |token| {
        let token = token.expose();
        format!("There is no account yet. This link makes the first one, once:\n\n    {url}/setup?token={token}\n\n")
    }))
}

fn greet(url: &PublicUrl, (api, operations): (SocketAddr, SocketAddr), mailer: &Mailer, invitation: &str) -> String {
    let mail = mailer.folder().map_or_else(String::new, |folder| {
        format!("    Mail        no server is configured: mails become files in {}\n", folder.display())
    });
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "\nCountersign {version} is ready.\n\n    Pages       {url}\n    RAM API     {api}\n    Operations  http://{operations}/metrics\n{mail}\n\
         {invitation}Stop it with Ctrl-C.\n"
    )
}

/// Tells core that time goes on, and sweeps, for ever.
async fn keep_up(core: Countersign) {
    let every = |period| {
        let mut interval = interval(period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval
    };
    let (mut tick, mut sweep, mut idle) = (every(TICK_EVERY), every(SWEEP_EVERY), every(SWEEP_EVERY));
    loop {
        tokio::select! {
            _ = tick.tick() => if let Err(error) = core.tick().await {
                tracing::warn!(%error, "the time was not noted");
            },
            _ = sweep.tick() => match core.sweep().await {
                Ok(swept) => tracing::debug!(swept, "swept"),
                Err(error) => tracing::warn!(%error, "what has run out was not swept"),
            },
            _ = idle.tick() => disable_idle(&core).await,
        }
    }
}

/// Disables console logon and AccessKeys that nobody uses.
async fn disable_idle(core: &Countersign) {
    match core.disable_idle_users().await {
        Ok(disabled) => tracing::debug!(disabled, "idle users disabled"),
        Err(error) => tracing::warn!(%error, "idle users were not disabled"),
    }
    match core.disable_idle_access_keys().await {
        Ok(disabled) => tracing::debug!(disabled, "idle AccessKeys disabled"),
        Err(error) => tracing::warn!(%error, "idle AccessKeys were not disabled"),
    }
}

/// What asks a process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let of = |kind| signal(kind).map_err(|error| Failure::new(format!("signals cannot be listened to: {error}")));
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
